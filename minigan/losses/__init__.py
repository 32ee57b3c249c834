"""Losses: each returns its value and its gradient with respect to what it was given."""

from minigan.losses.adversarial import OBJECTIVES, Minimax, NonSaturating
from minigan.losses.classification import cross_entropy

__all__ = ["OBJECTIVES", "Minimax", "NonSaturating", "cross_entropy"]
