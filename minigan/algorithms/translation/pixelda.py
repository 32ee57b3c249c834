r"""PixelDA: a classifier for pictures that nobody has labelled (Bousmalis et al. 2017).

There are labelled pictures x^s of a source domain, say digits, and pictures x^t of a target domain
without labels, say digits over patterns. A classifier of the source fails on the target. G(x^s, z)
makes x^s look like pictures of the target, another one for each z; D tells such adapted pictures
from true ones; and the task classifier T learns from adapted pictures with the labels that their
x^s has. Two steps alternate (section 3), each on a minibatch and noise of its own:

    for number of training iterations do
        sample m pictures x^s with their labels y^s, m pictures x^t, m z from U(-1, 1)
        update D and T, G being fixed, by their halves of      pixelda.1
        sample m others
        update G, D and T being fixed, by                      pixelda.1, or pixelda.4
    end for

T learns from x^s as well as from G(x^s, z) (pixelda.3). Without x^s, T and G may agree on other
names for the classes, for neither step compares what is named with what is seen; and G descends
T's loss too, so that a 7 has to stay one that T can read. Where it is known what of a picture is in
the foreground, G can be held to keep it, up to its brightness (pixelda.5).

G descends -log D(G(x^s, z)) in the place of log(1 - D(G(x^s, z))), as in the authors' code
(tensorflow/models, research/domain_adaptation). There, T has a first layer of its own for x^s; here
all of it is shared, as pixelda.3 has it. Rates fall by a twentieth every 20,000 steps there. Each
network has an Adam here, and D and T one there: that is the same, for Adam moves each weight by
itself, and leaves no trace of a factor of D's or T's loss. So alpha and beta weigh G's terms alone.

`method` source-only trains T on x^s alone: what is to be surpassed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import numpy as np

from minigan.algorithms.base import Scalars
from minigan.algorithms.checks import check_counts
from minigan.algorithms.conditional.base import LabelNames
from minigan.algorithms.options import Streams, Task
from minigan.algorithms.pair_options import PairDataOptions
from minigan.algorithms.settings import Company, Needs, known, option
from minigan.algorithms.translation.base import Translating
from minigan.algorithms.translation.shared_options import Rng, Size, TranslatingOptions
from minigan.backend import Array, to_device, to_host
from minigan.errors import OptionError
from minigan.layers import Layer
from minigan.losses.categorical import categorical_nll
from minigan.losses.pairwise import masked_pairwise_error
from minigan.models import pixelda_discriminator, pixelda_generator, task_classifier
from minigan.ops.labels import multi_hot
from minigan.prior import Prior

PAPER = (
    "Bousmalis et al. 2017, Unsupervised pixel-level domain adaptation with generative adversarial"
    " networks, arXiv:1612.05424, section 3"
)

EQUATIONS = {
    "pixelda.1": r"\min_{\theta_G, \theta_T} \max_{\theta_D} \alpha \mathcal{L}_d(D, G)"
    r" + \beta \mathcal{L}_t(T, G)",
    "pixelda.2": r"\mathcal{L}_d(D, G) = \mathbb{E}_{x^t}[\log D(x^t)]"
    r" + \mathbb{E}_{x^s, z}[\log(1 - D(G(x^s, z)))]",
    "pixelda.3": r"\mathcal{L}_t(G, T) = \mathbb{E}_{x^s, y^s, z}"
    r"[-{y^s}^\top \log T(G(x^s, z)) - {y^s}^\top \log T(x^s)]",
    "pixelda.4": r"\min_{\theta_G, \theta_T} \max_{\theta_D} \alpha \mathcal{L}_d(D, G)"
    r" + \beta \mathcal{L}_t(T, G) + \gamma \mathcal{L}_c(G)",
    "pixelda.5": r"\mathcal{L}_c(G) = \mathbb{E}_{x^s, z}"
    r"[\frac{1}{k} \|(x^s - G(x^s, z)) \circ m\|_2^2"
    r" - \frac{1}{k^2} ((x^s - G(x^s, z))^\top m)^2]",
}

METHODS = {
    "pixelda": "T on source and adapted pictures",
    "source-only": "T on source pictures alone",
}
STEPS = 2  # of an iteration, each with a minibatch of its own
NEAR = 0.05  # of black or white, of the numbers from -1 to 1: what counts as background

# What L_c holds G to: a mask m (N, H, W, 1) of pictures x^s.
FOREGROUNDS: dict[str, Callable[[Array], Array]] = {
    "all": lambda x: np.ones_like(x[..., :1]),
    "not-black": lambda x: (x.max(-1, keepdims=True) > NEAR - 1).astype(x.dtype),
    "not-white": lambda x: (x.min(-1, keepdims=True) < 1 - NEAR).astype(x.dtype),
}


class Weights(NamedTuple):
    """Of G's terms beside the adversarial one: beta and gamma."""

    task: float
    content: float


