r"""pix2pix: a picture from a picture, learned from aligned pairs (Isola et al. 2017).

G turns x into y; D tells the pair (x, y) from (x, G(x, z)), and G is also held close to y:

    for number of training iterations do
        sample pairs (x, y), and G(x, z) by dropout
        update D by ascending half of                          pix2pix.1
        update G by descending, with log D in its place,       pix2pix.4
    end for

The close term alone is blurry, an average of all answers that are possible; the adversarial term
alone invents; a D that is not shown x cannot tell whether y answers it (section 4.2). Each is an
ablation: `judge` says what D is shown, `weight_l1` is lambda.

The noise z is dropout alone, which stays on when pictures are translated (sections 3.1 and 3.3).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from minigan.algorithms.base import Scalars
from minigan.algorithms.options import Streams, Task
from minigan.algorithms.settings import known, option
from minigan.algorithms.translation.base import Translating
from minigan.algorithms.translation.options import TranslationOptions
from minigan.backend import Array
from minigan.errors import OptionError
from minigan.layers import Layer
from minigan.losses.distance import mean_absolute_error

PAPER = (
    "Isola et al. 2017, Image-to-image translation with conditional adversarial networks,"
    " arXiv:1611.07004, section 3"
)

EQUATIONS = {
    "pix2pix.1": r"\mathcal{L}_{cGAN}(G, D) = \mathbb{E}_{x,y}[\log D(x, y)]"
    r" + \mathbb{E}_{x,z}[\log(1 - D(x, G(x, z)))]",
    "pix2pix.2": r"\mathcal{L}_{GAN}(G, D) = \mathbb{E}_y[\log D(y)]"
    r" + \mathbb{E}_{x,z}[\log(1 - D(G(x, z)))]",
    "pix2pix.3": r"\mathcal{L}_{L1}(G) = \mathbb{E}_{x,y,z}[\|y - G(x, z)\|_1]",
    "pix2pix.4": r"G^* = \arg \min_G \max_D \mathcal{L}_{cGAN}(G, D)"
    r" + \lambda \mathcal{L}_{L1}(G)",
}

JUDGED = {
    "pair": "the conditional GAN: D(x, y)",
    "picture": "the GAN: D(y)",
    "none": "no D",
}


class Pix2Pix(Translating):
    """One update of D and one of G for each minibatch of pairs.

    D maps (x, y), or y alone where `judge` is "picture", to logits; without one there is no game.
    `weight_l1` is lambda, on the mean over the numbers of a picture. Raises OptionError where
    nothing is left for G to descend.
    """

    def __init__(
        self, G: Layer, D: Layer | None, *, judge: str, weight_l1: float, **shared: Any
    ) -> None:
        known("judge", judge, JUDGED)
        if (D is None) != (judge == "none"):
            wanted = "no discriminator" if judge == "none" else "a discriminator"
            raise OptionError(f"judge {judge!r} needs {wanted}")
        if D is None and not weight_l1:
            raise OptionError("neither D nor the L1 term is on: G has nothing to descend")
        super().__init__({"G": G} | ({} if D is None else {"D": D}), **shared)
        self.G, self.D = G, D
        self.judge = judge
        self.weight_l1 = weight_l1

    def step(self, pairs: Array) -> Scalars:
        """One training iteration on aligned pairs."""
        x, y = self.split(pairs)
        fake, G_ctx = self.G.forward(x)
        scalars: Scalars = {}
        if self.D is not None:
            scalars |= self.update_discriminator("D", y, fake, self.given(x))
        return scalars | self.update_generator(x, y, fake, G_ctx)

    def update_generator(self, x: Array, y: Array, fake: Array, G_ctx: Any) -> Scalars:
        """Descend pix2pix.4 in G's parameters, from its forward pass on x; D is frozen."""
        G = self.G
        G.flat.zero_grad()
        close, dclose = mean_absolute_error(fake, y)  # eq: pix2pix.3
        fooling, dfake = 0.0, self.weight_l1 * dclose
        terms: Scalars = {"L1": close}
        if self.D is not None:
            fooling, dfooling = self.fool("D", fake, y, self.given(x))
            terms["GAN_G"] = fooling
            dfake = dfooling + dfake  # eq: pix2pix.4
        G.backward(dfake, G_ctx, need_dx=False)
        loss = fooling + self.weight_l1 * close
        norm = self.descend("G", loss)
        return {"loss_G": loss, **terms, "grad_norm_G": norm}

    def given(self, x: Array) -> Array | None:
        """What D is shown beside y."""
        return x if self.judge == "pair" else None


@dataclass(frozen=True, kw_only=True)
class Options(TranslationOptions):
    """The paper's: lambda 100, a U-Net, patches of 70x70, Adam(2e-4, 0.5, 0.999), batches of 1."""

    judge: str = option("pair", "what D is shown: the pair, the picture y alone, or none", JUDGED)
    weight_l1: float = option(100.0, "lambda of the close term")
    weight_gan: float = option(1.0, "factor of G's adversarial term")


def build(options: Options, task: Task, streams: Streams) -> Pix2Pix:
    """The networks that the options choose. Raises OptionError, for sizes too."""
    size, (cx, cy) = options.check(task)
    known("judge", options.judge, JUDGED)
    networks = options.build_generators(size, (cx, cy), streams.weights)
    if options.judge != "none":
        beside = cx if options.judge == "pair" else 0
        networks["D"] = options.build_discriminator(size, cy, beside, streams.weights)
    return Pix2Pix(
        networks["G"],
        networks.get("D"),
        judge=options.judge,
        weight_l1=options.weight_l1,
        weight_gan=options.weight_gan,
        optimizers=options.build_optimizers(task, networks),
        **options.shared(task, streams),
    )
