"""What the translations share: generators of pictures from pictures, and their discriminators.

x and y of a pair lie in the channels of one array (data/pairs.py). G makes y of x; where there is
an F, it makes x of y. Each adversarial term is judged by a discriminator whose logits may be a map,
(N, h, w, 1): the objectives average over all of them.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, ClassVar

import numpy as np

from minigan.algorithms.base import Algorithm, Scalars
from minigan.algorithms.parts import CriticTerm, Fooling, added
from minigan.backend import Array, array_module, overwrite, to_device, to_host
from minigan.errors import OptionError
from minigan.layers import Dropout, Layer
from minigan.losses import Objective
from minigan.losses.least_squares import LeastSquares
from minigan.models import receptive_field
from minigan.optim import Optimizer
from minigan.prior import Prior

HALF = 0.5  # of D's loss: pix2pix and CycleGAN divide it by 2; here the others do so as well


class Translating(Algorithm):
    """Networks, optimisers by their names, and the objective of every adversarial term.

    shape: (H, W) of the pictures; channels: of x and of y. noisy: whether dropout and the batch's
    own statistics stay on when pictures are translated, as pix2pix has it (section 3.3).
    terms: of each discriminator's loss, beyond the objective.
    examples: as many pairs as asked for, always the same, for `sample`. prior: of the z that a
    generator takes beside a picture, where it takes one: each z is another answer.
    """

    share_D: ClassVar[float] = HALF  # of D's loss that is descended
    prior: Prior | None = None

    def __init__(
        self,
        networks: Mapping[str, Layer],
        *,
        optimizers: Mapping[str, Optimizer],
        objective: Objective,
        terms: Sequence[CriticTerm] = (),
        shape: tuple[int, int],
        channels: tuple[int, int],
        weight_gan: float = 1.0,
        noisy: bool = True,
        max_grad_norm: float = math.inf,
        examples: Callable[[int], Array] | None = None,
        rng: Any,
    ) -> None:
        self.networks, self.optimizers, self.averages = networks, optimizers, {}
        self.objective, self.terms = objective, terms
        for D in self.discriminators.values():
            objective.check(D)
            for term in terms:
                term.check(D)
        # Mao et al. write half the squares; CycleGAN writes them whole.
        whole = 2.0 if isinstance(objective, LeastSquares) else 1.0
        self.weight_G, self.weight_D = weight_gan * whole, self.share_D * whole
        self.channels = channels
        self.sides = np.array([*shape, *channels], np.int64)
        self.noisy = noisy
        self.max_grad_norm = max_grad_norm
        self.examples = examples
        self.rng = rng

    @property
    def discriminators(self) -> dict[str, Layer]:
        """D, or D_X and D_Y, by their names."""
        return {name: net for name, net in self.networks.items() if name.startswith("D")}

    @property
    def translators(self) -> dict[str, Layer]:
        """G from x to y, and F from y to x where there is one, by their names."""
        return {name: self.networks[name] for name in ("G", "F") if name in self.networks}

    @property
    def varies(self) -> bool:
        """Whether one picture has many translations: of different z, or by dropout."""
        nets = self.translators.values()
        return self.prior is not None or any(has_dropout(net, noisy=self.noisy) for net in nets)

    def split(self, pairs: Array) -> tuple[Array, Array]:
        """x and y of pairs (N, H, W, channels of x + channels of y), each in memory of its own."""
        first = self.channels[0]
        return pairs[..., :first].copy(), pairs[..., first:].copy()

    # --- the adversarial terms --------------------------------------------------------------------

    def update_discriminator(
        self, name: str, real: Array, fake: Array, given: Array | None = None
    ) -> Scalars:
        """One step of discriminator `name`, on real and generated pictures beside `given`."""
        net = self.networks[name]
        net.flat.zero_grad()
        D = net if given is None else Given(net, given)
        real_scores, real_ctx = D.forward(real)
        fake_scores, fake_ctx = D.forward(fake)
        weight, losses = self.weight_D, self.objective.discriminator  # eq: pix2pix.1, pix2pix.2
        loss, d_real, d_fake = losses(real_scores, fake_scores)  # eq: dualgan.1, dualgan.2
        D.backward(weight * d_real, real_ctx, need_dx=False)  # eq: cyclegan.1, discogan.6
        D.backward(weight * d_fake, fake_ctx, need_dx=False)  # eq: cyclegan.1, discogan.6
        loss = weight * loss
        terms = {term.name: term(D, real, fake, self.rng) for term in self.terms}
        norm = self.descend(name, loss + added(terms) if terms else loss)
        report = named_report(
            self.objective.report(real_scores, fake_scores), name, self.told_apart(name)
        )
        return {f"loss_{name}": loss, **report, **terms, f"grad_norm_{name}": norm}

    def told_apart(self, name: str) -> tuple[str, str]:
        """What discriminator `name` tells from what, as the log names it."""
        return _told_apart(name)

    def fool(
        self, name: str, fake: Array, real: Array, given: Array | None = None
    ) -> tuple[Any, Array]:
        """What a generator pays for pictures that discriminator `name` sees through, weighted.

        The value, and its gradient with respect to the generated pictures; D is frozen.
        """
        net = self.networks[name]
        loss, dfake = Fooling(self.objective)(
            net if given is None else Given(net, given), fake, real
        )
        return self.weight_G * loss, self.weight_G * dfake

    # --- translation ------------------------------------------------------------------------------

    def translate(
        self, x: Array, rng: np.random.Generator, *, name: str = "G", z: Array | None = None
    ) -> Array:
        """Pictures (N, H, W, C) of the host as generator `name` translates them, one by one.

        rng decides the noise of dropout, and z, a row for each picture, unless it is given. Raises
        NonFiniteError where the weights have run away.
        """
        net = self.translators[name]
        if z is None and self.prior is not None:
            z = self.prior.draw(len(x), rng)
        with self.sampling():
            ys = [
                translated(
                    net,
                    to_device(x[i : i + 1], self.device),
                    rng,
                    z=None if z is None else z[i : i + 1],
                    noisy=self.noisy,
                )
                for i in range(len(x))
            ]
        return self.finite(np.concatenate(ys), f"a translation {name}(x)")

    def sample(self, n: int, rng: np.random.Generator) -> Array:
        """G(x) of n pictures of the data, always the same. Raises OptionError without examples."""
        if self.examples is None:
            raise OptionError("a translation has samples of pictures only: give it examples")
        x, _ = self.split(self.examples(n))
        return self.translate(x, rng)

    def notes(self) -> list[str]:
        """What a run says when it starts: the patches that discriminators judge."""
        said = []
        for name, D in self.discriminators.items():
            h, w = self.judged_size(name)
            field = receptive_field(D)
            what = f"{field}x{field} pixels" if field else "any size"
            said.append(f"{name} judges patches of {what} in pictures of {h}x{w}")
        return said

    def judged_size(self, name: str) -> tuple[int, int]:
        """Of the pictures that discriminator `name` sees."""
        h, w = (int(side) for side in self.sides[:2])
        return h, w

    def state_dict(self) -> dict[str, Array]:
        """The algorithm's arrays, what the objective has learned, and the pictures' shape."""
        learned = {f"objective.{k}": a for k, a in self.objective.state_dict().items()}
        return super().state_dict() | learned | {"sides": self.sides}


# What each discriminator tells from what; those of scales have a number behind: D1, D2, ...
JUDGES = {
    "D": ("y", "G(x)"),
    "D_Y": ("y", "G(x)"),
    "D_X": ("x", "F(y)"),
    "D_S": ("y, W", "y, G"),
    "D_VAE": ("y, VAE", "G(x, E(y))"),
    "D_LR": ("y, LR", "G(x, z)"),
    "D_R": ("y", "G(x)"),
    "D_A": ("x, y", "x, G(x)"),
}


def scale_of(name: str) -> int:
    """How often the pictures that discriminator `name` sees were halved: D1 0 times, D2 once."""
    number = name[len(name.rstrip("0123456789")) :]
    return int(number) - 1 if number else 0


def at_scale(k: int) -> str:
    """How the log marks what is of pictures halved k times: "", "/2", "/4", ..."""
    return f"/{1 << k}" if k else ""


def _told_apart(name: str) -> tuple[str, str]:
    """What discriminator `name` tells from what."""
    real, fake = JUDGES[name.rstrip("0123456789")]
    at = at_scale(scale_of(name))
    return f"{real}{at}", f"{fake}{at}"


def named_report(report: Scalars, name: str, apart: tuple[str, str] | None = None) -> Scalars:
    """An objective's "score(x)" and "score(G(z))" by what discriminator `name` sees."""
    real, fake = apart or _told_apart(name)

    def said(key: str) -> str:
        if key.endswith(("(x)", "(G(z))")):
            return key.replace("(x)", f"({real})").replace("(G(z))", f"({fake})")
        return key + name[1:]

    return {said(key): value for key, value in report.items()}


