"""Is it still the same person? Faces that were translated to another age, before the true ones.

Of drawn faces it is known what everybody looks like at every age, so that a face made older can be
compared with that person's true older face, and with CROWD - 1 other persons of that age on the
same photograph, between which it must be told whom it shows. Antipov et al. 2017
(arXiv:1702.01983, section 3), without a truth, asked a face recognition network whether faces that
come back unaged show the same person; that is measured too.
"""

from __future__ import annotations

import numpy as np

from minigan.backend import Array, make_rng
from minigan.data.ages import PERSON, AgedFaces
from minigan.metrics.relabelling import RelabelSubject
from minigan.metrics.result import Result
from minigan.metrics.subject import Subject
from minigan.streams import Purpose

CROWD = 20  # persons whom one must be found among


def persons(subject: Subject, n: int) -> Result:
    """Of n faces and, for each way to translate them, of what it made.

    as asked     share that a classifier takes for the age that was asked for
    own, others  mean |made - true face at that age|, of the person and of the CROWD - 1 others
    found        share that is nearer to the person's true face than to any other's, in pixels
    recognised   share of which this is so in the classifier's features
    returned     the same of faces that come back at their own age
    """
    assert isinstance(subject, RelabelSubject)
    wished, extractor = subject.wished(n), subject.extractor
    aged, unaged = (_crowds(subject, n, labels) for labels in (wished.wanted, wished.own))
    aged_features, unaged_features = (_features(subject, crowd) for crowd in (aged, unaged))
    values: dict[str, float] = {}
    for suffix, view in subject.views():
        assert isinstance(view, RelabelSubject)
        made, back = view.samples(n), view.reconstructed(n)
        named = extractor.probabilities(made)["age"].argmax(1)
        apart = _apart(made, aged)
        of_features = _apart(extractor.features(made), aged_features)
        of_returned = _apart(extractor.features(back), unaged_features)
        found = {
            "as asked": (named == wished.wanted[:, 0]).mean(),
            "own": apart[:, 0].mean(),
            "others": apart[:, 1:].mean(),
            "found": _first(apart),
            "recognised": _first(of_features),
            "returned": _first(of_returned),
        }
        values |= {f"{key}{suffix}": float(value) for key, value in found.items()}
    return Result(
        "persons",
        values,
        f"faces made older or younger, each among the true faces of {CROWD} persons of that age on "
        "one photograph: mean |made - true|, shares nearest to their own; returned: unaged faces",
        extractor=extractor.name,
        split=subject.split,
        n_real=n * CROWD,
        n_fake=n,
        seed=subject.seed,
    )


def _crowds(subject: RelabelSubject, n: int, labels: Array) -> Array:
    """True faces (n, CROWD, H, W, C) with these labels, each row's own person first."""
    data, parts = subject.data, subject.wished(n).parts
    assert isinstance(data.data, AgedFaces)
    rng = make_rng(subject.seed, Purpose.CROWD)
    shown = []
    for row, wanted in zip(parts, labels, strict=True):
        strangers = rng.permutation(data.data.numbers[data.data.numbers != row[PERSON]])
        crowd = np.repeat(row[None], CROWD, 0)
        crowd[1:, PERSON] = strangers[: CROWD - 1]
        shown.append(data.truth(crowd, np.repeat(wanted[None], CROWD, 0)))
    return np.stack(shown)


def _features(subject: RelabelSubject, crowds: Array) -> Array:
    n, crowd = crowds.shape[:2]
    return subject.extractor.features(crowds.reshape(-1, *crowds.shape[2:])).reshape(n, crowd, -1)


def _apart(made: Array, crowds: Array) -> Array:
    """Mean |made - other| (n, CROWD)."""
    return np.abs(made[:, None] - crowds).reshape(*crowds.shape[:2], -1).mean(-1)


def _first(apart: Array) -> float:
    """The share of rows whose first number is the smallest."""
    return float((apart.argmin(1) == 0).mean())
