"""Kittens that are asked for by their parts: a blue body, glasses.

    python examples/cgan_kittens.py [--steps 2000] [--out runs/example-cgan-kittens]

All five labels of kittens are the condition, of which D, a projection, sees 65 classes. Draws
kittens of two wishes, the rest of each as it comes, and prints how often each part is the one that
was asked for, in the eyes of the shipped classifier.
"""

import argparse
from pathlib import Path

from minigan.algorithms import recipe
from minigan.training import RunOptions, Trainer
from minigan.training.evaluation import evaluate
from minigan.training.sampling import write_samples

WISHES = {"blue": ["body=blue", "eyes=glasses"], "lime": ["body=lime", "accessory=black hat"]}

parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
parser.add_argument("--steps", type=int, default=2000)
parser.add_argument("--size", default="32")
parser.add_argument("--width", type=int, default=16)
parser.add_argument("--device", default="cpu")
parser.add_argument("--out", type=Path, default=Path("runs/example-cgan-kittens"))
arguments = parser.parse_args()

run = RunOptions(
    data="kittens", steps=arguments.steps, batch=32, size=arguments.size, device=arguments.device
)
options = recipe("cdcgan").options.of(
    d_sees="projection", width=arguments.width, z_dim=16, lr=1e-3, schedule="linear", ema=0.99
)
Trainer.start("cdcgan", options, run, arguments.out).train()
for name, wish in WISHES.items():
    print(write_samples(arguments.out, arguments.out / f"{name}.png", n=16, attributes=wish))
for result in evaluate(arguments.out, ["label-accuracy"]):
    print("\n".join(result.lines()))
print(f"look at {arguments.out / 'samples.gif'} and {arguments.out / 'blue.png'}")
