r"""Hand-written derivatives against finite differences, first and second order.

First order: L = <r, layer(x)> for a random r; backward must give dL/dx and dL/dtheta.
Second order: L = <v, dx> with dx = input_gradient(r); double_backward must give dL/dr, dL/dx and
dL/dtheta.

For each array a of unknowns and a random unit direction u, the directional derivative

    (L(a + h u) - L(a - h u)) / 2h    is compared with    <dL/da, u>.

An exhaustive check takes every unit vector in turn, for tiny arrays. Everything runs in float64,
where the difference quotient is good to about 1e-9 at h = 1e-5.

A piecewise-linear function has kinks, and a quotient across one belongs to no derivative. It is
known by the quotients at a quarter of the step: near a smooth point the slope stays and the bend

    (L(a + h u) - 2 L(a) + L(a - h u)) / h

falls to a quarter with it; the bend tells a kink exactly at a, where the slopes agree. Then the
inputs are moved a little at random and the check begins anew; only L is looked at for this, never
the gradient under test.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from minigan.backend import Array
from minigan.errors import MiniganError, OptionError
from minigan.layers import Layer

STEP = 1e-5
TOLERANCE = 1e-6
DIRECTIONS = 4
REDRAWS = 20


class GradcheckError(MiniganError, AssertionError):
    """A derivative does not agree with finite differences, or no smooth point was found."""


@dataclass(frozen=True, slots=True)
class Result:
    """The worst relative error over all directions tried in one array."""

    order: int
    array: str  # "input 0", "dy" or the dotted path of a parameter
    error: float


class _Kink(Exception):
    """A step crossed a kink."""


# A problem is its unknowns by name, L as a function of their present values, and dL/da by name.
Value = Callable[[], float]
Gradients = Callable[[], dict[str, Array]]
Problem = tuple[dict[str, Array], Value, Gradients]


def check_layer(
    layer: Layer,
    *xs: Array,
    rng: np.random.Generator,
    orders: Sequence[int] = (1, 2),
    exhaustive: bool = False,
    tolerance: float = TOLERANCE,
) -> list[Result]:
    """Check every derivative of a layer or network at inputs xs; returns one result per array.

    Checked as well: that backward adds to the gradients, and takes what it needs from its context.

    Integer inputs are held fixed. The layer's state does not move, its gradients are overwritten.
    Raises GradcheckError where a relative error exceeds `tolerance`, OptionError unless the
    parameters and floating-point inputs are float64 (`net.astype(np.float64)`).
    """
    for array in [layer.flat.data, *filter(_is_floating, xs)]:
        if array.size and array.dtype != np.float64:
            raise OptionError(f"gradcheck of {layer!r} wanted float64, got {array.dtype}")
    results = []
    for order in orders:
        problem = {1: _first_order, 2: _second_order}[order]
        attempt = partial(_attempt, layer, problem, rng, exhaustive)
        errors = _away_from_kinks(attempt, list(xs), rng, repr(layer))
        found = [Result(order, name, error) for name, error in errors.items()]
        results += _judged(repr(layer), found, tolerance)
    if 1 in orders:
        _check_contract(layer, xs, rng)
    return results


def check_loss(
    loss: Callable[..., tuple[Any, ...]],
    *xs: Array,
    rng: np.random.Generator,
    exhaustive: bool = True,
    tolerance: float = TOLERANCE,
) -> list[Result]:
    """Check a loss: a function of arrays that returns its value and a gradient for each of them.

    Raises GradcheckError as `check_layer` does, and OptionError unless the arrays are float64.
    """
    for x in xs:
        if x.dtype != np.float64:
            raise OptionError(f"gradcheck of a loss wanted float64, got {x.dtype}")
    name = getattr(loss, "__qualname__", repr(loss))

    def attempt(moved: list[Array]) -> dict[str, float]:
        unknowns = {f"input {i}": x for i, x in enumerate(moved)}

        def gradients() -> dict[str, Array]:
            return dict(zip(unknowns, loss(*moved)[1:], strict=True))

        return _compare(unknowns, lambda: loss(*moved)[0], gradients, rng, exhaustive)

    errors = _away_from_kinks(attempt, list(xs), rng, name)
    return _judged(name, [Result(1, array, error) for array, error in errors.items()], tolerance)


def _attempt(
    layer: Layer,
    problem: Callable[[Layer, list[Array], np.random.Generator], Problem],
    rng: np.random.Generator,
    exhaustive: bool,
    xs: list[Array],
) -> dict[str, float]:
    return _compare(*problem(layer, xs, rng), rng, exhaustive)


def _first_order(layer: Layer, xs: list[Array], rng: np.random.Generator) -> Problem:
    y, _ = layer.forward(*xs, update_stats=False)
    r = rng.standard_normal(y.shape)

    def value() -> float:
        y, _ = layer.forward(*xs, update_stats=False)
        return float(np.sum(r * y))

    def gradients() -> dict[str, Array]:
        _, ctx = layer.forward(*xs, update_stats=False)
        layer.flat.zero_grad()
        dx = layer.backward(r, ctx)
        return {**_named_inputs(dx), **{k: p.grad.copy() for k, p in layer.flat.params.items()}}

    return {**_inputs(xs), **_parameters(layer)}, value, gradients


def _check_contract(layer: Layer, xs: Sequence[Array], rng: np.random.Generator) -> None:
    """Raise GradcheckError unless a context belongs to its call alone, backward adds to the
    gradients, and need_dw=False leaves them."""
    y, ctx = layer.forward(*xs, update_stats=False)
    dy = rng.standard_normal(y.shape)
    layer.flat.zero_grad()
    layer.backward(dy, ctx)
    once = layer.flat.grad.copy()
    layer.forward(*(x[::-1] for x in xs), update_stats=False)
    layer.backward(dy, ctx, need_dw=False)
    layer.backward(dy, ctx, need_dx=False)
    for name, where in layer.flat.slices.items():
        if not np.allclose(layer.flat.grad[where], 2 * once[where], rtol=1e-9, atol=1e-12):
            raise GradcheckError(
                f"{layer!r}: after a second backward the gradient of {name} is not twice that of "
                "one; add to p.grad, only where need_dw says so, and from what ctx holds"
            )


def _second_order(layer: Layer, xs: list[Array], rng: np.random.Generator) -> Problem:
    y, _ = layer.forward(*xs, update_stats=False)
    dy = rng.standard_normal(y.shape)
    vs = [rng.standard_normal(x.shape) for x in xs]

    def input_gradients() -> tuple[tuple[Array, ...], Any]:
        _, ctx = layer.forward(*xs, update_stats=False)
        dx, gctx = layer.input_gradient(dy, ctx)
        return dx if isinstance(dx, tuple) else (dx,), gctx

    def value() -> float:
        dxs, _ = input_gradients()
        both = zip(vs, dxs, strict=True)
        return float(sum(np.sum(v * dx) for v, dx in both if dx is not None))

    def gradients() -> dict[str, Array]:
        _, gctx = input_gradients()
        layer.flat.zero_grad()
        ddy, x_extra = layer.double_backward(vs[0] if len(vs) == 1 else tuple(vs), gctx)
        parameters = {k: p.grad.copy() for k, p in layer.flat.params.items()}
        return {"dy": ddy, **_named_inputs(x_extra), **parameters}

    return {"dy": dy, **_inputs(xs), **_parameters(layer)}, value, gradients


def _compare(
    unknowns: dict[str, Array],
    value: Value,
    gradients: Gradients,
    rng: np.random.Generator,
    exhaustive: bool,
) -> dict[str, float]:
    """The worst relative error for each array of unknowns. Raises _Kink.

    An error is relative to the larger of the two derivatives, but to no less than a thousandth of
    the problem's scale: a gradient that vanishes identically has no digits to compare.
    """
    given, middle = gradients(), value()
    norms = [float(np.linalg.norm(g)) for g in given.values() if np.isfinite(g).all()]
    floor = max(1e-3 * max([abs(middle), *norms]), np.finfo(np.float64).tiny)
    worst = {}
    for name, a in unknowns.items():
        gradient = given.get(name)  # a missing one is claimed to vanish
        if gradient is not None and not np.isfinite(gradient).all():
            worst[name] = math.inf
            continue
        errors = [0.0]
        for u in _directions(a.shape, rng, exhaustive):
            analytic = 0.0 if gradient is None else float(np.sum(gradient * u))
            numeric, bend = _quotients(a, u, value, middle, STEP)
            near, near_bend = _quotients(a, u, value, middle, STEP / 4)
            scale = max(abs(analytic), abs(numeric), floor)
            # The bend carries about ten times the rounding error of the slope.
            jump = max(abs(numeric - near), abs(bend / 4 - near_bend) / 10)
            if not jump < TOLERANCE / 2 * scale:
                raise _Kink
            errors.append(abs(analytic - numeric) / scale)
        worst[name] = max(errors)
    return worst


def _quotients(a: Array, u: Array, value: Value, middle: float, h: float) -> tuple[float, float]:
    """Slope and bend of L along u, L(a) = middle; a is put back as it was."""
    kept = a.copy()
    a[...] = kept + h * u
    above = value()
    a[...] = kept - h * u
    below = value()
    a[...] = kept
    return (above - below) / (2 * h), (above - 2 * middle + below) / h


def _directions(
    shape: tuple[int, ...], rng: np.random.Generator, exhaustive: bool
) -> Iterator[Array]:
    if exhaustive:
        for i in range(int(np.prod(shape))):
            u = np.zeros(shape)
            u.flat[i] = 1
            yield u
    else:
        for _ in range(DIRECTIONS):
            u = rng.standard_normal(shape)
            yield u / np.linalg.norm(u)


def _away_from_kinks(
    attempt: Callable[[list[Array]], dict[str, float]],
    xs: list[Array],
    rng: np.random.Generator,
    name: str,
) -> dict[str, float]:
    """attempt at xs, and at points near them for as long as a step crosses a kink."""
    moved = [x.copy() for x in xs]
    for _ in range(REDRAWS):
        try:
            return attempt(moved)
        except _Kink:
            moved = [x + 0.1 * rng.standard_normal(x.shape) if _is_floating(x) else x for x in xs]
    raise GradcheckError(
        f"{name}: no point without a kink within {STEP} in {REDRAWS} draws; is it continuous?"
    )


def _judged(name: str, results: list[Result], tolerance: float) -> list[Result]:
    """The results, or GradcheckError that names the worst if it (or a NaN) is out of tolerance."""
    bad = [r for r in results if not r.error <= tolerance]
    if bad:
        worst = max(bad, key=lambda r: np.nan_to_num(r.error, nan=np.inf))
        raise GradcheckError(
            f"{name}: the order-{worst.order} derivative in {worst.array} is off by "
            f"{worst.error:.1e} (relative; allowed {tolerance:.0e})"
        )
    return results


def _is_floating(x: Array) -> bool:
    return np.issubdtype(x.dtype, np.floating)


def _inputs(xs: list[Array]) -> dict[str, Array]:
    return {f"input {i}": x for i, x in enumerate(xs) if _is_floating(x)}


def _parameters(layer: Layer) -> dict[str, Array]:
    return {name: p.data for name, p in layer.flat.params.items()}


def _named_inputs(gradients: Any) -> dict[str, Array]:
    """The gradients of a layer's inputs by name, those that vanish left out."""
    each = gradients if isinstance(gradients, tuple) else (gradients,)
    return {f"input {i}": g for i, g in enumerate(each) if g is not None}
