"""The next frame at a corner, where a digit may turn left or right: with a discriminator, without.

    python examples/next_frame_digits.py [--steps 1500] [--size 16] [--out runs/example-next-frame]

Trains G by the mean of squares alone and with a discriminator at each scale beside it. Of 500 turns
of digits that it has not seen, prints which share of predictions decides for one side, and which
shows a ghost at both. Writes corners.png: the last frames, both predictions, and both futures.
"""

import argparse
from pathlib import Path
from typing import Any

from minigan.algorithms import recipe
from minigan.algorithms.sequence.next_frame import NextFrame
from minigan.backend import make_rng
from minigan.data import open_clips
from minigan.data.moving_digits import MovingDigits
from minigan.metrics.corners import decided, strengths
from minigan.training import RunOptions, Trainer
from minigan.training.pictures import write_png
from minigan.training.translating import predicted_beside

parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
parser.add_argument("--steps", type=int, default=1500)
parser.add_argument("--size", type=int, default=16)
parser.add_argument("--width", type=int, default=8)
parser.add_argument("--device", default="cpu")
parser.add_argument("--out", type=Path, default=Path("runs/example-next-frame"))
arguments = parser.parse_args()

sizes: dict[str, Any] = {"size": str(arguments.size), "batch": 16, "steps": arguments.steps}
run = RunOptions(data="moving-digits", device=arguments.device, **sizes)
held_out = open_clips("moving-digits", size=arguments.size, split="test")
assert isinstance(held_out, MovingDigits)
at = held_out.corners(500, make_rng(0))
predictions = {}
for name, weight in {"squares alone": 0.0, "with D": 0.05}.items():
    options = recipe("next-frame").options(
        width=arguments.width,
        width_D=4 * arguments.width,
        weight_adv=weight,
        weight_gdl=0.0,
        optimizer="adam",
        beta1=0.5,
        lr=2e-3,
        schedule="linear",
    )
    trainer = Trainer.start("next-frame", options, run, arguments.out / name.replace(" ", "-"))
    trainer.train()
    assert isinstance(trainer.algorithm, NextFrame)
    made = trainer.algorithm.predict(at.x, 1, make_rng(1))[:, 0]
    found = decided(strengths(made, *at[1:]))
    print(f"{name:14} decided {found.decided:.2f}, split {found.split:.2f}, lost {found.lost:.2f}")
    predictions[name] = made[:8]
columns = predictions | {"left": at.left[:8], "right": at.right[:8]}
write_png(predicted_beside(at.x[:8], columns), arguments.out / "corners.png")
print(f"look at {arguments.out / 'corners.png'}")
