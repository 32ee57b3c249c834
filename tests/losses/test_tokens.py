"""The weighted log-likelihood of tokens: PyTorch's cross-entropy, and what is refused."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from minigan.errors import ShapeError
from minigan.losses import weighted_nll
from minigan.losses.tokens import token_log_likelihood


@pytest.mark.parametrize("scale", [1.0, 300.0])
def test_it_is_pytorch_s_cross_entropy(scale):
    rng = np.random.default_rng(0)
    logits, tokens = scale * rng.standard_normal((3, 4, 5)), rng.integers(5, size=(3, 4))
    weights = rng.standard_normal((3, 4))
    theirs = torch.tensor(logits, requires_grad=True)
    each = F.cross_entropy(theirs.flatten(0, 1), torch.tensor(tokens.ravel()), reduction="none")
    (each * torch.tensor(weights.ravel())).sum().backward()
    loss, dlogits = weighted_nll(logits, tokens, weights)
    # 16 digits less what sums of some terms of size `scale` lose.
    np.testing.assert_allclose(dlogits, theirs.grad.numpy(), rtol=0, atol=1e-13)
    own = -token_log_likelihood(logits, tokens)
    np.testing.assert_allclose(own.ravel(), each.detach().numpy(), rtol=1e-12, atol=1e-13 * scale)
    assert loss == pytest.approx((own * weights).sum(), rel=1e-12)


def test_a_weight_of_nothing_leaves_a_token_out():
    rng = np.random.default_rng(0)
    logits, tokens = rng.standard_normal((2, 3, 4)), rng.integers(4, size=(2, 3))
    weights = np.array([[1.0, 0, 0], [1, 1, 0]])
    loss, dlogits = weighted_nll(logits, tokens, weights)
    changed = logits + 7 * (weights == 0)[..., None] * rng.standard_normal((2, 3, 4))
    again, _ = weighted_nll(changed, tokens, weights)
    assert again == loss
    assert not dlogits[weights == 0].any()


def test_other_shapes_are_refused():
    logits, tokens, weights = np.zeros((2, 3, 4)), np.zeros((2, 3), int), np.zeros((2, 3))
    for wrong in (
        (logits[0], tokens, weights),
        (logits, tokens[:, :2], weights),
        (logits, tokens, weights[:1]),
    ):
        with pytest.raises(ShapeError, match=r"wanted logits \(N, T, V\), tokens and weights"):
            weighted_nll(*wrong)
