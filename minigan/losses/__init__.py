"""Losses: each returns its value and its gradient with respect to what it was given."""

from minigan.losses.adversarial import Minimax, NonSaturating
from minigan.losses.categorical import categorical_nll, categorical_nlls, spread_nll
from minigan.losses.classification import cross_entropy
from minigan.losses.distance import mean_absolute_error, mean_squared_error
from minigan.losses.energy import pulling_away
from minigan.losses.gaussian import kl_of_unit_variance, kl_to_standard_normal
from minigan.losses.gradient_difference import gradient_difference
from minigan.losses.history import HistoricalAveraging
from minigan.losses.matching import FeatureMatching, match_means
from minigan.losses.objective import Objective
from minigan.losses.objectives import OBJECTIVES
from minigan.losses.pairwise import masked_pairwise_error
from minigan.losses.penalties import PENALTIES
from minigan.losses.reconstruction import (
    absolute_error,
    bernoulli_nll,
    gaussian_nll,
    laplace_nll,
    squared_error,
)
from minigan.losses.tokens import weighted_nll

__all__ = [
    "OBJECTIVES",
    "PENALTIES",
    "FeatureMatching",
    "HistoricalAveraging",
    "Minimax",
    "NonSaturating",
    "Objective",
    "absolute_error",
    "bernoulli_nll",
    "categorical_nll",
    "categorical_nlls",
    "cross_entropy",
    "gaussian_nll",
    "gradient_difference",
    "kl_of_unit_variance",
    "kl_to_standard_normal",
    "laplace_nll",
    "masked_pairwise_error",
    "match_means",
    "mean_absolute_error",
    "mean_squared_error",
    "pulling_away",
    "spread_nll",
    "squared_error",
    "weighted_nll",
]
