"""MUNIT: many colourings of the same lines, learned without pairs, drawn or as a kitten has them.

    python examples/munit_kittens.py [--weight-cycle 10] [--steps 1500]

No lines are ever shown with their kitten. Prints how far two answers to the same lines are apart,
and how far two true kittens are. Each row of the last sheet is a picture of lines, its kitten and
six answers; in styles.png the kittens above lend their styles to the lines on the left.
"""

import argparse
from pathlib import Path

import numpy as np

from minigan.algorithms import recipe
from minigan.algorithms.translation.munit import MUNIT
from minigan.backend import make_rng, to_device, to_host
from minigan.data import open_pairs
from minigan.training import RunOptions, Trainer
from minigan.training.pictures import grid, write_png

parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
parser.add_argument("--steps", type=int, default=1500)
parser.add_argument("--size", type=int, default=32)
parser.add_argument("--width", type=int, default=8)
parser.add_argument("--batch", type=int, default=4)
parser.add_argument("--weight-cycle", type=float, default=0.0)
parser.add_argument("--device", default="cpu")
parser.add_argument("--out", type=Path, default=Path("runs/example-munit"))
arguments = parser.parse_args()

options = recipe("munit").options(
    **{"width": arguments.width, "weight_cycle": arguments.weight_cycle},
    **{"halvings": 1, "blocks": 2, "mlp_width": 64, "scales": 2, "patch": 16},  # of 32x32
    **{"lr": 1e-3, "schedule": "linear"},  # ten times the paper's rate, which falls to nothing
)
run = RunOptions(
    data="kittens-edges",
    device=arguments.device,
    **{"size": str(arguments.size), "batch": arguments.batch, "steps": arguments.steps},
)
trainer = Trainer.start("munit", options, run, arguments.out)
trainer.train()
model = trainer.algorithm
assert isinstance(model, MUNIT)

held_out = open_pairs("kittens-edges", aligned=True, size=arguments.size, split="test")
x, y = held_out.split(held_out.draw(32, make_rng(0)).x)
one, other = (model.translate(x, make_rng(seed)) for seed in (1, 2))
print(f"two answers to the same lines: mean |G(x, s) - G(x, s')| {np.abs(one - other).mean():.3f}")
print(f"two true kittens: mean |y - y'| {np.abs(y - np.roll(y, 1, 0)).mean():.3f}")

styles = to_host(model.AE.style["Y"].forward(to_device(y[:6], model.device))[0])
rows = [np.ones_like(y[:1]), y[:6]]
for line in x[10:16]:
    answers = model.translate(np.stack([line] * 6), make_rng(0), z=styles)
    rows += [np.repeat(line[None], 3, -1), answers]
write_png(grid(np.concatenate(rows), columns=7), arguments.out / "styles.png")
print(f"look at {arguments.out / 'samples.gif'} and {arguments.out / 'styles.png'}")
