"""What each layer is in PyTorch: one rule for each, in the table `RULES`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from minigan import layers as L
from minigan.backend import Array, to_host
from minigan.export.torch_module import (
    Converter,
    Module,
    Rule,
    chain,
    holding,
    made,
    nn,
    on_last,
    parameters,
    unbiased,
)

# --- containers -----------------------------------------------------------------------------------


def _sequential(t: Converter, layer: L.Sequential, *places: int) -> Module:
    several = len(places) > 1
    modules = []
    for inner in layer.layers:
        modules.append(t.convert(inner, *places))
        places = (modules[-1].places,)
    return chain(modules, places[0], kind="Chain" if several else "nn.Sequential")


def _residual(t: Converter, layer: L.Residual, places: int) -> Module:
    body, shortcut = t.convert(layer.body, places), t.convert(layer.shortcut, places)
    return holding("Residual", {"body": body, "shortcut": shortcut}, body.places)


def _concat(t: Converter, layer: L.Concat, places: int) -> Module:
    branches = [t.convert(branch, places) for branch in layer.branches]
    return chain(branches, branches[0].places, kind="Concat")


def _parallel(t: Converter, layer: L.Parallel, *places: int) -> Module:
    pairs = zip(layer.branches, places, strict=True)
    branches = [t.convert(branch, each) for branch, each in pairs]
    return chain(branches, branches[0].places, kind="Parallel")


def _reference_batch(t: Converter, layer: L.ReferenceBatch, places: int) -> Module:
    reference = np.moveaxis(to_host(layer.own_buffers["reference"]), -1, 1)
    made = holding("ReferenceBatch", {"net": t.convert(layer.net, places)}, places, reference.shape)
    made.state["reference"] = reference
    return made


def _energy(t: Converter, layer: L.ReconstructionError, places: int) -> Module:
    encoder = t.convert(layer.encoder, places)
    decoder = t.convert(layer.decoder, encoder.places)
    return holding("ReconstructionError", {"encoder": encoder, "decoder": decoder}, 0, layer.power)


# --- weights --------------------------------------------------------------------------------------


def _dense(
    t: Converter, layer: L.Dense, places: int, weight: Any = None, bias: Any = None
) -> Module:
    w, b = parameters(layer, weight, bias)
    call = f"Linear({layer.in_features}, {layer.out_features}{unbiased(b)})"
    return on_last(nn(call, places, weight=w.T, **b))


def _channelwise(t: Converter, layer: L.ChannelwiseDense, places: int) -> Module:
    state = {"weight": to_host(layer.weight.data)}
    return made("ChannelwiseDense", layer.channels, layer.places, places=places, state=state)


def _convolution(kind: str) -> Callable[..., Module]:
    """A rule for nn.Conv1d and its relatives: a sequence's first axis is one row of an image."""

    def rule(t: Converter, layer: Any, places: int, weight: Any = None, bias: Any = None) -> Module:
        w, b = parameters(layer, weight, bias)
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
        return nn(f"{kind}({channels}, {size}{options}{unbiased(b)})", places, weight=kernel, **b)

    return rule


def _spectral(t: Converter, layer: L.SpectralNorm, places: int) -> Module:
    """The layer inside with W / sigma(W), by u and v as they stand."""
    bias = None if layer.bias is None else layer.bias.data
    return t.convert(layer.layer, places, weight=layer.normalized_weight(), bias=bias)


def _axes(sizes: tuple[int, int], dimensions: int) -> Any:
    """A geometry as PyTorch takes it: one number where the axes agree."""
    own = sizes[-dimensions:]
    return own[0] if len(set(own)) == 1 else own


# --- norms ----------------------------------------------------------------------------------------


def _batch_norm(t: Converter, layer: L.BatchNorm, places: int) -> Module:
    state = {k: to_host(layer.own_buffers[k]) for k in ("running_mean", "running_var")}
    state["num_batches_tracked"] = np.zeros((), np.int64)
    momentum = "" if layer.momentum == 0.1 else f", momentum={layer.momentum}"
    kind = f"BatchNorm{max(places, 1)}d"
    call = f"{kind}({layer.shape[0]}, eps={layer.eps}{momentum}{_plain(layer)})"
    return nn(call, places, **affine(layer), **state)


def _instance_norm(t: Converter, layer: L.InstanceNorm, places: int) -> Module:
    more = ", affine=True" if layer.affine else ""
    call = f"InstanceNorm{places}d({layer.shape[0]}, eps={layer.eps}{more})"
    return nn(call, places, **affine(layer))


def _group_norm(t: Converter, layer: L.GroupNorm, places: int) -> Module:
    sizes = f"{layer.num_groups}, {layer.shape[0]}, eps={layer.eps}{_plain(layer)}"
    return nn(f"GroupNorm({sizes})", places, **affine(layer))


def _layer_norm(t: Converter, layer: L.LayerNorm, places: int) -> Module:
    flag = "" if layer.affine else ", elementwise_affine=False"
    whole = len(layer.shape) == places + 1  # else some places are not in the moments
    shape = [layer.shape[-1], *layer.shape[:-1]] if whole else list(layer.shape)
    state = {k: np.moveaxis(a, -1, 0) if whole else a for k, a in affine(layer).items()}
    module = nn(f"LayerNorm({shape}, eps={layer.eps}{flag})", places, **state)
    return module if whole else on_last(module)


def _virtual_norm(t: Converter, layer: L.VirtualBatchNorm, places: int) -> Module:
    arguments = layer.shape[0], layer.reference_size, layer.eps, layer.affine
    return made("VirtualBatchNorm", *arguments, places=places, state=affine(layer))