class PixelDA(Translating):
    """The loop above. G: (x, z) -> pictures like y; D of these; T: pictures -> logits (N, K).

    In the code x is the paper's x^s and y its x^t, as in every translation, and labels are x's. G
    and D are None where T is trained on x alone. foreground: a key of FOREGROUNDS, or None without
    L_c. label_names: the one label, and its classes.
    """

    share_D: ClassVar[float] = 1.0  # of L_d

    def __init__(
        self,
        G: Layer | None,
        D: Layer | None,
        T: Layer,
        *,
        prior: Prior,
        weights: Weights,
        foreground: str | None,
        label_names: LabelNames,
        **shared: Any,
    ) -> None:
        named = {"G": G, "D": D, "T": T}
        super().__init__({k: net for k, net in named.items() if net is not None}, **shared)
        self.G, self.D, self.T = G, D, T
        self.prior = None if G is None else prior
        self.weights = weights
        self.foreground = None if foreground is None else FOREGROUNDS[foreground]
        ((self.label, classes),) = label_names.items()
        self.classes = len(classes)
        self.minibatches = STEPS

    def step(self, pairs: Array, labels: Array) -> Scalars:  # type: ignore[override]  # of x
        """One iteration on 2 m pictures of each domain and the labels (2 m, 1) of the source's.

        m of them are for D and T, the others for G. Raises OptionError for an odd number.
        """
        if len(pairs) % STEPS:
            raise OptionError(f"{len(pairs)} examples cannot be split into two minibatches")
        (first, second), (c, c_G) = (
            np.split(a, STEPS) for a in (pairs, multi_hot(labels, [self.classes], pairs.dtype))
        )
        x, y = self.split(first)
        if self.G is None:
            return self.update_classifier(x, c, None)
        fake, _ = self.G.forward(x, self.noise(x), update_stats=False)
        scalars = self.update_discriminator("D", y, fake)  # eq: pixelda.1, pixelda.2
        scalars |= self.update_classifier(x, c, fake)  # eq: pixelda.1
        return scalars | self.update_generator(self.G, *self.split(second), c_G)

    def update_classifier(self, x: Array, c: Array, fake: Array | None) -> Scalars:
        """Descend L_t in T, of pictures x, of the adapted ones if there are any, and classes c."""
        T = self.T
        T.flat.zero_grad()
        loss: Any = 0.0
        said: Scalars = {}
        shown = {"x": x} if fake is None else {"x": x, "G(x, z)": fake}
        for name, pictures in shown.items():
            logits, ctx = T.forward(pictures)
            task, dlogits = categorical_nll(logits, c)  # eq: pixelda.3
            T.backward(dlogits, ctx, need_dx=False)
            loss = loss + task  # eq: pixelda.3
            said[f"task({name})"] = task
        return {"loss_T": loss, **said, "grad_norm_T": self.descend("T", loss)}

    def update_generator(self, G: Layer, x: Array, y: Array, c: Array) -> Scalars:
        """Descend pixelda.1, or pixelda.4, in G, with D and T fixed."""
        T, weights = self.T, self.weights
        G.flat.zero_grad()
        fake, G_ctx = G.forward(x, self.noise(x))
        loss, dfake = self.fool("D", fake, y)  # eq: pixelda.2
        said: Scalars = {"GAN_G": loss}
        logits, T_ctx = T.forward(fake, update_stats=False)
        task, dlogits = categorical_nll(logits, c)  # eq: pixelda.3
        dfake = dfake + T.backward(weights.task * dlogits, T_ctx, need_dw=False)
        loss = loss + weights.task * task  # eq: pixelda.1
        said["task_G"] = task
        if self.foreground is not None:
            content, dcontent = masked_pairwise_error(fake, x, self.foreground(x))  # eq: pixelda.5
            dfake = dfake + weights.content * dcontent
            loss = loss + weights.content * content  # eq: pixelda.4
            said["content"] = content
        G.backward(dfake, G_ctx, need_dx=False)
        return {"loss_G": loss, **said, "grad_norm_G": self.descend("G", loss)}

    def noise(self, x: Array) -> Array:
        """A z for each of the pictures that G adapts."""
        assert self.prior is not None
        return self.prior.draw(len(x), self.rng).astype(x.dtype)

    def told_apart(self, name: str) -> tuple[str, str]:
        return "y", "G(x, z)"

    def classify(self, x: Array) -> Array:
        """The likeliest class of each picture of the host, int (N,)."""
        logits, _ = self.T.forward(to_device(x, self.device), train=False)
        return to_host(logits).argmax(1)

    def sample(self, n: int, rng: np.random.Generator) -> Array:
        """G(x, z) of n pictures of the source, always the same; x itself where there is no G."""
        if self.G is not None:
            return super().sample(n, rng)
        if self.examples is None:
            raise OptionError("an adaptation has samples of pictures only: give it examples")
        return self.split(self.examples(n))[0]

    def notes(self) -> list[str]:
        """What a run says when it starts: what T learns from."""
        of = "source and adapted pictures" if self.G is not None else "source pictures alone"
        return [f"T names the {self.label} of {self.classes} classes, from {of}"]


