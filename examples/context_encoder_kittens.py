"""Context encoder: what a hole in a kitten held, by the squared error alone and with D.

    python examples/context_encoder_kittens.py [--steps 1000] [--hole center|random]

Trains both on the same kittens. Prints, for kittens that neither has seen, the error in the hole
and how sharp what fills it is beside the truth, which is 1: the error alone is blurry.
"""

import argparse
from pathlib import Path

import numpy as np

from minigan.algorithms import recipe
from minigan.algorithms.restoration.context_encoder import HOLES
from minigan.backend import make_rng
from minigan.data import open_degraded
from minigan.training import RunOptions, Trainer

parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
parser.add_argument("--steps", type=int, default=1000)
parser.add_argument("--hole", choices=HOLES, default="center")
parser.add_argument("--width", type=int, default=16)
parser.add_argument("--device", default="cpu")
parser.add_argument("--out", type=Path, default=Path("runs/example-context-encoder"))
arguments = parser.parse_args()

held_out = open_degraded("kittens", "holed", hole=arguments.hole, size=32, split="test")
x, y = held_out.split(held_out.draw(200, make_rng(0)).x)
missing = x[..., -1] > 0


def detail(pictures: np.ndarray) -> float:
    """The mean squared difference of missing pixels and their neighbours on the right."""
    return float(np.square(np.diff(pictures, axis=2))[missing[:, :, 1:]].mean())


made = {}
for name, weight in (("L2 alone", 0.0), ("L2 and D", 0.001)):  # the paper's lambda
    options = recipe("context-encoder").options(
        hole=arguments.hole, width=arguments.width, weight_gan=weight
    )
    run = RunOptions(size="32", batch=32, steps=arguments.steps, device=arguments.device)
    trainer = Trainer.start("context-encoder", options, run, arguments.out / name.replace(" ", "-"))
    trainer.train()
    made[name] = trainer.algorithm.translate(x, make_rng(1))

print(f"holes in {len(y)} kittens that were not seen:")
for name, pictures in made.items():
    error = np.square(pictures - y)[missing].mean()
    print(f"  {name}: squared error {error:.4f}, sharpness {detail(pictures) / detail(y):.2f}")
print(f"look at {arguments.out / 'L2-and-D' / 'samples.gif'}")
