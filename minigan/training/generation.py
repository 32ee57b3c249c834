"""Samples and translations of a trained algorithm: on the host, any number of them."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from minigan.algorithms import Algorithm
from minigan.algorithms.conditional.age_cgan import AgeCGAN
from minigan.algorithms.conditional.base import Conditional, Relabelling
from minigan.algorithms.sequence.segan import SEGAN
from minigan.algorithms.sequence.seqgan import SeqGAN
from minigan.algorithms.translation.base import Translating
from minigan.backend import Array, to_device, to_host
from minigan.data import Dataset, Pairs, Sentences, Sounds
from minigan.data.makeup import Applied
from minigan.data.relabelled import Relabelled
from minigan.metrics import Subject, TranslationSubject
from minigan.metrics.relabelling import RelabelSubject
from minigan.metrics.sentences import SentenceSubject, Speaker
from minigan.metrics.speech import SpeechSubject
from minigan.metrics.subject import Asked, Judge
from minigan.metrics.translations import Translators
from minigan.models.features import discriminator_features, trunk

CHUNK = 256  # samples generated at a time, so that any number fits into memory

Draw = Callable[[int, np.random.Generator], Array]


def in_chunks(make: Callable[..., Array], *inputs: Array) -> Array:
    """make(*inputs), CHUNK rows of the inputs at a time."""
    starts = range(0, len(inputs[0]), CHUNK)
    return np.concatenate([make(*(a[i : i + CHUNK] for a in inputs)) for i in starts])


def drawing(algorithm: Algorithm) -> Draw:
    """The function from n and rng to n samples, a chunk at a time."""

    def draw(n: int, rng: np.random.Generator) -> Array:
        sizes = [min(CHUNK, n - start) for start in range(0, n, CHUNK)]
        return np.concatenate([to_host(algorithm.sample(size, rng)) for size in sizes])

    return draw


def asking(algorithm: Algorithm) -> Asked | None:
    """Its samples by their labels, as the data has these; None where they cannot be asked for."""
    if not isinstance(algorithm, Conditional):
        return None

    def draw(n: int, rng: np.random.Generator) -> tuple[Array, Array]:
        labels = algorithm.draw_labels(n, rng)
        return make(labels, rng), labels

    def make(labels: Array, rng: np.random.Generator) -> Array:
        return in_chunks(algorithm.generate, algorithm.prior.draw(len(labels), rng), labels)

    return Asked(algorithm.label_names, draw, make)


def judging(
    algorithm: Algorithm, anew: Callable[[], Algorithm], data: Callable[[], Dataset]
) -> Judge | None:
    """D as it sees pictures, and as one built `anew` does; None without a D of convolutions."""
    D = algorithm.networks.get("D")
    if D is None or not trunk(D):
        return None

    def seen(by: Algorithm, x: Array) -> Array:
        return to_host(discriminator_features(by.networks["D"], to_device(x, by.device)))

    return Judge(partial(seen, algorithm), lambda x: seen(anew().to(algorithm.device), x), data)


def translating(algorithm: Translating) -> Translators:
    """Its generators as functions from pictures of the host and rng to pictures."""
    return {name: partial(algorithm.translate, name=name) for name in algorithm.translators}


def made_by(algorithm: Algorithm) -> Any:
    """What a subject of the metrics measures: translations, enhanced speech, what says sentences,
    or samples."""
    if isinstance(algorithm, AgeCGAN):
        kept, *others = algorithm.ways
        ways = {"G": kept} | {way: way for way in others}
        relabel = algorithm.relabel
        return {name: partial(in_chunks, partial(relabel, way=way)) for name, way in ways.items()}
    if isinstance(algorithm, Relabelling):
        return {"G": partial(in_chunks, algorithm.relabel)}
    if isinstance(algorithm, SEGAN):
        return algorithm.enhance
    if isinstance(algorithm, SeqGAN):
        return Speaker(drawing(algorithm), algorithm.log_likelihood)
    return translating(algorithm) if isinstance(algorithm, Translating) else drawing(algorithm)


def subject_of(
    made: Any,
    data: Dataset,
    *,
    split: str,
    held_out: Dataset | None = None,
    extractor: str | None = None,
    seed: int = 0,
    asked: Asked | None = None,
    judge: Judge | None = None,
    classify: Callable[[Array], Array] | None = None,
    training: Callable[[], Any] | None = None,
) -> Subject:
    """What `made_by` gave before the data, for metrics; `training` opens what was trained on, and
    `classify` names the classes of pictures, of translations that learn to."""
    if isinstance(data, Relabelled):
        return RelabelSubject(made, data, split=split, extractor=extractor, seed=seed)
    if isinstance(data, Applied):
        made = {"G": made["G"]}
    if isinstance(data, Sounds):
        return SpeechSubject(made, data, split=split, seed=seed)
    if isinstance(data, Sentences):
        return SentenceSubject(made, data, split=split, training=training, seed=seed)
    if isinstance(data, Pairs):
        return TranslationSubject(
            made, data, split=split, extractor=extractor, seed=seed, classify=classify
        )
    return Subject(
        made,
        data,
        split=split,
        held_out=held_out,
        extractor=extractor,
        seed=seed,
        asked=asked,
        judge=judge,
    )
