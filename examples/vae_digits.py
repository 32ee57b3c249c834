"""A variational autoencoder on handwritten digits.

    python examples/vae_digits.py [--steps 3000] [--out runs/example-vae]

Prints the bound on log p(x) of digits that it has not seen, in nats of grey pixels read as
probabilities, and writes interpolation.png: each row goes in ten pictures from one code to another.
"""

import argparse
from pathlib import Path

import numpy as np

from minigan.algorithms import recipe
from minigan.algorithms.autoencoding.vae import VAE
from minigan.backend import make_rng
from minigan.data import open_data
from minigan.training import RunOptions, Trainer
from minigan.training.sampling import write_samples

parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
parser.add_argument("--steps", type=int, default=3000)
parser.add_argument("--z-dim", type=int, default=20)
parser.add_argument("--device", default="cpu")
parser.add_argument("--out", type=Path, default=Path("runs/example-vae"))
arguments = parser.parse_args()

run = RunOptions(data="digits", batch=100, steps=arguments.steps, device=arguments.device)
trainer = Trainer.start("vae", recipe("vae").options(z_dim=arguments.z_dim), run, arguments.out)
trainer.train()
vae = trainer.algorithm
assert isinstance(vae, VAE)

held_out = open_data("digits", split="test")
bound = vae.bound(held_out.take(np.arange(held_out.size)).x, make_rng(0))
print(f"held-out digits: ELBO {bound.elbo:.1f} = -{bound.reconstruction:.1f} - {bound.kl:.1f}")
print(write_samples(arguments.out, arguments.out / "interpolation.png", n=6, interpolate=10))
print(f"look at {arguments.out / 'samples.gif'} and {arguments.out / 'interpolation.png'}")
