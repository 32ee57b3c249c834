"""ONNX's operators for networks of an input and a condition, for words, and for attention."""

from __future__ import annotations

from typing import Any

import numpy as np

from minigan import layers as L
from minigan.backend import to_host
from minigan.export.graph import Graph, Rule, Value
from minigan.export.layers import joined
from minigan.layers.given import ConditionalLayer
from minigan.models.biggan import ConditionalResidual, SkipZ
from minigan.models.text_to_image import TextDiscriminator

# --- containers -----------------------------------------------------------------------------------


def fed(g: Graph, layer: L.Layer, x: Value, c: Value) -> Value:
    """What a part makes: a conditional one sees c too."""
    return g.emit(layer, x, c) if isinstance(layer, ConditionalLayer) else g.emit(layer, x)


def _sequential(g: Graph, layer: L.ConditionalSequential, x: Value, c: Value) -> Value:
    for inner in layer.layers:
        x = fed(g, inner, x, c)
    return x


def _concat(g: Graph, layer: L.ConditionalConcat, x: Value, c: Value) -> Value:
    return joined(g, [fed(g, branch, x, c) for branch in layer.branches])


def _embedded(g: Graph, layer: L.Embedded, x: Value, c: Value) -> Value:
    return g.emit(layer.net, x, g.emit(layer.embed, c))


def _residual(g: Graph, layer: ConditionalResidual, x: Value, c: Value) -> Value:
    body, skip = g.together([g.emit(layer.body, x, c), g.emit(layer.shortcut, x)])
    return g.like("Add", body, skip.name)


def _skip_z(g: Graph, layer: SkipZ, z: Value, e: Value) -> Value:
    x = g.emit(layer.first, columns(g, z, 0, layer.chunk))
    for inner, place in layer.stages:
        if place is None:
            x = g.emit(inner, x)
        else:
            x = g.emit(inner, x, joined(g, [e, columns(g, z, place.start, place.stop)]))
    return x


def _text_discriminator(g: Graph, layer: TextDiscriminator, *xs: Value) -> Value:
    for inner in layer.layers:
        xs = (g.emit(inner, *xs),)
    return xs[0]


# --- conditions -----------------------------------------------------------------------------------


def over_places(g: Graph, v: Value, x: Value) -> Value:
    """(N, F) as (N, 1, ..., F), or (N, F, 1, ...), to stand beside all places of x."""
    ones, features = (1,) * x.places, v.fixed[-1]
    to = [0, features, *ones] if x.first else [0, *ones, features]
    shape = g.constant(np.array(to, np.int64))
    return g.node("Reshape", v, shape, shape=(*ones, features), first=x.first)


def columns(g: Graph, x: Value, start: int, stop: int) -> Value:
    """Channels `start` to `stop` - 1."""
    axis = 1 if x.first else x.places + 1
    edges = [g.constant(np.array([edge], np.int64)) for edge in (start, stop, axis)]
    return g.node("Slice", x, *edges, shape=(*x.shape[:-1], stop - start), first=x.first)


def _join(g: Graph, layer: L.JoinCondition, x: Value, c: Value) -> Value:
    e = c if layer.embed is None else g.emit(layer.embed, c)
    if e.places:
        return joined(g, [x, e])
    zeros = g.like("Mul", columns(g, x, 0, 1), g.constant(np.float32(0)))  # of x's places
    beside = over_places(g, e, x)
    shape = (*x.shape[:-1], e.shape[-1])
    planes = g.node("Add", zeros, beside, shape=shape, first=x.first)
    return joined(g, [x, planes])


def _modulation(g: Graph, layer: L.Modulation, x: Value, c: Value) -> Value:
    gain = g.like("Add", g.emit(layer.scale, c), g.constant(np.float32(1)))
    scaled = g.like("Mul", x, over_places(g, gain, x).name)
    return g.like("Add", scaled, over_places(g, g.emit(layer.shift, c), x).name)


