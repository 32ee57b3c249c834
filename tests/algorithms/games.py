"""Small two-player games for the tests of Algorithm 1."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest

from minigan import models
from minigan.algorithms.gan import GAN
from minigan.backend import make_rng
from minigan.errors import NonFiniteError
from minigan.layers import FlatParams, Layer
from minigan.noise import restore_rng, rng_state
from minigan.optim import Adam, Optimizer
from minigan.prior import Prior

Array = np.ndarray
Z_DIM = 6


def points(rng: np.random.Generator) -> tuple[Layer, Layer]:
    """Perceptrons on the plane."""
    G = models.mlp_generator(Z_DIM, (2,), hidden=(9, 8), bounded=False, rng=rng)
    return G, models.mlp_discriminator((2,), hidden=(7, 6), num_pieces=3, rng=rng)


def digits(rng: np.random.Generator) -> tuple[Layer, Layer]:
    """Perceptrons on small grey pictures."""
    G = models.mlp_generator(Z_DIM, (5, 4, 1), hidden=(9, 8), rng=rng)
    return G, models.mlp_discriminator((5, 4, 1), hidden=(7, 6), num_pieces=3, rng=rng)


def pictures(rng: np.random.Generator) -> tuple[Layer, Layer]:
    """DCGAN: batch norm in both players."""
    G = models.dcgan_generator(Z_DIM, (16, 16, 3), width=3, rng=rng)
    return G, models.dcgan_discriminator((16, 16, 3), width=3, rng=rng)


def mixed(rng: np.random.Generator) -> tuple[Layer, Layer]:
    """Batch norm in G, dropout in D."""
    G = models.dcgan_generator(Z_DIM, (8, 8, 1), width=2, rng=rng)
    return G, models.mlp_discriminator((8, 8, 1), hidden=(7,), dropout=0.4, rng=rng)


SHAPES = {points: (2,), digits: (5, 4, 1), pictures: (16, 16, 3), mixed: (8, 8, 1)}
Pair = Callable[[np.random.Generator], tuple[Layer, Layer]]


def make_game(
    pair: Pair,
    *,
    dtype: Any = np.float64,
    seed: int = 0,
    optimizer: Callable[[FlatParams], Optimizer] = lambda params: Adam(params, 2e-3, beta1=0.5),
    prior: str = "normal",
    game: type[GAN] = GAN,
    **options: Any,
) -> GAN:
    G, D = (net.astype(dtype) for net in pair(make_rng(seed)))
    return game(
        G,
        D,
        optimizer_G=optimizer(G.flat),
        optimizer_D=optimizer(D.flat),
        prior=Prior(prior, Z_DIM, dtype),
        rng=make_rng(seed, 1),
        **options,
    )


def make_examples(pair: Pair, n: int, seed: int = 7, dtype: Any = np.float64) -> Array:
    """Smooth numbers in (-1, 1), unlike from example to example."""
    return np.tanh(make_rng(seed).standard_normal((n, *SHAPES[pair])) + 0.5).astype(dtype)


def snapshot(game: GAN) -> dict[str, Array]:
    """A copy of the whole state, with the gradients and the versions."""
    state = {name: a.copy() for name, a in game.state_dict().items()}
    for name, net in game.networks.items():
        state[f"{name} gradient"] = net.flat.grad.copy()
        state[f"{name} version"] = np.array(net.flat.version.count)
    return state


def changed(before: dict[str, Array], after: dict[str, Array]) -> set[str]:
    """The names of the arrays that differ by as much as a bit."""
    assert before.keys() == after.keys()
    return {name for name, a in before.items() if a.tobytes() != after[name].tobytes()}


def assert_resumes(
    unbroken: Any, resumed: Any, batches: Sequence[Any], at: int | None = None
) -> dict[str, Array]:
    """What is stored after `at` batches, half of them unless told, goes on to the bit.

    resumed: a game like `unbroken` with other weights and noise. A batch is what a step takes, a
    tuple where that is several arrays. Returns what was stored.
    """
    given = [batch if isinstance(batch, tuple) else (batch,) for batch in batches]
    at = len(given) // 2 if at is None else at
    for xs in given[:at]:
        unbroken.step(*xs)
    arrays = {name: a.copy() for name, a in unbroken.state_dict().items()}
    random = json.loads(json.dumps(rng_state(unbroken.rng)))
    resumed.load_state_dict(arrays)
    restore_rng(resumed.rng, random)
    for xs in given[at:]:
        assert unbroken.step(*xs) == resumed.step(*xs)
    assert changed(unbroken.state_dict(), resumed.state_dict()) == set()
    return arrays


def held_back(algorithm: Any, first: str, second: str, x: Array) -> None:
    """Two networks move at once: where the second one cannot, the first has not moved either.

    `first` and `second` are the algorithm's attributes; the second one's gradient is spoilt while
    the first one's is found.
    """
    moved, spoilt = getattr(algorithm, first), getattr(algorithm, second)
    backward, before = moved.backward, moved.flat.data.copy()

    def spoiling(*args: Any, **how: Any) -> Any:
        spoilt.flat.grad[0] = np.nan
        return backward(*args, **how)

    moved.backward = spoiling
    with pytest.raises(NonFiniteError, match=f"the gradient of {second}'s parameter"):
        algorithm.step(x)
    np.testing.assert_array_equal(moved.flat.data, before)
