"""Checks of options name the option, what was given and what is allowed."""

from types import SimpleNamespace

import pytest

from minigan.algorithms import recipe
from minigan.algorithms.checks import (
    check_bounded,
    check_clip_norm,
    check_counts,
    check_network,
    check_units,
    check_weights,
)
from minigan.errors import OptionError
from minigan.losses import objectives

INF, NAN = float("inf"), float("nan")


def of(**given: object) -> SimpleNamespace:
    return SimpleNamespace(**given)


def test_counts() -> None:
    check_counts(of(z_dim=1, width=None), "z_dim", "width")
    check_counts(of(stage_steps=0), "stage_steps", least=0)
    with pytest.raises(OptionError, match=r"^--z-dim 0 must be at least 1$"):
        check_counts(of(width=3, z_dim=0), "width", "z_dim")
    with pytest.raises(OptionError, match=r"^--stage-steps -1 must be at least 0$"):
        check_counts(of(stage_steps=-1), "stage_steps", least=0)


@pytest.mark.parametrize("value", [-1e-9, INF, NAN])
def test_weights(value: float) -> None:
    check_weights(of(beta=0.0, kl_weight=None), "beta", "kl_weight")
    with pytest.raises(OptionError, match=rf"^--kl-weight {value} must be at least 0 and finite$"):
        check_weights(of(beta=1.0, kl_weight=value), "beta", "kl_weight")


def test_units() -> None:
    check_units(of(hidden_G=(), hidden_D=(1, 2)), "hidden_G", "hidden_D")
    with pytest.raises(OptionError, match=r"^--hidden-D 4,0: a layer has at least 1 unit$"):
        check_units(of(hidden_G=(3,), hidden_D=(4, 0)), "hidden_G", "hidden_D")


@pytest.mark.parametrize("value", [0.0, -1.0, NAN])
def test_clip_norm(value: float) -> None:
    check_clip_norm(of(clip_norm=None))
    check_clip_norm(of(clip_norm=1e-3))
    with pytest.raises(OptionError, match=f"^--clip-norm {value} must be above 0$"):
        check_clip_norm(of(clip_norm=value))


@pytest.mark.parametrize("name", objectives.OBJECTIVES)
def test_what_bounds_D(name: str) -> None:
    objective = objectives.get(name)
    check_bounded(of(clip_weights=0.01, penalty="none"), objective)
    check_bounded(of(clip_weights=None, penalty="r1"), objective)
    check_bounded(of(penalty="none", spectral_norm=True), objective)
    if name != "wasserstein":
        check_bounded(of(), objective)
        return
    with pytest.raises(OptionError, match=r"^--objective wasserstein .*; give another"):
        check_bounded(of(), objective)
    loose = of(clip_weights=0.0, penalty="none", spectral_norm=False)
    with pytest.raises(OptionError, match=r"; give --clip-weights or --penalty or --spectral"):
        check_bounded(loose, objective)


@pytest.mark.parametrize("name", ["infogan", "cogan"])
def test_penalties_are_not_advised_where_they_are_refused(name: str) -> None:
    options = recipe(name).options(objective="wasserstein")
    with pytest.raises(OptionError, match=r"; give --clip-weights$"):
        check_bounded(options, objectives.get("wasserstein"))


def test_networks() -> None:
    check_network(of(network="mlp"), (2,))
    check_network(of(network="conv"), (8, 8, 3))
    with pytest.raises(OptionError, match=r"^--network conv takes pictures, .* shape \(2,\); use"):
        check_network(of(network="conv"), (2,))
