"""Algorithm 1 on a ring of eight Gaussians: the learned density beside the true one, over time.

    python examples/gan_ring.py [--steps 4000] [--out runs/example-ring.png]

Modes that G has not found yet are dark. About a minute on two cores.
"""

import argparse
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from minigan.algorithms import GAN
from minigan.backend import make_rng, to_device
from minigan.data import Loader, open_data
from minigan.models import mlp_discriminator, mlp_generator
from minigan.noise import Stream
from minigan.optim import Adam
from minigan.prior import Prior

parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
parser.add_argument("--steps", type=int, default=4000)
parser.add_argument("--device", default="cpu")
parser.add_argument("--out", type=Path, default=Path("runs/example-ring.png"))
arguments = parser.parse_args()

ring, rng = open_data("ring"), make_rng(0)
G = mlp_generator(2, ring.shape, hidden=(128, 128), bounded=False, rng=rng)
D = mlp_discriminator(ring.shape, hidden=(128, 128), num_pieces=5, rng=rng)
gan = GAN(
    G,
    D,
    optimizer_G=Adam(G.flat, 2e-4, beta1=0.5),
    optimizer_D=Adam(D.flat, 1e-3, beta1=0.5),
    prior=Prior("normal", 2),
    rng=Stream(0),
).to(arguments.device)

shown = {round(arguments.steps * share) for share in (0, 0.1, 0.25, 0.5, 1)}
panels = {"data": ring.draw(20_000, make_rng(1)).x}
with Loader(ring, 256, seed=0) as loader:
    for step in range(arguments.steps + 1):
        if step in shown:
            panels[f"G after {step} steps"] = gan.sample(20_000, make_rng(1))
        scalars = gan.step(to_device(next(loader).x, arguments.device))
        if step % 500 == 0:
            real, fake = float(scalars["D(x)"]), float(scalars["D(G(z))"])
            print(f"step {step}: D(x) {real:.2f}, D(G(z)) {fake:.2f}")

figure = Figure(figsize=(3 * len(panels), 3.3), layout="constrained")
for axes, (title, x) in zip(figure.subplots(1, len(panels)), panels.items(), strict=True):
    edges = np.linspace(-1.6, 1.6, 97)
    density, _, _ = np.histogram2d(x[:, 1], x[:, 0], edges, density=True)
    axes.imshow(density**0.35, origin="lower", extent=(-1.6, 1.6, -1.6, 1.6), cmap="magma")
    axes.set(title=title, xticks=[], yticks=[])
arguments.out.parent.mkdir(parents=True, exist_ok=True)
figure.savefig(picture := arguments.out.with_suffix(".png"))
print(f"look at {picture}")
