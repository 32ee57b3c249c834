"""Losses of single logits: closed forms and PyTorch's autograd."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from minigan.errors import UnknownNameError
from minigan.ops import loss

FORMS = {
    "zero": lambda l, p: 0 * l,
    "softplus": lambda l, p: F.softplus(l, threshold=600),
    "negative": lambda l, p: -F.logsigmoid(l),
    "above": lambda l, p: F.relu(l - p),
    "below": lambda l, p: F.relu(p - l),
    "square": lambda l, p: 0.5 * (l - p).square(),
}


def test_every_function_has_an_oracle():
    assert FORMS.keys() == loss.FUNCTIONS.keys()


@pytest.mark.parametrize("f", FORMS)
def test_value_and_gradients_equal_autograd(f):
    rng = np.random.default_rng(0)
    real, fake = rng.standard_normal((17, 1)) * 3, rng.standard_normal((5, 1)) * 3
    terms = loss.Term("negative", linear=0.1), loss.Term(f, -0.7, 0.3, 0.2)
    value, *gradients = loss.mean_losses(real, fake, *terms)

    tensors = [torch.tensor(a, requires_grad=True) for a in (real, fake)]
    expected = sum(
        (t.weight * FORMS[t.f](l, t.parameter) + t.linear * l).mean()
        for t, l in zip(terms, tensors, strict=True)
    )
    expected.backward()
    np.testing.assert_allclose(value, expected.item(), rtol=1e-12)
    assert value.shape == ()
    for ours, theirs in zip(gradients, tensors, strict=True):
        np.testing.assert_allclose(ours, theirs.grad.numpy(), rtol=1e-12, atol=1e-16)
    alone, gradient = loss.mean_loss(fake, terms[1])
    np.testing.assert_array_equal(gradient, gradients[1])
    np.testing.assert_allclose(value - alone, loss.mean_loss(real, terms[0])[0], rtol=1e-12)


@pytest.mark.parametrize("f", FORMS)
def test_far_out_nothing_overflows_and_the_dtype_stays(f):
    l = np.array([[-1e4], [-200], [200], [1e4]], np.float32)
    value, gradient = loss.mean_loss(l, loss.Term(f))
    assert value.dtype == gradient.dtype == np.float32
    assert np.isfinite(value)
    assert np.isfinite(gradient).all()


def test_an_unknown_function_is_refused():
    with pytest.raises(UnknownNameError, match=r"'softplas'; did you mean 'softplus'"):
        loss.Term("softplas")
