"""A generator of sentences as a policy: each token is an action, drawn from G's softmax.

G (models/seqgan.py) reads START and then the sentence. Where sentences `end`, token 0 ends them,
and whatever stands behind it is 0 as well; otherwise 0 is a token like the others. Tokens are
drawn from one uniform number each (ops/tokens.py).

A roll-out completes the beginning of a sentence by a policy. `continuations` does so for all of
the beginnings at once: those of 1, ..., T - 1 tokens. Beginnings of the same sentence share their
states, so that with a block of rows for each of them only what is drawn is computed:

    place      1         2           3                       T - 1
    rows       y_1*      y_1 |       y_1 | y_2 |             ...      one block more at each
               drawn     drawn drawn drawn drawn drawn
"""

from __future__ import annotations

from typing import Any

import numpy as np

from minigan.backend import Array, joined, stacked
from minigan.layers import LSTM, Dense, Embedding, Sequential
from minigan.layers.lstm import State
from minigan.noise import Rng
from minigan.ops.tokens import draw_tokens

START = 0  # the token in front of every sentence


def before(y: Array) -> Array:
    """What stands before each place of sentences (N, T): START, and the sentence but its last."""
    shifted = np.zeros_like(y)
    shifted[:, 1:] = y[:, :-1]
    return shifted


def logits_of(G: Sequential, y: Array) -> tuple[Array, Any]:
    """The logits (N, T, V) of every token of y (N, T), after those before it, and G's context."""
    return G.forward(before(y))


def said(y: Array, ends: bool, dtype: Any) -> Array:
    """1 at each place of y (N, T) whose token was drawn, 0 behind a sentence's end."""
    if not ends:
        return np.ones_like(y, dtype=dtype)
    going = (before(y) > 0).astype(dtype)
    going[:, 0] = 1
    return going


def draw_sentences(G: Sequential, n: int, length: int, rng: Rng, ends: bool) -> Array:
    """n sentences, int64 (n, length), a token after the other."""
    embedding, lstm, head = _parts(G)
    state = lstm.begin(n)
    token = np.zeros_like(state.h, shape=(n,), dtype=np.int64) + START
    drawn: list[Array] = []
    for t in range(length):
        state = _read(embedding, lstm, token, state)
        after = _draw(head, state, rng)
        token = after * (token > 0) if ends and t else after
        drawn.append(token)
    return stacked(drawn, 1)


def continuations(G: Sequential, y: Array, rng: Rng, ends: bool) -> Array:
    """Sentences (T - 1, N, T): the i-th have the first i + 1 tokens of y (N, T), the rest by G."""
    embedding, lstm, head = _parts(G)
    n, length = y.shape
    found = np.zeros_like(y, shape=(length - 1, n, length)) + y
    state = _read(embedding, lstm, np.zeros_like(y[:, 0]) + START, lstm.begin(n))
    tokens = y[:, 0]
    for t in range(1, length):
        state = _read(embedding, lstm, tokens, state)  # t blocks; the last one has read y alone
        drawn = _draw(head, state, rng)
        if ends:
            drawn = drawn * (tokens > 0)
        found[:t, :, t] = drawn.reshape(t, n)
        tokens = joined([drawn, y[:, t]])
        state = State(*(joined([part, part[-n:]]) for part in state))
    return found


def _parts(G: Sequential) -> tuple[Embedding, LSTM, Dense]:
    embedding, lstm, head = G.layers
    assert isinstance(embedding, Embedding)
    assert isinstance(lstm, LSTM)
    assert isinstance(head, Dense)
    return embedding, lstm, head


def _read(embedding: Embedding, lstm: LSTM, tokens: Array, state: State) -> State:
    rows, _ = embedding.forward(tokens)
    return lstm.advance(rows, state)


def _draw(head: Dense, state: State, rng: Rng) -> Array:
    logits, _ = head.forward(state.h)
    return draw_tokens(logits, rng.uniform(0.0, 1.0, len(logits)))
