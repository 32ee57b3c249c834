"""An adversarial autoencoder on handwritten digits: are its codes distributed as the prior is?

    python examples/aae_digits.py [--steps 2000] [--out runs/example-aae]

Prints mean and spread of each number in the codes of digits that it has not seen; the prior's are 0
and 1. Writes interpolation.png: each row goes in ten pictures from one draw of the prior to
another.
"""

import argparse
from pathlib import Path

import numpy as np

from minigan.algorithms import recipe
from minigan.algorithms.autoencoding.aae import AAE
from minigan.data import open_data
from minigan.training import RunOptions, Trainer
from minigan.training.sampling import write_samples

parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
parser.add_argument("--steps", type=int, default=2000)
parser.add_argument("--device", default="cpu")
parser.add_argument("--out", type=Path, default=Path("runs/example-aae"))
arguments = parser.parse_args()

run = RunOptions(data="digits", steps=arguments.steps, device=arguments.device)
trainer = Trainer.start("aae", recipe("aae").options(), run, arguments.out)
trainer.train()
assert isinstance(trainer.algorithm, AAE)

held_out = open_data("digits", split="test")
codes = trainer.algorithm.encode(held_out.take(np.arange(held_out.size)).x)
print(f"codes of {len(codes)} held-out digits, number by number:")
print("  mean  ", " ".join(f"{m:5.2f}" for m in codes.mean(0)))
print("  spread", " ".join(f"{s:5.2f}" for s in codes.std(0)))
print(write_samples(arguments.out, arguments.out / "interpolation.png", n=6, interpolate=10))
print(f"look at {arguments.out / 'samples.gif'} and {arguments.out / 'interpolation.png'}")
