"""GAN-CLS: kittens of what a caption says, and how much of it a classifier finds in them.

    python examples/text_to_kitten.py [--steps 4000] [--out runs/example-text]

Writes asked.png, a row for each text; samples/captions.txt names the rows of samples.gif.
About four minutes on one core: colours, glasses and what is worn follow the words, mouths do not.
"""

import argparse
from pathlib import Path

from minigan.algorithms import recipe
from minigan.training import RunOptions, Trainer
from minigan.training.evaluation import evaluate
from minigan.training.sampling import write_samples

TEXTS = [
    "a blue kitten with glasses",
    "a black cat wearing a red hat",
    "an orange kitten with tiger stripes",
    "a pink kitty wearing a blue scarf",
    "a yellow cat with a barrel",
    "a kitten wearing red headphones",
]

parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
parser.add_argument("--steps", type=int, default=4000)
parser.add_argument("--size", default="32")
parser.add_argument("--width", type=int, default=16)
parser.add_argument("--samples", type=int, default=1000, help="for the accuracy")
parser.add_argument("--device", default="cpu")
parser.add_argument("--out", type=Path, default=Path("runs/example-text"))
arguments = parser.parse_args()

options = recipe("gan-cls").options(
    width=arguments.width, d_sees="projection", z_dim=16, lr=1e-3, schedule="linear", ema=0.99
)
run = RunOptions(size=arguments.size, steps=arguments.steps, batch=32, device=arguments.device)
Trainer.start("gan-cls", options, run, arguments.out).train()
print(write_samples(arguments.out, arguments.out / "asked.png", texts=TEXTS))
for result in evaluate(arguments.out, ["caption-accuracy"], n=arguments.samples):
    print("\n".join(result.lines()))
print(f"look at {arguments.out / 'asked.png'}")
