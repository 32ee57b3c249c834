"""The same layer, built here and in PyTorch, from one recorded constructor call.

A `Spec` records a class and its arguments. `Spec.build` makes the layer of minigan; `Spec.torch`
computes the same function with PyTorch's functional interface from the same arguments, never from
the layer's attributes. Twins take and return minigan's layouts and change to PyTorch's inside, so
that PyTorch's autograd hands back every gradient, and every second one, in minigan's layout.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F

from minigan import layers as L
from minigan.layers.given import ConditionalLayer

torch.set_num_threads(1)

Array = np.ndarray
Tensor = torch.Tensor
TINY = 1e-300


def relative_error(a: Array, b: Array) -> float:
    """max |a - b| / max |b|."""
    assert a.shape == b.shape, f"{a.shape} against {b.shape}"
    if a.size == 0:
        return 0.0
    return float(np.abs(a - b).max()) / max(float(np.abs(b).max()), TINY)


def channels_first(x: Tensor) -> Tensor:
    """(N, ..., C) -> (N, C, ...)."""
    return x.movedim(-1, 1)


def channels_last(x: Tensor) -> Tensor:
    """(N, C, ...) -> (N, ..., C)."""
    return x.movedim(1, -1)


@dataclass
class Env:
    """What a twin computes from besides its input: names are relative to the twin's layer."""

    params: dict[str, Tensor]
    buffers: dict[str, Tensor]
    layer: L.Layer
    train: bool = True

    def below(self, child: str) -> Env:
        def cut(named: dict[str, Tensor]) -> dict[str, Tensor]:
            start = f"{child}."
            return {k.removeprefix(start): t for k, t in named.items() if k.startswith(start)}

        inner = self.layer.children[child]
        return Env(cut(self.params), cut(self.buffers), inner, self.train)


@dataclass(frozen=True)
class Spec:
    """A layer as the call that makes it; containers hold the specs of their parts."""

    kind: type[L.Layer]
    args: tuple[Any, ...] = ()
    options: dict[str, Any] = field(default_factory=dict)

    def build(self, rng: np.random.Generator) -> L.Layer:
        args = [a.build(rng) if isinstance(a, Spec | Drawn) else a for a in self.args]
        takes_rng = "rng" in inspect.signature(self.kind).parameters
        return self.kind(*args, **self.options, **({"rng": rng} if takes_rng else {}))

    def torch(self, env: Env, *xs: Tensor) -> Tensor:
        return TWINS[self.kind](env, *xs, *self.args, **self.options)

    def __repr__(self) -> str:
        given = [repr(a) for a in self.args] + [f"{k}={v}" for k, v in self.options.items()]
        return f"{self.kind.__name__}({', '.join(given)})"


@dataclass(frozen=True)
class Drawn:
    """An argument of random numbers, (*shape); the layer keeps it as a buffer."""

    shape: tuple[int, ...]

    def __init__(self, *shape: int) -> None:
        object.__setattr__(self, "shape", shape)

    def build(self, rng: np.random.Generator) -> Array:
        return rng.standard_normal(self.shape)


def spec(kind: type[L.Layer], *args: Any, **options: Any) -> Spec:
    return Spec(kind, args, options)


# --- one twin per layer: (env, x, *constructor arguments) -> y ------------------------------------


def _dense(env: Env, x: Tensor, *_: int, bias: bool = True) -> Tensor:
    return F.linear(x, env.params["weight"].T, env.params["bias"] if bias else None)


def _embedding(env: Env, x: Tensor, *_: int) -> Tensor:
    return F.embedding(x, env.params["weight"])


def _convolution(function: Callable[..., Tensor]) -> Callable[..., Tensor]:
    def twin(env: Env, x: Tensor, *_: Any, bias: bool = True, **geometry: Any) -> Tensor:
        weight = env.params["weight"].permute(3, 2, 0, 1)
        if x.ndim == 3:
            weight = weight[:, :, 0]
        # PyTorch's gradients of a convolution refuse some permuted weights and inputs.
        x, weight = channels_first(x).contiguous(), weight.contiguous()
        return channels_last(function(x, weight, env.params["bias"] if bias else None, **geometry))

    return twin


