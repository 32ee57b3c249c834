"""Age-cGAN: faces at six ages, and how much of the person each way to find z keeps.

    python examples/age_cgan_faces.py [--steps 3500] [--n 100]

A conditional GAN learns faces of six ages, an encoder to find z of a face. Faces that training did
not show are then made older and younger: by the encoder's z, by the z that gives the nearest
picture, and by the z in which a network for faces finds the same person. Of drawn faces it is known
what everybody looks like at every age. Prints how often each way gives the age and the person.
"""

import argparse
from pathlib import Path

from minigan.algorithms import recipe
from minigan.training import RunOptions, Trainer
from minigan.training.evaluation import evaluate

parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
parser.add_argument("--steps", type=int, default=3500)
parser.add_argument("--size", type=int, default=32)
parser.add_argument("--width", type=int, default=24)
parser.add_argument("--batch", type=int, default=64)
parser.add_argument("--n", type=int, default=100, help="faces that are looked at")
parser.add_argument("--device", default="cpu")
parser.add_argument("--out", type=Path, default=Path("runs/example-age-cgan"))
arguments = parser.parse_args()

options = recipe("age-cgan").options(
    width=arguments.width,
    encoder_steps=arguments.steps * 2 // 7,
    lr=4e-4,  # the paper's 2e-4 is for long trainings
    ema=0.99,
)
run = RunOptions(
    data="faces-ages",
    size=str(arguments.size),
    batch=arguments.batch,
    steps=arguments.steps,
    device=arguments.device,
)
Trainer.start("age-cgan", options, run, arguments.out).train()

for result in evaluate(arguments.out, ["persons", "l1"], n=arguments.n):
    print(result.metric)
    for name, value in result.values.items():
        print(f"  {name}: {value:.3f}")
print(f"look at {arguments.out / 'samples.gif'}")
