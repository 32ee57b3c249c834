r"""The autoencoder of three dense layers: an example, through a code, to itself.

    z = E(x),  x' = G(z),    descend  sum_k (x_k - x'_k)^2    in E and G

Hidden layer, code and output are the three layers; more of them, or convolutions, are options
(Rumelhart, Hinton, Williams 1986; Hinton and Salakhutdinov 2006).

An autoencoder is no model of its data: nothing says which codes are likely. To have samples all the
same, the mean and the covariance of the codes met in training are kept, and codes are drawn from
the Gaussian that has them. Where real codes are spread otherwise, what comes out is no example.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from minigan.algorithms.autoencoding.base import Autoencoding
from minigan.algorithms.autoencoding.options import AutoencoderOptions
from minigan.algorithms.autoencoding.posterior import Deterministic
from minigan.algorithms.base import Scalars
from minigan.algorithms.options import Streams, Task
from minigan.algorithms.settings import option
from minigan.backend import Array, to_device, to_host
from minigan.layers import Layer
from minigan.losses import squared_error
from minigan.ops.linear import matmul
from minigan.prior import Prior

PAPER = (
    "Rumelhart, Hinton, Williams 1986, Learning internal representations by error propagation;"
    " Hinton and Salakhutdinov 2006, Science 313"
)

EQUATIONS = {
    "autoencoder.code": r"z = E(x), \quad x' = G(z)",
    "autoencoder.loss": r"\min_{E, G} \frac{1}{m} \sum_{i=1}^m \sum_k"
    r" (x^{(i)}_k - x'^{(i)}_k)^2",
    "autoencoder.fit": r"z \sim \mathcal{N}(\bar z, \mathrm{Cov}(z)), \quad z = E(x)",
}

FORGET = 0.01  # the share of the newest minibatch in the codes' moments


class CodeMoments:
    """Running mean and covariance of codes; N(0, I) until some were seen.

    Moving averages of z and z z^T, so that the covariance is one of codes, and never indefinite but
    for rounding. In float64: a mean far from 0 cancels.
    """

    def __init__(self, dim: int) -> None:
        self.first = np.zeros(dim)
        self.second = np.eye(dim)

    def to(self, device: str) -> None:
        """Go on from here on `device`."""
        self.first, self.second = to_device(self.first, device), to_device(self.second, device)

    def update(self, z: Array) -> None:
        """Take in the codes (N, J) of a minibatch."""
        z = z.astype(np.float64)
        self.first += FORGET * (z.mean(0) - self.first)
        self.second += FORGET * (matmul(z.T, z) / len(z) - self.second)

    def transform(self, noise: Array) -> Array:
        """Draws of the Gaussian from draws (N, J) of N(0, I), all on the host."""
        mean, second = to_host(self.first), to_host(self.second)
        variances, axes = np.linalg.eigh(second - np.outer(mean, mean))
        root = axes * np.sqrt(np.maximum(variances, 0))  # root root^T is the covariance
        z = mean + noise.astype(np.float64) @ root.T  # eq: autoencoder.fit
        return z.astype(noise.dtype)


class Autoencoder(Autoencoding):
    """E and G trained together on the squared error; codes are fitted by a Gaussian for samples."""

    def __init__(self, E: Layer, G: Layer, **shared: Any) -> None:
        super().__init__({"E": E, "G": G}, posterior=Deterministic(), **shared)
        self.codes = CodeMoments(self.prior.dim)

    def to(self, device: str) -> Self:
        """Go on from here on `device`, the codes' moments too."""
        self.codes.to(device)
        return super().to(device)

    def step(self, x: Array) -> Scalars:
        """Descend autoencoder.loss on the examples x."""
        E, G = self.E, self.G
        E.flat.zero_grad()
        G.flat.zero_grad()
        z, E_ctx = E.forward(x)  # eq: autoencoder.code
        y, G_ctx = G.forward(z)  # eq: autoencoder.code
        loss, dy = squared_error(y, x)  # eq: autoencoder.loss
        dz = G.backward(dy, G_ctx)
        E.backward(dz, E_ctx, need_dx=False)
        norms = self.descend_together({"E": loss, "G": loss})
        self.codes.update(z)
        return {"reconstruction": loss, **norms}

    def generate(self, z: Array) -> Array:
        """Decode z, a draw of N(0, I), as the code that it stands for in the fitted Gaussian."""
        return self.decode(self.codes.transform(z))

    def state_dict(self) -> dict[str, Array]:
        """The networks' arrays, and the codes' moments."""
        return super().state_dict() | {
            "codes.first": self.codes.first,
            "codes.second": self.codes.second,
        }


@dataclass(frozen=True, kw_only=True)
class Options(AutoencoderOptions):
    """Three dense layers unless told otherwise."""

    hidden_E: tuple[int, ...] = option((512,), "units of E's hidden layers (mlp)")
    hidden_G: tuple[int, ...] = option((), "units of G's hidden layers (mlp)")


def build(options: Options, task: Task, streams: Streams) -> Autoencoder:
    """Pictures come out of a tanh, points of a linear layer. Raises OptionError."""
    family = options.family(task)
    rng = streams.weights
    E = family.encoder(options, task, options.z_dim, rng)
    G = family.decoder(options, task, task.kind == "image", rng)
    return Autoencoder(
        E,
        G,
        optimizers=options.build_optimizers(task, E=E, G=G),
        prior=Prior("normal", options.z_dim),
        max_grad_norm=options.max_grad_norm,
        rng=streams.noise,
    )