def _batch_norm(
    env: Env,
    x: Tensor,
    *_: int,
    eps: float = 1e-5,
    momentum: float = 0.1,
    affine: bool = True,
) -> Tensor:
    y = F.batch_norm(
        channels_first(x),
        env.buffers["running_mean"].clone(),
        env.buffers["running_var"].clone(),
        *_affine(env, affine),
        training=env.train,
        momentum=momentum,
        eps=eps,
    )
    return channels_last(y)


def _instance_norm(env: Env, x: Tensor, *_: int, eps: float = 1e-5, affine: bool = False) -> Tensor:
    weight, bias = _affine(env, affine)
    return channels_last(F.instance_norm(channels_first(x), None, None, weight, bias, eps=eps))


def _layer_norm(
    env: Env, x: Tensor, shape: int | tuple[int, ...], eps: float = 1e-5, affine: bool = True
) -> Tensor:
    shape = (shape,) if isinstance(shape, int) else shape
    return F.layer_norm(x, shape, *_affine(env, affine), eps=eps)


def _group_norm(
    env: Env, x: Tensor, groups: int, _: int, eps: float = 1e-5, affine: bool = True
) -> Tensor:
    """F.group_norm's formula; its own variance of a constant input is off by 1e-3 in float32."""
    first = channels_first(x)
    rows = first.reshape(len(x), groups, -1)
    y = channels_last(F.layer_norm(rows, rows.shape[2:], eps=eps).reshape(first.shape))
    return y * env.params["weight"] + env.params["bias"] if affine else y


def _virtual_batch_norm(
    env: Env, x: Tensor, features: int, size: int, eps: float = 1e-5, affine: bool = True
) -> Tensor:
    def normalized(rows: Tensor, over: Tensor) -> Tensor:
        axes = tuple(range(x.ndim - 1))
        return (rows - over.mean(axes)) / (over.var(axes, unbiased=False) + eps).sqrt()

    reference = x[:size]
    examples = [x[i : i + 1] for i in range(size, len(x))]
    unions = [normalized(one, torch.cat([reference, one])) for one in examples]
    y = torch.cat([normalized(reference, reference), *unions])
    return y * env.params["weight"] + env.params["bias"] if affine else y


def _reference_batch(env: Env, x: Tensor, net: Spec, _: Drawn) -> Tensor:
    reference = env.buffers["reference"]
    return net.torch(env.below("net"), torch.cat([reference, x]))[len(reference) :]


def _affine(env: Env, affine: bool) -> tuple[Tensor | None, Tensor | None]:
    return (env.params["weight"], env.params["bias"]) if affine else (None, None)


def _dropout(env: Env, x: Tensor, p: float = 0.5) -> Tensor:
    """The mask is the layer's own (test_dropout.py says what it must be); the rest is not."""
    if not env.train:
        return x
    ones = np.ones(tuple(x.shape))
    mask, _ = env.layer.forward(ones, train=True, update_stats=False)
    return x * torch.tensor(mask > 0, dtype=x.dtype) / (1 - p)


def _gaussian_noise(env: Env, x: Tensor, std: float = 0.1) -> Tensor:
    """The noise is the layer's own (test_gaussian_noise.py says what it must be)."""
    if not env.train:
        return x
    zeros = np.zeros(tuple(x.shape))
    noise, _ = env.layer.forward(zeros, train=True, update_stats=False)
    return x + torch.tensor(noise, dtype=x.dtype)


def _elementwise(function: Callable[..., Tensor]) -> Callable[..., Tensor]:
    return lambda env, x, **options: function(x, **options)


def _prelu(env: Env, x: Tensor, *options: Any, **more: Any) -> Tensor:
    """F.prelu, which wants the channels second, of rows."""
    return F.prelu(x.reshape(-1, x.shape[-1]), env.params["weight"]).reshape(x.shape)


