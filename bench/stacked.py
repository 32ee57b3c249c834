"""`bench modes` on stacked digits: how many of 1,000 modes DCGAN and PacDCGAN capture.

DCGAN on 28x28 pictures with a discriminator a quarter as wide as the generator, the weak one of
Metz et al. (2017) and of PacGAN's section 4.2; packs join their pictures along the channels. Adam
at 2e-4 with beta1 = 0.5, 64 pictures in a batch (63 for packs of three). 26,000 samples, each
channel named by the shipped classifier of digits; KL of the triples' shares to uniform.

The papers train wider networks for longer; ours have 32 and 8 channels next to the picture, which
one core trains in minutes. Published rows stand beside for the order, not the numbers.
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

PACKS = {"dcgan": 1, "pacdcgan2": 2, "pacdcgan3": 3, "pacdcgan4": 4}
SHAPE, WIDTH_G, WIDTH_D = (28, 28, 3), 32, 8
BATCH, SAMPLES, CHUNK, STEPS = 64, 26_000, 2000, 2000


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
                Loader(dataset, BATCH // pack * pack, seed=self.seed) as loader,
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
    """DCGAN with the weak discriminator, on packs."""
    streams = Streams(seed)
    G = dcgan_generator(100, SHAPE, width=WIDTH_G, rng=streams.weights)
    packed = (*SHAPE[:2], SHAPE[2] * pack)
    D = dcgan_discriminator(packed, width=WIDTH_D, rng=streams.weights)
    D = Sequential(Pack(pack), *D.layers) if pack > 1 else D
    options = AdversarialOptions.of(lr=2e-4, beta1=0.5, prior="uniform", z_dim=100)
    return options.build_game(G, D, Task(SHAPE, "image", steps), streams)
