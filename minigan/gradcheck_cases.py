"""What `minigan gradcheck` checks: every layer, loss and network, each at an awkward small shape.

A test fails when a public layer, an objective or a network is missing here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from minigan import layers as L
from minigan import losses, models
from minigan.backend import Array, make_rng
from minigan.gradcheck import Result, check_layer, check_loss
from minigan.losses.energy import Equilibrium, pulling_away
from minigan.losses.fdivergence import DIVERGENCES, FGAN
from minigan.losses.least_squares import LeastSquares
from minigan.losses.orthogonal import OrthogonalRegularization
from minigan.losses.path_length import PathLength
from minigan.losses.penalties import Penalty

Rng = np.random.Generator


@dataclass(frozen=True, slots=True)
class Case:
    """One row of the table: `check(rng)` gives the results or raises GradcheckError."""

    kind: str  # "layer", "loss" or "network"
    name: str
    check: Callable[[Rng], list[Result]]


def _layer(
    build: Callable[[Rng], L.Layer],
    *shapes: tuple[int, ...],
    orders: tuple[int, ...] = (1, 2),
    exhaustive: bool = True,
) -> Callable[[Rng], list[Result]]:
    def check(rng: Rng) -> list[Result]:
        layer = build(rng).astype(np.float64)
        for p in layer.params.values():  # away from zeros and ones, which hide mistakes
            p.data += 0.1 * rng.standard_normal(p.shape)
        xs = [rng.standard_normal(shape) for shape in shapes]
        return check_layer(layer, *xs, rng=rng, orders=orders, exhaustive=exhaustive)

    return check


def _network(
    build: Callable[[Rng], L.Layer], *shapes: tuple[int, ...]
) -> Callable[[Rng], list[Result]]:
    return _layer(build, *shapes, exhaustive=False)


def _embedding(rng: Rng) -> list[Result]:
    layer = L.Embedding(4, 3, rng=rng).astype(np.float64)
    return check_layer(layer, np.array([[0, 3], [3, 1]]), rng=rng, orders=(1,), exhaustive=True)


def _on_words(encoder: Callable[..., L.Layer]) -> Callable[[Rng], list[Result]]:
    """An encoder of text, on captions of unlike lengths."""

    def check(rng: Rng) -> list[Result]:
        layer = encoder(4, 3, 2, rng=rng).astype(np.float64)
        layer.flat.load(layer.flat.data + 0.1 * rng.standard_normal(layer.flat.size))
        text = np.array([[1, 3, 0, 0], [2, 3, 1, 1], [3, 0, 0, 0]])
        return check_layer(layer, text, rng=rng, orders=(1,), exhaustive=True)

    return check


def _lengths(rng: Rng) -> list[Result]:
    layer = L.GRU(2, 3, rng=rng).astype(np.float64)
    xs = rng.standard_normal((3, 4, 2)), np.array([4, 1, 2])
    return check_layer(layer, *xs, rng=rng, orders=(1,), exhaustive=True)


def _objective(objective: losses.Objective) -> Callable[[Rng], list[Result]]:
    def check(rng: Rng) -> list[Result]:
        real, fake = rng.standard_normal((5, 1)), rng.standard_normal((5, 1))

        def generator(fake: Array) -> tuple[float, Array]:
            return objective.generator(fake, real)

        return [
            *check_loss(objective.discriminator, real, fake, rng=rng),
            *check_loss(generator, fake, rng=rng),
        ]

    return check


def _weighted_nll(rng: Rng) -> list[Result]:
    tokens, weights = rng.integers(4, size=(2, 3)), rng.standard_normal((2, 3))
    return check_loss(
        lambda logits: losses.weighted_nll(logits, tokens, weights),
        rng.standard_normal((2, 3, 4)),
        rng=rng,
    )


def _tokens(build: Callable[[Rng], L.Layer]) -> Callable[[Rng], list[Result]]:
    """A network of sentences of 5 tokens, of 6 words."""

    def check(rng: Rng) -> list[Result]:
        net = build(rng).astype(np.float64)
        net.flat.load(net.flat.data + 0.3 * rng.standard_normal(net.flat.size))
        return check_layer(net, rng.integers(6, size=(3, 5)), rng=rng, orders=(1,))

    return check


def _match_means(rng: Rng) -> list[Result]:
    real = rng.standard_normal((5, 3))
    return check_loss(
        lambda fake: losses.match_means(fake, real), rng.standard_normal((4, 3)), rng=rng
    )


def _cross_entropy(rng: Rng) -> list[Result]:
    labels = np.array([0, 2, 2, 1])

    def loss(logits: Array) -> tuple[float, Array]:
        return losses.cross_entropy(logits, labels)

    return check_loss(loss, rng.standard_normal((4, 3)), rng=rng)


def _spread_nll(rng: Rng) -> list[Result]:
    mu, log_var, code = rng.standard_normal((3, 4, 2))
    return check_loss(lambda m, v: losses.spread_nll(m, v, code), mu, log_var, rng=rng)


def _reconstruction(nll: Callable[..., tuple[float, Array]]) -> Callable[[Rng], list[Result]]:
    def check(rng: Rng) -> list[Result]:
        x = np.tanh(rng.standard_normal((3, 2, 2, 1)))
        return check_loss(lambda y: nll(y, x), rng.standard_normal(x.shape), rng=rng)

    return check


def _edges(alpha: int) -> Callable[[Rng], list[Result]]:
    """The gradient difference loss, on pictures with unlike numbers of rows and columns."""

    def check(rng: Rng) -> list[Result]:
        x = np.tanh(rng.standard_normal((2, 3, 4, 2)))
        return check_loss(
            lambda y: losses.gradient_difference(y, x, alpha=alpha),
            rng.standard_normal(x.shape),
            rng=rng,
        )

    return check


def _pairwise(rng: Rng) -> list[Result]:
    x, mask = np.tanh(rng.standard_normal((2, 3, 4, 2))), rng.integers(2, size=(2, 3, 4, 1))
    return check_loss(
        lambda y: losses.masked_pairwise_error(y, x, mask), rng.standard_normal(x.shape), rng=rng
    )


def _evaluating(rng: Rng) -> list[Result]:
    """Batch norm out of training: the statistics are constants."""
    layer = Frozen(L.BatchNorm(3)).astype(np.float64)
    return check_layer(layer, rng.standard_normal((4, 3)), rng=rng, exhaustive=True)


class Frozen(L.Sequential):
    """Its layers, always out of training."""

    def forward(
        self, *xs: Array, train: bool = True, update_stats: bool = True
    ) -> tuple[Array, list[Any]]:
        return super().forward(*xs, train=False, update_stats=False)


def _began(k: float) -> Equilibrium:
    objective = Equilibrium()
    objective.k[...] = k
    return objective


def _penalty(penalty: Penalty) -> Callable[[Rng], list[Result]]:
    """The penalty as a function of the weights of a critic with every kind of curvature."""

    def check(rng: Rng) -> list[Result]:
        D = L.Sequential(
            L.Conv2d(2, 3, 3, stride=2, padding=1, rng=rng),
            L.LayerNorm((2, 2, 3)),
            L.Softplus(),
            L.Flatten(),
            L.Dense(12, 1, rng=rng),
        ).astype(np.float64)
        real, fake = rng.standard_normal((2, 3, 4, 3, 2))
        D.flat.load(D.flat.data + 0.3 * rng.standard_normal(D.flat.size))

        def loss(weights: Array) -> tuple[float, Array]:
            D.flat.load(weights)
            D.flat.zero_grad()
            value = penalty(D, real, fake, make_rng(0))
            return value, D.flat.grad.copy()

        return check_loss(loss, D.flat.data.copy(), rng=rng)

    return check


def _orthogonal(rng: Rng) -> list[Result]:
    net = L.Sequential(L.Dense(4, 3, rng=rng), L.Conv2d(2, 3, 2, rng=rng)).astype(np.float64)
    term = OrthogonalRegularization(0.3)

    def loss(weights: Array) -> tuple[float, Array]:
        net.flat.load(weights)
        net.flat.zero_grad()
        return term(net), net.flat.grad.copy()

    return check_loss(loss, net.flat.data.copy(), rng=rng)


def _path_length(rng: Rng) -> list[Result]:
    """In every weight of a synthesis network, and in the styles; the mean length counts as held."""
    G = models.stylegan_generator(3, (8, 8, 1), width=1, w_dim=3, rng=rng).astype(np.float64)
    net = G.synthesis
    ws = 0.3 * rng.standard_normal((2, net.styles, 3))
    noise, y = rng.standard_normal((2, net.pixels)), rng.standard_normal((2, 8, 8, 1)) / 8
    term = PathLength(decay=1e-30, like=ws)

    def loss(weights: Array, ws: Array) -> tuple[float, Array, Array]:
        G.flat.load(weights)
        G.flat.zero_grad()
        _, ctx = net.forward(ws, noise)
        value, dws = term(net, ctx, y)
        return value, G.flat.grad.copy(), dws

    return check_loss(loss, G.flat.data.copy(), ws, rng=rng, exhaustive=False)


LAYERS: dict[str, Callable[[Rng], list[Result]]] = {
    "Dense": _layer(lambda r: L.Dense(3, 4, rng=r), (5, 3)),
    "Embedding": _embedding,
    "Conv2d": _layer(
        lambda r: L.Conv2d(2, 3, (3, 2), stride=2, padding=1, dilation=(1, 2), rng=r), (2, 5, 6, 2)
    ),
    "ConvTranspose2d": _layer(
        lambda r: L.ConvTranspose2d(2, 3, 3, stride=2, padding=1, output_padding=1, rng=r),
        (2, 2, 3, 2),
    ),
    "Conv1d": _layer(lambda r: L.Conv1d(2, 3, 3, stride=2, padding=1, rng=r), (2, 7, 2)),
    "ConvTranspose1d": _layer(
        lambda r: L.ConvTranspose1d(2, 3, 4, stride=2, padding=1, rng=r), (2, 3, 2)
    ),
    "BatchNorm": _layer(lambda r: L.BatchNorm(3), (2, 2, 3, 3)),
    "BatchNorm (evaluating)": _evaluating,
    "InstanceNorm": _layer(lambda r: L.InstanceNorm(2, affine=True), (2, 3, 3, 2)),
    "LayerNorm": _layer(lambda r: L.LayerNorm((3, 2)), (2, 3, 3, 2)),
    "GroupNorm": _layer(lambda r: L.GroupNorm(2, 4), (2, 3, 2, 4)),
    "ReLU": _layer(lambda r: L.ReLU(), (3, 4)),
    "LeakyReLU": _layer(lambda r: L.LeakyReLU(negative_slope=0.2), (3, 4)),
    "PReLU": _layer(lambda r: L.PReLU(), (2, 3, 4)),
    "PReLU (each channel)": _layer(lambda r: L.PReLU(3), (2, 4, 3)),
    "ELU": _layer(lambda r: L.ELU(alpha=0.7), (3, 4)),
    "Tanh": _layer(lambda r: L.Tanh(), (3, 4)),
    "Hardtanh": _layer(lambda r: L.Hardtanh(min_val=-0.7, max_val=0.9), (3, 4)),
    "Sigmoid": _layer(lambda r: L.Sigmoid(), (3, 4)),
    "Softplus": _layer(lambda r: L.Softplus(beta=1.5), (3, 4)),
    "Maxout": _layer(lambda r: L.Maxout(3), (4, 6)),
    "Dropout": _layer(lambda r: L.Dropout(0.4, rng=r), (4, 5)),
    "GaussianNoise": _layer(lambda r: L.GaussianNoise(0.4, rng=r), (4, 5)),
    "MinibatchDiscrimination": _layer(
        lambda r: L.MinibatchDiscrimination(3, 2, kernel_dim=2, rng=r), (4, 3)
    ),
    "MinibatchStdDev": _layer(lambda r: L.MinibatchStdDev(), (3, 2, 2, 2)),
    "MinibatchStdDev (groups)": _layer(lambda r: L.MinibatchStdDev(group_size=3), (6, 2)),
    "VirtualBatchNorm": _layer(lambda r: L.VirtualBatchNorm(2, 3), (5, 2, 2, 2)),
    "ReferenceBatch (virtual)": _layer(
        lambda r: L.ReferenceBatch(
            L.Sequential(L.Dense(3, 4, rng=r), L.VirtualBatchNorm(4, 3), L.Tanh()),
            r.standard_normal((3, 3)),
        ),
        (2, 3),
    ),
    "ReferenceBatch (batch norm)": _layer(
        lambda r: L.ReferenceBatch(
            L.Sequential(L.BatchNorm(3), L.Dense(3, 4, rng=r)), r.standard_normal((3, 3))
        ),
        (2, 3),
    ),
    "EqualizedLR (dense)": _layer(
        lambda r: L.EqualizedLR(L.Dense(3, 4, rng=r), lr_multiplier=0.1, rng=r), (5, 3)
    ),
    "EqualizedLR (convolution)": _layer(
        lambda r: L.EqualizedLR(L.Conv2d(2, 3, 3, padding=1, rng=r), gain=1.4, rng=r),
        (2, 3, 4, 2),
    ),
    "PixelNorm": _layer(lambda r: L.PixelNorm(), (3, 2, 4)),
    "AddNoise": _layer(lambda r: L.AddNoise(), (2, 3, 2, 4), (2, 3, 2, 1)),
    "ModulatedConv2d": _layer(
        lambda r: L.ModulatedConv2d(3, 2, 3, gain=1.4, rng=r), (2, 3, 4, 3), (2, 3)
    ),
    "ModulatedConv2d (not demodulated)": _layer(
        lambda r: L.ModulatedConv2d(3, 2, 1, demodulate=False, rng=r), (2, 2, 3, 3), (2, 3)
    ),
    "SelfAttention": _layer(lambda r: L.SelfAttention(8, rng=r), (2, 4, 3, 8)),
    "SelfAttention (spectral norm)": _layer(
        lambda r: L.SelfAttention(8, spectral_norm=True, rng=r), (1, 4, 5, 8)
    ),
    "Pack": _layer(lambda r: L.Pack(2), (4, 2, 3, 2)),
    "SpectralNorm (dense)": _layer(lambda r: L.SpectralNorm(L.Dense(3, 4, rng=r), rng=r), (5, 3)),
    "SpectralNorm (convolution)": _layer(
        lambda r: L.SpectralNorm(L.Conv2d(2, 3, 3, stride=2, padding=1, rng=r), rng=r),
        (2, 4, 5, 2),
    ),
    "SpectralNorm (transposed)": _layer(
        lambda r: L.SpectralNorm(L.ConvTranspose2d(2, 3, 3, stride=2, rng=r), rng=r), (2, 2, 3, 2)
    ),
    "Identity": _layer(lambda r: L.Identity(), (2, 3)),
    "Reshape": _layer(lambda r: L.Reshape(3, 2), (2, 6)),
    "Flatten": _layer(lambda r: L.Flatten(), (2, 3, 2)),
    "Upsample (nearest)": _layer(lambda r: L.Upsample(scale_factor=(2, 3)), (2, 2, 3, 2)),
    "Upsample (bilinear)": _layer(
        lambda r: L.Upsample(scale_factor=(2, 3), mode="bilinear"), (2, 2, 3, 2)
    ),
    "ReflectionPad2d": _layer(lambda r: L.ReflectionPad2d((2, 1, 0, 3)), (2, 4, 3, 2)),
    "Scale": _layer(lambda r: L.Scale(-0.3), (2, 3, 4)),
    "PixelShuffle": _layer(lambda r: L.PixelShuffle(2), (2, 2, 3, 8)),
    "AvgPool2d": _layer(lambda r: L.AvgPool2d(3, stride=2, padding=1), (2, 5, 4, 2)),
    "MaxPool2d": _layer(lambda r: L.MaxPool2d(3, stride=2, padding=1), (2, 5, 4, 2)),
    "GlobalAvgPool": _layer(lambda r: L.GlobalAvgPool(), (2, 3, 2, 2)),
    "GlobalSumPool": _layer(lambda r: L.GlobalSumPool(), (2, 3, 2, 2)),
    "GlobalMaxPool": _layer(lambda r: L.GlobalMaxPool(), (2, 3, 2, 2)),
    "GRU": _layer(lambda r: L.GRU(2, 3, rng=r), (2, 3, 2), orders=(1,)),
    "GRU (lengths)": _lengths,
    "LSTM": _layer(lambda r: L.LSTM(2, 3, rng=r), (2, 3, 2), orders=(1,)),
    "Highway": _layer(lambda r: L.Highway(3, rng=r), (4, 3)),
    "RecurrentEncoder": _on_words(L.RecurrentEncoder),
    "ConvolutionalEncoder": _on_words(L.ConvolutionalEncoder),
    "ChannelwiseDense": _layer(lambda r: L.ChannelwiseDense(3, 6, rng=r), (4, 2, 3, 3)),
    "Columns": _layer(lambda r: L.Columns(1, 3), (2, 3, 4)),
    "InnerProduct": _layer(lambda r: L.InnerProduct(), (3, 4)),
    "LogSumExp": _layer(lambda r: L.LogSumExp(), (3, 4)),
    "Sequential": _layer(
        lambda r: L.Sequential(
            L.Dense(3, 6, rng=r), L.BatchNorm(6), L.Tanh(), L.Dense(6, 2, rng=r), L.Softplus()
        ),
        (4, 3),
    ),
    "Residual": _layer(
        lambda r: L.Residual(
            L.Sequential(L.Dense(3, 4, rng=r), L.Tanh()), L.Dense(3, 4, bias=False, rng=r)
        ),
        (4, 3),
    ),
    "ReconstructionError": _layer(
        lambda r: L.ReconstructionError(
            L.Sequential(L.Dense(3, 2, rng=r), L.Tanh()), L.Dense(2, 3, rng=r)
        ),
        (4, 3),
    ),
    "ReconstructionError (power 1)": _layer(
        lambda r: L.ReconstructionError(
            L.Sequential(L.Dense(3, 2, rng=r), L.Tanh()), L.Dense(2, 3, rng=r), power=1
        ),
        (4, 3),
    ),
    "Concat": _layer(
        lambda r: L.Concat(L.Identity(), L.Sequential(L.Tanh(), L.Dense(3, 2, rng=r))), (4, 3)
    ),
    "JoinCondition (place by place)": _layer(
        lambda r: L.JoinCondition(6, L.Reshape(3, 2)), (2, 3, 2), (2, 6)
    ),
    "JoinCondition": _layer(
        lambda r: L.JoinCondition(3, L.Dense(3, 2, rng=r)), (2, 2, 3, 2), (2, 3)
    ),
    "Modulation": _layer(lambda r: L.Modulation(2, 3, rng=r), (2, 2, 3, 2), (2, 3)),
    "ConditionalBatchNorm": _layer(
        lambda r: L.ConditionalBatchNorm(2, 3, rng=r), (2, 2, 3, 2), (2, 3)
    ),
    "AdaIN": _layer(lambda r: L.AdaIN(2, 3, rng=r), (2, 2, 3, 2), (2, 3)),
    "Projection": _layer(lambda r: L.Projection(3, 2, rng=r), (4, 3), (4, 2)),
    "Embedded": _layer(
        lambda r: L.Embedded(
            L.Sequential(L.Dense(2, 3, rng=r), L.Tanh()),
            L.ConditionalSequential(L.Dense(2, 3, rng=r), L.Modulation(3, 3, rng=r), L.Softplus()),
        ),
        (3, 2),
        (3, 2),
    ),
    "ConditionalSequential": _layer(
        lambda r: L.ConditionalSequential(
            L.JoinCondition(2), L.Dense(5, 4, rng=r), L.Tanh(), L.Projection(4, 2, rng=r)
        ),
        (3, 3),
        (3, 2),
    ),
    "ConditionalConcat": _layer(
        lambda r: L.ConditionalConcat(L.Tanh(), L.Projection(3, 2, rng=r)), (4, 3), (4, 2)
    ),
    "Parallel": _layer(
        lambda r: L.Sequential(
            L.Parallel(L.Dense(3, 2, rng=r), L.Sequential(L.Dense(2, 2, rng=r), L.Tanh())),
            L.Dense(4, 2, rng=r),
            L.Sigmoid(),
        ),
        (4, 3),
        (4, 2),
    ),
}

LOSSES: dict[str, Callable[[Rng], list[Result]]] = {
    **{name: _objective(objective()) for name, objective in losses.OBJECTIVES.items()},
    "lsgan (-1, 1, 0)": _objective(LeastSquares(a=-1, b=1, c=0)),
    "non-saturating (smoothed labels)": _objective(losses.NonSaturating(label_smoothing=0.1)),
    "began (k = 0.4)": _objective(_began(0.4)),
    **{
        f"f-gan ({name}{', trick' * trick})": _objective(FGAN(divergence=name, trick=trick))
        for name in DIVERGENCES
        for trick in (False, True)
    },
    "f-gan (weighted-jensen-shannon, pi = 0.2)": _objective(
        FGAN(divergence="weighted-jensen-shannon", pi=0.2)
    ),
    "pulling_away": lambda rng: check_loss(pulling_away, rng.standard_normal((4, 2, 3)), rng=rng),
    **{f"penalty {name}": _penalty(penalty()) for name, penalty in losses.PENALTIES.items()},
    "cross_entropy": _cross_entropy,
    "categorical_nlls": lambda rng: check_loss(
        lambda logits: losses.categorical_nlls(
            logits, np.eye(5)[[0, 2, 1]] + np.eye(5)[[4, 3, 3]], [3, 2]
        ),
        rng.standard_normal((3, 5)),
        rng=rng,
    ),
    "categorical_nll": lambda rng: check_loss(
        lambda logits: losses.categorical_nll(logits, np.eye(3)[[0, 2, 2, 1]]),
        rng.standard_normal((4, 3)),
        rng=rng,
    ),
    "spread_nll": _spread_nll,
    "weighted_nll": _weighted_nll,
    "match_means": _match_means,
    "orthogonal": _orthogonal,
    "path_length": _path_length,
    "squared_error": _reconstruction(losses.squared_error),
    "absolute_error": _reconstruction(losses.absolute_error),
    "mean_absolute_error": _reconstruction(losses.mean_absolute_error),
    "mean_squared_error": _reconstruction(losses.mean_squared_error),
    **{f"gradient_difference (alpha = {alpha})": _edges(alpha) for alpha in (1, 2)},
    "masked_pairwise_error": _pairwise,
    "gaussian_nll": _reconstruction(partial(losses.gaussian_nll, scale=0.3)),
    "laplace_nll": _reconstruction(partial(losses.laplace_nll, scale=0.3)),
    "bernoulli_nll": _reconstruction(losses.bernoulli_nll),
    "kl_of_unit_variance": lambda r: check_loss(
        losses.kl_of_unit_variance, r.standard_normal((2, 3, 2, 2)), rng=r
    ),
    "kl_to_standard_normal": lambda r: check_loss(
        losses.kl_to_standard_normal, r.standard_normal((4, 3)), r.standard_normal((4, 3)), rng=r
    ),
}

NETWORKS: dict[str, Callable[[Rng], list[Result]]] = {
    "mlp_generator": _network(
        lambda r: models.mlp_generator(5, (4, 3, 1), hidden=(8, 8), rng=r), (6, 5)
    ),
    "sentence_generator": _tokens(
        lambda r: models.sentence_generator(6, embedding=3, hidden=4, rng=r)
    ),
    "sentence_discriminator": _tokens(
        lambda r: models.sentence_discriminator(
            6, 5, embedding=3, windows=(1, 2, 4), filters=(2, 1, 3), rng=r
        )
    ),
    "mlp_discriminator": _network(
        lambda r: models.mlp_discriminator((4, 3, 1), hidden=(8, 8), dropout=0.3, rng=r),
        (6, 4, 3, 1),
    ),
    **{
        f"conditional_dcgan_generator ({sees})": _network(
            lambda r, sees=sees: models.conditional_dcgan_generator(  # type: ignore[misc]
                3, 2, (8, 12, 1), width=3, sees=sees, rng=r
            ),
            (3, 3),
            (3, 2),
        )
        for sees in models.conditional.GENERATORS
    },
    **{
        f"conditional_dcgan_discriminator ({sees})": _network(
            lambda r, sees=sees: models.conditional_dcgan_discriminator(  # type: ignore[misc]
                (8, 12, 1), 2, width=3, sees=sees, rng=r
            ),
            (3, 8, 12, 1),
            (3, 2),
        )
        for sees in models.conditional.DISCRIMINATORS
    },
    "conditional_mlp_generator": _network(
        lambda r: models.conditional_mlp_generator(3, 2, (4, 3, 1), units=(4, 5), hidden=6, rng=r),
        (5, 3),
        (5, 2),
    ),
    "conditional_mlp_discriminator": _network(
        lambda r: models.conditional_mlp_discriminator(
            (4, 3, 1), 2, units=(4, 3), hidden=5, dropout=0.3, rng=r
        ),
        (5, 4, 3, 1),
        (5, 2),
    ),
    "began_encoder": _network(
        lambda r: models.began_encoder((16, 8, 1), 3, width=2, rng=r), (3, 16, 8, 1)
    ),
    "began_decoder": _network(
        lambda r: models.began_decoder(3, (16, 8, 1), width=2, rng=r), (3, 3)
    ),
    "dcgan_generator": _network(
        lambda r: models.dcgan_generator(6, (16, 24, 3), width=4, rng=r), (4, 6)
    ),
    "dcgan_discriminator": _network(
        lambda r: models.dcgan_discriminator((16, 24, 3), width=4, rng=r), (4, 16, 24, 3)
    ),
    "mlp_encoder": _network(
        lambda r: models.mlp_encoder((4, 3, 1), 6, hidden=(8, 7), rng=r), (5, 4, 3, 1)
    ),
    "mlp_decoder": _network(
        lambda r: models.mlp_decoder(5, (4, 3, 1), hidden=(8, 7), batch_norm=True, rng=r), (6, 5)
    ),
    "dense_discriminator": _network(
        lambda r: models.dense_discriminator((5,), hidden=(8, 7), rng=r), (6, 5)
    ),
    "mlp_joint_discriminator": _network(
        lambda r: models.mlp_joint_discriminator((4, 3, 1), 5, hidden=(8, 7), rng=r),
        (6, 4, 3, 1),
        (6, 5),
    ),
    "conv_encoder": _network(
        lambda r: models.conv_encoder((16, 24, 3), 6, width=4, rng=r), (4, 16, 24, 3)
    ),
    "conv_decoder": _network(
        lambda r: models.conv_decoder(6, (8, 12, 3), width=4, bounded=False, rng=r), (4, 6)
    ),
    "classifying_discriminator": _network(
        lambda r: models.classifying_discriminator(
            models.dense_discriminator((4, 3, 1), hidden=(8, 7), rng=r), 3, rng=r
        ),
        (6, 4, 3, 1),
    ),
    "recognising_discriminator": _network(
        lambda r: models.recognising_discriminator(
            models.dcgan_discriminator((8, 12, 1), width=2, rng=r), 5, units=4, rng=r
        ),
        (4, 8, 12, 1),
    ),
    "recognising_discriminator (both heads)": _network(
        lambda r: models.recognising_discriminator(
            models.dense_discriminator((5,), hidden=(8, 7), rng=r), 4, units=4, rng=r
        ).layers[0],
        (6, 5),
    ),
    "coupled_generator": _network(
        lambda r: models.coupled_generator(
            models.dcgan_generator(5, (8, 8, 1), width=2, rng=r),
            models.dcgan_generator(5, (8, 8, 3), width=2, rng=r),
            own=1,
        ),
        (4, 5),
    ),
    "coupled_discriminator": _network(
        lambda r: models.coupled_discriminator(
            models.dcgan_discriminator((16, 8, 1), width=2, rng=r),
            models.dcgan_discriminator((16, 8, 3), width=2, rng=r),
            (1, 3),
            own=1,
        ),
        (4, 16, 8, 4),
    ),
    "segan_generator": _network(
        lambda r: models.segan_generator(8, width=2, halvings=2, rng=r), (2, 8, 1), (2, 8)
    ),
    "segan_discriminator": _network(
        lambda r: models.segan_discriminator(
            8, width=2, halvings=2, reference=r.standard_normal((3, 8, 2)), rng=r
        ),
        (2, 8, 1),
        (2, 8, 1),
    ),
    "unet_generator": _network(
        lambda r: models.unet_generator((8, 16, 1), 3, width=3, halvings=3, rng=r), (2, 8, 16, 1)
    ),
    "unet_generator_of_z": _network(
        lambda r: models.unet_generator_of_z((8, 16, 1), 3, 2, width=3, halvings=3, rng=r),
        (2, 8, 16, 1),
        (2, 2),
    ),
    "pose_integrator": _network(
        lambda r: models.pose_integrator((4, 8, 3), 2, width=2, blocks=2, bottleneck=3, rng=r),
        (2, 4, 8, 3),
    ),
    "refiner": _network(
        lambda r: models.refiner((8, 8, 2), 1, width=2, blocks=4, rng=r), (2, 8, 8, 2)
    ),
    "pg2_generator": _network(
        lambda r: models.pg2_generator(
            models.pose_integrator((4, 8, 3), 1, width=2, blocks=2, bottleneck=3, rng=r),
            models.refiner((4, 8, 2), 1, width=2, blocks=2, rng=r),
            1,
        ),
        (2, 4, 8, 3),
    ),
    "residual_encoder": _network(
        lambda r: models.residual_encoder((24, 32, 1), 4, width=2, rng=r), (2, 24, 32, 1)
    ),
    "strided_encoder": _network(
        lambda r: models.strided_encoder((24, 32, 1), 4, width=2, rng=r), (2, 24, 32, 1)
    ),
    "dilated_generator": _network(
        lambda r: models.dilated_generator((8, 6, 2), 1, width=2, blocks=2, rng=r), (2, 8, 6, 2)
    ),
    "resnet_generator": _network(
        lambda r: models.resnet_generator((8, 12, 3), 1, width=2, blocks=1, rng=r), (2, 8, 12, 3)
    ),
    "stargan_generator": _network(
        lambda r: models.stargan_generator((8, 12, 3), 3, width=2, blocks=1, rng=r),
        (2, 8, 12, 3),
        (2, 3),
    ),
    "stargan_discriminator": _network(
        lambda r: models.stargan_discriminator((9, 13, 3), 5, width=2, halvings=2, rng=r),
        (2, 9, 13, 3),
    ),
    **{
        f"midinet_generator ({chords})": _network(
            lambda r, chords=chords: models.midinet_generator(  # type: ignore[misc]
                3, (8, 5, 1), chords=chords, width=4, conditioner=2, hidden=5, rng=r
            ),
            (6, 8, 5, 1),
            (6, 16),
        )
        for chords in models.midinet.CHORDS
    },
    **{
        f"midinet_discriminator ({chords})": _network(
            lambda r, chords=chords: models.midinet_discriminator(  # type: ignore[misc]
                (8, 5, 1), chords=chords, width=3, hidden=5, rng=r
            ),
            (6, 8, 5, 1),
            (6, 13),
        )
        for chords in models.midinet.CHORDS
    },
    "text_code": _network(lambda r: models.text_code(5, 3, rng=r), (6, 5)),
    "text_generator": _network(
        lambda r: models.text_generator(2, 4, (16, 8, 3), width=3, rng=r), (4, 2), (4, 4)
    ),
    "text_discriminator by projection": _network(
        lambda r: models.text_discriminator(5, (16, 8, 3), width=3, sees="projection", rng=r),
        (4, 5),
        (4, 16, 8, 3),
    ),
    "text_discriminator": _network(
        lambda r: models.text_discriminator(5, (16, 8, 3), width=3, code_dim=2, rng=r),
        (4, 5),
        (4, 16, 8, 3),
    ),
    "conditioning_augmentation": _network(
        lambda r: models.conditioning_augmentation(5, 3, rng=r), (6, 5)
    ),
    "refining_generator": _network(
        lambda r: models.refining_generator(2, (6, 4, 3), width=2, blocks=1, rng=r),
        (3, 2),
        (3, 6, 4, 3),
    ),
    "local_enhancer": _network(
        lambda r: models.local_enhancer((4, 8, 1), 3, width=4, blocks=1, rng=r),
        (2, 4, 8, 1),
        (2, 2, 4, 4),
    ),
    "frame_pyramid": _layer(
        lambda r: models.frame_pyramid((8, 12, 4), 2, width=2, scales=2, rng=r),
        (2, 8, 12, 4),
        orders=(1,),
        exhaustive=False,
    ),
    "frame_discriminator": _network(
        lambda r: models.frame_discriminator((9, 8, 1), beside=3, k=1, width=2, rng=r),
        (2, 9, 8, 3),
        (2, 9, 8, 1),
    ),
    "unit_encoder": _network(
        lambda r: models.unit_encoder((8, 12, 3), width=2, blocks=1, rng=r), (2, 8, 12, 3)
    ),
    "unit_decoder": _network(
        lambda r: models.unit_decoder((8, 12, 1), width=2, blocks=1, rng=r), (2, 2, 3, 8)
    ),
    "munit_content_encoder": _network(
        lambda r: models.munit_content_encoder((8, 12, 3), width=2, blocks=1, rng=r), (2, 8, 12, 3)
    ),
    "munit_style_encoder": _network(
        lambda r: models.munit_style_encoder((8, 12, 3), 2, width=2, rng=r), (2, 8, 12, 3)
    ),
    "munit_decoder": _network(
        lambda r: models.munit_decoder((8, 12, 1), 3, width=2, blocks=1, mlp_width=4, rng=r),
        (2, 2, 3, 8),
        (2, 3),
    ),
    "pixelda_generator": _network(
        lambda r: models.pixelda_generator((4, 5, 2), 2, 3, width=3, blocks=1, rng=r),
        (3, 4, 5, 2),
        (3, 3),
    ),
    "pixelda_discriminator": _network(
        lambda r: models.pixelda_discriminator((6, 9, 2), width=2, rng=r), (3, 6, 9, 2)
    ),
    "task_classifier": _network(
        lambda r: models.task_classifier((5, 4, 2), 3, rng=r), (2, 5, 4, 2)
    ),
    "context_encoder": _network(
        lambda r: models.context_encoder((16, 24, 2), (8, 12, 2), width=2, rng=r), (3, 16, 24, 2)
    ),
    "converter": _network(
        lambda r: models.converter((8, 12, 2), 3, code_dim=4, width=2, rng=r), (4, 8, 12, 2)
    ),
    "dcgan_pair_discriminator": _network(
        lambda r: models.dcgan_pair_discriminator((8, 12, 2), 1, width=2, rng=r),
        (3, 8, 12, 1),
        (3, 8, 12, 2),
    ),
    "deblurring_generator": _network(
        lambda r: models.deblurring_generator((8, 12, 2), width=2, blocks=1, rng=r), (2, 8, 12, 2)
    ),
    "srresnet": _network(lambda r: models.srresnet(2, width=2, blocks=2, rng=r), (2, 3, 2, 2)),
    "rrdbnet": _network(
        lambda r: models.rrdbnet(2, width=3, growth=2, blocks=1, rng=r), (2, 3, 2, 2)
    ),
    "srgan_discriminator": _network(
        lambda r: models.srgan_discriminator((8, 10, 2), width=2, rng=r), (3, 8, 10, 2)
    ),
    "patch_discriminator": _network(
        lambda r: models.patch_discriminator((9, 11, 2), beside=1, patch=16, width=3, rng=r),
        (2, 9, 11, 1),
        (2, 9, 11, 2),
    ),
    "biggan_generator": _network(
        lambda r: models.biggan_generator(
            6, 3, (16, 16, 1), width=1, embed_dim=2, attention=0, rng=r
        ),
        (4, 6),
        (4, 3),
    ),
    "biggan_discriminator": _network(
        lambda r: models.biggan_discriminator((8, 10, 2), 3, width=4, rng=r),
        (3, 8, 10, 2),
        (3, 3),
    ),
    "stylegan_generator": _network(
        lambda r: models.stylegan_generator(
            3, (8, 10, 1), width=2, w_dim=3, mapping_layers=2, rng=r
        ),
        (2, 3),
        (2, 180),
    ),
    "stylegan_discriminator": _network(
        lambda r: models.stylegan_discriminator((8, 10, 2), width=2, group_size=2, rng=r),
        (4, 8, 10, 2),
    ),
    "conv_joint_discriminator": _network(
        lambda r: models.conv_joint_discriminator((8, 12, 3), 5, width=4, units=6, rng=r),
        (4, 8, 12, 3),
        (4, 5),
    ),
}

CASES = [
    Case(kind, name, check)
    for kind, table in (("layer", LAYERS), ("loss", LOSSES), ("network", NETWORKS))
    for name, check in table.items()
]
