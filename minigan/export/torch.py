"""A network for PyTorch: its weights in PyTorch's layouts, and the source of the modules they fit.

Neither needs PyTorch to be made. The weights are those out of training: a spectral norm is divided
out as it stands.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from textwrap import indent
from typing import Any

import numpy as np

from minigan import layers as L
from minigan.backend import Array, to_host
from minigan.errors import OptionError
from minigan.export.modules import MODULES
from minigan.layers.spectral import OUTPUT_AXIS

LOADS = "net.load_state_dict(load_file(path))"  # in every file that `source` writes


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


def to_torch(net: L.Layer, shapes: Sequence[tuple[int, ...]]) -> Module:
    """`net` as a torch module. shapes: of its inputs, (..., C) without the batch.

    Inputs and outputs of the module have their channels first. Raises OptionError for a layer that
    has no counterpart.
    """
    return _convert(net, *(len(shape) - 1 for shape in shapes))


def source(module: Module, title: str, file: str, *, noisy: bool = False) -> str:
    """A Python file that builds the module and loads its weights from `file`.

    noisy: it is used in training mode, where dropout is the noise.
    """
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


def _convert(layer: L.Layer, *places: int) -> Module:
    rule = RULES.get(type(layer))
    if rule is None:
        raise OptionError(
            f"{layer!r} has no counterpart in PyTorch here; networks of the other layers can be "
            "exported, and `minigan sample` works with all"
        )
    return rule(layer, *places)


def _class(
    name: str, *arguments: Any, places: int, state: dict[str, Array] | None = None
) -> Module:
    """A module of modules.py."""
    code = f"{name}({', '.join(map(repr, arguments))})"
    return Module(code, places, state or {}, frozenset({name}))


def _nn(call: str, places: int, **state: Array) -> Module:
    return Module(f"nn.{call}", places, state)


def _chain(modules: Sequence[Module], places: int, *, kind: str = "nn.Sequential") -> Module:
    """Modules in a container that names them 0, 1, ..."""
    lines = "".join(indent(m.code, "    ") + ",\n" for m in modules)
    state = {f"{i}.{k}": a for i, m in enumerate(modules) for k, a in m.state.items()}
    own = frozenset() if kind.startswith("nn.") else frozenset({kind})
    uses = own.union(*(m.uses for m in modules))
    return Module(f"{kind}(\n{lines})" if modules else f"{kind}()", places, state, uses)


def _of_two(kind: str, parts: dict[str, Module], places: int, *more: Any) -> Module:
    """A class of modules.py that holds modules by name."""
    lines = "".join(indent(m.code, "    ") + ",\n" for m in parts.values())
    lines += "".join(f"    {value!r},\n" for value in more)
    state = {f"{name}.{k}": a for name, m in parts.items() for k, a in m.state.items()}
    uses = frozenset({kind}).union(*(m.uses for m in parts.values()))
    return Module(f"{kind}(\n{lines})", places, state, uses)


# --- containers -----------------------------------------------------------------------------------


def _sequential(layer: L.Sequential, *places: int) -> Module:
    several = len(places) > 1
    modules = []
    for inner in layer.layers:
        modules.append(_convert(inner, *places))
        places = (modules[-1].places,)
    return _chain(modules, places[0], kind="Chain" if several else "nn.Sequential")


def _residual(layer: L.Residual, places: int) -> Module:
    body, shortcut = _convert(layer.body, places), _convert(layer.shortcut, places)
    return _of_two("Residual", {"body": body, "shortcut": shortcut}, body.places)


def _concat(layer: L.Concat, places: int) -> Module:
    branches = [_convert(branch, places) for branch in layer.branches]
    return _chain(branches, branches[0].places, kind="Concat")


def _parallel(layer: L.Parallel, *places: int) -> Module:
    pairs = zip(layer.branches, places, strict=True)
    branches = [_convert(branch, each) for branch, each in pairs]
    return _chain(branches, branches[0].places, kind="Parallel")


def _reference_batch(layer: L.ReferenceBatch, places: int) -> Module:
    reference = np.moveaxis(to_host(layer.own_buffers["reference"]), -1, 1)
    made = _of_two("ReferenceBatch", {"net": _convert(layer.net, places)}, places, reference.shape)
    made.state["reference"] = reference
    return made


def _energy(layer: L.ReconstructionError, places: int) -> Module:
    encoder = _convert(layer.encoder, places)
    decoder = _convert(layer.decoder, encoder.places)
    return _of_two("ReconstructionError", {"encoder": encoder, "decoder": decoder}, 0, layer.power)


# --- weights --------------------------------------------------------------------------------------


def _dense(layer: L.Dense, places: int, weight: Any = None, bias: Any = None) -> Module:
    w, b = _parameters(layer, weight, bias)
    call = f"Linear({layer.in_features}, {layer.out_features}{_unbiased(b)})"
    return _on_last(_nn(call, places, weight=w.T, **b))


def _convolution(kind: str) -> Callable[..., Module]:
    """A rule for nn.Conv1d and its relatives: a sequence's first axis is one row of an image."""

    def rule(layer: Any, places: int, weight: Any = None, bias: Any = None) -> Module:
        w, b = _parameters(layer, weight, bias)
        kernel = w.transpose(3, 2, 0, 1)  # (O, C, kh, kw); of a transposed one (in, out, kh, kw)
        dimensions = int(kind[-2])
        if dimensions == 1:
            kernel = kernel[:, :, 0]
        names = ("stride", "padding", "output_padding", "dilation")
        given = {name: _axes(getattr(layer, name, (0, 0)), dimensions) for name in names}
        plain = {"stride": 1, "padding": 0, "output_padding": 0, "dilation": 1}
        options = "".join(f", {k}={v}" for k, v in given.items() if v != plain[k])
        size = _axes(layer.kernel_size, dimensions)
        channels = f"{layer.in_channels}, {layer.out_channels}"
        return _nn(f"{kind}({channels}, {size}{options}{_unbiased(b)})", places, weight=kernel, **b)

    return rule


