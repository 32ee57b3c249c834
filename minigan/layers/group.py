r"""Group normalisation: each example's channels in groups, each over all of its places.

    y = gamma xhat + beta,    xhat = (x - mean) / sqrt(var + eps)

with mean and biased variance of one example's group, and a gamma and beta for each channel (Wu and
He 2018). A single group is layer normalisation over a whole picture: it keeps what the channels'
means and spreads are beside each other, which instance norm takes away, and as its parameters are
the channels' alone, pictures of any size go through.

Places and a group's channels are brought together as (N, groups, places, C / groups), where both
are the last axes, as ops/norm.py wants them; the derivatives are those of that array.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from minigan import init as initializers
from minigan.backend import Array, array_module, is_array
from minigan.errors import OptionError
from minigan.layers.norm import Norm, NormContext
from minigan.ops.norm import normalize, normalize_ddx, normalize_dx

PAPER = "Wu and He 2018, Group normalization, arXiv:1803.08494, section 3.1"

AXES = (2, 3)  # of (N, groups, places, C / groups)


@dataclass(slots=True)
class GroupNormContext(NormContext):
    """x, mean and s of the groups; what is taken and given has `shape`, that of the layer's x."""

    shape: tuple[int, ...]

    @property
    def xhat(self) -> Array:
        """(x - mean) s, in the layer's shape."""
        return joined(self._xhat, self.shape)

    def dx(self, g: Array) -> Array:
        """The gradient of x from g, that of xhat."""
        return joined(normalize_dx(self._parted(g), self._xhat, self.s, AXES), self.shape)

    def ddx(self, u: Array, g: Array) -> tuple[Array, Array | None]:
        """What <u, dx(g)> owes to g and to x."""
        owed = normalize_ddx(self._parted(u), self._parted(g), self._xhat, self.s, AXES)
        dg, dx = (joined(a, self.shape) for a in owed)
        return dg, dx

    @property
    def _xhat(self) -> Array:
        return (self.x - self.mean) * self.s

    def _parted(self, a: Array) -> Array:
        return parted(a, self.x.shape[1])


class GroupNorm(Norm):
    """Normalises groups of each example's channels over all places: (N, ..., C) -> (N, ..., C).

    As PyTorch's: num_groups must divide num_channels, and gamma and beta are the channels'. Raises
    OptionError for other groups, ShapeError for another number of channels, or one number in a
    group.
    """

    def __init__(
        self,
        num_groups: int,
        num_channels: int,
        *,
        eps: float = 1e-5,
        affine: bool = True,
        init: str | initializers.Initializer = "ones",
        rng: np.random.Generator | None = None,
    ) -> None:
        if num_groups < 1 or num_channels % num_groups:
            raise OptionError(
                f"num_groups={num_groups} must be at least 1 and divide num_channels={num_channels}"
            )
        super().__init__((num_channels,), eps=eps, affine=affine, init=init, rng=rng)
        self.num_groups = num_groups

    def describe(self) -> str:
        return f"{self.num_groups}, {self.shape[0]}"

    def forward(
        self, *xs: Array, train: bool = True, update_stats: bool = True
    ) -> tuple[Array, GroupNormContext]:
        (x,) = xs
        self.check_array(
            x,
            f"(N, ..., {self.shape[0]}) with more than one number in a group",
            is_array(x)
            and x.ndim >= 2
            and x.shape[-1] == self.shape[0]
            and math.prod(x.shape[1:]) > self.num_groups,
            self.gamma.data.dtype if self.affine else None,
        )
        groups = parted(x, self.num_groups)
        xhat, s, mean, _ = normalize(groups, AXES, self.eps)
        y = self.affine_map(joined(xhat, x.shape))
        return y, GroupNormContext(groups, mean, s, AXES, self.version, x.shape)


def parted(x: Array, groups: int) -> Array:
    """(N, ..., C) -> (N, groups, places, C / groups), in one piece of memory."""
    n, channels = len(x), x.shape[-1]
    parts = x.reshape(n, -1, groups, channels // groups).swapaxes(1, 2)
    return array_module(x).ascontiguousarray(parts)


def joined(groups: Array, shape: tuple[int, ...]) -> Array:
    """The inverse of `parted`, as an array of that shape."""
    return groups.swapaxes(1, 2).reshape(shape)
