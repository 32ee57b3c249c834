"""Numbers that say how good the samples are."""

from minigan.metrics.classifier import Classifier, train_classifier
from minigan.metrics.diversity import diversity

__all__ = ["Classifier", "diversity", "train_classifier"]