def _gru(env: Env, x: Tensor, cin: int, size: int, lengths: Tensor | None = None) -> Tensor:
    """torch.nn.GRU; what lies behind a sequence's end is its last state."""
    gru = torch.nn.GRU(cin, size, batch_first=True).to(x.dtype)
    weights = {f"{k}_l0": p.mT if p.ndim == 2 else p for k, p in env.params.items()}
    y, _ = torch.func.functional_call(gru, weights, (x,))
    if lengths is None:
        return y
    last = torch.arange(x.shape[1]).minimum(lengths[:, None] - 1)
    held = y.gather(1, last.clamp(min=0)[..., None].expand_as(y))
    return torch.where(lengths[:, None, None] > 0, held, torch.zeros_like(y))


def _gru_spec(env: Env, x: Tensor, *rest: Any) -> Tensor:
    lengths = [a for a in rest if isinstance(a, Tensor)]
    return _gru(env, x, *rest[len(lengths) :], *lengths)


def _lstm(env: Env, x: Tensor, cin: int, size: int) -> Tensor:
    lstm = torch.nn.LSTM(cin, size, batch_first=True).to(x.dtype)
    weights = {f"{k}_l0": p.mT if p.ndim == 2 else p for k, p in env.params.items()}
    y, _ = torch.func.functional_call(lstm, weights, (x,))
    return y


def _highway(env: Env, x: Tensor, _: int) -> Tensor:
    def affine(name: str) -> Tensor:
        return x @ env.below(name).params["weight"] + env.below(name).params["bias"]

    t = affine("gate").sigmoid()
    return t * affine("transform").relu() + (1 - t) * x


def _recurrent_encoder(env: Env, text: Tensor, _: int, width: int, size: int) -> Tensor:
    rows = F.embedding(text, env.below("embedding").params["weight"])
    return _gru(env.below("gru"), rows, width, size, (text > 0).sum(1))[:, -1]


def _convolutional_encoder(env: Env, text: Tensor, _: int, width: int, size: int) -> Tensor:
    """One caption at a time, without its padding; a caption without words is zero."""
    found = []
    for row in text:
        said = row[row > 0][None]
        x = channels_first(F.embedding(said, env.below("embedding").params["weight"]))
        for name in ("conv1", "conv2"):
            weight = env.below(name).params["weight"][0].permute(2, 1, 0)
            x = F.conv1d(x, weight, env.below(name).params["bias"], padding=1).relu()
        found.append(x.amax(2) if said.shape[1] else x.new_zeros(1, size))
    return torch.cat(found)


def _on_images(function: Callable[..., Tensor]) -> Callable[..., Tensor]:
    return lambda env, x, *args, **options: channels_last(
        function(channels_first(x), *args, **options)
    )


def _softplus(x: Tensor, beta: float = 1.0) -> Tensor:
    # PyTorch returns x itself above beta x = 20, which is off by 2e-9; the threshold goes.
    return F.softplus(x, beta, threshold=600)


def _channelwise(env: Env, x: Tensor, *_: int) -> Tensor:
    y = torch.einsum("npc,cpq->nqc", x.flatten(1, 2), env.params["weight"])
    return y.reshape(x.shape)


def _maxout(env: Env, x: Tensor, pieces: int) -> Tensor:
    return x.unflatten(-1, (-1, pieces)).max(-1).values


def _upsample(x: Tensor, scale_factor: int | tuple[int, int] = 2, mode: str = "nearest") -> Tensor:
    scale = (scale_factor,) * 2 if isinstance(scale_factor, int) else scale_factor
    how = {"align_corners": False} if mode == "bilinear" else {}
    return F.interpolate(x, scale_factor=tuple(map(float, scale)), mode=mode, **how)


def _reflect(x: Tensor, padding: int | tuple[int, int, int, int]) -> Tensor:
    return F.pad(x, (padding,) * 4 if isinstance(padding, int) else padding, mode="reflect")


