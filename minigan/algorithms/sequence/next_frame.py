r"""The next frame of a clip, predicted from the last ones (Mathieu, Couprie and LeCun 2016).

G takes m frames X and predicts the next one, Y, at several sizes from coarse to fine; D_k tells
what came after X_k from what G predicts at size k (models/frames.py):

    while not converged do
        get M samples (X, Y); D descends                       nextframe.adv_D
        get M new samples (X, Y); G descends                   nextframe.loss
    end while

(the paper's Algorithm 1, which stands there without the last term of nextframe.loss). What may go
left or right is predicted in the mean of squares as half of both: it fades and its ghost splits.
The gradient difference loss asks for edges as strong as true ones; a D that has seen X knows that
nothing ever is in two places. With `weight_adv` 0 there is no D.

Close terms are means over the numbers of a frame, as in the authors' code, so that the weights mean
the same for every size; each is summed over the scales.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from minigan.algorithms.base import Scalars
from minigan.algorithms.checks import check_bounded, check_clip_norm, check_counts, check_weights
from minigan.algorithms.options import OPTIMIZERS, OptimizerOptions, Streams, Task
from minigan.algorithms.pair_options import VariedOptions
from minigan.algorithms.settings import Company, known, option
from minigan.algorithms.translation.base import HALF, Translating, at_scale
from minigan.algorithms.translation.shared_options import SCORED, Rng, Size
from minigan.backend import Array
from minigan.errors import OptionError
from minigan.layers import AvgPool2d, Layer
from minigan.losses import Objective, objectives
from minigan.losses.distance import mean_absolute_error, mean_squared_error
from minigan.losses.gradient_difference import ALPHAS, gradient_difference
from minigan.models.frames import FramePyramid, frame_discriminator, frame_pyramid, sizes
from minigan.optim import Optimizer

PAPER = (
    "Mathieu, Couprie and LeCun 2016, Deep multi-scale video prediction beyond mean square error,"
    " arXiv:1511.05440, sections 2 and 3"
)

EQUATIONS = {
    "nextframe.lp": r"\mathcal{L}_p(X, Y) = \ell_p(G(X), Y) = \|G(X) - Y\|_p^p",
    "nextframe.adv_D": r"\mathcal{L}_{adv}^D(X, Y) = \sum_{k=1}^{N_{scales}}"
    r" L_{bce}(D_k(X_k, Y_k), 1) + L_{bce}(D_k(X_k, G_k(X)), 0)",
    "nextframe.adv_G": r"\mathcal{L}_{adv}^G(X, Y) = \sum_{k=1}^{N_{scales}}"
    r" L_{bce}(D_k(X_k, G_k(X_k)), 1)",
    "nextframe.loss": r"\mathcal{L}(X, Y) = \lambda_{adv} \mathcal{L}_{adv}^G(X, Y)"
    r" + \lambda_{\ell_p} \mathcal{L}_p(X, Y) + \lambda_{gdl} \mathcal{L}_{gdl}(X, Y)",
}

CLOSE = {"1": mean_absolute_error, "2": mean_squared_error}


class NextFrame(Translating):
    """One update of every D_k and one of G, each on a minibatch of its own.

    D1, D2, ... see frames and one more, the coarsest first; none of them: no game. p, gdl_alpha: of
    the close term and of the edges. Raises OptionError where nothing is left for G to descend, or
    for another number of discriminators than G has sizes.
    """

    def __init__(
        self,
        G: FramePyramid,
        judges: list[Layer],
        *,
        p: str,
        gdl_alpha: int,
        weight_lp: float,
        weight_gdl: float,
        weight_adv: float,
        **shared: Any,
    ) -> None:
        if not (judges or weight_lp or weight_gdl):
            raise OptionError(
                "--weight-adv, --weight-lp and --weight-gdl are all 0: G has nothing to descend"
            )
        if judges and len(judges) != len(G.parts):
            raise OptionError(f"{len(judges)} discriminators for {len(G.parts)} scales of G")
        known("p", p, CLOSE)
        if gdl_alpha not in ALPHAS:
            raise OptionError(f"--gdl-alpha {gdl_alpha}: give {' or '.join(map(str, ALPHAS))}")
        self.scales = len(G.parts)
        names = [f"D{k}" for k in range(1, len(judges) + 1)]
        networks: dict[str, Layer] = {"G": G, **dict(zip(names, judges, strict=True))}
        super().__init__(networks, weight_gan=weight_adv, noisy=False, **shared)
        self.weight_D /= HALF  # the paper has both terms of D whole
        self.minibatches = 2 if judges else 1
        self.G, self.judges = G, names
        self.p, self.gdl_alpha = p, gdl_alpha
        self.weight_lp, self.weight_gdl = weight_lp, weight_gdl
        self.pool = AvgPool2d(2)

    def step(self, pairs: Array) -> Scalars:
        """One training iteration; with discriminators on two minibatches."""
        scalars: Scalars = {}
        *judged, own = np.split(pairs, self.minibatches)
        for batch in judged:
            scalars |= self.update_discriminators(*self.split(batch))
        return scalars | self.update_generator(*self.split(own))

    def update_discriminators(self, x: Array, y: Array) -> Scalars:
        """Each D_k on frames of its size, with what comes next and with what G predicts."""
        _, ctx = self.G.forward(x, update_stats=False)
        scalars: Scalars = {}
        for name, *seen in zip(
            self.judges, self.pyramid(y), ctx.predictions, self.pyramid(x), strict=True
        ):
            scalars |= self.update_discriminator(name, *seen)  # eq: nextframe.adv_D
        return scalars

    def update_generator(self, x: Array, y: Array) -> Scalars:
        """Descend nextframe.loss in G's parameters; the discriminators are frozen."""
        G = self.G
        G.flat.zero_grad()
        _, ctx = G.forward(x)
        frames, truths = self.pyramid(x), self.pyramid(y)
        terms: Scalars = {}
        dpredictions: list[Any] = []
        total = 0.0
        for k, (own, made, true) in enumerate(zip(frames, ctx.predictions, truths, strict=True)):
            at = at_scale(self.scales - 1 - k)
            lp, dlp = CLOSE[self.p](made, true)  # eq: nextframe.lp
            gdl, dgdl = gradient_difference(made, true, alpha=self.gdl_alpha)
            loss = self.weight_lp * lp + self.weight_gdl * gdl
            dmade = self.weight_lp * dlp + self.weight_gdl * dgdl
            terms |= {f"L{self.p}{at}": lp, f"GDL{at}": gdl}
            if self.judges:
                adv, dadv = self.fool(self.judges[k], made, true, own)  # eq: nextframe.adv_G
                loss, dmade = loss + adv, dmade + dadv  # eq: nextframe.loss
                terms[f"adv{at}"] = adv
            total = total + loss
            dpredictions.append(dmade)
        G.backward_all(dpredictions, ctx, need_dx=False)
        norm = self.descend("G", total)
        return {"loss_G": total, **terms, "grad_norm_G": norm}

    def pyramid(self, x: Array) -> list[Array]:
        """Frames at every scale, the coarsest first: means over 2x2 pixels of the next finer."""
        found = [x]
        while len(found) < self.scales:
            found.insert(0, self.pool.forward(found[0])[0])
        return found

    def halvings(self, name: str) -> int:
        """How often the frames that discriminator `name` sees were halved."""
        return self.scales - int(name[1:])

    def told_apart(self, name: str) -> tuple[str, str]:
        at = at_scale(self.halvings(name))
        return f"y{at}", f"G(x){at}"

    def judged_size(self, name: str) -> Size:
        h, w = super().judged_size(name)
        k = self.halvings(name)
        return h >> k, w >> k

    def notes(self) -> list[str]:
        """What a run says when it starts: the frames that discriminators judge."""
        told = (f"{name} of {'x'.join(map(str, self.judged_size(name)))}" for name in self.judges)
        m = self.channels[0] // self.channels[1]
        judged = f"; whole frames are judged by {', '.join(told)}" if self.judges else ""
        return [f"{m} frames tell the next one{judged}"]

    def predict(self, x: Array, length: int, rng: np.random.Generator) -> Array:
        """As many frames after x, (N, length, H, W, C): each is among the last m of the next.

        x: m frames (N, H, W, m C) of the host. Raises NonFiniteError where the weights ran away.
        """
        return predicted(lambda last: self.translate(last, rng), x, length)