@dataclass(frozen=True, kw_only=True)
class Options(PairDataOptions, TranslatingOptions):
    """The paper's networks, ten numbers of U(-1, 1) in z, batches of 32 (section 4); Adam(1e-3,
    0.5), D's noise and dropout, and the longest gradient, there that of each parameter, of the
    authors' code; alpha and beta of G's step as its README says them of MNIST-M. gamma, which is
    not published, is as large as these."""

    wanted: ClassVar[str] = (
        "two domains, the first with labels: give --data digits-m, or a folder that holds class "
        "folders in A and pictures in B"
    )
    way_back: ClassVar[str] = "G adapts to the target alone; train it with --direction BtoA"
    only_with: ClassVar[Company] = {
        **{
            name: Needs(("method",), ("pixelda",))
            for name in (
                *("objective", "width", "blocks", "z_dim", "dropout_D", "noise_D"),
                *("weight_gan", "weight_task", "content"),
            )
        },
        "weight_content": Needs(("content",), tuple(FOREGROUNDS)),
    }

    method: str = option("pixelda", "adapt, or train T on source pictures alone", METHODS)
    lr: float = option(1e-3, "learning rate")
    clip_norm: float | None = option(5.0, "longest gradient that is not scaled down")
    width: int = option(64, "channels of G, and of D's first layer")
    blocks: int = option(6, "residual blocks of G")
    z_dim: int = option(10, "numbers in z")
    dropout_D: float = option(0.1, "share of the numbers of each layer of D that is left out")
    noise_D: float = option(0.2, "standard deviation of the noise on each layer of D")
    weight_gan: float = option(0.0113, "alpha, of G's adversarial term")
    weight_task: float = option(0.0101, "beta, of T's loss of G's pictures")
    content: str = option(
        "none", "what of x shall stay up to its brightness", ("none", *FOREGROUNDS)
    )
    weight_content: float = option(0.01, "gamma, of what shall stay")

    @property
    def prior(self) -> Prior:
        """U(-1, 1). Raises OptionError for a z without numbers."""
        return Prior("uniform", self.z_dim)

    @property
    def noisy(self) -> bool:
        return False

    def check(self, task: Task) -> tuple[Size, tuple[int, int]]:
        size, (x, y) = super().check(task)
        known("method", self.method, METHODS)
        known("content", self.content, dict.fromkeys(("none", *FOREGROUNDS)))
        if x != y:
            raise OptionError(
                f"T looks at pictures of both domains, and x has {x} channels, y {y}: give "
                "--channels 1 or 3"
            )
        if len(task.label_names) != 1:
            raise OptionError(f"pixelda learns from {self.wanted}")
        check_counts(self, "z_dim")
        if task.batch == 1 and self.method == "pixelda":
            raise OptionError(
                "G's norms are over a batch, and a picture alone is none: use --batch 2 or more"
            )
        return size, (x, y)

    def check_size(self, size: Size, trained: Size) -> None:
        if size != trained:
            h, w = trained
            raise OptionError(
                f"this G takes pictures of {h}x{w} alone, for z fills a channel of that size, and "
                f"these are {size[0]}x{size[1]}: leave --size out"
            )

    def check_tiles(self) -> None:
        """Raises OptionError."""
        raise OptionError("pixelda adapts whole pictures, for z is one of each: leave --tile out")

    def check_step(self, step: int, steps: int) -> None:
        if self.method != "pixelda":
            raise OptionError(
                f"a run with --method {self.method} has no G that adapts pictures; train one with "
                "--method pixelda"
            )

    def build_generator(self, size: Size, cin: int, cout: int, rng: Rng) -> Layer:
        """G. Raises OptionError for a number of blocks."""
        return pixelda_generator(
            (*size, cin), cout, self.prior.dim, width=self.width, blocks=self.blocks, rng=rng
        )

    def build_translator(
        self, size: Size, channels: tuple[int, int], name: str, rng: Rng
    ) -> tuple[dict[str, Layer], Layer]:
        net = self.build_generator(size, *channels, rng)
        return {name: net}, net


def build(options: Options, task: Task, streams: Streams) -> PixelDA:
    """T, and G and D where pictures are adapted. Raises OptionError for values that cannot be."""
    size, (cx, cy) = options.check(task)
    rng, (classes,) = streams.weights, task.label_names.values()
    networks: dict[str, Layer] = {"T": task_classifier((*size, cx), len(classes), rng=rng)}
    if options.method == "pixelda":
        networks["G"] = options.build_generator(size, cx, cy, rng)
        networks["D"] = pixelda_discriminator(
            (*size, cy),
            width=options.width,
            dropout=options.dropout_D,
            noise=options.noise_D,
            rng=rng,
        )
    return PixelDA(
        networks.get("G"),
        networks.get("D"),
        networks["T"],
        prior=options.prior,
        weights=Weights(options.weight_task, options.weight_content),
        foreground=None if options.content == "none" else options.content,
        label_names=task.label_names,
        weight_gan=options.weight_gan,
        optimizers=options.build_optimizers(task, networks),
        **options.shared(task, streams),
    )