def _spectral(layer: L.SpectralNorm, places: int) -> Module:
    """The layer inside with W / sigma(W), by u and v as they stand."""
    weight = to_host(layer.weight.data).astype(np.float64)
    u, v = (to_host(layer.own_buffers[k]).astype(np.float64) for k in ("u", "v"))
    outputs_last = np.moveaxis(weight, OUTPUT_AXIS[type(layer.layer)], -1)
    sigma = v @ outputs_last.reshape(-1, outputs_last.shape[-1]) @ u
    bias = None if layer.bias is None else layer.bias.data
    return RULES[type(layer.layer)](layer.layer, places, weight=weight / sigma, bias=bias)


def _parameters(layer: Any, weight: Any, bias: Any) -> tuple[Array, dict[str, Array]]:
    """The weight on the host, and {"bias": ...} where there is one."""
    if weight is None:
        weight, bias = layer.weight.data, None if layer.bias is None else layer.bias.data
    return to_host(weight), {} if bias is None else {"bias": to_host(bias)}


def _unbiased(bias: dict[str, Array]) -> str:
    return "" if bias else ", bias=False"


def _axes(sizes: tuple[int, int], dimensions: int) -> Any:
    """A geometry as PyTorch takes it: one number where the axes agree."""
    own = sizes[-dimensions:]
    return own[0] if len(set(own)) == 1 else own


def _on_last(module: Module) -> Module:
    """A module that works on the last axis, between the moves of the channels that it needs."""
    if not module.places:
        return module
    places = module.places
    around = [_class(name, places=places) for name in ("ChannelsLast", "ChannelsFirst")]
    return _chain([around[0], module, around[1]], places)


# --- norms ----------------------------------------------------------------------------------------


def _batch_norm(layer: L.BatchNorm, places: int) -> Module:
    state = {k: to_host(layer.own_buffers[k]) for k in ("running_mean", "running_var")}
    state["num_batches_tracked"] = np.zeros((), np.int64)
    momentum = "" if layer.momentum == 0.1 else f", momentum={layer.momentum}"
    kind = f"BatchNorm{max(places, 1)}d"
    call = f"{kind}({layer.shape[0]}, eps={layer.eps}{momentum}{_plain(layer)})"
    return _nn(call, places, **_affine(layer), **state)


def _instance_norm(layer: L.InstanceNorm, places: int) -> Module:
    affine = ", affine=True" if layer.affine else ""
    call = f"InstanceNorm{places}d({layer.shape[0]}, eps={layer.eps}{affine})"
    return _nn(call, places, **_affine(layer))


def _layer_norm(layer: L.LayerNorm, places: int) -> Module:
    flag = "" if layer.affine else ", elementwise_affine=False"
    whole = len(layer.shape) == places + 1  # else some places are not in the moments
    shape = [layer.shape[-1], *layer.shape[:-1]] if whole else list(layer.shape)
    state = {k: np.moveaxis(a, -1, 0) if whole else a for k, a in _affine(layer).items()}
    module = _nn(f"LayerNorm({shape}, eps={layer.eps}{flag})", places, **state)
    return module if whole else _on_last(module)


def _virtual_norm(layer: L.VirtualBatchNorm, places: int) -> Module:
    arguments = layer.shape[0], layer.reference_size, layer.eps, layer.affine
    return _class("VirtualBatchNorm", *arguments, places=places, state=_affine(layer))


def _affine(layer: Any) -> dict[str, Array]:
    if not layer.affine:
        return {}
    return {"weight": to_host(layer.gamma.data), "bias": to_host(layer.beta.data)}


def _plain(layer: Any) -> str:
    return "" if layer.affine else ", affine=False"


# --- without weights ------------------------------------------------------------------------------


