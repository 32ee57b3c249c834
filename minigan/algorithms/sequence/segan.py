r"""SEGAN: speech without the noise that lies over it (Pascual et al. 2017).

G makes clean speech of noisy speech, sample by sample; D tells the pair of noisy and clean speech
from the pair of noisy and enhanced speech:

    for number of training iterations do
        sample pairs of clean speech x and noisy speech x~, and noise z
        update D by descending                                  segan.d
        update G by descending                                  segan.g
    end for

All sounds are pre-emphasised. The close term alone gives an average of what the speech could have
been, which is muffled where the noise is loud; D asks for speech beside it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from minigan.algorithms.base import Algorithm, Scalars
from minigan.algorithms.checks import (
    check_bounded,
    check_clip_norm,
    check_counts,
    check_weights,
)
from minigan.algorithms.options import OPTIMIZERS, OptimizerOptions, Streams, Task
from minigan.algorithms.parts import Fooling
from minigan.algorithms.sequence.emphasis import deemphasized, emphasized
from minigan.algorithms.settings import Company, Needs, known, option
from minigan.algorithms.translation.base import Given
from minigan.algorithms.translation.shared_options import SCORED
from minigan.backend import Array, to_device, to_host
from minigan.errors import OptionError
from minigan.layers import Layer
from minigan.losses import Objective, objectives
from minigan.losses.distance import mean_absolute_error
from minigan.models import segan_discriminator, segan_generator
from minigan.models.norms import NORMS, WITH_REFERENCE
from minigan.models.segan import code_shape, segan_halvings
from minigan.optim import Optimizer
from minigan.prior import Prior

PAPER = (
    "Pascual, Bonafonte and Serra 2017, SEGAN: Speech enhancement generative adversarial network,"
    " arXiv:1703.09452, section 3"
)

# The paper's objectives, of D and of G, named by their players here.
EQUATIONS = {
    "segan.d": r"\min_D \frac{1}{2} \mathbb{E}_{x, \tilde{x}}[(D(x, \tilde{x}) - 1)^2]"
    r" + \frac{1}{2} \mathbb{E}_{z, \tilde{x}}[D(G(z, \tilde{x}), \tilde{x})^2]",
    "segan.g": r"\min_G \frac{1}{2} \mathbb{E}_{z, \tilde{x}}"
    r"[(D(G(z, \tilde{x}), \tilde{x}) - 1)^2] + \lambda \| G(z, \tilde{x}) - x \|_1",
    "segan.emphasis": r"y_t = x_t - 0.95\, x_{t-1}",
}

JUDGED = {"pair": "noisy and clean speech: D(x, x~)", "none": "no D: the L1 term alone"}
CHUNK = 64  # windows in the network at once, when sounds are enhanced


class SEGAN(Algorithm):
    """One update of D and one of G for each minibatch of windows (N, T, 2), noisy and clean.

    G maps noisy windows (N, T, 1) and z to windows; D a noisy window and another one to a number.
    Without a D there is no game. weight_l1 is lambda, on the mean over samples. preemphasis: the
    filter's coefficient; rate: samples a second. examples: as many of the data as asked for, always
    the same, for `sample`. Raises OptionError where nothing is left for G to descend.
    """

    def __init__(
        self,
        G: Layer,
        D: Layer | None,
        *,
        prior: Prior,
        objective: Objective,
        optimizers: Mapping[str, Optimizer],
        window: int,
        rate: int,
        weight_l1: float = 100.0,
        weight_gan: float = 1.0,
        preemphasis: float = 0.95,
        max_grad_norm: float = math.inf,
        examples: Callable[[int], Array] | None = None,
        rng: Any,
    ) -> None:
        if D is None and not weight_l1:
            raise OptionError("neither D nor the L1 term is on: G has nothing to descend")
        self.networks = {"G": G} | ({} if D is None else {"D": D})
        self.optimizers, self.averages = optimizers, {}
        self.G, self.D = G, D
        self.prior, self.objective = prior, objective
        if D is not None:
            objective.check(D)
        self.format = np.array([window, rate], np.int64)
        self.weight_l1, self.weight_gan = weight_l1, weight_gan
        self.preemphasis = preemphasis
        self.max_grad_norm = max_grad_norm
        self.examples = examples
        self.rng = rng

    @property
    def window(self) -> int:
        """Samples of the sounds that the networks take."""
        return int(self.format[0])

    @property
    def rate(self) -> int:
        """Samples a second, of the sounds that it was trained on."""
        return int(self.format[1])

    def step(self, pairs: Array) -> Scalars:
        """One training iteration on pairs of noisy and clean windows."""
        pairs = emphasized(pairs, self.preemphasis)  # eq: segan.emphasis
        noisy, clean = pairs[..., :1].copy(), pairs[..., 1:].copy()
        z = self.prior.draw(len(noisy), self.rng)
        enhanced, G_ctx = self.G.forward(noisy, z)
        scalars: Scalars = {}
        if self.D is not None:
            scalars |= self.update_discriminator(Given(self.D, noisy), clean, enhanced)
        return scalars | self.update_generator(noisy, clean, enhanced, G_ctx)

    def update_discriminator(self, D: Layer, clean: Array, enhanced: Array) -> Scalars:
        """Descend segan.d in D's parameters; D is given the noisy speech already."""
        self.networks["D"].flat.zero_grad()
        real, real_ctx = D.forward(clean)
        fake, fake_ctx = D.forward(enhanced)
        loss, d_real, d_fake = self.objective.discriminator(real, fake)  # eq: segan.d
        D.backward(d_real, real_ctx, need_dx=False)
        D.backward(d_fake, fake_ctx, need_dx=False)
        report = self.objective.report(real, fake)
        return {"loss_D": loss, **report, "grad_norm_D": self.descend("D", loss)}

    def update_generator(self, noisy: Array, clean: Array, enhanced: Array, G_ctx: Any) -> Scalars:
        """Descend segan.g in G's parameters, from its forward pass; D is frozen."""
        self.G.flat.zero_grad()
        close, dclose = mean_absolute_error(enhanced, clean)
        loss, d_enhanced = self.weight_l1 * close, self.weight_l1 * dclose
        terms: Scalars = {"L1": close}
        if self.D is not None:
            fooled = Fooling(self.objective)
            fooling, dfooling = fooled(Given(self.D, noisy), enhanced, clean)
            terms["GAN_G"] = fooling
            loss = self.weight_gan * fooling + loss  # eq: segan.g
            d_enhanced = self.weight_gan * dfooling + d_enhanced  # eq: segan.g
        self.G.backward(d_enhanced, G_ctx, need_dx=False)
        return {"loss_G": loss, **terms, "grad_norm_G": self.descend("G", loss)}

    def enhance(self, noisy: Array, rng: np.random.Generator) -> Array:
        """Windows (N, T) of the host, each without its noise; rng decides z.

        Raises NonFiniteError where the weights have run away.
        """
        x = emphasized(noisy[..., None], self.preemphasis)
        parts = [self.emphatic(x[i : i + CHUNK], rng) for i in range(0, len(x), CHUNK)]
        return deemphasized(np.concatenate(parts), self.preemphasis)[..., 0]

    def emphatic(self, x: Array, rng: np.random.Generator) -> Array:
        """What G makes of windows (N, T, 1) of the host that are pre-emphasised, as these are."""
        with self.sampling():
            z = to_device(self.prior.draw(len(x), rng), self.device)
            y, _ = self.G.forward(to_device(x, self.device), z, train=False, update_stats=False)
            return self.finite(to_host(y), "enhanced speech G(z, x)")

    def sample(self, n: int, rng: np.random.Generator) -> Array:
        """n windows of the data, always the same, enhanced: (n, T).

        Raises OptionError without examples.
        """
        if self.examples is None:
            raise OptionError("enhanced speech is made of noisy speech: give examples")
        return self.enhance(to_host(self.examples(n))[..., 0], rng)

    def notes(self) -> list[str]:
        """What a run says when it starts: how long its windows are, and its code."""
        seconds = self.window / self.rate
        return [f"windows of {self.window} samples, {seconds:.2f} s at {self.rate} a second"]

    def state_dict(self) -> dict[str, Array]:
        """The algorithm's arrays, what the objective has learned, and the sounds' format."""
        learned = {f"objective.{k}": a for k, a in self.objective.state_dict().items()}
        return super().state_dict() | learned | {"format": self.format}


