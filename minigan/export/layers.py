"""What each layer is in ONNX's operators: one rule for each, in the table `RULES`.

A rule takes the graph, a layer and the values that reach it, and returns what the layer makes of
them out of training: running statistics, no dropout, weights divided by their spectral norm as it
stands.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from minigan import layers as L
from minigan.backend import Array, to_host
from minigan.errors import OptionError
from minigan.export.graph import Graph, Rule, Value

# --- containers -----------------------------------------------------------------------------------


def _sequential(g: Graph, layer: L.Sequential, *xs: Value) -> Value:
    for inner in layer.layers:
        xs = (g.emit(inner, *xs),)
    (x,) = xs
    return x


def _residual(g: Graph, layer: L.Residual, x: Value) -> Value:
    body, skip = g.together([g.emit(layer.body, x), g.emit(layer.shortcut, x)])
    return g.like("Add", body, skip.name)


def _concat(g: Graph, layer: L.Concat, x: Value) -> Value:
    return joined(g, [g.emit(branch, x) for branch in layer.branches])


def _parallel(g: Graph, layer: L.Parallel, *xs: Value) -> Value:
    pairs = zip(layer.branches, xs, strict=True)
    return joined(g, [g.emit(branch, x) for branch, x in pairs])


def joined(g: Graph, ys: list[Value]) -> Value:
    """Joined along the channels."""
    ys = g.together(ys)
    channels = sum(y.shape[-1] for y in ys)  # type: ignore[misc]  # channels are numbers
    shape = (*ys[0].shape[:-1], channels)
    return g.node("Concat", *ys, shape=shape, first=ys[0].first, axis=1 if ys[0].first else -1)


def _reference_batch(g: Graph, layer: L.ReferenceBatch, x: Value) -> Value:
    x = g.channels_last(x)
    reference = g.constant(layer.own_buffers["reference"])
    both = g.node("Concat", reference, x, shape=x.shape, axis=0)
    y = g.emit(layer.net, both)
    return _rows(g, y, layer.size, None)


def _rows(g: Graph, x: Value, start: int, stop: int | None) -> Value:
    """Examples from start to stop."""
    ends = np.iinfo(np.int64).max if stop is None else stop
    edges = [g.constant(np.array([edge], np.int64)) for edge in (start, ends, 0)]
    return g.node("Slice", x, *edges, shape=x.shape, first=x.first)


# --- weights --------------------------------------------------------------------------------------


def _dense(
    g: Graph, layer: L.Dense, x: Value, weight: Array | None = None, bias: Any = None
) -> Value:
    w, b = _parameters(layer, weight, bias)
    x = g.channels_last(x)
    shape = (*x.shape[:-1], layer.out_features)
    names = [g.constant(w), *([] if b is None else [g.constant(b)])]
    if not x.places:
        return g.node("Gemm", x, *names, shape=shape)
    y = g.node("MatMul", x, names[0], shape=shape)
    return y if b is None else g.like("Add", y, names[1])


def _channelwise(g: Graph, layer: L.ChannelwiseDense, x: Value) -> Value:
    """Products of (C, N, P) and (C, P, P), the channels in front."""
    x = g.channels_last(x)
    *sides, channels = x.fixed
    rows = g.reshape(x, (layer.places, channels))
    front = g.node("Transpose", rows, shape=rows.shape, perm=[2, 0, 1])
    y = g.node("MatMul", front, g.constant(layer.weight.data), shape=rows.shape)
    last = g.node("Transpose", y, shape=rows.shape, perm=[1, 2, 0])
    return g.reshape(last, (*sides, channels))


def _conv(g: Graph, layer: Any, x: Value, weight: Array | None = None, bias: Any = None) -> Value:
    w, b = _parameters(layer, weight, bias)
    kernel = w.transpose(3, 2, 0, 1)  # (O, C, kh, kw)
    return _convolution(g, "Conv", layer, kernel, b, x)


def _conv_transpose(
    g: Graph, layer: Any, x: Value, weight: Array | None = None, bias: Any = None
) -> Value:
    w, b = _parameters(layer, weight, bias)
    kernel = w.transpose(3, 2, 0, 1)  # (in, out, kh, kw)
    extra = layer.output_padding
    if any(more >= stride for more, stride in zip(extra, layer.stride, strict=True)):
        raise OptionError(
            f"{layer!r} cannot be exported: onnxruntime wants an output_padding below the stride"
        )
    return _convolution(g, "ConvTranspose", layer, kernel, b, x, output_padding=extra)


def _convolution(
    g: Graph, op: str, layer: Any, kernel: Array, bias: Array | None, x: Value, **more: Any
) -> Value:
    """An image layer, or the same layer on sequences, whose first axis is one row."""
    x = g.channels_first(x)
    if x.places == 1:
        kernel = kernel[:, :, 0]

    def axes(sizes: tuple[int, int]) -> list[int]:
        return list(sizes[-x.places :])

    attributes = {
        "kernel_shape": axes(layer.kernel_size),
        "strides": axes(layer.stride),
        "pads": axes(layer.padding) * 2,
        "dilations": axes(layer.dilation),
        **{name: axes(sizes) for name, sizes in more.items()},
    }
    names = [g.constant(a) for a in (kernel, bias) if a is not None]
    sizes = [
        s if isinstance(s, str) else _size(op, s, *geometry)
        for s, *geometry in zip(
            x.shape[:-1],
            attributes["kernel_shape"],
            attributes["strides"],
            axes(layer.padding),
            attributes["dilations"],
            attributes.get("output_padding", [0, 0]),
            strict=False,
        )
    ]
    shape = (*sizes, layer.out_channels)
    return g.node(op, x, *names, shape=shape, first=True, **attributes)


def _size(op: str, s: Any, kernel: int, stride: int, padding: int, dilation: int, more: int) -> int:
    """Places along one axis of a convolution's output, or a transposed one's."""
    reach = dilation * (kernel - 1)
    if op == "ConvTranspose":
        return int((s - 1) * stride - 2 * padding + reach + more + 1)
    return int((s + 2 * padding - reach - 1) // stride + 1)


def _spectral(g: Graph, layer: L.SpectralNorm, x: Value) -> Value:
    """The layer inside with W / sigma(W), by u and v as they stand."""
    bias = None if layer.bias is None else layer.bias.data
    return g.emit(layer.layer, x, weight=layer.normalized_weight(), bias=bias)


def _parameters(layer: Any, weight: Array | None, bias: Any) -> tuple[Array, Array | None]:
    """A layer's own weight and bias on the host, where no others are given."""
    if weight is None:
        weight, bias = layer.weight.data, None if layer.bias is None else layer.bias.data
    return to_host(weight), None if bias is None else to_host(bias)


