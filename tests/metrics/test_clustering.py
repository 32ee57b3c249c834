"""Purity and normalised mutual information against closed forms, loops and what must not matter."""

import math
from collections import Counter

import numpy as np
import pytest

from minigan.errors import ShapeError
from minigan.metrics.clustering import mutual_information, purity


def array(text):
    return np.array([int(c) for c in text])


# Three clusters of the book's figure 16.4: x = 0, o = 1, diamond = 2.
CLUSTERS = array("00000011111122222")
CLASSES = array("00000101111200222")


def test_the_books_example():
    """17 points; purity 0.71 and NMI 0.36 are printed there (section 16.3)."""
    assert purity(CLUSTERS, CLASSES) == pytest.approx((5 + 4 + 3) / 17)
    assert round(mutual_information(CLUSTERS, CLASSES), 2) == 0.36


def test_a_loop_over_counts():
    rng = np.random.default_rng(0)
    clusters, classes = rng.integers(0, 5, 300), rng.integers(0, 4, 300)
    classes[:150] = clusters[:150] % 4
    n = len(clusters)
    joint, a, b = Counter(zip(clusters, classes, strict=True)), Counter(clusters), Counter(classes)
    information = sum(c / n * math.log(n * c / (a[i] * b[j])) for (i, j), c in joint.items())
    entropies = [-sum(c / n * math.log(c / n) for c in count.values()) for count in (a, b)]
    assert mutual_information(clusters, classes) == pytest.approx(
        information / (sum(entropies) / 2)
    )
    commonest = sum(max(c for (i, _), c in joint.items() if i == cluster) for cluster in a)
    assert purity(clusters, classes) == pytest.approx(commonest / n)


def test_names_of_clusters_do_not_matter_and_bounds_are_reached():
    classes = np.arange(60) % 4
    renamed = np.array([7, 0, 3, 9])[classes]
    assert purity(renamed, classes) == 1
    assert mutual_information(renamed, classes) == pytest.approx(1)
    split = classes * 2 + (np.arange(60) // 4) % 2  # every class in two clusters
    assert purity(split, classes) == 1
    assert mutual_information(split, classes) < 0.9
    crossed = np.arange(60) // 4 % 3  # says nothing of the class
    assert mutual_information(np.zeros(60, int), np.zeros(60, int)) == 0
    assert mutual_information(crossed, classes) == pytest.approx(0, abs=1e-12)


def test_other_shapes_are_refused():
    for a, b in ((np.zeros(3, int), np.zeros(4, int)), (np.zeros((2, 2), int),) * 2):
        with pytest.raises(ShapeError, match="wanted"):
            purity(a, b)
    with pytest.raises(ShapeError, match="compared example by example"):
        mutual_information(np.zeros(0, int), np.zeros(0, int))
