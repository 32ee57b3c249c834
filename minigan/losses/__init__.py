"""Losses: each returns its value and its gradient with respect to what it was given."""

from minigan.losses.adversarial import Minimax, NonSaturating
from minigan.losses.classification import cross_entropy
from minigan.losses.objective import Objective
from minigan.losses.objectives import OBJECTIVES

__all__ = ["OBJECTIVES", "Minimax", "NonSaturating", "Objective", "cross_entropy"]
