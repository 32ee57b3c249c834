"""How well a classifier does on a target domain whose labels its training never saw.

The share of held-out pictures of the target that T names right is what domain adaptation is
measured by (Bousmalis et al. 2017, section 4); beside it the same share of the source, and of the
source's pictures as G adapts them, with the labels that these had.
"""

from __future__ import annotations

from collections.abc import Callable

from minigan.backend import Array, make_rng
from minigan.data import Batch, LabelledDomains
from minigan.errors import DataError
from minigan.metrics.classifier import in_chunks
from minigan.metrics.result import Result
from minigan.metrics.subject import Subject
from minigan.metrics.translations import TranslationSubject
from minigan.streams import Purpose

PAPER = "Bousmalis et al. 2017, arXiv:1612.05424, section 4"


def target_accuracy(subject: Subject, n: int) -> Result:
    """Of at most n labelled pictures of each domain.

    Raises DataError for samples that no classifier was trained on, and where nobody knows the
    target's labels.
    """
    assert isinstance(subject.data, LabelledDomains)
    if not isinstance(subject, TranslationSubject) or subject.classify is None:
        raise DataError("target-accuracy needs a classifier that was trained to adapt: a pixelda")
    judged = subject.data.judged(n, make_rng(subject.seed, Purpose.REAL_LABELLED))
    if "target" not in judged:
        raise DataError(
            f"target-accuracy needs labels of the target domain of {subject.data.name}, which "
            "nobody knows; give its pictures class folders with the names of the source's"
        )
    values = {name: _share(subject.classify, judged[name]) for name in ("target", "source")}
    if "G" in subject.translators:
        source = judged["source"]
        rng = make_rng(subject.seed, Purpose.MEASURED)
        adapted = source._replace(x=subject.translators["G"](source.x, rng))
        values["adapted"] = _share(subject.classify, adapted)
    return Result(
        "target-accuracy",
        values,
        "share of pictures that T names right: of the target, whose labels training did not see, "
        "of the source, and of the source as adapted by G (Bousmalis et al. 2017, section 4)",
        extractor="none",
        split=subject.split,
        n_real=len(judged["target"].x),
        n_fake=len(judged["source"].x),
        seed=subject.seed,
    )


def _share(classify: Callable[[Array], Array], batch: Batch) -> float:
    """Of right classes of the one label."""
    assert batch.labels is not None
    return float((in_chunks(classify, batch.x) == batch.labels[:, 0]).mean())
