"""The picture of a run's step: what each kind of algorithm makes, beside what its data holds.

A sheet is always of the same z, examples and labels, so that those of a run can be compared.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from PIL import Image

from minigan.algorithms import Algorithm
from minigan.algorithms.conditional.age_cgan import AgeCGAN
from minigan.algorithms.conditional.base import Conditional, Relabelling
from minigan.algorithms.latent import Reconstructing
from minigan.algorithms.sequence.midinet import MidiNet
from minigan.algorithms.sequence.segan import SEGAN
from minigan.algorithms.sequence.seqgan import SeqGAN
from minigan.algorithms.translation.base import Translating
from minigan.algorithms.translation.pg2 import PG2
from minigan.algorithms.translation.pixelda import PixelDA
from minigan.backend import Array, make_rng
from minigan.data import Dataset
from minigan.streams import Purpose
from minigan.training import (
    adapting,
    ageing,
    composing,
    posing,
    relabelling,
    speech,
    telling,
    translating,
)
from minigan.training.labels import COLUMNS, panel
from minigan.training.pictures import Sheet, grid, pairs, plot_points, png_bytes
from minigan.training.translating import picture_of

PICTURES, POINTS = 64, 2000  # how many samples a sheet shows
RECONSTRUCTIONS = 32


def sheet_of(algorithm: Algorithm, dataset: Dataset, *, seed: int) -> Sheet:
    """As the first row of SHEETS that fits the algorithm draws it; else labels or samples."""
    draw = next((draw for kind, draw in SHEETS if isinstance(algorithm, kind)), _samples)
    return draw(algorithm, dataset, seed=seed)


SHEETS: tuple[tuple[Any, Callable[..., Sheet]], ...] = (
    (PixelDA, adapting.sheet),
    (PG2, posing.sheet),
    (Translating, translating.sheet),
    (AgeCGAN, ageing.sheet),
    (Relabelling, relabelling.sheet),
    (MidiNet, composing.sheet),
    (SEGAN, speech.sheet),
    (SeqGAN, telling.sheet),
)


def _samples(algorithm: Algorithm, dataset: Dataset, *, seed: int) -> Sheet:
    """G of one fixed z; of a conditional algorithm a label along each row, a z down each column."""
    n = POINTS if dataset.kind == "points" else PICTURES
    real = dataset.draw(n, make_rng(seed, Purpose.SHOWN)).x
    if dataset.kind == "image" and isinstance(algorithm, Conditional):
        x = panel(algorithm, seed=seed)
        picture = grid(x, columns=COLUMNS)
    else:
        x = algorithm.sample(n, make_rng(seed, Purpose.PICTURES))
        picture = picture_of(dataset, x, real)
    files = {}
    if isinstance(algorithm, Reconstructing):
        files["reconstruction_{step}.png"] = png_bytes(_reconstructions(algorithm, dataset, real))
    return Sheet(picture, x, real, files)


def _reconstructions(algorithm: Reconstructing, dataset: Dataset, real: Array) -> Image.Image:
    """Examples above what comes back of them; points over these."""
    if dataset.kind != "image":
        return plot_points(algorithm.reconstruct(real), real, label="G(E(x))")
    return pairs(real[:RECONSTRUCTIONS], algorithm.reconstruct(real[:RECONSTRUCTIONS]))
