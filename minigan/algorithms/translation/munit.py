r"""MUNIT: many translations of one picture, learned without pairs (Huang et al. 2018).

A picture is a content, of a space that both domains share, and a style, of a space of its domain's
own. Encoders E^c and E^s take it apart, a decoder G puts it together again. To translate is to keep
the content and to draw a style of the other domain from N(0, I), or to take it from a picture:

    for number of training iterations do
        sample x1 from X, x2 from Y, and s1, s2 from N(0, I)
        take both apart: c1, c2 and their own styles; make G2(c1, s2) and G1(c2, s1)
        update D1 and D2 by ascending                          munit.4
        update all E and G by descending                       munit.5
    end for

so that a picture comes back from its own codes (munit.1), a translation cannot be told from
pictures of the other domain (munit.4), and the codes that it was made of are found in it again: its
content (munit.2) and its style (munit.3), without which the style would be passed over. Nothing
asks a translation to lead back to its picture, for its style is gone; with that style put back it
should (munit.cyc, section 4), which the terms above imply and `weight_cycle` asks for.

Errors are means over the numbers of a picture and of a code, as in the authors' code, and the
content that is to be found again moves too. Two things are shared with the other translations here
and are not the authors': the discriminators of several scales are those of patches (scales.py), and
see the same translations that the generators answer for, where the authors draw styles anew.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

from minigan.algorithms.base import Scalars
from minigan.algorithms.options import SCHEDULES, Streams, Task
from minigan.algorithms.settings import option
from minigan.algorithms.translation.options import NORMS
from minigan.algorithms.translation.scales import Scaled, ScaleOptions, named
from minigan.algorithms.translation.shared_options import Rng, Size
from minigan.backend import Array
from minigan.layers import Layer
from minigan.losses.distance import mean_absolute_error
from minigan.models.enlarging import UPSAMPLING
from minigan.models.munit import ContentAndStyle, content_and_style
from minigan.models.resnet import HALVINGS, resnet_size
from minigan.prior import Prior

PAPER = (
    "Huang et al. 2018, Multimodal unsupervised image-to-image translation, arXiv:1804.04732,"
    " sections 3.2, 4 and 5.1"
)

EQUATIONS = {
    "munit.1": r"\mathcal{L}_{recon}^{x_1} = \mathbb{E}_{x_1 \sim p(x_1)}"
    r"[\|G_1(E_1^c(x_1), E_1^s(x_1)) - x_1\|_1]",
    "munit.2": r"\mathcal{L}_{recon}^{c_1} = \mathbb{E}_{c_1 \sim p(c_1), s_2 \sim q(s_2)}"
    r"[\|E_2^c(G_2(c_1, s_2)) - c_1\|_1]",
    "munit.3": r"\mathcal{L}_{recon}^{s_2} = \mathbb{E}_{c_1 \sim p(c_1), s_2 \sim q(s_2)}"
    r"[\|E_2^s(G_2(c_1, s_2)) - s_2\|_1]",
    "munit.4": r"\mathcal{L}_{GAN}^{x_2} = \mathbb{E}_{c_1 \sim p(c_1), s_2 \sim q(s_2)}"
    r"[\log(1 - D_2(G_2(c_1, s_2)))] + \mathbb{E}_{x_2 \sim p(x_2)}[\log D_2(x_2)]",
    "munit.5": r"\min_{E_1, E_2, G_1, G_2} \max_{D_1, D_2}"
    r" \mathcal{L}_{GAN}^{x_1} + \mathcal{L}_{GAN}^{x_2}"
    r" + \lambda_x (\mathcal{L}_{recon}^{x_1} + \mathcal{L}_{recon}^{x_2})"
    r" + \lambda_c (\mathcal{L}_{recon}^{c_1} + \mathcal{L}_{recon}^{c_2})"
    r" + \lambda_s (\mathcal{L}_{recon}^{s_1} + \mathcal{L}_{recon}^{s_2})",
    "munit.cyc": r"\mathcal{L}_{cc}^{x_1} = \mathbb{E}_{x_1 \sim p(x_1), s_2 \sim q(s_2)}"
    r"[\|G_1(E_2^c(G_2(E_1^c(x_1), s_2)), E_1^s(x_1)) - x_1\|_1]",
}


class Weights(NamedTuple):
    """lambda_x, lambda_c and lambda_s, and that of the cycle; 0: it is not computed."""

    reconstruction: float
    content: float
    style: float
    cycle: float


class Coded(NamedTuple):
    """A picture's content and style, and the encoders' contexts."""

    content: Array
    style: Array
    content_ctx: Any
    style_ctx: Any


class Answer(NamedTuple):
    """G of a content and of a drawn style, that style, and G's context."""

    fake: Array
    style: Array
    ctx: Any


