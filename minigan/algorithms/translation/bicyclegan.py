r"""BicycleGAN: many answers to one picture, learned from aligned pairs (Zhu et al. 2017).

Lines of a kitten have many right colourings. G(x, z) shall give another one for each z, and any z
drawn from N(0, I) shall give a good one. Two games that share G and E see to it, each of which
closes a way between codes and answers; x is the paper's A, y its B:

    cVAE-GAN   y -> z -> y    z is drawn from E(y), and G(x, z) shall be y
    cLR-GAN    z -> y -> z    z is drawn from N(0, I), and E(G(x, z)) shall be z

    for number of training iterations do
        sample pairs (x, y), z from E(y) and z' from N(0, I), and make G(x, z) and G(x, z')
        update both D by ascending half of                     bicyclegan.4 and bicyclegan.1
        update G and E by descending                           bicyclegan.9
    end for

The first alone makes good answers of E's codes, not of those that N(0, I) gives, for it never sees
one. The second alone never sees y through E: codes may share an answer as long as a hint in the
pixels tells them apart. So E is left out of the second's latent term (bicyclegan.7) where the first
trains it: the two would agree on such a hint (section 4). `method` chooses one of both, or
`pix2pix + noise`, the baseline, whose G learns to pass over z (section 3.1).

The codes' divergence is a sum over their numbers; errors are means, as in the authors' code. D is
not shown x unless told, for the same section finds its answers better so.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import numpy as np

from minigan.algorithms.autoencoding.posterior import Gaussian
from minigan.algorithms.base import Scalars
from minigan.algorithms.options import Streams, Task
from minigan.algorithms.settings import Company, Needs, known, option
from minigan.algorithms.translation.options import GENERATORS, TranslationOptions
from minigan.algorithms.translation.scales import Scaled, ScaleOptions, named
from minigan.algorithms.translation.shared_options import Rng, Size
from minigan.backend import Array
from minigan.errors import OptionError
from minigan.layers import ConditionalSequential, JoinCondition, Layer
from minigan.losses.distance import mean_absolute_error
from minigan.losses.gaussian import kl_to_standard_normal
from minigan.models.encoders import ENCODERS
from minigan.models.unet import unet_generator_of_z
from minigan.prior import Prior

PAPER = "Zhu et al. 2017, Toward multimodal image-to-image translation, arXiv:1711.11586, section 3"

EQUATIONS = {
    "bicyclegan.1": r"\mathcal{L}_{GAN}(G, D) = \mathbb{E}_{A,B \sim p(A,B)}[\log D(A, B)]"
    r" + \mathbb{E}_{A \sim p(A), z \sim p(z)}[\log(1 - D(A, G(A, z)))]",
    "bicyclegan.2": r"\mathcal{L}_1^{image}(G) = \mathbb{E}_{A,B \sim p(A,B), z \sim p(z)}"
    r" \|B - G(A, z)\|_1",
    "bicyclegan.3": r"G^* = \arg \min_G \max_D \mathcal{L}_{GAN}(G, D)"
    r" + \lambda \mathcal{L}_1^{image}(G)",
    "bicyclegan.4": r"\mathcal{L}_{GAN}^{VAE} = \mathbb{E}_{A,B \sim p(A,B)}[\log D(A, B)]"
    r" + \mathbb{E}_{A,B \sim p(A,B), z \sim E(B)}[\log(1 - D(A, G(A, z)))]",
    "bicyclegan.5": r"\mathcal{L}_{KL}(E) = \mathbb{E}_{B \sim p(B)}"
    r"[\mathcal{D}_{KL}(E(B) \| \mathcal{N}(0, I))]",
    "bicyclegan.6": r"G^*, E^* = \arg \min_{G,E} \max_D \mathcal{L}_{GAN}^{VAE}(G, D, E)"
    r" + \lambda \mathcal{L}_1^{VAE}(G, E) + \lambda_{KL} \mathcal{L}_{KL}(E)",
    "bicyclegan.7": r"\mathcal{L}_1^{latent}(G, E) = \mathbb{E}_{A \sim p(A), z \sim p(z)}"
    r" \|z - E(G(A, z))\|_1",
    "bicyclegan.8": r"G^*, E^* = \arg \min_{G,E} \max_D \mathcal{L}_{GAN}(G, D)"
    r" + \lambda_{latent} \mathcal{L}_1^{latent}(G, E)",
    "bicyclegan.9": r"G^*, E^* = \arg \min_{G,E} \max_D \mathcal{L}_{GAN}^{VAE}(G, D, E)"
    r" + \lambda \mathcal{L}_1^{VAE}(G, E) + \mathcal{L}_{GAN}(G, D)"
    r" + \lambda_{latent} \mathcal{L}_1^{latent}(G, E) + \lambda_{KL} \mathcal{L}_{KL}(E)",
}


class Weights(NamedTuple):
    """lambda, lambda_latent and lambda_KL."""

    l1: float
    latent: float
    kl: float


class Answer(NamedTuple):
    """G(x, z), its z, G's context, and what E's draw of z needs to go back."""

    fake: Array
    z: Array
    G_ctx: Any
    drawn: Any = None


class Game(ABC):
    """One of the games around G: where z comes from, and what is descended.

    judge: the discriminator of its own, where the games do not share one.
    """

    judge: ClassVar[str]

    @abstractmethod
    def answer(self, of: BicycleGAN, x: Array, y: Array) -> Answer:
        """An answer to x, with G's gradient still to come."""

    @abstractmethod
    def descend(self, of: BicycleGAN, answer: Answer, x: Array, y: Array) -> tuple[Any, Scalars]:
        """The loss of that answer and its terms; adds what it owes to G and E. D is frozen."""


