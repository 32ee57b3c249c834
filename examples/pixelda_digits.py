"""PixelDA: a classifier of digits over patterns that has seen labels of plain digits alone.

    python examples/pixelda_digits.py [--steps 1000] [--seed 0]

Trains the same classifier on plain digits and, as a part of PixelDA, on these and on what G makes
of them, and prints how many held-out pictures of the target both name right. Rows of the last sheet
are a plain digit, what G makes of it, and true pictures of the target.
"""

import argparse
from pathlib import Path

from minigan.algorithms import recipe
from minigan.training import RunOptions, Trainer
from minigan.training.evaluation import evaluate

parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
parser.add_argument("--steps", type=int, default=1000)
parser.add_argument("--width", type=int, default=16)
parser.add_argument("--blocks", type=int, default=2)
parser.add_argument("--batch", type=int, default=16)
parser.add_argument("--seed", type=int, default=0)
parser.add_argument("--device", default="cpu")
parser.add_argument("--out", type=Path, default=Path("runs/example-pixelda"))
arguments = parser.parse_args()

small = {"width": arguments.width, "blocks": arguments.blocks}
for method, own in {"source-only": {}, "pixelda": small}.items():
    run = RunOptions(
        data="digits-m",
        batch=arguments.batch,
        steps=arguments.steps,
        sample_every=max(1, arguments.steps // 5),
        seed=arguments.seed,
        device=arguments.device,
    )
    options = recipe("pixelda").options(method=method, **own)
    trainer = Trainer.start("pixelda", options, run, arguments.out / method)
    trainer.train()
    (found,) = evaluate(trainer.folder, ["target-accuracy"], device=arguments.device)
    shares = ", ".join(f"{value:.1%} of the {name}" for name, value in found.values.items())
    print(f"{method}, seed {arguments.seed}: T names right {shares}")
print(f"look at {arguments.out / 'pixelda' / 'samples.gif'}")