class Given(Layer):
    """A discriminator of pairs D(x, y) as one of y alone, with its x given."""

    def __init__(self, D: Layer, x: Array) -> None:
        super().__init__()
        self.D, self.x = D, x

    def forward(
        self, *xs: Array, train: bool = True, update_stats: bool = True
    ) -> tuple[Array, Any]:
        return self.D.forward(self.x, *xs, train=train, update_stats=update_stats)

    def backward(self, dy: Array, ctx: Any, need_dx: bool = True, need_dw: bool = True) -> Any:
        both = self.D.backward(dy, ctx, need_dx, need_dw)
        return both[1] if need_dx else None


def translated(
    net: Layer, x: Array, rng: np.random.Generator, *, z: Array | None = None, noisy: bool
) -> Array:
    """A generator's output for pictures, on the host; z of the host, where it takes that too.

    noisy: with dropout, whose masks rng decides, and with the statistics of these pictures, as in
    pix2pix; else neither. Nothing of the network moves.
    """
    zs = [] if z is None else [array_module(x).asarray(z, x.dtype)]
    with noise_of(net, rng):
        y, _ = net.forward(x, *zs, train=noisy, update_stats=False)
    return to_host(y)


def has_dropout(net: Layer, *, noisy: bool) -> bool:
    """Whether dropout makes a generator's translations of one picture differ."""
    return noisy and any(isinstance(layer, Dropout) for _, layer in net.walk())


@contextmanager
def noise_of(net: Layer, rng: np.random.Generator) -> Iterator[None]:
    """Within the block dropout draws from streams of rng; afterwards from its own again."""
    held = []
    for _, layer in net.walk():
        if isinstance(layer, Dropout):
            noise = layer.own_buffers["noise"]
            held.append((noise, noise.copy()))
            overwrite(noise, Dropout(layer.p, rng=rng).own_buffers["noise"])
    try:
        yield
    finally:
        for noise, before in held:
            noise[...] = before