# --- norms ----------------------------------------------------------------------------------------


def _batch_norm(g: Graph, layer: L.BatchNorm, x: Value) -> Value:
    if g.noisy:  # the moments of one picture alone
        return _instance_norm(g, layer, x)
    x = g.channels_first(x)
    moments = [layer.own_buffers[k] for k in ("running_mean", "running_var")]
    names = [g.constant(a) for a in (*_affine(layer), *moments)]
    return g.like("BatchNormalization", x, *names, epsilon=layer.eps)


def _instance_norm(g: Graph, layer: Any, x: Value) -> Value:
    names = [g.constant(a) for a in _affine(layer)]
    return g.like("InstanceNormalization", g.channels_first(x), *names, epsilon=layer.eps)


def _layer_norm(g: Graph, layer: L.LayerNorm, x: Value) -> Value:
    names = [g.constant(a) for a in _affine(layer)]
    axis = -len(layer.shape)
    return g.like("LayerNormalization", g.channels_last(x), *names, epsilon=layer.eps, axis=axis)


def _group_norm(g: Graph, layer: L.GroupNorm, x: Value) -> Value:
    """Groups as the channels of one row of numbers, instance-normalised; then the channels' map."""
    x, groups = g.channels_first(x), layer.num_groups
    row = g.constant(np.array([0, groups, -1], np.int64))
    rows = g.node("Reshape", x, row, shape=("numbers", groups), first=True)
    ones = [g.constant(a) for a in (np.ones(groups, np.float32), np.zeros(groups, np.float32))]
    normalized = g.like("InstanceNormalization", rows, *ones, epsilon=layer.eps)
    y = g.node("Reshape", normalized, g.node("Shape", x, shape=()), shape=x.shape, first=x.first)
    if not layer.affine:
        return y
    gamma, beta = (to_host(p.data).reshape(-1, *[1] * x.places) for p in (layer.gamma, layer.beta))
    return g.like("Add", g.like("Mul", y, g.constant(gamma)), g.constant(beta))


