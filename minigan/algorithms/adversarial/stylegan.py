r"""StyleGAN: Algorithm 1 on a generator of styles (Karras et al. 2019 and 2020).

What its updates add to the box:

    style mixing        a share of the examples takes the style of a second z from some layer on, so
                        that layers cannot rely on each other                     stylegan.mixing
    R1 on D             every r1_every iterations, and then as many times as strong
    path length on G    every path_every iterations, likewise (losses/path_length.py)

The last two are the paper's lazy regularisation (2020, section 3.1). Here they join the update that
they fall into, where the paper's code makes a second one, so that Adam's rates need no correction.

Samples are drawn with constant noise; `truncate` pulls their styles towards the mean.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass
from typing import Any, NamedTuple, Self

import numpy as np

from minigan.algorithms.base import Scalars
from minigan.algorithms.checks import check_counts, check_weights
from minigan.algorithms.gan import GAN
from minigan.algorithms.options import AdversarialOptions, Streams, Task
from minigan.algorithms.parts import CriticTerm
from minigan.algorithms.settings import option
from minigan.backend import Array, array_module, to_device
from minigan.errors import OptionError, ShapeError
from minigan.layers import Layer
from minigan.losses import PENALTIES
from minigan.losses.objective import Value
from minigan.losses.path_length import PathLength, picture_directions
from minigan.losses.penalties import Penalty
from minigan.models.stylegan import StyleGenerator, stylegan_discriminator, stylegan_generator
from minigan.noise import Rng

PAPER = "Karras et al. 2019, arXiv:1812.04948, section 3.1; 2020, arXiv:1912.04958, section 3"

EQUATIONS = {
    "stylegan.mixing": r"w_l = \begin{cases} f(z_1)_l & l < c \\ f(z_2)_l & l \ge c \end{cases}",
}


class Lazy:
    """A term of D's loss for some iterations only, those that `every` divides; it counts `every`
    times there. It keeps the term's name."""

    def __init__(self, term: Penalty, every: int) -> None:
        if every < 1:
            raise OptionError(f"--r1-every {every} must be at least 1")
        self.name, self.term, self.every = term.name, copy(term), every
        self.term.weight *= every

    def __call__(self, D: Layer, real: Array, fake: Array, rng: Rng) -> Value:
        return self.term(D, real, fake, rng)

    def check(self, D: Layer) -> None:
        """As the term."""
        self.term.check(D)


class StyleContext(NamedTuple):
    """Contexts of the mapping of both z and of the synthesis, and whose style each layer took."""

    mapped: tuple[Any, Any]
    synthesis: Any
    first: Array  # (N, styles, 1): 1 where the first z's


