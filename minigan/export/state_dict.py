"""Weights from elsewhere: a PyTorch state dict, filled into a network of the same shape.

Layers are matched in order, not by name, for names are each author's own: the n-th layer of the
file with weights goes to the n-th of the network. The order of a file is that of its names' parts,
numbers counted as numbers, which is the order of modules in nn.Sequential, nested or not.

PyTorch's layouts become minigan's: (O, C, kh, kw) -> (kh, kw, C, O), linear layers transposed.
DCGAN's usual PyTorch form has a transposed convolution where minigan has its dense first layer and
a convolution where it has the dense last one; a kernel that covers the whole picture is the same
linear map, with its entries in another order.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from minigan import layers as L
from minigan.backend import Array, overwrite
from minigan.errors import DataError

MEAN = "running_mean"
Entry = dict[str, Array]  # of one module: "weight", "bias", "running_mean", ...


def load_state_dict(net: L.Layer, tensors: Mapping[str, Array]) -> int:
    """Fill `net` from a state dict; returns how many layers were filled.

    A bias that the file lacks becomes 0. Nothing is changed unless all of it fits: DataError names
    the first layer that does not.
    """
    modules = list(_modules(tensors).items())
    wanted = [(path, layer) for path, layer in net.walk() if _is_stored(layer)]
    if len(modules) != len(wanted):
        raise DataError(
            f"the file has {len(modules)} modules with weights and the network {len(wanted)} "
            f"layers: {_listed(wanted)}; give both the same architecture, width and size"
        )
    found: list[tuple[Array, Array]] = []
    for (path, layer), (name, entry) in zip(wanted, modules, strict=True):
        rule = RULES.get(type(layer))
        if rule is None:
            raise DataError(f"{layer!r} at {path} cannot be filled from a PyTorch state dict")
        arrays = {k: p.data for k, p in layer.own_params.items()} | layer.own_buffers
        made = rule(entry, layer.own_params["weight"].data.shape if layer.own_params else ())
        for key, array in arrays.items():
            given = made.get(key, np.zeros_like(array) if key == "bias" else None)
            if given is None or given.shape != array.shape:
                shape = "missing" if given is None else f"{entry[key].shape} in PyTorch's layout"
                raise DataError(
                    f"{name}.{key} is {shape}, and {layer!r} at {path.rstrip('.')} has "
                    f"{array.shape}; give both the same architecture, width and size"
                )
            found.append((array, given))
    for array, given in found:
        overwrite(array, given.astype(array.dtype))
    net.flat.touch()
    return len(wanted)


def _modules(tensors: Mapping[str, Array]) -> dict[str, Entry]:
    """The tensors of each module with weights or statistics, in the order of modules."""
    grouped: dict[str, Entry] = {}
    for name in sorted(tensors, key=_natural):
        module, _, key = name.rpartition(".")
        grouped.setdefault(module, {})[key] = tensors[name]
    return {name: entry for name, entry in grouped.items() if entry.keys() & {"weight", MEAN}}


def _is_stored(layer: L.Layer) -> bool:
    """Whether a state dict has arrays of it."""
    return bool(layer.own_params) or MEAN in layer.own_buffers


def _natural(name: str) -> list[Any]:
    """A key that sorts "layer.10" behind "layer.9"."""
    return [(0, int(p), "") if p.isdecimal() else (1, 0, p) for p in name.split(".")]


def _listed(wanted: list[tuple[str, L.Layer]]) -> str:
    return ", ".join(f"{path.rstrip('.')} {type(layer).__name__}" for path, layer in wanted)


def _linear(entry: Entry, shape: tuple[int, ...]) -> Entry:
    """A linear layer, or a convolution whose kernel is the whole picture."""
    weight = entry["weight"]
    if weight.ndim == 2:
        return entry | {"weight": weight.T}
    taps = weight.transpose(2, 3, 1, 0)  # (kh, kw, in, out), or (kh, kw, out, in) transposed
    if weight.ndim == 4 and weight.shape[0] == shape[0]:  # transposed: one place to a picture
        taps = taps.transpose(3, 0, 1, 2)
    return entry | {"weight": taps.reshape(-1, shape[1]) if taps.size == np.prod(shape) else taps}


def _kernel(entry: Entry, shape: tuple[int, ...]) -> Entry:
    weight = entry["weight"]
    return entry | {"weight": weight.transpose(2, 3, 1, 0) if weight.ndim == 4 else weight}


def _as_it_is(entry: Entry, shape: tuple[int, ...]) -> Entry:
    return entry


RULES: dict[type[L.Layer], Callable[[Entry, tuple[int, ...]], Entry]] = {
    L.Dense: _linear,
    L.Conv2d: _kernel,
    L.ConvTranspose2d: _kernel,
    L.PReLU: _as_it_is,
    L.BatchNorm: _as_it_is,
    L.InstanceNorm: _as_it_is,
    L.GroupNorm: _as_it_is,
}
