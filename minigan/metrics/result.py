"""A measured value and everything that it depends on."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from minigan.data import DataWarning


class MetricWarning(DataWarning):
    """A value that was measured, and is to be read with care."""


@dataclass(frozen=True)
class Result:
    """What `minigan eval` says of one metric: the values by name, and how they came about.

    protocol   what was done, in words, with the paper
    extractor  what made features or probabilities of the examples; "none" where nothing did
    split      which part of the data the samples were compared with; "none" where with none
    n_real, n_fake   how many examples and samples went in
    seed       of the samples and of the choice of examples
    """

    metric: str
    values: dict[str, float]
    protocol: str
    extractor: str
    split: str
    n_real: int
    n_fake: int
    seed: int

    def to_json(self) -> dict[str, Any]:
        """Its fields by name, as `minigan eval --json` writes them."""
        return asdict(self)

    def lines(self) -> list[str]:
        """The values on one line, their protocol below."""
        values = ", ".join(f"{name} {value:.5g}" for name, value in self.values.items())
        return [
            f"{self.metric}: {values}",
            f"    {self.protocol}",
            f"    extractor: {self.extractor}; split: {self.split}; "
            f"N: {self.n_fake} samples, {self.n_real} real; seed {self.seed}",
        ]
