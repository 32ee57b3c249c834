"""StyleGAN on kittens: coarse styles of one picture with the fine ones of another.

    python examples/stylegan_kittens.py [--steps 6000] [--out runs/example-stylegan]

Writes mixing.png: pictures of the first column give the styles of the layers below --layer, those
of the first row the others (Karras et al. 2019, figure 3).
"""

import argparse
from pathlib import Path

from minigan.algorithms import recipe
from minigan.training import RunOptions, Trainer
from minigan.training.latent_tools import StyleGrid
from minigan.training.sampling import write_samples

parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
parser.add_argument("--steps", type=int, default=6000)
parser.add_argument("--size", default="32")
parser.add_argument("--width", type=int, default=8)
parser.add_argument("--batch", type=int, default=16)
parser.add_argument("--layer", type=int, default=3)
parser.add_argument("--device", default="cpu")
parser.add_argument("--out", type=Path, default=Path("runs/example-stylegan"))
arguments = parser.parse_args()

# A short run: larger steps than the papers' long ones, and means over fewer of them.
options = recipe("stylegan").options(width=arguments.width, lr=4e-3, ema=0.995, path_decay=0.05)
run = RunOptions(
    data="kittens",
    size=arguments.size,
    batch=arguments.batch,
    steps=arguments.steps,
    device=arguments.device,
)
Trainer.start("stylegan", options, run, arguments.out).train()
grid = StyleGrid(arguments.layer, columns=6)
print(write_samples(arguments.out, arguments.out / "mixing.png", n=6, tool=grid))
print(f"look at {arguments.out / 'samples.gif'}")
