"""Feature matching against autograd, and through D's own layers."""

import numpy as np
import pytest
import torch

from minigan import layers as L
from minigan.errors import OptionError
from minigan.gradcheck import check_loss
from minigan.losses.matching import FeatureMatching, match_means
from tests.oracles.torch_twins import relative_error


def normal(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape)


@pytest.mark.parametrize("shape", [(5, 3), (4, 2, 3, 2), (1, 7)], ids=str)
def test_means_equal_pytorch(shape):
    fake, real = normal(*shape), normal(6, *shape[1:], seed=1)
    leaf = torch.tensor(fake, requires_grad=True)
    expected = ((torch.tensor(real).mean(0) - leaf.mean(0)) ** 2).sum()
    expected.backward()
    loss, dfake = match_means(fake, real)
    assert loss == pytest.approx(expected.item(), rel=1e-12)
    assert relative_error(dfake, leaf.grad.numpy()) < 1e-12


def test_finite_differences():
    real = normal(6, 3, seed=1)
    check_loss(lambda fake: match_means(fake, real), normal(4, 3), rng=np.random.default_rng(0))


def test_equal_means_cost_nothing_and_pull_nowhere():
    real = normal(6, 3)
    loss, dfake = match_means(real[::-1].copy(), real)
    assert abs(loss) < 1e-30
    assert np.abs(dfake).max() < 1e-15


def critic(rng):
    return L.Sequential(
        L.Dense(3, 5, rng=rng), L.BatchNorm(5), L.Tanh(), L.Dense(5, 4, rng=rng), L.Sigmoid(),
        L.Dense(4, 1, rng=rng),
    ).astype(np.float64)  # fmt: skip


@pytest.mark.parametrize(("layer", "used"), [("2", 3), ("4", 5), (None, 5)])
def test_the_features_are_those_of_the_named_layer_and_d_stays_frozen(layer, used):
    D = critic(np.random.default_rng(0))
    D.flat.grad[...] = 7
    before = {name: b.copy() for name, b in D.buffers.items()}
    real, fake = normal(6, 3), normal(4, 3, seed=1)
    loss, dfake = FeatureMatching(layer)(D, fake, real)

    def features(x):
        for part in D.layers[:used]:
            x, _ = part.forward(x, update_stats=False)
        return x

    assert loss == pytest.approx(((features(fake).mean(0) - features(real).mean(0)) ** 2).sum())
    direction, h = normal(4, 3, seed=2), 1e-6
    above, below = (
        ((features(fake + s * h * direction).mean(0) - features(real).mean(0)) ** 2).sum()
        for s in (1, -1)
    )
    # Central differences at 1e-6 are good to about 1e-9.
    assert (dfake * direction).sum() == pytest.approx((above - below) / (2 * h), rel=1e-6)
    assert (D.flat.grad == 7).all()
    for name, buffer in D.buffers.items():
        np.testing.assert_array_equal(buffer, before[name])


def test_refused():
    D = critic(np.random.default_rng(0))
    with pytest.raises(OptionError, match=r"no layer '9' .*there are: 0, 1, 2, 3, 4, 5"):
        FeatureMatching("9")(D, normal(4, 3), normal(4, 3))
    with pytest.raises(OptionError, match="needs the examples that D was shown"):
        FeatureMatching()(D, normal(4, 3), None)
