"""A torch module while it is made: the expression that builds it, and its arrays by their names."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from textwrap import indent
from typing import Any

from minigan import layers as L
from minigan.backend import Array, to_host
from minigan.errors import OptionError


@dataclass
class Module:
    """A torch module: the expression that makes it, and its arrays by their names below it.

    uses: the classes of modules.py in it. places: how many axes lie between batch and channels of
    what it makes.
    """

    code: str
    places: int
    state: dict[str, Array] = field(default_factory=dict)
    uses: frozenset[str] = frozenset()


Rule = Callable[..., Module]  # (converter, layer, places of each input) -> the module


class Converter:
    """Turns layers into torch modules by a table of rules."""

    def __init__(self, rules: Mapping[type[L.Layer], Rule]) -> None:
        self.rules = rules

    def convert(self, layer: L.Layer, *places: int, **how: Any) -> Module:
        """`layer` for inputs of so many places. Raises OptionError for one without a rule."""
        rule = self.rules.get(type(layer))
        if rule is None:
            raise OptionError(
                f"{layer!r} has no counterpart in PyTorch here; networks of the other layers can "
                "be exported, and `minigan sample` works with all"
            )
        return rule(self, layer, *places, **how)


def made(name: str, *arguments: Any, places: int, state: dict[str, Array] | None = None) -> Module:
    """A module of modules.py."""
    code = f"{name}({', '.join(map(repr, arguments))})"
    return Module(code, places, state or {}, frozenset({name}))


def nn(call: str, places: int, **state: Array) -> Module:
    """A module of torch.nn."""
    return Module(f"nn.{call}", places, state)


def chain(modules: Sequence[Module], places: int, *, kind: str = "nn.Sequential") -> Module:
    """Modules in a container that names them 0, 1, ..."""
    lines = "".join(indent(m.code, "    ") + ",\n" for m in modules)
    state = {f"{i}.{k}": a for i, m in enumerate(modules) for k, a in m.state.items()}
    own = frozenset() if kind.startswith("nn.") else frozenset({kind})
    uses = own.union(*(m.uses for m in modules))
    return Module(f"{kind}(\n{lines})" if modules else f"{kind}()", places, state, uses)


def holding(kind: str, parts: dict[str, Module], places: int, *more: Any) -> Module:
    """A class of modules.py that holds modules by name."""
    lines = "".join(indent(m.code, "    ") + ",\n" for m in parts.values())
    lines += "".join(f"    {value!r},\n" for value in more)
    state = {f"{name}.{k}": a for name, m in parts.items() for k, a in m.state.items()}
    uses = frozenset({kind}).union(*(m.uses for m in parts.values()))
    return Module(f"{kind}(\n{lines})", places, state, uses)


def parameters(layer: Any, weight: Any, bias: Any) -> tuple[Array, dict[str, Array]]:
    """The weight on the host, and {"bias": ...} where there is one."""
    if weight is None:
        weight, bias = layer.weight.data, None if layer.bias is None else layer.bias.data
    return to_host(weight), {} if bias is None else {"bias": to_host(bias)}


def unbiased(bias: dict[str, Array]) -> str:
    """The argument of a module that has no bias."""
    return "" if bias else ", bias=False"


def on_last(module: Module) -> Module:
    """A module that works on the last axis, between the moves of the channels that it needs."""
    if not module.places:
        return module
    places = module.places
    around = [made(name, places=places) for name in ("ChannelsLast", "ChannelsFirst")]
    return chain([around[0], module, around[1]], places)
