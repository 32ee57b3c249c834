"""DCGAN on a folder of your own pictures.

    python examples/dcgan_folder.py DIR [--size 32] [--steps 2000] [--out runs/example-folder]

Pictures of any size and kind are cropped to the middle and resized. Take a few hundred at least;
thousands are better.
"""

import argparse
from pathlib import Path

from minigan.algorithms import recipe
from minigan.training import RunOptions, Trainer

parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
parser.add_argument("folder", help="folder of pictures, or of folders of pictures")
parser.add_argument("--size", default="32", help="N or HxW")
parser.add_argument("--width", type=int, default=32)
parser.add_argument("--batch", type=int, default=64)
parser.add_argument("--steps", type=int, default=2000)
parser.add_argument("--device", default="cpu")
parser.add_argument("--out", type=Path, default=Path("runs/example-folder"))
arguments = parser.parse_args()

options = recipe("dcgan").options(width=arguments.width)
run = RunOptions(
    data=arguments.folder,
    size=arguments.size,
    batch=arguments.batch,
    steps=arguments.steps,
    device=arguments.device,
)
Trainer.start("dcgan", options, run, arguments.out).train()
print(f"look at {arguments.out / 'samples.gif'}")
