r"""pix2pixHD: large pictures from pictures, from coarse to fine (Wang et al. 2018).

A conditional GAN of aligned pairs as pix2pix is, with three things in the L1 term's place: a
generator in two parts, discriminators of several scales, and features of these that must agree:

    train G1 on pictures of half the size
    train G2 on whole pictures, G1's features given
    train both together; each time,
        update every D_k, by ascending half of                 pix2pixhd.3
        update the generators by descending                    pix2pixhd.5

D_k sees pictures that were halved k - 1 times, so that G1 alone plays against D_2, D_3, ... The
objective is least squares (section 4, details). Left out are what needs instance maps, and the
optional perceptual loss, which needs a network trained on other data.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

from minigan.algorithms.base import Scalars
from minigan.algorithms.checks import check_counts
from minigan.algorithms.options import SCHEDULES, Streams, Task
from minigan.algorithms.settings import Company, Needs, known, option
from minigan.algorithms.translation.base import at_scale
from minigan.algorithms.translation.scales import (
    POOL,
    Scaled,
    ScaleOptions,
    down,
    halved,
    named,
    pyramid,
)
from minigan.algorithms.translation.shared_options import Rng, Size
from minigan.backend import Array
from minigan.errors import OptionError
from minigan.layers import Layer, Sequential, Upsample
from minigan.losses.distance import mean_absolute_error
from minigan.models.pix2pixhd import (
    CoarseToFine,
    LocalEnhancer,
    coarse_features,
    coarse_to_fine_size,
    global_halvings,
    local_enhancer,
    until_activations,
)
from minigan.models.resnet import resnet_generator
from minigan.optim import Optimizer

PAPER = (
    "Wang et al. 2018, High-resolution image synthesis and semantic manipulation with conditional"
    " GANs, arXiv:1711.11585, section 3"
)

EQUATIONS = {
    "pix2pixhd.1": r"\min_G \max_D \mathcal{L}_{GAN}(G, D) ="
    r" \mathbb{E}_{(s,x)}[\log D(s, x)] + \mathbb{E}_s[\log(1 - D(s, G(s)))]",
    "pix2pixhd.3": r"\min_G \max_{D_1, D_2, D_3} \sum_{k=1,2,3} \mathcal{L}_{GAN}(G, D_k)",
    "pix2pixhd.4": r"\mathcal{L}_{FM}(G, D_k) = \mathbb{E}_{(s,x)} \sum_{i=1}^T \frac{1}{N_i}"
    r" [\|D_k^{(i)}(s, x) - D_k^{(i)}(s, G(s))\|_1]",
    "pix2pixhd.5": r"\min_G ((\max_{D_1, D_2, D_3} \sum_{k=1,2,3} \mathcal{L}_{GAN}(G, D_k))"
    r" + \lambda \sum_{k=1,2,3} \mathcal{L}_{FM}(G, D_k))",
}


class Stages(NamedTuple):
    """Steps of G1 alone, and after them of G2 alone; from then on both are trained."""

    coarse: int = 0
    fine: int = 0

    def of(self, step: int) -> str:
        """What is trained in that step, counted from 0: "coarse", "fine" or "both"."""
        if step < self.coarse:
            return "coarse"
        return "fine" if step < self.coarse + self.fine else "both"


TRAINED = {"coarse": ("G1",), "fine": ("G2",), "both": ("G1", "G2")}


class Pix2PixHD(Scaled):
    """The loop above. Without a G2 it is G1 alone, on whole pictures.

    scales: D_1, D_2, ..., each of pairs (x, y). `weight_features` is lambda. Raises OptionError for
    a stage of G1 that leaves no discriminator.
    """

    def __init__(
        self,
        G1: Sequential,
        G2: LocalEnhancer | None,
        scales: list[Sequential],
        *,
        weight_features: float,
        stages: Stages = Stages(),  # noqa: B008  # immutable
        **shared: Any,
    ) -> None:
        judges = named("D", [*scales])
        generators: dict[str, Layer] = {"G1": G1} | ({"G2": G2} if G2 else {})
        super().__init__({**generators, **judges}, **shared)
        if stages.coarse and len(scales) < 2:
            raise OptionError(
                "D1 sees whole pictures and G1 makes halved ones: give --scales 2 or more, or "
                "train both generators from the start with --joint"
            )
        self.G1, self.G2 = G1, G2
        self.features = coarse_features(G1)
        self.weight_features = weight_features
        self.stages = stages
        self.stage_starts = sorted({0, stages.coarse, stages.coarse + stages.fine})
        self.parts = {f"D{k}": until_activations(D) for k, D in enumerate(scales, 1)}

    @property
    def step_kind(self) -> str:
        """What the next step trains."""
        return self.stages.of(self._clock.t)

    def skip_to(self, step: int) -> None:
        self._clock.t = step

    @property
    def _clock(self) -> Optimizer:
        """That of the coarsest discriminator, which is trained in every stage."""
        *_, coarsest = self.parts
        return self.optimizers[coarsest]

    @property
    def translators(self) -> dict[str, Layer]:
        """G; while G1 is trained alone, what it makes, enlarged."""
        if self.G2 is None:
            return {"G": self.G1}
        if self.step_kind == "coarse":
            return {"G": Sequential(POOL, self.G1, Upsample(scale_factor=2))}
        return {"G": CoarseToFine(self.G1, self.G2)}

    def step(self, pairs: Array) -> Scalars:
        """One training iteration on aligned pairs."""
        stage = self.step_kind
        x, y = self.split(pairs)
        names = [*self.parts]
        if stage == "coarse":
            x, y = halved(x), halved(y)
            names = names[1:]
        fake, back = self.generated(x, stage)
        scales = self.seen_by(names, x, y, fake)
        scalars: Scalars = {}
        for scale in scales:
            scalars |= self.update_discriminator(  # eq: pix2pixhd.1, pix2pixhd.3
                scale.name, scale.y, scale.fake, scale.x
            )
        return scalars | self.update_generators(TRAINED[stage], scales, back)

    def generated(self, x: Array, stage: str) -> tuple[Array, Callable[[Array], None]]:
        """G(x) of what the stage trains, and what takes its gradient to the weights."""
        G1, G2 = self.G1, self.G2
        if stage == "coarse" or G2 is None:
            fake, ctx = G1.forward(x)
            return fake, lambda dfake: G1.backward(dfake, ctx, need_dx=False)
        both = stage == "both"
        coarse, coarse_ctx = self.features.forward(halved(x), update_stats=both)
        fake, fine_ctx = G2.forward(x, coarse)

        def back(dfake: Array) -> None:
            dcoarse = G2.backward_to_coarse(dfake, fine_ctx)
            if both:
                self.features.backward(dcoarse, coarse_ctx, need_dx=False)

        return fake, back

    def update_generators(
        self, trained: Sequence[str], scales: list[Scale], back: Callable[[Array], None]
    ) -> Scalars:
        """Descend pix2pixhd.5 in the generators that are trained; the discriminators are frozen."""
        trained = [name for name in trained if name in self.networks]
        for name in trained:
            self.networks[name].flat.zero_grad()
        terms: Scalars = {}
        dpictures, loss = [], 0.0
        for k, scale in enumerate(scales):
            gan, features, dfake = self.judged(scale)
            dpictures.append(dfake)
            loss = loss + gan + self.weight_features * features  # eq: pix2pixhd.5
            at = at_scale(k + len(self.parts) - len(scales))
            terms |= {f"GAN{at}": gan, f"features{at}": features}
        back(down(dpictures))
        norms = self.descend_together(dict.fromkeys(trained, loss))
        return {"loss_G": loss, **terms, **norms}

    def judged(self, scale: Scale) -> tuple[Any, Any, Array]:
        """Both terms of one discriminator, and the gradient of their sum for what was made.

        The features of the true picture are constants, and no weight of D gets a gradient.
        """
        parts = self.parts[scale.name]
        true, _ = seen(parts, scale.x, scale.y)
        made, ctxs = seen(parts, scale.x, scale.fake)
        real = true[-1] if self.objective.needs_real else None
        gan, dscores = self.objective.generator(made[-1], real)
        matched = [mean_absolute_error(a, b) for a, b in zip(made[:-1], true[:-1], strict=True)]
        features = sum(value for value, _ in matched)  # eq: pix2pixhd.4
        slopes = [self.weight_features * slope for _, slope in matched]
        dfake = unseen(parts, [*slopes, self.weight_G * dscores], ctxs)
        return self.weight_G * gan, features, dfake

    def seen_by(self, names: Sequence[str], x: Array, y: Array, fake: Array) -> list[Scale]:
        """What each of the discriminators sees of x, y and G(x)."""
        pyramids = (pyramid(picture, len(names)) for picture in (x, y, fake))
        return [Scale(*one) for one in zip(names, *pyramids, strict=True)]


class Scale(NamedTuple):
    """What one discriminator sees: x, the true y, and G(x)."""

    name: str
    x: Array
    y: Array
    fake: Array


def seen(parts: list[Sequential], *pictures: Array) -> tuple[list[Array], list[Any]]:
    """What each part of a discriminator gives, the scores last, and the parts' contexts."""
    outputs: list[Array] = []
    ctxs = []
    xs = pictures
    for part in parts:
        y, ctx = part.forward(*xs, update_stats=False)
        outputs.append(y)
        ctxs.append(ctx)
        xs = (y,)
    return outputs, ctxs


