"""Distances in blocks equal those of single points."""

import numpy as np
import pytest
from scipy.spatial.distance import cdist

from minigan.errors import ShapeError
from minigan.metrics import distances
from minigan.metrics.distances import check_sets, neighbour_radii, squared_distances
from tests.metrics import naive

RNG = np.random.default_rng(0)


@pytest.mark.parametrize("block", [1, 40, 1 << 22])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_blocks_cover_every_pair(monkeypatch, block, dtype):
    monkeypatch.setattr(distances, "BLOCK", block)
    a, b = RNG.standard_normal((13, 3)).astype(dtype), RNG.standard_normal((7, 3)).astype(dtype)
    found = np.full((13, 7), np.nan)
    for part, d in squared_distances(a, b):
        found[part] = d
    np.testing.assert_allclose(found, cdist(a, b, "sqeuclidean"), rtol=1e-12)


def test_points_far_from_the_origin_lose_nothing():
    a = 1e4 + RNG.standard_normal((20, 2))
    ((_, found),) = squared_distances(a, a[:5])
    np.testing.assert_allclose(found, cdist(a, a[:5], "sqeuclidean"), rtol=1e-9, atol=1e-9)


def test_equal_points_have_no_distance():
    a = np.repeat(RNG.standard_normal((5, 64)) * 37, 3, axis=0)
    ((_, found),) = squared_distances(a, a)
    assert (found == 0).sum() == 5 * 9


@pytest.mark.parametrize("block", [1, 30, 1 << 22])
@pytest.mark.parametrize("k", [1, 3, 8])
def test_radii(monkeypatch, block, k):
    monkeypatch.setattr(distances, "BLOCK", block)
    x = RNG.standard_normal((9, 2))
    wanted = [naive.radius(x, i, k) ** 2 for i in range(len(x))]
    np.testing.assert_allclose(neighbour_radii(x, k), wanted, rtol=1e-10)


def test_a_duplicate_is_a_neighbour():
    x = np.array([[0.0, 0], [0, 0], [3, 4]])
    assert neighbour_radii(x, 1).tolist() == [0, 0, 25]


@pytest.mark.parametrize("k", [0, 3])
def test_impossible_neighbours(k):
    with pytest.raises(ShapeError, match="wanted 1 to 2"):
        neighbour_radii(np.zeros((3, 2)), k)


@pytest.mark.parametrize(
    ("sets", "words"),
    [
        ((np.zeros((3, 2)), np.zeros((3, 4))), r"one F, got \(3, 2\), \(3, 4\)"),
        ((np.zeros((3, 2, 1)),), r"got \(3, 2, 1\)"),
        ((np.zeros((3, 2)), np.zeros((1, 2))), "at least 2 rows"),
        ((np.full((3, 2), np.nan),), "not finite"),
    ],
)
def test_what_is_no_set_of_features(sets, words):
    with pytest.raises(ShapeError, match=words):
        check_sets(*sets)
