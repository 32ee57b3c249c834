"""An ONNX graph while it is built: values that know their shape and layout, and nodes.

minigan keeps channels last, ONNX's convolutions want them first. A value says which it is, and a
node asks for what it needs, so that an axis is moved where a convolution meets a dense layer and
nowhere else.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from minigan.backend import Array, to_host
from minigan.errors import OptionError
from minigan.layers import Layer

OPSET = 17  # the first with LayerNormalization; 2022
Rule = Callable[..., "Value"]  # (graph, layer, values that reach it) -> the value it makes
Size = int | str  # a number, or the name of one that a caller of the file chooses


@dataclass(frozen=True)
class Value:
    """An array within the graph.

    shape: of one example in minigan's order, (..., C). first: whether the file has the channels in
    front of the places, (N, C, ...).
    """

    name: str
    shape: tuple[Size, ...]
    first: bool = False
    integers: bool = False

    @property
    def places(self) -> int:
        """How many axes lie between the batch and the channels."""
        return len(self.shape) - 1

    @property
    def features(self) -> int:
        """Numbers of one example. Raises OptionError where the picture's size is left open."""
        return math.prod(self.fixed)

    @property
    def fixed(self) -> tuple[int, ...]:
        """The shape as numbers. Raises OptionError where the picture's size is left open."""
        if any(isinstance(size, str) for size in self.shape):
            raise OptionError("this network takes pictures of one size only: leave out --any-size")
        return tuple(int(size) for size in self.shape)


class Graph:
    """Collects nodes and constants; `model` is the file that they make."""

    def __init__(self, rules: Mapping[type[Layer], Rule], *, noisy: bool = False) -> None:
        """rules: what each layer becomes. noisy: batch norms take the moments of each picture."""
        self.rules, self.noisy = rules, noisy
        self._nodes: list[Any] = []
        self._constants: dict[str, Array] = {}
        self._inputs: list[Value] = []
        self._count = 0

    def emit(self, layer: Layer, *xs: Value, **how: Any) -> Value:
        """What `layer` makes of values. Raises OptionError for one without a rule, naming it."""
        rule = self.rules.get(type(layer))
        if rule is None:
            raise OptionError(
                f"{layer!r} has no counterpart among ONNX's operators here; networks of the other "
                "layers can be exported, and `minigan sample` works with all"
            )
        return rule(self, layer, *xs, **how)

    def input(self, name: str, shape: Sequence[Size], *, integers: bool = False) -> Value:
        """An input of the network; pictures come channels first, words as int64."""
        value = Value(name, tuple(shape), first=len(shape) > 1 and not integers, integers=integers)
        self._inputs.append(value)
        return value

    def node(
        self,
        op: str,
        *inputs: Value | str,
        shape: Sequence[Size],
        first: bool = False,
        **attributes: Any,
    ) -> Value:
        """What an operator makes of values and constants."""
        from onnx import helper

        name = self._name(op)
        names = [i.name if isinstance(i, Value) else i for i in inputs]
        self._nodes.append(helper.make_node(op, names, [name], name=name, **attributes))
        return Value(name, tuple(shape), first)

    def nodes(
        self, op: str, count: int, *inputs: Value | str, shape: Sequence[Size], **attributes: Any
    ) -> list[Value]:
        """What an operator of several outputs makes, all noted with one shape."""
        from onnx import helper

        names = [self._name(op) for _ in range(count)]
        given = [i.name if isinstance(i, Value) else i for i in inputs]
        self._nodes.append(helper.make_node(op, given, names, name=names[0], **attributes))
        return [Value(name, tuple(shape)) for name in names]

    def like(self, op: str, x: Value, *constants: str, **attributes: Any) -> Value:
        """What an element-wise operator makes of x: its shape and layout stay."""
        return self.node(op, x, *constants, shape=x.shape, first=x.first, **attributes)

    def constant(self, array: Any) -> str:
        """The name of an array that is stored in the file; floats as float32."""
        host = np.asarray(to_host(array))
        if np.issubdtype(host.dtype, np.floating):
            host = host.astype(np.float32)
        name = self._name("constant")
        self._constants[name] = np.asarray(host, order="C")
        return name

    def channels_first(self, x: Value) -> Value:
        """x as (N, C, ...)."""
        if x.first or not x.places:
            return x
        order = [0, x.places + 1, *range(1, x.places + 1)]
        return self.node("Transpose", x, shape=x.shape, first=True, perm=order)

    def channels_last(self, x: Value) -> Value:
        """x as (N, ..., C)."""
        if not x.first:
            return x
        order = [0, *range(2, x.places + 2), 1]
        return self.node("Transpose", x, shape=x.shape, perm=order)

    def reshape(self, x: Value, shape: Sequence[int], *, batch: int = 0) -> Value:
        """Examples of another shape, channels last; a batch of -1 is counted anew."""
        to = self.constant(np.array([batch, *shape], np.int64))
        return self.node("Reshape", self.channels_last(x), to, shape=shape)

    def together(self, xs: Sequence[Value]) -> list[Value]:
        """Values of several branches in one layout: channels first where all are so already."""
        if all(x.first for x in xs):
            return list(xs)
        return [self.channels_last(x) for x in xs]

    def model(self, output: Value, *, name: str, version: str) -> bytes:
        """The file: inputs in the order they were made, one output, pictures channels first.

        Raises OptionError for a graph that ONNX's own checker refuses.
        """
        import onnx
        from onnx import TensorProto, helper, numpy_helper

        last = self.channels_first(output)
        self._nodes.append(helper.make_node("Identity", [last.name], ["output"], name="output"))

        def info(value: Value, called: str, batch: str) -> Any:
            *places, channels = value.shape
            sizes = [batch, channels, *places] if value.first else [batch, *value.shape]
            kind = TensorProto.INT64 if value.integers else TensorProto.FLOAT
            return helper.make_tensor_value_info(called, kind, sizes)

        graph = helper.make_graph(
            self._nodes,
            name,
            [info(value, value.name, "N") for value in self._inputs],
            [info(last, "output", "rows")],
            [numpy_helper.from_array(a, called) for called, a in self._constants.items()],
        )
        model = helper.make_model(
            graph,
            opset_imports=[helper.make_opsetid("", OPSET)],
            producer_name="minigan",
            producer_version=version,
        )
        model.ir_version = 8  # that of OPSET, which older runtimes read too
        try:
            onnx.checker.check_model(model, full_check=True)
        except (onnx.checker.ValidationError, onnx.shape_inference.InferenceError) as error:
            raise OptionError(f"ONNX refuses the graph of {name}: {error}") from error
        return bytes(model.SerializeToString())

    def _name(self, kind: str) -> str:
        self._count += 1
        return f"{kind.lower()}_{self._count}"
