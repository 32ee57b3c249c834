"""`bench modes` on stacked digits: how many of 1,000 modes DCGAN and PacDCGAN capture.

The question is PacGAN's of section 4.2, after Metz et al. (2017): what packing does for a weak
discriminator. There D has a quarter of G's channels, kernels are 3x3, and training takes 500,000
steps of 128 packs on MNIST's 60,000 digits. In that form no digits were to be seen here after 2,500
steps.

Here both networks are DCGAN's (models/dcgan.py), G of width 16 and D of width 2, an eighth; Adam at
1e-3 for G and 2e-3 for D with beta 0.5 and 0.99, rates falling to 0 on a line from half-way; STEPS
steps of BATCH packs of the 8,004 digits that are shipped; samples from a moving average of G. A
minibatch holds as many packs as the plain network's holds pictures, joined along the channels, as
in the authors' published code. 26,000 samples, each channel named by the shipped classifier of
digits; KL of the triples' shares to uniform. Published rows stand beside for the order, not the
numbers.

A stronger D leaves little to repair: in one trial each with 10,000 samples the plain DCGAN had 620,
769 and 730 modes with D of width 4 (after 2,500 steps), 8 and 16 (1,500), packs of two 617, 335 and
570.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import numpy as np

from minigan.algorithms.gan import GAN
from minigan.algorithms.options import AdversarialOptions, Streams, Task
from minigan.backend import make_rng
from minigan.data import Loader, open_data
from minigan.data.stacked import MODES, mode
from minigan.errors import MiniganError
from minigan.layers import Pack, Sequential
from minigan.metrics.extractors import StackedExtractor
from minigan.metrics.modes import class_modes
from minigan.models import dcgan_discriminator, dcgan_generator
from minigan.streams import Purpose

PACKS = {"dcgan": 1, "pacdcgan2": 2, "pacdcgan3": 3, "pacdcgan4": 4}
SHAPE, Z = (28, 28, 3), 32
WIDTH_G, WIDTH_D = 16, 2
BATCH, STEPS, EMA = 32, 2500, 0.99
LR_G, LR_D = 1e-3, 2e-3
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
        extractor, rng = StackedExtractor(), make_rng(self.seed, Purpose.PICTURES)
        sizes = [min(CHUNK, self.samples - i) for i in range(0, self.samples, CHUNK)]
        return np.concatenate([mode(extractor.predict(gan.sample(n, rng))) for n in sizes])


def build(pack: int, seed: int, steps: int) -> GAN:
    """G and its weak D, on packs."""
    streams = Streams(seed)
    options = AdversarialOptions.of(
        lr_G=LR_G,
        lr_D=LR_D,
        beta1=0.5,
        beta2=0.99,
        schedule="linear",
        ema=EMA,
        z_dim=Z,
    )
    G = dcgan_generator(Z, SHAPE, width=WIDTH_G, rng=streams.weights)
    D = discriminator(streams.weights, pack)
    return options.build_game(G, D, Task(SHAPE, "image", steps), streams)


def discriminator(rng: np.random.Generator, pack: int) -> Sequential:
    """DCGAN's D on packs of pictures: (N pack, 28, 28, 3) -> logits (N, 1)."""
    h, w, channels = SHAPE
    D = dcgan_discriminator((h, w, channels * pack), width=WIDTH_D, rng=rng)
    return Sequential(Pack(pack), D) if pack > 1 else D
