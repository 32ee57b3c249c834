"""pix2pix: kittens in colour from their lines, learned from pairs.

    python examples/pix2pix_kittens.py [--judge pair|picture|none] [--weight-l1 100]

The ablations of the paper: `--judge none` leaves the L1 term alone, which is blurry; `--weight-l1
0` the adversarial term alone; `--judge picture` a D that is not shown the lines. Prints how far
kittens that it has not seen are off, and says where the pictures are: lines, outputs and truths.

docs/pix2pix_kittens.png is from the last sheet of --steps 500.
"""

import argparse
from pathlib import Path

import numpy as np

from minigan.algorithms import recipe
from minigan.algorithms.translation.pix2pix import JUDGED, Pix2Pix
from minigan.backend import make_rng
from minigan.data import open_pairs
from minigan.training import RunOptions, Trainer

parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
parser.add_argument("--steps", type=int, default=1000)
parser.add_argument("--size", type=int, default=32)
parser.add_argument("--width", type=int, default=16)
parser.add_argument("--batch", type=int, default=8)
parser.add_argument("--judge", choices=JUDGED, default="pair")
parser.add_argument("--weight-l1", type=float, default=100.0)
parser.add_argument("--device", default="cpu")
parser.add_argument("--out", type=Path, default=Path("runs/example-pix2pix"))
arguments = parser.parse_args()

options = recipe("pix2pix").options(
    width=arguments.width,
    judge=arguments.judge,
    weight_l1=arguments.weight_l1,
    patch=16,  # of pictures of 32x32; the paper's 70 are of 256x256
    norm="instance",  # of each picture alone, as it will be translated
    lr=1e-3,  # five times the paper's, for a short run
)
run = RunOptions(
    data="kittens-edges",
    size=str(arguments.size),
    batch=arguments.batch,
    steps=arguments.steps,
    device=arguments.device,
)
trainer = Trainer.start("pix2pix", options, run, arguments.out)
trainer.train()
model = trainer.algorithm
assert isinstance(model, Pix2Pix)

held_out = open_pairs("kittens-edges", aligned=True, size=arguments.size, split="test")
x, y = held_out.split(held_out.draw(64, make_rng(0)).x)
error = np.abs(model.translate(x, make_rng(1)) - y).mean()
print(f"64 kittens it has not seen: mean |y - G(x)| {error:.3f} of 2")
print(f"look at {arguments.out / 'samples.gif'}")
