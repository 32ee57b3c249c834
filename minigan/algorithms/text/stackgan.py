r"""StackGAN: a small picture of the text first, then larger ones of it (Zhang et al. 2017).

Stage I draws the rough shape and the colours. Each further stage sees the picture before it and the
text once more, corrects the one by the other and doubles the size. A stage has networks of its own:

    C   conditioning augmentation: mu and Sigma of the text's code c from its vector h
    G   pictures of c, and of z in the first stage, of the picture before in the others
    D   of pictures of the stage's size beside h

A text is one point of a space that has few of them. Drawing its code c from a Gaussian around it,
which the term KL keeps near the standard one, fills the gaps, so that G is smooth in the text.

How stages are trained is a choice: one after another, those before frozen, as in the paper; each
added to those before, which go on; or all from the start, as in StackGAN++ (Zhang et al. 2018,
arXiv:1710.10916), where G's stages also learn what later discriminators say. The encoder learns
while the first stage does.

The paper sets lambda to 1; its authors' own program weighs the mean over the code's J numbers by 2,
which is 2 / J for their sum here, and the default.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from minigan.algorithms.autoencoding.posterior import Gaussian
from minigan.algorithms.base import Scalars
from minigan.algorithms.checks import check_counts, check_weights
from minigan.algorithms.options import Streams, Task
from minigan.algorithms.settings import known, option
from minigan.algorithms.text.base import TextGame
from minigan.algorithms.text.options import TextOptions
from minigan.backend import Array
from minigan.errors import OptionError
from minigan.layers import Layer
from minigan.losses import kl_to_standard_normal
from minigan.models import conditioning_augmentation, refining_generator, text_generator
from minigan.models.dcgan import halvings
from minigan.models.enlarging import UPSAMPLING, halvable
from minigan.ops.pool import avg_pool
from minigan.ops.resample import upsample_nearest

PAPER = (
    "Zhang et al. 2017, StackGAN: text to photo-realistic image synthesis with stacked generative "
    "adversarial networks, arXiv:1612.03242"
)

EQUATIONS = {
    "stackgan.code": r"\hat{c}_0 \sim \mathcal{N}(\mu_0(\varphi_t), \Sigma_0(\varphi_t))",
    "stackgan.kl": r"D_{KL}(\mathcal{N}(\mu(\varphi_t), \Sigma(\varphi_t)) \|"
    r" \mathcal{N}(0, I))",
    "stackgan.d": r"\mathcal{L}_D = \mathbb{E}_{(I, t) \sim p_{data}}[\log D(I, \varphi_t)]"
    r" + \mathbb{E}_{s_0 \sim p_{G_0}, t \sim p_{data}}[\log(1 - D(G(s_0, \hat{c}), \varphi_t))]",
    "stackgan.g": r"\mathcal{L}_G = \mathbb{E}_{s_0 \sim p_{G_0}, t \sim p_{data}}"
    r"[\log(1 - D(G(s_0, \hat{c}), \varphi_t))] + \lambda D_{KL}(\mathcal{N}(\mu(\varphi_t),"
    r" \Sigma(\varphi_t)) \| \mathcal{N}(0, I))",
}

Stages = Sequence[int]


class Jointly:
    """All n stages are trained from the start."""

    def stages(self, latest: int, n: int) -> Stages:
        """Those that a step trains, from 0; `latest` is the last that has begun."""
        return range(n)

    def steps(self, taken: Sequence[int]) -> int:
        """How many steps there were, from how many each stage has taken."""
        return max(taken)

    def span(self, i: int, n: int, k: int, total: int) -> int:
        """Steps of stage i in a run of `total`, where the next one begins k steps later."""
        return total


class Added(Jointly):
    """Each stage is added to those before, which go on."""

    def stages(self, latest: int, n: int) -> Stages:
        return range(latest + 1)

    def span(self, i: int, n: int, k: int, total: int) -> int:
        return total - i * k


class Staged(Jointly):
    """One stage after another, those before frozen."""

    def stages(self, latest: int, n: int) -> Stages:
        return (latest,)

    def steps(self, taken: Sequence[int]) -> int:
        return sum(taken)

    def span(self, i: int, n: int, k: int, total: int) -> int:
        return k if i < n - 1 else total - i * k


TRAINING = {"staged": Staged(), "added": Added(), "jointly": Jointly()}


@dataclass(slots=True)
class _Drawn:
    """One stage's picture, and what its way back needs."""

    x: Array
    m: Array  # mu and log sigma^2
    C_ctx: Any
    spread: Any
    G_ctx: Any


