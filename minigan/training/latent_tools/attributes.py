r"""Arithmetic on attribute vectors: smiling woman - neutral woman + neutral man.

Radford et al. 2016, arXiv:1511.06434, section 6.3; White 2016, arXiv:1609.04468, section 3.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import numpy as np

from minigan.algorithms.conditional.base import class_number
from minigan.backend import Array
from minigan.errors import OptionError
from minigan.metrics.extractors import extractor_for
from minigan.training.latent_tools.base import COLUMNS, Sheet, Source, Tool, ends, rows

LOOKED_AT = 4096  # samples that attributes are found in
FEWEST = 16  # of them that must show an attribute
JITTER = 0.25  # of the noise on a sum of attribute vectors (Radford et al.)


class Term(NamedTuple):
    """+1 or -1 times the mean z of samples that show a class of a label."""

    sign: int
    label: str
    name: str


@dataclass(frozen=True)
class Arithmetic(Tool):
    """Sums and differences of attribute vectors: "accessory=black hat - accessory=none".

    The vector of an attribute is the mean z of samples in which the data's classifier finds it. An
    expression with as many minuses as pluses is a direction: a row moves a z along it, from `low`
    to `high` times. With one plus more it is a place: a row shows a sample of each term, then what
    the sum gives; rows after the first add noise to it.
    """

    flag: ClassVar[str] = "--arithmetic"
    expression: str
    low: float | None = None
    high: float | None = None
    columns: int | None = None

    def sheet(self, source: Source, n: int, rng: np.random.Generator) -> Sheet:
        terms = parse(self.expression)
        total = sum(term.sign for term in terms)
        if total not in (0, 1):
            raise OptionError(
                f"--arithmetic {self.expression!r} adds up to {total}: give as many attributes "
                "with - as with + for a direction, or one more with + for a place"
            )
        if total == 1 and not self.low is self.high is self.columns is None:
            raise OptionError(
                f"--arithmetic {self.expression!r} is a place, whose rows show its terms and their "
                "sum: it has no --low, --high or --columns"
            )
        z, labels = self._look(source, terms, rng)
        shown = [_showing(source, term, z, labels) for term in terms]
        vector = sum(term.sign * z.mean(0) for term, z in zip(terms, shown, strict=True))
        if total == 0:
            return self._direction(source, n, rng, vector)
        return self._place(source, n, rng, shown, vector)

    def _direction(self, source: Source, n: int, rng: np.random.Generator, vector: Array) -> Sheet:
        """Rows that move a z along the vector."""
        low, high = ends(self.low, self.high, (0.0, 2.0))
        z, columns = source.prior.draw(n, rng), self.columns or COLUMNS
        points = [(z + s * vector).astype(z.dtype) for s in np.linspace(low, high, columns)]
        return Sheet(source.make(rows(points), columns=columns), columns)

    def _place(
        self, source: Source, n: int, rng: np.random.Generator, shown: list[Array], vector: Array
    ) -> Sheet:
        """Rows of a sample of each term, and of what the vector gives."""
        noise = rng.uniform(-JITTER, JITTER, (n, len(vector)))
        noise[0] = 0
        points = [z[np.arange(n) % len(z)] for z in shown]
        points.append((vector + noise).astype(points[0].dtype))
        return Sheet(source.make(rows(points), columns=len(points)), len(points))

    def _look(
        self, source: Source, terms: list[Term], rng: np.random.Generator
    ) -> tuple[Array, Array]:
        """Draws of the prior, and what the classifier finds in their samples, int (N, L)."""
        names = source.dataset.label_names
        for term in terms:
            class_number(names, term.label, term.name)
            if term.label in getattr(source.algorithm, "label_names", {}):
                raise OptionError(
                    f"--arithmetic of {term.label!r}, which this run takes as a condition: ask for "
                    f"it with --attr {term.label}={term.name!r}"
                )
        extractor = extractor_for(source.dataset)
        z = source.prior.draw(LOOKED_AT, rng)
        found = extractor.probabilities(source.make(z))
        return z, np.stack([found[label].argmax(1) for label in names], 1)


def _showing(source: Source, term: Term, z: Array, labels: Array) -> Array:
    """The draws whose samples show an attribute."""
    column, number = class_number(source.dataset.label_names, term.label, term.name)
    chosen = z[labels[:, column] == number]
    if len(chosen) < FEWEST:
        raise OptionError(
            f"--arithmetic: {len(chosen)} of {LOOKED_AT} samples show {term.label}={term.name}, "
            "too few for a mean; train longer, or take another attribute"
        )
    return chosen


def parse(expression: str) -> list[Term]:
    """The terms of "label=class - label=class + ..."; signs stand between spaces.

    Raises OptionError for anything else.
    """
    first, *rest = re.split(r"(?:^|\s+)([+-])\s+", expression.strip())
    said = list(zip(rest[::2], rest[1::2], strict=True))
    said = [("+", first), *said] if first or not said else said
    terms = []
    for sign, attribute in said:
        label, equals, name = (part.strip() for part in attribute.partition("="))
        stray = re.search(r"(^|\s)[+-](\s|$)", attribute)
        if stray or not (label and equals and name):
            raise OptionError(
                f"--arithmetic {expression!r}: {attribute.strip()!r} is no attribute; give e.g. "
                "'accessory=black hat - accessory=none', signs between spaces"
            )
        terms.append(Term(1 if sign == "+" else -1, label, name))
    return terms