def _affine(layer: Any) -> list[Array]:
    """gamma and beta; 1 and 0 where there are none."""
    if layer.affine:
        return [layer.gamma.data, layer.beta.data]
    return [np.ones(layer.shape, np.float32), np.zeros(layer.shape, np.float32)]


def _virtual_norm(g: Graph, layer: L.VirtualBatchNorm, x: Value) -> Value:
    """The formulas of ops/virtual_norm.py on (N, P, C): m_0, v_0 of the reference, m, w of each."""
    x = g.channels_last(x)
    shape, size = x.shape, layer.reference_size
    channels = layer.shape[0]
    rows = g.reshape(x, (-1, channels))
    reference, own = _rows(g, rows, 0, size), _rows(g, rows, size, None)
    places = x.features // channels
    a, b = size / (size + 1), 1 / (size + 1)

    def moments(part: Value, axes: list[int]) -> tuple[Value, Value]:
        mean = g.node("ReduceMean", part, shape=part.shape, axes=axes)
        centred = g.like("Sub", part, mean.name)
        square = g.like("Mul", centred, centred.name)
        return mean, g.node("ReduceMean", square, shape=part.shape, axes=axes)

    def scaled(value: Value, factor: float) -> Value:
        return g.like("Mul", value, g.constant(np.float32(factor)))

    def normalized(part: Value, mean: Value, variance: Value) -> Value:
        above = g.like("Add", variance, g.constant(np.float32(layer.eps)))
        return g.like("Div", g.like("Sub", part, mean.name), g.like("Sqrt", above).name)

    m_0, v_0 = moments(reference, [0, 1])
    m, w = moments(own, [1])
    apart = g.like("Sub", m, m_0.name)
    mean = g.like("Add", m_0, scaled(apart, b).name)
    spread = scaled(g.like("Mul", apart, apart.name), a * b)
    variance = g.like("Add", g.like("Add", scaled(v_0, a), scaled(w, b).name), spread.name)
    parts = normalized(reference, m_0, v_0), normalized(own, mean, variance)
    y = g.node("Concat", *parts, shape=(places, channels), axis=0)
    if layer.affine:
        y = g.like("Mul", y, g.constant(layer.gamma.data))
        y = g.like("Add", y, g.constant(layer.beta.data))
    return g.reshape(y, [int(s) for s in shape])


# --- activations ----------------------------------------------------------------------------------


def _elementwise(op: str, **names: str) -> Rule:
    """A rule for one operator, with the layer's attribute for each of its own: alpha="alpha"."""

    def rule(g: Graph, layer: Any, x: Value) -> Value:
        return g.like(op, x, **{name: float(getattr(layer, own)) for name, own in names.items()})

    return rule


def _prelu(g: Graph, layer: L.PReLU, x: Value) -> Value:
    """Slopes in the shape of channels where x has these: last, or in front of its places."""
    slopes = to_host(layer.weight.data)
    places = x.places if x.first else 0
    return g.like("PRelu", x, g.constant(slopes.reshape(-1, *[1] * places)))


def _softplus(g: Graph, layer: L.Softplus, x: Value) -> Value:
    beta = g.constant(np.float32(layer.beta))
    return g.like("Div", g.like("Softplus", g.like("Mul", x, beta)), beta)


def _scale(g: Graph, layer: L.Scale, x: Value) -> Value:
    return g.like("Mul", x, g.constant(np.float32(layer.factor)))


def _hardtanh(g: Graph, layer: L.Hardtanh, x: Value) -> Value:
    ends = (g.constant(np.float32(end)) for end in (layer.min_val, layer.max_val))
    return g.like("Clip", x, *ends)


def _maxout(g: Graph, layer: L.Maxout, x: Value) -> Value:
    *places, channels = x.fixed
    units = channels // layer.num_pieces
    pieces = g.reshape(x, (*places, units, layer.num_pieces))
    return g.node("ReduceMax", pieces, shape=(*places, units), axes=[-1], keepdims=0)


# --- shapes and sizes -----------------------------------------------------------------------------


def _same(g: Graph, layer: L.Layer, x: Value) -> Value:
    return x


def _reshape(g: Graph, layer: L.Reshape, x: Value) -> Value:
    return g.reshape(x, layer.shape)


