"""What turns examples into the features and class probabilities that metrics compare.

Points are their own features. Pictures need a network: one that ships with minigan, or any ONNX
file of the user's. Values made with two extractors cannot be compared, so each has a name that is
printed with every value.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import numpy as np

from minigan.backend import Array
from minigan.data import Dataset
from minigan.data.pictures import fit_all, to_float
from minigan.data.stacked import CHANNELS
from minigan.errors import DataError, OptionError
from minigan.metrics.classifier import in_chunks
from minigan.metrics.onnx import OnnxExtractor
from minigan.metrics.shipped import SHIPPED, shipped_classifier


class Extractor(Protocol):
    """Features of examples, and probabilities of classes where it is a classifier."""

    name: str

    def features(self, x: Array) -> Array:
        """(N, ...) -> (N, F)."""

    def probabilities(self, x: Array) -> dict[str, Array]:
        """(N, ...) -> for each label (N, K). Raises DataError where it gives none."""


class Coordinates(Extractor):
    """Points as they are."""

    name = "none, the coordinates themselves"

    def features(self, x: Array) -> Array:
        return x

    def probabilities(self, x: Array) -> dict[str, Array]:
        raise DataError("points have no class probabilities; this metric needs pictures")


class ShippedExtractor(Extractor):
    """A shipped classifier; pictures of another shape are resized and made grey or colour."""

    def __init__(self, which: str) -> None:
        shipped = SHIPPED[which]
        self._classifier, self._shape = shipped_classifier(which), shipped.shape
        self.name = f"minigan's {which} classifier, {shipped.hidden} features"

    def features(self, x: Array) -> Array:
        return self._classifier.features(fitted(x, self._shape))

    def probabilities(self, x: Array) -> dict[str, Array]:
        return self._classifier.probabilities(fitted(x, self._shape))

    def predict(self, x: Array) -> Array:
        """The likeliest class of each label: int (N, L)."""
        return self._classifier.predict(fitted(x, self._shape))


class StackedExtractor(Extractor):
    """The digits classifier on each channel."""

    def __init__(self) -> None:
        self._digits = ShippedExtractor("digits")
        self.name = f"{self._digits.name} of each channel"

    def features(self, x: Array) -> Array:
        return np.concatenate([self._digits.features(part) for part in _channels(x)], axis=1)

    def probabilities(self, x: Array) -> dict[str, Array]:
        parts = [self._digits.probabilities(part)["digit"] for part in _channels(x)]
        return dict(zip(CHANNELS, parts, strict=True))

    def predict(self, x: Array) -> Array:
        """The digit of each channel: int (N, 3)."""
        return np.concatenate([self._digits.predict(part) for part in _channels(x)], axis=1)


# By the name of the data, and of what --extractor takes.
OWN: dict[str, Callable[[], Extractor]] = {
    "digits": lambda: ShippedExtractor("digits"),
    "kittens": lambda: ShippedExtractor("kittens"),
    "faces-ages": lambda: ShippedExtractor("faces-ages"),
    "stacked-digits": StackedExtractor,
}


class NoExtractorError(DataError):
    """Data for which minigan ships no extractor: the user names one."""


def extractor_for(dataset: Dataset, wanted: str | None = None) -> Extractor:
    """The extractor `wanted`, a shipped one's name or an .onnx file, or else the data's own.

    Raises OptionError for another word, NoExtractorError where the data has none of its own.
    """
    if wanted is not None and wanted.lower().endswith(".onnx"):
        return OnnxExtractor(Path(wanted))
    if wanted is not None and wanted not in OWN:
        raise OptionError(
            f"--extractor {wanted}: wanted {', '.join(OWN)} or the path of a network, FILE.onnx"
        )
    if wanted is None and dataset.kind == "points":
        return Coordinates()
    name = wanted or dataset.name
    if name not in OWN:
        raise NoExtractorError(
            f"features of {name} need a network: minigan ships extractors for {', '.join(OWN)} "
            "only; name one of these, or your own, with --extractor FILE.onnx"
        )
    if dataset.kind == "points":
        raise DataError(f"--extractor {wanted} takes pictures, {dataset.name} holds points")
    return OWN[name]()


def fitted(x: Array, shape: tuple[int, int, int]) -> Array:
    """Pictures (N, H, W, C) in [-1, 1] as float32 of another shape; as they are if they have it.

    What is resized goes through bytes, as files do.
    """
    if x.shape[1:] == shape:
        return x.astype(np.float32, copy=False)
    return in_chunks(lambda part: to_float(fit_all(_bytes(part), shape[:2], shape[2])), x)


def _bytes(x: Array) -> Array:
    return np.rint((np.clip(x, -1, 1) + 1) * 127.5).astype(np.uint8)


def _channels(x: Array) -> list[Array]:
    return [np.ascontiguousarray(x[..., c : c + 1]) for c in range(len(CHANNELS))]
