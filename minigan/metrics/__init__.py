"""Numbers that say how good the samples are. They compute on the host, in NumPy and float64."""

from minigan.metrics.catalogue import METRICS, Metric, checked, measure, metric, ranking
from minigan.metrics.classifier import Classifier, train_classifier
from minigan.metrics.diversity import diversity
from minigan.metrics.result import MetricWarning, Result
from minigan.metrics.shipped import shipped_classifier
from minigan.metrics.subject import Subject
from minigan.metrics.translations import TranslationSubject

__all__ = [
    "METRICS",
    "Classifier",
    "Metric",
    "MetricWarning",
    "Result",
    "Subject",
    "TranslationSubject",
    "checked",
    "diversity",
    "measure",
    "metric",
    "ranking",
    "shipped_classifier",
    "train_classifier",
]
