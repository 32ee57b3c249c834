"""Two domains of pictures for domain adaptation: a labelled source, a target to do well on.

An example is a picture x of the source beside a picture y of the target, drawn each for itself. Its
labels are x's: the target's, where somebody knows them, are handed out by `judged` alone, which
measurements ask and training never does.

    DIR/A/CLASS/*.png, DIR/B/*.png      the user's own: A in class folders; B in folders of these
                                        names too, or in none, and then nothing can be measured
    DIR/trainA, DIR/trainB              the same (also testA, testB, and train/A, A/train, ...)
"""

from __future__ import annotations

import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np

from minigan.data import folder
from minigan.data.base import Batch, Dataset, DataWarning, Endless, Finite, LabelNames
from minigan.data.pair_folder import two_folders
from minigan.data.pairs import PairOptions, Pairs
from minigan.errors import DataError


class LabelledDomains(Pairs, Endless):
    """Pictures of `source`, with its labels, beside pictures of `target`.

    label_names: the source's. Raises DataError for a source without labels, and for pictures of
    unlike sizes.
    """

    def __init__(self, name: str, source: Dataset, target: Dataset, options: PairOptions) -> None:
        (h, w, x), (*size, y) = source.shape, target.shape
        if [h, w] != size:
            raise DataError(
                f"pictures of {source.name} are {w}x{h}, those of {target.name} "
                f"{size[1]}x{size[0]}: give --size to crop and resize them"
            )
        if not source.label_names:
            raise DataError(
                f"{source.name} has no labels, and the source domain needs some: put its pictures "
                "into a folder for each class"
            )
        super().__init__(name, (h, w), (x, y), options)
        self.label_names: LabelNames = source.label_names
        self.source, self.target = source, target

    @property
    def target_known(self) -> bool:
        """Whether the target's labels are known, and are the source's."""
        return self.target.label_names == self.label_names

    def draw(self, n: int, rng: np.random.Generator) -> Batch:
        """n pictures of either domain, and the labels of the source's."""
        x, y = self.source.draw(n, rng), self.target.draw(n, rng)
        return Batch(np.concatenate([x.x, y.x], -1), x.labels)

    def judged(self, n: int, rng: np.random.Generator) -> dict[str, Batch]:
        """n labelled pictures of "source", and of "target" where its labels are known.

        Different ones of finite domains, fewer where there are fewer.
        """
        known = {"source": self.source}
        if self.target_known:
            known["target"] = self.target
        return {name: _examples(data, n, rng) for name, data in known.items()}


def open_folder(path: Path, options: PairOptions) -> LabelledDomains:
    """The domains in the folders A and B of `path`; x is of A unless the direction is BtoA.

    Raises DataError for folders that are missing, empty or without class folders, OptionError for a
    test split that is not there. Classes of the target that are not the source's are passed over,
    with a DataWarning.
    """
    folders = two_folders(path, options.split) if path.is_dir() else None
    if folders is None:
        raise DataError(
            f"{path} holds no two folders A and B: the labelled domain is read from class folders "
            "in A, the other one from B"
        )
    a, b = (
        folder.open(place, replace(of_side, split="train"))
        for place, of_side in zip(folders, options.of_sides, strict=True)
    )
    source, target = options.in_order(a, b)
    made = LabelledDomains(str(path), source, target, options)
    if target.label_names and target.label_names != source.label_names:
        warnings.warn(
            f"the classes of {target.name} are not those of {source.name}, so how well the target "
            "domain is named cannot be measured; give its class folders the same names",
            DataWarning,
            stacklevel=2,
        )
    return made


def _examples(data: Dataset, n: int, rng: np.random.Generator) -> Batch:
    if isinstance(data, Finite):
        return data.take(rng.permutation(len(data))[:n])
    return data.draw(n, rng)