def _call(text: str) -> Callable[..., Module]:
    """A rule for a module without arrays; {name} stands for the layer's attribute."""

    def rule(layer: L.Layer, places: int) -> Module:
        return _nn(text.format_map(_Attributes(layer)), places)

    return rule


class _Attributes(dict[str, Any]):
    """The attributes of a layer, for str.format_map."""

    def __init__(self, layer: L.Layer) -> None:
        super().__init__()
        self.layer = layer

    def __missing__(self, name: str) -> Any:
        return getattr(self.layer, name)


def _reshape(layer: L.Reshape, places: int) -> Module:
    """Numbers in minigan's order, channels last, so that weights need no other order."""
    flat = _flatten(layer, places)
    to = len(layer.shape) - 1
    modules = [flat] if places else []
    modules.append(_nn(f"Unflatten(1, {tuple(layer.shape)})", to))
    if to:
        modules.append(_class("ChannelsFirst", places=to))
    return _chain(modules, to) if len(modules) > 1 else modules[0]


def _flatten(layer: L.Layer, places: int) -> Module:
    if not places:
        return _nn("Identity()", 0)
    return _chain([_class("ChannelsLast", places=places), _nn("Flatten()", 0)], 0)


def _upsample(layer: L.Upsample, places: int) -> Module:
    more = ", align_corners=False" if layer.mode == "bilinear" else ""
    return _nn(f"Upsample(scale_factor={layer.scale}, mode={layer.mode!r}{more})", places)


def _pixel_shuffle(layer: L.PixelShuffle, places: int) -> Module:
    return _nn(f"PixelShuffle({layer.upscale_factor})", places)


def _deviation(layer: L.MinibatchStdDev, places: int) -> Module:
    if layer.group_size is not None:
        raise OptionError(f"{layer!r} cannot be exported: groups depend on the batch's size")
    return _class("MinibatchStdDev", layer.eps, places=places)


def _discrimination(layer: L.MinibatchDiscrimination, places: int) -> Module:
    arguments = layer.in_features, layer.num_kernels, layer.kernel_dim
    state = {"weight": to_host(layer.T.data)}
    return _class("MinibatchDiscrimination", *arguments, places=places, state=state)


def _pool(kind: str) -> Callable[..., Module]:
    def rule(layer: L.Layer, places: int) -> Module:
        return _class("GlobalPool", kind, places=0)

    return rule


_WINDOW = "({kernel_size}, stride={stride}, padding={padding})"

RULES: dict[type[L.Layer], Callable[..., Module]] = {
    L.Sequential: _sequential,
    L.Residual: _residual,
    L.Concat: _concat,
    L.Parallel: _parallel,
    L.ReferenceBatch: _reference_batch,
    L.ReconstructionError: _energy,
    L.Dense: _dense,
    L.Conv1d: _convolution("Conv1d"),
    L.Conv2d: _convolution("Conv2d"),
    L.ConvTranspose1d: _convolution("ConvTranspose1d"),
    L.ConvTranspose2d: _convolution("ConvTranspose2d"),
    L.SpectralNorm: _spectral,
    L.BatchNorm: _batch_norm,
    L.InstanceNorm: _instance_norm,
    L.LayerNorm: _layer_norm,
    L.VirtualBatchNorm: _virtual_norm,
    L.ReLU: _call("ReLU()"),
    L.LeakyReLU: _call("LeakyReLU({negative_slope})"),
    L.ELU: _call("ELU({alpha})"),
    L.Tanh: _call("Tanh()"),
    L.Sigmoid: _call("Sigmoid()"),
    L.Softplus: _call("Softplus({beta}, threshold=1e9)"),
    L.Identity: _call("Identity()"),
    L.Dropout: _call("Dropout({p})"),
    L.ReflectionPad2d: _call("ReflectionPad2d({padding})"),
    L.AvgPool2d: _call("AvgPool2d" + _WINDOW),
    L.MaxPool2d: _call("MaxPool2d" + _WINDOW),
    L.PixelShuffle: _pixel_shuffle,
    L.Upsample: _upsample,
    L.Reshape: _reshape,
    L.Flatten: _flatten,
    L.Maxout: lambda layer, places: _class("Maxout", layer.num_pieces, places=places),
    L.Pack: lambda layer, places: _class("Pack", layer.m, places=places),
    L.GlobalAvgPool: _pool("mean"),
    L.GlobalMaxPool: _pool("amax"),
    L.GlobalSumPool: _pool("sum"),
    L.MinibatchStdDev: _deviation,
    L.MinibatchDiscrimination: _discrimination,
}


def named(module: Module) -> Iterator[tuple[str, Array]]:
    """The state dict, each array contiguous as a file of tensors wants it."""
    for name, array in module.state.items():
        dtype = np.float32 if np.issubdtype(array.dtype, np.floating) else array.dtype
        yield name, np.array(array, dtype, order="C")
