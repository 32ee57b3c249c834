r"""PG2: a person from a picture, in a pose that is asked for (Ma et al. 2017).

I_A shows a person, P_B is a pose, a heat map for each joint, and I_B shows that person in it
(data/poses.py). What is hard is split: where everything goes, and what it looks like there.

    for a number of updates do                                          stage I
        update G1 by descending                                         pg2.pose_mask
    for a number of updates do                                          stage II
        I_B1 = G1(I_A, P_B), and I_B2 = I_B1 + G2(I_A, I_B1), with G1 frozen
        update D by descending                                          pg2.adv_D
        update G2 by descending                                         pg2.refine

The L1 distance alone gives a blurred person in the right pose; what is behind is as much of its
mean as the body. So the pose mask M_B, 1 on the body of the target, counts the body twice. D is
shown pairs: I_A beside a true I_B, or beside I_B2. Were it shown pictures alone, I_A would pass for
an answer: it is real. G2 makes a difference map, which has less to learn than a picture.

Distances are means over the numbers of pictures, as in the authors' code, to which lambda, 10, is
fitted too; D's loss is halved as there. For Market-1501 that code differs from the paper in two
ways, in which ours is the paper's: its D sees single pictures, three kinds of them, and its G1
descends L1 without the mask. Stage I has 22,000 of the paper's 36,000 updates there: as large a
share of a run here unless told.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from minigan.algorithms.base import Scalars
from minigan.algorithms.checks import check_counts
from minigan.algorithms.options import Streams, Task
from minigan.algorithms.pair_options import VariedOptions
from minigan.algorithms.settings import option
from minigan.algorithms.translation.base import Translating, translated
from minigan.algorithms.translation.shared_options import Rng, Size, TranslatingOptions
from minigan.backend import Array, to_device
from minigan.errors import OptionError
from minigan.layers import Layer
from minigan.losses.distance import mean_absolute_error
from minigan.models import dcgan_pair_discriminator, pg2_generator, pose_integrator, refiner
from minigan.models.pg2 import pg2_blocks, pg2_size

PAPER = (
    "Ma et al. 2017, Pose guided person image generation, arXiv:1705.09368, sections 3.1 and 3.2"
)

EQUATIONS = {
    "pg2.pose_mask": r"\mathcal{L}_{G1} = \|(G1(I_A, P_B) - I_B) \odot (1 + M_B)\|_1",
    "pg2.refined": r"\hat{I}_{B2} = \hat{I}_{B1} + G2(I_A, \hat{I}_{B1})",
    "pg2.adv_D": r"\mathcal{L}_{adv}^D = \mathcal{L}_{bce}(D(I_A, I_B), 1)"
    r" + \mathcal{L}_{bce}(D(I_A, \hat{I}_{B2}), 0)",
    "pg2.adv_G": r"\mathcal{L}_{adv}^G = \mathcal{L}_{bce}(D(I_A, \hat{I}_{B2}), 1)",
    "pg2.refine": r"\mathcal{L}_{G2} = \mathcal{L}_{adv}^G"
    r" + \lambda \|(\hat{I}_{B2} - I_B) \odot (1 + M_B)\|_1",
}


class PG2(Translating):
    """The two stages above, on examples (I_A, P_B, I_B, M_B).

    first: updates of stage I. weight_l1: lambda; weight_mask: of M_B beside 1, which is the paper's
    too; weight_gan: of the adversarial term.
    """

    def __init__(
        self,
        G1: Layer,
        G2: Layer,
        D: Layer,
        *,
        first: int,
        weight_l1: float,
        weight_mask: float,
        **shared: Any,
    ) -> None:
        super().__init__({"G1": G1, "G2": G2, "D": D}, **shared)
        self.G1, self.G2, self.D = G1, G2, D
        self.first = first
        self.weight_l1, self.weight_mask = weight_l1, weight_mask
        self.stage_starts = sorted({0, first})

    @property
    def step_kind(self) -> str:
        """Whether the next step is of stage "I" or "II"."""
        return "I" if self.optimizers["G1"].t < self.first else "II"

    def skip_to(self, step: int) -> None:
        self.optimizers["G1"].t = min(step, self.first)

    @property
    def translators(self) -> dict[str, Layer]:
        """G of both generators; of G1 alone until G2 has taken a step."""
        return {"G": self.upto(self.reached)}

    @property
    def reached(self) -> str:
        """The last stage that has begun."""
        return "II" if self.optimizers["G2"].t else "I"

    def upto(self, stage: str) -> Layer:
        """What makes pictures after stage "I" or "II"."""
        G2 = self.G2 if stage == "II" else None
        return pg2_generator(self.G1, G2, self.channels[1])

    def step(self, examples: Array) -> Scalars:
        """One update of either stage."""
        x, y, weight = self.parted(examples)
        if self.step_kind == "I":
            return self.update_rough(x, y, weight)
        a = x[..., : self.channels[1]].copy()
        rough, _ = self.G1.forward(x, update_stats=False)
        change, G2_ctx = self.G2.forward(np.concatenate([a, rough], -1))
        fake = rough + change  # eq: pg2.refined
        scalars = self.update_discriminator("D", y, fake, a)  # eq: pg2.adv_D
        return scalars | self.update_refiner(a, y, fake, weight, G2_ctx)

    def update_rough(self, x: Array, y: Array, weight: Array) -> Scalars:
        """Descend pg2.pose_mask in G1's parameters."""
        G1 = self.G1
        G1.flat.zero_grad()
        made, ctx = G1.forward(x)
        loss, dmade = weighted_l1(made, y, weight)  # eq: pg2.pose_mask
        G1.backward(dmade, ctx, need_dx=False)
        norm = self.descend("G1", loss)
        return {"loss_G1": loss, "grad_norm_G1": norm}

    def update_refiner(
        self, a: Array, y: Array, fake: Array, weight: Array, G2_ctx: Any
    ) -> Scalars:
        """Descend pg2.refine in G2's parameters; D and G1 are frozen."""
        G2 = self.G2
        G2.flat.zero_grad()
        fooling, dfooling = self.fool("D", fake, y, a)  # eq: pg2.adv_G
        close, dclose = weighted_l1(fake, y, weight)
        loss = fooling + self.weight_l1 * close  # eq: pg2.refine
        G2.backward(dfooling + self.weight_l1 * dclose, G2_ctx, need_dx=False)
        norm = self.descend("G2", loss)
        return {"loss_G2": loss, "GAN_G": fooling, "pose_mask": close, "grad_norm_G2": norm}

    def parted(self, examples: Array) -> tuple[Array, Array, Array]:
        """x, y and 1 + M_B (N, H, W, 1) of examples, each in memory of its own."""
        x, y = self.split(examples)
        return x, y, 1 + self.weight_mask * examples[..., -1:]

    def split(self, pairs: Array) -> tuple[Array, Array]:
        x, y = self.channels
        return pairs[..., :x].copy(), pairs[..., x : x + y].copy()

    def stages(self, x: Array, rng: np.random.Generator) -> dict[str, Array]:
        """Pictures after each stage that there was, of x (N, H, W, C) of the host."""
        names = ("I", "II") if self.reached == "II" else ("I",)
        device_x = to_device(x, self.device)
        return {
            name: self.finite(
                translated(self.upto(name), device_x, rng, noisy=False),
                f"a picture of stage {name}",
            )
            for name in names
        }

    def notes(self) -> list[str]:
        """How the steps are shared out, and what D sees."""
        h, w = (int(side) for side in self.sides[:2])
        return [
            f"G1 learns alone for {self.first} steps, then G2 against D",
            f"D judges whole pictures of {h}x{w} beside the person before",
        ]

    def told_apart(self, name: str) -> tuple[str, str]:
        return "y", "G(x)"


