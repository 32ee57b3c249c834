r"""SRGAN: pictures 2 or 4 times larger, with detail that was not there (Ledig et al. 2017).

G enlarges small pictures I^LR; D tells what it makes from true large ones I^HR. The mean squared
error alone leaves detail out, an average of all that it may be, so D's opinion counts too:

    for a number of updates do
        update G by descending the mean squared error                       srgan.4
    for a number of updates do
        update D by ascending, with G frozen                                srgan.2
        update G by descending content loss + 1e-3 adversarial loss         srgan.3
    end for

The first loop makes SRResNet, which starts the second one "to avoid undesired local optima"
(section 3.2); of the paper's 1.2 million updates it has a million, and so five sixths here unless
told. The paper's last 10^5 updates have a tenth of the learning rate, for which there is
`--schedule`.

Content is the mean squared error again, or that of features, for which the paper takes VGG19
trained on ImageNet and minigan its own small classifiers (content.py). Small pictures are means
over squares of s x s pixels; the paper's are from a bicubic kernel.

ESRGAN (Wang et al. 2018, section 3) changes four things, each of which is an option:

    G, of dense blocks without batch norm (models/rrdb.py)    --generator rrdb
    the game, the relativistic average one                    --objective relativistic-average
    content, of features before their activation              --content NAME --content-before
    an L1 term beside it, as in the first loop (esrgan.3)     --weight-l1 0.01 --pretrain-loss l1

with lambda, `--weight-gan`, at 5e-3 (section 4.1). Its content is of VGG19 as SRGAN's, here of
minigan's classifiers; distances of features are squared, as SRGAN's.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np

from minigan.algorithms.base import Scalars
from minigan.algorithms.checks import check_counts
from minigan.algorithms.options import Streams, Task
from minigan.algorithms.restoration.content import CONTENTS, Content, content_of
from minigan.algorithms.restoration.options import RestorationOptions
from minigan.algorithms.settings import Company, Needs, known, option
from minigan.algorithms.translation.base import Translating
from minigan.algorithms.translation.shared_options import Rng, Size
from minigan.backend import Array
from minigan.layers import Layer
from minigan.losses.distance import mean_absolute_error, mean_squared_error
from minigan.metrics.shipped import SHIPPED
from minigan.models import rrdbnet, srgan_discriminator, srresnet
from minigan.models.rrdb import BLOCKS
from minigan.models.srgan import check_scale

PAPER = {
    "srgan": "Ledig et al. 2017, Photo-realistic single image super-resolution using a generative"
    " adversarial network, arXiv:1609.04802, section 2",
    "esrgan": "Wang et al. 2018, ESRGAN: enhanced super-resolution generative adversarial"
    " networks, arXiv:1809.00219, section 3",
}

EQUATIONS = {
    "srgan.1": r"\hat{\theta}_G = \arg \min_{\theta_G} \frac{1}{N} \sum_{n=1}^N"
    r" l^{SR}(G_{\theta_G}(I^{LR}_n), I^{HR}_n)",
    "srgan.2": r"\min_{\theta_G} \max_{\theta_D}"
    r" \mathbb{E}_{I^{HR} \sim p_{train}(I^{HR})}[\log D_{\theta_D}(I^{HR})]"
    r" + \mathbb{E}_{I^{LR} \sim p_G(I^{LR})}[\log(1 - D_{\theta_D}(G_{\theta_G}(I^{LR})))]",
    "srgan.3": r"l^{SR} = l^{SR}_X + 10^{-3} l^{SR}_{Gen}",
    "srgan.4": r"l^{SR}_{MSE} = \frac{1}{r^2 W H} \sum_{x=1}^{rW} \sum_{y=1}^{rH}"
    r" (I^{HR}_{x,y} - G_{\theta_G}(I^{LR})_{x,y})^2",
    "srgan.5": r"l^{SR}_{VGG/i,j} = \frac{1}{W_{i,j} H_{i,j}} \sum_{x=1}^{W_{i,j}}"
    r" \sum_{y=1}^{H_{i,j}} (\phi_{i,j}(I^{HR})_{x,y} - \phi_{i,j}(G_{\theta_G}(I^{LR}))_{x,y})^2",
    "srgan.6": r"l^{SR}_{Gen} = \sum_{n=1}^N -\log D_{\theta_D}(G_{\theta_G}(I^{LR}))",
    "esrgan.3": r"L_G = L_{percep} + \lambda L_G^{Ra} + \eta L_1,"
    r" \quad L_1 = \mathbb{E}_{x_i} \| G(x_i) - y \|_1",
}

KINDS = ("srresnet", "rrdb")
ALONE = {"mse": mean_squared_error, "l1": mean_absolute_error}  # what G descends in the first loop


class SRGAN(Translating):
    """The two loops above, on degraded pictures x that show each small pixel scale x scale times.

    pretrain: updates of the first loop; alone: its loss. content, weight_content: l_X of the second
    one, and its factor; weight_gan is the paper's 1e-3, and weight_l1 ESRGAN's eta.
    """

    share_D: ClassVar[float] = 1.0

    def __init__(
        self,
        G: Layer,
        D: Layer,
        *,
        scale: int,
        pretrain: int,
        content: Content,
        weight_content: float = 1.0,
        weight_l1: float = 0.0,
        alone: Callable[[Array, Array], tuple[Any, Array]] = mean_squared_error,
        **shared: Any,
    ) -> None:
        super().__init__({"G": G, "D": D}, **shared)
        self.G, self.D = G, D
        self.scale, self.pretrain = scale, pretrain
        self.alone, self.content = alone, content
        self.weight_content, self.weight_l1 = weight_content, weight_l1
        self.stage_starts = sorted({0, pretrain})

    @property
    def step_kind(self) -> str:
        """Whether the next step is of G "alone" or of the "game"."""
        return "alone" if self.optimizers["G"].t < self.pretrain else "game"

    def skip_to(self, step: int) -> None:
        self.optimizers["G"].t = step

    def step(self, pairs: Array) -> Scalars:
        """One update of either loop."""
        x, y = self.split(pairs)
        alone = self.step_kind == "alone"
        fake, G_ctx = self.G.forward(self.small(x))
        scalars: Scalars = {}
        if not alone:
            scalars |= self.update_discriminator("D", y, fake)  # eq: srgan.2
        return scalars | self.update_generator(y, fake, G_ctx, alone=alone)

    def update_generator(self, y: Array, fake: Array, G_ctx: Any, *, alone: bool) -> Scalars:
        """Descend srgan.4, or srgan.3, in G's parameters; D is frozen."""
        G = self.G
        G.flat.zero_grad()
        if alone:
            loss, dfake = self.alone(fake, y)  # eq: srgan.4
            terms: Scalars = {"content": loss}
        else:
            content, dcontent = self.content(fake, y)  # eq: srgan.4, srgan.5
            fooling, dfooling = self.fool("D", fake, y)  # eq: srgan.6
            loss = self.weight_content * content + fooling  # eq: srgan.3
            dfake = self.weight_content * dcontent + dfooling
            terms = {"content": content, "GAN_G": fooling}
            if self.weight_l1:
                close, dclose = mean_absolute_error(fake, y)
                loss = loss + self.weight_l1 * close  # eq: esrgan.3
                dfake = dfake + self.weight_l1 * dclose
                terms["L1"] = close
        G.backward(dfake, G_ctx, need_dx=False)
        norm = self.descend("G", loss)  # eq: srgan.1
        return {"loss_G": loss, **terms, "grad_norm_G": norm}

    def small(self, x: Array) -> Array:
        """The small pictures that x shows: one pixel of every scale x scale."""
        return x[:, :: self.scale, :: self.scale].copy()

    def translate(
        self, x: Array, rng: np.random.Generator, *, name: str = "G", z: Array | None = None
    ) -> Array:
        """Pictures of x's size as G makes them of the small ones, held in [-1, 1]."""
        return np.clip(super().translate(self.small(x), rng, name=name, z=z), -1, 1)

    def to(self, device: str) -> Self:
        """As its base's; the network of the content loss moves too."""
        self.content.to(device)
        return super().to(device)

    def notes(self) -> list[str]:
        """From what size to which, and how the steps are shared out."""
        h, w = (int(side) for side in self.sides[:2])
        s = self.scale
        return [
            f"G enlarges pictures of {h // s}x{w // s} to {h}x{w}",
            f"G learns alone for {self.pretrain} steps, then against D",
        ]


