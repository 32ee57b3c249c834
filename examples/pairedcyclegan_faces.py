"""PairedCycleGAN: another face's makeup onto a bare one, and off again, learned without pairs.

    python examples/pairedcyclegan_faces.py [--without S] [--data kittens-fur]

Faces are drawn, so that each one's truth in any makeup is known; training never sees it.
`--without` leaves out a term of the loss: G, F, I, S or P. Prints how far faces and makeup that it
has not seen are off the truth where makeup is, beside doing nothing.
"""

import argparse
from pathlib import Path

import numpy as np

from minigan.algorithms import recipe
from minigan.algorithms.translation.pairedcyclegan import Lambdas, PairedCycleGAN, beside
from minigan.backend import make_rng
from minigan.data import REFERENCES, open_references
from minigan.training import RunOptions, Trainer

parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
parser.add_argument("--steps", type=int, default=1500)
parser.add_argument("--size", type=int, default=32)
parser.add_argument("--width", type=int, default=16)
parser.add_argument("--batch", type=int, default=4)
parser.add_argument("--data", choices=REFERENCES, default="faces-makeup")
parser.add_argument("--without", choices=Lambdas._fields)
parser.add_argument("--device", default="cpu")
parser.add_argument("--out", type=Path, default=Path("runs/example-pairedcyclegan"))
arguments = parser.parse_args()

options = recipe("pairedcyclegan").options(
    width=arguments.width,
    patch=16,  # of pictures of 32x32
    lr=1e-3,
    schedule="linear",
    **({f"lambda_{arguments.without}": 0.0} if arguments.without else {}),
)
run = RunOptions(
    data=arguments.data,
    size=str(arguments.size),
    batch=arguments.batch,
    steps=arguments.steps,
    device=arguments.device,
)
trainer = Trainer.start("pairedcyclegan", options, run, arguments.out)
trainer.train()
model = trainer.algorithm
assert isinstance(model, PairedCycleGAN)

known = open_references(arguments.data, size=arguments.size, split="test").known(64, make_rng(0))
made = {"put on": model.translate(beside(known.x, known.y), make_rng(1))}
made["taken off"] = model.translate(known.y, make_rng(1), name="F")
truths = {"put on": (known.x, known.applied), "taken off": (known.y, known.removed)}
for what, (before, after) in truths.items():
    there = np.abs(after - before).max(-1) > 0.1
    errors = [np.abs(a - after).mean(-1)[there].mean() for a in (made[what], before)]
    print(f"64 unseen, {what}: mean error {errors[0]:.3f} of 2 there, {errors[1]:.3f} before")
print(f"look at {arguments.out / 'samples.gif'}")
