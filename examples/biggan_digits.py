"""BigGAN on handwritten digits of 16x16: a row of each digit, and what truncating z does.

    python examples/biggan_digits.py [--steps 1000] [--size 16] [--out runs/example-biggan]

Writes classes.png, eight of each digit, and truncation.png: in each row one digit from z that are
cut off further and further out (Brock et al. 2019, figure 2).
"""

import argparse
from pathlib import Path

import numpy as np

from minigan.algorithms import recipe
from minigan.algorithms.conditional.base import Conditional
from minigan.backend import make_rng
from minigan.training import RunOptions, Trainer
from minigan.training.latent_tools import Truncation
from minigan.training.pictures import grid, write_png
from minigan.training.sampling import write_samples

COLUMNS = 8

parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
parser.add_argument("--steps", type=int, default=1000)
parser.add_argument("--size", default="16")
parser.add_argument("--width", type=int, default=8)
parser.add_argument("--batch", type=int, default=32)
parser.add_argument("--device", default="cpu")
parser.add_argument("--out", type=Path, default=Path("runs/example-biggan"))
arguments = parser.parse_args()

options = recipe("biggan").options(width=arguments.width)
run = RunOptions(
    data="digits",
    size=arguments.size,
    batch=arguments.batch,
    steps=arguments.steps,
    device=arguments.device,
)
trainer = Trainer.start("biggan", options, run, arguments.out)
trainer.train()
biggan = trainer.algorithm
assert isinstance(biggan, Conditional)
digits = np.repeat(np.arange(10), COLUMNS)[:, None]
x = biggan.generate(biggan.prior.draw(len(digits), make_rng(0)), digits)
write_png(grid(x, columns=COLUMNS), arguments.out / "classes.png")
cut = Truncation((0.25, 0.5, 1.0, 2.0))
print(write_samples(arguments.out, arguments.out / "truncation.png", n=10, tool=cut))
print(f"look at {arguments.out / 'classes.png'}")
