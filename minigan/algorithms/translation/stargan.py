r"""StarGAN: one generator for pictures of many domains (Choi et al. 2018).

CycleGAN has a generator for each ordered pair of domains; here one G(x, c) takes a picture and the
label c of the domain where it shall go. D judges patches, D_src, and names the domain, D_cls. With
c' the label that x has:

    for number of training iterations do
        for k steps do
            sample m pictures x with their labels c', and target labels c
            update D by descending                             stargan.5
        end for
        update G on the last x, c' and c by descending         stargan.6
    end for

D learns domains from real pictures alone (stargan.2), and G has to show what D then names the
target (stargan.3). Neither ties what is made to x; what is taken back to its own domain, by the
same G, has to be x again (stargan.4). The adversarial term is Wasserstein's with a gradient penalty
(stargan.8) in the place of the logarithms (stargan.1).

A label may be several columns of classes, such as hair, sex and age: c is then their classes side
by side as zeros and ones, and the cross-entropies of the columns are added. The paper has one
number for an attribute that is there or not; a column of two classes is the same, for a softmax
over two logits is the sigmoid of their difference.

Target labels are those of another picture of the minibatch, as in the authors' code, which permutes
them: all are moved on by one random number of places, so that each other picture's are as likely.
The penalty is that of the sum of D_src's patches, as in that code; its logits' means are L_adv.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from minigan.algorithms.base import Algorithm, Scalars
from minigan.algorithms.checks import check_clip_norm, check_counts, check_weights
from minigan.algorithms.conditional.base import (
    LabelNames,
    LabelOptions,
    check_classes,
    check_labels,
    draw_labels,
)
from minigan.algorithms.objective_options import ObjectiveOptions
from minigan.algorithms.options import SCHEDULES, Streams, Task
from minigan.algorithms.parts import CriticTerm, added
from minigan.algorithms.settings import option
from minigan.backend import Array, array_module, to_device, to_host
from minigan.errors import OptionError
from minigan.layers import Columns, Layer, Sequential
from minigan.losses import OBJECTIVES, PENALTIES, Objective
from minigan.losses.categorical import categorical_nlls
from minigan.losses.distance import mean_absolute_error
from minigan.models import receptive_field, stargan_discriminator, stargan_generator
from minigan.models.enlarging import UPSAMPLING
from minigan.models.resnet import resnet_size
from minigan.models.stargan import default_halvings, patches
from minigan.ops.embedding import take_rows
from minigan.ops.labels import multi_hot
from minigan.optim import Optimizer

PAPER = (
    "Choi et al. 2018, StarGAN: unified generative adversarial networks for multi-domain"
    " image-to-image translation, arXiv:1711.09020, sections 3 and 4"
)

EQUATIONS = {
    "stargan.1": r"\mathcal{L}_{adv} = \mathbb{E}_x[\log D_{src}(x)]"
    r" + \mathbb{E}_{x,c}[\log(1 - D_{src}(G(x, c)))]",
    "stargan.2": r"\mathcal{L}_{cls}^r = \mathbb{E}_{x,c'}[-\log D_{cls}(c'|x)]",
    "stargan.3": r"\mathcal{L}_{cls}^f = \mathbb{E}_{x,c}[-\log D_{cls}(c|G(x, c))]",
    "stargan.4": r"\mathcal{L}_{rec} = \mathbb{E}_{x,c,c'}[\|x - G(G(x, c), c')\|_1]",
    "stargan.5": r"\mathcal{L}_D = -\mathcal{L}_{adv} + \lambda_{cls} \mathcal{L}_{cls}^r",
    "stargan.6": r"\mathcal{L}_G = \mathcal{L}_{adv} + \lambda_{cls} \mathcal{L}_{cls}^f"
    r" + \lambda_{rec} \mathcal{L}_{rec}",
    "stargan.8": r"\mathcal{L}_{adv} = \mathbb{E}_x[D_{src}(x)]"
    r" - \mathbb{E}_{x,c}[D_{src}(G(x, c))]"
    r" - \lambda_{gp} \mathbb{E}_{\hat x}[(\|\nabla_{\hat x} D_{src}(\hat x)\|_2 - 1)^2]",
}

Draw = Callable[[int, np.random.Generator], Array]

ALONE = "a picture alone in its minibatch has no other's label to go to: use --batch 2 or more"


class StarGAN(Algorithm):
    """The loop above. G: (x, c) -> pictures; D: x -> (N, P + E), scores of P patches, then logits.

    terms: penalties of D_src. label_names: of the condition, in its columns' order; draw_labels:
    (n, rng) -> labels as the data has them, and examples: n pictures, always the same, both for
    `sample`.
    """

    def __init__(
        self,
        G: Layer,
        D: Layer,
        *,
        optimizers: dict[str, Optimizer],
        objective: Objective,
        terms: Sequence[CriticTerm] = (),
        patches: int,
        lambda_cls: float = 1.0,
        lambda_rec: float = 10.0,
        k: int = 5,
        label_names: LabelNames,
        draw_labels: Draw | None = None,
        examples: Callable[[int], Array] | None = None,
        max_grad_norm: float = math.inf,
        rng: Any,
    ) -> None:
        if k < 1:
            raise OptionError(f"k={k}: the discriminator takes at least 1 step per iteration")
        self.G, self.D = G, D
        self.networks, self.optimizers, self.averages = {"G": G, "D": D}, optimizers, {}
        self.objective, self.terms = objective, terms
        self.patches = patches
        self.D_src = Sequential(D, Columns(0, patches))
        objective.check(D)
        for term in terms:
            term.check(D)
        self.lambda_cls, self.lambda_rec = lambda_cls, lambda_rec
        self.k = self.minibatches = k
        self.label_names, self.counts = label_names, [len(c) for c in label_names.values()]
        self.draw_labels, self.examples = draw_labels, examples
        self.max_grad_norm = max_grad_norm
        self.rng = rng

    def step(self, x: Array, labels: Array) -> Scalars:  # type: ignore[override]  # is conditional
        """One training iteration on k m pictures and their labels (k m, L), m for each step of D.

        Raises OptionError unless k divides their number, and for m below 2.
        """
        if len(x) % self.k:
            raise OptionError(f"{len(x)} examples cannot be split into k={self.k} minibatches")
        for minibatch, own in zip(np.split(x, self.k), np.split(labels, self.k), strict=True):
            c_own = self.encode(own, x)
            c = self.targets(c_own)
            fake, G_ctx = self.G.forward(minibatch, c)
            scalars = self.update_discriminator(minibatch, c_own, fake)
        scalars |= self.update_generator(minibatch, c_own, c, fake, G_ctx)
        return scalars | self.objective.settle(scalars)

    def update_discriminator(self, x: Array, c_own: Array, fake: Array) -> Scalars:
        """Descend stargan.5 in D: on pictures x with their labels, and on what G made."""
        D = self.D
        D.flat.zero_grad()
        real_numbers, real_ctx = D.forward(x)
        fake_numbers, fake_ctx = D.forward(fake)
        (real, real_logits), (judged, logits) = map(self.parted, (real_numbers, fake_numbers))
        adv, d_real, d_fake = self.objective.discriminator(real, judged)  # eq: stargan.1, stargan.8
        cls, d_logits = categorical_nlls(real_logits, c_own, self.counts)  # eq: stargan.2
        dreal = np.concatenate([d_real, self.lambda_cls * d_logits], 1)
        dfake = np.concatenate([d_fake, np.zeros_like(logits)], 1)
        D.backward(dreal, real_ctx, need_dx=False)
        D.backward(dfake, fake_ctx, need_dx=False)
        terms = {t.name: t(self.D_src, x, fake, self.rng) for t in self.terms}  # eq: stargan.8
        loss = adv + self.lambda_cls * cls  # eq: stargan.5
        norm = self.descend("D", loss + added(terms))
        report = {_made(k): v for k, v in self.objective.report(real, judged).items()}
        return {"loss_D": loss, "cls(x)": cls, **report, **terms, "grad_norm_D": norm}

    def update_generator(
        self, x: Array, c_own: Array, c: Array, fake: Array, G_ctx: Any
    ) -> Scalars:
        """Descend stargan.6 in G, with D frozen; fake, G_ctx: of G(x, c), which G has not left.

        G is applied twice before its weights move, the second time to what the first one made.
        """
        G, D = self.G, self.D
        G.flat.zero_grad()
        numbers, D_ctx = D.forward(fake, update_stats=False)
        judged, logits = self.parted(numbers)
        real = None
        if self.objective.needs_real:
            real, _ = self.parted(D.forward(x, update_stats=False)[0])
        adv, d_judged = self.objective.generator(judged, real)  # eq: stargan.1, stargan.8
        cls, d_logits = categorical_nlls(logits, c, self.counts)  # eq: stargan.3
        dnumbers = np.concatenate([d_judged, self.lambda_cls * d_logits], 1)
        dfake = D.backward(dnumbers, D_ctx, need_dw=False)
        loss, scalars = adv + self.lambda_cls * cls, {"GAN_G": adv, "cls(G(x, c))": cls}
        if self.lambda_rec:
            back, back_ctx = G.forward(fake, c_own)
            rec, dback = mean_absolute_error(back, x)  # eq: stargan.4
            dfake = dfake + G.backward(self.lambda_rec * dback, back_ctx)[0]
            loss, scalars = loss + self.lambda_rec * rec, {**scalars, "rec": rec}  # eq: stargan.6
        G.backward(dfake, G_ctx, need_dx=False)
        return {"loss_G": loss, **scalars, "grad_norm_G": self.descend("G", loss)}

    # --- labels -----------------------------------------------------------------------------------

    def encode(self, labels: Array, like: Array) -> Array:
        """c (N, E) of labels (N, L), in the dtype of `like`."""
        return multi_hot(labels, self.counts, like.dtype)

    def targets(self, c_own: Array) -> Array:
        """c' (m, E) as they are 1 to m - 1 places further on. Raises OptionError for m of 1."""
        m = len(c_own)
        if m < 2:
            raise OptionError(ALONE)
        places = 1 + np.floor((m - 1) * self.rng.uniform(0, 1, (1,)))
        index = (array_module(c_own).arange(m) + places.astype(np.int64)) % m
        return take_rows(c_own, index)

    def parted(self, numbers: Array) -> tuple[Array, Array]:
        """D's numbers (N, P + E) as scores (N, P) and logits (N, E)."""
        return numbers[:, : self.patches].copy(), numbers[:, self.patches :].copy()

    # --- translation ------------------------------------------------------------------------------

    def relabel(self, x: Array, labels: Array) -> Array:
        """Pictures (N, H, W, C) of the host as they are with other labels (N, L).

        Raises DataError for labels that cannot be, NonFiniteError where the weights have run away.
        """
        check_labels(self.label_names, labels)
        x, c = to_device(x, self.device), to_device(self.encode(labels, x), self.device)
        with self.sampling():
            y, _ = self.G.forward(x, c, train=False)
        return self.finite(y, "a translation G(x, c)")

    def named(self, x: Array) -> Array:
        """The labels int (N, L) that D_cls gives pictures (N, H, W, C) of the host."""
        _, logits = self.parted(self.D.forward(to_device(x, self.device), train=False)[0])
        parts = np.split(to_host(logits), np.cumsum(self.counts)[:-1], axis=1)
        return np.stack([part.argmax(1) for part in parts], 1)

    def check_size(self, size: tuple[int, int]) -> None:
        """Raise OptionError for a size that G cannot halve."""
        resnet_size(*size)

    def sample(self, n: int, rng: np.random.Generator) -> Array:
        """G(x, c) of n pictures of the data, always the same, and of labels as the data has them.

        Raises OptionError without examples.
        """
        if self.examples is None or self.draw_labels is None:
            raise OptionError("a translation has samples of pictures only: give it examples")
        return self.relabel(self.examples(n), self.draw_labels(n, rng))

    def notes(self) -> list[str]:
        """What a run says when it starts: the patches that D judges."""
        trunk, (src, _) = self.D.layers[:-1], self.D.layers[-1].branches  # type: ignore[attr-defined]
        field = receptive_field(Sequential(*trunk, src))
        return [f"D judges {self.patches} patches, each of {field}x{field} pixels or all there are"]

    def state_dict(self) -> dict[str, Array]:
        """The algorithm's arrays, and what the objective has learned."""
        learned = {f"objective.{k}": a for k, a in self.objective.state_dict().items()}
        return super().state_dict() | learned


