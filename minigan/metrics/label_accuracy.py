"""Label accuracy: is a sample of the class that it was asked to be, in a classifier's eyes?

The share of samples whose class, as the data's classifier names it, is the one they were made for
(Odena et al. 2017, arXiv:1610.09585, section 4.1), beside that classifier's own accuracy on real
examples: no generator of real-looking examples can be expected above it, and one far above it makes
examples that are typical rather than various.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from minigan.backend import Array, make_rng
from minigan.errors import DataError
from minigan.metrics.result import Result
from minigan.metrics.subject import Subject
from minigan.streams import Purpose


def shares(
    probabilities: Mapping[str, Array], labels: Array, names: list[str]
) -> tuple[dict[str, float], float]:
    """The share of right classes of each label, and of examples all of whose labels are right.

    probabilities: of a classifier, (N, K) for each label by its name; labels (N, L), the columns
    called `names`.
    """
    right = np.stack(
        [
            probabilities[name].argmax(1) == column
            for name, column in zip(names, labels.T, strict=True)
        ],
        axis=1,
    )
    return dict(zip(names, right.mean(0).tolist(), strict=True)), float(right.all(1).mean())


def label_accuracy(subject: Subject, n: int) -> Result:
    """Of n samples asked for by labels drawn as the data has them, and of as many real examples.

    Raises DataError for samples that were not asked for, and for a classifier of other labels.
    """
    if subject.asked is None:
        raise DataError(
            "label-accuracy needs samples that are asked for by their labels: those of a "
            "conditional run, such as cgan, cdcgan or acgan, or translations of stargan or age-cgan"
        )
    names = list(subject.asked.label_names)
    x, wanted = subject.asked.draw(n, make_rng(subject.seed, Purpose.MEASURED))
    real = subject.labelled(n, make_rng(subject.seed, Purpose.REAL_LABELLED))
    assert real.labels is not None  # the samples' labels are the data's
    columns = [list(subject.data.label_names).index(name) for name in names]
    extractor = subject.extractor
    found = extractor.probabilities(x)
    if missing := [name for name in names if name not in found]:
        raise DataError(f"{extractor.name} does not know the data's label {missing[0]!r}")
    of_samples = shares(found, wanted, names)
    of_real = shares(extractor.probabilities(real.x), real.labels[:, columns], names)
    values = {"accuracy": float(np.mean([*of_samples[0].values()]))}
    values["real"] = float(np.mean([*of_real[0].values()]))
    if len(names) > 1:
        values |= {"all labels": of_samples[1], "all labels (real)": of_real[1]}
        values |= of_samples[0]
        values |= {f"{name} (real)": share for name, share in of_real[0].items()}
    return Result(
        "label-accuracy",
        values,
        "share of samples that a classifier puts into the class that was asked for, and of real "
        "examples into their own"
        + ("; mean over the labels" if len(names) > 1 else "")
        + " (Odena et al. 2017, with another classifier)",
        extractor=extractor.name,
        split=subject.split,
        n_real=len(real.x),
        n_fake=n,
        seed=subject.seed,
    )
