"""How each metric is measured on a subject, with the protocol that its result states."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from minigan.backend import Array, make_rng
from minigan.data import Dataset
from minigan.data.kittens import Kittens
from minigan.data.mixtures import Mixture
from minigan.data.moving_digits import MovingDigits
from minigan.data.stacked import MODES as TRIPLES
from minigan.data.stacked import StackedDigits, mode
from minigan.errors import DataError
from minigan.metrics.corners import decided, strengths
from minigan.metrics.extractors import ShippedExtractor, StackedExtractor
from minigan.metrics.inception_score import inception_score
from minigan.metrics.modes import class_modes, mixture_modes
from minigan.metrics.novelty import novelty
from minigan.metrics.parzen import parzen_window
from minigan.metrics.result import Result
from minigan.metrics.subject import Subject, examples
from minigan.metrics.translations import TranslationSubject
from minigan.metrics.two_sample import nearest_neighbour_test
from minigan.streams import Purpose

NONE = "none"


def modes_captured(subject: Subject, n: int) -> Result:
    """Modes of a mixture or of stacked digits among n samples."""
    return MODES[type(subject.data)](subject, n)


def _mixture_modes(subject: Subject, n: int) -> Result:
    data = subject.data
    assert isinstance(data, Mixture)
    found = mixture_modes(subject.samples(n), data.centres, data.sigma)
    return Result(
        "modes",
        as_values(found),
        f"of {len(data.centres)} modes; high quality: within 3 sigma = {3 * data.sigma:.3g} of a "
        "centre; KL of the shares of these samples to uniform (PacGAN, table 1)",
        extractor=NONE,
        split=NONE,
        n_real=0,
        n_fake=n,
        seed=subject.seed,
    )


def _stacked_modes(subject: Subject, n: int) -> Result:
    extractor = subject.extractor
    if not isinstance(extractor, StackedExtractor):
        raise DataError(f"the modes of stacked-digits need its own extractor, not {extractor.name}")
    found = class_modes(mode(extractor.predict(subject.samples(n))), TRIPLES)
    return Result(
        "modes",
        as_values(found),
        f"of {TRIPLES} triples of digits, as a classifier names them; KL of their shares to "
        "uniform (PacGAN, table 2, with another classifier)",
        extractor=extractor.name,
        split=NONE,
        n_real=0,
        n_fake=n,
        seed=subject.seed,
    )


MODES: dict[type[Dataset], Callable[[Subject, int], Result]] = {
    Mixture: _mixture_modes,
    StackedDigits: _stacked_modes,
}


def on_features(
    name: str, protocol: str, values: Callable[[Array, Array, Subject], dict[str, float]]
) -> Callable[[Subject, int], Result]:
    """A metric of equally many features of samples and of data."""

    def measure(subject: Subject, n: int) -> Result:
        n = subject.paired(n)
        found: dict[str, float] = {}
        for suffix, view in subject.views():
            own = values(view.real_features(n), view.sample_features(n), subject)
            found |= {f"{key}{suffix}": value for key, value in own.items()}
        return Result(
            name,
            found,
            "; ".join(filter(None, [protocol, subject.said])),
            extractor=subject.extractor.name,
            split=subject.split,
            n_real=n,
            n_fake=n,
            seed=subject.seed,
        )

    return measure


def classifier_score(subject: Subject, n: int) -> Result:
    """The inception score of n samples; for several labels of each, and their geometric mean."""
    splits = min(10, n)
    values: dict[str, float] = {}
    p = subject.extractor.probabilities(subject.samples(n))
    for label, probabilities in p.items():
        found = inception_score(probabilities, splits=splits)
        suffix = f" ({label})" if len(p) > 1 else ""
        values |= {f"score{suffix}": found.value, f"deviation{suffix}": found.deviation}
    scores = [value for key, value in values.items() if key.startswith("score")]
    if len(p) > 1:  # KL adds up over labels that are told independently
        values = {"score": float(np.exp(np.mean(np.log(scores))))} | values
    return Result(
        "is",
        values,
        f"exp of the mean KL from p(y) to p(y|x), {splits} splits"
        + ("; over labels their geometric mean" if len(p) > 1 else "")
        + " (Salimans et al. 2016, with another classifier)",
        extractor=subject.extractor.name,
        split=NONE,
        n_real=0,
        n_fake=n,
        seed=subject.seed,
    )


def at_corners(subject: Subject, n: int) -> Result:
    """How n predictions look where a digit may turn left or right (metrics/corners.py)."""
    data = subject.data
    assert isinstance(subject, TranslationSubject)
    assert isinstance(data, MovingDigits)
    at = data.corners(n, make_rng(subject.seed, Purpose.REAL))
    made = subject.translators["G"](at.x, make_rng(subject.seed, Purpose.MEASURED))
    return Result(
        "corners",
        as_values(decided(strengths(made, *at[1:]))),
        "shares of predictions with one digit of strength 2/3 at least (decided), two above 1/3 "
        "each (split), neither (lost), of frames before a turn either way; left: of those decided",
        extractor=NONE,
        split=subject.split,
        n_real=n,
        n_fake=n,
        seed=subject.seed,
    )


def likelihood(subject: Subject, n: int) -> Result:
    """Parzen window of n samples on held-out data, half of it for sigma; DataError without."""
    held_out = subject.held_out
    if held_out is None:
        raise DataError(
            f"parzen needs held-out data for sigma and for its value, and {subject.data.name} has "
            "no test split; use data that has one"
        )
    size = 2000 if held_out.size is None else min(2000, held_out.size // 2 * 2)
    x = _unit(held_out, examples(held_out, size, make_rng(subject.seed, Purpose.PARZEN)).x)
    samples = _unit(held_out, subject.samples(n))
    found = parzen_window(samples, x[: size // 2], x[size // 2 :])
    unit = "pixels in [0, 1]" if held_out.kind == "image" else "coordinates"
    return Result(
        "parzen",
        as_values(found),
        f"nats of {unit}; sigma of ten from 0.1 to 1, chosen on {size // 2} held-out examples, "
        f"value on {size // 2} others (Goodfellow et al. 2014, section 5)",
        extractor=NONE,
        split="test",
        n_real=size,
        n_fake=n,
        seed=subject.seed,
    )


def _unit(data: Dataset, x: Array) -> Array:
    flat = x.reshape(len(x), -1)
    return (flat + 1) / 2 if data.kind == "image" else flat


def new_kittens(subject: Subject, n: int) -> Result:
    """Novelty of n samples, with as many real kittens of either split to correct it by."""
    data = subject.data
    assert isinstance(data, Kittens)
    extractor = ShippedExtractor("kittens")
    height, _, channels = data.shape
    training, held_out = (
        Kittens(height, channels, split).draw(n, make_rng(subject.seed, Purpose.NOVELTY)).x  # type: ignore[arg-type]
        for split in ("train", "test")
    )
    found = novelty(*map(extractor.predict, (subject.samples(n), training, held_out)))
    return Result(
        "novelty",
        as_values(found),
        "share of samples whose five parts, by a classifier, make a look that the training split "
        "never shows; a generator of all looks has 0.1; corrected by the same share of real ones",
        extractor=extractor.name,
        split="train and test",
        n_real=2 * n,
        n_fake=n,
        seed=subject.seed,
    )


def two_sample_values(real: Array, fake: Array, subject: Subject) -> dict[str, float]:
    """The nearest-neighbour test, permuted from a stream of the subject's seed."""
    rng = make_rng(subject.seed, Purpose.PERMUTATIONS)
    return as_values(nearest_neighbour_test(real, fake, rng=rng))


def as_values(found: Any) -> dict[str, float]:
    """The numbers of a named tuple by their names."""
    return {name: float(value) for name, value in found._asdict().items()}
