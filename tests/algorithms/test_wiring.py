"""Which part gets what: the noise that D is shown, whose rate a network has, where a schedule ends.

Each part is right by itself elsewhere; here it stands in its place.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from minigan.algorithms import ALGORITHMS, Task
from minigan.algorithms.gan import GAN
from minigan.algorithms.options import AdversarialOptions, Streams
from minigan.layers import Dense, Dropout, Layer, LeakyReLU, Maxout, Sequential
from minigan.training import RunOptions, Trainer
from minigan.training.labels import inputs

SHOWN = 7.0  # in place of every number that D is shown


def game(name: str, **given: Any) -> Trainer:
    """The algorithm on small pictures of its own data."""
    options = ALGORITHMS[name].options.of(**given)
    run = RunOptions(batch=4, steps=10, size="16", threads=1)
    return Trainer.start(name, options, run, Path("/nowhere/run"))


@pytest.mark.parametrize(
    "name", ["dcgan", "cdcgan", "acgan", "infogan", "semi-supervised", "clustergan"]
)
def test_D_never_sees_what_it_is_not_shown(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Instance noise lies on everything, real and generated, in both players' updates."""
    made = game(name, width=4, z_dim=4)
    assert isinstance(made.algorithm, GAN)
    monkeypatch.setattr(made.algorithm, "shown", lambda x: np.full_like(x, SHOWN))
    seen = []
    shape = made.dataset.shape

    def watched(layer: Layer) -> None:
        forward = layer.forward

        def noted(x: Any, *more: Any, **how: Any) -> Any:
            if np.shape(x)[1:] == shape:
                seen.append(np.asarray(x))
            return forward(x, *more, **how)

        monkeypatch.setattr(layer, "forward", noted)

    watched(made.algorithm.D)
    for layer in getattr(made.algorithm.D, "layers", []):
        watched(layer)
    if name == "semi-supervised":  # its labelled examples are no part of the game
        monkeypatch.setattr(made.algorithm, "supervise", lambda m: {"supervised": 0.0})
    with np.errstate(all="ignore"):
        made.algorithm.step(*inputs(made.loader.batch(0), made.conditions))
    assert len(seen) >= 3  # real and generated in D's update, generated in G's
    assert all(np.allclose(x, SHOWN) for x in seen)  # a penalty interpolates


@pytest.mark.parametrize(
    ("name", "rates"),
    [
        ("dcgan", {"G": 0.3, "D": 0.2}),
        ("cdcgan", {"G": 0.3, "D": 0.2}),
        ("clustergan", {"G": 0.3, "D": 0.2, "E": 0.3}),
        ("gan-cls", {"G": 0.3, "D": 0.2, "E": 0.2}),
        ("stackgan", {"G1": 0.3, "D1": 0.2, "E": 0.2, "C1": 0.3}),
    ],
)
def test_each_network_has_its_players_rate(name: str, rates: dict[str, float]) -> None:
    made = game(name, width=4, z_dim=4, lr_G=0.3, lr_D=0.2)
    optimizers = made.algorithm.optimizers
    assert {net: optimizers[net].schedule(0) for net in rates} == rates


def test_schedules_end_with_the_run_or_where_they_are_told() -> None:
    net = Sequential(Dense(2, 1, rng=np.random.default_rng(0)))
    task = Task((2,), "points", 100)

    def rate(step: int, **given: Any) -> float:
        options = AdversarialOptions.of(lr=1.0, **given)
        return float(options.build_optimizer(net.flat, task).schedule(step))

    assert rate(50, schedule="cosine") == pytest.approx(0.5)
    assert rate(100, schedule="cosine") == pytest.approx(0)
    assert rate(50, schedule="linear") == 1
    assert rate(75, schedule="linear") == pytest.approx(0.5)
    assert rate(30, schedule="linear", decay_end=40) == pytest.approx(0.5)
    assert rate(0, warm_up=10) < rate(5, warm_up=10) < rate(20, warm_up=10) == 1


def test_stages_are_the_run_in_equal_parts() -> None:
    assert game("stackgan", width=4).algorithm.stage_steps == 5  # type: ignore[attr-defined]


@pytest.mark.parametrize("network", ["conv", "mlp"])
@pytest.mark.parametrize("dropout", [0.0, 0.5])
def test_the_features_that_match_are_the_last_before_the_logits(
    network: str, dropout: float
) -> None:
    made = game("semi-supervised", network=network, dropout=dropout, width=4)
    assert isinstance(made.algorithm, GAN)
    C: Any = made.algorithm.D.layers[0]  # type: ignore[attr-defined]
    place = int(made.algorithm.generator_loss.layer.rpartition(".")[2])  # type: ignore[attr-defined]
    above = C.layers[place + 1 :]
    assert [type(layer) for layer in above] == [Dropout, Dense][0 if dropout else 1 :]
    assert not isinstance(C.layers[place], Dropout)
    assert isinstance(C.layers[place], LeakyReLU | Maxout) or network == "conv"


@pytest.mark.parametrize("k", [1, 3])
def test_rates_count_iterations_however_many_steps_D_takes_in_each(k: int) -> None:
    task = Task((2,), "points", 10, batch=6)
    chosen = ALGORITHMS["gan"]
    small = {"hidden_G": (4,), "hidden_D": (4,), "schedule": "linear", "warm_up": 2}
    game = chosen.build(chosen.options.of(**small, k=k), task, Streams(0))
    of_G, of_D = (game.optimizers[player].schedule for player in "GD")
    for i in range(12):
        assert [of_D(i * k + j) for j in range(k)] == k * [of_G(i)]
    assert of_G(9) > of_G(10) == 0


def test_rates_of_critics_of_cycles_count_iterations() -> None:
    pictures = Task((16, 16, 6), "pairs", 10, batch=2, channels=(3, 3))
    chosen = ALGORITHMS["dualgan"]
    small = {"width": 2, "schedule": "linear", "patch": 16, "k": 2}
    game = chosen.build(chosen.options.of(**small), pictures, Streams(0))
    for name, optimizer in game.optimizers.items():
        end = 20 if name.startswith("D") else 10
        assert optimizer.schedule(end - 1) > optimizer.schedule(end) == 0, name


def test_noise_of_the_supervised_baseline_falls_as_that_of_the_game() -> None:
    """G stands still there, so that D's steps count."""
    for supervised_only in (False, True):
        made = game(
            "semi-supervised", network="conv", width=4, z_dim=4, supervised_only=supervised_only
        )
        assert isinstance(made.algorithm, GAN)
        for i in range(3):
            assert made.algorithm.iteration == i
            made.algorithm.step(*inputs(made.loader.batch(i), made.conditions))