def _projection(g: Graph, layer: L.Projection, x: Value, c: Value) -> Value:
    match = g.like("Mul", x, g.emit(layer.embed, c).name)
    axis = g.constant(np.array([1], np.int64))
    inner = g.node("ReduceSum", match, axis, shape=(1,), keepdims=1)
    return g.like("Add", g.emit(layer.score, x), inner.name)


def _columns(g: Graph, layer: L.Columns, x: Value) -> Value:
    return columns(g, x, layer.start, layer.stop)


def _inner_product(g: Graph, layer: L.InnerProduct, x: Value) -> Value:
    half = x.fixed[-1] // 2
    match = g.like("Mul", columns(g, x, 0, half), columns(g, x, half, 2 * half).name)
    axis = g.constant(np.array([1 if x.first else -1], np.int64))
    shape = (*x.shape[:-1], 1)
    return g.node("ReduceSum", match, axis, shape=shape, first=x.first, keepdims=1)


def _evidence(g: Graph, layer: L.LogSumExp, x: Value) -> Value:
    axis = 1 if x.first else -1
    shape = (*x.shape[:-1], 1)
    return g.node("ReduceLogSumExp", x, shape=shape, first=x.first, axes=[axis], keepdims=1)


# --- words ----------------------------------------------------------------------------------------


def _embedding(g: Graph, layer: L.Embedding, text: Value) -> Value:
    table = g.constant(layer.weight.data)
    return g.node("Gather", table, text, shape=(*text.shape, layer.embedding_dim), axis=0)


def _gru(g: Graph, layer: L.GRU, x: Value, lengths: Value | None = None) -> Value:
    states, _ = _recurrence(g, layer, x, lengths)
    return states


def _recurrence(g: Graph, layer: L.GRU, x: Value, lengths: Value | None) -> tuple[Value, Value]:
    """The states of all steps, and each row's last one. ONNX's gates are z, r, n."""
    H = layer.hidden_size
    p = {name: to_host(param.data) for name, param in layer.own_params.items()}

    def gates(a: Any) -> Any:
        r, z, n = np.split(np.asarray(a).T, 3) if a.ndim > 1 else np.split(a, 3)
        return np.concatenate([z, r, n])

    W, R = (g.constant(gates(p[k])[None]) for k in ("weight_ih", "weight_hh"))
    biases = np.concatenate([gates(p["bias_ih"]), gates(p["bias_hh"])])[None]
    rows = g.node("Transpose", g.channels_last(x), shape=x.shape, perm=[1, 0, 2])
    ends = "" if lengths is None else lengths.name
    given: list[Value | str] = [rows, W, R, g.constant(biases), ends]
    options = {"hidden_size": H, "linear_before_reset": 1}
    states, last = g.nodes("GRU", 2, *given, shape=(*x.shape[:-1], H), **options)
    middle = g.constant(np.array([1], np.int64))
    flat = g.node("Squeeze", states, middle, shape=(*x.shape[:-1], H))
    ordered = g.node("Transpose", flat, shape=(*x.shape[:-1], H), perm=[1, 0, 2])
    front = g.constant(np.array([0], np.int64))
    return ordered, g.node("Squeeze", last, front, shape=(H,))


def _lstm(g: Graph, layer: L.LSTM, x: Value) -> Value:
    """The states h of all steps. ONNX's gates are i, o, f, g."""
    H = layer.hidden_size
    p = {name: to_host(param.data) for name, param in layer.own_params.items()}

    def gates(a: Any) -> Any:
        i, f, new, o = np.split(a.T, 4)
        return np.concatenate([i, o, f, new])

    W, R = (g.constant(gates(p[k])[None]) for k in ("weight_ih", "weight_hh"))
    biases = g.constant(np.concatenate([gates(p["bias_ih"]), gates(p["bias_hh"])])[None])
    shape = (*x.shape[:-1], H)
    rows = g.node("Transpose", g.channels_last(x), shape=x.shape, perm=[1, 0, 2])
    states = g.node("LSTM", rows, W, R, biases, shape=shape, hidden_size=H)
    flat = g.node("Squeeze", states, g.constant(np.array([1], np.int64)), shape=shape)
    return g.node("Transpose", flat, shape=shape, perm=[1, 0, 2])


