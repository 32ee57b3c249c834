r"""Algorithm 1 about pairs: G(z, c) makes an example of a condition c, D judges it beside c.

    for number of training iterations do
        for k steps do
            sample m pairs (c, x) of the data and m noise samples z; x~ = G(z, c)
            sample m wrong conditions c^, each unlike its c
            update D by ascending, for the plain objective,
                mean of log D(c, x) + log(1 - D(c, x~)) + log(1 - D(c^, x))          cgan.three
        end for
        sample m noise samples z
        update G by ascending the mean of log D(c, G(z, c)), c those of the last minibatch
    end for

Without the third term D can win by looking at x alone, where G makes nothing but wrong pairs of
good pictures: it is told of no picture that it is wrong because of its condition. What D's numbers
are, and how the third term is weighed, says a judge (losses/conditional.py).

The condition of labels is their classes as zeros and ones, label after label.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from minigan.algorithms.base import Scalars
from minigan.algorithms.conditional.base import LabelNames, check_labels
from minigan.algorithms.gan import GAN
from minigan.algorithms.parts import added
from minigan.algorithms.settings import known
from minigan.backend import Array, stacked, to_device
from minigan.errors import OptionError
from minigan.layers import Layer
from minigan.layers.base import GradContext
from minigan.losses.conditional import WRONG_PAIRS, Judge, Numbers
from minigan.losses.objective import Objective
from minigan.noise import Rng
from minigan.ops.labels import multi_hot

Draw = Callable[[int, np.random.Generator], Array]


class ConditionalGAN(GAN):
    """The loop above.

    judge: made of the objective, reads D's numbers. label_names: of the condition; draw_labels:
    (n, rng) -> labels as the data has them, for `sample`. wrong_pairs: how the third term counts,
    one of WRONG_PAIRS (losses/conditional.py). The other arguments are GAN's, but for
    generator_loss.
    """

    has_own_generator_loss = True

    def __init__(
        self,
        G: Layer,
        D: Layer,
        *,
        judge: Callable[[Objective], Judge],
        label_names: LabelNames,
        draw_labels: Draw,
        wrong_pairs: str = "none",
        **parts: Any,
    ) -> None:
        known("way to count wrong pairs:", wrong_pairs, WRONG_PAIRS)
        super().__init__(G, D, **parts)
        self.judge = judge(self.objective)
        if self.terms and self.judge.scores > 1:
            raise OptionError(
                f"{self.terms[0].name!r} looks at the gradient of one score, and this D gives "
                f"{self.judge.scores} (--d-sees two-scores); leave out one or the other"
            )
        self.label_names, self.draw_labels = label_names, draw_labels
        self.wrong_pairs = wrong_pairs
        self.counts = [len(classes) for classes in label_names.values()]

    def step(self, x: Array, labels: Array) -> Scalars:  # type: ignore[override]  # is conditional
        """One training iteration on k m examples and their labels (k m, L), m for each step of D.

        Raises OptionError unless k divides their number.
        """
        if len(x) % self.k:
            raise OptionError(f"{len(x)} examples cannot be split into k={self.k} minibatches")
        m = len(x) // self.k
        for minibatch, classes in zip(np.split(x, self.k), np.split(labels, self.k), strict=True):
            c = self.encode(classes, x)
            z = self.prior.draw(m, self.rng)
            scalars = self.update_pairs(minibatch, z, c, self.wrong(classes, x))
        z = self.prior.draw(m, self.rng)
        scalars |= self.update_conditional_generator(z, c, minibatch)
        return scalars | self.objective.settle(scalars)

    def update_pairs(self, x: Array, z: Array, c: Array, wrong: Array | None) -> Scalars:
        """Ascend the judge's loss of D on examples x of c, on G(z, c), and on x beside `wrong`."""
        G, D = self.G, self.D
        D.flat.zero_grad()
        fake = G.forward(z, c, update_stats=False)[0]
        x, fake = self.shown(x), self.shown(fake)
        shown = [(x, c), (fake, c)] if wrong is None else [(x, c), (fake, c), (x, wrong)]
        seen = [D.forward(*pair) for pair in shown]
        numbers = Numbers(*(scores for scores, _ in seen))
        loss, gradients = self.judge.discriminator(numbers, c, self.wrong_pairs)
        given = [gradient for gradient in gradients if gradient is not None]
        for (_, ctx), gradient in zip(seen, given, strict=True):
            D.backward(gradient, ctx, need_dx=False)
        moved = self.move_discriminator(loss, x, fake, Beside(D, c))
        return {"loss_D": loss, **self.judge.report(numbers), **moved}

    def update_conditional_generator(self, z: Array, c: Array, x: Array) -> Scalars:
        """Descend the judge's loss of G(z, c), with D frozen; x: examples of c, as D saw them."""
        G, D = self.G, self.D
        G.flat.zero_grad()
        fake, G_ctx = G.forward(z, c)
        scores, ctx = D.forward(self.shown(fake), c, update_stats=False)
        real = None
        if self.objective.needs_real:
            real = D.forward(self.shown(x), c, update_stats=False)[0]
        loss, gradient = self.judge.generator(scores, real, c)
        dfake, _ = D.backward(gradient, ctx, need_dw=False)
        G.backward(dfake, G_ctx, need_dx=False)
        terms = self.regularize("G")
        norm = self.descend("G", loss + added(terms))
        return {"loss_G": loss, **terms, "grad_norm_G": norm}

    # --- labels -----------------------------------------------------------------------------------

    def encode(self, labels: Array, like: Array) -> Array:
        """The condition (N, E) of labels (N, L), in the dtype of `like`."""
        return multi_hot(labels, self.counts, like.dtype)

    def wrong(self, labels: Array, like: Array) -> Array | None:
        """A condition for each example that is not its own; None where the game has no third term.

        Of several labels one is wrong, so that D learns to look at each.
        """
        if self.wrong_pairs == "none":
            return None
        return self.encode(wrong_labels(labels, self.counts, self.rng), like)

    # --- samples ----------------------------------------------------------------------------------

    def sample(self, n: int, rng: np.random.Generator) -> Array:
        """G(z, c) for n draws of the prior, of labels as the data has them."""
        z = self.prior.draw(n, rng)
        return self.generate(z, self.draw_labels(n, rng))

    def generate(self, z: Array, labels: Array) -> Array:  # type: ignore[override]  # conditional
        """G(z, c) of the labels (N, L). Raises DataError for labels that cannot be."""
        check_labels(self.label_names, labels)
        return self.generate_for(z, self.encode(labels, z))

    def generate_for(self, z: Array, c: Array) -> Array:
        """G(z, c) of a condition (N, E), which need not be one of labels; as GAN.generate.

        Raises NonFiniteError where the weights have run away.
        """
        z, c = to_device(z, self.device), to_device(c, self.device)
        with self.sampling():
            x, _ = self.G.forward(z, c, train=False)
        return self.finite(x, "a sample G(z, c)")


