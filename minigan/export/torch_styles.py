"""PyTorch modules for StyleGAN's networks, and for generators from coarse to fine."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from minigan import layers as L
from minigan.backend import to_host
from minigan.export.torch_conditions import listed
from minigan.export.torch_module import Converter, Module, Rule, chain, holding, made
from minigan.models.frames import FramePyramid
from minigan.models.pix2pixhd import CoarseToFine, LocalEnhancer
from minigan.models.stylegan import StyleGenerator
from minigan.models.synthesis import Styled, StyledConv, Synthesis


def _equalized(t: Converter, layer: L.EqualizedLR, places: int) -> Module:
    """The layer inside with the weight and bias that training scales at run time."""
    weight = to_host(layer.layer.own_params["weight"].data) * layer.scale
    bias = None if layer.bias is None else to_host(layer.bias.data) * layer.lr_multiplier
    return t.convert(layer.layer, places, weight=weight, bias=bias)


def _pixel_norm(t: Converter, layer: L.PixelNorm, places: int) -> Module:
    return made("PixelNorm", layer.eps, places=places)


def _add_noise(t: Converter, layer: L.AddNoise, *places: int) -> Module:
    return made("AddNoise", places=2, state={"strength": to_host(layer.strength.data)})


def _modulated(t: Converter, layer: L.ModulatedConv2d, *places: int) -> Module:
    sizes = layer.in_channels, layer.out_channels, layer.kernel_size
    weight = to_host(layer.weight.data).transpose(3, 2, 0, 1) * layer.scale
    state = {"weight": weight, "bias": to_host(layer.bias.data)}
    options = layer.gain, layer.eps, layer.demodulate
    return made("ModulatedConv2d", *sizes, *options, places=2, state=state)


def _styled(t: Converter, layer: Styled, *places: int) -> Module:
    parts = {"style": t.convert(layer.style, 0), "conv": t.convert(layer.conv, 2, 0)}
    return holding("Styled", parts, 2)


def _styled_conv(t: Converter, layer: StyledConv, *places: int) -> Module:
    parts = {
        "styled": t.convert(layer.styled, 2, 0),
        "up": t.convert(layer.up, 2),
        "noise": t.convert(layer.noise, 2, 2),
        "act": t.convert(layer.act, 2),
    }
    return holding("StyledConv", parts, 2)


def _synthesis(t: Converter, layer: Synthesis, *places: int) -> Module:
    parts = [part for block in layer.blocks for part in block]
    convs = [t.convert(p.layer, 2, 0, 2) for p in parts if p.noise is not None]
    rgbs = [t.convert(p.layer, 2, 0) for p in parts if p.noise is None]
    counts = [sum(p.noise is not None for p in block) for block in layer.blocks]
    lists = {
        name: replace(chain(modules, 2), code=listed(modules))
        for name, modules in {"convs": convs, "rgbs": rgbs}.items()
    }
    const = np.moveaxis(to_host(layer.const.data), -1, 0)
    sizes = [size[:2] for size in layer.sizes]
    held = lists | {"up": t.convert(layer.up, 2)}
    module = holding("Synthesis", held, 2, counts, sizes, const.shape)
    module.state["const"] = const
    return module


def _style_generator(t: Converter, layer: StyleGenerator, *places: int) -> Module:
    inner = layer.synthesis
    parts = {"mapping": t.convert(layer.mapping, 0), "synthesis": t.convert(inner, 1, 0)}
    module = holding("StyleGenerator", parts, 2, inner.styles, inner.w_dim, inner.pixels)
    module.state |= {name: to_host(buffer) for name, buffer in layer.own_buffers.items()}
    return module


def _enhancer(t: Converter, layer: LocalEnhancer, *places: int) -> Module:
    parts = {"front": t.convert(layer.front, 2), "back": t.convert(layer.back, 2)}
    return holding("LocalEnhancer", parts, 2)


def _coarse_to_fine(t: Converter, layer: CoarseToFine, *places: int) -> Module:
    parts = {"G1": t.convert(layer.features, 2), "G2": t.convert(layer.G2, 2, 2)}
    return holding("CoarseToFine", parts, 2)


def _frame_pyramid(t: Converter, layer: FramePyramid, *places: int) -> Module:
    parts = {str(k): t.convert(part, 2) for k, part in enumerate(layer.parts)}
    return holding("FramePyramid", parts, 2)


RULES: dict[type[L.Layer], Rule] = {
    L.EqualizedLR: _equalized,
    L.PixelNorm: _pixel_norm,
    L.AddNoise: _add_noise,
    L.ModulatedConv2d: _modulated,
    Styled: _styled,
    StyledConv: _styled_conv,
    Synthesis: _synthesis,
    StyleGenerator: _style_generator,
    LocalEnhancer: _enhancer,
    CoarseToFine: _coarse_to_fine,
    FramePyramid: _frame_pyramid,
}