def unseen(parts: list[Sequential], douts: list[Array], ctxs: list[Any]) -> Array:
    """The gradient of the second picture, from those of every part's output."""
    total: Any = 0.0
    for part, dout, ctx in zip(reversed(parts), reversed(douts), reversed(ctxs), strict=True):
        total = part.backward(dout + total, ctx, need_dw=False)
    return total[1]


ENHANCED = {"coarse-to-fine": True, "global": False}


@dataclass(frozen=True, kw_only=True)
class Options(ScaleOptions):
    """The paper's: three scales, lambda 10, G1 with four halvings and nine blocks, G2 with three,
    instance norm, least squares, Adam(2e-4, 0.5, 0.999), a rate that falls from half-way on."""

    only_with: ClassVar[Company] = {
        **ScaleOptions.only_with,
        "local_blocks": Needs(("generator",), ("coarse-to-fine",)),
    }
    schedule: str = option("linear", "learning rate over time; linear: from half-way", SCHEDULES)
    generator: str = option("coarse-to-fine", "G1 and G2, or G1 alone", ENHANCED)
    halvings: int | None = option(None, "how often G1 halves (default: 4, or while it can)")
    blocks: int | None = option(9, "residual blocks of G1")
    local_blocks: int = option(3, "residual blocks of G2")
    dropout: float = option(0.0, "of G1")
    weight_features: float = option(10.0, "lambda of the features that must agree")
    weight_gan: float = option(1.0, "factor of the generators' adversarial terms")
    stage_steps: int = option(0, "steps of G1 alone, then of G2 alone (0: a third of the run each)")
    joint: bool = option(False, "train both generators together from the start")

    @property
    def enhanced(self) -> bool:
        """Whether there is a G2. Raises UnknownNameError."""
        known("generator", self.generator, ENHANCED)
        return ENHANCED[self.generator]

    def check_size(self, size: Size, trained: Size) -> None:
        n = global_halvings(trained, self.halvings, enhanced=self.enhanced)
        coarse_to_fine_size(*size, n, enhanced=self.enhanced)

    def build_judges(self, size: Size, channels: tuple[int, int], rng: Rng) -> dict[str, Layer]:
        """D1, D2, ... of pairs. Raises OptionError for more scales than the pictures have."""
        x, y = channels
        return named("D", self.build_scales(size, y, x, rng))

    def build_generators(self, size: Size, channels: tuple[int, int], rng: Rng) -> dict[str, Layer]:
        """G1, and G2 unless it is left out."""
        h, w = size
        (x, y), half = channels, int(self.enhanced)
        G1 = resnet_generator(
            (h >> half, w >> half, x),
            y,
            width=self.width,
            halvings=global_halvings(size, self.halvings, enhanced=self.enhanced),
            blocks=self.blocks,
            norm=self.norm,
            dropout=self.dropout,
            up=self.up,
            rng=rng,
        )
        if not self.enhanced:
            return {"G1": G1}
        G2 = local_enhancer(
            (h, w, x),
            y,
            width=self.width,
            blocks=self.local_blocks,
            norm=self.norm,
            up=self.up,
            rng=rng,
        )
        return {"G1": G1, "G2": G2}

    def build_translator(
        self, size: Size, channels: tuple[int, int], name: str, rng: Rng
    ) -> tuple[dict[str, Layer], Layer]:
        parts = self.build_generators(size, channels, rng)
        return parts, whole(**parts)

    def check_step(self, step: int, steps: int) -> None:
        first = self.stages(steps).coarse
        if first and step <= first:
            raise OptionError(
                f"after step {step} G2 has learned nothing yet: it trains from step {first + 1} "
                "on; go on with `minigan resume`, or take a later checkpoint with --from"
            )

    def stages(self, steps: int) -> Stages:
        """Of a run of `steps`. Raises OptionError for a number of steps below none."""
        check_counts(self, "stage_steps", least=0)
        if self.joint or not self.enhanced:
            return Stages()
        each = self.stage_steps or steps // 3
        return Stages(each, each)