class StyleGAN(GAN):
    """Algorithm 1 with style mixing and lazy regularisation, on the networks of models/stylegan.py.

    mixing: share of examples whose styles are mixed. path_length: a term of G's loss, every
    `path_every` iterations; `lazy` are those of D's among `terms`.
    """

    G: StyleGenerator

    def __init__(
        self,
        G: StyleGenerator,
        D: Layer,
        *,
        mixing: float,
        path_length: PathLength | None,
        path_every: int,
        terms: Sequence[CriticTerm] = (),
        **game: Any,
    ) -> None:
        if not 0 <= mixing <= 1:
            raise OptionError(f"--mixing {mixing} must lie in [0, 1]")
        super().__init__(G, D, terms=terms, **game)
        self.mixing, self.path_length, self.path_every = mixing, path_length, path_every
        self.lazy = [term for term in terms if isinstance(term, Lazy)]

    @property
    def step_kind(self) -> tuple[bool, ...]:
        """Which of the lazy terms this iteration computes: those of D, then path length."""
        path = self.path_length is not None and self._due(self.path_every)
        return (*(self._due(term.every) for term in self.lazy), path)

    def _due(self, every: int) -> bool:
        return self.optimizers["G"].t % every == 0  # G moves last in an iteration

    def terms_due(self) -> Sequence[CriticTerm]:
        """Those that are not lazy, and the lazy ones whose turn it is."""
        return [t for t in self.terms if not isinstance(t, Lazy) or self._due(t.every)]

    def generated(self, z: Array, update_stats: bool = True) -> tuple[Array, StyleContext]:
        """Pictures of z and of as many further draws, mixed, under fresh noise."""
        G, n = self.G, len(z)
        w, mapped = G.mapping.forward(z)
        other, other_mapped = G.mapping.forward(self.prior.draw(n, self.rng))
        if update_stats:
            G.follow(w)
        first = mixing_mask(n, G.synthesis.styles, self.mixing, self.rng, like=w)
        ws = first * w[:, None] + (1 - first) * other[:, None]  # eq: stylegan.mixing
        noise = self.rng.standard_normal((n, G.synthesis.pixels))
        noise = array_module(w).asarray(noise, w.dtype)
        x, ctx = G.synthesis.forward(ws, noise)
        return x, StyleContext((mapped, other_mapped), ctx, first)

    def generated_backward(self, dfake: Array, ctx: StyleContext) -> Scalars:
        """As its base's; path length, if it is due, is added on the way."""
        G, terms = self.G, {}
        dws, _ = G.synthesis.backward(dfake, ctx.synthesis)
        if self.path_length is not None and self._due(self.path_every):
            y = picture_directions(dfake, self.rng)
            value, owed = self.path_length(G.synthesis, ctx.synthesis, y)
            dws = dws + owed
            terms = {self.path_length.name: value}
        for share, mapped in zip((ctx.first, 1 - ctx.first), ctx.mapped, strict=True):
            G.mapping.backward((share * dws).sum(1), mapped, need_dx=False)
        return terms

    def generate(self, z: Array) -> Array:
        """Pictures of z with constant noise.

        z and the result are arrays of the host. Raises NonFiniteError where weights have run away.
        """
        return self.truncate(z, 1.0)

    def truncate(self, z: Array, psi: float) -> Array:
        """As `generate`, with the styles pulled to their mean: see StyleGenerator.truncated."""
        with self.sampling():
            x = self._drawn(self._styles(z, psi))
        return self.finite(x, "a sample G(z)")

    def mix(self, z_a: Array, z_b: Array, crossover_layer: int) -> Array:
        """Pictures with the styles of z_a below `crossover_layer` and those of z_b from there on.

        As many of either; crossover_layer from 0 (all are z_b's) to `styles`. Raises OptionError.
        """
        styles = self.G.synthesis.styles
        if not 0 <= crossover_layer <= styles:
            raise OptionError(
                f"crossover_layer={crossover_layer} (--mix-styles): this network has layers 0 to "
                f"{styles}"
            )
        if z_a.shape != z_b.shape:
            raise ShapeError(f"styles of {z_a.shape} and {z_b.shape}: give as many of either")

        with self.sampling():
            a, b = self._styles(z_a, 1.0), self._styles(z_b, 1.0)
            x = self._drawn(np.concatenate([a[:, :crossover_layer], b[:, crossover_layer:]], 1))
        return self.finite(x, "a sample G(z)")

    @property
    def styles(self) -> int:
        """How many layers have a style of their own."""
        return self.G.synthesis.styles

    def state_dict(self) -> dict[str, Array]:
        """As its base's, with the mean path length."""
        path = self.path_length.state if self.path_length else {}
        return super().state_dict() | {f"path_length.{k}": a for k, a in path.items()}

    def to(self, device: str) -> Self:
        """As its base's; the mean path length moves too."""
        if self.path_length:
            self.path_length.to(device)
        return super().to(device)

    def _styles(self, z: Array, psi: float) -> Array:
        """The style of each layer, (N, styles, w_dim), pulled to the mean by 1 - psi."""
        w, _ = self.G.mapping.forward(to_device(z, self.device), train=False)
        return self.G.spread(self.G.truncated(w, psi))

    def _drawn(self, ws: Array) -> Array:
        """Pictures of styles (N, styles, w_dim) with constant noise."""
        x, _ = self.G.synthesis.forward(ws, self.G.constant_noise(len(ws)), train=False)
        return x


