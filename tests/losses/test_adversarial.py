"""The objectives of the original paper: against PyTorch, closed forms and the paper's remarks."""

import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from minigan.errors import OptionError
from minigan.losses import Minimax, NonSaturating, adversarial

torch.set_num_threads(1)

# One pass of a few roundings and a mean of at most 9 numbers.
FLOAT64 = 1e-14
OBJECTIVE = {
    "minimax": Minimax(),
    "non-saturating": NonSaturating(),
    "non-saturating of the tutorial": NonSaturating(scale=0.5),
}
every_objective = pytest.mark.parametrize("objective", OBJECTIVE.values(), ids=OBJECTIVE)


def logits(n, scale, seed):
    return scale * np.random.default_rng(seed).uniform(-1, 1, (n, 1))


def leaf(a):
    return torch.tensor(a, requires_grad=True)


def cross_entropy(t, real):
    """-log D, or -log(1 - D), of logits: PyTorch's own stable form."""
    target = torch.full_like(t, 1.0 if real else 0.0)
    return F.binary_cross_entropy_with_logits(t, target)


def torch_generator_loss(objective, fake):
    if isinstance(objective, NonSaturating):
        return objective.scale * cross_entropy(fake, real=True)
    return -cross_entropy(fake, real=False)


@every_objective
@pytest.mark.parametrize("scale", [1.0, 10.0, 100.0])
def test_equals_pytorch(objective, scale):
    """Values and gradients; batches of unlike sizes, each with its own mean."""
    for seed in range(5):
        real, fake = logits(9, scale, seed), logits(4, scale, seed + 100)
        t_real, t_fake = leaf(real), leaf(fake)
        expected = cross_entropy(t_real, real=True) + cross_entropy(t_fake, real=False)
        expected.backward()
        loss, d_real, d_fake = objective.discriminator(real, fake)
        assert loss == pytest.approx(expected.item(), rel=FLOAT64)
        # PyTorch takes sigmoid - 1, good to the rounding unit of 1; ours keeps every digit.
        np.testing.assert_allclose(d_real, t_real.grad, rtol=FLOAT64, atol=1e-16)
        np.testing.assert_allclose(d_fake, t_fake.grad, rtol=FLOAT64, atol=1e-16)

        t_fake = leaf(fake)
        expected = torch_generator_loss(objective, t_fake)
        expected.backward()
        loss, dlogits = objective.generator(fake)
        assert loss == pytest.approx(expected.item(), rel=FLOAT64)
        np.testing.assert_allclose(dlogits, t_fake.grad, rtol=FLOAT64, atol=1e-16)


# logit l, log(1 + exp(l)) and 1 / (1 + exp(-l)) to all digits
CLOSED_FORMS = [
    (100.0, 100.0, 1.0),
    (-100.0, math.exp(-100), math.exp(-100)),
    (710.0, 710.0, 1.0),
    (0.0, math.log(2), 0.5),
    (math.log(3), math.log(4), 0.75),
    (-math.log(3), math.log(4 / 3), 0.25),
]


@pytest.mark.parametrize(("l", "softplus", "sigmoid"), CLOSED_FORMS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_closed_forms_without_overflow(l, softplus, sigmoid, dtype):
    # float32's unit is 6e-8; exp(-100) is below its normal numbers, and may become 0.
    tiny = 1e-43 if dtype == np.float32 else 0
    close = {"rel": 1e-14 if dtype == np.float64 else 2e-7, "abs": tiny}
    x = np.array([[l]], dtype)
    nought = np.array([[0.0]], dtype)

    loss, d_real, d_fake = Minimax().discriminator(-x, x)
    assert loss == pytest.approx(2 * softplus, **close)
    assert d_real.item() == pytest.approx(-sigmoid, **close)
    assert d_fake.item() == pytest.approx(sigmoid, **close)
    assert d_real.dtype == d_fake.dtype == dtype

    loss, d_fake = Minimax().generator(x)
    assert loss == pytest.approx(-softplus, **close)
    assert d_fake.item() == pytest.approx(-sigmoid, **close)

    loss, d_fake = NonSaturating().generator(-x)
    assert loss == pytest.approx(softplus, **close)
    assert d_fake.item() == pytest.approx(-sigmoid, **close)
    assert d_fake.dtype == dtype

    # Each half of D's loss for itself: the other one contributes log 2.
    assert Minimax().discriminator(-x, nought)[0] == pytest.approx(softplus + math.log(2), **close)
    assert Minimax().discriminator(nought, x)[0] == pytest.approx(softplus + math.log(2), **close)


@every_objective
def test_at_the_equilibrium_d_pays_log_4(objective):
    """Theorem 1: D = 1/2 everywhere, V(D, G) = -log 4; and D's gradients cancel there."""
    nought = np.zeros((6, 1))
    loss, d_real, d_fake = objective.discriminator(nought, nought)
    assert -loss == pytest.approx(-math.log(4), rel=1e-15)
    np.testing.assert_array_equal(d_real, np.full((6, 1), -1 / 12))
    np.testing.assert_array_equal(d_fake, -d_real)


def test_minimax_is_a_zero_sum_game():
    """J(G) is V up to a term without G: the gradients of both players are opposite."""
    fake = logits(7, 10.0, 3)
    _, _, d_fake = Minimax().discriminator(logits(7, 10.0, 4), fake)
    np.testing.assert_array_equal(Minimax().generator(fake)[1], -d_fake)


def test_the_saturating_gradient_vanishes_where_d_is_sure_and_the_other_does_not():
    """The paper's section 3: early on D rejects with confidence."""
    sure = np.full((4, 1), -30.0)
    saturating, strong = Minimax().generator(sure)[1], NonSaturating().generator(sure)[1]
    assert (np.abs(saturating) < 1e-13).all()
    np.testing.assert_allclose(strong, -0.25, rtol=1e-12)
    # Both push the logit of a generated example up, and agree where D = 1/2.
    nought = np.zeros((4, 1))
    assert (saturating < 0).all()
    np.testing.assert_array_equal(
        Minimax().generator(nought)[1], NonSaturating().generator(nought)[1]
    )


def test_scale_multiplies_loss_and_gradient_of_g_alone():
    real, fake = logits(5, 3.0, 1), logits(5, 3.0, 2)
    whole, half = NonSaturating(), NonSaturating(scale=0.5)
    assert half.generator(fake)[0] == whole.generator(fake)[0] / 2
    np.testing.assert_array_equal(half.generator(fake)[1], whole.generator(fake)[1] / 2)
    assert half.discriminator(real, fake)[0] == whole.discriminator(real, fake)[0]


@pytest.mark.parametrize("scale", [0.0, -1.0, float("nan")])
def test_bad_scale_is_refused(scale):
    with pytest.raises(OptionError, match=r"scale=.* must be above 0"):
        NonSaturating(scale=scale)


def test_mean_probability():
    assert adversarial.mean_probability(np.array([[-800.0], [800.0]])) == 0.5
    assert adversarial.mean_probability(np.array([[math.log(3)]])) == pytest.approx(0.75)
