r"""Feature matching: G's examples shall be like real ones on average, as a layer of D sees them.

    J(G) = |E_x f(x) - E_z f(G(z))|^2,    f the output of an intermediate layer of D

D is trained as always, and so finds features in which the two means differ. With n generated
examples and the means m_x, m_z, the gradient of each f(G(z_i)) is 2 (m_z - m_x) / n.
"""

from __future__ import annotations

import numpy as np

from minigan.backend import Array, scalar
from minigan.errors import OptionError
from minigan.layers import Layer, prefix
from minigan.losses.objective import Value

PAPER = "Salimans et al. 2016, Improved techniques for training GANs, arXiv:1606.03498, section 3.1"

EQUATIONS = {
    "matching.features": r"\| \mathbb{E}_{x \sim p_{data}} f(x)"
    r" - \mathbb{E}_{z \sim p_z} f(G(z)) \|_2^2",
}


def match_means(fake: Array, real: Array) -> tuple[Value, Array]:
    """|mean real - mean fake|^2 over features (N, ...), and its gradient for `fake`."""
    apart = fake.mean(0) - real.mean(0)
    loss = np.square(apart).sum()  # eq: matching.features
    slope = apart * fake.dtype.type(2 / len(fake))
    return scalar(loss), np.broadcast_to(slope, fake.shape).copy()


class FeatureMatching:
    """G's loss in place of the objective's: means of the features that `layer` of D gives.

    layer: a name within D, such as "4" or "net.4"; the one before the last if None.
    """

    def __init__(self, layer: str | None = None) -> None:
        self.layer = layer

    def check(self, D: Layer) -> None:
        """Raise OptionError for a name that is no layer of D."""
        prefix(D, self.layer)

    def __call__(self, D: Layer, fake: Array, real: Array | None) -> tuple[Value, Array]:
        """The loss of generated examples, and its gradient for them; D is frozen.

        Raises OptionError for a name that is no layer of D.
        """
        if real is None:
            raise OptionError("feature matching needs the examples that D was shown")
        f = prefix(D, self.layer)
        real_features, _ = f.forward(real, update_stats=False)
        features, ctx = f.forward(fake, update_stats=False)
        loss, dfeatures = match_means(features, real_features)
        return loss, f.backward(dfeatures, ctx, need_dw=False)
