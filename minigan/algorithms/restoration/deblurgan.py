r"""DeblurGAN: pictures without the blur of a camera that moved (Kupyn et al. 2018).

G takes a blurred picture I^B and adds to it what it lacks; the critic D holds what comes of it
against sharp pictures I^S. D is not shown I^B, as pix2pix's is: whether I^B is answered is for the
content loss to say (section 3.1).

    for number of training iterations do
        restore m blurred pictures
        for k steps do
            update D by descending -(deblurgan.3), with its penalty     deblurgan.4
        end for
        update G by descending                                          deblurgan.5
    end for

Content is a distance of features (deblurgan.7), in the paper of VGG19's convolution 3,3. Here
minigan's own classifiers stand in its place (content.py), with their first convolution: it makes
more numbers than a picture has, twice as many of colours; the last one makes a quarter as many, and
leaves open most of what a picture is.

Each of the k = 5 steps of D sees the same pictures, as in the authors' code, where WGAN-GP draws
others. The penalty is on the gradient of the sum of D's patches. Dropout stays on when pictures are
restored, as pix2pix has it (section 5); without it, `--dropout 0`, there is one answer.

Pictures are blurred as they are drawn (data/motion.py).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np

from minigan.algorithms.base import Scalars
from minigan.algorithms.checks import check_counts
from minigan.algorithms.objective_options import ObjectiveOptions
from minigan.algorithms.options import SCHEDULES, Streams, Task
from minigan.algorithms.restoration.content import CONTENTS, Content, content_of, fitting
from minigan.algorithms.restoration.options import RestorationOptions
from minigan.algorithms.settings import known, option
from minigan.algorithms.translation.base import Translating
from minigan.algorithms.translation.shared_options import SCORED, Rng, Size
from minigan.backend import Array
from minigan.errors import OptionError
from minigan.layers import Layer
from minigan.losses import PENALTIES
from minigan.models import deblurring_generator, patch_discriminator
from minigan.models.enlarging import UPSAMPLING
from minigan.models.resnet import HALVINGS, LEAST

PAPER = (
    "Kupyn et al. 2018, DeblurGAN: blind motion deblurring using conditional adversarial networks,"
    " arXiv:1711.07064, section 3"
)

EQUATIONS = {
    "deblurgan.3": r"\min_G \max_{D \in \mathcal{D}} \mathbb{E}_{x \sim P_r}[D(x)]"
    r" - \mathbb{E}_{\tilde x \sim P_g}[D(\tilde x)]",
    "deblurgan.4": r"\lambda \mathbb{E}_{\tilde x \sim P_{\tilde x}}"
    r"[(\|\nabla_{\tilde x} D(\tilde x)\|_2 - 1)^2]",
    "deblurgan.5": r"\mathcal{L} = \mathcal{L}_{GAN} + \lambda \cdot \mathcal{L}_X",
    "deblurgan.6": r"\mathcal{L}_{GAN} = \sum_{n=1}^N -D_{\theta_D}(G_{\theta_G}(I^B))",
    "deblurgan.7": r"\mathcal{L}_X = \frac{1}{W_{i,j} H_{i,j}} \sum_{x=1}^{W_{i,j}}"
    r" \sum_{y=1}^{H_{i,j}} (\phi_{i,j}(I^S)_{x,y} - \phi_{i,j}(G_{\theta_G}(I^B))_{x,y})^2",
}

NORMS_G = ("batch", "instance", "none")
NORMS_D = ("batch", "instance", "layer", "none")
MULTIPLE = 1 << HALVINGS  # of which both sides of a picture are, in G


class DeblurGAN(Translating):
    """k updates of D and one of G for each minibatch of pictures, blurred and sharp.

    Without a D there is content alone. `weight_content` is lambda.
    """

    share_D: ClassVar[float] = 1.0

    def __init__(
        self,
        G: Layer,
        D: Layer | None,
        *,
        k: int,
        content: Content,
        weight_content: float,
        **shared: Any,
    ) -> None:
        super().__init__({"G": G} | ({} if D is None else {"D": D}), **shared)
        self.G, self.D, self.k = G, D, k
        self.content, self.weight_content = content, weight_content

    def step(self, pairs: Array) -> Scalars:
        """One training iteration on blurred pictures beside sharp ones."""
        x, y = self.split(pairs)
        restored, G_ctx = self.G.forward(x)
        scalars: Scalars = {}
        for _ in range(self.k if self.D is not None else 0):
            scalars |= self.update_discriminator("D", y, restored)  # eq: deblurgan.3, deblurgan.4
        return scalars | self.update_generator(y, restored, G_ctx)

    def update_generator(self, y: Array, restored: Array, G_ctx: Any) -> Scalars:
        """Descend deblurgan.5 in G's parameters; D is frozen."""
        G = self.G
        G.flat.zero_grad()
        content, dcontent = self.content(restored, y)  # eq: deblurgan.7
        loss, drestored = self.weight_content * content, self.weight_content * dcontent
        terms: Scalars = {"content": content}
        if self.D is not None:
            fooling, dfooling = self.fool("D", restored, y)  # eq: deblurgan.6
            terms["GAN_G"] = fooling
            loss, drestored = fooling + loss, dfooling + drestored  # eq: deblurgan.5
        G.backward(drestored, G_ctx, need_dx=False)
        norm = self.descend("G", loss)
        return {"loss_G": loss, **terms, "grad_norm_G": norm}

    def to(self, device: str) -> Self:
        """As its base's; the network of the content loss moves too."""
        self.content.to(device)
        return super().to(device)


