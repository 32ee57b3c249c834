"""InfoGAN on digits: what do its codes say, though nobody told it what digits are?

    python examples/infogan_digits.py [--steps 2500] [--width 16] [--out runs/example-infogan]

Each column of codes.png is one class of the categorical code; rows of c2.png and c3.png go from one
end of a number to the other. Prints how pure the classes are, by the digits classifier that ships
with minigan on generated digits, and by the labels of held-out digits that Q sorts.
"""

import argparse
from pathlib import Path

import numpy as np

from minigan.algorithms import recipe
from minigan.algorithms.codes.infogan import InfoGAN
from minigan.backend import make_rng
from minigan.data import open_data
from minigan.metrics.clustering import purity
from minigan.metrics.shipped import shipped_classifier
from minigan.training import RunOptions, Trainer
from minigan.training.latent_tools import Traversal
from minigan.training.sampling import write_samples

parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
parser.add_argument("--steps", type=int, default=2500)
parser.add_argument("--width", type=int, default=16)
parser.add_argument("--device", default="cpu")
parser.add_argument("--out", type=Path, default=Path("runs/example-infogan"))
arguments = parser.parse_args()

options = recipe("infogan").options(width=arguments.width)
run = RunOptions(data="digits", steps=arguments.steps, device=arguments.device)
trainer = Trainer.start("infogan", options, run, arguments.out)
trainer.train()
model = trainer.algorithm
assert isinstance(model, InfoGAN)

z = model.prior.draw(1000, make_rng(0))
shown = shipped_classifier("digits").predict(model.generate(z))[:, 0]
codes = z[:, model.prior.codes[0].where].argmax(1)
print(f"purity of 1,000 generated digits by their code: {purity(codes, shown):.1%}")
held_out = open_data("digits", split="test")
test = held_out.take(np.arange(held_out.size))
found = np.concatenate([model.cluster(x) for x in np.array_split(test.x, 4)])
print(
    f"purity of {len(found)} held-out digits as Q sorts them: "
    f"{purity(found, test.labels[:, 0]):.1%}"
)
for name, code in (("codes", "c1"), ("c2", "c2"), ("c3", "c3")):
    write_samples(arguments.out, arguments.out / f"{name}.png", n=6, tool=Traversal(code))
print(f"look at {arguments.out / 'codes.png'}, c2.png and c3.png")
