"""A stored game goes on to the bit, and a file of another one is refused whole."""

import json

import numpy as np
import pytest

from minigan.backend import make_rng, restore_rng, rng_state
from minigan.errors import CheckpointError
from minigan.optim import Adam, Momentum
from minigan.schedule import cosine
from tests.algorithms.games import (
    changed,
    digits,
    make_examples,
    make_game,
    mixed,
    pictures,
    points,
    snapshot,
)

OPTIMIZERS = {
    "adam on a cosine": lambda p: Adam(p, cosine(2e-3, end=6), beta1=0.5),
    "momentum": lambda p: Momentum(p, 0.01),
}


def stored(game):
    """What a checkpoint holds: copies of the arrays, and the random state through JSON."""
    arrays = {name: a.copy() for name, a in game.state_dict().items()}
    return arrays, json.loads(json.dumps(rng_state(game.rng)))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("optimizer", OPTIMIZERS.values(), ids=OPTIMIZERS)
@pytest.mark.parametrize("ema", [0.0, 0.9], ids=["live", "averaged"])
@pytest.mark.parametrize("pair", [pictures, mixed, digits], ids=lambda p: p.__name__)
def test_resumes_to_the_bit(pair, ema, optimizer, dtype):
    """mixed holds dropout, whose masks go on too."""
    options = {"ema": ema, "optimizer": optimizer, "dtype": dtype, "k": 2}
    batches = [make_examples(pair, 6, seed, dtype) for seed in range(6)]
    unbroken = make_game(pair, **options)
    for x in batches[:3]:
        unbroken.step(x)
    arrays, random = stored(unbroken)

    resumed = make_game(pair, seed=8, **options)
    kept = {name: a.copy() for name, a in arrays.items()}
    assert changed(kept, resumed.state_dict())
    resumed.load_state_dict(arrays)
    restore_rng(resumed.rng, random)
    for x in batches[3:]:
        assert unbroken.step(x) == resumed.step(x)
    assert changed(unbroken.state_dict(), resumed.state_dict()) == set()
    samples = [game.sample(3, make_rng(1)) for game in (unbroken, resumed)]
    np.testing.assert_array_equal(*samples)
    assert changed(kept, arrays) == set()  # what was loaded was copied


def test_every_piece_of_state_has_a_name():
    game = make_game(mixed, ema=0.9)
    names = set(game.state_dict())
    assert names == {
        *(f"G.{name}" for name in (*game.G.params, *game.G.buffers)),
        *(f"D.{name}" for name in (*game.D.params, *game.D.buffers)),
        *(f"optimizer.{player}.{name}" for player in "GD" for name in ("m", "v", "t")),
        *(f"average.G.{name}" for name in ("params", "2.running_mean", "2.running_var")),
    }
    assert {"G.2.running_mean", "D.3.noise", "D.1.weight"} <= names


def without(name):
    return lambda state: {k: a for k, a in state.items() if k != name}


def with_array(name, array):
    return lambda state: {**state, name: array}


def last_of_average(state):
    return {**state, "average.G.params": state["average.G.params"][:-1]}


# how a checkpoint is spoilt, and what the refusal says
SPOILT = {
    "a weight is missing": (without("G.0.weight"), r"^G\.0\.weight is missing in the checkpoint"),
    "a statistic is missing": (without("G.2.running_var"), r"^G\.2\.running_var is missing"),
    "no average": (without("average.G.params"), r"^average\.G\.params is missing"),
    "one too many": (with_array("D.9.bias", np.zeros(3)), r"^D\.9\.bias .* and missing here"),
    "another shape": (with_array("D.1.bias", np.zeros(9)), r"^D\.1\.bias is float64 \(9,\)"),
    "another dtype": (with_array("D.1.bias", np.zeros(35, np.float32)), r"^D\.1\.bias is float32"),
    "the very last array": (last_of_average, r"^average\.G\.params is float64"),
    "another optimiser": (without("optimizer.D.m"), r"^optimizer\.D\.m is missing"),
    "empty": (lambda state: {}, "is missing in the checkpoint"),
}


@pytest.mark.parametrize(("spoil", "says"), SPOILT.values(), ids=SPOILT)
def test_a_state_that_does_not_fit_changes_nothing(spoil, says):
    """Not even the arrays that would have fitted."""
    trained, game = make_game(mixed, ema=0.9, seed=1), make_game(mixed, ema=0.9)
    for one, seed in ((trained, 1), (game, 2)):
        one.step(make_examples(mixed, 4, seed))
    before = snapshot(game)
    with pytest.raises(CheckpointError, match=says):
        game.load_state_dict(spoil(trained.state_dict()))
    assert changed(before, snapshot(game)) == set()


@pytest.mark.parametrize("other", [digits, points, pictures], ids=lambda p: p.__name__)
def test_a_state_of_another_architecture_is_refused(other):
    game = make_game(mixed)
    with pytest.raises(CheckpointError, match="belongs to another architecture"):
        game.load_state_dict(make_game(other).state_dict())


def test_contexts_from_before_a_load_are_stale():
    game = make_game(points)
    versions = [net.flat.version.count for net in game.networks.values()]
    game.load_state_dict(make_game(points, seed=3).state_dict())
    assert all(
        net.flat.version.count > version
        for net, version in zip(game.networks.values(), versions, strict=True)
    )
