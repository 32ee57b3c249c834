r"""The divergence of a diagonal Gaussian from the standard normal, in closed form.

    KL(N(mu, sigma^2) || N(0, I)) = -1/2 sum_j (1 + log sigma_j^2 - mu_j^2 - sigma_j^2)

with the gradients mu_j and (sigma_j^2 - 1) / 2 with respect to mu_j and log sigma_j^2
(Kingma and Welling 2014, appendix B). With sigma = 1 it is half the square of mu.
"""

from __future__ import annotations

import numpy as np

from minigan.backend import Array, scalar
from minigan.errors import ShapeError

PAPER = "Kingma and Welling 2014, Auto-encoding variational Bayes, arXiv:1312.6114, appendix B"

EQUATIONS = {
    "gaussian.kl": r"-D_{KL}(q_\phi(z) \| p_\theta(z)) = \frac{1}{2} \sum_{j=1}^J"
    r" (1 + \log((\sigma_j)^2) - (\mu_j)^2 - (\sigma_j)^2)",
}


def kl_to_standard_normal(mu: Array, log_var: Array) -> tuple[float, Array, Array]:
    """The divergence in nats, its mean over the batch, and both gradients.

    mu and log_var = log sigma^2, both (N, J). Raises ShapeError for others.
    """
    if mu.ndim != 2 or mu.shape != log_var.shape or len(mu) == 0:
        raise ShapeError(
            f"kl_to_standard_normal wanted mu and log_var (N, J), got {mu.shape} and "
            f"{log_var.shape}"
        )
    n = len(mu)
    var_minus_1 = np.expm1(log_var)  # exact where the variance is near 1
    loss = (mu * mu + var_minus_1 - log_var).sum() / (2 * n)  # eq: gaussian.kl
    return scalar(loss), mu / n, var_minus_1 / (2 * n)


def kl_of_unit_variance(mu: Array) -> tuple[float, Array]:
    """KL(N(mu, I) || N(0, I)) = |mu|^2 / 2, its mean over all numbers of mu, and the gradient."""
    return scalar((mu * mu).mean() / 2), mu / mu.size
