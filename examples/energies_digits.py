"""EBGAN, BEGAN and GoGAN on handwritten digits: other quantities than a probability.

    python examples/energies_digits.py [--algorithm ebgan] [--steps 1500]

D of EBGAN and BEGAN is an auto-encoder, its energy the error of reconstruction; GoGAN's critics are
ranked by a margin, a stage after another. Half a minute on one core for either of the first two,
some minutes for GoGAN. Prints what the players saw at the end.
"""

import argparse
import json
from pathlib import Path
from typing import Any

from minigan.algorithms import recipe
from minigan.training import RunOptions, Trainer

# Pictures' side, and what differs from the papers: they train for longer.
SETTINGS: dict[str, tuple[int, dict[str, Any]]] = {
    "ebgan": (16, {"network": "conv", "lr": 5e-4}),
    "began": (16, {"network": "conv", "gamma": 0.9, "rate": 0.05, "lr": 5e-4}),
    "gogan-dcgan": (28, {"lr": 5e-4}),
}

parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
parser.add_argument("--algorithm", choices=SETTINGS, default="ebgan")
parser.add_argument("--steps", type=int, default=1500)
parser.add_argument("--width", type=int, default=16)
parser.add_argument("--device", default="cpu")
parser.add_argument("--out", type=Path, default=Path("runs/example-energies"))
arguments = parser.parse_args()

size, own = SETTINGS[arguments.algorithm]
options = recipe(arguments.algorithm).options.of(width=arguments.width, **own)
run = RunOptions(data="digits", size=str(size), steps=arguments.steps, device=arguments.device)
Trainer.start(arguments.algorithm, options, run, arguments.out).train()
last = json.loads((arguments.out / "log.jsonl").read_text().splitlines()[-1])
for name, value in last.items():
    if name.startswith(("energy", "score", "convergence", "diversity")):
        print(f"{name}: {value:.3f}")
print(f"look at {arguments.out / 'samples.gif'}")