def whole(G1: Layer, G2: Layer | None = None) -> Layer:
    """G of its parts."""
    if G2 is None:
        return G1
    assert isinstance(G1, Sequential)
    assert isinstance(G2, LocalEnhancer)
    return CoarseToFine(G1, G2)


def build(options: Options, task: Task, streams: Streams) -> Pix2PixHD:
    """The networks that the options choose. Raises OptionError, for sizes too."""
    size, (cx, cy) = options.check(task)
    rng = streams.weights
    generators = options.build_generators(size, (cx, cy), rng)
    judges = options.build_judges(size, (cx, cy), rng)
    stages = options.stages(task.steps)
    networks = generators | judges
    return Pix2PixHD(
        generators["G1"],  # type: ignore[arg-type]  # resnet_generator's
        generators.get("G2"),  # type: ignore[arg-type]
        [D for D in judges.values() if isinstance(D, Sequential)],
        weight_features=options.weight_features,
        stages=stages,
        weight_gan=options.weight_gan,
        optimizers={
            name: options.build_optimizer(net.flat, _own(task, name, stages))
            for name, net in networks.items()
        },
        **options.shared(task, streams),
    )


def _own(task: Task, name: str, stages: Stages) -> Task:
    """The task with the steps that a network takes of it, for its schedule."""
    idle = {"G1": stages.fine, "G2": stages.coarse, "D1": stages.coarse}
    return task._replace(steps=max(1, task.steps - idle.get(name, 0)))
