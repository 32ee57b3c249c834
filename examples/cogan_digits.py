"""Coupled GANs on digits and their negatives: pairs, though no pair was ever seen.

    python examples/cogan_digits.py [--data digits-negative] [--steps 1500] [--width 16]

Domain B holds other digits than A. Prints how many pairs show the same digit on either side, by the
classifier that ships with minigan; with --data digits-edges the pictures alone tell.
"""

import argparse
from pathlib import Path

from minigan.algorithms import recipe
from minigan.algorithms.codes.cogan import CoGAN
from minigan.backend import make_rng
from minigan.metrics.shipped import shipped_classifier
from minigan.training import RunOptions, Trainer

parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
parser.add_argument("--data", default="digits-negative")
parser.add_argument("--steps", type=int, default=1500)
parser.add_argument("--width", type=int, default=16)
parser.add_argument("--device", default="cpu")
parser.add_argument("--out", type=Path, default=Path("runs/example-cogan"))
arguments = parser.parse_args()

options = recipe("cogan").options(width=arguments.width)
run = RunOptions(data=arguments.data, steps=arguments.steps, device=arguments.device)
trainer = Trainer.start("cogan", options, run, arguments.out)
trainer.train()
model = trainer.algorithm
assert isinstance(model, CoGAN)

if arguments.data == "digits-negative":
    first, second = model.split(model.sample(1000, make_rng(0)))
    classify = shipped_classifier("digits").predict
    same = (classify(first) == classify(-second)).mean()
    print(f"1,000 pairs: {same:.1%} show the same digit on both sides (10% by chance)")
print(f"look at {arguments.out / 'samples.gif'}")