class MUNIT(Scaled):
    """The loop above. AE holds both domains' E^c, E^s and G; the paper's domain 1 is X here, 2 Y.

    G is x, s -> G_Y(E^c_X(x), s), F the other way. scales: the discriminators of each domain.
    """

    prior: Prior
    share_D: ClassVar[float] = 1.0  # the authors' code halves nothing

    def __init__(
        self,
        AE: ContentAndStyle,
        D_X: Sequence[Layer],
        D_Y: Sequence[Layer],
        *,
        prior: Prior,
        weights: Weights,
        **shared: Any,
    ) -> None:
        scales = named("D_X", [*D_X]) | named("D_Y", [*D_Y])
        super().__init__({"AE": AE, **scales}, **shared)
        self.AE = AE
        self.prior, self.weights = prior, weights
        self._translators = ways(AE)

    @property
    def translators(self) -> dict[str, Layer]:
        return self._translators

    def step(self, pairs: Array) -> Scalars:
        """One training iteration on as many pictures of either domain."""
        x, y = self.split(pairs)
        of_x, of_y = self.coded("X", x), self.coded("Y", y)
        to_y, to_x = self.answer("Y", of_x.content), self.answer("X", of_y.content)
        scalars = self.update_scales("D_X", x, to_x.fake)  # eq: munit.4
        scalars |= self.update_scales("D_Y", y, to_y.fake)  # eq: munit.4
        self.AE.flat.zero_grad()
        loss_x, terms_x = self.descended("X", "Y", x, of_x, to_y, real=y)
        loss_y, terms_y = self.descended("Y", "X", y, of_y, to_x, real=x)
        loss = loss_x + loss_y  # eq: munit.5
        norm = self.descend("AE", loss)
        return {"loss_AE": loss, **terms_x, **terms_y, **scalars, "grad_norm_AE": norm}

    def coded(self, domain: str, pictures: Array) -> Coded:
        """Content and style of pictures of a domain."""
        content, content_ctx = self.AE.content[domain].forward(pictures)
        style, style_ctx = self.AE.style[domain].forward(pictures)
        return Coded(content, style, content_ctx, style_ctx)

    def answer(self, domain: str, content: Array) -> Answer:
        """Pictures of a domain with that content, each in a style drawn from the prior."""
        style = self.prior.draw(len(content), self.rng).astype(content.dtype)
        fake, ctx = self.AE.G[domain].forward(content, style)
        return Answer(fake, style, ctx)

    def descended(
        self, own: str, other: str, x: Array, of_x: Coded, to: Answer, *, real: Array
    ) -> tuple[Any, Scalars]:
        """The terms of pictures x of domain `own`, whose translation is `to`; their sum.

        Adds what they owe to all encoders and decoders that took part; D is frozen.
        """
        AE, w = self.AE, self.weights
        same, same_ctx = AE.G[own].forward(of_x.content, of_x.style)
        again = self.coded(other, to.fake)

        error, dsame = mean_absolute_error(same, x)  # eq: munit.1
        content, dcontent = mean_absolute_error(again.content, of_x.content)  # eq: munit.2
        style, dstyle = mean_absolute_error(again.style, to.style)  # eq: munit.3
        fooling, dfake = self.fool_scales(f"D_{other}", to.fake, real)  # eq: munit.4

        dc, ds = AE.G[own].backward(w.reconstruction * dsame, same_ctx)
        dc = dc - w.content * dcontent  # the content that is compared with owes as much
        dagain, terms = w.content * dcontent, {}
        loss = fooling + w.reconstruction * error + w.content * content + w.style * style
        if w.cycle:
            back, back_ctx = AE.G[own].forward(again.content, of_x.style)
            cycle, dback = mean_absolute_error(back, x)  # eq: munit.cyc
            more, ds_back = AE.G[own].backward(w.cycle * dback, back_ctx)
            dagain, ds = dagain + more, ds + ds_back
            loss, terms = loss + w.cycle * cycle, {"cycle": cycle}

        dfake = dfake + AE.content[other].backward(dagain, again.content_ctx)
        dfake = dfake + AE.style[other].backward(w.style * dstyle, again.style_ctx)
        dc = dc + AE.G[other].backward(dfake, to.ctx)[0]
        AE.content[own].backward(dc, of_x.content_ctx, need_dx=False)
        AE.style[own].backward(ds, of_x.style_ctx, need_dx=False)

        terms = {"reconstruction": error, "content": content, "style": style, **terms}
        end = own.lower()
        return loss, {
            f"GAN_{WAYS[own, other]}": fooling,
            **{f"{name}_{end}": value for name, value in terms.items()},
        }