@dataclass(frozen=True, kw_only=True)
class Options(RestorationOptions):
    """The paper's: 16 blocks of 64 filters, Adam(1e-4, 0.9), 1e-3 for D's opinion."""

    degradation: ClassVar[str] = "shrunk"
    keeps_size: ClassVar[bool] = True
    only_with: ClassVar[Company] = {
        "growth": Needs(("generator",), ("rrdb",)),
        "content_layer": Needs(("content",), tuple(SHIPPED)),
        "content_before": Needs(("content",), tuple(SHIPPED)),
    }

    lr: float = option(1e-4, "learning rate")
    beta1: float | None = option(0.9, "averaging factor of adam's first moment")
    scale: int = option(4, "how many times larger pictures become: 2 or 4")
    generator: str = option("srresnet", "network that enlarges; rrdb is ESRGAN's", KINDS)
    width: int = option(64, "filters of G's convolutions and of D's first")
    blocks: int | None = option(None, "residual blocks of G (default: 16; rrdb 23)")
    growth: int = option(32, "rrdb: filters of the convolutions within dense blocks")
    pretrain: int | None = option(
        None, "steps of G alone, on the mean squared error (default: five sixths of --steps)"
    )
    pretrain_loss: str = option("mse", "what G descends in these steps; l1: ESRGAN's", ALONE)
    content: str = option("mse", "content loss beside D: pixels, or a classifier's", CONTENTS)
    content_layer: int | None = option(
        None, "the classifier's convolution whose features count: 1 to 3 (default: the last)"
    )
    content_before: bool = option(False, "features before their activation, as ESRGAN has them")
    weight_content: float = option(1.0, "factor of the content loss beside D")
    weight_l1: float = option(0.0, "factor of an L1 term beside D; 0.01 in ESRGAN")
    weight_gan: float = option(1e-3, "factor of G's adversarial loss")

    @property
    def degraded_by(self) -> dict[str, Any]:
        return {"scale": check_scale(self.scale)}

    @property
    def enlarges(self) -> int:
        return self.scale

    def check_size(self, size: Size, trained: Size) -> None:
        """Pictures of any size go through G."""

    def build_translator(
        self, size: Size, channels: tuple[int, int], name: str, rng: Rng
    ) -> tuple[dict[str, Layer], Layer]:
        known("generator", self.generator, GENERATORS)
        G = GENERATORS[self.generator](self, channels[1], rng)
        return {"G": G}, G

    def alone(self, steps: int) -> int:
        """Steps of the first loop in a run of `steps`. Raises OptionError for less than none."""
        check_counts(self, "pretrain", least=0)
        return steps * 5 // 6 if self.pretrain is None else self.pretrain