def predicted(next_frame: Callable[[Array], Array], x: Array, length: int) -> Array:
    """(N, length, H, W, C): what `next_frame` makes of frames x (N, H, W, m C), again and again."""
    found: list[Array] = []
    while len(found) < length:
        y = next_frame(x)
        found.append(y)
        x = np.concatenate([x[..., y.shape[-1] :], y], -1)
    return np.stack(found, 1)


@dataclass(frozen=True, kw_only=True)
class Options(VariedOptions, OptimizerOptions):
    """The paper's: 4 frames, 4 scales, p = 2, alpha = 1, lambda_adv 0.05, lambda_lp and lambda_gdl
    1, gradient descent at 0.04 for G and 0.02 for D, batches of 8 (section 4)."""

    only_with: ClassVar[Company] = {}

    optimizer: str = option("sgd", "rule that moves the weights", OPTIMIZERS)
    lr: float = option(0.04, "learning rate of G")
    lr_D: float | None = option(None, "learning rate of the discriminators (default: half of --lr)")
    objective: str = option("non-saturating", "what the players descend", SCORED)
    frames: int = option(4, "m, the frames that tell the next one")
    scales: int | None = option(
        None, "sizes of G and D, each twice the one before (default: 4, or what the frames allow)"
    )
    width: int = option(128, "channels of the first layers of the largest scale")
    width_D: int | None = option(None, "the same of the discriminators (default: --width)")
    p: str = option("2", "of the close term: absolute (1) or squared (2) differences", CLOSE)
    gdl_alpha: int = option(1, "power of the differences of edges", ALPHAS)
    weight_adv: float = option(0.05, "lambda_adv, of what fools D; 0: no D")
    weight_lp: float = option(1.0, "lambda_lp, of the close term")
    weight_gdl: float = option(1.0, "lambda_gdl, of the gradient difference loss")

    def check(self, task: Task) -> tuple[Size, tuple[int, int]]:
        """Size of the task's frames, and channels of x and of y. Raises OptionError."""
        if task.kind != "pairs" or task.channels is None or task.channels[0] % task.channels[1]:
            raise OptionError(
                "the next frame is predicted of clips: give --data moving-digits or a folder of "
                "clips"
            )
        check_weights(self, "weight_adv", "weight_lp", "weight_gdl", "lr_D")
        check_clip_norm(self)
        check_counts(self, "width", "width_D", "frames", "scales")
        h, w = task.shape[:2]
        return (h, w), task.channels

    def build_objective(self) -> Objective:
        """Raises UnknownNameError, and OptionError for one that needs D bounded."""
        known("objective", self.objective, SCORED)
        made = objectives.get(self.objective)
        check_bounded(self, made)
        return made

    def build_generator(self, size: Size, channels: tuple[int, int], rng: Rng) -> FramePyramid:
        """Frames (N, H, W, m C) -> the next (N, H, W, C). Raises OptionError for a size."""
        x, y = channels
        return frame_pyramid((*size, x), y, width=self.width, scales=self.scales, rng=rng)

    def check_size(self, size: Size, trained: Size) -> None:
        """Raise OptionError unless G built for frames of `trained` takes those of `size` too."""
        sizes(*size, len(sizes(*trained, self.scales)))

    def build_judges(self, size: Size, channels: tuple[int, int], rng: Rng) -> list[Layer]:
        """D_1, D_2, ..., the coarsest first; none where nothing is to fool them."""
        if not self.weight_adv:
            return []
        (x, y), width = channels, self.width if self.width_D is None else self.width_D
        return [
            frame_discriminator((h, w, y), beside=x, k=k, width=width, rng=rng)
            for k, (h, w) in enumerate(sizes(*size, self.scales))
        ]

    def build_optimizers(self, task: Task, networks: dict[str, Layer]) -> dict[str, Optimizer]:
        """One for each network, by its name. Raises as `build_optimizer`."""
        lr_D = self.lr / 2 if self.lr_D is None else self.lr_D
        return {
            name: self.build_optimizer(net.flat, task, lr=self.lr if name == "G" else lr_D)
            for name, net in networks.items()
        }


def build(options: Options, task: Task, streams: Streams) -> NextFrame:
    """The networks that the options choose. Raises OptionError, for sizes too."""
    size, channels = options.check(task)
    G = options.build_generator(size, channels, streams.weights)
    judges = options.build_judges(size, channels, streams.weights)
    networks: dict[str, Layer] = {"G": G} | {f"D{k}": D for k, D in enumerate(judges, 1)}
    return NextFrame(
        G,
        judges,
        p=options.p,
        gdl_alpha=options.gdl_alpha,
        weight_lp=options.weight_lp,
        weight_gdl=options.weight_gdl,
        weight_adv=options.weight_adv,
        optimizers=options.build_optimizers(task, networks),
        objective=options.build_objective(),
        shape=size,
        channels=channels,
        max_grad_norm=math.inf if options.clip_norm is None else options.clip_norm,
        examples=task.examples,
        rng=streams.noise,
    )
