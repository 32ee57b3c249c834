"""Translations between the classes of labels as what is measured: G(x, c) before the truth.

Where an algorithm has several ways to translate, each is measured.

Beside the measures of all translations there is one of this kind alone: what nobody asked to change
shall stay. The share of x's other labels that a classifier still finds in G(x, c) says so, for the
labels that the translation was not told.
"""

from __future__ import annotations

from collections.abc import Callable
from copy import copy
from typing import Any

import numpy as np

from minigan.backend import Array, make_rng
from minigan.data import Batch
from minigan.data.relabelled import Relabelled, Wished
from minigan.errors import DataError
from minigan.metrics.label_accuracy import shares
from minigan.metrics.result import Result
from minigan.metrics.subject import Asked, Subject, examples
from minigan.metrics.translations import TranslationSubject
from minigan.streams import Purpose

Relabel = Callable[[Array, Array], Array]


class RelabelSubject(TranslationSubject):
    """G's pictures of x with other labels, before the true ones or others that have these labels.

    made: from pictures (N, H, W, C) and labels (N, L) to pictures, by its name: "G", and other ways
    where there are some.
    """

    data: Relabelled

    def __init__(
        self,
        made: dict[str, Relabel],
        data: Relabelled,
        *,
        split: str,
        extractor: str | None = None,
        seed: int = 0,
    ) -> None:
        super().__init__(made, data, split=split, extractor=extractor, seed=seed)  # type: ignore[arg-type]  # labels in rng's place
        self._wishes: dict[int, Wished] = {}
        self.asked = self._asked()

    def redrawn(self, made: Any) -> RelabelSubject:
        other = super().redrawn(made)
        assert isinstance(other, RelabelSubject)
        other.asked = other._asked()
        return other

    def views(self) -> list[tuple[str, Subject]]:
        others = []
        for name in [*self.translators][1:] if self.name == "G" else []:
            view = copy(self)
            view.name = name
            others.append((f" ({name})", view))
        return [("", self), *others]

    @property
    def returning(self) -> str:
        return "mean |G(G(x, c), c') - x|, c' the labels of x"

    @property
    def said(self) -> str:
        truth = "the true picture" if self.data.known else "others with the labels c"
        return f"G(x, c) against {truth}"

    def wished(self, n: int) -> Wished:
        """n pictures x, their labels, those that they shall have, and y."""
        if n not in self._wishes:
            self._wishes[n] = self.data.wished(n, make_rng(self.seed, Purpose.REAL))
        return self._wishes[n]

    def sides(self, n: int) -> dict[str, Array]:
        found = self.wished(n)
        return {"x": found.x, "y": found.y}

    def samples(self, n: int) -> Array:
        key = (self.name, n)
        if key not in self._of_samples:
            self._of_samples[key] = self._relabel(self.wished(n).x, self.wished(n).wanted)
        return self._of_samples[key]

    def returned(self, n: int) -> Array:
        """G(G(x, c), c')."""
        return self._relabel(self.samples(n), self.wished(n).own)

    def reconstructed(self, n: int) -> Array:
        """G(x, c'): what comes back of x with the labels that it has."""
        return self._relabel(self.wished(n).x, self.wished(n).own)

    def inputs(self, n: int) -> Array:
        """The pictures x."""
        return self.wished(n).x

    def real(self, n: int) -> Array:
        """The true pictures, or where nobody knows them others of these labels."""
        return self.wished(n).y

    def labelled(self, n: int, rng: np.random.Generator) -> Batch:
        return examples(self.data.data, n, rng)

    def _relabel(self, x: Array, labels: Array) -> Array:
        return self.translators[self.name](x, labels)  # type: ignore[arg-type]

    def _asked(self) -> Asked:
        names = {label: self.data.label_names[label] for label in self.data.labels}
        return Asked(
            names,
            lambda n, rng: (self.samples(n), self.wished(n).wanted),
            lambda labels, rng: self._relabel(self.wished(len(labels)).x, labels),
        )


def kept_labels(subject: Subject, n: int) -> Result:
    """Of n translations; beside what the classifier finds of the same labels in the pictures x.

    Raises DataError where every label of the data changes, and for a classifier of other labels.
    """
    assert isinstance(subject, RelabelSubject)
    data = subject.data
    names = [list(data.label_names)[i] for i in data.others]
    if not names:
        raise DataError(
            f"kept-labels needs labels that no translation changes, and all of {data.name} "
            f"({', '.join(data.labels)}) may change in this run"
        )
    extractor, found = subject.extractor, subject.wished(n)
    made, real = (extractor.probabilities(x) for x in (subject.samples(n), found.x))
    if missing := [name for name in names if name not in made]:
        raise DataError(f"{extractor.name} does not know the data's label {missing[0]!r}")
    of_made, of_real = (shares(p, found.others, names)[0] for p in (made, real))
    values = {"kept": float(np.mean([*of_made.values()]))}
    values["untranslated"] = float(np.mean([*of_real.values()]))
    return Result(
        "kept-labels",
        values | of_made,
        "share of x's labels that were not to change which a classifier finds in G(x, c), and in x "
        "itself; mean over the labels",
        extractor=extractor.name,
        split=subject.split,
        n_real=n,
        n_fake=n,
        seed=subject.seed,
    )