class Drawn(Game):
    """z from N(0, I), whatever y is."""

    judge = "D_LR"

    def answer(self, of: BicycleGAN, x: Array, y: Array) -> Answer:
        z = of.prior.draw(len(x), of.rng).astype(x.dtype)
        fake, G_ctx = of.G.forward(x, z)
        return Answer(fake, z, G_ctx)


class Noise(Drawn):
    """pix2pix + noise: nothing but y tells what G(x, z) should be."""

    def descend(self, of: BicycleGAN, answer: Answer, x: Array, y: Array) -> tuple[Any, Scalars]:
        fooling, dfooling = of.fooled(self, answer, x, y)  # eq: bicyclegan.1
        close, dclose = mean_absolute_error(answer.fake, y)  # eq: bicyclegan.2
        of.G.backward(dfooling + of.weights.l1 * dclose, answer.G_ctx, need_dx=False)
        loss = fooling + of.weights.l1 * close  # eq: bicyclegan.3
        return loss, {"GAN_LR": fooling, "L1": close}


class Regressed(Drawn):
    """cLR-GAN: the mean of E's answer shall be z. E is frozen unless it is `trained`."""

    def __init__(self, *, trained: bool) -> None:
        self.trained = trained

    def descend(self, of: BicycleGAN, answer: Answer, x: Array, y: Array) -> tuple[Any, Scalars]:
        assert of.E is not None
        weight = of.weights.latent
        fooling, dfooling = of.fooled(self, answer, x, y)  # eq: bicyclegan.1
        h, E_ctx = of.E.forward(answer.fake, update_stats=self.trained)
        mean, log_var = of.posterior.split(h)
        latent, dmean = mean_absolute_error(mean, answer.z)  # eq: bicyclegan.7
        dh = np.concatenate([weight * dmean, np.zeros_like(log_var)], -1)
        dfake = dfooling + of.E.backward(dh, E_ctx, need_dw=self.trained)
        of.G.backward(dfake, answer.G_ctx, need_dx=False)
        loss = fooling + weight * latent  # eq: bicyclegan.8
        return loss, {"GAN_LR": fooling, "latent": latent}


class Encoded(Game):
    """cVAE-GAN: z from E(y), of which G(x, z) shall be y again."""

    judge = "D_VAE"

    def answer(self, of: BicycleGAN, x: Array, y: Array) -> Answer:
        assert of.E is not None
        h, E_ctx = of.E.forward(y)
        z, spread = of.posterior.draw(h, of.rng)
        fake, G_ctx = of.G.forward(x, z)
        return Answer(fake, z, G_ctx, (h, spread, E_ctx))

    def descend(self, of: BicycleGAN, answer: Answer, x: Array, y: Array) -> tuple[Any, Scalars]:
        assert of.E is not None
        weights, (h, spread, E_ctx) = of.weights, answer.drawn
        fooling, dfooling = of.fooled(self, answer, x, y)  # eq: bicyclegan.4
        close, dclose = mean_absolute_error(answer.fake, y)  # eq: bicyclegan.2
        kl, *dkl = kl_to_standard_normal(*of.posterior.split(h))  # eq: bicyclegan.5
        _, dz = of.G.backward(dfooling + weights.l1 * dclose, answer.G_ctx)
        dh = of.posterior.backward(dz, spread) + weights.kl * np.concatenate(dkl, -1)
        of.E.backward(dh, E_ctx, need_dx=False)
        loss = fooling + weights.l1 * close + weights.kl * kl  # eq: bicyclegan.6
        return loss, {"GAN_VAE": fooling, "L1": close, "KL": kl}


