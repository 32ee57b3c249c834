"""StackGAN on captioned kittens: small pictures first, then pictures of twice their size.

    python examples/stackgan_kittens.py [--stage-steps 2000] [--stages 2] [--out DIR]

With --jointly all stages train from the start. Writes asked.png, a row for each text. About five
minutes on one core.
"""

import argparse
from pathlib import Path

from minigan.algorithms import recipe
from minigan.training import RunOptions, Trainer
from minigan.training.evaluation import evaluate
from minigan.training.sampling import write_samples

TEXTS = ["a blue kitten with glasses", "a black cat wearing a red hat", "a pink kitty with a bell"]

parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
parser.add_argument("--stages", type=int, default=2)
parser.add_argument("--stage-steps", type=int, default=2000)
parser.add_argument("--jointly", action="store_true")
parser.add_argument("--size", default="32")
parser.add_argument("--width", type=int, default=12)
parser.add_argument("--samples", type=int, default=1000, help="for the accuracy")
parser.add_argument("--device", default="cpu")
parser.add_argument("--out", type=Path, default=Path("runs/example-stackgan"))
arguments = parser.parse_args()

options = recipe("stackgan").options(
    width=arguments.width,
    d_sees="projection",
    z_dim=16,
    lr=1e-3,
    schedule="linear",
    ema=0.99,
    kl_weight=0.01,  # of short captions much must get through
    stages=arguments.stages,
    stage_steps=arguments.stage_steps,
    training="jointly" if arguments.jointly else "staged",
)
steps = arguments.stage_steps * arguments.stages
run = RunOptions(size=arguments.size, steps=steps, batch=32, device=arguments.device)
Trainer.start("stackgan", options, run, arguments.out).train()
print(write_samples(arguments.out, arguments.out / "asked.png", texts=TEXTS))
for result in evaluate(arguments.out, ["caption-accuracy"], n=arguments.samples):
    print("\n".join(result.lines()))
print(f"look at {arguments.out / 'asked.png'}")
