"""Resampling against loops; each backward pass is the adjoint of its forward pass."""

import numpy as np
import pytest

from minigan.ops import resample as ops
from tests.oracles import naive
from tests.oracles.torch_twins import relative_error

TOLERANCE = 1e-12

# name: the map, its adjoint, the loop, (x shape, argument) pairs
MAPS = {
    "nearest": (
        ops.upsample_nearest,
        ops.upsample_nearest_dx,
        naive.upsample_nearest,
        [((2, 3, 5, 2), (2, 2)), ((1, 1, 2, 1), (3, 1)), ((1, 2, 1, 3), (1, 4))],
    ),
    "bilinear": (
        ops.upsample_bilinear,
        ops.upsample_bilinear_dx,
        naive.upsample_bilinear,
        [((2, 3, 5, 2), (2, 2)), ((1, 1, 2, 1), (3, 1)), ((1, 4, 1, 3), (5, 4))],
    ),
    "shuffle": (
        ops.pixel_shuffle,
        ops.pixel_unshuffle,
        naive.pixel_shuffle,
        [((2, 3, 5, 8), 2), ((1, 1, 2, 9), 3), ((1, 3, 2, 2), 1)],
    ),
}
CASES = [(name, *case) for name, entry in MAPS.items() for case in entry[3]]


@pytest.mark.parametrize(("name", "shape", "argument"), CASES, ids=str)
def test_the_map_equals_loops_and_its_backward_is_the_adjoint(name, shape, argument):
    forward, adjoint, loop, _ = MAPS[name]
    rng = np.random.default_rng(0)
    x = rng.standard_normal(shape)
    y = forward(x, argument)
    assert relative_error(y, loop(x, argument)) < TOLERANCE

    # <A e_k, dy> = (A^T dy)_k for every unit vector e_k: the whole adjoint, not one product.
    dy = rng.standard_normal(y.shape)
    dx = np.zeros(x.size)
    for k in range(x.size):
        unit = np.zeros(x.size)
        unit[k] = 1
        dx[k] = np.vdot(loop(unit.reshape(shape), argument), dy)
    assert relative_error(adjoint(dy, argument), dx.reshape(shape)) < TOLERANCE


def test_unshuffle_undoes_shuffle():
    x = np.random.default_rng(0).standard_normal((2, 3, 5, 18))
    np.testing.assert_array_equal(ops.pixel_unshuffle(ops.pixel_shuffle(x, 3), 3), x)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_linear_weights_sum_to_one_and_cannot_be_written(dtype):
    weights = ops.linear_weights(5, 3, np.dtype(dtype))
    assert weights.dtype == dtype
    assert weights.shape == (15, 5)
    assert (weights >= 0).all()
    np.testing.assert_allclose(weights.sum(1), 1, rtol=1e-6)
    with pytest.raises(ValueError, match="read-only"):
        weights[0, 0] = 2  # it is cached: a write would reach every later call
