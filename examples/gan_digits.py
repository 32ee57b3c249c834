"""The original paper's experiment: perceptrons on handwritten digits, with each sample's neighbour.

    python examples/gan_digits.py [--steps 3000] [--out runs/example-gan-digits]

Writes neighbours.png: samples above, below each the training digit nearest to it, to show that G
has not learnt examples by heart (as in Figure 2 of the paper). About three minutes on two cores.
"""

import argparse
from pathlib import Path

import numpy as np

from minigan.algorithms import GAN, recipe
from minigan.backend import make_rng
from minigan.data import open_data
from minigan.training import RunOptions, Trainer
from minigan.training.pictures import grid, write_png

parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
parser.add_argument("--steps", type=int, default=3000)
parser.add_argument("--device", default="cpu")
parser.add_argument("--out", type=Path, default=Path("runs/example-gan-digits"))
arguments = parser.parse_args()

run = RunOptions(data="digits", batch=100, steps=arguments.steps, device=arguments.device)
trainer = Trainer.start("gan", recipe("gan").options(), run, arguments.out)
trainer.train()
assert isinstance(trainer.algorithm, GAN)

samples = trainer.algorithm.sample(16, make_rng(0))
digits = open_data("digits")
real = digits.take(np.arange(digits.size)).x
distances = [np.square(real - x).sum((1, 2, 3)) for x in samples]
nearest = real[[d.argmin() for d in distances]]
pairs = np.concatenate([samples[:8], nearest[:8], samples[8:], nearest[8:]])
write_png(grid(pairs, columns=8), arguments.out / "neighbours.png")
print(f"look at {arguments.out / 'samples.gif'} and {arguments.out / 'neighbours.png'}")
