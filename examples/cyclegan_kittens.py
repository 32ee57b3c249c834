"""CycleGAN: orange kittens become blue and blue ones orange, learned without pairs.

    python examples/cyclegan_kittens.py [--algorithm cyclegan|discogan|dualgan] [--cycle none]

The pairs are known and hidden: training never sees them, the pictures and the error do. `--cycle
none` is the adversarial term alone, which need not keep who a kitten is. The error of doing nothing
is printed beside that of G. U-Nets learn this in minutes; `--generator resnet` is the paper's.
docs/cyclegan_kittens.png is from the last sheet of --steps 500.
"""

import argparse
from pathlib import Path

import numpy as np

from minigan.algorithms import recipe
from minigan.algorithms.translation.cyclegan import CYCLES, CycleGAN
from minigan.backend import make_rng
from minigan.data import open_pairs
from minigan.training import RunOptions, Trainer

parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
parser.add_argument("--algorithm", default="cyclegan", choices=["cyclegan", "discogan", "dualgan"])
parser.add_argument("--steps", type=int, default=2000)
parser.add_argument("--size", type=int, default=32)
parser.add_argument("--width", type=int, default=8)
parser.add_argument("--batch", type=int, default=4)
parser.add_argument("--cycle", choices=CYCLES, default="both")
parser.add_argument("--generator", choices=["unet", "resnet"], default="unet")
parser.add_argument("--identity", type=float, default=0.0)
parser.add_argument("--device", default="cpu")
parser.add_argument("--out", type=Path, default=Path("runs/example-cyclegan"))
arguments = parser.parse_args()

options = recipe(arguments.algorithm).options(
    **({"lr": 1e-3} if arguments.algorithm == "cyclegan" else {}),  # five times the paper's
    **{name: getattr(arguments, name) for name in ("width", "generator", "cycle")},
    halvings=3,
    weight_identity=arguments.identity,
    patch=16,  # of pictures of 32x32; the paper's 70 are of 256x256
)
run = RunOptions(
    data="kittens-recolour",
    size=str(arguments.size),
    batch=arguments.batch,
    steps=arguments.steps,
    device=arguments.device,
)
trainer = Trainer.start(arguments.algorithm, options, run, arguments.out)
trainer.train()
model = trainer.algorithm
assert isinstance(model, CycleGAN)

held_out = open_pairs("kittens-recolour", aligned=True, size=arguments.size, split="test")
x, y = held_out.split(held_out.draw(64, make_rng(0)).x)
made = model.translate(x, make_rng(1))
print(f"64 hidden pairs: mean |y - G(x)| {np.abs(made - y).mean():.3f} of 2")
print(f"without a translation: mean |y - x| {np.abs(x - y).mean():.3f}")
print(f"look at {arguments.out / 'samples.gif'}")