def _places(x: Tensor) -> Tensor:
    return channels_first(x).flatten(2)


def _pack(env: Env, x: Tensor, m: int) -> Tensor:
    return torch.cat([x[i::m] for i in range(m)], -1)


def _minibatch_discrimination(
    env: Env, x: Tensor, features: int, kernels: int, kernel_dim: int
) -> Tensor:
    M = torch.einsum("na,abc->nbc", x, env.params["weight"])
    closeness = [torch.exp(-(M - other).abs().sum(-1)) for other in M]
    return torch.cat([x, torch.stack(closeness).sum(0)], -1)


def _minibatch_stddev(
    env: Env, x: Tensor, group_size: int | None = None, eps: float = 1e-8
) -> Tensor:
    groups = len(x) // min(group_size or len(x), len(x))
    extra = torch.empty(*x.shape[:-1], 1, dtype=x.dtype)
    for first in range(groups):
        members = x[first::groups]
        deviation = (members.var(0, unbiased=False) + eps).sqrt()
        extra[first::groups] = deviation.mean()
    return torch.cat([x, extra], -1)


def _spectral_norm(env: Env, x: Tensor, layer: Spec, **options: int) -> Tensor:
    inner = env.below("layer")
    weight = inner.params["weight"]
    transposed = layer.kind in (L.ConvTranspose1d, L.ConvTranspose2d)
    matrix = weight.transpose(-1, -2) if transposed else weight
    sigma = torch.einsum("r,ro,o", env.buffers["v"], matrix.flatten(0, -2), env.buffers["u"])
    inner.params["weight"] = weight / sigma
    if "bias" in env.params:
        inner.params["bias"] = env.params["bias"]
    return layer.torch(inner, x)


def _equalized(
    env: Env, x: Tensor, layer: Spec, gain: float = 1.0, lr_multiplier: float = 1.0
) -> Tensor:
    inner = env.below("layer")
    weight = inner.params["weight"]
    fan_in = weight.numel() // weight.shape[-1]
    inner.params["weight"] = weight * gain * lr_multiplier / fan_in**0.5
    if "bias" in env.params:
        inner.params["bias"] = env.params["bias"] * lr_multiplier
    return layer.torch(inner, x)


def _pixel_norm(env: Env, x: Tensor, eps: float = 1e-8) -> Tensor:
    return x / (x.square().mean(-1, keepdim=True) + eps).sqrt()


