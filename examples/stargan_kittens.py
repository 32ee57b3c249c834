"""StarGAN: one generator paints every kitten in any of fifteen colours.

    python examples/stargan_kittens.py [--label fur] [--lambda-rec 0] [--steps 2500]

A kitten is a combination of parts, so it is known what each shall become; training never sees it.
Prints how far kittens that training did not show are off that truth, how many translations a
classifier takes for what was asked, and how many of their other parts it still finds.
"""

import argparse
from pathlib import Path

from minigan.algorithms import recipe
from minigan.data.kittens import NAMES
from minigan.training import RunOptions, Trainer
from minigan.training.evaluation import evaluate

parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
parser.add_argument("--steps", type=int, default=2500)
parser.add_argument("--size", type=int, default=32)
parser.add_argument("--width", type=int, default=16)
parser.add_argument("--batch", type=int, default=8)
parser.add_argument("--label", choices=NAMES, default="body")
parser.add_argument("--lambda-rec", type=float, default=10.0)
parser.add_argument("--device", default="cpu")
parser.add_argument("--out", type=Path, default=Path("runs/example-stargan"))
arguments = parser.parse_args()

options = recipe("stargan").options(
    label=arguments.label,
    width=arguments.width,
    lambda_rec=arguments.lambda_rec,
    blocks=2,
    up="resize",  # no checkerboards
    k=2,  # the paper's 5 and 1e-4 are for long trainings
    lr=5e-4,
)
run = RunOptions(
    data="kittens",
    size=str(arguments.size),
    batch=arguments.batch,
    steps=arguments.steps,
    device=arguments.device,
)
Trainer.start("stargan", options, run, arguments.out).train()

for result in evaluate(arguments.out, ["l1", "psnr", "label-accuracy", "kept-labels", "cycle"]):
    print(f"{result.metric}: " + ", ".join(f"{k} {v:.3f}" for k, v in result.values.items()))
print(f"look at {arguments.out / 'samples.gif'}")
