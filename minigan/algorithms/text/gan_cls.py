r"""GAN-CLS: text to image with a discriminator that is aware of matching (Reed et al. 2016).

    for n = 1 to S do
        h = E(t)                              encode the matching description
        h^ = E(t^)                            encode a mis-matching one
        z ~ N(0, 1)
        x^ = G(z, h)                          forward through the generator
        s_r = D(x, h), s_w = D(x, h^), s_f = D(x^, h)
        update D, and E with it               gancls.d
        update G                              gancls.g
    end for

The paper's E was trained beforehand; here D's loss trains it from the first step. t^ is the caption
of the next picture of the minibatch: where both happen to say the same, D is told something wrong,
which is rare as long as the data has many captions.

As printed, gancls.d and gancls.g descend what has to be ascended; the code ascends it.
"""

from __future__ import annotations

from dataclasses import dataclass

from minigan.algorithms.base import Scalars
from minigan.algorithms.options import Streams, Task
from minigan.algorithms.settings import option
from minigan.algorithms.text.base import TextGame
from minigan.algorithms.text.options import TextOptions
from minigan.backend import Array
from minigan.models import text_generator

PAPER = "Reed et al. 2016, Generative adversarial text to image synthesis, arXiv:1605.05396"

EQUATIONS = {
    "gancls.code": r"h \leftarrow \varphi(t), \quad \hat{x} \leftarrow G(z, h)",
    "gancls.d": r"D \leftarrow D - \alpha \, \partial \mathcal{L}_D / \partial D",
    "gancls.g": r"\mathcal{L}_G \leftarrow \log(s_f), \quad"
    r" G \leftarrow G - \alpha \, \partial \mathcal{L}_G / \partial G",
}


class GANCLS(TextGame):
    """Algorithm 1 of the paper, over the networks E, G and D."""

    def step(self, x: Array, text: Array) -> Scalars:  # type: ignore[override]
        """One iteration on pictures (m, H, W, C) and their captions (m, T)."""
        E, G = self.networks["E"], self.networks["G"]
        h, E_ctx = E.forward(text)  # eq: gancls.code
        z = self.prior.draw(len(x), self.rng)
        fake, G_ctx = G.forward(h, z)  # eq: gancls.code
        scalars, dh = self.update_discriminator("D", x, fake, h)
        scalars |= self.update_encoder(dh, E_ctx, scalars)
        G.flat.zero_grad()
        loss, dfake = self.fool("D", fake, h, x)
        G.backward(dfake, G_ctx, need_dx=False)  # eq: gancls.g
        norm = self.descend("G", loss)
        return scalars | {"loss_G": loss, "grad_norm_G": norm}

    def pictures(self, h: Array, z: Array) -> Array:
        x, _ = self.networks["G"].forward(h, z, train=False)
        return x


@dataclass(frozen=True, kw_only=True)
class Options(TextOptions):
    """What every game about captions has, with the paper's code of 128 numbers."""

    code_dim: int = option(128, "numbers of a caption's code, which G and D take")


def build(options: Options, task: Task, streams: Streams) -> GANCLS:
    """GAN-CLS on DCGAN's networks. Raises OptionError for values that cannot be."""
    options.check(task)
    networks = {
        "E": options.build_encoder(task, streams),
        "G": text_generator(
            options.text_dim,
            options.z_dim,
            task.shape,
            code_dim=options.code_dim,
            width=options.width,
            norm=options.norm_G,
            rng=streams.weights,
        ),
        "D": options.build_discriminator(task.shape, streams),
    }
    return GANCLS(networks, **options.shared(networks, task, streams))
