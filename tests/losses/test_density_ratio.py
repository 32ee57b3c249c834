"""alpha-GAN's loss of a generator: a divergence at the best D, and two losses in one."""

import math

import numpy as np
import pytest
from scipy import stats

from minigan.losses import Minimax, NonSaturating
from minigan.losses.density_ratio import DensityRatio


def test_is_the_divergence_at_the_best_discriminator():
    """KL(N(a, 1) || N(b, 1)) = (a - b)^2 / 2; five standard errors of 100,000 draws."""
    q, p = stats.norm(0.3), stats.norm(-0.5)
    z = q.rvs((100_000, 1), random_state=0)
    logits = p.logpdf(z) - q.logpdf(z)
    loss, _ = DensityRatio().generator(logits)
    assert abs(loss - 0.8**2 / 2) < 5 * logits.std() / math.sqrt(len(z))


def test_is_the_sum_of_both_classical_losses():
    """-log D + log(1 - D), each computed by the objective that has it."""
    logits = 3 * np.random.default_rng(1).standard_normal((7, 1))
    loss, dlogits = DensityRatio().generator(logits)
    parts = [objective().generator(logits) for objective in (Minimax, NonSaturating)]
    assert loss == pytest.approx(sum(part for part, _ in parts), rel=1e-13)
    np.testing.assert_allclose(dlogits, sum(d for _, d in parts), rtol=1e-13)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_d_is_the_classifier(dtype):
    real, fake = np.random.default_rng(2).standard_normal((2, 5, 1)).astype(dtype)
    ours, theirs = DensityRatio().discriminator(real, fake), Minimax().discriminator(real, fake)
    for a, b in zip(ours, theirs, strict=True):
        np.testing.assert_array_equal(a, b)
    assert DensityRatio().generator(fake)[1].dtype == dtype
