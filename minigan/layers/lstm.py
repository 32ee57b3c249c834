r"""Long short-term memory over sequences (Hochreiter and Schmidhuber 1997; Gers et al. 2000).

With the gates i (input), f (forget) and o (output) and the candidate g, one step from the state h
and the cell c to h' and c' is

    a = x W_ih + b_ih + h W_hh + b_hh             (N, 4 H), in the order i, f, g, o
    i, f, o = sigmoid(a_i, a_f, a_o),    g = tanh(a_g)
    c' = f c + i g,    h' = o tanh(c')

Backwards through time, from dh' and dc' at each step,

    do = tanh(c') dh',    dc' gains o (1 - tanh(c')^2) dh'
    di = g dc',    df = c dc',    dg = i dc',    dc = f dc'
    ga = (i (1 - i) di, f (1 - f) df, (1 - g^2) dg, o (1 - o) do),    dh = ga W_hh^T

and, over all steps at once, dx = ga W_ih^T, dW_ih = x^T ga, dW_hh = h^T ga; both biases gain the
sum of ga.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from minigan import init as initializers
from minigan.backend import Array, array_module, is_array, joined, stacked
from minigan.layers.base import Layer
from minigan.ops.activation import sigmoid, sigmoid_dx, tanh, tanh_dx
from minigan.ops.channels import add_channel_sum
from minigan.ops.linear import add_matmul, matmul, matmul_bias_act


class State(NamedTuple):
    """h and c, (N, hidden_size) each."""

    h: Array
    c: Array


@dataclass(slots=True)
class _Step:
    """What a step computed: the state before it, the gates i and f (N, 2 H), g, o, tanh(c')."""

    before: State
    i_f: Array
    g: Array
    o: Array
    tanh_c: Array


@dataclass(slots=True)
class LSTMContext:
    """The input (T, N, C), the steps in their order, and the parameters' version."""

    x: Array
    steps: list[_Step]
    version: int


class LSTM(Layer):
    """States h of all steps, from zeros: (N, T, input_size) -> (N, T, hidden_size).

    Parameters are PyTorch's, weights transposed, and drawn as there. Raises ShapeError for rows of
    another size and an empty sequence. `begin` and `advance` go step by step, where each input
    depends on the output before.
    """

    def __init__(self, input_size: int, hidden_size: int, *, rng: np.random.Generator) -> None:
        super().__init__()
        self.input_size, self.hidden_size = input_size, hidden_size
        draw = initializers.uniform(1 / math.sqrt(hidden_size))  # PyTorch's
        for name, rows in (("weight_ih", (input_size,)), ("weight_hh", (hidden_size,))):
            self.add_param(name, draw((*rows, 4 * hidden_size), input_size, hidden_size, rng))
        for name in ("bias_ih", "bias_hh"):
            self.add_param(name, draw((4 * hidden_size,), input_size, hidden_size, rng))

    def describe(self) -> str:
        return f"{self.input_size}, {self.hidden_size}"

    def begin(self, n: int) -> State:
        """The state of n rows before their first step: zeros."""
        like = self.own_params["weight_hh"].data
        zeros = np.zeros_like(like, shape=(n, self.hidden_size))
        return State(zeros, zeros)

    def advance(self, x: Array, state: State) -> State:
        """The state after one step more, of x (N, input_size). Raises ShapeError."""
        wanted = f"(N, {self.input_size})"
        ok = is_array(x) and x.ndim == 2 and x.shape[1] == self.input_size
        self.check_array(x, wanted, ok, self.own_params["weight_ih"].data.dtype)
        after, _ = self._step(self._of_input(x), state)
        return after

    def forward(
        self, *xs: Array, train: bool = True, update_stats: bool = True
    ) -> tuple[Array, LSTMContext]:
        (x,) = xs
        wanted = f"(N, T, {self.input_size}) with T at least 1"
        ok = is_array(x) and x.ndim == 3 and x.shape[2] == self.input_size and x.shape[1] > 0
        self.check_array(x, wanted, ok, self.own_params["weight_ih"].data.dtype)
        n, t, c = x.shape
        rows = array_module(x).ascontiguousarray(x.swapaxes(0, 1))
        a = self._of_input(rows.reshape(-1, c)).reshape(t, n, 4 * self.hidden_size)
        state, states, steps = self.begin(n), [], []
        for i in range(t):
            state, step = self._step(a[i], state)
            states.append(state.h)
            steps.append(step)
        return stacked(states, 1), LSTMContext(rows, steps, self.own_params["weight_ih"].version)

    def backward(
        self, dy: Array, ctx: LSTMContext, need_dx: bool = True, need_dw: bool = True
    ) -> Any:
        p, H = self.own_params, self.hidden_size
        self.check_fresh(ctx.version, p["weight_ih"])
        n = ctx.x.shape[1]
        self.check_upstream(dy, (n, len(ctx.steps), H))
        gas = []
        dh, dc = self.begin(n)
        for t, step in reversed(list(enumerate(ctx.steps))):
            dh = dh + dy[:, t]
            dc = dc + tanh_dx(dh * step.o, step.tanh_c)
            i, f = step.i_f[:, :H], step.i_f[:, H:]
            di_df = np.concatenate([dc * step.g, dc * step.before.c], 1)
            parts = [
                sigmoid_dx(di_df, step.i_f),
                tanh_dx(dc * i, step.g),
                sigmoid_dx(dh * step.tanh_c, step.o),
            ]
            gas.append(np.concatenate(parts, 1))
            dh, dc = matmul(gas[-1], p["weight_hh"].data.T), dc * f
        ga = joined(gas[::-1])  # (T N, 4 H)
        if need_dw:
            before = joined([step.before.h for step in ctx.steps])
            add_matmul(p["weight_ih"].grad, ctx.x.reshape(-1, self.input_size).T, ga)
            add_matmul(p["weight_hh"].grad, before.T, ga)
            add_channel_sum(p["bias_ih"].grad, ga)
            add_channel_sum(p["bias_hh"].grad, ga)
        if not need_dx:
            return None
        dx = matmul(ga, p["weight_ih"].data.T).reshape(ctx.x.shape).swapaxes(0, 1)
        return array_module(dx).ascontiguousarray(dx)

    def _of_input(self, rows: Array) -> Array:
        """x W_ih + b_ih of rows (N, input_size)."""
        p = self.own_params
        return matmul_bias_act(rows, p["weight_ih"].data, p["bias_ih"].data)

    def _step(self, of_input: Array, state: State) -> tuple[State, _Step]:
        p, H = self.own_params, self.hidden_size
        a = of_input + matmul_bias_act(state.h, p["weight_hh"].data, p["bias_hh"].data)
        i_f = sigmoid(a[:, : 2 * H])
        g, o = tanh(a[:, 2 * H : 3 * H]), sigmoid(a[:, 3 * H :])
        c = i_f[:, H:] * state.c + i_f[:, :H] * g
        tanh_c = tanh(c)
        return State(o * tanh_c, c), _Step(state, i_f, g, o, tanh_c)
