"""Pooling against loops; each backward pass is the adjoint of its forward pass."""

import numpy as np
import pytest

from minigan.ops import pool as ops
from tests.oracles import naive
from tests.oracles.torch_twins import relative_error

TOLERANCE = 1e-12

# x shape, kernel_size, stride, padding
GEOMETRIES = [
    ((2, 5, 7, 3), (2, 2), (2, 2), (0, 0)),
    ((1, 5, 4, 1), (3, 2), (1, 3), (1, 0)),
    ((2, 6, 7, 2), (2, 3), (3, 4), (1, 1)),
    ((1, 3, 3, 1), (3, 3), (1, 1), (1, 1)),
    ((1, 1, 1, 2), (1, 1), (2, 1), (0, 0)),
]
every_geometry = pytest.mark.parametrize("geometry", GEOMETRIES, ids=str)


@every_geometry
def test_average_equals_loops_and_its_backward_is_the_adjoint(geometry):
    shape, *window = geometry
    rng = np.random.default_rng(0)
    x = rng.standard_normal(shape)
    y = ops.avg_pool(x, *window)
    assert relative_error(y, naive.avg_pool(x, *window)) < TOLERANCE
    dy = rng.standard_normal(y.shape)
    dx = ops.avg_pool_dx(dy, shape, *window)
    assert dx.shape == shape
    # The whole adjoint, column by column: A^T e_k reads row k of A.
    for k in range(y.size):
        unit = np.zeros(y.size)
        unit[k] = 1
        row = ops.avg_pool_dx(unit.reshape(y.shape), shape, *window)
        assert np.vdot(row, x) == pytest.approx(y.flat[k], rel=1e-11, abs=1e-13)
    assert np.vdot(dx, x) == pytest.approx(np.vdot(dy, y), rel=1e-11)


@every_geometry
def test_maximum_equals_loops_and_sends_dy_where_it_was_found(geometry):
    shape, *window = geometry
    rng = np.random.default_rng(0)
    x = rng.standard_normal(shape)
    y, winner = ops.max_pool(x, *window)
    expected, origin = naive.max_pool(x, *window)
    np.testing.assert_array_equal(y, expected)

    dy = rng.standard_normal(y.shape)
    dx = np.zeros(shape)
    for place, source in origin.items():
        dx[source] += dy[place]
    assert relative_error(ops.max_pool_dx(dy, winner, shape, *window), dx) < TOLERANCE

    v = rng.standard_normal(shape)
    gathered = np.zeros_like(y)
    for place, source in origin.items():
        gathered[place] = v[source]
    np.testing.assert_array_equal(ops.max_pool_gather(v, winner, *window), gathered)


def test_the_first_of_equal_maxima_wins():
    x = np.zeros((1, 2, 2, 1))
    _, winner = ops.max_pool(x, (2, 2), (2, 2), (0, 0))
    dx = ops.max_pool_dx(np.full((1, 1, 1, 1), 3.0), winner, x.shape, (2, 2), (2, 2), (0, 0))
    np.testing.assert_array_equal(dx[0, :, :, 0], [[3, 0], [0, 0]])


def test_padding_never_wins_a_maximum():
    x = np.full((1, 2, 2, 1), -5.0)
    y, _ = ops.max_pool(x, (2, 2), (1, 1), (1, 1))
    assert (y == -5).all()
