r"""Normalisation over a set of axes, with its first and second derivatives.

With M numbers on the axes, mean mu, biased variance v and s = (v + eps)^(-1/2):

    xhat = (x - mu) s

The Jacobian of x -> xhat is symmetric; write it as the projection

    P(g) = s (g - mean(g) - xhat mean(g xhat))

so the backward pass is dx = P(g) for an upstream g (Ioffe and Szegedy 2015, section 3). For a
second derivative, differentiate L = <u, P(g)>. In g the map is linear and self-adjoint:

    dL/dg = P(u)

In x, L depends on s and xhat: L = M s A, with A = mean(u g) - mean(u) mean(g) - mean(u xhat)
mean(g xhat). With c = dL/dxhat = -s (u mean(g xhat) + g mean(u xhat)) and ds/dx = -s^2 xhat / M,

    dL/dx = P(c) - s^2 xhat A

All arrays have x's shape but s, which has 1 on the normalised axes.
"""

from __future__ import annotations

import numpy as np

from minigan.backend import Array
from minigan.ops.dispatch import op

Axes = tuple[int, ...]


@op
def mean_over(a: Array, axes: Axes) -> Array:
    """The mean, with the axes kept as 1.

    In two steps, first within each entry of axes[0]: NumPy adds along any but the last axis one
    after the other, and the shorter the float32 sums, the smaller is their rounding error.
    """
    inner = a.mean(axes[1:], keepdims=True) if len(axes) > 1 else a
    return inner.mean(axes[0], keepdims=True)


@op
def normalize(x: Array, axes: Axes, eps: float) -> tuple[Array, Array, Array, Array]:
    """xhat, s, mean and biased variance; the last three keep the normalised axes as 1."""
    mean = mean_over(x, axes)
    xhat = x - mean
    var = mean_over(np.square(xhat), axes)
    s = 1 / np.sqrt(var + x.dtype.type(eps))
    xhat *= s
    return xhat, s, mean, var


@op
def normalize_dx(g: Array, xhat: Array, s: Array, axes: Axes) -> Array:
    """P(g), the derivative of <g, xhat> with respect to x."""
    dx = xhat * mean_over(g * xhat, axes)
    np.subtract(g, dx, out=dx)
    dx -= mean_over(g, axes)
    dx *= s
    return dx


@op
def normalize_ddx(u: Array, g: Array, xhat: Array, s: Array, axes: Axes) -> tuple[Array, Array]:
    """The derivatives of <u, P(g)> with respect to g and x."""

    def mean(a: Array) -> Array:
        return mean_over(a, axes)

    u_xhat, g_xhat = mean(u * xhat), mean(g * xhat)
    area = mean(u * g) - mean(u) * mean(g) - u_xhat * g_xhat
    c = -s * (u * g_xhat + g * u_xhat)
    return normalize_dx(u, xhat, s, axes), normalize_dx(c, xhat, s, axes) - s * s * xhat * area
