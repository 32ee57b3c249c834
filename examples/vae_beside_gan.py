"""A VAE and a GAN with the same generator on the same digits: how sharp are their samples?

    python examples/vae_beside_gan.py [--steps 1000] [--out runs/example-beside]

A VAE answers an uncertain pixel with its mean, which is grey; a GAN's discriminator knows grey from
ink. Sharpness is the mean squared difference of neighbouring pixels. Writes beside.png: a row of
digits, the VAE's reconstructions of them, its samples, and the GAN's.
"""

import argparse
from pathlib import Path

import numpy as np

from minigan.algorithms import recipe
from minigan.algorithms.autoencoding.vae import VAE
from minigan.backend import make_rng
from minigan.data import open_data
from minigan.training import RunOptions, Trainer
from minigan.training.pictures import grid, write_png

parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
parser.add_argument("--steps", type=int, default=1000)
parser.add_argument("--width", type=int, default=16)
parser.add_argument("--device", default="cpu")
parser.add_argument("--out", type=Path, default=Path("runs/example-beside"))
arguments = parser.parse_args()

run = RunOptions(data="digits", steps=arguments.steps, device=arguments.device)
sizes = {"width": arguments.width, "z_dim": 20}
vae = Trainer.start(
    "vae", recipe("vae").options(network="conv", **sizes), run, arguments.out / "vae"
)
gan = Trainer.start("dcgan", recipe("dcgan").options(**sizes), run, arguments.out / "gan")
for trainer in (vae, gan):
    trainer.train()
assert isinstance(vae.algorithm, VAE)

real = open_data("digits").draw(1000, make_rng(0)).x
pictures = {
    "digits": real,
    "VAE, the same digits": vae.algorithm.reconstruct(real),
    "VAE, samples": vae.algorithm.sample(1000, make_rng(1)),
    "GAN, samples": gan.algorithm.sample(1000, make_rng(1)),
}
for name, x in pictures.items():
    sharpness = np.square(np.diff(x, axis=1)).mean() + np.square(np.diff(x, axis=2)).mean()
    print(f"{name:22} sharpness {sharpness:.3f}")
rows = np.concatenate([x[:12] for x in pictures.values()])
write_png(grid(rows, columns=12), arguments.out / "beside.png")
print(f"look at {arguments.out / 'beside.png'}")
