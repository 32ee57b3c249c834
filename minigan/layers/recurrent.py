r"""Gated recurrent units over sequences (Cho et al. 2014, arXiv:1406.1078).

With the gates r (reset) and z (update) and the candidate n, one step from h to h' is

    a = x W_ih + b_ih,    b = h W_hh + b_hh              each (N, 3 H), in the order r, z, n
    r = sigmoid(a_r + b_r),    z = sigmoid(a_z + b_z),    n = tanh(a_n + r b_n)
    h' = (1 - z) n + z h

as PyTorch has it: r weighs b_n after the product, the paper weighs h before it. Backwards through
time, from dh' at each step,

    dn = (1 - z) dh',    dz = (h - n) dh',    ga_n = (1 - n^2) dn,    dr = b_n ga_n
    ga_r = r (1 - r) dr,    ga_z = z (1 - z) dz,    gb = (ga_r, ga_z, r ga_n)
    dh = z dh' + gb W_hh^T

and, over all steps at once, dx = ga W_ih^T, dW_ih = x^T ga, dW_hh = h^T gb. Behind the end of its
sequence a row's state stays as it is: h' = h, dh = dh'.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from minigan import init as initializers
from minigan.backend import Array, array_module, is_array, joined, stacked
from minigan.errors import ShapeError
from minigan.layers.base import Layer
from minigan.ops.activation import sigmoid, sigmoid_dx, tanh, tanh_dx
from minigan.ops.channels import add_channel_sum
from minigan.ops.linear import add_matmul, matmul, matmul_bias_act


@dataclass(slots=True)
class _Step:
    """What a step computed, (N, H) each, rz (N, 2 H).

    going (N, 1): 1 for the rows whose sequence has not ended; None where none has.
    """

    h: Array
    rz: Array
    n: Array
    b_n: Array
    going: Array | None


@dataclass(slots=True)
class GRUContext:
    """The input (T, N, C), the steps in their order, and the parameters' version."""

    x: Array
    steps: list[_Step]
    several: bool  # inputs: whether lengths were given
    version: int


class GRU(Layer):
    """States of all steps, from zeros: (N, T, input_size) -> (N, T, hidden_size).

    A second input, integers (N,), gives the lengths of the sequences: a row keeps the state that it
    has at its end, so the last state is that of the whole sequence for every row. Raises ShapeError
    for rows of another size, an empty sequence, and lengths of another number or kind.
    """

    def __init__(self, input_size: int, hidden_size: int, *, rng: np.random.Generator) -> None:
        super().__init__()
        self.input_size, self.hidden_size = input_size, hidden_size
        draw = initializers.uniform(1 / math.sqrt(hidden_size))  # PyTorch's
        for name, rows in (("weight_ih", (input_size,)), ("weight_hh", (hidden_size,))):
            self.add_param(name, draw((*rows, 3 * hidden_size), input_size, hidden_size, rng))
        for name in ("bias_ih", "bias_hh"):
            self.add_param(name, draw((3 * hidden_size,), input_size, hidden_size, rng))

    def describe(self) -> str:
        return f"{self.input_size}, {self.hidden_size}"

    def forward(
        self, *xs: Array, train: bool = True, update_stats: bool = True
    ) -> tuple[Array, GRUContext]:
        x, *rest = xs
        self._check(x, rest)
        p, H = self.own_params, self.hidden_size
        xp = array_module(x)
        n, t, c = x.shape
        rows = xp.ascontiguousarray(x.swapaxes(0, 1))
        a = matmul_bias_act(rows.reshape(-1, c), p["weight_ih"].data, p["bias_ih"].data)
        a = a.reshape(t, n, 3 * H)
        going = None
        if rest:
            going = (xp.arange(t)[:, None, None] < rest[0][:, None]).astype(x.dtype)
        h = np.zeros_like(a[0, :, :H])
        states, steps = [], []
        for i in range(t):
            b = matmul_bias_act(h, p["weight_hh"].data, p["bias_hh"].data)
            rz = sigmoid(a[i, :, : 2 * H] + b[:, : 2 * H])
            b_n = b[:, 2 * H :]
            candidate = tanh(a[i, :, 2 * H :] + rz[:, :H] * b_n)
            step = _Step(h, rz, candidate, b_n, None if going is None else going[i])
            h = candidate + rz[:, H:] * (h - candidate)
            if step.going is not None:
                h = step.h + step.going * (h - step.h)
            states.append(h)
            steps.append(step)
        return stacked(states, 1), GRUContext(rows, steps, bool(rest), p["weight_ih"].version)

    def backward(
        self, dy: Array, ctx: GRUContext, need_dx: bool = True, need_dw: bool = True
    ) -> Any:
        p, H = self.own_params, self.hidden_size
        self.check_fresh(ctx.version, p["weight_ih"])
        gas, gbs = [], []
        dh = np.zeros_like(ctx.steps[0].h)
        for i, step in reversed(list(enumerate(ctx.steps))):
            dh = dh + dy[:, i]
            kept: Any = 0  # of rows behind their end: h' = h, so dh' is dh
            if step.going is not None:
                going = dh * step.going
                kept, dh = dh - going, going
            r, z = step.rz[:, :H], step.rz[:, H:]
            ga_n = tanh_dx(dh * (1 - z), step.n)
            drz = np.concatenate([ga_n * step.b_n, dh * (step.h - step.n)], 1)
            ga_rz = sigmoid_dx(drz, step.rz)
            gas.append(np.concatenate([ga_rz, ga_n], 1))
            gbs.append(np.concatenate([ga_rz, ga_n * r], 1))
            dh = dh * z + kept + matmul(gbs[-1], p["weight_hh"].data.T)
        ga = joined(gas[::-1])  # (T N, 3 H)
        if need_dw:
            gb = joined(gbs[::-1])
            before = joined([step.h for step in ctx.steps])
            add_matmul(p["weight_ih"].grad, ctx.x.reshape(-1, self.input_size).T, ga)
            add_matmul(p["weight_hh"].grad, before.T, gb)
            add_channel_sum(p["bias_ih"].grad, ga)
            add_channel_sum(p["bias_hh"].grad, gb)
        if not need_dx:
            return None
        dx = matmul(ga, p["weight_ih"].data.T).reshape(ctx.x.shape).swapaxes(0, 1)
        dx = array_module(dx).ascontiguousarray(dx)
        return (dx, None) if ctx.several else dx

    def _check(self, x: Any, rest: list[Array]) -> None:
        wanted = f"(N, T, {self.input_size}) with T at least 1"
        ok = is_array(x) and x.ndim == 3 and x.shape[2] == self.input_size and x.shape[1] > 0
        self.check_array(x, wanted, ok, self.own_params["weight_ih"].data.dtype)
        for lengths in rest:
            if lengths.shape != x.shape[:1] or not np.issubdtype(lengths.dtype, np.integer):
                raise ShapeError(
                    f"{self!r} wanted the lengths of {len(x)} sequences as integers ({len(x)},), "
                    f"got {lengths.dtype} {lengths.shape}"
                )