METHODS: dict[str, tuple[Game, ...]] = {
    "bicycle": (Encoded(), Regressed(trained=False)),
    "cvae-gan": (Encoded(),),
    "clr-gan": (Regressed(trained=True),),
    "noise": (Noise(),),
}


class BicycleGAN(Scaled):
    """The loop above, and its parts alone.

    G maps pictures and z (N, prior's dim) to pictures; E maps pictures of y to twice as many
    numbers, mu and log sigma^2, and is None where `method` is "noise". scales: the discriminators
    of each judge, "D" where there is one for all games, else "D_VAE" and "D_LR". pairs: whether
    they are shown x too.
    """

    prior: Prior

    def __init__(
        self,
        G: Layer,
        E: Layer | None,
        scales: Mapping[str, Sequence[Layer]],
        *,
        method: str,
        prior: Prior,
        weights: Weights,
        pairs: bool,
        **shared: Any,
    ) -> None:
        networks = {"G": G} | ({} if E is None else {"E": E})
        for judge in scales:
            networks |= named(judge, [*scales[judge]])
        super().__init__(networks, **shared)
        self.G, self.E = G, E
        self.games = METHODS[method]
        self.judges = [*scales]
        self.prior, self.posterior = prior, Gaussian()
        self.weights = weights
        self.pairs = pairs

    def step(self, pairs: Array) -> Scalars:
        """One training iteration on aligned pairs."""
        x, y = self.split(pairs)
        answers = [game.answer(self, x, y) for game in self.games]
        scalars: Scalars = {}
        for judge, fakes in self.judged(answers):
            real, given = (np.concatenate([a] * len(fakes)) for a in (y, x))
            scalars |= self.update_scales(judge, real, np.concatenate(fakes), self.given(given))
        return scalars | self.update_generator(x, y, answers)

    def update_generator(self, x: Array, y: Array, answers: Sequence[Answer]) -> Scalars:
        """Descend bicyclegan.9 in G and E, or what the method leaves of it; D is frozen."""
        trained = [name for name in ("G", "E") if name in self.networks]
        for name in trained:
            self.networks[name].flat.zero_grad()
        loss: Any = 0.0
        terms: Scalars = {}
        for game, answer in zip(self.games, answers, strict=True):
            own, named_terms = game.descend(self, answer, x, y)
            loss = loss + own  # eq: bicyclegan.9
            terms |= named_terms
        return {"loss_G": loss, **terms, **self.descend_together(dict.fromkeys(trained, loss))}

    def fooled(self, game: Game, answer: Answer, x: Array, y: Array) -> tuple[Any, Array]:
        """What a game's answer costs that its discriminators see through, and the gradient."""
        return self.fool_scales(self.judge_of(game), answer.fake, y, self.given(x))

    def judge_of(self, game: Game) -> str:
        """The judge of a game: its own, or the one of all."""
        return game.judge if game.judge in self.judges else "D"

    def judged(self, answers: Sequence[Answer]) -> Iterator[tuple[str, list[Array]]]:
        """Each judge, and the pictures that it tells from y."""
        for judge in self.judges:
            found = zip(self.games, answers, strict=True)
            yield judge, [answer.fake for game, answer in found if self.judge_of(game) == judge]

    def given(self, x: Array) -> Array | None:
        """What D is shown beside y."""
        return x if self.pairs else None


Z_INTO = {
    "all": "each layer of the encoder of a U-Net",
    "input": "the first layer of any generator",
}
UNETS = ("unet", "encoder-decoder")
JUDGED = {"picture": "y alone", "pair": "x and y"}


