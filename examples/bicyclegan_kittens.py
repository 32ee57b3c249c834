"""BicycleGAN: many colourings of the same lines, one for each z.

    python examples/bicyclegan_kittens.py [--method bicycle|cvae-gan|clr-gan|noise] [--steps 1500]

The methods are the paper's: both of its games, one of them, or pix2pix with a z that it learns to
pass over. Prints how far two answers to the same lines are apart, and how far two true kittens are.
Each row of the last sheet is a picture of lines, its kitten, and six answers.
"""

import argparse
from pathlib import Path

import numpy as np

from minigan.algorithms import recipe
from minigan.algorithms.translation.bicyclegan import METHODS, BicycleGAN
from minigan.backend import make_rng
from minigan.data import open_pairs
from minigan.training import RunOptions, Trainer

parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
parser.add_argument("--steps", type=int, default=1500)
parser.add_argument("--size", type=int, default=32)
parser.add_argument("--width", type=int, default=16)
parser.add_argument("--batch", type=int, default=8)
parser.add_argument("--method", choices=METHODS, default="bicycle")
parser.add_argument("--device", default="cpu")
parser.add_argument("--out", type=Path, default=Path("runs/example-bicyclegan"))
arguments = parser.parse_args()

options = recipe("bicyclegan").options(
    width=arguments.width,
    method=arguments.method,
    lr=1e-3,  # five times the paper's, for a short run that falls to nothing
    schedule="linear",
)
run = RunOptions(
    data="kittens-edges",
    size=str(arguments.size),
    batch=arguments.batch,
    steps=arguments.steps,
    device=arguments.device,
)
trainer = Trainer.start("bicyclegan", options, run, arguments.out)
trainer.train()
model = trainer.algorithm
assert isinstance(model, BicycleGAN)

held_out = open_pairs("kittens-edges", aligned=True, size=arguments.size, split="test")
x, y = held_out.split(held_out.draw(32, make_rng(0)).x)
one, other = (model.translate(x, make_rng(seed)) for seed in (1, 2))
print(f"two answers to the same lines: mean |G(x, z) - G(x, z')| {np.abs(one - other).mean():.3f}")
print(f"two true kittens: mean |y - y'| {np.abs(y - np.roll(y, 1, 0)).mean():.3f}")
print(f"look at {arguments.out / 'samples.gif'}")