@dataclass(frozen=True, kw_only=True)
class Options(ObjectiveOptions, RestorationOptions):
    """The paper's: nine blocks, lambda 100, a critic of five steps under a gradient penalty of 10,
    Adam(1e-4) with a rate that falls from half-way on, batches of 1 (section 5); and its code's
    beta1 of 0.5."""

    degradation: ClassVar[str] = "blurred"
    keeps_size: ClassVar[bool] = True

    objective: str = option("wasserstein", "what the players descend", SCORED)
    penalty: str = option("wgan-gp", "gradient penalty on D", ["none", *PENALTIES])
    k: int = option(5, "discriminator steps per generator step")
    lr: float = option(1e-4, "learning rate")
    schedule: str = option("linear", "learning rate over time; linear: from half-way", SCHEDULES)
    length: float | None = option(
        None, "pixels that the camera moves (default: 60 of 256, as the paper's)"
    )
    width: int = option(64, "channels of the first layer of G and of D")
    blocks: int = option(9, "residual blocks of G")
    dropout: float = option(0.5, "of G's blocks, in its pictures too; 0: one answer")
    up: str = option(
        "transposed",
        "how pictures are enlarged; transposed convolutions can draw checkerboards, resize cannot",
        UPSAMPLING,
    )
    norm_G: str = option("instance", "norm in G", NORMS_G)
    norm_D: str = option("instance", "norm in D; a penalty takes none over a batch", NORMS_D)
    patch: int = option(70, "receptive field of D's patches: 1, 7, 16, 34, 70, 142, 286, ...")
    content: str | None = option(
        None,
        "content loss: pixels, or a classifier's (default: the one that takes such pictures)",
        CONTENTS,
    )
    content_layer: int | None = option(
        None, "the classifier's convolution whose features count: 1 to 3 (default: 1)"
    )
    weight_content: float = option(100.0, "lambda of the content loss")
    weight_gan: float = option(1.0, "factor of G's adversarial loss; 0: no D")

    @property
    def degraded_by(self) -> dict[str, Any]:
        return {"length": self.length}

    @property
    def noisy(self) -> bool:
        """Dropout stays on where there is any."""
        return self.dropout > 0

    def check_size(self, size: Size, trained: Size) -> None:
        """Pictures of any size go through G."""

    def through(self, make: Callable[[Array], Array], x: Array) -> Array:
        """Of a size that G halves twice: borders are mirrored as far as that takes."""
        h, w = x.shape[1:3]
        rows, columns = (max(-(-side // MULTIPLE), LEAST) * MULTIPLE for side in (h, w))
        wider = np.pad(x, [(0, 0), (0, rows - h), (0, columns - w), (0, 0)], "symmetric")
        return make(wider)[:, :h, :w]

    def build_translator(
        self, size: Size, channels: tuple[int, int], name: str, rng: Rng
    ) -> tuple[dict[str, Layer], Layer]:
        G = deblurring_generator(
            (*size, channels[1]),
            width=self.width,
            blocks=self.blocks,
            norm=self.norm_G,
            dropout=self.dropout,
            up=self.up,
            rng=rng,
        )
        return {"G": G}, G

    def steps_per_iteration(self, name: str) -> int:
        return self.k if name == "D" else 1

    def build_content(self, shape: tuple[int, ...]) -> Content:
        """The distance of pictures (H, W, C). Raises OptionError where there is none."""
        name = fitting(shape) if self.content is None else self.content
        known("content", name, dict.fromkeys(CONTENTS))
        if name == "mse" and self.content_layer is not None:
            raise OptionError(
                f"--content-layer {self.content_layer} is a classifier's, and content is of pixels "
                "here (mse); leave it out"
            )
        layer = 1 if self.content_layer is None else self.content_layer
        return content_of(name, shape, layer)

    def build_discriminator(self, shape: tuple[int, ...], rng: Rng) -> Layer:
        """Of pictures (H, W, C). Raises OptionError for a size."""
        known("norm", self.norm_D, dict.fromkeys(NORMS_D))
        return patch_discriminator(
            shape, patch=self.patch, width=self.width, norm=self.norm_D, rng=rng
        )


def build(options: Options, task: Task, streams: Streams) -> DeblurGAN:
    """The networks that the options choose. Raises OptionError, for sizes too."""
    size, channels = options.check(task)
    check_counts(options, "k", "blocks")
    if not (options.weight_content or options.weight_gan):
        raise OptionError("--weight-content 0 and --weight-gan 0 leave G nothing to descend")
    y_shape = (*size, channels[1])
    networks, _ = options.build_translator(size, channels, "G", streams.weights)
    if options.weight_gan:
        networks["D"] = options.build_discriminator(y_shape, streams.weights)
    return DeblurGAN(
        networks["G"],
        networks.get("D"),
        k=options.k,
        content=options.build_content(y_shape),
        weight_content=options.weight_content,
        weight_gan=options.weight_gan,
        terms=options.build_terms(),
        optimizers=options.build_optimizers(task, networks),
        **options.shared(task, streams),
    )
