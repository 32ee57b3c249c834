"""Paths of a shaken camera: Algorithm 1 line by line, and the kernels drawn of them."""

import cmath
import math

import numpy as np
import pytest

from minigan.data.motion import ANXIETIES, LENGTH, POINTS, kernel, trajectory

rng = np.random.default_rng


@pytest.mark.parametrize("seed", range(4))
def test_a_path_is_algorithm_1(seed):
    """As the paper writes it, one number after another, from the same draws."""
    draws = rng(seed)
    p_b, p_g, inertia = (draws.uniform(0, high) for high in (0.2, 10, 0.7))
    p_s = draws.choice(ANXIETIES)
    phi = draws.uniform(0, 2 * math.pi)
    angles, chances = draws.uniform(-0.5, 0.5, POINTS - 1), draws.uniform(size=POINTS - 1)
    normal = draws.standard_normal((POINTS - 1, 2))
    speed = LENGTH / (POINTS - 1)
    v = (math.cos(phi) + 1j * math.sin(phi)) * speed
    x = [0j]
    for t in range(POINTS - 1):
        turned = 2 * v * cmath.exp(1j * (math.pi + angles[t])) if chances[t] < p_b * p_s else 0
        push = p_g * complex(*normal[t])
        v = v + turned + p_s * (push - inertia * x[t]) * speed
        v = v / abs(v) * speed
        x.append(x[t] + v)
    np.testing.assert_allclose(trajectory(rng(seed)), x, rtol=1e-9, atol=1e-9)


def test_every_step_of_a_path_is_as_long_and_paths_differ():
    paths = np.stack([trajectory(rng(seed)) for seed in range(20)])
    assert paths.shape == (20, POINTS)
    np.testing.assert_allclose(np.abs(np.diff(paths)), LENGTH / (POINTS - 1), rtol=1e-9)
    reach = np.abs(paths).max(1)
    assert reach.max() > 2 * reach.min()  # some go far, some stay near


def test_impulses_throw_the_path_back():
    """Twice the velocity, turned by half a circle give or take half a radian."""
    most = 0.0
    for seed in range(40):
        path = trajectory(rng(seed))
        turns = np.abs(np.angle(np.diff(path)[1:] / np.diff(path)[:-1]))
        most = max(most, turns.max())
    assert 1.8 < most < math.pi  # no push turns it so far in one step


@pytest.mark.parametrize("length", [0.3, 1.0, 4.5, 20.0])
def test_a_kernel_shares_a_path_out_among_pixels(length):
    """Its sum, and its middle: what a point between pixels gives to each has that point's mean."""
    path = trajectory(rng(3)) * (length / LENGTH)
    k = kernel(length, rng(3))
    assert len(k) % 2 == 1
    assert (k >= 0).all()
    np.testing.assert_allclose(k.sum(), 1, rtol=1e-12)
    places = np.arange(len(k)) - len(k) // 2
    for axis, along in ((0, path.imag), (1, path.real)):
        middle = (along.min() + along.max()) / 2
        np.testing.assert_allclose(
            (k.sum(1 - axis) * places).sum(), (along - middle).mean(), atol=1e-9
        )
