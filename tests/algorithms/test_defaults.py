"""Defaults are the papers', and where they are our own they stay what was measured.

Each row says where its settings come from. A changed default is a changed result for everyone who
gives no option, so it takes a change here too.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from minigan.algorithms import ALGORITHMS
from minigan.algorithms.presets import PRESETS
from minigan.losses import PENALTIES, penalties
from minigan.losses.path_length import PathLength

OURS = "ours, for the small pictures that are shipped"
PAPER = "the paper's, which the algorithm's file names"

# Algorithm, where its settings stand, and the settings.
SETTINGS: list[tuple[str, str, dict[str, Any]]] = [
    (
        "gan",
        "the code of Goodfellow et al. 2014",
        {"optimizer": "momentum", "momentum": 0.5, "pieces": 5, "dropout": 0.5, "k": 1},
    ),
    (
        "dcgan",
        "Radford et al. 2016, section 4",
        {"optimizer": "adam", "lr": 2e-4, "beta1": 0.5, "prior": "uniform", "z_dim": 100},
    ),
    ("began", PAPER, {"lr": 1e-4, "prior": "uniform", "z_dim": 64}),
    ("ebgan", PAPER, {"pull_away": 0.1, "power": 2}),
    ("ebgan", OURS, {"margin": 0.3}),
    ("gogan", "no dropout in a critic", {"dropout": 0.0}),
    (
        "gogan",
        "WGAN's Algorithm 1, and " + OURS,
        {"optimizer": "rmsprop", "lr": 5e-5, "clip_weights": 0.01, "k": 5, "rank_weight": 0.5},
    ),
    (
        "stylegan",
        PAPER,
        {
            **{"lr": 2e-3, "beta1": 0.0, "beta2": 0.99, "mixing": 0.9},
            **{"r1_every": 16, "path_every": 8, "path_weight": 2.0, "path_decay": 0.01},
        },
    ),
    ("biggan", PAPER, {"k": 2, "beta1": 0.0, "orthogonal": 1e-4}),
    ("biggan", PAPER, {"objective": "hinge", "beta2": 0.9}),
    ("biggan", OURS, {"lr_G": 2e-3, "lr_D": 5e-4, "ema": 0.995}),
    ("aae", OURS, {"lr_game": 1e-4, "prior": "normal", "encoder": "deterministic"}),
    ("alpha-gan", PAPER, {"lambda_rec": 10.0, "objective": "density-ratio"}),
    ("bigan", PAPER, {"lr": 2e-4, "beta1": 0.5, "z_dim": 50}),
    ("semi-supervised", OURS, {"lr": 3e-3, "beta1": 0.5, "labels": 100}),
    ("semi-supervised", PAPER, {"generator_loss": "feature-matching"}),
    (
        "clustergan",
        PAPER,
        {"lr": 1e-4, "beta1": 0.5, "beta2": 0.9, "k": 5, "beta_n": 10.0, "beta_c": 10.0},
    ),
    ("gan-cls", PAPER, {"lr": 2e-4, "beta1": 0.5}),
    (
        "midinet",
        PAPER,
        {
            **{"lr": 2e-4, "beta1": 0.5, "prior": "normal", "z_dim": 100},
            **{"lambda_1": 0.1, "lambda_2": 1.0, "label_smoothing": 0.1, "updates_G": 2},
        },
    ),
    ("seqgan", PAPER, {"g_steps": 1, "d_steps": 5, "k": 3}),
    (
        "seqgan",
        "the authors' code",
        {
            **{"lr": 0.01, "lr_D": 1e-4, "clip_norm": 5.0, "rollouts": 16, "rollout_lag": 0.8},
            **{"embedding": 32, "hidden": 32, "embedding_D": 64, "dropout": 0.25, "l2": 0.2},
            "windows": (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 15, 20),
            "filters": (100, 200, 200, 200, 200, 100, 100, 100, 100, 100, 160, 160),
        },
    ),
    (
        "midinet",
        "the authors' code",
        {"width": 128, "conditioner": 16, "hidden": 1024, "chords": "all"},
    ),
    ("cgan", "the original's perceptrons", {"dropout": 0.5, "beta1": 0.5}),
    (
        "next-frame",
        PAPER,
        {
            **{"optimizer": "sgd", "lr": 0.04, "lr_D": None, "frames": 4, "width": 128},
            **{"p": "2", "gdl_alpha": 1, "weight_adv": 0.05, "weight_lp": 1.0, "weight_gdl": 1.0},
        },
    ),
    (
        "pix2pix",
        PAPER,
        {"lr": 2e-4, "beta1": 0.5, "weight_l1": 100.0, "patch": 70, "dropout": 0.5},
    ),
    (
        "bicyclegan",
        PAPER,
        {
            **{"weight_l1": 10.0, "weight_latent": 0.5, "weight_kl": 0.01, "z_dim": 8},
            **{"objective": "lsgan", "lr": 2e-4, "beta1": 0.5, "judge": "picture", "scales": 2},
        },
    ),
    ("bicyclegan", "the authors' code", {"norm": "instance", "encoder": "resnet"}),
    (
        "munit",
        PAPER,
        {
            **{"weight_reconstruction": 10.0, "weight_content": 1.0, "weight_style": 1.0},
            **{"objective": "lsgan", "lr": 1e-4, "beta1": 0.5, "schedule": "halving", "scales": 3},
            **{"z_dim": 8, "blocks": 4, "halvings": 2, "width": 64},
        },
    ),
    ("pg2", PAPER, {"lr": 2e-5, "beta1": 0.5}),
    (
        "pg2",
        "the authors' code",
        {
            **{"width": 128, "bottleneck": 64, "width_D": 64},
            **{"weight_l1": 10.0, "weight_mask": 1.0, "weight_gan": 1.0},
        },
    ),
    ("munit", "the authors' code", {"weight_cycle": 0.0, "norm": "none", "mlp_width": 256}),
    ("pixeldtgan", PAPER, {"code_dim": 64, "width": 128, "judges": "both", "distance": "none"}),
    ("pixeldtgan", "published code", {"lr": 2e-4, "beta1": 0.5, "weight_gan": 1.0}),
    ("pixelda", PAPER, {"z_dim": 10, "width": 64, "content": "none", "method": "pixelda"}),
    (
        "pixelda",
        "the authors' code",
        {
            **{"lr": 1e-3, "beta1": 0.5, "blocks": 6, "dropout_D": 0.1, "noise_D": 0.2},
            **{"clip_norm": 5.0, "objective": "non-saturating"},
        },
    ),
    ("pixelda", "its README", {"weight_gan": 0.0113, "weight_task": 0.0101}),
    (
        "cyclegan",
        PAPER,
        {"objective": "lsgan", "weight_cycle": 10.0, "pool": 50, "lr": 2e-4, "schedule": "linear"},
    ),
    (
        "stargan",
        PAPER,
        {
            **{"lambda_cls": 1.0, "lambda_rec": 10.0, "penalty": "wgan-gp", "k": 5, "lr": 1e-4},
            **{"beta1": 0.5, "schedule": "linear", "width": 64},
        },
    ),
    (
        "age-cgan",
        PAPER,
        {
            **{"d_sees": "first", "g_sees": "input", "prior": "normal", "wrong_pairs": "none"},
            **{"optimizer": "adam", "lr": 2e-4, "beta1": 0.5, "z_dim": 100, "width": 64},
        },
    ),
    ("age-cgan", OURS, {"encoder_steps": None, "recogniser": None, "iterations": 50}),
    (
        "segan",
        "the paper's sections 3 and 4.2",
        {"optimizer": "rmsprop", "lr": 2e-4, "weight_l1": 100.0, "weight_gan": 1.0, "width": 16},
    ),
    (
        "segan",
        "the paper's sections 3 and 4.2",
        {"objective": "lsgan", "norm": "virtual", "window": 16384, "preemphasis": 0.95},
    ),
    ("pairedcyclegan", OURS, {"lambda_G": 0.1, "lambda_F": 0.1, "lambda_P": 1.0}),
    (
        "srgan",
        PAPER,
        {
            **{"lr": 1e-4, "beta1": 0.9, "weight_gan": 1e-3, "weight_content": 1.0, "scale": 4},
            **{"width": 64, "blocks": None, "objective": "non-saturating"},
            **{"generator": "srresnet", "weight_l1": 0.0, "pretrain_loss": "mse"},
        },
    ),
    ("srgan", "ESRGAN's code", {"growth": 32}),
    ("srgan", OURS, {"content": "mse", "pretrain": None, "content_layer": None}),
    ("context-encoder", PAPER, {"weight_rec": 0.999, "weight_gan": 0.001, "overlap_weight": 10.0}),
    ("context-encoder", "its published code", {"lr": 2e-4, "beta1": 0.5, "hole": "center"}),
    (
        "deblurgan",
        PAPER,
        {
            **{"objective": "wasserstein", "penalty": "wgan-gp", "k": 5, "weight_content": 100.0},
            **{"lr": 1e-4, "schedule": "linear", "width": 64, "blocks": 9, "dropout": 0.5},
            **{"norm_G": "instance", "norm_D": "instance", "patch": 70, "length": None},
        },
    ),
    ("deblurgan", "its published code", {"beta1": 0.5}),
    ("deblurgan", OURS, {"content": None, "content_layer": None}),
    ("pairedcyclegan", "terms at one weight", {"lambda_I": 1.0, "lambda_S": 1.0}),
]


@pytest.mark.parametrize(("name", "source", "settings"), SETTINGS, ids=lambda v: str(v)[:30])
def test_an_algorithms_settings(name: str, source: str, settings: dict[str, Any]) -> None:
    options = ALGORITHMS[name].options()
    assert {key: getattr(options, key) for key in settings} == settings, source


# Gulrajani et al. 2017, Algorithm 1; Arjovsky et al. 2017, Algorithm 1; Wu et al. 2018; Kodali et
# al. 2017.
RECIPES = {
    "wgan": {"clip_weights": 0.01, "k": 5, "optimizer": "rmsprop", "lr": 5e-5},
    "wgan-gp": {"penalty_weight": 10.0, "k": 5, "lr": 1e-4, "beta1": 0.0, "beta2": 0.9},
    "wgan-div": {"penalty_weight": 2.0, "penalty_power": 6.0, "k": 4},
    "dragan": {"penalty_weight": 10.0, "k": 1, "lr": 2e-4, "beta1": 0.5, "beta2": 0.999},
}


@pytest.mark.parametrize("name", PRESETS)
def test_a_papers_recipe(name: str) -> None:
    made = ALGORITHMS["dcgan"].options.of(objective=name)
    assert {key: getattr(made, key) for key in RECIPES[name]} == RECIPES[name]


def test_penalties() -> None:
    weights = {name: penalty.paper_weight for name, penalty in PENALTIES.items()}
    assert weights == {"wgan-gp": 10.0, "wgan-div": 2.0, "dragan": 10.0, "r1": 10.0, "r2": 10.0}
    assert (penalties.Div().power, penalties.Perturbed().spread) == (6.0, 0.5)
    assert PathLength(like=np.zeros(1)).decay == 0.01