def affine(layer: Any) -> dict[str, Array]:
    """gamma and beta by PyTorch's names, where a norm has them."""
    if not layer.affine:
        return {}
    return {"weight": to_host(layer.gamma.data), "bias": to_host(layer.beta.data)}


def _plain(layer: Any) -> str:
    return "" if layer.affine else ", affine=False"


def _prelu(t: Converter, layer: L.PReLU, places: int) -> Module:
    return nn(f"PReLU({layer.num_parameters})", places, weight=to_host(layer.weight.data))


# --- without weights ------------------------------------------------------------------------------


def _call(text: str) -> Callable[..., Module]:
    """A rule for a module without arrays; {name} stands for the layer's attribute."""

    def rule(t: Converter, layer: L.Layer, places: int) -> Module:
        return nn(text.format_map(_Attributes(layer)), places)

    return rule


class _Attributes(dict[str, Any]):
    """The attributes of a layer, for str.format_map."""

    def __init__(self, layer: L.Layer) -> None:
        super().__init__()
        self.layer = layer

    def __missing__(self, name: str) -> Any:
        return getattr(self.layer, name)


def _reshape(t: Converter, layer: L.Reshape, places: int) -> Module:
    """Numbers in minigan's order, channels last, so that weights need no other order."""
    flat = _flatten(t, layer, places)
    to = len(layer.shape) - 1
    modules = [flat] if places else []
    modules.append(nn(f"Unflatten(1, {tuple(layer.shape)})", to))
    if to:
        modules.append(made("ChannelsFirst", places=to))
    return chain(modules, to) if len(modules) > 1 else modules[0]


def _flatten(t: Converter, layer: L.Layer, places: int) -> Module:
    if not places:
        return nn("Identity()", 0)
    return chain([made("ChannelsLast", places=places), nn("Flatten()", 0)], 0)


def _upsample(t: Converter, layer: L.Upsample, places: int) -> Module:
    more = ", align_corners=False" if layer.mode == "bilinear" else ""
    return nn(f"Upsample(scale_factor={layer.scale}, mode={layer.mode!r}{more})", places)


def _pixel_shuffle(t: Converter, layer: L.PixelShuffle, places: int) -> Module:
    return nn(f"PixelShuffle({layer.upscale_factor})", places)


def _deviation(t: Converter, layer: L.MinibatchStdDev, places: int) -> Module:
    return made("MinibatchStdDev", layer.group_size, layer.eps, places=places)


def _discrimination(t: Converter, layer: L.MinibatchDiscrimination, places: int) -> Module:
    arguments = layer.in_features, layer.num_kernels, layer.kernel_dim
    state = {"weight": to_host(layer.T.data)}
    return made("MinibatchDiscrimination", *arguments, places=places, state=state)


def _pool(kind: str) -> Callable[..., Module]:
    def rule(t: Converter, layer: L.Layer, places: int) -> Module:
        return made("GlobalPool", kind, places=0)

    return rule


_WINDOW = "({kernel_size}, stride={stride}, padding={padding})"

RULES: dict[type[L.Layer], Rule] = {
    L.Sequential: _sequential,
    L.Residual: _residual,
    L.Concat: _concat,
    L.Parallel: _parallel,
    L.ReferenceBatch: _reference_batch,
    L.ReconstructionError: _energy,
    L.Dense: _dense,
    L.ChannelwiseDense: _channelwise,
    L.Conv1d: _convolution("Conv1d"),
    L.Conv2d: _convolution("Conv2d"),
    L.ConvTranspose1d: _convolution("ConvTranspose1d"),
    L.ConvTranspose2d: _convolution("ConvTranspose2d"),
    L.SpectralNorm: _spectral,
    L.BatchNorm: _batch_norm,
    L.InstanceNorm: _instance_norm,
    L.LayerNorm: _layer_norm,
    L.GroupNorm: _group_norm,
    L.VirtualBatchNorm: _virtual_norm,
    L.ReLU: _call("ReLU()"),
    L.LeakyReLU: _call("LeakyReLU({negative_slope})"),
    L.PReLU: _prelu,
    L.ELU: _call("ELU({alpha})"),
    L.Tanh: _call("Tanh()"),
    L.Sigmoid: _call("Sigmoid()"),
    L.Hardtanh: _call("Hardtanh({min_val}, {max_val})"),
    L.Softplus: _call("Softplus({beta}, threshold=1e9)"),
    L.Identity: _call("Identity()"),
    L.Dropout: _call("Dropout({p})"),
    L.GaussianNoise: lambda t, layer, places: made("GaussianNoise", layer.std, places=places),
    L.ReflectionPad2d: _call("ReflectionPad2d({padding})"),
    L.AvgPool2d: _call("AvgPool2d" + _WINDOW),
    L.MaxPool2d: _call("MaxPool2d" + _WINDOW),
    L.PixelShuffle: _pixel_shuffle,
    L.Upsample: _upsample,
    L.Reshape: _reshape,
    L.Flatten: _flatten,
    L.Maxout: lambda t, layer, places: made("Maxout", layer.num_pieces, places=places),
    L.Scale: lambda t, layer, places: made("Scale", layer.factor, places=places),
    L.Pack: lambda t, layer, places: made("Pack", layer.m, places=places),
    L.GlobalAvgPool: _pool("mean"),
    L.GlobalMaxPool: _pool("amax"),
    L.GlobalSumPool: _pool("sum"),
    L.MinibatchStdDev: _deviation,
    L.MinibatchDiscrimination: _discrimination,
}