def _srresnet(o: Options, channels: int, rng: Rng) -> Layer:
    blocks = 16 if o.blocks is None else o.blocks
    return srresnet(channels, scale=o.scale, width=o.width, blocks=blocks, rng=rng)


def _rrdb(o: Options, channels: int, rng: Rng) -> Layer:
    blocks = BLOCKS if o.blocks is None else o.blocks
    return rrdbnet(channels, scale=o.scale, width=o.width, growth=o.growth, blocks=blocks, rng=rng)


GENERATORS: dict[str, Callable[[Options, int, Rng], Layer]] = {
    "srresnet": _srresnet,
    "rrdb": _rrdb,
}


def build(options: Options, task: Task, streams: Streams) -> SRGAN:
    """The networks that the options choose. Raises OptionError, for sizes too."""
    size, channels = options.check(task)
    y_shape = (*size, channels[1])
    known("content", options.content, dict.fromkeys(CONTENTS))
    known("loss", options.pretrain_loss, ALONE)
    content = content_of(
        options.content, y_shape, options.content_layer, activated=not options.content_before
    )
    pretrain = options.alone(task.steps)
    _, G = options.build_translator(size, channels, "G", streams.weights)
    D = srgan_discriminator(y_shape, width=options.width, rng=streams.weights)
    game = task._replace(steps=max(1, task.steps - pretrain))
    return SRGAN(
        G,
        D,
        scale=options.scale,
        pretrain=pretrain,
        content=content,
        weight_content=options.weight_content,
        weight_l1=options.weight_l1,
        alone=ALONE[options.pretrain_loss],
        weight_gan=options.weight_gan,
        optimizers={
            "G": options.build_optimizer(G.flat, task),
            "D": options.build_optimizer(D.flat, game),
        },
        **options.shared(task, streams),
    )
