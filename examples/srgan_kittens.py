"""SRGAN: kittens of 8x8 pixels made four times larger, by the mean squared error and by SRGAN.

    python examples/srgan_kittens.py [--steps 1500] [--scale 2|4]

SRResNet takes all steps alone, SRGAN five sixths of them, and plays against D from then on. Prints
for kittens that neither has seen the decibels of the error, and sharpness, of which 1 is right.
"""

import argparse
from pathlib import Path

import numpy as np
from PIL import Image

from minigan.algorithms import recipe
from minigan.backend import make_rng
from minigan.data import open_degraded
from minigan.data.pictures import to_float
from minigan.metrics.similarity import gradient_energy, psnr
from minigan.training import RunOptions, Trainer
from minigan.training.pictures import to_image

parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
parser.add_argument("--steps", type=int, default=1500)
parser.add_argument("--scale", type=int, choices=[2, 4], default=4)
parser.add_argument("--width", type=int, default=16)
parser.add_argument("--device", default="cpu")
parser.add_argument("--out", type=Path, default=Path("runs/example-srgan"))
arguments = parser.parse_args()

held_out = open_degraded("kittens", "shrunk", scale=arguments.scale, size=32, split="test")
x, y = held_out.split(held_out.draw(200, make_rng(0)).x)


def bicubic(picture: np.ndarray) -> np.ndarray:
    """The small picture that x shows, enlarged by Pillow."""
    small = to_image(picture[:: arguments.scale, :: arguments.scale])
    return to_float(np.asarray(small.resize((32, 32), Image.Resampling.BICUBIC)))


made = {"repeated": x, "bicubic": np.stack([bicubic(picture) for picture in x])}
for name, alone in (("SRResNet", arguments.steps), ("SRGAN", arguments.steps * 5 // 6)):
    options = recipe("srgan").options(
        scale=arguments.scale,
        width=arguments.width,
        blocks=4,  # the paper's 16 are for photographs
        pretrain=alone,
        lr=1e-3,  # ten times the paper's, for a short run
    )
    run = RunOptions(size="32", batch=16, steps=arguments.steps, device=arguments.device)
    trainer = Trainer.start("srgan", options, run, arguments.out / name)
    trainer.train()
    made[name] = trainer.algorithm.translate(x, make_rng(1))

print(f"{len(y)} kittens that were not seen, {32 // arguments.scale} to 32 pixels:")
for name, pictures in made.items():
    sharpness = gradient_energy(pictures).mean() / gradient_energy(y).mean()
    print(f"  {name:9} {psnr(pictures, y).mean():5.2f} dB, sharpness {sharpness:.2f}")
print(f"look at {arguments.out / 'SRGAN' / 'samples.gif'}")
