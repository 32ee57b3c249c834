"""pix2pixHD: kittens in colour from their lines, from coarse to fine.

    python examples/pix2pixhd_kittens.py [--generator global] [--joint] [--scales 2]

G1 is trained on pictures of half the size, then G2 on whole ones with G1's features given, then
both; discriminators of two scales look on, and no L1 term: their features have to agree instead.
Prints how far kittens that it has not seen are off, and says where the pictures are.
docs/pix2pixhd_kittens.png is from the last sheet of the defaults.
"""

import argparse
from pathlib import Path

import numpy as np

from minigan.algorithms import recipe
from minigan.algorithms.translation.pix2pixhd import ENHANCED, Pix2PixHD
from minigan.backend import make_rng
from minigan.data import open_pairs
from minigan.training import RunOptions, Trainer

parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
parser.add_argument("--steps", type=int, default=500)
parser.add_argument("--size", type=int, default=32)
parser.add_argument("--width", type=int, default=16)
parser.add_argument("--batch", type=int, default=4)
parser.add_argument("--generator", choices=ENHANCED, default="coarse-to-fine")
parser.add_argument("--joint", action="store_true")
parser.add_argument("--scales", type=int, default=2)
parser.add_argument("--device", default="cpu")
parser.add_argument("--out", type=Path, default=Path("runs/example-pix2pixhd"))
arguments = parser.parse_args()

options = recipe("pix2pixhd").options(
    **{name: getattr(arguments, name) for name in ("width", "generator", "joint", "scales")},
    stage_steps=arguments.steps // 5,
    blocks=3,  # of the paper's 9, for its pictures of 1024x512
    local_blocks=2,
    patch=16,
    up="resize",  # no checkerboards
    lr=1e-3,  # five times the paper's, for a short run
)
run = RunOptions(
    data="kittens-edges",
    size=str(arguments.size),
    batch=arguments.batch,
    steps=arguments.steps,
    device=arguments.device,
)
trainer = Trainer.start("pix2pixhd", options, run, arguments.out)
trainer.train()
model = trainer.algorithm
assert isinstance(model, Pix2PixHD)

held_out = open_pairs("kittens-edges", aligned=True, size=arguments.size, split="test")
x, y = held_out.split(held_out.draw(64, make_rng(0)).x)
error = np.abs(model.translate(x, make_rng(1)) - y).mean()
print(f"64 kittens it has not seen: mean |y - G(x)| {error:.3f} of 2")
print(f"look at {arguments.out / 'samples.gif'}")
