"""DCGAN on kittens, and the way from one kitten to another.

    python examples/dcgan_kittens.py [--steps 2000] [--out runs/example-kittens]

Writes interpolation.png: each row goes in ten pictures from one z to another (DCGAN paper, section
6.1: a smooth way says that G has not memorised examples). About four minutes on two cores.
"""

import argparse
from pathlib import Path

from minigan.algorithms import recipe
from minigan.training import RunOptions, Trainer
from minigan.training.sampling import write_samples

parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
parser.add_argument("--steps", type=int, default=2000)
parser.add_argument("--size", default="32")
parser.add_argument("--width", type=int, default=32)
parser.add_argument("--device", default="cpu")
parser.add_argument("--out", type=Path, default=Path("runs/example-kittens"))
arguments = parser.parse_args()

options = recipe("dcgan").options(width=arguments.width)
run = RunOptions(
    data="kittens", size=arguments.size, steps=arguments.steps, device=arguments.device
)
Trainer.start("dcgan", options, run, arguments.out).train()
print(write_samples(arguments.out, arguments.out / "interpolation.png", n=6, interpolate=10))
print(f"look at {arguments.out / 'samples.gif'}")
