r"""MidiNet: melodies bar by bar, each conditioned on the one before (Yang et al. 2017).

    for number of training iterations do
        sample m bars X, each with the bar before it and its chord; m noise samples z
        update D by ascending V, its target on real bars 1 - alpha                    midinet.1
        for two times do
            sample m noise samples z
            update G and its conditioner by ascending log D(G(z)), and descending     midinet.2
        end for
    end for

The bar before is a 2-D condition: a matrix, which the conditioner CNN takes apart into features for
each layer of G. The chord is a 1-D condition, a vector that stands at every place of a layer. The
paper has three models, here `chords`:

    none   "melody generator, no chord condition": the bar before alone
    last   "stable mode": the chord enters G's last layer alone, and the notes follow it closely
    all    "creative mode": the chord enters all layers, and the bar before counts for more

midinet.2 keeps the means of a minibatch alike: of the bars, and of the features f that D's first
layer makes of them. Larger lambdas stay closer to the data. Feature matching and one-sided label
smoothing are Salimans et al.'s (2016).

Given a first bar, or silence, G makes a tune: a bar, the next one from this, and so on. G
gives a number for each pitch of each step, and D sees these; a bar keeps the loudest of each step.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from minigan.algorithms.base import Algorithm, Scalars
from minigan.algorithms.checks import check_clip_norm, check_counts, check_weights
from minigan.algorithms.conditional.base import check_labels, draw_labels
from minigan.algorithms.options import LabelNames, OptimizerOptions, Streams, Task
from minigan.algorithms.settings import known, option
from minigan.backend import Array, joined, to_device
from minigan.errors import OptionError
from minigan.layers import ConditionalSequential
from minigan.losses import NonSaturating, match_means
from minigan.models import midinet_discriminator, midinet_generator
from minigan.models.midinet import CHORDS
from minigan.noise import Rng
from minigan.ops.labels import multi_hot
from minigan.optim import Optimizer
from minigan.prior import PRIORS, Prior

PAPER = (
    "Yang, Chou and Yang 2017, MidiNet: a convolutional generative adversarial network for"
    " symbolic-domain music generation, arXiv:1703.10847"
)

EQUATIONS = {
    "midinet.1": r"\min_G \max_D V(D, G) = \mathbb{E}_{X \sim p_{data}(X)}[\log(D(X))]"
    r" + \mathbb{E}_{z \sim p_z(z)}[\log(1 - D(G(z)))]",
    "midinet.2": r"\lambda_1 \|\mathbb{E} X - \mathbb{E} G(z)\|_2^2"
    r" + \lambda_2 \|\mathbb{E} f(X) - \mathbb{E} f(G(z))\|_2^2",
}

ROOTS = 12
CHORD_COLUMNS = 2  # of the labels: root and mode; then the pitch of each step of the bar before


class Conditions(NamedTuple):
    """What bars are conditioned on.

    chord   (N, 13): the root as one of 12, and 1 for minor
    before  (N, T, P, 1), the bars before, zero where there is none
    """

    chord: Array
    before: Array


class MidiNet(Algorithm):
    """The loop above. G maps (before, [z, chord]) to bars in (0, 1), D (bars, chord) to logits.

    D's first part gives the features f. lambda_1, lambda_2: weights of midinet.2; label_smoothing:
    alpha; updates_G: steps of G for each of D. label_names: of root, mode and the pitches before;
    draw_labels: (n, rng) -> labels as the data has them, for `sample`.
    """

    def __init__(
        self,
        G: ConditionalSequential,
        D: ConditionalSequential,
        *,
        optimizer_G: Optimizer,
        optimizer_D: Optimizer,
        prior: Prior,
        label_names: LabelNames,
        draw_labels: Callable[[int, np.random.Generator], Array],
        lambda_1: float = 0.1,
        lambda_2: float = 1.0,
        label_smoothing: float = 0.1,
        updates_G: int = 2,
        max_grad_norm: float = np.inf,
        rng: Rng,
    ) -> None:
        self.G, self.D = G, D
        self.f, self.judge = D.layers
        self.networks = {"G": G, "D": D}
        self.optimizers = {"G": optimizer_G, "D": optimizer_D}
        self.averages = {}
        self.prior = prior
        self.objective = NonSaturating(label_smoothing=label_smoothing)
        self.label_names, self.draw_labels = label_names, draw_labels
        self.lambda_1, self.lambda_2 = lambda_1, lambda_2
        self.updates_G = updates_G
        self.max_grad_norm = max_grad_norm
        self.rng = rng
        self.steps, self.pitches = len(label_names) - CHORD_COLUMNS, len(self._rest) - 1

    @property
    def _rest(self) -> tuple[str, ...]:
        """What a step before can be: each pitch, and last of all silence."""
        return [*self.label_names.values()][-1]

    def step(self, x: Array, labels: Array) -> Scalars:  # type: ignore[override]  # is conditional
        """One iteration on bars (m, T, P, 1) and their labels (m, 2 + T)."""
        given = self.conditions(labels, x)
        scalars = self.update_discriminator(x, given)
        features, _ = self.f.forward(x, given.chord, update_stats=False)  # the same for all of G's
        for _ in range(self.updates_G):
            scalars |= self.update_generator(x, features, given)
        return scalars

    def update_discriminator(self, x: Array, given: Conditions) -> Scalars:
        """Ascend midinet.1 in D's parameters, with G frozen."""
        D = self.D
        D.flat.zero_grad()
        fake, _ = self.generated(len(x), given, update_stats=False)
        real_scores, real_ctx = D.forward(x, given.chord)
        fake_scores, fake_ctx = D.forward(fake, given.chord)
        loss, d_real, d_fake = self.objective.discriminator(  # eq: midinet.1
            real_scores, fake_scores
        )
        D.backward(d_real, real_ctx, need_dx=False)
        D.backward(d_fake, fake_ctx, need_dx=False)
        norm = self.descend("D", loss)
        report = self.objective.report(real_scores, fake_scores)
        return {"loss_D": loss, **report, "grad_norm_D": norm}

    def update_generator(self, x: Array, real_features: Array, given: Conditions) -> Scalars:
        """Ascend log D(G(z)) and descend midinet.2 in G and its conditioner, with D frozen.

        x, real_features: the real bars, and what f makes of them.
        """
        G, f, judge = self.G, self.f, self.judge
        G.flat.zero_grad()
        fake, G_ctx = self.generated(len(x), given)
        features, f_ctx = f.forward(fake, given.chord, update_stats=False)
        scores, ctx = judge.forward(features, given.chord, update_stats=False)
        loss, d_scores = self.objective.generator(scores)
        of_bars, dfake = match_means(fake, x)
        of_features, dfeatures = match_means(features, real_features)
        matching = self.lambda_1 * of_bars + self.lambda_2 * of_features  # eq: midinet.2
        fooling, _ = judge.backward(d_scores, ctx, need_dw=False)
        below, _ = f.backward(fooling + self.lambda_2 * dfeatures, f_ctx, need_dw=False)
        G.backward(below + self.lambda_1 * dfake, G_ctx, need_dx=False)
        norm = self.descend("G", loss + matching)
        return {
            "loss_G": loss + matching,
            "GAN_G": loss,
            "match(x)": of_bars,
            "match(f)": of_features,
            "grad_norm_G": norm,
        }

    def generated(self, m: int, given: Conditions, update_stats: bool = True) -> tuple[Array, Any]:
        """G of fresh noise, in training, and its context."""
        z = self.prior.draw(m, self.rng)
        c = joined([z, given.chord], 1)
        return self.G.forward(given.before, c, update_stats=update_stats)

    # --- conditions -------------------------------------------------------------------------------

    def conditions(self, labels: Array, like: Array) -> Conditions:
        """The conditions of labels (N, 2 + T), in the dtype of `like`."""
        root, minor = labels[:, :1], labels[:, 1:CHORD_COLUMNS].astype(like.dtype)
        chord = joined([multi_hot(root, [ROOTS], like.dtype), minor], 1)
        counts = [self.pitches] * self.steps  # silence is a number outside, and gives no 1
        before = multi_hot(labels[:, CHORD_COLUMNS:], counts, like.dtype)
        return Conditions(chord, before.reshape(len(labels), self.steps, self.pitches, 1))

    # --- samples ----------------------------------------------------------------------------------

    def sample(self, n: int, rng: np.random.Generator) -> Array:
        """Bars of n draws of the prior, after bars and with chords as the data has them."""
        z = self.prior.draw(n, rng)
        return self.generate(z, self.draw_labels(n, rng))

    def generate(self, z: Array, labels: Array) -> Array:
        """Bars (N, T, P, 1) of draws z and of labels, with a 1 at the loudest pitch of each step.

        From running statistics; arrays of the host. Raises DataError for labels that cannot be,
        NonFiniteError where the weights have run away.
        """
        check_labels(self.label_names, labels)
        z, labels = to_device(z, self.device), to_device(labels, self.device)
        given = self.conditions(labels, z)
        with self.sampling():
            x, _ = self.G.forward(given.before, joined([z, given.chord], 1), train=False)
        x = self.finite(x, "a bar G(z)")
        loudest = x.argmax(2)[:, :, None] == np.arange(self.pitches)[:, None]
        return loudest.astype(x.dtype)

    def compose(self, chords: Array, rng: np.random.Generator, first: Array | None = None) -> Array:
        """Tunes bar after bar: chords (N, B, 2), roots and modes -> pitches, int (N, B, T).

        first: the bars before the first ones, pitches (N, T); silence unless given. Raises as
        `generate`.
        """
        n, bars = chords.shape[:2]
        before = np.full((n, self.steps), self.pitches) if first is None else first
        made = []
        for bar in range(bars):
            labels = np.concatenate([chords[:, bar], before], 1)
            x = self.generate(self.prior.draw(n, rng), labels)
            before = x[..., 0].argmax(2)
            made.append(before)
        return np.stack(made, 1)


