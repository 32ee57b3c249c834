r"""How good generated sentences are: by an oracle, by held-out sentences, and by their words.

    NLL_oracle   -E_{Y ~ G} [sum_t log G_oracle(y_t | Y_{1:t-1})]      (Yu et al. 2017, eq. 9)
    NLL_test     -E_{Y ~ data} [sum_t log G(y_t | Y_{1:t-1})]          (Zhu et al. 2018, Texygen)

per token, as the paper's table and the authors' code have both. NLL_oracle asks whether what is
generated is likely in truth, and a generator that only ever says one likely sentence would be best;
NLL_test asks whether all that is true is likely to be generated. So both belong together.

Of the words of n sentences:

    distinct    share of different sentences
    distinct-1, distinct-2   different words and pairs of neighbours over all of them
                             (Li et al. 2016, arXiv:1510.03055)
    new         share that stands nowhere in the training data
    captions    of captions the share that the grammar allows (text/grammar.py)
"""

from __future__ import annotations

from collections.abc import Callable
from copy import copy
from typing import NamedTuple

import numpy as np

from minigan.backend import Array
from minigan.data import Sentences
from minigan.data.oracle import Oracle
from minigan.errors import DataError
from minigan.losses.tokens import token_log_likelihood
from minigan.metrics.result import Result
from minigan.metrics.subject import Subject
from minigan.models import policy
from minigan.text import KITTENS

NONE = "none"
CHUNK = 200  # sentences whose probabilities are looked at together


class Speaker(NamedTuple):
    """A generator of sentences.

    draw            n, rng -> sentences (n, T)
    log_likelihood  sentences (N, T) -> the mean log-probability of a token of each, (N,)
    """

    draw: Callable[[int, np.random.Generator], Array]
    log_likelihood: Callable[[Array], Array]


class SentenceSubject(Subject):
    """Generated sentences before those of the data.

    speaker: the generator; None: data alone, which has no likelihood
    """

    data: Sentences

    def __init__(
        self,
        speaker: Speaker | Callable[[int, np.random.Generator], Array],
        data: Sentences,
        *,
        split: str,
        training: Callable[[], Sentences] | None = None,
        seed: int = 0,
    ) -> None:
        draw = speaker.draw if isinstance(speaker, Speaker) else speaker
        super().__init__(draw, data, split=split, seed=seed)
        self.log_likelihood = speaker.log_likelihood if isinstance(speaker, Speaker) else None
        self.training = training

    def redrawn(self, made: Speaker) -> SentenceSubject:  # type: ignore[override]
        """Another generator before the same data."""
        other = copy(self)
        other._draw, other._of_samples = made.draw, {}
        other.log_likelihood = made.log_likelihood
        return other


def nll_oracle(subject: Subject, n: int) -> Result:
    """NLL_oracle of n sentences, and of as many of the oracle's own: its entropy."""
    assert isinstance(subject.data, Oracle)
    made, real = (_nll(subject.data, y) for y in (subject.samples(n), subject.real(n)))
    return _result(
        "nll-oracle",
        {"nll": made, "of the oracle itself": real},
        "nats a token of generated sentences under the oracle (Yu et al. 2017, eq. 9, per token)",
        subject,
        n,
        n,
    )


def nll_test(subject: Subject, n: int) -> Result:
    """NLL_test of n sentences of the data. Raises DataError for samples without a likelihood."""
    if not isinstance(subject, SentenceSubject) or subject.log_likelihood is None:
        raise DataError("nll-test needs a generator that says how likely sentences are: seqgan's")
    n = subject.paired(n)
    y = subject.real(n)
    parts = [subject.log_likelihood(y[i : i + CHUNK]) for i in range(0, len(y), CHUNK)]
    return _result(
        "nll-test",
        {"nll": -float(np.concatenate(parts).astype(np.float64).mean())},
        "nats a token of sentences of the data under the generator (Zhu et al. 2018)",
        subject,
        n,
        0,
    )


def sentences(subject: Subject, n: int) -> Result:
    """Shares of n sentences that are different, new, and captions where these are known."""
    assert isinstance(subject, SentenceSubject)
    data, y = subject.data, subject.samples(n)
    made = data.written(y)
    values = {"distinct": len(set(made)) / n, **distinct(y, data.ends)}
    n_real = 0
    if subject.training is not None:
        known = subject.training()
        stored = set(known.written(known.tokens))
        values["new"] = sum(sentence not in stored for sentence in made) / n
        n_real = len(known)
    if data.name == "captions":
        values["captions"] = sum(map(KITTENS.allows, made)) / n
        values["words"] = float(np.mean([len(sentence.split()) for sentence in made]))
    return _result(
        "sentences",
        values,
        "shares of generated sentences; distinct-1 and -2 over words and pairs of neighbours (Li "
        "et al. 2016); new: in no sentence of the training data",
        subject,
        n_real,
        n,
    )


def distinct(y: Array, ends: bool) -> dict[str, float]:
    """distinct-1 and distinct-2 of sentences (N, T); 0 behind an end is no word."""
    going = y > 0 if ends else np.ones_like(y, bool)
    words = y[going]
    pairs = np.stack([y[:, :-1], y[:, 1:]], -1)[going[:, :-1] & going[:, 1:]]
    return {
        "distinct-1": len(np.unique(words)) / max(1, len(words)),
        "distinct-2": len(np.unique(pairs, axis=0)) / max(1, len(pairs)),
    }


def _nll(oracle: Oracle, y: Array) -> float:
    """-log G_oracle of a token of sentences (N, T), the mean."""
    found = []
    for i in range(0, len(y), CHUNK):
        part = y[i : i + CHUNK]
        logits, _ = policy.logits_of(oracle.G, part)
        found.append(token_log_likelihood(logits, part).astype(np.float64))
    return -float(np.concatenate(found).mean())


def _result(
    name: str, values: dict[str, float], protocol: str, subject: Subject, real: int, fake: int
) -> Result:
    return Result(
        name,
        values,
        protocol,
        extractor=NONE,
        split=subject.split,
        n_real=real,
        n_fake=fake,
        seed=subject.seed,
    )