class StackGAN(TextGame):
    """Stages 1 to n, of networks E and C1, G1, D1 and so on, each twice as large as the one before.

    stage_steps  iterations before the next stage is added; the last goes on for good
    kl_weight    lambda of stackgan.g

    Raises OptionError for fewer than one stage or step.
    """

    posterior = Gaussian()

    def __init__(
        self,
        *args: Any,
        stages: int,
        stage_steps: int,
        training: str = "staged",
        kl_weight: float = 1.0,
        **game: Any,
    ) -> None:
        if stages < 1 or stage_steps < 1:
            raise OptionError(
                f"{stages} stages of {stage_steps} iterations: wanted at least 1 of either"
            )
        super().__init__(*args, **game)
        self.stages, self.stage_steps = stages, stage_steps
        self.training, self.kl_weight = TRAINING[training], kl_weight
        self.stage_starts = range(0, stages * stage_steps, stage_steps)

    @property
    def trained(self) -> Stages:
        """The stages that the next step trains, from 0."""
        done = self.training.steps([self.optimizers[f"G{i + 1}"].t for i in range(self.stages)])
        return self.training.stages(min(done // self.stage_steps, self.stages - 1), self.stages)

    @property
    def step_kind(self) -> tuple[int, ...]:
        """The stages that the next step trains."""
        return tuple(self.trained)

    def skip_to(self, step: int) -> None:
        for i in range(self.stages):  # their largest count and their sum are `step` both
            self.optimizers[f"G{i + 1}"].t = step if i == 0 else 0

    def step(self, x: Array, text: Array) -> Scalars:  # type: ignore[override]
        """One iteration on pictures (m, H, W, C) and their captions (m, T)."""
        trained = self.trained
        h, E_ctx = self.networks["E"].forward(text)
        drawn = self._draw(h, self.prior.draw(len(x), self.rng), trained)
        real = [self.reduced(x, i) for i in range(self.stages)]
        scalars: Scalars = {}
        dh: Any = 0
        for i in trained:
            shown, owed = self.update_discriminator(f"D{i + 1}", real[i], drawn[i].x, h)
            scalars |= shown  # eq: stackgan.d
            dh = dh + owed
        if 0 in trained:
            scalars |= self.update_encoder(dh, E_ctx, scalars)
        later: Any = 0  # what the next stage owes to this one's picture
        for i in reversed(trained):
            loss, dx = self.fool(f"D{i + 1}", drawn[i].x, h, real[i])
            shown, later = self._update_generator(i, drawn[i], loss, dx + later, i - 1 in trained)
            scalars |= shown
        return scalars

    def reduced(self, x: Array, stage: int) -> Array:
        """Pictures of the data in the size of a stage: means over squares of pixels."""
        factor = 1 << (self.stages - 1 - stage)
        return x if factor == 1 else avg_pool(x, (factor, factor), (factor, factor), (0, 0))

    def pictures(self, h: Array, z: Array) -> Array:
        """Of the latest stage that has been trained; enlarged where that is not the last one.

        A text has the mean of its codes.
        """
        steps = [self.optimizers[f"G{i + 1}"].t for i in range(self.stages)]
        latest = max((i for i, t in enumerate(steps) if t), default=0)
        below = z
        for i in range(latest + 1):
            m, _ = self.networks[f"C{i + 1}"].forward(h, train=False)
            c = self.posterior.mean(m)
            below, _ = self.networks[f"G{i + 1}"].forward(c, below, train=False)
        factor = 1 << (self.stages - 1 - latest)
        return below if factor == 1 else upsample_nearest(below, (factor, factor))

    def _draw(self, h: Array, z: Array, trained: Stages) -> list[_Drawn]:
        """The pictures of all stages up to the last that is trained; others do not move."""
        drawn: list[_Drawn] = []
        below = z
        for i in range(trained[-1] + 1):
            m, C_ctx = self.networks[f"C{i + 1}"].forward(h)
            c, spread = self.posterior.draw(m, self.rng)  # eq: stackgan.code
            x, G_ctx = self.networks[f"G{i + 1}"].forward(c, below, update_stats=i in trained)
            drawn.append(_Drawn(x, m, C_ctx, spread, G_ctx))
            below = x
        return drawn

    def _update_generator(
        self, stage: int, drawn: _Drawn, loss: Any, dx: Array, further: bool
    ) -> tuple[Scalars, Any]:
        """One step of a stage's G and C; `further` asks for what it owes to the stage before."""
        number = stage + 1
        G, C = self.networks[f"G{number}"], self.networks[f"C{number}"]
        G.flat.zero_grad()
        C.flat.zero_grad()
        dc, below = G.backward(dx, drawn.G_ctx)
        dm = self.posterior.backward(dc, drawn.spread)
        kl, *of_kl = kl_to_standard_normal(*self.posterior.split(drawn.m))  # eq: stackgan.kl
        dm += drawn.m.dtype.type(self.kl_weight) * np.concatenate(of_kl, -1)
        C.backward(dm, drawn.C_ctx, need_dx=False)
        total = loss + self.kl_weight * kl  # eq: stackgan.g
        shown = {f"loss_G{number}": total, f"KL {number}": kl}
        shown |= self.descend_together(dict.fromkeys((f"G{number}", f"C{number}"), total))
        return shown, below if further else 0

    def notes(self) -> list[str]:
        """What a run says when it starts: from which step on which stages are trained."""
        first: dict[tuple[int, ...], int] = {}
        for latest in range(self.stages):
            stages = tuple(i + 1 for i in self.training.stages(latest, self.stages))
            first.setdefault(stages, latest * self.stage_steps + 1)
        return [
            f"from step {step}: trains {'stages' if len(stages) > 1 else 'stage'} "
            f"{', '.join(map(str, stages))} of {self.stages}"
            for stages, step in first.items()
        ]


@dataclass(frozen=True, kw_only=True)
class Options(TextOptions):
    """What every game about captions has, and the stages."""

    stages: int = option(2, "pictures one after another, each twice as large as the one before")
    stage_steps: int = option(0, "iterations before the next stage (0: the run in equal parts)")
    training: str = option(
        "staged", "one stage after another, added to those before, or all jointly", TRAINING
    )
    kl_weight: float | None = option(
        None, "lambda, of the codes' divergence from the standard normal (default: 2 / --code-dim)"
    )
    blocks: int = option(2, "residual blocks of a stage beyond the first")
    up: str = option("resize", "how stages beyond the first enlarge", UPSAMPLING)

    def stage_length(self, steps: int) -> int:
        """Iterations before the next stage is added, in a run of `steps`."""
        return self.stage_steps or max(1, steps // self.stages)

    def steps_of(self, name: str, steps: int) -> int:
        stage = 0 if name == "E" else int(name[1:]) - 1  # the encoder learns with the first one
        span = TRAINING[self.training].span
        return span(stage, self.stages, self.stage_length(steps), steps)

    def check(self, task: Task) -> None:
        super().check(task)
        known("training", self.training, TRAINING)
        check_counts(self, "stage_steps", least=0)
        check_weights(self, "kl_weight")
        check_counts(self, "stages")
        h, w = task.shape[:2]
        halvable(h, w, self.stages - 1, network=f"a StackGAN of {self.stages} stages", least=8)
        small = h >> (self.stages - 1), w >> (self.stages - 1)
        try:
            halvings(small)
        except OptionError as error:
            raise OptionError(
                f"stage 1 of pictures of {h}x{w} has {small[0]}x{small[1]}: {error}"
            ) from None


def build(options: Options, task: Task, streams: Streams) -> StackGAN:
    """Its networks for pictures of the task's size, halved once for each stage before the last.

    Raises OptionError for values that cannot be.
    """
    options.check(task)
    networks: dict[str, Layer] = {"E": options.build_encoder(task, streams)}
    h, w, channels = task.shape
    for i in range(options.stages):
        below = options.stages - 1 - i
        shape = h >> below, w >> below, channels
        networks[f"C{i + 1}"] = conditioning_augmentation(
            options.text_dim, options.code_dim, rng=streams.weights
        )
        networks[f"G{i + 1}"] = _generator(options, shape, streams, first=i == 0)
        networks[f"D{i + 1}"] = options.build_discriminator(shape, streams)
    return StackGAN(
        networks,
        **options.shared(networks, task, streams),
        stages=options.stages,
        stage_steps=options.stage_length(task.steps),
        training=options.training,
        kl_weight=2 / options.code_dim if options.kl_weight is None else options.kl_weight,
    )


def _generator(
    options: Options, shape: tuple[int, int, int], streams: Streams, *, first: bool
) -> Layer:
    """Of pictures of that shape: from codes and z, or from codes and pictures half as large."""
    if first:
        return text_generator(
            options.code_dim,
            options.z_dim,
            shape,
            width=options.width,
            norm=options.norm_G,
            rng=streams.weights,
        )
    h, w, channels = shape
    return refining_generator(
        options.code_dim,
        (h // 2, w // 2, channels),
        width=options.width,
        blocks=options.blocks,
        norm=options.norm_G,
        up=options.up,
        rng=streams.weights,
    )