def _flatten(g: Graph, layer: L.Flatten, x: Value) -> Value:
    return g.reshape(x, (x.features,)) if x.places else x


def _pack(g: Graph, layer: L.Pack, x: Value) -> Value:
    *places, channels = x.fixed
    count = int(np.prod(places))
    rows = g.reshape(x, (layer.m, count, channels), batch=-1)
    mixed = g.node("Transpose", rows, shape=(count, layer.m, channels), perm=[0, 2, 1, 3])
    return g.reshape(mixed, (*places, layer.m * channels), batch=-1)


def _upsample(g: Graph, layer: L.Upsample, x: Value) -> Value:
    x = g.channels_first(x)
    scales = g.constant(np.array([1, 1, *layer.scale], np.float32))
    how = {"nearest": ("asymmetric", "nearest", "floor"), "bilinear": ("half_pixel", "linear", "")}
    coordinates, mode, nearest = how[layer.mode]
    more = {"nearest_mode": nearest} if nearest else {}
    return g.node(
        "Resize",
        x,
        "",
        scales,
        shape=_times(x, layer.scale),
        first=True,
        mode=mode,
        coordinate_transformation_mode=coordinates,
        **more,
    )


def _times(x: Value, scale: tuple[int, int], channels: Any = None) -> tuple[Any, ...]:
    """x's shape, each side scaled."""
    sides = [s if isinstance(s, str) else s * k for s, k in zip(x.shape, scale, strict=False)]
    return (*sides, channels or x.shape[-1])


def _pixel_shuffle(g: Graph, layer: L.PixelShuffle, x: Value) -> Value:
    r = layer.upscale_factor
    channels = int(x.shape[-1]) // r**2
    shape = _times(x, (r, r), channels)
    x = g.channels_first(x)
    return g.node("DepthToSpace", x, shape=shape, first=True, blocksize=r, mode="CRD")


def _reflection_pad(g: Graph, layer: L.ReflectionPad2d, x: Value) -> Value:
    x = g.channels_first(x)
    top, left, bottom, right = layer.top, layer.left, layer.bottom, layer.right
    pads = g.constant(np.array([0, 0, top, left, 0, 0, bottom, right], np.int64))
    sides = zip(x.shape, (top + bottom, left + right), strict=False)
    grown = [s if isinstance(s, str) else s + more for s, more in sides]
    return g.node("Pad", x, pads, shape=(*grown, x.shape[-1]), first=True, mode="reflect")


def _pool(op: str, **attributes: Any) -> Rule:
    def rule(g: Graph, layer: Any, x: Value) -> Value:
        x = g.channels_first(x)
        sides = [
            s if isinstance(s, str) else _size("Conv", s, k, stride, pad, 1, 0)
            for s, k, stride, pad in zip(x.shape, *layer.geometry, strict=False)
        ]
        return g.node(
            op,
            x,
            shape=(*sides, x.shape[-1]),
            first=True,
            kernel_shape=list(layer.kernel_size),
            strides=list(layer.stride),
            pads=list(layer.padding) * 2,
            **attributes,
        )

    return rule


def _global_pool(op: str) -> Rule:
    def rule(g: Graph, layer: L.Layer, x: Value) -> Value:
        axes = list(range(2, x.places + 2))
        x = g.channels_first(x)
        if op == "ReduceSum":  # its axes are an input since opset 13
            at = g.constant(np.array(axes, np.int64))
            return g.node(op, x, at, shape=x.shape[-1:], keepdims=0)
        return g.node(op, x, shape=x.shape[-1:], axes=axes, keepdims=0)

    return rule


# --- what looks at the whole batch, or back at the input ------------------------------------------


def _discrimination(g: Graph, layer: L.MinibatchDiscrimination, x: Value) -> Value:
    kernels, dim = layer.num_kernels, layer.kernel_dim
    T = g.constant(to_host(layer.T.data).reshape(layer.in_features, -1))
    flat = g.node("MatMul", x, T, shape=(kernels * dim,))
    M = g.reshape(flat, (kernels, dim))

    def among(axis: int) -> Value:
        at = g.constant(np.array([axis], np.int64))
        return g.node("Unsqueeze", M, at, shape=(1, kernels, dim))

    apart = g.like("Abs", g.like("Sub", among(1), among(0).name))
    summed = g.constant(np.array([3], np.int64))
    distance = g.node("ReduceSum", apart, summed, shape=(1, kernels), keepdims=0)
    near = g.like("Exp", g.like("Neg", distance))
    others = g.constant(np.array([1], np.int64))
    o = g.node("ReduceSum", near, others, shape=(kernels,), keepdims=0)
    return joined(g, [x, o])


