"""Conditional GAN on handwritten digits: the class that is asked for, and what noise and label do.

    python examples/cgan_digits.py [--steps 1500] [--d-sees projection] [--out runs/example-cgan]

Prints how many of 1,000 samples the shipped classifier puts into the class that was asked for, and
draws the three panels: noise and label, label alone, noise alone. --d-sees chooses another way for
D to see the class.
"""

import argparse
from pathlib import Path

from minigan.algorithms import recipe
from minigan.training import RunOptions, Trainer
from minigan.training.evaluation import evaluate
from minigan.training.sampling import write_samples

parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
parser.add_argument("--steps", type=int, default=1500)
parser.add_argument("--d-sees", default="projection")
parser.add_argument("--width", type=int, default=16)
parser.add_argument("--device", default="cpu")
parser.add_argument("--out", type=Path, default=Path("runs/example-cgan"))
arguments = parser.parse_args()

run = RunOptions(data="digits", steps=arguments.steps, batch=32, device=arguments.device)
options = recipe("cdcgan").options.of(
    d_sees=arguments.d_sees,
    width=arguments.width,
    z_dim=16,
    lr=1e-3,
    schedule="linear",
    ema=0.99,
)
Trainer.start("cdcgan", options, run, arguments.out).train()
for result in evaluate(arguments.out, ["label-accuracy"]):
    print("\n".join(result.lines()))
print(write_samples(arguments.out, arguments.out / "panels.png", panels=True))
print(write_samples(arguments.out, arguments.out / "sevens.png", n=16, class_name="7"))
print(f"look at {arguments.out / 'samples.gif'} and {arguments.out / 'panels.png'}")
