r"""How many generated kittens combine their parts as no training kitten does.

A classifier names the five parts of each sample. Its look (see `data/kittens.py`) is new when it
is one of the tenth that the training split never shows. A generator that learned the parts, and
not the pictures, shows about 10 % new ones; one that copies shows 0 %.

The classifier errs: a wrong part makes another look, which is new one time in ten. So the same is
measured on real kittens of either split, which should give 0 and 1, and a linear correction
follows (Rogan and Gladen 1978, "Estimating prevalence from the results of a screening test"):

    corrected = (share - on training) / (on held-out - on training)
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from minigan.backend import Array
from minigan.data.kittens import Kittens, held_out, look
from minigan.errors import ShapeError


class Novelty(NamedTuple):
    """Shares from 0 to 1: new looks as the classifier sees them, and corrected for its errors;
    different looks among the samples."""

    new: float
    corrected: float
    distinct: float
    new_on_training: float
    new_on_held_out: float


def novelty(samples: Array, training: Array, held: Array) -> Novelty:
    """From the parts, int (N, 5), that a classifier sees in samples and in real kittens of the
    training and the test split. Raises ShapeError where it tells the two splits not apart."""
    share, low, high = (
        float(held_out(Kittens.combination(parts)).mean()) for parts in (samples, training, held)
    )
    if high <= low:
        raise ShapeError(
            f"novelty: the classifier sees new looks in {low:.1%} of training kittens and in "
            f"{high:.1%} of held-out ones; it cannot tell them apart"
        )
    distinct = len(np.unique(look(Kittens.combination(samples)))) / len(samples)
    corrected = min(max((share - low) / (high - low), 0.0), 1.0)
    return Novelty(share, corrected, distinct, low, high)
