"""Thin-plate splines against scipy's, exact at landmarks; pictures go where their landmarks go."""

import numpy as np
import pytest
from scipy.interpolate import RBFInterpolator

from minigan.data.warp import spline, warp
from minigan.errors import DataError

RNG = np.random.default_rng


@pytest.mark.parametrize("count", [3, 4, 9, 30])
def test_the_spline_is_scipy_s(count: int) -> None:
    rng = RNG(count)
    p, q = rng.uniform(size=(2, 3, count, 2))
    places = rng.uniform(-0.5, 1.5, (3, 50, 2))
    ours = spline(p, q, places)
    for i in range(3):
        theirs = RBFInterpolator(p[i], q[i], kernel="thin_plate_spline", degree=1)(places[i])
        np.testing.assert_allclose(ours[i], theirs, rtol=1e-7, atol=1e-9)
        np.testing.assert_allclose(spline(p, q, p)[i], q[i], rtol=0, atol=1e-10)


def test_an_affine_map_is_found_everywhere() -> None:
    """Nothing bends that need not."""
    rng = RNG(0)
    p, places = rng.uniform(size=(1, 6, 2)), rng.uniform(-3, 3, (1, 20, 2))
    A, a = rng.standard_normal((2, 2)), rng.standard_normal(2)
    np.testing.assert_allclose(spline(p, p @ A + a, places), places @ A + a, rtol=1e-8, atol=1e-8)


@pytest.mark.parametrize("shape", [(2, 16, 12, 3), (1, 5, 9, 1)])
def test_landmarks_that_stay_leave_a_picture_as_it_is(shape: tuple[int, ...]) -> None:
    rng = RNG(1)
    y = rng.uniform(-1, 1, shape).astype(np.float32)
    marks = rng.uniform(size=(shape[0], 7, 2))
    made = warp(y, marks, marks)
    assert made.dtype == np.float32
    np.testing.assert_allclose(made, y, atol=1e-5)


@pytest.mark.parametrize(("across", "down"), [(3, 0), (0, 2), (-2, 4)])
def test_a_picture_is_moved_with_its_landmarks(across: int, down: int) -> None:
    """By whole pixels, x to the right and y down; what comes from outside repeats the border."""
    y = RNG(2).uniform(-1, 1, (1, 10, 14, 3))
    marks = RNG(3).uniform(0.3, 0.7, (1, 5, 2))
    made = warp(y, marks, marks + np.array([across / 14, down / 10]))
    rows = np.clip(np.arange(10) - down, 0, 9)
    columns = np.clip(np.arange(14) - across, 0, 13)
    np.testing.assert_allclose(made[0], y[0][rows][:, columns], atol=1e-9)


def test_each_landmark_s_colour_comes_to_lie_at_its_place() -> None:
    """A smooth picture, bent: at places that are pixels' middles, as bilinear as the picture is."""
    rng = RNG(4)
    y = (np.indices((32, 32)).transpose(1, 2, 0) + 0.5)[None] / 32  # rows and columns
    grid = (rng.choice(32 * 32, 8, replace=False)[:, None] // np.array([1, 32]) % 32 + 0.5) / 32
    marks = rng.uniform(0.1, 0.9, (1, 8, 2))
    made = warp(y, marks, grid[None])
    for (x, down), mark in zip(grid, marks[0], strict=True):
        np.testing.assert_allclose(made[0, int(down * 32), int(x * 32)], mark[::-1], atol=1e-9)


@pytest.mark.parametrize(
    ("p", "says"),
    [
        (np.array([[0.1, 0.1], [0.5, 0.2]]), "3 or more"),
        (np.array([[0.1, 0.1], [0.1, 0.1], [0.5, 0.2], [0.9, 0.1]]), "on one another"),
    ],
)
def test_landmarks_that_say_nothing_are_refused(p: np.ndarray, says: str) -> None:
    q = RNG(0).uniform(size=p.shape)
    with pytest.raises(DataError, match=says):
        spline(p[None], q[None], p[None])


def test_unlike_numbers_of_landmarks_are_refused() -> None:
    with pytest.raises(DataError, match="as many of either"):
        spline(np.zeros((1, 4, 2)), np.zeros((1, 5, 2)), np.zeros((1, 1, 2)))
