"""Sentences and roll-outs of a policy, beside those of one sentence at a time."""

import numpy as np
import pytest

from minigan.backend import make_rng
from minigan.models import policy, sentence_generator
from minigan.ops.tokens import draw_tokens

WORDS, LENGTH, N = 6, 5, 4


class Given:
    """Uniform numbers that are known: those of each draw by their shape."""

    def __init__(self, seed):
        self.rng, self.drawn = make_rng(seed), []

    def uniform(self, low, high, size):
        self.drawn.append(self.rng.uniform(low, high, size))
        return self.drawn[-1]

    def standard_normal(self, size):
        raise AssertionError("a policy draws uniform numbers")


@pytest.fixture
def G():
    return sentence_generator(WORDS, embedding=3, hidden=4, deviation=0.9, rng=make_rng(0)).astype(
        np.float64
    )


def slowly(G, start, u, ends):
    """A sentence that goes on from `start`, token by token, each time from START on."""
    said = [*start]
    for t in range(len(start), LENGTH):
        row = np.array([[*said, 0]])
        logits, _ = policy.logits_of(G, row)
        token = int(draw_tokens(logits[:, -1], np.array([u[t]]))[0])
        said.append(0 if ends and said and said[-1] == 0 else token)
    return said


@pytest.mark.parametrize("ends", [False, True])
def test_sentences_are_drawn_token_by_token(G, ends):
    noise = Given(1)
    y = policy.draw_sentences(G, N, LENGTH, noise, ends)
    u = np.stack(noise.drawn, 1)
    assert u.shape == (N, LENGTH)
    assert y.tolist() == [slowly(G, [], row, ends) for row in u]
    assert len(np.unique(y, axis=0)) > 1


@pytest.mark.parametrize("ends", [False, True])
def test_every_beginning_is_finished(G, ends):
    y = policy.draw_sentences(G, N, LENGTH, make_rng(5), ends)
    noise = Given(2)
    found = policy.continuations(G, y, noise, ends)
    assert found.shape == (LENGTH - 1, N, LENGTH)
    assert [u.shape for u in noise.drawn] == [(t * N,) for t in range(1, LENGTH)]
    for given in range(1, LENGTH):
        for i in range(N):
            u = [0.0] * LENGTH
            for t in range(given, LENGTH):
                u[t] = noise.drawn[t - 1].reshape(t, N)[given - 1, i]
            assert found[given - 1, i].tolist() == slowly(G, y[i, :given], u, ends)
    assert (found != y).any()


def test_a_sentence_of_one_token_has_no_beginnings(G):
    y = np.zeros((3, 1), np.int64)
    assert policy.continuations(G, y, make_rng(0), False).shape == (0, 3, 1)


def test_what_was_said_ends_with_the_first_0():
    y = np.array([[1, 2, 0, 0], [0, 0, 0, 0], [1, 2, 3, 4], [4, 0, 0, 0]])
    said = policy.said(y, True, np.float64)
    assert said.tolist() == [[1, 1, 1, 0], [1, 0, 0, 0], [1, 1, 1, 1], [1, 1, 0, 0]]
    assert (policy.said(y, False, np.float64) == 1).all()


def test_probabilities_of_all_sentences_add_up_to_1(G):
    every = np.stack(np.meshgrid(*[np.arange(WORDS)] * 3, indexing="ij"), -1).reshape(-1, 3)
    logits, _ = policy.logits_of(G, every)
    log_p = logits - np.log(np.exp(logits).sum(2, keepdims=True))
    total = np.exp(np.take_along_axis(log_p, every[..., None], 2)[..., 0].sum(1)).sum()
    assert total == pytest.approx(1, rel=1e-12)
