"""DeblurGAN: kittens that a shaken camera blurred, by content alone and with the critic.

    python examples/deblurgan_kittens.py [--steps 500] [--length 7.5]

Trains both on the same kittens. Prints, for kittens that neither has seen, the decibels of the
error, and sharpness, of which 1 is right.
"""

import argparse
from pathlib import Path

from minigan.algorithms import recipe
from minigan.backend import make_rng
from minigan.data import open_degraded
from minigan.metrics.similarity import gradient_energy, psnr
from minigan.training import RunOptions, Trainer

parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
parser.add_argument("--steps", type=int, default=500)
parser.add_argument("--length", type=float, default=7.5, help="pixels that the camera moves")
parser.add_argument("--width", type=int, default=16)
parser.add_argument("--device", default="cpu")
parser.add_argument("--out", type=Path, default=Path("runs/example-deblurgan"))
arguments = parser.parse_args()

held_out = open_degraded("kittens", "blurred", length=arguments.length, size=32, split="test")
x, y = held_out.split(held_out.draw(200, make_rng(0)).x)

made = {"blurred": x}
for name, weight in (("content", 0.0), ("critic", 1.0)):
    options = recipe("deblurgan").options(
        length=arguments.length,
        width=arguments.width,
        blocks=3,  # the paper's 9 are for photographs
        dropout=0.0,
        lr=1e-3,  # ten times the paper's, for a short run
        weight_gan=weight,
    )
    run = RunOptions(size="32", batch=8, steps=arguments.steps, device=arguments.device)
    trainer = Trainer.start("deblurgan", options, run, arguments.out / name)
    trainer.train()
    made[name] = trainer.algorithm.translate(x, make_rng(1))

print(f"{len(y)} kittens that were not seen, blurred along {arguments.length} pixels:")
for name, pictures in made.items():
    sharpness = gradient_energy(pictures).mean() / gradient_energy(y).mean()
    print(f"  {name:8} {psnr(pictures, y).mean():5.2f} dB, sharpness {sharpness:.2f}")
print(f"look at {arguments.out / 'critic' / 'samples.gif'}")
