"""Caption accuracy: does a picture show what its caption names, in a classifier's eyes?

A caption names some of a picture's labels. Of each label, the share is counted of those pictures
whose caption names it and in which the classifier finds the class that was named; real pictures
beside their own captions say how far the classifier can be trusted. A caption may name a mouth that
a scarf hides, which no picture can show.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from minigan.backend import Array, make_rng
from minigan.data.captions import CaptionedKittens
from minigan.errors import DataError
from minigan.metrics.result import Result
from minigan.metrics.subject import Subject, examples
from minigan.streams import Purpose
from minigan.text import KITTENS


def named_shares(
    probabilities: Mapping[str, Array], named: Sequence[Mapping[str, int]]
) -> dict[str, float]:
    """For each label the share of right classes, over the pictures whose caption names it.

    probabilities: of a classifier, (N, K) for each label; named: of each picture label -> class.
    A label that no caption names is left out.
    """
    found = {label: p.argmax(1) for label, p in probabilities.items()}
    right: dict[str, list[bool]] = {}
    for i, classes in enumerate(named):
        for label, number in classes.items():
            right.setdefault(label, []).append(bool(found[label][i] == number))
    return {label: float(np.mean(right[label])) for label in found if label in right}


def caption_accuracy(subject: Subject, n: int) -> Result:
    """Of n samples asked for by captions of the data, and of as many real pictures.

    Raises DataError for samples that were not asked for by captions.
    """
    data = subject.data
    if subject.asked is None or not isinstance(data, CaptionedKittens):
        raise DataError(
            "caption-accuracy needs samples that are asked for by captions of kittens: those of a "
            "run of gan-cls or stackgan"
        )
    x, numbers = subject.asked.draw(n, make_rng(subject.seed, Purpose.MEASURED))
    real = examples(data, n, make_rng(subject.seed, Purpose.REAL_LABELLED))
    assert real.labels is not None  # captions
    shares = []
    for pictures, captions in ((x, numbers), (real.x, real.labels)):
        named = [KITTENS.parse(text) for text in data.vocabulary.decode(captions)]
        shares.append(named_shares(subject.extractor.probabilities(pictures), named))
    of_samples, of_real = shares
    return Result(
        "caption-accuracy",
        {
            "accuracy": float(np.mean([*of_samples.values()])),
            "real": float(np.mean([*of_real.values()])),
            **of_samples,
            **{f"{label} (real)": share for label, share in of_real.items()},
        },
        "share of the classes that captions name which a classifier finds in the pictures; mean "
        "over the labels, and each label",
        extractor=subject.extractor.name,
        split=subject.split,
        n_real=len(real.x),
        n_fake=n,
        seed=subject.seed,
    )
