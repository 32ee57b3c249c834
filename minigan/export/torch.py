"""A network for PyTorch: its weights in PyTorch's layouts, and the source of the modules they fit.

Neither needs PyTorch to be made. The weights are those out of training: a spectral norm is divided
out as it stands.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from textwrap import indent

import numpy as np

from minigan import layers as L
from minigan.backend import Array
from minigan.export import modules, modules_more, torch_conditions, torch_layers, torch_styles
from minigan.export.torch_module import Converter, Module, Rule

RULES: dict[type[L.Layer], Rule] = {
    **torch_layers.RULES,
    **torch_conditions.RULES,
    **torch_styles.RULES,
}
MODULES = {**modules.MODULES, **modules_more.MODULES}
LOADS = "net.load_state_dict(load_file(path))"  # in every file that `source` writes


def to_torch(net: L.Layer, shapes: Sequence[tuple[int, ...]]) -> Module:
    """`net` as a torch module. shapes: of its inputs, (..., C) without the batch.

    Inputs and outputs of the module have their channels first. Raises OptionError for a layer that
    has no counterpart.
    """
    return Converter(RULES).convert(net, *(len(shape) - 1 for shape in shapes))


def source(module: Module, title: str, file: str, *, noisy: bool = False) -> str:
    """A Python file that builds the module and loads its weights from `file`.

    noisy: it is used in training mode, where dropout is the noise.
    """
    title = repr(title)[1:-1].replace('"', '\\"')  # it names a folder, whatever that is called
    classes = "\n\n".join(text for name, text in MODULES.items() if name in module.uses)
    mode = "train()  # dropout is its noise, and batch norms take each picture's moments"
    return (
        f'"""{title}\n\nPictures have their channels first and lie in [-1, 1]."""\n\n'
        "import torch\nfrom safetensors.torch import load_file\nfrom torch import nn\n\n\n"
        + (f"{classes}\n\n" if classes else "")
        + f"def build():\n    return {indent(module.code, '    ').lstrip()}\n\n\n"
        f"def load(path={file!r}):\n    net = build()\n    {LOADS}\n"
        f"    return net.{mode if noisy else 'eval()'}\n"
    )


def named(module: Module) -> Iterator[tuple[str, Array]]:
    """The state dict, each array contiguous as a file of tensors wants it."""
    for name, array in module.state.items():
        dtype = np.float32 if np.issubdtype(array.dtype, np.floating) else array.dtype
        yield name, np.array(array, dtype, order="C")
