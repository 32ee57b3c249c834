"""The autoencoder of three dense layers beside principal components, and why it is no generator.

    python examples/autoencoder_digits.py [--steps 2000] [--out runs/example-autoencoder]

Prints the squared error on digits that neither has seen, with as many numbers for a digit. The last
samples (samples/) are codes drawn from the Gaussian that fits the training codes: mostly no digits.
"""

import argparse
from pathlib import Path

import numpy as np

from minigan.algorithms import recipe
from minigan.algorithms.autoencoding.autoencoder import Autoencoder
from minigan.data import open_data
from minigan.training import RunOptions, Trainer

parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
parser.add_argument("--steps", type=int, default=2000)
parser.add_argument("--z-dim", type=int, default=32)
parser.add_argument("--device", default="cpu")
parser.add_argument("--out", type=Path, default=Path("runs/example-autoencoder"))
arguments = parser.parse_args()

run = RunOptions(data="digits", steps=arguments.steps, device=arguments.device)
options = recipe("autoencoder").options(z_dim=arguments.z_dim)
trainer = Trainer.start("autoencoder", options, run, arguments.out)
trainer.train()
assert isinstance(trainer.algorithm, Autoencoder)

digits, held_out = open_data("digits"), open_data("digits", split="test")
real = digits.take(np.arange(digits.size)).x.reshape(digits.size, -1)
x = held_out.take(np.arange(held_out.size)).x
back = trainer.algorithm.reconstruct(x)
mean = real.mean(0)
_, axes = np.linalg.eigh(np.cov(real.T))  # in the order of their variances
best = axes[:, -arguments.z_dim :]
flat = x.reshape(len(x), -1)
components = (flat - mean) @ best @ best.T + mean
print(f"{arguments.z_dim} numbers for a digit; squared error on {len(x)} held-out digits:")
print(f"  principal components {np.square(components - flat).sum(1).mean():.1f}")
print(f"  autoencoder          {np.square(back - x).sum((1, 2, 3)).mean():.1f}")
last = f"reconstruction_step_{arguments.steps:06d}.png"
print(f"look at {arguments.out / 'samples' / last} and {arguments.out / 'samples.gif'}")
