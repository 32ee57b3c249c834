"""The kernel distance: loops, a known mean, no bias, and an error that is the spread's."""

import numpy as np
import pytest

from minigan.errors import ShapeError
from minigan.metrics import kernel
from minigan.metrics.kernel import cubic, kernel_distance
from tests.metrics import naive

RNG = np.random.default_rng(0)


@pytest.mark.parametrize("block", [1, 30, 1 << 22])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_it_is_the_mean_over_pairs(monkeypatch, block, dtype):
    monkeypatch.setattr(kernel, "BLOCK", block)
    x, y = RNG.standard_normal((2, 11, 3)).astype(dtype)
    wanted = naive.mmd(x, y, lambda a, b: (float(np.dot(a, b)) / 3 + 1) ** 3)
    assert kernel_distance(x, y).value == pytest.approx(wanted, rel=1e-5, abs=1e-7)


def test_its_error_is_the_jackknife():
    x, y = RNG.standard_normal((2, 9, 2))
    without = [kernel_distance(np.delete(x, i, 0), np.delete(y, i, 0)).value for i in range(len(x))]
    wanted = np.sqrt((len(x) - 1) * np.var(without))
    assert kernel_distance(x, y).error == pytest.approx(wanted, rel=1e-9)


def linear(a, b):
    return a @ b.T


def draws(n, times, shift):
    rng = np.random.default_rng(1)
    for _ in range(times):
        x, y = rng.standard_normal((2, n, 3))
        yield kernel_distance(x, y + shift, kernel=linear)


@pytest.mark.parametrize("shift", [0.0, 1.0])
def test_a_linear_kernel_sees_the_means_without_bias(shift):
    """The population's MMD² is |shift|² = 3 shift². 2,000 draws: four standard errors."""
    values = [d.value for d in draws(10, 2000, shift)]
    error = np.std(values) / np.sqrt(len(values))
    assert np.mean(values) == pytest.approx(3 * shift**2, abs=4 * error)
    assert error < 0.04


def test_its_error_is_the_spread_over_draws():
    """h(z, z') = <x - y, x' - y'>, so Var is 4/n Var <mu, x - y> + 2/n² |Cov|²: closed form."""
    n = 100
    found = list(draws(n, 400, 1.0))
    wanted = np.sqrt(4 / n * 3 * 2 + 2 / (n * (n - 1)) * 3 * 2**2)
    assert np.std([d.value for d in found]) == pytest.approx(wanted, rel=0.12)
    assert np.mean([d.error for d in found]) == pytest.approx(wanted, rel=0.05)


def test_the_kernel_sees_more_than_means():
    x, y = RNG.standard_normal((2, 500, 4))
    assert abs(kernel_distance(x, y).value) < 4 * kernel_distance(x, y).error
    assert kernel_distance(x, 2 * y).value > 8 * kernel_distance(x, 2 * y).error


def test_cubic():
    assert cubic(np.array([[2.0, 1]]), np.array([[4.0, 2]]))[0, 0] == pytest.approx(6**3)


def test_sets_of_two_sizes_are_refused():
    with pytest.raises(ShapeError, match="one size, got 4, 5"):
        kernel_distance(np.zeros((4, 2)), np.zeros((5, 2)))
    with pytest.raises(ShapeError, match="at least 3 rows"):
        kernel_distance(np.zeros((2, 2)), np.zeros((2, 2)))