def _made(name: str) -> str:
    """A log's name of a number of G(z), for one of G(x, c)."""
    return name.replace("G(z)", "G(x, c)")


@dataclass(frozen=True, kw_only=True)
class Options(LabelOptions, ObjectiveOptions):
    """The paper's: a critic of five steps under a gradient penalty of 10, lambda_cls 1, lambda_rec
    10, six residual blocks, Adam(1e-4, 0.5, 0.999) with a rate that falls from half-way on, batches
    of 16 (sections 4 and 5.3). Half of the faces are mirrored there, which here is the data's."""

    objective: str = option("wasserstein", "what the players descend", OBJECTIVES)
    penalty: str = option("wgan-gp", "gradient penalty on D", ["none", *PENALTIES])
    k: int = option(5, "discriminator steps per generator step")
    lr: float = option(1e-4, "learning rate")
    beta1: float | None = option(0.5, "averaging factor of adam's first moment")
    schedule: str = option("linear", "learning rate over time; linear: from half-way", SCHEDULES)
    lambda_cls: float = option(1.0, "weight of the domains that D names")
    lambda_rec: float = option(10.0, "weight of what comes back from another domain; 0: none")
    width: int = option(64, "channels of the first layer of G and of D")
    blocks: int | None = option(None, "residual blocks of G (default: 6, or 9 from 256x256)")
    halvings: int | None = option(
        None, "how often D halves a picture (default: to 2x2 patches, 6 times at most)"
    )
    up: str = option(
        "transposed",
        "how pictures are enlarged; transposed convolutions can draw checkerboards, resize cannot",
        UPSAMPLING,
    )

    def check(self, task: Task) -> None:
        """Raise OptionError for values that cannot be."""
        if task.kind != "image":
            raise OptionError(
                f"stargan makes pictures of pictures, the data has points of shape {task.shape}; "
                "use cgan"
            )
        check_classes(task.label_names)
        check_weights(self, "lambda_cls", "lambda_rec")
        check_clip_norm(self)
        check_counts(self, "width", "k", "halvings")
        if task.batch == 1:
            raise OptionError(ALONE)
        resnet_size(*task.shape[:2])


def build(options: Options, task: Task, streams: Streams) -> StarGAN:
    """G, and D of its width. Raises OptionError for values that cannot be, sizes too."""
    options.check(task)
    h, w, _ = task.shape
    classes = sum(map(len, task.label_names.values()))
    halvings = default_halvings(h, w) if options.halvings is None else options.halvings
    rows, columns = patches(h, w, halvings)
    width, rng = options.width, streams.weights
    G = stargan_generator(
        task.shape, classes, width=width, blocks=options.blocks, up=options.up, rng=rng
    )
    D = stargan_discriminator(task.shape, classes, width=width, halvings=halvings, rng=rng)
    return StarGAN(
        G,
        D,
        optimizers={
            "G": options.build_optimizer(G.flat, task),
            "D": options.build_optimizer(D.flat, task, k=options.k),
        },
        objective=options.build_objective(),
        terms=options.build_terms(),
        patches=rows * columns,
        lambda_cls=options.lambda_cls,
        lambda_rec=options.lambda_rec,
        k=options.k,
        label_names=task.label_names,
        draw_labels=lambda n, rng: draw_labels(task, n, rng),
        examples=task.examples,
        max_grad_norm=math.inf if options.clip_norm is None else options.clip_norm,
        rng=streams.noise,
    )
