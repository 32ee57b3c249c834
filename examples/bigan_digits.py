"""BiGAN on handwritten digits: what are codes worth that nobody compared with their pictures?

    python examples/bigan_digits.py [--steps 3000] [--out runs/example-bigan]

Classifies held-out digits by the nearest training digit in pixels, in the codes of E as it was
drawn, and in those that it has learned, and prints the accuracies (compare table 1 of the paper).
What comes back of a digit stays unlike it for long: the paper trains for 400 epochs. A few normal
numbers in a code bring the two closer sooner than the paper's 50 uniform ones.
"""

import argparse
from pathlib import Path

import numpy as np

from minigan.algorithms import recipe
from minigan.algorithms.autoencoding.bigan import BiGAN
from minigan.data import open_data
from minigan.training import RunOptions, Trainer

parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
parser.add_argument("--steps", type=int, default=3000)
parser.add_argument("--device", default="cpu")
parser.add_argument("--out", type=Path, default=Path("runs/example-bigan"))
arguments = parser.parse_args()

run = RunOptions(data="digits", steps=arguments.steps, device=arguments.device)
options = recipe("bigan").options(z_dim=16, prior="normal")
trainer = Trainer.start("bigan", options, run, arguments.out)
bigan = trainer.algorithm
assert isinstance(bigan, BiGAN)

digits, held_out = open_data("digits"), open_data("digits", split="test")
x, labels = digits.take(np.arange(digits.size))
unseen, truth = held_out.take(np.arange(500))
spaces = {
    "pixels": [a.reshape(len(a), -1) for a in (x, unseen)],
    "codes before training": [bigan.encode(a) for a in (x, unseen)],
}
trainer.train()
spaces["codes after it"] = [bigan.encode(a) for a in (x, unseen)]
for name, (known, asked) in spaces.items():
    distances = np.square(known).sum(1) - 2 * asked @ known.T  # but for a number of each row
    found = labels[distances.argmin(1), 0]
    print(f"nearest training digit in {name}: {np.mean(found == truth[:, 0]):.1%} right")
last = f"reconstruction_step_{arguments.steps:06d}.png"
print(f"look at {arguments.out / 'samples.gif'} and {arguments.out / 'samples' / last}")
