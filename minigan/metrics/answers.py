"""How different the answers of a translation to one and the same picture are.

Of each picture x several answers are drawn, and the distance of two of them is averaged over all
pairs of answers to one x, and over the pictures (Zhu et al. 2017, arXiv:1711.11586, section 5, who
take LPIPS, a distance of features of another network, and 19 pairs for each of 100 pictures). A
generator without noise has 0. Noise without sense is diverse too, so the value stands beside one of
realism; pictures that keep to their x should not differ by more than truths of different x do,
whose distance is given beside.
"""

from __future__ import annotations

from itertools import combinations
from statistics import fmean

import numpy as np

from minigan.backend import Array, make_rng
from minigan.metrics.result import Result
from minigan.metrics.subject import Subject
from minigan.metrics.translations import TranslationSubject
from minigan.streams import Purpose

PAPER = "Zhu et al. 2017, arXiv:1711.11586, section 5"

ANSWERS = 10  # to each picture: 45 pairs
INPUTS = 100  # pictures, the paper's number


def answers(subject: TranslationSubject, n: int) -> list[Array]:
    """ANSWERS times the translations of n pictures, each time with noise of its own."""
    translate, x = subject.translators[subject.name], subject.inputs(n)
    rng = make_rng(subject.seed, Purpose.MEASURED)
    return [translate(x, rng) for _ in range(ANSWERS)]


def euclidean(a: Array, b: Array) -> float:
    """The mean over rows of |a_i - b_i|, for features (N, F)."""
    return float(np.sqrt(np.square(a.astype(np.float64) - b).sum(1)).mean())


def absolute(a: Array, b: Array) -> float:
    """The mean of |a - b| over all numbers."""
    return float(np.abs(a.astype(np.float64) - b).mean())


def answers_diversity(subject: Subject, n: int) -> Result:
    """The mean distance of two answers to a picture, of its features and of its numbers."""
    assert isinstance(subject, TranslationSubject)
    n = subject.paired(n)
    found: dict[str, float] = {}
    for suffix, view in subject.views():
        assert isinstance(view, TranslationSubject)
        made, real = answers(view, n), view.real(n)
        features = [view.extractor.features(x) for x in made]
        of_real = view.real_features(n)
        apart = {
            "features": fmean(euclidean(a, b) for a, b in combinations(features, 2)),
            "l1": fmean(absolute(a, b) for a, b in combinations(made, 2)),
            "features of the data": euclidean(of_real, np.roll(of_real, 1, 0)),
            "l1 of the data": absolute(real, np.roll(real, 1, 0)),
        }
        found |= {f"{key}{suffix}": value for key, value in apart.items()}
    return Result(
        "diversity",
        found,
        f"mean distance of two answers to one picture, all pairs of {ANSWERS}: Euclidean of "
        "features (Zhu et al. 2017, with another extractor), and mean |a - b|; of the data: two "
        "true pictures",
        extractor=subject.extractor.name,
        split=subject.split,
        n_real=n,
        n_fake=n * ANSWERS,
        seed=subject.seed,
    )
