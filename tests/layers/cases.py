"""Every public layer, in the shapes that hurt: the one table that the layer tests run over.

Odd sizes, one example, one channel, strides larger than the kernel, constant input, and networks
nested in networks. `CASES` holds each entry; those marked `constant` repeat an entry of a single
layer on a constant input.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from minigan import layers as L
from tests.oracles.torch_twins import Drawn, Spec, spec

Array = np.ndarray
Shape = tuple[int, ...]
CONTAINERS = (
    L.Sequential,
    L.Residual,
    L.Concat,
    L.Parallel,
    L.ReconstructionError,
    L.SpectralNorm,
    L.ReferenceBatch,
    L.EqualizedLR,
    L.ConditionalSequential,
    L.ConditionalConcat,
    L.Embedded,
    L.ConditionalBatchNorm,
    L.AdaIN,
)


@dataclass(frozen=True)
class Case:
    """A layer, the shapes of its inputs, and how it is run."""

    spec: Spec
    shapes: tuple[Shape, ...]
    train: bool = True
    constant: bool = False
    integers: tuple[int, ...] = ()  # which inputs are indices below 3
    second: bool = True  # has a second derivative

    def __str__(self) -> str:
        sizes = " ".join("x".join(map(str, shape)) for shape in self.shapes)
        marks = ("" if self.train else " eval") + (" constant" if self.constant else "")
        return f"{self.spec} on {sizes}{marks}"

    def build(self, dtype: Any = np.float64, seed: int = 0) -> L.Layer:
        """The layer with every parameter and running statistic random, and zero gradients."""
        rng = np.random.default_rng(seed)
        layer = self.spec.build(rng).astype(dtype)
        size = layer.flat.size
        layer.flat.load(rng.uniform(0.3, 1, size) * rng.choice([-1.0, 1.0], size))
        for name, buffer in layer.buffers.items():
            if name.endswith("running_mean"):
                buffer[...] = rng.standard_normal(buffer.shape)
            elif name.endswith("running_var"):
                buffer[...] = rng.uniform(0.5, 2, buffer.shape)
        for _, part in layer.walk():
            if isinstance(part, L.SpectralNorm):
                _settle(part, rng)
        return layer

    def inputs(self, dtype: Any = np.float64, seed: int = 1) -> tuple[Array, ...]:
        rng = np.random.default_rng(seed)
        xs: list[Array] = []
        for i, shape in enumerate(self.shapes):
            if i in self.integers:
                xs.append(rng.integers(0, 3, shape))
            elif self.constant:
                # A power of two: sums, and so means, are exact and a norm's xhat is exactly 0.
                xs.append(np.full(shape, 0.5, dtype))
            else:
                xs.append(rng.standard_normal(shape).astype(dtype))
        return tuple(xs)

    def directions(self, y: Array, seed: int = 2) -> tuple[Array, tuple[Array, ...]]:
        """A random upstream gradient dy, and a random v for every dx."""
        rng = np.random.default_rng(seed)
        dy = rng.standard_normal(y.shape).astype(y.dtype)
        return dy, tuple(rng.standard_normal(shape).astype(y.dtype) for shape in self.shapes)


def _settle(layer: L.SpectralNorm, rng: np.random.Generator) -> None:
    """u and v near the singular vectors of the weight, as in training, but not at them."""
    weight = layer.weight.data
    transposed = isinstance(layer.layer, L.ConvTranspose2d)
    matrix = weight.swapaxes(-1, -2) if transposed else weight
    left, _, right = np.linalg.svd(matrix.reshape(-1, matrix.shape[-1]))
    for name, vector in (("v", left[:, 0]), ("u", right[0])):
        moved = vector + 0.1 * rng.standard_normal(vector.shape)
        layer.own_buffers[name][...] = moved / np.linalg.norm(moved)


def case(made: Spec, *shapes: Shape, **options: Any) -> Case:
    return Case(made, shapes, **options)


CRITIC = spec(
    L.Sequential,
    spec(L.Conv2d, 2, 4, 4, stride=2, padding=1),
    spec(L.LeakyReLU, negative_slope=0.2),
    spec(L.Conv2d, 4, 5, 3, stride=2, bias=False),
    spec(L.InstanceNorm, 5, affine=True),
    spec(L.Softplus),
    spec(L.Flatten),
    spec(L.Dense, 20, 1),
)
WATCHFUL_CRITIC = spec(
    L.Sequential,
    spec(L.Pack, 2),
    spec(L.SpectralNorm, spec(L.Conv2d, 4, 3, 4, stride=2, padding=1)),
    spec(L.Tanh),
    spec(L.MinibatchStdDev),
    spec(L.Flatten),
    spec(L.SpectralNorm, spec(L.Dense, 24, 5, bias=False)),
    spec(L.Softplus),
    spec(L.MinibatchDiscrimination, 5, 2, kernel_dim=3),
    spec(L.Dense, 7, 1),
)
RESIDUAL_NET = spec(
    L.Sequential,
    spec(L.Conv2d, 2, 3, 3, padding=1),
    spec(
        L.Residual,
        spec(
            L.Sequential,
            spec(L.BatchNorm, 3),
            spec(L.Tanh),
            spec(L.Conv2d, 3, 4, 3, padding=1, bias=False),
            spec(L.LayerNorm, 4),
            spec(L.ELU),
            spec(L.Conv2d, 4, 3, 1),
        ),
    ),
    spec(
        L.Residual,
        spec(L.Sequential, spec(L.Sigmoid), spec(L.Conv2d, 3, 4, 3, padding=1)),
        spec(L.Sequential, spec(L.Conv2d, 3, 4, 1), spec(L.Softplus, beta=2.0)),
    ),
    spec(L.AvgPool2d, 3, stride=2),
    spec(L.GlobalSumPool),
    spec(L.Dense, 4, 2),
)
U_NET = spec(
    L.Concat,
    spec(L.Identity),
    spec(
        L.Sequential,
        spec(L.Conv2d, 2, 3, 4, stride=2, padding=1),
        spec(L.Tanh),
        spec(
            L.Concat,
            spec(
                L.Sequential,
                spec(L.Conv2d, 3, 4, 4, stride=2, padding=1, bias=False),
                spec(L.BatchNorm, 4),
                spec(L.Tanh),
                spec(L.ConvTranspose2d, 4, 3, 4, stride=2, padding=1),
            ),
            spec(L.Identity),
        ),
        spec(L.Sigmoid),
        spec(L.ConvTranspose2d, 6, 2, 4, stride=2, padding=1),
        spec(L.Tanh),
    ),
)
TWO_INPUTS = spec(
    L.Sequential,
    spec(
        L.Parallel,
        spec(L.Sequential, spec(L.Dense, 3, 4), spec(L.Tanh)),
        spec(L.Sequential, spec(L.Conv2d, 2, 3, 3), spec(L.Sigmoid), spec(L.GlobalAvgPool)),
    ),
    spec(L.Dense, 7, 5, bias=False),
    spec(L.BatchNorm, 5),
    spec(L.Softplus),
    spec(L.Dense, 5, 2),
)
CONDITIONED = spec(
    L.Sequential,
    spec(
        L.Parallel,
        spec(L.Embedding, 3, 4),
        spec(L.Sequential, spec(L.Dense, 5, 3), spec(L.Tanh)),
    ),
    spec(L.Dense, 7, 2),
)

CONDITIONAL_CRITIC = spec(
    L.ConditionalSequential,
    spec(L.JoinCondition, 3, spec(L.Sequential, spec(L.Dense, 3, 2), spec(L.Tanh))),
    spec(L.Conv2d, 4, 4, 3, stride=2, padding=1),
    spec(L.Softplus),
    spec(L.Modulation, 4, 3),
    spec(L.Tanh),
    spec(L.Conv2d, 4, 3, 3),
    spec(L.GlobalSumPool),
    spec(
        L.ConditionalConcat,
        spec(L.Dense, 3, 2),
        spec(L.Projection, 3, 3),
        spec(L.ConditionalSequential, spec(L.JoinCondition, 3), spec(L.Dense, 6, 2), spec(L.Tanh)),
    ),
)
CONDITIONAL_GENERATOR = spec(
    L.Embedded,
    spec(L.Sequential, spec(L.Dense, 4, 3), spec(L.Sigmoid)),
    spec(
        L.ConditionalSequential,
        spec(L.Dense, 2, 18, bias=False),
        spec(L.Reshape, 3, 3, 2),
        spec(L.ConditionalBatchNorm, 2, 3),
        spec(L.ELU),
        spec(L.ConvTranspose2d, 2, 3, 4, stride=2, padding=1, bias=False),
        spec(L.ConditionalBatchNorm, 3, 3, bias=False, eps=0.1),
        spec(L.Tanh),
    ),
)

VARIED: list[Case] = [
    case(spec(L.Dense, 4, 3), (5, 4)),
    case(spec(L.Dense, 4, 3, bias=False), (1, 4)),
    case(spec(L.Dense, 1, 1), (3, 1)),
    case(spec(L.Dense, 3, 2), (2, 5, 7, 3)),
    case(spec(L.Embedding, 3, 4), (7,), integers=(0,), second=False),
    case(spec(L.Embedding, 3, 1), (2, 5), integers=(0,), second=False),
    case(spec(L.Conv2d, 3, 4, 3), (2, 5, 7, 3)),
    case(spec(L.Conv2d, 3, 4, 4, stride=2, padding=1), (2, 8, 6, 3)),
    case(spec(L.Conv2d, 2, 3, 2, stride=3), (2, 7, 9, 2)),
    case(spec(L.Conv2d, 1, 1, 3, padding=2), (1, 3, 5, 1)),
    case(spec(L.Conv2d, 2, 3, 1, bias=False), (2, 3, 3, 2)),
    case(spec(L.Conv2d, 2, 3, 3, stride=2, padding=2, dilation=2), (2, 7, 5, 2)),
    case(
        spec(L.Conv2d, 2, 3, (2, 3), stride=(3, 1), padding=(0, 2), dilation=(1, 2)), (2, 6, 5, 2)
    ),
    case(spec(L.ConvTranspose2d, 3, 2, 4, stride=2, padding=1), (2, 3, 5, 3)),
    case(spec(L.ConvTranspose2d, 2, 3, 2, stride=3, output_padding=2), (2, 3, 2, 2)),
    case(spec(L.ConvTranspose2d, 1, 1, 3), (1, 1, 1, 1)),
    case(spec(L.ConvTranspose2d, 2, 3, 3, dilation=3, output_padding=2), (2, 3, 4, 2)),
    case(
        spec(
            L.ConvTranspose2d,
            2,
            3,
            (3, 2),
            stride=(2, 1),
            padding=(1, 0),
            output_padding=(1, 0),
            dilation=(1, 2),
            bias=False,
        ),
        (2, 3, 4, 2),
    ),
    case(spec(L.Conv1d, 3, 4, 3, stride=2, padding=1), (2, 7, 3)),
    case(spec(L.Conv1d, 1, 1, 2, stride=3, dilation=2, bias=False), (1, 9, 1)),
    case(spec(L.ConvTranspose1d, 3, 2, 3, stride=2, padding=1, output_padding=1), (2, 5, 3)),
    case(spec(L.ConvTranspose1d, 1, 1, 2, stride=3, dilation=2, bias=False), (1, 4, 1)),
    case(spec(L.BatchNorm, 3), (5, 3)),
    case(spec(L.BatchNorm, 3), (2, 5, 7, 3)),
    case(spec(L.BatchNorm, 3, eps=0.1, affine=False), (4, 5, 3)),
    case(spec(L.BatchNorm, 1), (1, 3, 5, 1)),
    case(spec(L.BatchNorm, 3), (2, 5, 7, 3), train=False),
    case(spec(L.BatchNorm, 3, eps=0.1, affine=False), (1, 3), train=False),
    case(spec(L.InstanceNorm, 3), (2, 5, 7, 3)),
    case(spec(L.InstanceNorm, 2, eps=0.1, affine=True), (3, 7, 2)),
    case(spec(L.InstanceNorm, 1, affine=True), (1, 3, 3, 1)),
    case(spec(L.VirtualBatchNorm, 3, 4), (6, 3)),
    case(spec(L.VirtualBatchNorm, 2, 3, eps=0.1), (4, 3, 2, 2)),
    case(spec(L.VirtualBatchNorm, 1, 2, affine=False), (3, 5, 1), train=False),
    case(
        spec(
            L.ReferenceBatch,
            spec(
                L.Sequential,
                spec(L.Conv2d, 2, 3, 3, padding=1, bias=False),
                spec(L.VirtualBatchNorm, 3, 4),
                spec(L.Tanh),
                spec(L.GlobalAvgPool),
                spec(L.Dense, 3, 5, bias=False),
                spec(L.VirtualBatchNorm, 5, 4),
                spec(L.Softplus),
            ),
            Drawn(4, 3, 2, 2),
        ),
        (2, 3, 2, 2),
    ),
    case(
        spec(
            L.ReferenceBatch,
            spec(
                L.Sequential,
                spec(L.Dense, 3, 4, bias=False),
                spec(L.BatchNorm, 4),
                spec(L.Sigmoid),
            ),
            Drawn(3, 3),
        ),
        (1, 3),
    ),
    case(spec(L.ReferenceBatch, spec(L.BatchNorm, 3), Drawn(2, 3)), (4, 3), train=False),
    case(spec(L.LayerNorm, 5), (3, 5)),
    case(spec(L.LayerNorm, (3, 5, 2)), (2, 3, 5, 2)),
    case(spec(L.LayerNorm, (5, 2), eps=0.1), (2, 3, 5, 2)),
    case(spec(L.LayerNorm, (7,), affine=False), (1, 3, 7)),
    case(spec(L.GroupNorm, 1, 3), (2, 5, 7, 3)),
    case(spec(L.GroupNorm, 3, 6, eps=0.1), (3, 5, 2, 6)),
    case(spec(L.GroupNorm, 2, 8, affine=False), (2, 8)),
    case(spec(L.GroupNorm, 4, 4), (1, 7, 4)),
    case(spec(L.ReLU), (3, 5)),
    case(spec(L.LeakyReLU), (2, 3, 5, 1)),
    case(spec(L.LeakyReLU, negative_slope=0.2), (3, 5)),
    case(spec(L.PReLU, 3), (2, 5, 3)),
    case(spec(L.PReLU), (3, 5)),
    case(spec(L.PReLU, 1, init=0.5), (2, 3, 5, 2)),
    case(spec(L.PReLU, 1), (1, 7, 1)),
    case(spec(L.ELU), (1, 5)),
    case(spec(L.ELU, alpha=0.5), (2, 3, 5, 1)),
    case(spec(L.Tanh), (2, 3, 5)),
    case(spec(L.Hardtanh), (2, 3, 5)),
    case(spec(L.Hardtanh, min_val=-0.4, max_val=2.0), (3, 4, 5, 2)),
    case(spec(L.Sigmoid), (2, 3, 5)),
    case(spec(L.Softplus), (2, 3, 5)),
    case(spec(L.Softplus, beta=3.0), (1, 1)),
    case(spec(L.Maxout, 3), (4, 6)),
    case(spec(L.Maxout, 5), (1, 3, 3, 5)),
    case(spec(L.MinibatchDiscrimination, 4, 3, kernel_dim=2), (5, 4)),
    case(spec(L.MinibatchDiscrimination, 3, 1, kernel_dim=1), (1, 3)),
    case(spec(L.MinibatchStdDev), (3, 5)),
    case(spec(L.MinibatchStdDev, group_size=2), (4, 3, 5, 2)),
    case(spec(L.MinibatchStdDev, group_size=8, eps=0.1), (3, 3, 1, 2)),
    case(spec(L.MinibatchStdDev, eps=0.1), (1, 3, 2)),
    case(spec(L.Pack, 3), (6, 2, 5, 2)),
    case(spec(L.Pack, 2), (2, 3)),
    case(spec(L.Pack, 1), (3, 2, 2)),
    case(spec(L.SpectralNorm, spec(L.Dense, 4, 3)), (5, 4)),
    case(spec(L.SpectralNorm, spec(L.Dense, 4, 3, bias=False)), (2, 3, 4), train=False),
    case(spec(L.SpectralNorm, spec(L.Conv2d, 3, 4, 3, stride=2, padding=1)), (2, 5, 6, 3)),
    case(spec(L.SpectralNorm, spec(L.Conv2d, 2, 3, (2, 3), bias=False)), (1, 3, 5, 2)),
    case(
        spec(
            L.SpectralNorm,
            spec(L.ConvTranspose2d, 3, 2, 4, stride=2, padding=1),
            n_power_iterations=2,
        ),
        (2, 3, 2, 3),
    ),
    case(spec(L.SpectralNorm, spec(L.Conv1d, 3, 4, 3, stride=2, padding=1)), (2, 7, 3)),
    case(spec(L.SpectralNorm, spec(L.ConvTranspose1d, 3, 2, 3, stride=2)), (2, 5, 3)),
    case(spec(L.EqualizedLR, spec(L.Dense, 4, 3), gain=2.0, lr_multiplier=0.1), (5, 4)),
    case(spec(L.EqualizedLR, spec(L.Dense, 3, 2, bias=False)), (2, 3, 3)),
    case(spec(L.EqualizedLR, spec(L.Conv2d, 2, 3, 3, stride=2, padding=1)), (2, 5, 4, 2)),
    case(spec(L.PixelNorm), (3, 5)),
    case(spec(L.PixelNorm, eps=0.1), (1, 3, 2, 4)),
    case(spec(L.AddNoise), (2, 3, 5, 4), (2, 3, 5, 1)),
    case(spec(L.AddNoise), (1, 1, 3, 1), (1, 1, 3, 1)),
    case(spec(L.ModulatedConv2d, 3, 4, 3), (2, 5, 4, 3), (2, 3)),
    case(spec(L.ModulatedConv2d, 2, 3, 5, gain=1.5, eps=0.1), (3, 3, 2, 2), (3, 2)),
    case(spec(L.ModulatedConv2d, 1, 1, 1, eps=0.5), (1, 2, 3, 1), (1, 1)),
    case(spec(L.ModulatedConv2d, 4, 3, 1, demodulate=False), (2, 3, 3, 4), (2, 4)),
    case(spec(L.SelfAttention, 8), (2, 4, 5, 8)),
    case(spec(L.SelfAttention, 16, spectral_norm=True), (1, 2, 3, 16)),
    case(spec(L.GRU, 4, 3), (2, 5, 4), second=False),
    case(spec(L.GRU, 1, 1), (1, 1, 1), second=False),
    case(spec(L.GRU, 3, 2), (6, 2, 3), (6,), integers=(1,), second=False),
    case(spec(L.LSTM, 4, 3), (2, 5, 4), second=False),
    case(spec(L.LSTM, 1, 1), (1, 1, 1), second=False),
    case(spec(L.Highway, 4), (5, 4)),
    case(spec(L.Highway, 2), (2, 3, 2)),
    case(spec(L.RecurrentEncoder, 3, 2, 4), (5, 3), integers=(0,), second=False),
    case(spec(L.ConvolutionalEncoder, 3, 2, 4), (5, 3), integers=(0,), second=False),
    case(spec(L.Identity), (3, 5)),
    case(spec(L.Reshape, 5, 3, 2), (3, 30)),
    case(spec(L.Reshape, 6), (1, 3, 2)),
    case(spec(L.Flatten), (2, 3, 5, 1)),
    case(spec(L.Upsample), (2, 3, 5, 3)),
    case(spec(L.Upsample, scale_factor=(3, 1)), (1, 1, 3, 1)),
    case(spec(L.Upsample, mode="bilinear"), (2, 3, 5, 3)),
    case(spec(L.Upsample, scale_factor=(3, 5), mode="bilinear"), (1, 5, 1, 1)),
    case(spec(L.ReflectionPad2d, 3), (2, 4, 5, 3)),
    case(spec(L.ReflectionPad2d, (2, 0, 1, 4)), (1, 5, 3, 1)),
    case(spec(L.ReflectionPad2d, 0), (2, 1, 1, 2)),
    case(spec(L.Scale, 0.2), (2, 3, 5, 4)),
    case(spec(L.Scale, -3.0), (1, 5)),
    case(spec(L.PixelShuffle, 2), (2, 3, 5, 8)),
    case(spec(L.PixelShuffle, 3), (1, 1, 2, 9)),
    case(spec(L.AvgPool2d, 2), (2, 5, 7, 3)),
    case(spec(L.AvgPool2d, (3, 2), stride=(1, 3), padding=(1, 0)), (1, 5, 8, 1)),
    case(spec(L.AvgPool2d, 2, stride=3, padding=1), (2, 5, 6, 2)),
    case(spec(L.MaxPool2d, 2), (2, 5, 7, 3)),
    case(spec(L.MaxPool2d, 3, stride=1, padding=1), (1, 5, 3, 1)),
    case(spec(L.MaxPool2d, (2, 3), stride=3, padding=(1, 0)), (2, 5, 9, 2)),
    case(spec(L.GlobalAvgPool), (2, 5, 3, 4)),
    case(spec(L.GlobalAvgPool), (1, 7, 1)),
    case(spec(L.GlobalSumPool), (2, 5, 3, 4)),
    case(spec(L.GlobalSumPool), (1, 7, 1)),
    case(spec(L.GlobalMaxPool), (2, 5, 3, 4)),
    case(spec(L.GlobalMaxPool), (1, 7, 1)),
    case(spec(L.Dropout), (4, 5)),
    case(spec(L.Dropout, 0.2), (2, 3, 5, 1)),
    case(spec(L.Dropout, 0.5), (4, 5), train=False),
    case(spec(L.Dropout, 0.0), (4, 5)),
    case(spec(L.GaussianNoise), (4, 5)),
    case(spec(L.GaussianNoise, 0.7), (2, 3, 5, 1)),
    case(spec(L.GaussianNoise, 0.5), (4, 5), train=False),
    case(spec(L.GaussianNoise, 0.0), (4, 5)),
    case(spec(L.ChannelwiseDense, 4, 6), (3, 2, 3, 4)),
    case(spec(L.ChannelwiseDense, 1, 5), (1, 5, 1, 1)),
    case(spec(L.Columns, 1, 3), (3, 5, 4)),
    case(spec(L.Columns, 0, 1), (1, 1)),
    case(spec(L.InnerProduct), (4, 6)),
    case(spec(L.InnerProduct), (1, 3, 2)),
    case(spec(L.LogSumExp), (4, 5)),
    case(spec(L.LogSumExp), (1, 3, 1)),
    case(spec(L.Sequential, spec(L.Dense, 3, 5), spec(L.Tanh), spec(L.Dense, 5, 2)), (4, 3)),
    case(spec(L.Residual, spec(L.Sequential, spec(L.Dense, 3, 3), spec(L.Sigmoid))), (4, 3)),
    case(spec(L.Residual, spec(L.ReLU), spec(L.Tanh)), (1, 1)),
    case(spec(L.Concat, spec(L.Tanh), spec(L.Dense, 3, 2), spec(L.Identity)), (2, 5, 3)),
    case(spec(L.Parallel, spec(L.Tanh), spec(L.Dense, 3, 2)), (4, 2), (4, 3)),
    case(spec(L.Parallel, spec(L.Dense, 3, 2), spec(L.Identity)), (4, 3), (4, 1)),
    case(
        spec(L.Parallel, spec(L.Embedding, 3, 2), spec(L.Tanh)),
        (4,),
        (4, 3),
        integers=(0,),
        second=False,
    ),
    case(
        spec(
            L.ReconstructionError,
            spec(L.Sequential, spec(L.Dense, 5, 3), spec(L.Tanh)),
            spec(L.Dense, 3, 5),
        ),
        (4, 5),
    ),
    case(
        spec(
            L.ReconstructionError,
            spec(L.Conv2d, 2, 3, 3, padding=1),
            spec(L.Sequential, spec(L.Softplus), spec(L.Conv2d, 3, 2, 1)),
            power=1,
        ),
        (2, 3, 4, 2),
    ),
    case(spec(L.JoinCondition, 3), (2, 5, 4, 2), (2, 3)),
    case(spec(L.JoinCondition, 3, spec(L.Dense, 3, 2)), (4, 5), (4, 3)),
    case(
        spec(
            L.JoinCondition,
            3,
            spec(L.Sequential, spec(L.Dense, 3, 12), spec(L.Reshape, 3, 2, 2)),
        ),
        (2, 3, 2, 4),
        (2, 3),
    ),
    case(spec(L.JoinCondition, 10, spec(L.Reshape, 5, 2)), (3, 5, 4), (3, 10)),
    case(spec(L.Modulation, 2, 3), (2, 5, 4, 2), (2, 3)),
    case(spec(L.Modulation, 1, 1, bias=False), (3, 1), (3, 1)),
    case(spec(L.ConditionalBatchNorm, 2, 3), (2, 5, 4, 2), (2, 3)),
    case(spec(L.ConditionalBatchNorm, 3, 2), (5, 3), (5, 2), train=False),
    case(spec(L.AdaIN, 2, 3, eps=0.1), (2, 5, 4, 2), (2, 3)),
    case(spec(L.Projection, 4, 3), (5, 4), (5, 3)),
    case(spec(L.Projection, 1, 2), (1, 1), (1, 2)),
    case(
        spec(L.ConditionalConcat, spec(L.Tanh), spec(L.Modulation, 3, 2), spec(L.Dense, 3, 1)),
        (4, 3),
        (4, 2),
    ),
    case(CONDITIONAL_CRITIC, (3, 5, 6, 2), (3, 3)),
    case(CONDITIONAL_GENERATOR, (4, 2), (4, 4)),
    case(CONDITIONAL_GENERATOR, (1, 2), (1, 4), train=False),
    case(CRITIC, (3, 11, 10, 2)),
    case(WATCHFUL_CRITIC, (4, 6, 5, 2)),
    case(RESIDUAL_NET, (3, 5, 7, 2)),
    case(RESIDUAL_NET, (1, 5, 5, 2), train=False),
    case(U_NET, (3, 8, 12, 2)),
    case(TWO_INPUTS, (5, 3), (5, 5, 3, 2)),
    case(TWO_INPUTS, (1, 3), (1, 3, 3, 2), train=False),
    case(CONDITIONED, (4,), (4, 5), integers=(0,), second=False),
]
CONSTANT = [
    replace(c, constant=True)
    for c in VARIED
    # Where all places are alike, the gradients of keys and queries vanish but for rounding.
    if not c.integers and not issubclass(c.spec.kind, (*CONTAINERS, L.SelfAttention))
]
CASES = VARIED + CONSTANT


def non_contiguous(a: Array) -> dict[str, Array]:
    """The same numbers in other memory: column order, every second number, backwards."""
    wide = np.zeros((*a.shape[:-1], 2 * a.shape[-1]), a.dtype)
    wide[..., ::2] = a
    return {
        "column order": np.asfortranarray(a),
        "strided": wide[..., ::2],
        "reversed": np.flip(np.ascontiguousarray(np.flip(a))),
    }
