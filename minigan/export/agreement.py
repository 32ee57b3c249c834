"""Whether an ONNX file computes what its network does, but for rounding.

With y the network's output in float32 and y' the file's, apart = max |y' - y| / max |y|. Two right
programs round in another order, by some 1e-6. A norm over values that hardly differ makes more of
that: such a network is in bad condition, and its output in float64 tells how far rounding alone
moves it. Of a Conv2d with a bias of 1000 below an InstanceNorm, onnxruntime was 1.0 to 1.6 times as
far from y as y was from float64.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from pathlib import Path

import numpy as np

from minigan.backend import Array
from minigan.errors import CheckpointError
from minigan.export import onnx
from minigan.layers import Layer

FAR = 1e-4  # no rounding of a network in good condition
# How often y's own rounding: y and y' each err by as much, so they are up to twice as far apart,
# and a sum in another order may err by twice as much again.
ROUNDINGS = 4


def agreement(model: bytes, net: Layer, xs: Sequence[Array], file: Path, *, train: bool) -> float:
    """How far apart the outputs of `model` and of `net` are for inputs xs, in minigan's layout.

    file: where the model is to be written, for the message. train: whether the network is run as in
    training. Raises CheckpointError where they are further apart than rounding brings them, and
    what `onnx.difference` raises.
    """
    y, _ = net.forward(*xs, train=train, update_stats=False)
    apart = onnx.difference(model, xs, y)
    if apart <= FAR:
        return apart
    rounding = rounded(net, xs, y, train=train)
    if not apart <= max(FAR, ROUNDINGS * rounding):
        raise CheckpointError(
            f"onnxruntime's output differs from minigan's by {apart:.1e} of its largest number, "
            f"more than rounding does, which moves minigan's own by {rounding:.1e}; {file} was not "
            "written"
        )
    return apart


def rounded(net: Layer, xs: Sequence[Array], y: Array, *, train: bool) -> float:
    """How far y, the output for xs, is from that in float64, relative to y's largest number."""
    exact, _ = _in_float64(net).forward(
        *(x.astype(np.float64) if _floating(x) else x for x in xs), train=train, update_stats=False
    )
    return float(np.abs(y - exact).max(initial=0) / max(np.abs(y).max(initial=0), 1e-30))


def _in_float64(net: Layer) -> Layer:
    """A copy, whose parameters may be a part of another network's buffer, where astype refuses."""
    twin = deepcopy(net)
    for _, layer in twin.walk():
        for p in layer.own_params.values():
            p.data = p.data.astype(np.float64)
        for name, buffer in layer.own_buffers.items():
            if _floating(buffer):
                layer.own_buffers[name] = buffer.astype(np.float64)
    return twin


def _floating(x: Array) -> bool:
    return bool(np.issubdtype(x.dtype, np.floating))
