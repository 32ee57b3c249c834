r"""UNIT: two domains projected to a common space (Liu et al. 2017).

Pictures of two domains that belong together shall have one code z. Each domain has an encoder with
q(z | x) = N(E(x), I) and a decoder G of pictures from codes; the last layers of the encoders and
the first of the decoders are the same ones. A picture is translated by the other domain's decoder:

    for number of training iterations do
        sample x from X, y from Y, and codes of both
        update D_X and D_Y by ascending half of                unit.5
        update all E and G by descending                       unit.2
    end for

so that three things hold: a picture comes back from its own code (unit.3), its translation cannot
be told from pictures of the other domain (unit.5), and the translation's code gives the picture
back again (unit.7).

Errors and divergences are means over the numbers of a picture and of a code, so that the weights
mean the same for every size.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

from minigan.algorithms.base import Scalars
from minigan.algorithms.options import Streams, Task
from minigan.algorithms.settings import Company, option
from minigan.algorithms.translation.base import Translating
from minigan.algorithms.translation.options import NORMS, TranslationOptions
from minigan.algorithms.translation.shared_options import Rng, Size
from minigan.backend import Array, array_module
from minigan.layers import Layer
from minigan.losses.distance import mean_absolute_error
from minigan.losses.gaussian import kl_of_unit_variance
from minigan.models.resnet import HALVINGS, resnet_size
from minigan.models.unit import SharedLatent, shared_latent

PAPER = (
    "Liu et al. 2017, Unsupervised image-to-image translation networks, arXiv:1703.00848, section 3"
)

EQUATIONS = {
    "unit.2": r"\min_{E_1,E_2,G_1,G_2} \max_{D_1,D_2}"
    r" \mathcal{L}_{VAE_1}(E_1,G_1) + \mathcal{L}_{GAN_1}(E_2,G_1,D_1)"
    r" + \mathcal{L}_{CC_1}(E_1,G_1,E_2,G_2)"
    r" + \mathcal{L}_{VAE_2}(E_2,G_2) + \mathcal{L}_{GAN_2}(E_1,G_2,D_2)"
    r" + \mathcal{L}_{CC_2}(E_2,G_2,E_1,G_1)",
    "unit.3": r"\mathcal{L}_{VAE_1}(E_1,G_1) = \lambda_1 KL(q_1(z_1|x_1) \| p_\eta(z))"
    r" - \lambda_2 \mathbb{E}_{z_1 \sim q_1(z_1|x_1)}[\log p_{G_1}(x_1|z_1)]",
    "unit.5": r"\mathcal{L}_{GAN_1}(E_2,G_1,D_1) = \lambda_0 \mathbb{E}_{x_1 \sim P_{X_1}}"
    r"[\log D_1(x_1)] + \lambda_0 \mathbb{E}_{z_2 \sim q_2(z_2|x_2)}[\log(1 - D_1(G_1(z_2)))]",
    "unit.7": r"\mathcal{L}_{CC_1}(E_1,G_1,E_2,G_2) = \lambda_3 KL(q_1(z_1|x_1) \| p_\eta(z))"
    r" + \lambda_3 KL(q_2(z_2|x_1^{1 \to 2}) \| p_\eta(z))"
    r" - \lambda_4 \mathbb{E}_{z_2 \sim q_2(z_2|x_1^{1 \to 2})}[\log p_{G_1}(x_1|z_2)]",
}


class Weights(NamedTuple):
    """lambda_1 to lambda_4: of the codes' divergence and the errors, then the cycle's."""

    kl: float
    reconstruction: float
    cycle_kl: float
    cycle: float


class Coded(NamedTuple):
    """A picture's code: its mean, the draw, and the encoder's context."""

    mean: Array
    z: Array
    ctx: Any


class UNIT(Translating):
    """The loop above. VAE holds E_X, E_Y, G_X and G_Y; G is x -> G_Y(E_X(x)), F the other way."""

    def __init__(
        self, VAE: SharedLatent, D_X: Layer, D_Y: Layer, *, weights: Weights, **shared: Any
    ) -> None:
        super().__init__({"VAE": VAE, "D_X": D_X, "D_Y": D_Y}, **shared)
        self.VAE = VAE
        self.weights = weights
        self._translators = ways(VAE)

    @property
    def translators(self) -> dict[str, Layer]:
        return self._translators

    def step(self, pairs: Array) -> Scalars:
        """One training iteration on as many pictures of either domain."""
        x, y = self.split(pairs)
        of_x, of_y = self.encoded("X", x), self.encoded("Y", y)
        fake_y, y_ctx = self.VAE.G["Y"].forward(of_x.z)
        fake_x, x_ctx = self.VAE.G["X"].forward(of_y.z)
        scalars = self.update_discriminator("D_X", x, fake_x)  # eq: unit.5
        scalars |= self.update_discriminator("D_Y", y, fake_y)  # eq: unit.5
        self.VAE.flat.zero_grad()
        loss_x, terms_x = self.descended("X", "Y", x, of_x, fake_y, y_ctx, real=y)
        loss_y, terms_y = self.descended("Y", "X", y, of_y, fake_x, x_ctx, real=x)
        loss = loss_x + loss_y  # eq: unit.2
        norm = self.descend("VAE", loss)
        return {"loss_VAE": loss, **terms_x, **terms_y, **scalars, "grad_norm_VAE": norm}

    def encoded(self, domain: str, pictures: Array) -> Coded:
        """A draw of q(z | pictures) = N(E(pictures), I)."""
        mean, ctx = self.VAE.E[domain].forward(pictures)
        noise = array_module(mean).asarray(self.rng.standard_normal(mean.shape), mean.dtype)
        return Coded(mean, mean + noise, ctx)

    def descended(
        self,
        own: str,
        other: str,
        x: Array,
        code: Coded,
        fake: Array,
        fake_ctx: Any,
        *,
        real: Array,
    ) -> tuple[Any, Scalars]:
        """The terms of pictures x of domain `own`, whose translation is `fake`; their sum.

        Adds what they owe to all encoders and decoders that took part; D is frozen.
        """
        E, G, w = self.VAE.E, self.VAE.G, self.weights
        same, same_ctx = G[own].forward(code.z)
        again = self.encoded(other, fake)
        back, back_ctx = G[own].forward(again.z)

        kl, dmean = kl_of_unit_variance(code.mean)  # eq: unit.3, unit.7
        error, dsame = mean_absolute_error(same, x)  # eq: unit.3
        fooling, dfake = self.fool(f"D_{other}", fake, real)  # eq: unit.5
        kl_again, dagain = kl_of_unit_variance(again.mean)  # eq: unit.7
        cycle, dback = mean_absolute_error(back, x)  # eq: unit.7

        dz_again = G[own].backward(w.cycle * dback, back_ctx)
        dfake = dfake + E[other].backward(dz_again + w.cycle_kl * dagain, again.ctx)
        dz = G[other].backward(dfake, fake_ctx)
        dz = dz + G[own].backward(w.reconstruction * dsame, same_ctx)
        E[own].backward(dz + (w.kl + w.cycle_kl) * dmean, code.ctx, need_dx=False)

        vae = w.kl * kl + w.reconstruction * error
        cycles = w.cycle_kl * (kl + kl_again) + w.cycle * cycle
        terms = {"KL": kl, "reconstruction": error, "cycle_KL": kl_again, "cycle": cycle}
        end = own.lower()
        return vae + fooling + cycles, {
            f"GAN_{WAYS[own, other]}": fooling,
            **{f"{name}_{end}": value for name, value in terms.items()},
        }


WAYS = {("X", "Y"): "G", ("Y", "X"): "F"}


def ways(VAE: SharedLatent) -> dict[str, Layer]:
    """G and F: one domain's encoder and the other's decoder."""
    return {name: VAE.way(*domains) for domains, name in WAYS.items()}


@dataclass(frozen=True, kw_only=True)
class Options(TranslationOptions):
    """The paper's: lambda_0 10, lambda_1 and lambda_3 0.1, lambda_2 and lambda_4 100, three blocks
    and one that is shared, Adam(1e-4, 0.5, 0.999), batches of 1."""

    both_ways: ClassVar[bool] = True
    only_with: ClassVar[Company] = {"patch": TranslationOptions.only_with["patch"]}

    lr: float = option(1e-4, "learning rate")
    generator: str = option("shared-latent", "encoders and decoders", ("shared-latent",))
    halvings: int | None = option(HALVINGS, "how often pictures are halved to become codes")
    blocks: int | None = option(3, "residual blocks of an encoder, and of a decoder")
    shared_blocks: int = option(1, "blocks that both encoders share, and that both decoders do")
    dropout: float = option(0.0, "none here")
    norm: str = option("instance", "norm of all networks", NORMS)
    weight_gan: float = option(10.0, "lambda_0, of the generators' adversarial terms")
    weight_kl: float = option(0.1, "lambda_1, of the codes' divergence")
    weight_reconstruction: float = option(100.0, "lambda_2, of what comes back from its own code")
    weight_cycle_kl: float = option(0.1, "lambda_3, of the divergences in a cycle")
    weight_cycle: float = option(100.0, "lambda_4, of what comes back from its translation")

    @property
    def depth(self) -> int:
        """How often an encoder halves a picture."""
        return HALVINGS if self.halvings is None else self.halvings

    def check_size(self, size: Size, trained: Size) -> None:
        resnet_size(*size, self.depth)

    def build_generators(self, size: Size, channels: tuple[int, int], rng: Rng) -> dict[str, Layer]:
        """VAE, which holds them all."""
        return {"VAE": self.build_vae(size, channels, rng)}

    def build_translator(
        self, size: Size, channels: tuple[int, int], name: str, rng: Rng
    ) -> tuple[dict[str, Layer], Layer]:
        VAE = self.build_vae(size, channels, rng)
        return {"VAE": VAE}, ways(VAE)[name]

    def build_vae(self, size: Size, channels: tuple[int, int], rng: Rng) -> SharedLatent:
        """Raises OptionError for a size, a number of halvings or of blocks."""
        return shared_latent(
            size,
            channels,
            width=self.width,
            halvings=self.depth,
            blocks=3 if self.blocks is None else self.blocks,
            shared_blocks=self.shared_blocks,
            norm=self.norm,
            up=self.up,
            rng=rng,
        )


def build(options: Options, task: Task, streams: Streams) -> UNIT:
    """Four networks around one latent space, two discriminators. Raises OptionError."""
    size, (cx, cy) = options.check(task)
    rng = streams.weights
    VAE = options.build_vae(size, (cx, cy), rng)
    D_X = options.build_discriminator(size, cx, 0, rng)
    D_Y = options.build_discriminator(size, cy, 0, rng)
    return UNIT(
        VAE,
        D_X,
        D_Y,
        weights=Weights(
            options.weight_kl,
            options.weight_reconstruction,
            options.weight_cycle_kl,
            options.weight_cycle,
        ),
        weight_gan=options.weight_gan,
        optimizers=options.build_optimizers(task, {"VAE": VAE, "D_X": D_X, "D_Y": D_Y}),
        **options.shared(task, streams),
    )
