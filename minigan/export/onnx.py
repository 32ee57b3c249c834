"""A network as an ONNX file, and the check that onnxruntime computes the same from it."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager

import numpy as np

from minigan.backend import Array
from minigan.errors import OptionError
from minigan.export import conditions, layers, styles
from minigan.export.graph import Graph, Rule, Size
from minigan.layers import Layer
from minigan.version import __version__

RULES: dict[type[Layer], Rule] = {**layers.RULES, **conditions.RULES, **styles.RULES}
CLOSE = 1e-5  # of the largest number of an output: rounding in another order
SIDES = ("H", "W")


def to_onnx(
    net: Layer,
    inputs: Mapping[str, Sequence[int]],
    *,
    name: str = "network",
    words: Collection[str] = (),
    noisy: bool = False,
    any_size: bool = False,
) -> bytes:
    """The ONNX file of `net` as it is out of training: any number of examples, float32.

    inputs: a name for each input, and its shape (..., C) without the batch; those among `words` are
    integers (T,). In the file pictures and feature maps have their channels first. noisy: batch
    norms take the statistics of each picture (pix2pix); dropout is left out in any case. any_size:
    pictures of every size that the network takes. Raises OptionError where the package onnx is
    missing, for a layer or a size that cannot be exported, and for any size without a picture.
    """
    with extra():
        import onnx  # noqa: F401  # the graph's own imports come after this one
    if any_size and all(len(shape) != 3 for shape in inputs.values()):
        raise OptionError("this network takes no pictures: leave out --any-size")
    graph = Graph(RULES, noisy=noisy)
    values = []
    for called, shape in inputs.items():
        open_size = any_size and len(shape) == 3
        sizes: Sequence[Size] = (*SIDES, shape[-1]) if open_size else shape
        values.append(graph.input(called, sizes, integers=called in words))
    return graph.model(graph.emit(net, *values), name=name, version=__version__)


def difference(model: bytes, xs: Sequence[Array], y: Array) -> float:
    """How far onnxruntime's output for inputs xs is from y, relative to y's largest number.

    xs and y are in minigan's layout. Raises OptionError where onnxruntime is missing.
    """
    with extra():
        import onnxruntime
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    given = {i.name: channels_first(x) for i, x in zip(session.get_inputs(), xs, strict=True)}
    (found,) = session.run(None, given)
    wanted = channels_first(y)
    if found.shape != wanted.shape:
        raise OptionError(f"onnxruntime makes {found.shape} where minigan makes {wanted.shape}")
    return float(np.abs(found - wanted).max(initial=0) / max(np.abs(wanted).max(initial=0), 1e-30))


def channels_first(x: Array) -> Array:
    """(N, ..., C) as (N, C, ...), float32; integers as they are."""
    if np.issubdtype(x.dtype, np.integer):
        return x.astype(np.int64)
    return np.ascontiguousarray(np.moveaxis(x, -1, 1).astype(np.float32, copy=False))


@contextmanager
def extra() -> Iterator[None]:
    """Around an import: a package that is missing becomes an OptionError that says what to do."""
    try:
        yield
    except ImportError as error:
        raise OptionError(
            f"an ONNX file needs the package {error.name}, which is not installed; "
            "pip install 'minigan[onnx]'"
        ) from None