def wrong_labels(labels: Array, counts: Sequence[int], rng: Rng) -> Array:
    """Labels (N, L) with one column of each row, drawn at random, set to another of its classes.

    Every other class is as likely. counts: how many each column has, 2 or more.
    """
    which, shift = (rng.uniform(0, 1, len(labels)) for _ in range(2))
    chosen = np.floor(which * len(counts))
    columns = []
    for i, count in enumerate(counts):
        moved = 1 + np.floor(shift * (count - 1)).astype(labels.dtype)
        columns.append(np.where(chosen == i, (labels[:, i] + moved) % count, labels[:, i]))
    return stacked(columns, 1)


class Beside(Layer):
    """D(x, c) as a network of x alone: c stands fixed, and of D's numbers the score is given."""

    def __init__(self, D: Layer, c: Array) -> None:
        super().__init__()
        self.D, self.c = D, c

    def forward(
        self, *xs: Array, train: bool = True, update_stats: bool = True
    ) -> tuple[Array, tuple[Any, Array]]:
        (x,) = xs
        y, ctx = self.D.forward(x, self.c, train=train, update_stats=update_stats)
        return y[:, :1].copy(), (ctx, np.zeros_like(y))

    def backward(
        self, dy: Array, ctx: tuple[Any, Array], need_dx: bool = True, need_dw: bool = True
    ) -> Any:
        dx = self.D.backward(self._all(dy, ctx[1]), ctx[0], need_dx, need_dw)
        return dx[0] if need_dx else None

    def input_gradient(self, dy: Array, ctx: tuple[Any, Array]) -> tuple[Any, GradContext]:
        (dx, _), gctx = self.D.input_gradient(self._all(dy, ctx[1]), ctx[0])
        return dx, GradContext(gctx, dy)

    def double_backward(self, ddx: Array, gctx: GradContext) -> tuple[Array, Any]:
        ddy, extra = self.D.double_backward((ddx, None), gctx.ctx)
        return ddy[:, :1], None if extra is None else extra[0]

    def _all(self, dy: Array, zeros: Array) -> Array:
        """dy of all of D's numbers: nothing for those that are not given."""
        return np.concatenate([dy, zeros[:, 1:]], 1)