WAYS = {("X", "Y"): "G", ("Y", "X"): "F"}
GOALS = {"G": "Y", "F": "X"}  # whose styles a way takes


def ways(AE: ContentAndStyle) -> dict[str, Layer]:
    """G and F: one domain's content encoder and the other's decoder."""
    return {name: AE.way(*domains) for domains, name in WAYS.items()}


@dataclass(frozen=True, kw_only=True)
class Options(ScaleOptions):
    """The paper's: weights 10, 1 and 1, styles of 8 numbers, four blocks, three scales, least
    squares, Adam(1e-4, 0.5, 0.999) whose rate is halved every 100,000 of 1,000,000 iterations,
    batches of 1. The cycle's weight is 0 in the authors' settings for shoes and handbags."""

    both_ways: ClassVar[bool] = True

    lr: float = option(1e-4, "learning rate")
    schedule: str = option(
        "halving", "learning rate over time; halving: after each tenth", SCHEDULES
    )
    generator: str = option("content-style", "encoders and decoders", ("content-style",))
    halvings: int | None = option(HALVINGS, "how often pictures are halved to become contents")
    blocks: int | None = option(4, "residual blocks of a content encoder, and of a decoder")
    dropout: float = option(0.0, "none here")
    norm: str = option("none", "norm of the discriminators; the others have their own", NORMS)
    up: str = option("resize", "how pictures are enlarged; resize: with 5x5 kernels", UPSAMPLING)
    z_dim: int = option(8, "numbers in a style")
    mlp_width: int = option(256, "units of both layers of the perceptron that reads a style")
    weight_gan: float = option(1.0, "factor of the generators' adversarial terms")
    weight_reconstruction: float = option(10.0, "lambda_x, of what comes back from its own codes")
    weight_content: float = option(1.0, "lambda_c, of contents found in translations")
    weight_style: float = option(1.0, "lambda_s, of styles found in translations")
    weight_cycle: float = option(0.0, "of what comes back from its translation, in its own style")

    @property
    def prior(self) -> Prior:
        """N(0, I). Raises OptionError for a style without numbers."""
        return Prior("normal", self.z_dim)

    @property
    def depth(self) -> int:
        """How often a content encoder halves a picture."""
        return HALVINGS if self.halvings is None else self.halvings

    def check_size(self, size: Size, trained: Size) -> None:
        resnet_size(*size, self.depth)

    def build_generators(self, size: Size, channels: tuple[int, int], rng: Rng) -> dict[str, Layer]:
        """AE, which holds them all."""
        return {"AE": self.build_autoencoders(size, channels, rng)}

    def build_translator(
        self, size: Size, channels: tuple[int, int], name: str, rng: Rng
    ) -> tuple[dict[str, Layer], Layer]:
        AE = self.build_autoencoders(size, channels, rng)
        return {"AE": AE}, ways(AE)[name]

    def reader(self, parts: dict[str, Layer], name: str) -> Layer:
        AE = parts["AE"]
        assert isinstance(AE, ContentAndStyle)
        return AE.style[GOALS[name]]

    def build_autoencoders(
        self, size: Size, channels: tuple[int, int], rng: Rng
    ) -> ContentAndStyle:
        """Raises OptionError for a size, a number of halvings, of blocks or of units."""
        return content_and_style(
            size,
            channels,
            style_dim=self.prior.dim,
            width=self.width,
            halvings=self.depth,
            blocks=4 if self.blocks is None else self.blocks,
            mlp_width=self.mlp_width,
            up=self.up,
            rng=rng,
        )


def build(options: Options, task: Task, streams: Streams) -> MUNIT:
    """Six networks around one space of contents, and two judges. Raises OptionError."""
    size, (cx, cy) = options.check(task)
    rng = streams.weights
    AE = options.build_autoencoders(size, (cx, cy), rng)
    D_X = options.build_scales(size, cx, 0, rng)
    D_Y = options.build_scales(size, cy, 0, rng)
    networks = {"AE": AE, **named("D_X", D_X), **named("D_Y", D_Y)}
    return MUNIT(
        AE,
        D_X,
        D_Y,
        prior=options.prior,
        weights=Weights(
            options.weight_reconstruction,
            options.weight_content,
            options.weight_style,
            options.weight_cycle,
        ),
        weight_gan=options.weight_gan,
        optimizers=options.build_optimizers(task, networks),
        **options.shared(task, streams),
    )
