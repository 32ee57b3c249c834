"""Pictures of labelled data and the labels that they are to have instead, with the truth if known.

A translation between the classes of a label is shown and measured on these. x is an example, c' the
labels that it has and c those of another example, which is y; nobody has to know what x would look
like with c. Of pictures that are composed of parts, as kittens and drawn faces are, it is known: y
is then x with the parts of c in the place of its own.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from minigan.data.base import Batch, Composed, Dataset, Endless
from minigan.data.pairs import PairOptions, Pairs
from minigan.errors import OptionError


class Wished(NamedTuple):
    """Pictures x with labels `own` (c'), what they shall become, and pictures y that are such.

    x, y: float32 (N, H, W, C); own, wanted: int (N, L), columns of the labels that may change.
    others: int (N, M), the columns of x's other labels, in the data's order. parts: as `some` has
    them.
    """

    x: np.ndarray
    own: np.ndarray
    wanted: np.ndarray
    y: np.ndarray
    others: np.ndarray
    parts: np.ndarray


class Relabelled(Pairs, Endless):
    """Examples of labelled pictures as pairs of x and y; `wished` has their labels too.

    labels: the names of those that may change, in the data's order. Raises OptionError for data
    that has not all of them.
    """

    def __init__(self, data: Dataset, labels: tuple[str, ...]) -> None:
        names = list(data.label_names)
        if not labels or not set(labels) <= set(names):
            raise OptionError(f"{data.name} has labels {names}, not all of {list(labels)}")
        h, w, c = data.shape
        super().__init__(data.name, (h, w), (c, c), PairOptions(aligned=False))
        self.data = data
        self.label_names = data.label_names
        self.labels = labels
        self.columns = [names.index(label) for label in labels]
        self.others = [i for i, label in enumerate(names) if label not in labels]

    @property
    def known(self) -> bool:
        """Whether y is what x should become."""
        return isinstance(self.data, Composed)

    def some(self, n: int, rng: np.random.Generator) -> tuple[Batch, np.ndarray]:
        """n examples, and their parts; these are the labels where the truth is not known."""
        if isinstance(self.data, Composed):
            parts = self.data.parts(n, rng)
            return Batch(self.data.compose(parts), self.data.labels_of(parts)), parts
        batch = self.data.draw(n, rng)
        assert batch.labels is not None
        return batch, batch.labels

    def wished(self, n: int, rng: np.random.Generator) -> Wished:
        """n pictures and labels; each of both as the data has them."""
        (batch, parts), (other, _) = self.some(n, rng), self.some(n, rng)
        assert batch.labels is not None
        assert other.labels is not None
        wanted = other.labels[:, self.columns]
        y = other.x if not self.known else self.truth(parts, wanted)
        others = batch.labels[:, self.others]
        return Wished(batch.x, batch.labels[:, self.columns], wanted, y, others, parts)

    def truth(self, parts: np.ndarray, wanted: np.ndarray) -> np.ndarray:
        """Examples of `parts`, int (N, P), with the labels `wanted` (N, L) in place of theirs."""
        assert isinstance(self.data, Composed)
        changed = parts.copy()
        changed[:, self.columns] = wanted
        return self.data.compose(changed)

    def draw(self, n: int, rng: np.random.Generator) -> Batch:
        """x and y, and the labels that x shall have."""
        found = self.wished(n, rng)
        return Batch(np.concatenate([found.x, found.y], -1), found.wanted)

    def matched(self, n: int, rng: np.random.Generator) -> Batch | None:
        return self.draw(n, rng) if self.known else None
