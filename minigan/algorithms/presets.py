"""Whole recipes of papers that share Algorithm 1: an objective, its parts and its optimiser.

`--objective wgan-gp` stands for every option of its row; an option that is given beside it counts
before the row's. Options that a class does not have are left out. Critics hold no dropout: their
scores estimate one function.
"""

from __future__ import annotations

from typing import Any

PRESETS: dict[str, dict[str, Any]] = {
    # Arjovsky et al. 2017, Algorithm 1: RMSProp at 5e-5, c = 0.01, n_critic = 5.
    "wgan": {
        "objective": "wasserstein",
        "clip_weights": 0.01,
        "k": 5,
        "dropout": 0.0,
        "optimizer": "rmsprop",
        "lr": 5e-5,
    },
    # Gulrajani et al. 2017, Algorithm 1: lambda = 10, n_critic = 5, Adam(1e-4, 0, 0.9); layer norm
    # in the critic's place of batch norm (section 4).
    "wgan-gp": {
        "objective": "wasserstein",
        "penalty": "wgan-gp",
        "penalty_weight": 10.0,
        "k": 5,
        "dropout": 0.0,
        "optimizer": "adam",
        "lr": 1e-4,
        "beta1": 0.0,
        "beta2": 0.9,
        "norm_D": "layer",
    },
    # Wu et al. 2018: k = 2, p = 6. Steps of D, rate, betas and layer norm as in the authors' code
    # (which weighs the penalty by 10).
    "wgan-div": {
        "objective": "wasserstein",
        "penalty": "wgan-div",
        "penalty_weight": 2.0,
        "penalty_power": 6.0,
        "k": 4,
        "dropout": 0.0,
        "optimizer": "adam",
        "lr": 2e-4,
        "beta1": 0.0,
        "beta2": 0.9,
        "norm_D": "layer",
    },
    # Kodali et al. 2017: lambda = 10 and norm 1 around the data, with the original paper's loss.
    # Rate and betas are DCGAN's (the authors' notebook has Adam(1e-4, 0.5, 0.9)); layer norm, for
    # the penalty forbids batch norm.
    "dragan": {
        "objective": "non-saturating",
        "penalty": "dragan",
        "penalty_weight": 10.0,
        "k": 1,
        "optimizer": "adam",
        "lr": 2e-4,
        "beta1": 0.5,
        "beta2": 0.999,
        "norm_D": "layer",
    },
}
