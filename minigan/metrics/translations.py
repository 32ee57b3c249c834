"""Translations as what is measured: pictures that went through G, what they should have become.

A subject looks one way, from x to y by G; with a generator back, `views` has the other way too, and
what is measured of G(x) against y is then measured of F(y) against x. Where pairs are known, the
truth is what belongs to the pictures that were translated; a training without pairs never saw it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from copy import copy
from typing import Any

import numpy as np

from minigan.backend import Array, make_rng
from minigan.data import Dataset, Finite, Pairs, Poses
from minigan.errors import OptionError
from minigan.metrics.extractors import OWN, Extractor, extractor_for
from minigan.metrics.result import Result
from minigan.metrics.similarity import gradient_energy, l1, psnr, sharpness_difference, ssim
from minigan.metrics.subject import Subject, examples
from minigan.streams import Purpose

Translators = Mapping[str, Callable[[Array, np.random.Generator], Array]]

# The extractors of pairs that minigan ships, by the name of the data. Degraded pictures have the
# name of the whole ones.
EXTRACTORS = {
    "kittens-edges": "kittens",
    "kittens-recolour": "kittens",
    "kittens-worn": "kittens",
    **{name: name for name in OWN},
}
LOUDEST = 100.0  # decibels that equal pictures count as
WAYS = {"G": ("x", "y"), "F": ("y", "x")}


class TranslationSubject(Subject):
    """G's translations of x before the true y, or F's of y before the true x.

    translators  from pictures (N, H, W, C) and rng to pictures: G, and F where there is one
    data         the split that is looked at; its known pairs are for scoring
    classify     pictures -> class numbers (N,), of what was trained to name classes too
    """

    data: Pairs

    def __init__(
        self,
        translators: Translators,
        data: Pairs,
        *,
        split: str,
        extractor: str | None = None,
        seed: int = 0,
        classify: Callable[[Array], Array] | None = None,
    ) -> None:
        def draw(n: int, rng: np.random.Generator) -> Array:
            raise AssertionError("a translation is made of pictures")

        super().__init__(draw, data, split=split, extractor=extractor, seed=seed)
        self.translators, self.classify = translators, classify
        self.name = "G"

    def redrawn(self, made: Any) -> TranslationSubject:
        """Other translators before the same data."""
        other = copy(self)
        other.translators, other._of_samples = made, {}
        return other

    def views(self) -> list[tuple[str, Subject]]:
        """This way, and the way back where there is one; what their values are called."""
        if "F" not in self.translators or self.name != "G":
            return [("", self)]
        back = copy(self)
        back.name = "F"
        return [("", self), (" of F(y)", back)]

    @property
    def returning(self) -> str:
        """What is measured of translations that are taken back."""
        return "mean |F(G(x)) - x|; of F(y): mean |G(F(y)) - y|"

    @property
    def said(self) -> str:
        """Of what the values are."""
        return "G(x) against y" + ("; F(y) against x" if "F" in self.translators else "")

    @property
    def extractor(self) -> Extractor:
        if self._extractor is None:
            wanted = self._wanted or EXTRACTORS.get(self.data.name)
            self._extractor = extractor_for(self.data, wanted)
        return self._extractor

    def sides(self, n: int) -> dict[str, Array]:
        """n pictures x and n pictures y, row by row of `pairs`."""
        return dict(zip("xy", self.data.split(self.pairs(n)), strict=True))

    def pairs(self, n: int) -> Array:
        """n examples, of pairs that are known to belong together if there are some.

        Different ones where the data is finite.
        """
        key = ("pairs", n)
        if key not in self._of_data:
            rng = make_rng(self.seed, Purpose.REAL)
            if isinstance(self.data, Finite):
                batch = examples(self.data, n, rng)
            else:
                batch = self.data.matched(n, rng) or self.data.draw(n, rng)
            self._of_data[key] = batch.x
        return self._of_data[key]

    def inputs(self, n: int) -> Array:
        """What is translated."""
        return self.sides(n)[WAYS[self.name][0]]

    def real(self, n: int) -> Array:
        """The true pictures, or where nobody knows them others of their domain."""
        return self.sides(n)[WAYS[self.name][1]]

    def samples(self, n: int) -> Array:
        key = (self.name, n)
        if key not in self._of_samples:
            translate = self.translators[self.name]
            self._of_samples[key] = translate(self.inputs(n), make_rng(self.seed, Purpose.MEASURED))
        return self._of_samples[key]

    def returned(self, n: int) -> Array:
        """The translations, taken back. Raises OptionError without a generator that does."""
        back = "F" if self.name == "G" else "G"
        if back not in self.translators:
            raise OptionError(NO_WAY_BACK)
        return self.translators[back](self.samples(n), make_rng(self.seed, Purpose.MEASURED))

    def sample_features(self, n: int) -> Array:
        return self.extractor.features(self.samples(n))

    def real_features(self, n: int) -> Array:
        return self.extractor.features(self.real(n))


NO_WAY_BACK = "metric 'cycle' needs a generator each way, as cyclegan has; this run has G alone"


def is_pairs(data: Dataset) -> bool:
    """Whether its examples are two pictures each."""
    return isinstance(data, Pairs)


def has_truth(data: Dataset) -> bool:
    """Whether it is known what some pictures should become."""
    return isinstance(data, Pairs) and data.matched(1, make_rng(0)) is not None


Measured = Callable[[TranslationSubject, int], dict[str, float]]


def each_way(name: str, protocol: str | None, values: Measured) -> Callable[[Subject, int], Result]:
    """A metric of n translations, of the way back too where there is one.

    protocol: of translations held against true pictures; None where they are taken back.
    """

    def measure(subject: Subject, n: int) -> Result:
        assert isinstance(subject, TranslationSubject)
        n = subject.paired(n)
        found: dict[str, float] = {}
        for suffix, view in subject.views():
            assert isinstance(view, TranslationSubject)
            found |= {f"{key}{suffix}": value for key, value in values(view, n).items()}
        return Result(
            name,
            found,
            f"{protocol}; {subject.said}" if protocol else subject.returning,
            extractor="none",
            split=subject.split,
            n_real=n,
            n_fake=n,
            seed=subject.seed,
        )

    return measure


def errors(subject: TranslationSubject, n: int) -> dict[str, float]:
    """Mean absolute error, and that of doing nothing where x and y have the same channels."""
    return _beside_nothing(subject, n, "error", lambda x, y: float(l1(x, y).mean()))


def decibels(subject: TranslationSubject, n: int) -> dict[str, float]:
    """Mean PSNR, and that of doing nothing."""

    def mean(x: Array, y: Array) -> float:
        return float(np.minimum(psnr(x, y), LOUDEST).mean())

    return _beside_nothing(subject, n, "decibels", mean)


def similarities(subject: TranslationSubject, n: int) -> dict[str, float]:
    """Mean SSIM, and that of doing nothing."""
    return _beside_nothing(subject, n, "similarity", lambda x, y: float(ssim(x, y).mean()))


def masked_similarities(subject: TranslationSubject, n: int) -> dict[str, float]:
    """Mean SSIM of the bodies alone, all else black, and that of doing nothing."""
    assert isinstance(subject.data, Poses)
    body = subject.data.masks(subject.pairs(n))

    def mean(x: Array, y: Array) -> float:
        return float(ssim(*(body * (picture + 1) - 1 for picture in (x, y))).mean())

    return _beside_nothing(subject, n, "similarity", mean)


def edges(subject: TranslationSubject, n: int) -> dict[str, float]:
    """Mean sharpness difference, and that of doing nothing."""

    def mean(x: Array, y: Array) -> float:
        return float(np.minimum(sharpness_difference(x, y), LOUDEST).mean())

    return _beside_nothing(subject, n, "decibels", mean)


def cycle_errors(subject: TranslationSubject, n: int) -> dict[str, float]:
    """How far pictures are from themselves when they come back."""
    return {"error": float(l1(subject.returned(n), subject.inputs(n)).mean())}


def sharpnesses(subject: TranslationSubject, n: int) -> dict[str, float]:
    """Mean gradient energy of what was made and of the truth, and how they compare."""
    made, real = (float(gradient_energy(x).mean()) for x in (subject.samples(n), subject.real(n)))
    return {"ratio": made / max(real, np.finfo(float).tiny), "made": made, "true": real}


def _beside_nothing(
    subject: TranslationSubject, n: int, name: str, value: Callable[[Array, Array], float]
) -> dict[str, float]:
    inputs, truth = subject.data.unchanged(subject.inputs(n)), subject.real(n)
    found = {name: value(subject.samples(n), truth)}
    if inputs.shape == truth.shape:
        found["untranslated"] = value(inputs, truth)
    return found