def _deviation(g: Graph, layer: L.MinibatchStdDev, x: Value) -> Value:
    """Groups of group_size examples, which must divide the batch; the whole batch if None."""
    x = g.channels_last(x)
    shape = x.fixed
    split = (layer.group_size or -1, -1 if layer.group_size else 1)
    to = g.constant(np.array([*split, *shape], np.int64))
    grouped = g.node("Reshape", x, to, shape=(1, *shape))
    mean = g.node("ReduceMean", grouped, shape=(1, *shape), axes=[0])
    centred = g.like("Sub", grouped, mean.name)
    square = g.like("Mul", centred, centred.name)
    variance = g.node("ReduceMean", square, shape=(1, *shape), axes=[0])
    s = g.like("Sqrt", g.like("Add", variance, g.constant(np.float32(layer.eps))))
    every = list(range(2, len(shape) + 2))
    o = g.node("ReduceMean", s, shape=(1,) * (len(shape) + 1), axes=every)  # (1, groups, 1, ...)
    # At every place of a group's examples: added to zeros that have their shape.
    edges = [g.constant(np.array([edge], np.int64)) for edge in (0, 1, len(shape) + 1)]
    one = g.node("Slice", grouped, *edges, shape=(1, *shape[:-1], 1))
    zero = g.like("Mul", one, g.constant(np.float32(0)))
    spread = g.like("Add", zero, o.name)
    return joined(g, [x, g.reshape(spread, (*shape[:-1], 1), batch=-1)])


def _energy(g: Graph, layer: L.ReconstructionError, x: Value) -> Value:
    x = g.channels_last(x)
    r = g.channels_last(g.emit(layer.decoder, g.emit(layer.encoder, x)))
    d = g.like("Sub", r, x.name)
    size = g.like("Abs", d) if layer.power == 1 else g.like("Mul", d, d.name)
    flat = g.reshape(size, (x.features,)) if x.places else size
    return g.node("ReduceMean", flat, shape=(1,), axes=[1])


RULES: dict[type[L.Layer], Rule] = {
    L.Sequential: _sequential,
    L.Residual: _residual,
    L.Concat: _concat,
    L.Parallel: _parallel,
    L.ReferenceBatch: _reference_batch,
    L.Dense: _dense,
    L.ChannelwiseDense: _channelwise,
    L.Conv1d: _conv,
    L.Conv2d: _conv,
    L.ConvTranspose1d: _conv_transpose,
    L.ConvTranspose2d: _conv_transpose,
    L.SpectralNorm: _spectral,
    L.BatchNorm: _batch_norm,
    L.InstanceNorm: _instance_norm,
    L.LayerNorm: _layer_norm,
    L.GroupNorm: _group_norm,
    L.VirtualBatchNorm: _virtual_norm,
    L.ReLU: _elementwise("Relu"),
    L.LeakyReLU: _elementwise("LeakyRelu", alpha="negative_slope"),
    L.PReLU: _prelu,
    L.ELU: _elementwise("Elu", alpha="alpha"),
    L.Tanh: _elementwise("Tanh"),
    L.Sigmoid: _elementwise("Sigmoid"),
    L.Hardtanh: _hardtanh,
    L.Softplus: _softplus,
    L.Maxout: _maxout,
    L.Identity: _same,
    L.Dropout: _same,
    L.GaussianNoise: _same,
    L.Scale: _scale,
    L.Reshape: _reshape,
    L.Flatten: _flatten,
    L.Pack: _pack,
    L.Upsample: _upsample,
    L.PixelShuffle: _pixel_shuffle,
    L.ReflectionPad2d: _reflection_pad,
    L.AvgPool2d: _pool("AveragePool", count_include_pad=1),
    L.MaxPool2d: _pool("MaxPool"),
    L.GlobalAvgPool: _global_pool("ReduceMean"),
    L.GlobalMaxPool: _global_pool("ReduceMax"),
    L.GlobalSumPool: _global_pool("ReduceSum"),
    L.MinibatchDiscrimination: _discrimination,
    L.MinibatchStdDev: _deviation,
    L.ReconstructionError: _energy,
}
