"""The lower part of a network, as a network: what an intermediate layer gives."""

from __future__ import annotations

from minigan.errors import OptionError
from minigan.layers.base import Layer
from minigan.layers.compose import Sequential
from minigan.layers.reference import ReferenceBatch


def prefix(net: Layer, name: str | None = None) -> Layer:
    """`net` up to and including the layer of that dotted name; the one before the last if None.

    It shares layers, and so parameters, with `net`; ask `net` for the flat buffer. Goes into
    Sequential and ReferenceBatch. Raises OptionError for a name that is not there.
    """
    names = _names(net)
    if name is None and len(names) > 1:
        name = names[-2]
    if name is None or name not in names:
        raise OptionError(
            f"no layer {name!r} whose output {net!r} goes on with; there are: {', '.join(names)}"
        )
    return _cut(net, name)


def _names(net: Layer, path: str = "") -> list[str]:
    """The dotted names of a network's layers, from the input up."""
    if isinstance(net, ReferenceBatch):
        return _names(net.net, f"{path}net.")
    names: list[str] = []
    if isinstance(net, Sequential):
        for i, layer in enumerate(net.layers):
            names += _names(layer, f"{path}{i}.") or [f"{path}{i}"]
    return names


def _cut(net: Layer, name: str) -> Layer:
    """`net` up to the layer of that name, which is there."""
    head, _, rest = name.partition(".")
    if isinstance(net, ReferenceBatch):
        return ReferenceBatch(_cut(net.net, rest), net.own_buffers["reference"])
    assert isinstance(net, Sequential)
    i = int(head)
    top = _cut(net.layers[i], rest) if rest else net.layers[i]
    return Sequential(*net.layers[:i], top)