@dataclass(frozen=True, kw_only=True)
class Options(ScaleOptions):
    """The paper's: lambda 10, lambda_latent 0.5, lambda_KL 0.01, z of 8 numbers into every layer of
    the encoder's half of a U-Net, two scales of each of two D, least squares, Adam(2e-4, 0.5)."""

    only_with: ClassVar[Company] = {
        **TranslationOptions.only_with,
        "share_D": Needs(("method",), ("bicycle",)),
        "encoder": Needs(("method",), ("bicycle", "cvae-gan", "clr-gan")),
        "weight_l1": Needs(("method",), ("bicycle", "cvae-gan", "noise")),
        "weight_latent": Needs(("method",), ("bicycle", "clr-gan")),
        "weight_kl": Needs(("method",), ("bicycle", "cvae-gan")),
    }

    method: str = option("bicycle", "both games, one of them, or pix2pix + noise", METHODS)
    encoder: str = option("resnet", "E: residual blocks, or convolutions", ENCODERS)
    z_dim: int = option(8, "numbers in z")
    z_into: str = option(
        "all", "where z enters: each layer of the encoder of a U-Net, or G's input", Z_INTO
    )
    judge: str = option("picture", "what D is shown: the picture y alone, or the pair", JUDGED)
    share_D: bool = option(False, "one D for both games in the place of two")
    scales: int = option(2, "discriminators of each D, each of pictures half as large")
    weight_gan: float = option(1.0, "factor of G's adversarial terms")
    weight_l1: float = option(10.0, "lambda of the close term")
    weight_latent: float = option(0.5, "lambda_latent, of z that E finds again")
    weight_kl: float = option(0.01, "lambda_KL, of the codes' divergence from N(0, I)")

    @property
    def prior(self) -> Prior:
        """N(0, I). Raises OptionError for a z without numbers."""
        return Prior("normal", self.z_dim)

    def build_generator(self, size: Size, cin: int, cout: int, rng: Rng) -> Layer:
        known("way of z into G", self.z_into, Z_INTO)
        z_dim = self.prior.dim
        if self.z_into == "input":
            net = super().build_generator(size, cin + z_dim, cout, rng)
            return ConditionalSequential(JoinCondition(z_dim), net)
        known("generator", self.generator, GENERATORS)
        if self.generator not in UNETS:
            raise OptionError(
                f"--generator {self.generator}: z goes into all layers of the encoder of "
                f"{' or '.join(UNETS)}; use one of these, or --z-into input"
            )
        return unet_generator_of_z(
            (*size, cin),
            cout,
            z_dim,
            width=self.width,
            halvings=self.halvings,
            norm=self.norm,
            dropout=self.dropout,
            skips=self.generator == "unet",
            up=self.up,
            rng=rng,
        )

    def build_encoder(self, size: Size, channels: int, rng: Rng) -> Layer | None:
        """E of pictures of y, where the method has one. Raises UnknownNameError, OptionError."""
        if self.method == "noise":
            return None
        known("encoder", self.encoder, ENCODERS)
        make, outputs = ENCODERS[self.encoder], Gaussian.numbers * self.z_dim
        return make((*size, channels), outputs, width=self.width, norm=self.norm, rng=rng)


def build(options: Options, task: Task, streams: Streams) -> BicycleGAN:
    """The networks that the options choose. Raises OptionError, for sizes too."""
    size, (cx, cy) = options.check(task)
    known("method", options.method, METHODS)
    known("judge", options.judge, JUDGED)
    rng, games = streams.weights, METHODS[options.method]
    G = options.build_generator(size, cx, cy, rng)
    E = options.build_encoder(size, cy, rng)
    judges = [g.judge for g in games] if len(games) > 1 and not options.share_D else ["D"]
    beside = cx if options.judge == "pair" else 0
    scales = {judge: options.build_scales(size, cy, beside, rng) for judge in judges}
    of_scales = {k: D for judge in judges for k, D in named(judge, scales[judge]).items()}
    networks = {"G": G} | ({} if E is None else {"E": E}) | of_scales
    return BicycleGAN(
        G,
        E,
        scales,
        method=options.method,
        prior=options.prior,
        weights=Weights(options.weight_l1, options.weight_latent, options.weight_kl),
        pairs=options.judge == "pair",
        weight_gan=options.weight_gan,
        optimizers=options.build_optimizers(task, networks),
        **options.shared(task, streams),
    )