def mixing_mask(n: int, styles: int, mixing: float, rng: Rng, *, like: Array) -> Array:
    """(n, styles, 1): 1 where an example takes the first z's style, 0 from its crossover on.

    A share `mixing` of the examples has a crossover, uniform over layers 1 to styles - 1; the
    others none. Decided by arrays alone, so that a captured step draws anew.
    """
    xp = array_module(like)
    u = rng.uniform(0, 1, (n, 2))
    crossover = 1 + np.floor(u[:, 1:] * (styles - 1))
    first = (u[:, :1] >= mixing) | (xp.arange(styles) < crossover)
    return first.astype(like.dtype)[..., None]


@dataclass(frozen=True, kw_only=True)
class StyleGANOptions(AdversarialOptions):
    """The game's options with the papers' settings, and the sizes of the networks.

    Adam at 0.002 with beta1 = 0 and beta2 = 0.99, the logistic loss with R1; gamma is for pictures
    as small as these.
    """

    lr: float = option(2e-3, "learning rate")
    beta1: float | None = option(0.0, "averaging factor of adam's first moment")
    beta2: float | None = option(0.99, "averaging factor of adam's second moment")
    penalty: str = option("r1", "gradient penalty on D", ["none", *PENALTIES])
    penalty_weight: float | None = option(1.0, "its factor; 10 in the paper, for large pictures")
    r1_every: int = option(
        16, "iterations between two penalties on D, each as many times as strong"
    )
    path_weight: float = option(2.0, "weight of path length regularisation of G; 0: none")
    path_every: int = option(8, "iterations between two of these, each as many times as strong")
    path_decay: float = option(
        0.01, "share by which the mean path length moves each time; more for short runs"
    )
    mixing: float = option(0.9, "share of examples with the styles of two z")
    ema: float = option(0.995, "decay of the moving average of G to sample from; 0: none")
    z_dim: int = option(64, "numbers in z")
    w_dim: int = option(64, "numbers in a style w")
    mapping_layers: int = option(4, "dense layers from z to w; 8 in the paper")
    width: int = option(16, "features next to the picture; doubled by every halving of its size")
    group_size: int = option(4, "examples whose deviation D is shown; must divide --batch; 0: none")

    def build_terms(self) -> list[CriticTerm]:
        """The penalty, lazily."""
        terms = super().build_terms()
        return [Lazy(term, self.r1_every) for term in terms if isinstance(term, Penalty)]


def networks(
    options: StyleGANOptions, task: Task, streams: Streams
) -> tuple[StyleGenerator, Layer]:
    """Raises OptionError for points, illegal sizes, and groups that no batch splits into."""
    if task.kind != "image":
        raise OptionError(
            f"stylegan makes pictures, the data has points of shape {task.shape}; use gan for these"
        )
    group = options.group_size
    if group and (group < 2 or (task.batch and task.batch % group)):
        raise OptionError(
            f"--group-size {group} must be 0, or 2 and more and divide --batch {task.batch}"
        )
    G = stylegan_generator(
        options.z_dim,
        task.shape,
        width=options.width,
        w_dim=options.w_dim,
        mapping_layers=options.mapping_layers,
        rng=streams.weights,
    )
    D = stylegan_discriminator(
        task.shape, width=options.width, group_size=group or None, rng=streams.weights
    )
    return G, D


def build(options: StyleGANOptions, task: Task, streams: Streams) -> StyleGAN:
    """Algorithm 1 on styles. Raises OptionError for values that cannot be."""
    check_counts(options, "path_every")
    check_weights(options, "path_weight")
    G, D = networks(options, task, streams)
    path = None
    if options.path_weight:
        strength = options.path_weight * options.path_every
        path = PathLength(weight=strength, decay=options.path_decay, like=G.flat.data)
    game = options.build_game(
        G,
        D,
        task,
        streams,
        game=StyleGAN,
        mixing=options.mixing,
        path_length=path,
        path_every=options.path_every,
    )
    assert isinstance(game, StyleGAN)
    return game
