"""UNIT: orange kittens and blue ones have codes in one common space, learned without pairs.

    python examples/unit_kittens.py [--shared-blocks 0] [--steps 1500]

An orange kitten is encoded, and the decoder of blue ones draws what it reads. The last block of
both encoders is one block, and so is the first of both decoders; `--shared-blocks 0` leaves the
domains their own. The pairs are known and hidden: training never sees them, the error printed does.
"""

import argparse
from pathlib import Path

import numpy as np

from minigan.algorithms import recipe
from minigan.algorithms.translation.unit import UNIT
from minigan.backend import make_rng
from minigan.data import open_pairs
from minigan.training import RunOptions, Trainer

parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
parser.add_argument("--steps", type=int, default=1500)
parser.add_argument("--size", type=int, default=32)
parser.add_argument("--width", type=int, default=8)
parser.add_argument("--batch", type=int, default=4)
parser.add_argument("--shared-blocks", type=int, default=1)
parser.add_argument("--device", default="cpu")
parser.add_argument("--out", type=Path, default=Path("runs/example-unit"))
arguments = parser.parse_args()

options = recipe("unit").options(
    width=arguments.width,
    shared_blocks=arguments.shared_blocks,
    blocks=1,
    patch=16,  # of pictures of 32x32
    up="resize",  # no checkerboards
    lr=1e-3,  # ten times the paper's, for a short run that falls to nothing
    schedule="linear",
)
run = RunOptions(
    data="kittens-recolour",
    size=str(arguments.size),
    batch=arguments.batch,
    steps=arguments.steps,
    device=arguments.device,
)
trainer = Trainer.start("unit", options, run, arguments.out)
trainer.train()
model = trainer.algorithm
assert isinstance(model, UNIT)

held_out = open_pairs("kittens-recolour", aligned=True, size=arguments.size, split="test")
x, y = held_out.split(held_out.draw(64, make_rng(0)).x)
made = model.translate(x, make_rng(1))
print(f"64 hidden pairs: mean |y - G(x)| {np.abs(made - y).mean():.3f} of 2")
print(f"without a translation: mean |y - x| {np.abs(x - y).mean():.3f}")
print(f"look at {arguments.out / 'samples.gif'}")
