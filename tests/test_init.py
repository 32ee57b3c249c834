"""Initialisers: moments and bounds, with five standard deviations of the estimate allowed.

Of n draws with deviation s and fourth central moment m4, the sample mean deviates by s / sqrt(n),
the sample variance by sqrt((m4 - s^4) / n): sqrt(2 / n) s^2 for a normal (m4 = 3 s^4) and
sqrt(0.8 / n) s^2 for a uniform distribution (m4 = 1.8 s^4).
"""

import math

import numpy as np
import pytest

from minigan import init
from minigan.errors import UnknownNameError
from minigan.layers import Conv2d, ConvTranspose2d, Dense

SHAPE, FAN_IN, FAN_OUT = (3, 5, 40, 60), 600, 900
SIZE = math.prod(SHAPE)

NORMAL = {
    "dcgan": 0.02,
    "glorot_normal": math.sqrt(2 / (FAN_IN + FAN_OUT)),
    "he_normal": math.sqrt(2 / FAN_IN),
    "lecun_normal": math.sqrt(1 / FAN_IN),
}
UNIFORM = {
    "glorot_uniform": math.sqrt(6 / (FAN_IN + FAN_OUT)),
    "he_uniform": math.sqrt(6 / FAN_IN),
}


def draw(name, shape=SHAPE, seed=0):
    return init.get(name)(shape, FAN_IN, FAN_OUT, np.random.default_rng(seed))


def check_moments(w, mean, std, spread):
    w = w.astype(float).ravel()
    assert abs(w.mean() - mean) < 5 * std / math.sqrt(w.size)
    assert abs(w.var() - std**2) < 5 * std**2 * math.sqrt(spread / w.size)


@pytest.mark.parametrize(("name", "std"), NORMAL.items())
def test_normal_initialisers_have_their_deviation_and_a_normal_tail(name, std):
    w = draw(name)
    check_moments(w, 0, std, spread=2)
    # Beyond two deviations lie 4.55 percent.
    beyond, share = (np.abs(w) > 2 * std).sum(), 0.0455
    assert abs(beyond - SIZE * share) < 5 * math.sqrt(SIZE * share * (1 - share))


@pytest.mark.parametrize(("name", "bound"), UNIFORM.items())
def test_uniform_initialisers_fill_their_bounds(name, bound):
    w = draw(name)
    check_moments(w, 0, bound / math.sqrt(3), spread=0.8)
    assert np.abs(w).max() <= np.float32(bound)
    # The largest of n lies below (1 - t) bound with probability (1 - t)^n: e^-20 at t = 20 / n.
    assert w.max() > bound * (1 - 2 * 20 / SIZE)
    assert w.min() < -bound * (1 - 2 * 20 / SIZE)


def test_constants_and_means():
    assert (draw("zeros") == 0).all()
    assert (draw("ones") == 1).all()
    assert (draw(init.constant(0.25)) == 0.25).all()
    check_moments(draw(init.normal(0.02, 1.0)), 1, 0.02, spread=2)
    check_moments(draw(init.uniform(0.5)), 0, 0.5 / math.sqrt(3), spread=0.8)


@pytest.mark.parametrize("shape", [(7, 7), (12, 5), (5, 12), (3, 3, 2, 6), (1, 2, 2, 16)], ids=str)
def test_orthogonal_has_orthonormal_rows_or_columns(shape):
    w = draw("orthogonal", shape).astype(float).reshape(-1, shape[-1])
    short = w.T @ w if w.shape[0] >= w.shape[1] else w @ w.T
    # The draw is made in float64 and stored in float32: 6e-8 per entry.
    np.testing.assert_allclose(short, np.eye(len(short)), atol=1e-6)


def test_orthogonal_draws_are_not_biased_by_the_factorisation():
    """QR without its signs would leave R's diagonal of one sign and the first entry always so."""
    first = np.array([draw("orthogonal", (3, 3), seed)[0, 0] for seed in range(200)])
    positive = (first > 0).sum()
    assert abs(positive - 100) < 5 * math.sqrt(200 / 4)
    # An entry of a uniformly random rotation in 3 dimensions is uniform on [-1, 1].
    check_moments(first, 0, 1 / math.sqrt(3), spread=0.8)


@pytest.mark.parametrize("name", sorted(init.INITIALIZERS))
def test_every_initialiser_gives_float32_of_the_shape_and_follows_the_generator(name):
    w = draw(name, (3, 4, 5))
    assert w.shape == (3, 4, 5)
    assert w.dtype == np.float32
    np.testing.assert_array_equal(w, draw(name, (3, 4, 5)))
    if name not in ("zeros", "ones"):
        assert not np.array_equal(w, draw(name, (3, 4, 5), seed=1))
        assert len(np.unique(w)) == w.size


@pytest.mark.parametrize(
    ("make", "fans"),
    [
        (lambda f: Dense(3, 5, init=f, rng=np.random.default_rng(0)), (3, 5)),
        (lambda f: Conv2d(3, 5, (2, 4), init=f, rng=np.random.default_rng(0)), (24, 40)),
        (lambda f: ConvTranspose2d(3, 5, (2, 4), init=f, rng=np.random.default_rng(0)), (24, 40)),
        (
            lambda f: ConvTranspose2d(3, 5, 4, stride=2, init=f, rng=np.random.default_rng(0)),
            (48, 80),
        ),
    ],
    ids=["Dense", "Conv2d", "ConvTranspose2d", "strided ConvTranspose2d"],
)
def test_layers_hand_over_their_fans_and_take_any_function(make, fans):
    seen = []

    def record(shape, fan_in, fan_out, rng):
        seen.append((fan_in, fan_out))
        return np.ones(shape, np.float32)

    layer = make(record)
    assert seen == [fans]
    assert (layer.params["weight"].data == 1).all()
    assert not layer.params["bias"].data.any()


def test_an_unknown_name_is_refused_with_the_nearest_ones():
    with pytest.raises(UnknownNameError, match=r"initialiser 'he_norml'; did you mean 'he_normal'"):
        init.get("he_norml")