def _modulated(
    env: Env,
    x: Tensor,
    s: Tensor,
    in_channels: int,
    out_channels: int,
    kernel_size: int,
    demodulate: bool = True,
    gain: float = 1.0,
    eps: float = 1e-8,
) -> Tensor:
    """The paper's: a kernel of its own for each example, and a convolution of each alone."""
    weight = env.params["weight"] / (in_channels * kernel_size**2) ** 0.5
    ys = []
    for one, style in zip(channels_first(x), s, strict=True):
        kernel = weight * style[:, None]
        if demodulate:
            kernel = kernel / (kernel.square().sum((0, 1, 2)) + eps).sqrt()
        kernel = kernel.permute(3, 2, 0, 1).contiguous()
        ys.append(F.conv2d(one[None].contiguous(), gain * kernel, padding=kernel_size // 2)[0])
    return channels_last(torch.stack(ys)) + env.params["bias"]


def _self_attention(
    env: Env, x: Tensor, channels: int, spectral_norm: bool = False, **_: Any
) -> Tensor:
    """One query after another, as the paper writes it."""

    def conv(name: str, a: Tensor) -> Tensor:
        part = env
        for step in name.split("."):
            part = part.below(step)
        weight = part.params["layer.weight" if spectral_norm else "weight"][0, 0]
        if spectral_norm:
            weight = weight / (part.buffers["v"] @ weight @ part.buffers["u"])
        return a @ weight

    def pooled(a: Tensor) -> Tensor:
        return channels_last(F.max_pool2d(channels_first(a), 2)).flatten(1, 2)

    g, f, h = conv("query", x), pooled(conv("key.0", x)), pooled(conv("value.0", x))
    out = []
    for j in range(x.shape[1] * x.shape[2]):
        beta = torch.softmax((f * g.flatten(1, 2)[:, j, None]).sum(-1), -1)
        out.append((beta[..., None] * h).sum(1))
    o = torch.stack(out, 1).reshape(*x.shape[:-1], -1)
    return env.params["gamma"] * conv("out", o) + x


def _sequential(env: Env, *xs_and_parts: Any) -> Tensor:
    xs = [a for a in xs_and_parts if not isinstance(a, Spec)]
    for i, part in enumerate(a for a in xs_and_parts if isinstance(a, Spec)):
        xs = [part.torch(env.below(str(i)), *xs)]
    return xs[0]


def _residual(env: Env, x: Tensor, body: Spec, shortcut: Spec | None = None) -> Tensor:
    skip = x if shortcut is None else shortcut.torch(env.below("shortcut"), x)
    return body.torch(env.below("body"), x) + skip


def _concat(env: Env, x: Tensor, *branches: Spec) -> Tensor:
    return torch.cat([b.torch(env.below(str(i)), x) for i, b in enumerate(branches)], -1)


def _energy(env: Env, x: Tensor, encoder: Spec, decoder: Spec, power: int = 2) -> Tensor:
    r = decoder.torch(env.below("decoder"), encoder.torch(env.below("encoder"), x))
    return ((r - x).abs() ** power).flatten(1).mean(1, keepdim=True)


def _parallel(env: Env, *xs_and_branches: Any) -> Tensor:
    half = len(xs_and_branches) // 2
    both = zip(xs_and_branches[:half], xs_and_branches[half:], strict=True)
    return torch.cat([b.torch(env.below(str(i)), x) for i, (x, b) in enumerate(both)], -1)


def _join_condition(env: Env, x: Tensor, c: Tensor, _: int, embed: Spec | None = None) -> Tensor:
    e = c if embed is None else embed.torch(env.below("embed"), c)
    for _place in range(x.ndim - e.ndim):
        e = e[:, None]
    return torch.cat([x, e.expand(*x.shape[:-1], -1)], -1)


def _modulation(env: Env, x: Tensor, c: Tensor, *_: int, bias: bool = True) -> Tensor:
    s, t = (_dense(env.below(name), c, bias=bias) for name in ("scale", "shift"))
    for _place in range(x.ndim - 2):
        s, t = s[:, None], t[:, None]
    return torch.addcmul(t, 1 + s, x)


def _modulated_norm(
    norm: Callable[..., Tensor],
) -> Callable[..., Tensor]:
    def twin(env: Env, x: Tensor, c: Tensor, *_: int, bias: bool = True, **how: Any) -> Tensor:
        return _modulation(
            env.below("1"), norm(env.below("0"), x, affine=False, **how), c, bias=bias
        )

    return twin


def _projection(env: Env, x: Tensor, c: Tensor, *_: int) -> Tensor:
    fits = F.bilinear(x, c, env.below("embed").params["weight"].T[None])
    return fits + _dense(env.below("score"), x)


def _conditional_sequential(env: Env, x: Tensor, c: Tensor, *layers: Spec) -> Tensor:
    for i, layer in enumerate(layers):
        x = layer.torch(env.below(str(i)), *_fed(layer, x, c))
    return x


def _conditional_concat(env: Env, x: Tensor, c: Tensor, *branches: Spec) -> Tensor:
    ys = [b.torch(env.below(str(i)), *_fed(b, x, c)) for i, b in enumerate(branches)]
    return torch.cat(ys, -1)


def _embedded(env: Env, x: Tensor, c: Tensor, embed: Spec, net: Spec) -> Tensor:
    return net.torch(env.below("net"), x, embed.torch(env.below("embed"), c))


def _fed(layer: Spec, x: Tensor, c: Tensor) -> tuple[Tensor, ...]:
    return (x, c) if issubclass(layer.kind, ConditionalLayer) else (x,)


TWINS: dict[type[L.Layer], Callable[..., Tensor]] = {
    L.AdaIN: _modulated_norm(_instance_norm),
    L.AddNoise: lambda env, x, n: x + env.params["strength"] * n,
    L.AvgPool2d: _on_images(F.avg_pool2d),
    L.BatchNorm: _batch_norm,
    L.Concat: _concat,
    L.ConditionalBatchNorm: _modulated_norm(_batch_norm),
    L.ConditionalConcat: _conditional_concat,
    L.ConditionalSequential: _conditional_sequential,
    L.Conv1d: _convolution(F.conv1d),
    L.Conv2d: _convolution(F.conv2d),
    L.ConvTranspose1d: _convolution(F.conv_transpose1d),
    L.ConvTranspose2d: _convolution(F.conv_transpose2d),
    L.ConvolutionalEncoder: _convolutional_encoder,
    L.Dense: _dense,
    L.Dropout: _dropout,
    L.ELU: _elementwise(F.elu),
    L.Embedded: _embedded,
    L.Embedding: _embedding,
    L.EqualizedLR: _equalized,
    L.Flatten: lambda env, x: x.flatten(1),
    L.GRU: _gru_spec,
    L.GaussianNoise: _gaussian_noise,
    L.GlobalAvgPool: lambda env, x: _places(x).mean(2),
    L.GlobalMaxPool: lambda env, x: _places(x).max(2).values,
    L.GlobalSumPool: lambda env, x: _places(x).sum(2),
    L.Highway: _highway,
    L.Identity: lambda env, x: x,
    L.GroupNorm: _group_norm,
    L.InstanceNorm: _instance_norm,
    L.LSTM: _lstm,
    L.LayerNorm: _layer_norm,
    L.LeakyReLU: _elementwise(F.leaky_relu),
    L.MaxPool2d: _on_images(F.max_pool2d),
    L.Maxout: _maxout,
    L.MinibatchDiscrimination: _minibatch_discrimination,
    L.MinibatchStdDev: _minibatch_stddev,
    L.JoinCondition: _join_condition,
    L.ModulatedConv2d: _modulated,
    L.Modulation: _modulation,
    L.PReLU: _prelu,
    L.Pack: _pack,
    L.Parallel: _parallel,
    L.PixelNorm: _pixel_norm,
    L.Projection: _projection,
    L.PixelShuffle: _on_images(F.pixel_shuffle),
    L.ReLU: _elementwise(F.relu),
    L.RecurrentEncoder: _recurrent_encoder,
    L.ReferenceBatch: _reference_batch,
    L.ReflectionPad2d: _on_images(_reflect),
    L.ChannelwiseDense: _channelwise,
    L.Columns: lambda env, x, start, stop: x[..., start:stop],
    L.Hardtanh: lambda env, x, min_val=-1.0, max_val=1.0: F.hardtanh(x, min_val, max_val),
    L.InnerProduct: lambda env, x: torch.mul(*x.chunk(2, -1)).sum(-1, keepdim=True),
    L.LogSumExp: lambda env, x: x.logsumexp(-1, keepdim=True),
    L.Reshape: lambda env, x, *shape: x.reshape(x.shape[0], *shape),
    L.ReconstructionError: _energy,
    L.Residual: _residual,
    L.Scale: lambda env, x, factor: factor * x,
    L.SelfAttention: _self_attention,
    L.Sequential: _sequential,
    L.Sigmoid: _elementwise(torch.sigmoid),
    L.Softplus: _elementwise(_softplus),
    L.SpectralNorm: _spectral_norm,
    L.Tanh: _elementwise(torch.tanh),
    L.VirtualBatchNorm: _virtual_batch_norm,
    L.Upsample: _on_images(_upsample),
}


# --- both sides, as one flat table of named arrays ------------------------------------------------

Table = dict[str, Array | None]


def torch_derivatives(
    spec: Spec,
    layer: L.Layer,
    xs: tuple[Array, ...],
    dy: Array,
    vs: tuple[Array, ...],
    *,
    train: bool,
    second: bool,
    dtype: torch.dtype = torch.float64,
) -> Table:
    """Output, gradients and, if `second`, those of P = sum <v, dx>, by PyTorch's autograd."""

    def leaf(a: Array) -> Tensor:
        return torch.tensor(a, dtype=dtype, requires_grad=True)

    params = {k: leaf(p.data) for k, p in layer.params.items()}
    buffers = {
        k: torch.tensor(b, dtype=dtype) for k, b in layer.buffers.items() if b.dtype != np.uint64
    }
    inputs = [leaf(x) if np.issubdtype(x.dtype, np.floating) else torch.tensor(x) for x in xs]
    smooth = [x for x in inputs if x.is_floating_point()]
    upstream = leaf(dy)
    y = spec.torch(Env(params, buffers, layer, train), *inputs)

    wanted = [*smooth, *params.values()]
    first = torch.autograd.grad(y, wanted, upstream, create_graph=second)
    grads = dict(zip(map(id, wanted), first, strict=True))
    table: Table = {"y": _array(y)}
    table |= {f"dx {i}": _array(grads.get(id(x))) for i, x in enumerate(inputs)}
    table |= {f"d {k}": _array(grads[id(p)]) for k, p in params.items()}
    if second:
        both = zip(vs, inputs, strict=True)
        penalty = sum((torch.tensor(v, dtype=dtype) * grads[id(x)]).sum() for v, x in both)
        again = torch.autograd.grad(
            penalty, [upstream, *wanted], allow_unused=True, materialize_grads=True
        )
        grads = dict(zip(map(id, [upstream, *wanted]), again, strict=True))
        table["ddy"] = _array(grads[id(upstream)])
        table |= {f"x_extra {i}": _array(grads[id(x)]) for i, x in enumerate(inputs)}
        table |= {f"dP {k}": _array(grads[id(p)]) for k, p in params.items()}
    return table


def own_derivatives(
    layer: L.Layer,
    xs: tuple[Array, ...],
    dy: Array,
    vs: tuple[Array, ...],
    *,
    train: bool,
    second: bool,
) -> Table:
    """The same table by the layer's own passes; parameter gradients start from zero."""
    zero_grad(layer)
    y, ctx = layer.forward(*xs, train=train, update_stats=False)
    dxs = each(layer.backward(dy, ctx), len(xs))
    table: Table = {"y": y}
    table |= {f"dx {i}": dx for i, dx in enumerate(dxs)}
    table |= {f"d {k}": p.grad.copy() for k, p in layer.params.items()}
    if second:
        zero_grad(layer)
        _, gctx = layer.input_gradient(dy, ctx)
        table["ddy"], extra = layer.double_backward(vs if len(vs) > 1 else vs[0], gctx)
        table |= {f"x_extra {i}": e for i, e in enumerate(each(extra, len(xs)))}
        table |= {f"dP {k}": p.grad.copy() for k, p in layer.params.items()}
    return table


def each(gradient: Any, count: int) -> tuple[Array | None, ...]:
    """One gradient per input, whether the layer has one input or several."""
    if count == 1:
        return (gradient,)
    return (None,) * count if gradient is None else gradient


def zero_grad(layer: L.Layer) -> None:
    for p in layer.params.values():
        p.grad[...] = 0


def largest_error(ours: Table, theirs: Table) -> tuple[float, str]:
    """The worst relative error of the table and its name; None stands for zeros."""
    assert ours.keys() == theirs.keys()
    worst = (0.0, "")
    for name, a in ours.items():
        b = theirs[name]
        if a is None and b is None:
            continue
        assert b is not None, f"{name}: PyTorch has no such gradient"
        worst = max(worst, (relative_error(np.zeros_like(b) if a is None else a, b), name))
    return worst


def _array(t: Tensor | None) -> Array | None:
    return None if t is None else t.detach().numpy()
