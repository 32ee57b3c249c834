r"""Rows of pictures along a way through z: interpolation, traversal, truncation.

White 2016, "Sampling generative networks", arXiv:1609.04468 (great circles); Chen et al. 2016,
arXiv:1606.03657, figure 2 (traversal of codes); Brock et al. 2019, arXiv:1809.11096, section 3.1
(truncation).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from scipy.special import ndtr, ndtri

from minigan.algorithms.codes.prior import Code
from minigan.algorithms.latent import Truncating
from minigan.backend import Array
from minigan.errors import OptionError, UnknownNameError
from minigan.prior import Prior
from minigan.training.latent_tools.base import COLUMNS, Sheet, Source, Tool, ends, noise_of, rows


def linear(a: Array, b: Array, t: float) -> Array:
    """(1 - t) a + t b."""
    return ((1 - t) * a + t * b).astype(a.dtype)


def spherical(a: Array, b: Array, t: float) -> Array:
    """sin((1 - t) w) / sin w a + sin(t w) / sin w b, w the angle between a and b (rows)."""
    lengths = np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1)
    w = np.arccos(np.clip((a * b).sum(1) / lengths, -1, 1))[:, None]
    if np.any(np.sin(w) < 1e-6):
        return linear(a, b, t)
    return ((np.sin((1 - t) * w) * a + np.sin(t * w) * b) / np.sin(w)).astype(a.dtype)


WAYS = {"linear": linear, "spherical": spherical}


@dataclass(frozen=True)
class Interpolation(Tool):
    """Each row goes in `steps` pictures from one draw of the prior to another.

    way: "linear" or "spherical"; if None, normal draws go on a great circle, which keeps their
    typical length, and uniform ones straight, inside their cube. Codes always go straight.
    """

    flag: ClassVar[str] = "--interpolate"
    steps: int
    way: str | None = None

    def sheet(self, source: Source, n: int, rng: np.random.Generator) -> Sheet:
        z = self.points(source.prior, n, rng)
        return Sheet(source.make(z, columns=self.steps), self.steps)

    def points(self, prior: Prior, n: int, rng: np.random.Generator) -> Array:
        """The z of n rows, (n * steps, z_dim)."""
        a, b = prior.draw(n, rng), prior.draw(n, rng)
        way = WAYS[self.way or ("spherical" if prior.name == "normal" else "linear")]
        noise = slice(0, noise_of(prior).dim)
        points = []
        for t in np.linspace(0, 1, self.steps):
            z = linear(a, b, t)
            z[:, noise] = way(a[:, noise], b[:, noise], t)
            points.append(z)
        return rows(points)


@dataclass(frozen=True)
class Traversal(Tool):
    """Each row gives one number of a z the values from `low` to `high`, the rest stays.

    what: the number's place in z, or the name of a code (c1, c2, ...); of a categorical code the
    row shows every class. low, high: from -2 to 2 unless given, -1 to 1 for uniform numbers.
    """

    flag: ClassVar[str] = "--traverse"
    what: str
    low: float | None = None
    high: float | None = None
    columns: int | None = None

    def sheet(self, source: Source, n: int, rng: np.random.Generator) -> Sheet:
        prior = source.prior
        code = self._code(prior)
        if code.categorical:
            if not self.low is self.high is self.columns is None:
                raise OptionError(
                    f"--traverse {self.what} shows the {code.size} classes of a code, which has no "
                    "--low, --high or --columns"
                )
            values = np.eye(code.size)
        else:
            noise = noise_of(prior)
            reach = 2.0 if noise.name == "normal" and code.start < noise.dim else 1.0
            low, high = ends(self.low, self.high, (-reach, reach))
            values = np.linspace(low, high, self.columns or COLUMNS)[:, None]
        z = np.repeat(prior.draw(n, rng), len(values), axis=0)
        z[:, code.where] = np.tile(values, (n, 1))
        return Sheet(source.make(z, columns=len(values)), len(values))

    def _code(self, prior: Prior) -> Code:
        """The part of z that is meant."""
        codes = {code.name: code for code in getattr(prior, "codes", ())}
        if self.what in codes:
            return codes[self.what]
        if not self.what.isdecimal():
            wanted = f"a number from 0 to {prior.dim - 1}"
            raise UnknownNameError("part of z to traverse", self.what, [wanted, *codes])
        place = int(self.what)
        if place >= prior.dim:
            raise OptionError(f"--traverse {place}: z has the numbers 0 to {prior.dim - 1}")
        inside = [c for c in codes.values() if c.start <= place < c.start + c.size]
        if inside and inside[0].categorical:
            raise OptionError(
                f"--traverse {place} is a number of the categorical code {inside[0].name}; "
                f"give --traverse {inside[0].name}"
            )
        return Code(self.what, False, place, 1)


@dataclass(frozen=True)
class Truncation(Tool):
    """Each row takes a z from the prior cut off at -t and t, for each of the thresholds t.

    The numbers of a row stand at the same quantile of every piece, so that its pictures belong
    together: small t are typical ones, large t all there are. Of an algorithm that truncates in a
    space of its own each threshold is its psi.
    """

    flag: ClassVar[str] = "--truncate"
    thresholds: tuple[float, ...]

    def sheet(self, source: Source, n: int, rng: np.random.Generator) -> Sheet:
        if any(not 0 < t < math.inf for t in self.thresholds):
            raise OptionError(
                f"--truncate {','.join(map(str, self.thresholds))}: wanted thresholds above 0"
            )
        prior, noise = source.prior, noise_of(source.prior)
        z = prior.draw(n, rng)
        if isinstance(source.algorithm, Truncating):
            x = np.stack([source.algorithm.truncate(z, psi) for psi in self.thresholds], 1)
            return Sheet(x.reshape(-1, *x.shape[2:]), len(self.thresholds))
        u, scale = rng.uniform(0, 1, (n, noise.dim)), getattr(prior, "scale", 1.0)
        points = []
        for t in self.thresholds:
            point = z.copy()
            point[:, : noise.dim] = scale * CUT[noise.name](u, t)
            points.append(point)
        return Sheet(source.make(rows(points), columns=len(points)), len(points))


def truncated(u: Array, t: float) -> Array:
    """Where u of U(0, 1) stands in N(0, 1) cut off at -t and t: the inverse of its distribution."""
    return ndtri(ndtr(-t) + u * (ndtr(t) - ndtr(-t)))


CUT: dict[str, Callable[[Array, float], Array]] = {
    "normal": truncated,
    "uniform": lambda u, t: (2 * u - 1) * min(t, 1.0),
}