def weighted_l1(made: Array, true: Array, weight: Array) -> tuple[Any, Array]:
    """mean |(made - true) weight|, weight (N, H, W, 1) of 0 or more, and its gradient for `made`.

    Raises ShapeError for pictures of two shapes.
    """
    value, dmade = mean_absolute_error(weight * made, weight * true)
    return value, weight * dmade


@dataclass(frozen=True, kw_only=True)
class Options(VariedOptions, TranslatingOptions):
    """The paper's for Market-1501: Adam(2e-5, 0.5, 0.999), batches of 16; the authors' code: 128
    filters, 64 numbers in between, 64 filters of D's first layer, lambda 10."""

    wanted: ClassVar[str] = (
        "persons in two poses: give --data figures, or a folder of persons with joints.csv"
    )
    way_back: ClassVar[str] = "give the other pose with --pose"
    with_pose: ClassVar[bool] = True

    lr: float = option(2e-5, "learning rate")
    width: int = option(128, "filters of the first blocks of G1 and G2")
    width_D: int = option(64, "filters of D's first layer")
    blocks: int | None = option(
        None, "N, blocks of G1's encoder (default: until 8 pixels are left); G2 has N - 2"
    )
    bottleneck: int = option(64, "numbers between G1's encoder and its decoder")
    stage_steps: int | None = option(
        None, "steps of stage I, of G1 alone (default: 11 of 18 of --steps)"
    )
    weight_gan: float = option(1.0, "factor of G2's adversarial term")
    weight_l1: float = option(10.0, "lambda of the pose mask loss beside it")
    weight_mask: float = option(1.0, "how much more the body counts; 0: L1 alone")

    @property
    def noisy(self) -> bool:
        return False

    def check(self, task: Task) -> tuple[Size, tuple[int, int]]:
        size, channels = super().check(task)
        x, y = channels
        if x <= y or task.shape[2] != x + y + 1:
            raise OptionError(f"pg2 learns from {self.wanted}")
        check_counts(self, "width_D", "blocks", "bottleneck")
        return size, channels

    def check_size(self, size: Size, trained: Size) -> None:
        """Raise OptionError for any size but the one that the dense layers were built for."""
        if size != trained:
            h, w = trained
            raise OptionError(
                f"G1 has dense layers, for pictures of {h}x{w} alone: leave --size out"
            )
        pg2_size(*size, pg2_blocks(size, self.blocks))

    def check_tiles(self) -> None:
        raise OptionError("a tile of a person has no pose: leave --tile out")

    def check_step(self, step: int, steps: int) -> None:
        first = self.first(steps)
        if first and step <= first:
            raise OptionError(
                f"after step {step} G2 has learned nothing yet: it trains from step {first + 1} "
                "on; go on with `minigan resume`, or take a later checkpoint with --from"
            )

    def picture_channels(self, channels: tuple[int, int], name: str) -> int:
        return channels[1]

    def first(self, steps: int) -> int:
        """Steps of stage I in a run of `steps`. Raises OptionError for less than none."""
        check_counts(self, "stage_steps", least=0)
        return steps * 11 // 18 if self.stage_steps is None else self.stage_steps

    def build_generators(self, size: Size, channels: tuple[int, int], rng: Rng) -> dict[str, Layer]:
        """G1 and G2. Raises OptionError for a size."""
        x, y = channels
        n = pg2_blocks(size, self.blocks)
        G1 = pose_integrator(
            (*size, x), y, width=self.width, blocks=n, bottleneck=self.bottleneck, rng=rng
        )
        G2 = refiner((*size, 2 * y), y, width=self.width, blocks=n, rng=rng)
        return {"G1": G1, "G2": G2}

    def build_translator(
        self, size: Size, channels: tuple[int, int], name: str, rng: Rng
    ) -> tuple[dict[str, Layer], Layer]:
        parts = self.build_generators(size, channels, rng)
        return parts, pg2_generator(parts["G1"], parts["G2"], channels[1])


def build(options: Options, task: Task, streams: Streams) -> PG2:
    """The networks that the options choose. Raises OptionError, for sizes too."""
    size, channels = options.check(task)
    y = channels[1]
    networks = options.build_generators(size, channels, streams.weights)
    networks["D"] = dcgan_pair_discriminator(
        (*size, y), y, width=options.width_D, rng=streams.weights
    )
    first = options.first(task.steps)
    lengths: Mapping[str, int] = {"G1": min(first, task.steps)}
    return PG2(
        **networks,
        first=first,
        weight_l1=options.weight_l1,
        weight_mask=options.weight_mask,
        weight_gan=options.weight_gan,
        optimizers={
            name: options.build_optimizer(
                net.flat,
                task._replace(steps=max(1, lengths.get(name, task.steps - first))),
            )
            for name, net in networks.items()
        },
        **options.shared(task, streams),
    )