@dataclass(frozen=True, kw_only=True)
class Options(OptimizerOptions):
    """The paper's: lambdas 0.1 and 1, smoothing to 0.9, two steps of G, Adam(2e-4, 0.5).

    Widths are those of the authors' code.
    """

    beta1: float | None = option(0.5, "averaging factor of adam's first moment")
    chords: str = option(
        "all", "where the chord enters G: nowhere, its last layer, or all layers", CHORDS
    )
    lambda_1: float = option(0.1, "weight of matching the mean bar")
    lambda_2: float = option(1.0, "weight of matching the mean features of D's first layer")
    label_smoothing: float = option(0.1, "D's target on real bars is 1 - this")
    updates_G: int = option(2, "steps of G for each step of D")
    prior: str = option("normal", "distribution of the noise z", PRIORS)
    z_dim: int = option(100, "numbers in z")
    width: int = option(128, "channels of G's layers; D's second convolution has half as many")
    conditioner: int = option(16, "channels of the conditioner's layers")
    hidden: int = option(1024, "units of the first layer of G, and of the last hidden one of D")


def build(options: Options, task: Task, streams: Streams) -> MidiNet:
    """Its networks for bars of the task's size. Raises OptionError for values that cannot be."""
    if task.kind != "bars":
        raise OptionError(
            "midinet learns from melodies in bars: give --data tunes, or what `minigan data make "
            "chorales` wrote"
        )
    known("way for the chord into G:", options.chords, CHORDS)
    check_clip_norm(options)
    check_weights(options, "lambda_1", "lambda_2")
    check_counts(options, "updates_G", "conditioner", "hidden")
    check_counts(options, "width", least=2)
    G = midinet_generator(
        options.z_dim,
        task.shape,
        chords=options.chords,
        width=options.width,
        conditioner=options.conditioner,
        hidden=options.hidden,
        rng=streams.weights,
    )
    D = midinet_discriminator(
        task.shape,
        chords=options.chords,
        width=options.width // 2,
        hidden=options.hidden,
        rng=streams.weights,
    )
    return MidiNet(
        G,
        D,
        optimizer_G=options.build_optimizer(G.flat, task, k=options.updates_G),
        optimizer_D=options.build_optimizer(D.flat, task),
        prior=Prior(options.prior, options.z_dim),
        label_names=task.label_names,
        draw_labels=partial(draw_labels, task),
        lambda_1=options.lambda_1,
        lambda_2=options.lambda_2,
        label_smoothing=options.label_smoothing,
        updates_G=options.updates_G,
        max_grad_norm=np.inf if options.clip_norm is None else options.clip_norm,
        rng=streams.noise,
    )