@dataclass(frozen=True, kw_only=True)
class Options(OptimizerOptions):
    """The paper's: windows of 16384 samples, lambda 100, RMSprop at 2e-4 (sections 3 and 4.2)."""

    only_with: ClassVar[Company] = {
        "norm": Needs(("judge",), ("pair",)),
        "reference_batch": Needs(("norm",), ("virtual", "reference")),
        "objective": Needs(("judge",), ("pair",)),
        "weight_gan": Needs(("judge",), ("pair",)),
    }

    optimizer: str = option("rmsprop", "rule that moves the weights", OPTIMIZERS)
    window: int = option(16384, "samples of the sounds that the networks take")
    width: int = option(16, "channels of the first layer of both networks")
    halvings: int | None = option(
        None,
        "layers of the encoder (default: while windows halve to 8 samples or more, 11 at most)",
    )
    judge: str = option("pair", "what D is shown: the pair of sounds, or none", JUDGED)
    objective: str = option("lsgan", "what the players descend", SCORED)
    norm: str = option("virtual", "norm of D", NORMS)
    reference_batch: int = option(64, "examples of the batch of norms reference and virtual")
    weight_l1: float = option(100.0, "lambda of the close term")
    weight_gan: float = option(1.0, "factor of G's adversarial term")
    preemphasis: float = option(0.95, "coefficient of the filter before the networks; 0: none")

    def check(self, task: Task) -> int:
        """How often windows are halved. Raises OptionError for what cannot be."""
        if task.kind != "sounds" or task.rate is None:
            raise OptionError(
                "segan learns from speech in noise and the same speech without: give --data "
                "voices, or a folder of WAV files"
            )
        known("judge", self.judge, JUDGED)
        known("norm", self.norm, NORMS)
        known("objective", self.objective, SCORED)
        check_counts(self, "width")
        check_counts(self, "reference_batch", least=2)
        check_weights(self, "weight_l1", "weight_gan")
        check_clip_norm(self)
        if not 0 <= self.preemphasis < 1:
            raise OptionError(f"--preemphasis {self.preemphasis} must lie in [0, 1)")
        return segan_halvings(self.window, self.halvings)

    def build_discriminator(
        self, task: Task, halvings: int, rng: np.random.Generator
    ) -> Layer | None:
        """D as the options want it, or None. Raises OptionError for a reference without data."""
        if self.judge == "none":
            return None
        reference = None
        if self.norm in WITH_REFERENCE:
            if task.examples is None:
                raise OptionError(f"--norm {self.norm} needs data to take its reference batch from")
            reference = emphasized(task.examples(self.reference_batch), self.preemphasis)
        return segan_discriminator(
            self.window,
            width=self.width,
            halvings=halvings,
            norm=self.norm,
            reference=reference,
            rng=rng,
        )


def build(options: Options, task: Task, streams: Streams) -> SEGAN:
    """The networks that the options choose. Raises OptionError, for windows too."""
    halvings = options.check(task)
    assert task.rate is not None  # check has seen to it
    rng = streams.weights
    G = segan_generator(options.window, width=options.width, halvings=halvings, rng=rng)
    D = options.build_discriminator(task, halvings, rng)
    objective = objectives.get(options.objective)
    if D is not None:
        check_bounded(options, objective)
    networks = {"G": G} | ({} if D is None else {"D": D})
    places, features = code_shape(options.window, options.width, halvings)
    return SEGAN(
        G,
        D,
        prior=Prior("normal", places * features),
        objective=objective,
        optimizers={k: options.build_optimizer(net.flat, task) for k, net in networks.items()},
        window=options.window,
        rate=task.rate,
        weight_l1=options.weight_l1,
        weight_gan=options.weight_gan,
        preemphasis=options.preemphasis,
        max_grad_norm=math.inf if options.clip_norm is None else options.clip_norm,
        examples=task.examples,
        rng=streams.noise,
    )
