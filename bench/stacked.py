"""`bench modes` on stacked digits: how many of 1,000 modes DCGAN and PacDCGAN capture.

The networks of PacGAN's section 4.2, after Metz et al. (2017), with the weakest discriminator, a
quarter of G: G projects 256 normal numbers to 4x4x64 and doubles the sides with transposed
convolutions of 32, 16 and 8 channels; D has convolutions of 2, 4 and 8. Kernels are 3x3, batch norm
follows each layer but the last, weights start from N(0, 0.02^2). A minibatch holds as many packs as
the plain network's holds pictures, joined along the channels, as in the authors' published code.
26,000 samples, each channel named by the shipped classifier of digits; KL of the triples' shares to
uniform.

The paper trains for 500,000 steps of 128 packs at rates of 1e-4 for G and 2e-4 for D, with Adam's
beta 0.5 and 0.99, on MNIST's 60,000 digits. Here: STEPS steps of BATCH packs at RATE times those
rates, falling to 0 on a line from half-way, and samples from a moving average of G, on the 8,004
digits that are shipped. Published rows stand beside for the order, not the numbers. After 800
steps, which are stored, all samples of either network are named as one triple: too short to tell.
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from typing import Any

import numpy as np

from minigan import init
from minigan.algorithms.gan import GAN
from minigan.algorithms.options import AdversarialOptions, Streams, Task
from minigan.backend import make_rng
from minigan.data import Loader, open_data
from minigan.data.stacked import MODES, mode
from minigan.errors import MiniganError
from minigan.layers import (
    BatchNorm,
    Conv2d,
    ConvTranspose2d,
    Dense,
    Flatten,
    Layer,
    LeakyReLU,
    Pack,
    ReLU,
    Reshape,
    Sequential,
    Tanh,
)
from minigan.metrics.extractors import StackedExtractor
from minigan.metrics.modes import class_modes

PACKS = {"dcgan": 1, "pacdcgan2": 2, "pacdcgan3": 3, "pacdcgan4": 4}
SHAPE, Z = (28, 28, 3), 256
UP, DOWN = (64, 32, 16, 8), (2, 4, 8)  # channels of G and of D
BATCH, STEPS, RATE, EMA = 32, 1500, 10.0, 0.99
SAMPLES, CHUNK = 26_000, 2000


@dataclass(frozen=True)
class StackedCase:
    """One number of pictures in a pack, from one seed."""

    run: str
    seed: int
    steps: int = STEPS
    samples: int = SAMPLES

    @property
    def key(self) -> str:
        return f"stacked-digits-{self.run}-{self.steps}-seed{self.seed}"

    def play(self) -> dict[str, Any]:
        """Train and count; a run whose numbers run away has an `error` and no modes."""
        found: dict[str, Any] = {
            "data": "stacked-digits",
            "run": self.run,
            "seed": self.seed,
            "budget": "short",
            "steps": self.steps,
        }
        pack, dataset = PACKS[self.run], open_data("stacked-digits")
        gan = build(pack, self.seed, self.steps)
        before = time.process_time()
        try:
            with (
                Loader(dataset, BATCH * pack, seed=self.seed) as loader,
                np.errstate(all="ignore"),
            ):
                for step in range(self.steps):
                    gan.step(loader.batch(step).x)
            seconds = time.process_time() - before
            counted = class_modes(self._named(gan), MODES)
        except MiniganError as error:
            return found | {"error": str(error), "seconds": time.process_time() - before}
        return found | {
            "error": None,
            "seconds": seconds,
            "modes": counted.modes,
            "high_quality": None,
            "reverse_kl": counted.reverse_kl,
        }

    def _named(self, gan: GAN) -> np.ndarray:
        """The triple that each sample shows, (samples,)."""
        extractor, rng = StackedExtractor(), make_rng(self.seed, 3)
        sizes = [min(CHUNK, self.samples - i) for i in range(0, self.samples, CHUNK)]
        return np.concatenate([mode(extractor.predict(gan.sample(n, rng))) for n in sizes])


def build(pack: int, seed: int, steps: int) -> GAN:
    """The published networks, D on packs."""
    streams = Streams(seed)
    options = AdversarialOptions.of(
        lr_G=1e-4 * RATE,
        lr_D=2e-4 * RATE,
        beta1=0.5,
        beta2=0.99,
        schedule="linear",
        ema=EMA,
        z_dim=Z,
    )
    G, D = generator(streams.weights), discriminator(streams.weights, pack)
    return options.build_game(G, D, Task(SHAPE, "image", steps), streams)


def generator(rng: np.random.Generator) -> Sequential:
    """z (N, 256) -> pictures (N, 28, 28, 3) in (-1, 1); sides 4, 7, 14, 28."""
    features, *others = UP
    base = (4, 4, features)
    layers: list[Layer] = [
        Dense(Z, math.prod(base), bias=False, init=init.dcgan, rng=rng),
        Reshape(*base),
        BatchNorm(features),
        ReLU(),
    ]
    for channels, more in zip(others, (0, 1, 1), strict=True):
        layers += [
            ConvTranspose2d(
                *(features, channels, 3),
                stride=2,
                padding=1,
                output_padding=more,
                bias=False,
                init=init.dcgan,
                rng=rng,
            ),
            BatchNorm(channels),
            ReLU(),
        ]
        features = channels
    return Sequential(
        *layers, Conv2d(features, SHAPE[2], 3, padding=1, init=init.dcgan, rng=rng), Tanh()
    )


def discriminator(rng: np.random.Generator, pack: int) -> Sequential:
    """Pictures (N pack, 28, 28, 3) -> logits (N, 1); sides 28, 14, 7, 4."""
    layers: list[Layer] = [Pack(pack)] if pack > 1 else []
    features = SHAPE[2] * pack
    for channels in DOWN:
        layers += [
            Conv2d(
                features, channels, 3, stride=2, padding=1, bias=False, init=init.dcgan, rng=rng
            ),
            BatchNorm(channels),
            LeakyReLU(negative_slope=0.3),
        ]
        features = channels
    return Sequential(*layers, Flatten(), Dense(16 * features, 1, init=init.dcgan, rng=rng))
