"""A hundred labels: what a classifier gains from unlabelled digits and from a generator's.

    python examples/semi_supervised_digits.py [--labels 100] [--steps 2000] [--seeds 1]

Trains the same network on the same labelled digits, alone and as the discriminator of a
semi-supervised GAN, and prints the accuracy of both on digits held out.
"""

import argparse
from pathlib import Path

import numpy as np

from minigan.algorithms import recipe
from minigan.algorithms.codes.semi import SemiSupervisedGAN
from minigan.data import open_data
from minigan.training import RunOptions, Trainer

parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
parser.add_argument("--labels", type=int, default=100)
parser.add_argument("--steps", type=int, default=2000)
parser.add_argument("--baseline-steps", type=int, default=500)
parser.add_argument("--seeds", type=int, default=1)
parser.add_argument("--device", default="cpu")
parser.add_argument("--out", type=Path, default=Path("runs/example-semi-supervised"))
arguments = parser.parse_args()

held_out = open_data("digits", split="test")
test = held_out.take(np.arange(held_out.size))
for seed in range(arguments.seeds):
    for name, alone in (("supervised only", True), ("semi-supervised", False)):
        steps = min(arguments.steps, arguments.baseline_steps) if alone else arguments.steps
        options = recipe("semi-supervised").options(labels=arguments.labels, supervised_only=alone)
        run = RunOptions(data="digits", steps=steps, seed=seed, device=arguments.device)
        folder = arguments.out / f"{name.replace(' ', '-')}-{seed}"
        trainer = Trainer.start("semi-supervised", options, run, folder)
        trainer.train()
        model = trainer.algorithm
        assert isinstance(model, SemiSupervisedGAN)
        right = np.concatenate([model.classify(x) for x in np.array_split(test.x, 4)])
        accuracy = (right == test.labels[:, 0]).mean()
        print(f"seed {seed}, {arguments.labels} labels, {name}: {accuracy:.2%} of {len(right)}")
print(f"look at {arguments.out}")
