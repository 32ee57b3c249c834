"""No option is passed over: another value of it changes the training, or is refused.

Each algorithm takes three steps on small pictures of its own data, once as it is and once for each
of its options with another value, in the company that the option needs. What such a step computes
is tested elsewhere; here, that the option arrives.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import Field, fields
from pathlib import Path
from types import UnionType
from typing import Any, get_args, get_origin, get_type_hints

import numpy as np
import pytest

from minigan.algorithms import ALGORITHMS
from minigan.algorithms.settings import refuse_idle
from minigan.backend import make_rng
from minigan.errors import MiniganError, OptionError
from minigan.training import RunOptions, Trainer, trainer
from minigan.training.labels import inputs

STEPS = 3
SMALL = {
    "width": 4,
    "z_dim": 4,
    "hidden_E": (9, 8),
    "hidden_G": (9, 8),
    "hidden_D": (9, 8),
    "patch": 16,
    "blocks": 1,
    "hidden": 8,
}
OWN = {
    "biggan": {"z_dim": 6},
    "cgan": {"hidden_G": (9, 8, 7), "hidden_D": (9, 8, 7)},
    "pix2pixhd": {"patch": 7, "scales": 2},
    "munit": {"scales": 2},
    "next-frame": {"optimizer": "adam", "lr": 1e-3},
    "stackgan": {"stage_steps": 1},
    "pg2": {"stage_steps": 1, "lr": 1e-3},
    "srgan": {"pretrain": 1},
    "deblurgan": {"k": 2},
    "segan": {"window": 64, "halvings": 2, "reference_batch": 2},
    "pixelda": {"lr": 1e-2},
    "seqgan": {
        **{"words": 9, "length": 5, "windows": (2, 3), "filters": (3, 2), "rollouts": 2},
        **{"pretrain_G": 1, "pretrain_D": 1, "d_steps": 2, "k": 1, "embedding": 5, "dropout": 0.25},
    },
}

# What an option needs beside it to count, tried one after another until it does.
COMPANY: dict[str, list[dict[str, Any]]] = {
    "momentum": [{"optimizer": "momentum"}],
    "alpha": [{"optimizer": "rmsprop"}],
    "beta1": [{"optimizer": "adam"}],
    "beta2": [{"optimizer": "adam"}],
    "weight_decay": [{"optimizer": "adamw"}],
    "decay_end": [{"schedule": "linear"}],
    "divergence": [{"objective": "f-gan"}],
    "pi": [{"objective": "f-gan", "divergence": "weighted-jensen-shannon"}],
    "trick": [{"objective": "f-gan"}],
    **{name: [{"objective": "lsgan"}] for name in "abc"},
    "epsilon": [{"objective": "margin"}],
    "margin": [{"objective": "ebgan"}],
    "gamma": [{"objective": "began"}],
    "rate": [{"objective": "began"}],
    "scale": [{"likelihood": "gaussian"}, {"generator_loss": "objective"}],
    "penalty": [{"norm_D": "none"}],
    "penalty_weight": [{"penalty": "r1"}, {"penalty": "r1", "norm_D": "none"}],
    "penalty_target": [{"penalty": "wgan-gp"}, {"penalty": "wgan-gp", "norm_D": "none"}],
    "penalty_power": [{"penalty": "wgan-div"}, {"penalty": "wgan-div", "norm_D": "none"}],
    "penalty_spread": [{"penalty": "dragan"}, {"penalty": "dragan", "norm_D": "none"}],
    "reference_batch": [{"norm_D": "reference"}, {"norm_G": "reference"}, {"norm": "virtual"}],
    "feature_layer": [{"feature_matching": True}],
    "width": [{"network": "conv"}],
    "hidden_E": [{"network": "mlp"}],
    "hidden_G": [{"network": "mlp"}],
    "hidden_D": [{"network": "mlp"}],
    "class_weight": [{"d_sees": "auxiliary"}],
    "real_classes": [{"d_sees": "auxiliary"}],
    "embed_dim": [{"d_sees": "late"}],
    "blocks": [{"generator": "resnet"}],
    "halvings": [{"generator": "unet"}],
    "patch": [{"discriminator": "patch"}],
    "weight_close": [{"distance": "l2"}],
    "power": [{"distance": "power"}],
    "growth": [{"generator": "rrdb"}],
    "content_layer": [{"content": "kittens"}],
    "content_before": [{"content": "kittens"}],
    "stages": [{"stage_steps": 2}],
    "weight_content": [{"content": "all"}],
}
VALUES: dict[str, list[Any]] = {
    "clip_weights": [1e-3],
    "clip_norm": [1e-3],
    "label": ["digit", "class"],
    "z_dim": [6, 9],
    "width": [6, 8],
    "width_D": [6, 8],
    "frames": [3],
    "patch": [34, 7],
    "decay_end": [2, 30],
    "labels": [200],
    "x_channels": [1, 3],
    "y_channels": [1, 3],
    "reference_batch": [3],
    "window": [128],
    "stages": [1, 3],
    "attention": [0, 8],
    "words": [12],
    "length": [4],
    "windows": [(1, 3)],
    "filters": [(2, 4)],
    "pretrain_G": [2],
    "pretrain_D": [2],
}
# Of no consequence for a training, or for these small ones.
ELSEWHERE = {
    ("*", "running_statistics"): "how a trained G translates: tests/training/test_translations.py",
    ("age-cgan", "recogniser"): "how a trained G is inverted: test_age_cgan.py",
    ("age-cgan", "iterations"): "as the recogniser",
    ("pix2pixhd", "scales"): "pictures of 16x16 have no third scale",
    ("bicyclegan", "encoder"): "pictures of 16x16 are halved once, which both do in one way",
    ("munit", "dropout"): "there is none in its networks, which the option's help says",
    ("unit", "dropout"): "there is none in its networks, which the option's help says",
}


@pytest.fixture(scope="module")
def opened() -> dict[Any, Any]:
    """Data sets that were opened once."""
    return {}


@pytest.fixture
def data(opened: dict[Any, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """The trainer's data, from memory where no option decides it."""
    open_ = trainer.dataset_of

    def kept(config: Any, split: Any = "train") -> Any:
        names = ("direction", "flip", "jitter", "x_channels", "y_channels", "window", "frames")
        names += ("words", "length")
        key = config.run.data, *(getattr(config.options, name, None) for name in names)
        if key not in opened:
            opened[key] = open_(config, split)
        return opened[key]

    monkeypatch.setattr(trainer, "dataset_of", kept)


