"""Numbers that say how good the samples are."""

from minigan.metrics.diversity import diversity

__all__ = ["diversity"]
