r"""The contract between forward and backward, which every layer and network keeps.

    y, ctx = layer.forward(x, train=True, update_stats=True)
    dx     = layer.backward(dy, ctx, need_dx=True, need_dw=True)

A GAN applies one network several times within one update, so a layer keeps nothing of a forward
pass on itself: what backward needs is in `ctx`. backward adds into the parameters' gradients,
returns a new array and may be called again with the same ctx.

Gradient penalties differentiate the backward pass once more:

    dx, gctx     = layer.input_gradient(dy, ctx)
    ddy, x_extra = layer.double_backward(ddx, gctx)

With P a scalar function of dx and ddx = dP/dx(dx), double_backward adds dP/dtheta into the
parameters' gradients and returns dP/d(dy) and dP/d(x), the latter None where it vanishes.

An unrolled discriminator is differentiated through its parameters' gradients dw too: with ddw =
dP/d(dw), a direction in the space of parameters,

    ddy, x_extra = layer.weight_double_backward(ddw, gctx)

does the same for <ddw, dw>. Both are linear, so what P owes through dx and through dw is added.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from minigan.backend import Array, DTypeLike, is_array, to_device
from minigan.errors import NoSecondDerivativeError, OptionError, ShapeError, StaleContextError
from minigan.layers.params import Directions, FlatParams, Param


@dataclass(slots=True)
class GradContext:
    """What `double_backward` of a single layer needs: its forward context and the dy it got."""

    ctx: Any
    dy: Array


class Layer:
    """Base of layers and networks. Subclasses write forward, backward and double_backward."""

    def __init__(self) -> None:
        self.own_params: dict[str, Param] = {}
        self.own_buffers: dict[str, Array] = {}  # state that is not trained: running statistics
        self.children: dict[str, Layer] = {}
        self._flat: FlatParams | None = None

    # --- the contract ---------------------------------------------------------------------------

    def forward(
        self, *xs: Array, train: bool = True, update_stats: bool = True
    ) -> tuple[Array, Any]:
        """The output, and the context that `backward` takes.

        `train` chooses batch statistics and active dropout; `update_stats` says whether running
        state moves. Raises ShapeError for an array that the layer cannot take.
        """
        raise NotImplementedError

    def backward(self, dy: Array, ctx: Any, need_dx: bool = True, need_dw: bool = True) -> Any:
        """The gradient of the input (None unless need_dx), one per input of the layer.

        Adds parameter gradients if need_dw. Raises StaleContextError when an optimiser changed
        the parameters after the forward pass that made ctx.
        """
        raise NotImplementedError

    def input_gradient(self, dy: Array, ctx: Any) -> tuple[Any, Any]:
        """dx alone, and a context that remembers every inner dy for `double_backward`."""
        return self.backward(dy, ctx, need_dx=True, need_dw=False), GradContext(ctx, dy)

    def double_backward(self, ddx: Any, gctx: Any) -> tuple[Array, Any]:
        """ddy and x_extra: the derivatives of <ddx, dx> with respect to dy and the input x.

        Adds the derivative with respect to the parameters into their gradients. Raises
        NoSecondDerivativeError where a layer has none.
        """
        raise NoSecondDerivativeError(
            f"{self!r} has no second derivative, so it cannot stand in a critic under a gradient "
            "penalty; use another layer there"
        )

    def weight_double_backward(self, ddw: Directions, gctx: Any) -> tuple[Any, Any]:
        """ddy and x_extra of <ddw, dw>, dw the gradients that backward adds; None for no gradient.

        Adds the derivative with respect to the parameters into their gradients. Raises
        NoSecondDerivativeError where a layer has none; one without parameters owes nothing.
        """
        if self.params:
            raise NoSecondDerivativeError(
                f"{self!r} cannot be differentiated through its parameters' gradients, so it "
                "cannot stand in an unrolled discriminator; use another layer there"
            )
        return None, None

    # --- parameters and state -------------------------------------------------------------------

    @property
    def params(self) -> dict[str, Param]:
        """Every parameter below this layer by its dotted path, e.g. "0.weight"."""
        return {f"{path}{k}": p for path, layer in self.walk() for k, p in layer.own_params.items()}

    @property
    def buffers(self) -> dict[str, Array]:
        """Every piece of untrained state below this layer by its dotted path."""
        return {
            f"{path}{k}": b for path, layer in self.walk() for k, b in layer.own_buffers.items()
        }

    def walk(self, path: str = "") -> Iterator[tuple[str, Layer]]:
        """This layer and all below it, each with the prefix of its names ("" or "0.1.")."""
        yield path, self
        for name, child in self.children.items():
            yield from child.walk(f"{path}{name}.")

    def follow_weights(self) -> None:
        """Bring buffers that follow from the weights up to date; most layers have none."""

    @property
    def flat(self) -> FlatParams:
        """The parameters in one buffer; packed when first asked for."""
        if self._flat is None:
            self._flat = FlatParams(self.params)
        return self._flat

    def astype(self, dtype: DTypeLike) -> Self:
        """Cast parameters and floating-point state in place; returns the layer."""
        self.flat.astype(dtype)
        for _, layer in self.walk():
            for name, buffer in layer.own_buffers.items():
                if np.issubdtype(buffer.dtype, np.floating):
                    layer.own_buffers[name] = buffer.astype(dtype)
        return self

    def to(self, device: str) -> Self:
        """Move parameters and state to `device`; returns the layer."""
        self.flat.to(device)
        for _, layer in self.walk():
            for name, buffer in layer.own_buffers.items():
                layer.own_buffers[name] = to_device(buffer, device)
        return self

    def add_param(self, name: str, data: Array) -> Param:
        """Register a parameter; its name is PyTorch's."""
        self.own_params[name] = Param(data)
        return self.own_params[name]

    def add_child(self, name: str, layer: Layer) -> Layer:
        """Register a part; names of its parameters begin with its own. Raises TypeError."""
        if not isinstance(layer, Layer):
            raise TypeError(f"{type(self).__name__} takes layers, got {layer!r}")
        self.children[name] = layer
        return layer

    # --- checks ---------------------------------------------------------------------------------

    def describe(self) -> str:
        """The constructor's main arguments, for messages."""
        return ""

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.describe()})"

    def check_array(self, x: Any, wanted: str, ok: bool = True, dtype: Any = None) -> None:
        """Raise ShapeError unless x is a floating-point array, `ok`, and of `dtype` if given."""
        if not is_array(x):
            raise ShapeError(f"{self!r} wanted {wanted}, got {type(x).__name__}; pass an array")
        if not np.issubdtype(x.dtype, np.floating):
            raise ShapeError(
                f"{self!r} wanted floating-point numbers, got {x.dtype}; cast with x.astype"
            )
        if not ok:
            raise ShapeError(f"{self!r} wanted {wanted}, got shape {x.shape}")
        if dtype is not None and x.dtype != dtype:
            raise ShapeError(
                f"{self!r} has {dtype} parameters, got {x.dtype}; cast the input with x.astype, "
                "or the network with net.astype"
            )

    def check_images(self, x: Any, channels: int | None = None, dtype: Any = None) -> None:
        """Raise ShapeError unless x is (N, H, W, C)."""
        ok = is_array(x) and x.ndim == 4 and channels in (None, x.shape[-1])
        self.check_array(x, f"(N, H, W, {channels or 'C'})", ok, dtype)

    def check_upstream(self, dy: Any, shape: tuple[int, ...]) -> None:
        """Raise ShapeError unless the gradient dy has the shape of the output that it is for."""
        if not is_array(dy) or dy.shape != shape:
            got = dy.shape if is_array(dy) else type(dy).__name__
            raise ShapeError(f"{self!r} gave {shape}, and its backward got a gradient of {got}")

    def check_fresh(self, version: int, param: Param) -> None:
        """Raise StaleContextError unless `param` is as it was in the forward pass."""
        if param.version != version:
            raise StaleContextError(
                f"{self!r}: the parameters changed between this context's forward and its backward "
                "pass; run forward again after optimizer.step()"
            )


def add(a: Array | None, b: Array | None) -> Array | None:
    """The sum of two gradients, either of which may vanish (None)."""
    if a is None or b is None:
        return b if a is None else a
    return a + b


def pair(value: int | tuple[int, int], name: str, minimum: int = 1) -> tuple[int, int]:
    """(value, value) of an int, a pair as it is; OptionError for anything else."""
    both = tuple(value) if isinstance(value, tuple | list) else (value, value)
    if len(both) != 2 or any(not isinstance(v, int) or v < minimum for v in both):
        raise OptionError(f"{name}={value!r}: wanted an int or two, each at least {minimum}")
    return both