def trained(name: str, given: dict[str, Any]) -> tuple[Any, ...]:
    """All that three steps leave, and two samples where there are some."""
    options = ALGORITHMS[name].options
    refuse_idle(options, given)
    known = {f.name for f in fields(options)}
    small = {k: v for k, v in (SMALL | OWN.get(name, {})).items() if k in known}
    small = {k: v for k, v in small.items() if not idle_in(options, {k: v} | given)}
    size = None if ALGORITHMS[name].takes in ("bars", "sounds", "sentences") else "16"
    run = RunOptions(batch=4, steps=STEPS + 1, size=size, threads=1)
    made = Trainer.start(name, options.of(**small | given), run, Path("/nowhere/run"))
    log = []
    with np.errstate(all="ignore"):
        for i in range(STEPS):
            scalars = made.algorithm.step(*inputs(made.loader.batch(i), made.conditions))
            log.append({k: float(v) for k, v in scalars.items()})
        arrays = {k: (a.shape, a.tobytes()) for k, a in made.algorithm.state_dict().items()}
        sampled = getattr(made.algorithm, "sample", None)
        x = sampled(2, make_rng(0)).tobytes() if sampled else b""
    return log, arrays, x


def idle_in(options: type, given: dict[str, Any]) -> bool:
    """Whether one of the options would be passed over."""
    try:
        refuse_idle(options, given)
    except OptionError:
        return True
    return False


def others(f: Field[Any], hint: Any) -> list[Any]:
    """Values of an option that are not its default."""
    if f.name in VALUES:
        return VALUES[f.name]
    kinds = get_args(hint) if isinstance(hint, UnionType) else (hint,)
    kind, default = next(k for k in kinds if k is not type(None)), f.default
    if get_origin(kind) is tuple:
        return [tuple(v + 2 for v in default) if default else (3, 3)]
    if f.metadata["choices"]:
        return [choice for choice in f.metadata["choices"] if choice != default]
    if kind is bool:
        return [not default]
    if kind is int:
        return [(default or 0) + 1, (default or 0) + 2, 2]
    return [0.5 * default if default else 0.3, 0.9]


def companies(f: Field[Any], known: set[str]) -> Iterator[dict[str, Any]]:
    """Nothing beside it, then what it needs."""
    yield {}
    for company in COMPANY.get(f.name, []):
        if company.keys() <= known:
            yield company


@pytest.mark.parametrize("name", ALGORITHMS)
@pytest.mark.usefixtures("data")
def test_every_option_changes_the_training_or_is_refused(name: str) -> None:
    options = ALGORITHMS[name].options
    hints, known = get_type_hints(options), {f.name for f in fields(options)}
    plain: dict[str, Any] = {}
    idle, passed_over = [], []
    for f in fields(options):
        if ("*", f.name) in ELSEWHERE or (name, f.name) in ELSEWHERE:
            continue
        moved, refused = False, not others(f, hints[f.name])  # one choice is no choice
        for company in companies(f, known):
            for value in others(f, hints[f.name]):
                try:
                    if str(company) not in plain:
                        plain[str(company)] = trained(name, company)
                    moved = trained(name, company | {f.name: value}) != plain[str(company)]
                except MiniganError:
                    refused = True
                if moved:
                    break
            if not (company or moved or refused):
                passed_over.append(f.name)
            if moved:
                break
        if not (moved or refused):
            idle.append(f.name)
    assert passed_over == []
    assert idle == []
