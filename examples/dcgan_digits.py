"""DCGAN on handwritten digits, judged by a classifier that minigan trains too.

    python examples/dcgan_digits.py [--steps 1000] [--out runs/example-dcgan-digits]

Prints the classifier's accuracy on held-out digits and how many of 1,000 generated ones it takes
for each class. About two minutes on two cores.
"""

import argparse
from pathlib import Path

import numpy as np

from minigan.algorithms import GAN, recipe
from minigan.backend import make_rng
from minigan.data import open_data
from minigan.metrics import train_classifier
from minigan.training import RunOptions, Trainer


def train(steps: int, device: str, out: Path) -> GAN:
    """A run as `minigan train dcgan --data digits --width 16` makes it."""
    options = recipe("dcgan").options(width=16)
    run = RunOptions(data="digits", steps=steps, device=device)
    trainer = Trainer.start("dcgan", options, run, out)
    trainer.train()
    assert isinstance(trainer.algorithm, GAN)
    return trainer.algorithm


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--steps", type=int, default=1000)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--out", type=Path, default=Path("runs/example-dcgan-digits"))
    arguments = parser.parse_args()

    gan = train(arguments.steps, arguments.device, arguments.out)
    classifier = train_classifier(open_data("digits"), "digit")
    held_out = open_data("digits", split="test")
    x, labels = held_out.take(np.arange(held_out.size))
    print(f"classifier: {classifier.accuracy(x, labels)['digit']:.2%} of {len(x)} held-out digits")
    counts = classifier.counts(gan.sample(1000, make_rng(0)), "digit")
    print("1,000 samples:", "  ".join(f"{digit}: {n}" for digit, n in counts.items()))


if __name__ == "__main__":
    main()
