"""PG2: drawn people in poses that they were not drawn in, roughly first and then refined.

    python examples/pg2_figures.py [--steps 2500] [--stage-steps 2000] [--weight-mask 0]

Prints how far people that training never showed are off the truth after each stage, beside the
person as it was. Each row of posed.png is one of them: the picture, the pose that is asked for,
both stages, and the truth.
"""

import argparse
from pathlib import Path

import numpy as np

from minigan.algorithms import recipe
from minigan.algorithms.translation.pg2 import PG2
from minigan.backend import make_rng
from minigan.data import open_poses
from minigan.training import RunOptions, Trainer
from minigan.training.pictures import write_png
from minigan.training.posing import posed_beside

parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
parser.add_argument("--steps", type=int, default=2500)
parser.add_argument("--stage-steps", type=int, default=2000)
parser.add_argument("--size", type=int, default=32)
parser.add_argument("--width", type=int, default=16)
parser.add_argument("--batch", type=int, default=8)
parser.add_argument("--weight-mask", type=float, default=1.0)
parser.add_argument("--device", default="cpu")
parser.add_argument("--out", type=Path, default=Path("runs/example-pg2"))
arguments = parser.parse_args()

sizes = {"size": str(arguments.size), "batch": arguments.batch, "steps": arguments.steps}
options = recipe("pg2").options(
    width=arguments.width,
    width_D=arguments.width,
    lr=1e-3,  # fifty times the paper's, for a short run that falls to nothing
    schedule="linear",
    stage_steps=arguments.stage_steps,
    weight_mask=arguments.weight_mask,
    weight_gan=0.1,  # a tenth of the paper's: G2 has one block here, and sees little
)
run = RunOptions(data="figures", device=arguments.device, **sizes)
trainer = Trainer.start("pg2", options, run, arguments.out)
trainer.train()
model = trainer.algorithm
assert isinstance(model, PG2)

unseen = open_poses("figures", size=arguments.size, split="test")
x, y = unseen.split(unseen.draw(200, make_rng(0)).x)
made = model.stages(x, make_rng(1))
errors = {f"after stage {name}": pictures for name, pictures in made.items()}
for when, pictures in {"as they were": unseen.unchanged(x), **errors}.items():
    print(f"200 unseen people, {when}: mean error {np.abs(pictures - y).mean():.3f} of 2")
shown = {name: pictures[:8] for name, pictures in made.items()}
sheet = posed_beside(unseen.unchanged(x)[:8], unseen.posed(x)[:8], shown, y[:8])
write_png(sheet, arguments.out / "posed.png")
print(f"look at {arguments.out / 'posed.png'} and {arguments.out / 'samples.gif'}")
