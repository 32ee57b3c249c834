r"""Normalisation of each example over itself and a reference batch, with both derivatives.

The reference x_r is a set of R examples; example i is normalised with mean and biased variance
over the union U_i of the reference and itself, M = (R + 1) P numbers with P places per example
(Salimans et al. 2016, section 3.5):

    xhat_ip = (x_ip - mu_i) s_i,    s_i = (v_i + eps)^(-1/2)

The union is never formed. With a = R / (R + 1), b = 1 - a, the reference's moments m_0, v_0 and
those m_i, w_i of one example over its places,

    mu_i = a m_0 + b m_i            v_i = a v_0 + b w_i + a b (m_0 - m_i)^2

First derivative, for an upstream g: with G_i = sum_p g_ip and C_i = sum_p g_ip (x_ip - mu_i),
mu_i is owed -s_i G_i and v_i is owed -s_i^3 C_i / 2, so every x_j of the union

    -(s_i G_i + s_i^3 C_i (x_j - mu_i)) / M         and x_ip itself s_i g_ip as well.

Second derivative, of <u, dx> = sum_i T_i: T_i is g on the tangent of xhat along u,

    T_i = s_i A_i - s_i^3 t_i C_i / 2,    A_i = sum_p g_ip (u_ip - n_i)
    n_i = sum_{U_i} u / M,                t_i = 2 sum_{U_i} (x - mu_i) u / M

where n and t are the tangents of mu and v. g_ip is owed

    s_i (u_ip - n_i) - s_i^3 t_i (x_ip - mu_i) / 2

and, through v, t and C, with tau_i = -s_i^3 A_i / 2 + 3 s_i^5 t_i C_i / 4, every x_j of the union

    (2 tau_i (x_j - mu_i) - s_i^3 C_i (u_j - n_i) + s_i^3 t_i G_i / 2) / M

and x_ip itself -s_i^3 t_i g_ip / 2 as well. What the reference is owed is a sum over i, which
needs the sums over i of the coefficients alone.

Arrays are (R, P, C) for the reference and (N, P, C) for the examples.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from minigan.backend import Array
from minigan.ops.dispatch import op


@dataclass(slots=True)
class UnionMoments:
    """Mean and 1 / sqrt(v + eps) of each example's union, (N, 1, C), and its count M."""

    mean: Array
    s: Array
    count: int


@op(plain=True)
def union_moments(x: Array, reference: Array, eps: float) -> UnionMoments:
    """The moments of the union of the reference (R, P, C) with each example of x (N, P, C).

    It runs as plain CuPy on a card.
    """
    size, places, _ = reference.shape
    rest = x.dtype.type(1 / (size + 1))
    m_0 = reference.mean((0, 1))
    v_0 = np.square(reference - m_0).mean((0, 1))
    m = x.mean(1, keepdims=True)
    w = np.square(x - m).mean(1, keepdims=True)
    v = (1 - rest) * v_0 + rest * w + (1 - rest) * rest * np.square(m - m_0)
    mean = m_0 + rest * (m - m_0)
    return UnionMoments(mean, 1 / np.sqrt(v + x.dtype.type(eps)), (size + 1) * places)


@op(plain=True)
def union_dx(g: Array, x: Array, reference: Array, moments: UnionMoments) -> tuple[Array, Array]:
    """The gradients of x and of the reference from g (N, P, C), that of xhat; as plain CuPy too."""
    mean, s, count = moments.mean, moments.s, moments.count
    centred = x - mean
    at_mean = -s * g.sum(1, keepdims=True) / count
    at_var = -(s**3) * (g * centred).sum(1, keepdims=True) / count
    dx = s * g + at_mean + at_var * centred
    return dx, _spread(at_mean, at_var, mean, reference)


@op(plain=True)
def union_ddx(
    u: Array, u_reference: Array, g: Array, x: Array, reference: Array, moments: UnionMoments
) -> tuple[Array, Array, Array]:
    """What <u, dx> + <u_reference, dreference> owes to g, x and the reference; plain CuPy too."""
    mean, s, count = moments.mean, moments.s, moments.count
    centred = x - mean
    u_sum = u_reference.sum((0, 1)) + u.sum(1, keepdims=True)
    n = u_sum / count
    xu_sum = (reference * u_reference).sum((0, 1)) + (x * u).sum(1, keepdims=True)
    t = 2 * (xu_sum - mean * u_sum) / count
    G, C = g.sum(1, keepdims=True), (g * centred).sum(1, keepdims=True)
    A = (g * (u - n)).sum(1, keepdims=True)

    cube = s**3
    dg = s * (u - n) - cube * t * centred / 2
    tau = -cube * A / 2 + 3 * cube * s * s * t * C / 4
    along_x, along_u = 2 * tau / count, -cube * C / count
    constant = cube * t * G / (2 * count)
    dx = along_x * centred + along_u * (u - n) + constant - cube * t * g / 2
    dreference = (
        _spread(constant, along_x, mean, reference)
        + along_u.sum(0) * u_reference
        - (along_u * n).sum(0)
    )
    return dg, dx, dreference


def _spread(constant: Array, slope: Array, mean: Array, reference: Array) -> Array:
    """sum_i (constant_i + slope_i (reference - mean_i))."""
    return (constant - slope * mean).sum(0) + slope.sum(0) * reference