def _highway(g: Graph, layer: L.Highway, x: Value) -> Value:
    """x + t (relu(q) - x)."""
    x = g.channels_last(x)
    t = g.like("Sigmoid", g.emit(layer.gate, x))
    r = g.like("Relu", g.emit(layer.transform, x))
    return g.like("Add", x, g.like("Mul", t, g.like("Sub", r, x.name).name).name)


def _recurrent_encoder(g: Graph, layer: L.RecurrentEncoder, text: Value) -> Value:
    zero = g.constant(np.int64(0))
    words = g.node("Cast", g.like("Greater", text, zero), shape=text.shape, to=6)  # int32
    axis = g.constant(np.array([1], np.int64))
    lengths = g.node("ReduceSum", words, axis, shape=(), keepdims=0)
    _, last = _recurrence(g, layer.gru, g.emit(layer.embedding, text), lengths)
    return last


def _convolutional_encoder(g: Graph, layer: L.ConvolutionalEncoder, text: Value) -> Value:
    zero = g.constant(np.int64(0))
    words = g.node("Cast", g.like("Greater", text, zero), shape=text.shape, to=1)  # float
    axis = g.constant(np.array([2], np.int64))
    words = g.node("Unsqueeze", words, axis, shape=(*text.shape, 1))
    x = g.emit(layer.embedding, text)
    for convolution in layer.convolutions:
        masked = g.like("Mul", g.channels_last(x), words.name)
        x = g.emit(layer.relu, g.emit(convolution, masked))
    return g.emit(layer.pool, g.like("Mul", g.channels_last(x), words.name))


# --- attention ------------------------------------------------------------------------------------


def _attention(g: Graph, layer: L.SelfAttention, x: Value) -> Value:
    """softmax(q k^T) v over places, and its share gamma added to x."""

    def rows(y: Value) -> Value:
        return g.reshape(y, (-1, y.shape[-1]))  # type: ignore[arg-type]  # channels are numbers

    q, k, v = (rows(g.emit(branch, x)) for branch in layer.branches)
    keys = g.node("Transpose", k, shape=k.shape, perm=[0, 2, 1])
    scores = g.node("MatMul", q, keys, shape=q.shape)
    weights = g.like("Softmax", scores, axis=-1)
    found = g.node("MatMul", weights, v, shape=v.shape)
    x = g.channels_last(x)
    picture = g.reshape(found, (*x.fixed[:-1], v.fixed[-1]))
    z = g.channels_last(g.emit(layer.out, picture))
    share = g.like("Mul", z, g.constant(layer.gamma.data))
    return g.like("Add", x, share.name)


RULES: dict[type[L.Layer], Rule] = {
    L.ConditionalSequential: _sequential,
    L.ConditionalBatchNorm: _sequential,
    L.AdaIN: _sequential,
    L.ConditionalConcat: _concat,
    L.Embedded: _embedded,
    L.JoinCondition: _join,
    L.Modulation: _modulation,
    L.Projection: _projection,
    L.Columns: _columns,
    L.InnerProduct: _inner_product,
    L.LogSumExp: _evidence,
    L.Embedding: _embedding,
    L.GRU: _gru,
    L.LSTM: _lstm,
    L.Highway: _highway,
    L.RecurrentEncoder: _recurrent_encoder,
    L.ConvolutionalEncoder: _convolutional_encoder,
    L.SelfAttention: _attention,
    ConditionalResidual: _residual,
    SkipZ: _skip_z,
    TextDiscriminator: _text_discriminator,
}
