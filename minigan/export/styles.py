"""ONNX's operators for StyleGAN's networks, and for generators from coarse to fine."""

from __future__ import annotations

import numpy as np

from minigan import layers as L
from minigan.backend import to_host
from minigan.export.conditions import columns, over_places
from minigan.export.graph import Graph, Rule, Value
from minigan.export.layers import joined
from minigan.models.frames import FramePyramid
from minigan.models.pix2pixhd import CoarseToFine, LocalEnhancer
from minigan.models.stylegan import StyleGenerator
from minigan.models.synthesis import Styled, StyledConv, Synthesis


def _equalized(g: Graph, layer: L.EqualizedLR, x: Value) -> Value:
    """The layer inside with the weight and bias that training scales at run time."""
    weight = to_host(layer.layer.own_params["weight"].data) * layer.scale
    bias = None if layer.bias is None else to_host(layer.bias.data) * layer.lr_multiplier
    return g.emit(layer.layer, x, weight=weight, bias=bias)


def _pixel_norm(g: Graph, layer: L.PixelNorm, x: Value) -> Value:
    square = g.like("Mul", x, x.name)
    axis = 1 if x.first else -1
    mean = g.node("ReduceMean", square, shape=(*x.shape[:-1], 1), first=x.first, axes=[axis])
    above = g.like("Add", mean, g.constant(np.float32(layer.eps)))
    return g.like("Div", x, g.like("Sqrt", above).name)


def _add_noise(g: Graph, layer: L.AddNoise, x: Value, n: Value) -> Value:
    x, n = g.together([x, n])
    return g.like("Add", x, g.like("Mul", n, g.constant(layer.strength.data)).name)


def _modulated(g: Graph, layer: L.ModulatedConv2d, x: Value, s: Value) -> Value:
    """One convolution of the scaled input, then each output's own scale (layers/modulated.py)."""
    W = to_host(layer.weight.data).astype(np.float64) * layer.scale
    x = g.channels_first(x)
    scaled = g.like("Mul", x, over_places(g, s, x).name)
    half = layer.kernel_size // 2
    a = g.node(
        "Conv",
        scaled,
        g.constant(layer.gain * W.transpose(3, 2, 0, 1)),
        shape=(*x.shape[:-1], layer.out_channels),
        first=True,
        kernel_shape=[layer.kernel_size] * 2,
        pads=[half] * 4,
    )
    if layer.demodulate:
        squares = g.constant(np.square(W).sum((0, 1)))
        q = g.node("MatMul", g.like("Mul", s, s.name), squares, shape=(layer.out_channels,))
        length = g.like("Sqrt", g.like("Add", q, g.constant(np.float32(layer.eps))))
        a = g.like("Div", a, over_places(g, length, a).name)
    bias = g.constant(to_host(layer.bias.data)[:, None, None])
    return g.like("Add", a, bias)


def _styled(g: Graph, layer: Styled, x: Value, w: Value) -> Value:
    return g.emit(layer.conv, x, g.emit(layer.style, w))


def _styled_conv(g: Graph, layer: StyledConv, x: Value, w: Value, n: Value) -> Value:
    styled = g.emit(layer.up, g.emit(layer.styled, x, w))
    return g.emit(layer.act, g.emit(layer.noise, styled, n))


def _synthesis(g: Graph, layer: Synthesis, ws: Value, noise: Value) -> Value:
    """Styles (N, styles, w_dim): one is cut out for each convolution, and its noise."""
    zero = g.like("Mul", columns(g, noise, 0, 1), g.constant(np.float32(0)))  # (N, 1)
    h, w, features = layer.const.shape
    column = g.reshape(zero, (1, 1, 1))
    x = g.node("Add", column, g.constant(layer.const.data), shape=(h, w, features))
    rgb: Value | None = None
    for b, block in enumerate(layer.blocks):
        if b:
            assert rgb is not None  # of the block before
            rgb = g.emit(layer.up, rgb)
        for part in block:
            style = _style(g, ws, part.style, layer.w_dim)
            if part.noise is None:
                colours = g.emit(part.layer, x, style)
                rgb = colours if rgb is None else g.like("Add", rgb, colours.name)
            else:
                own = columns(g, noise, part.noise.start, part.noise.stop)
                plane = g.reshape(own, (*layer.sizes[b][:2], 1))
                x = g.emit(part.layer, x, style, plane)
    assert rgb is not None
    return rgb


def _style(g: Graph, ws: Value, i: int, w_dim: int) -> Value:
    """w of convolution i, (N, w_dim)."""
    ws = g.channels_last(ws)
    at = g.constant(np.int64(i))
    return g.node("Gather", ws, at, shape=(w_dim,), axis=1)


def _style_generator(g: Graph, layer: StyleGenerator, z: Value, noise: Value) -> Value:
    w = g.emit(layer.mapping, z)
    styles, w_dim = layer.synthesis.styles, layer.synthesis.w_dim
    one = g.reshape(w, (1, w_dim))
    ones = g.constant(np.ones((styles, 1), np.float32))
    ws = g.node("Mul", one, ones, shape=(styles, w_dim))
    return g.emit(layer.synthesis, ws, noise)


def _enhancer(g: Graph, layer: LocalEnhancer, x: Value, coarse: Value) -> Value:
    both = g.together([g.emit(layer.front, x), coarse])
    return g.emit(layer.back, g.like("Add", both[0], both[1].name))


def _coarse_to_fine(g: Graph, layer: CoarseToFine, x: Value) -> Value:
    return g.emit(layer.G2, x, g.emit(layer.features, g.emit(layer.pool, x)))


def _frame_pyramid(g: Graph, layer: FramePyramid, x: Value) -> Value:
    frames = [x]
    while len(frames) < len(layer.parts):
        frames.insert(0, g.emit(layer.pool, frames[0]))
    y = g.emit(layer.bound, g.emit(layer.parts[0], frames[0]))
    for part, own in zip(layer.parts[1:], frames[1:], strict=True):
        guess = g.emit(layer.up, y)
        both = g.together([guess, g.emit(part, joined(g, [own, guess]))])
        y = g.emit(layer.bound, g.like("Add", both[0], both[1].name))
    return y


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
