"""What D has learned without labels: a linear classifier of its features, taught by few of them.

Radford et al. 2016, section 5: D's activations, max-pooled to 4x4, under a regularised linear
L2-SVM, which learns from 1,000 examples with labels, as many of each class. Its C is chosen on
other examples, its accuracy is of held-out ones. Beside it stand the same SVM on the pixels, and on
the features that D had before it was trained: what the architecture alone gives.
"""

from __future__ import annotations

import numpy as np

from minigan.backend import Array, make_rng
from minigan.data.balanced import balanced
from minigan.errors import DataError
from minigan.metrics.result import Result
from minigan.metrics.subject import Subject, examples
from minigan.models.features import LinearSVM, linear_svm
from minigan.streams import Purpose

COSTS = (1e-6, 1e-5, 1e-4, 1e-3, 1e-2)  # C of the SVM, of which one is chosen
TESTED = 2000  # held-out examples, or as many as there are


def d_features(subject: Subject, n: int) -> Result:
    """Accuracy on held-out examples of SVMs that n labelled ones have taught.

    Of data with several labels the mean, and each. Raises DataError without a test split or a D
    that has such features, and for fewer than 2 n / K training examples of one of K classes.
    """
    judge, held_out = subject.judge, subject.held_out
    if judge is None:
        raise DataError(
            "d-features needs a D of convolutions that LeakyReLU follow, as those of a dcgan, "
            "acgan or infogan on pictures"
        )
    if held_out is None:
        raise DataError(
            f"d-features needs held-out examples, and {subject.data.name} has no test split; use "
            "data that has one"
        )
    tested = examples(held_out, TESTED, make_rng(subject.seed, Purpose.REAL_LABELLED))
    assert tested.labels is not None  # `takes` has seen to it
    ways = {"": judge.trained, " (untrained D)": judge.untrained, " (pixels)": _pixels}
    train = judge.data()
    features = {way: of(tested.x) for way, of in ways.items()}
    shares: dict[str, list[float]] = {way: [] for way in ways}
    for name, truth in zip(held_out.label_names, tested.labels.T, strict=True):
        # Class by class: every other example chooses C.
        known = balanced(train, name, 2 * n, make_rng(subject.seed, Purpose.LABELLED))
        assert known.labels is not None
        for way, of in ways.items():
            svm = chosen_svm(of(known.x), known.labels[:, 0])
            shares[way].append(svm.accuracy(features[way], truth))
    values = {f"accuracy{way}": float(np.mean(found)) for way, found in shares.items()}
    if len(held_out.label_names) > 1:
        values |= dict(zip(held_out.label_names, shares[""], strict=True))
    return Result(
        "d-features",
        values,
        f"held-out accuracy of a linear L2-SVM on D's activations, max-pooled to 4x4, after {n} "
        "labelled examples, as many of each class; C of "
        f"{COSTS[0]:g} to {COSTS[-1]:g} by {n} others (Radford et al. 2016, section 5)",
        extractor="D, whose generator is not measured",
        split="test",
        n_real=len(tested.x),
        n_fake=0,
        seed=subject.seed,
    )


def chosen_svm(features: Array, labels: Array) -> LinearSVM:
    """The SVM of every other example whose C is best on those between; the smaller C of equals."""
    svms = (linear_svm(features[::2], labels[::2], C=C) for C in COSTS)
    return max(svms, key=lambda svm: svm.accuracy(features[1::2], labels[1::2]))


def _pixels(x: Array) -> Array:
    return x.reshape(len(x), -1)
