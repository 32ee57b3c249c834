r"""CycleGAN: pictures between two domains, learned without pairs (Zhu et al. 2017).

G: X -> Y and F: Y -> X. D_Y tells pictures y from G(x), D_X pictures x from F(y). Adversarial terms
alone cannot tie an input to its output: any permutation of Y satisfies them. So what went there
shall come back:

    for number of training iterations do
        sample x from X, y from Y
        update G and F by descending                           cyclegan.3, cyclegan.identity
        update D_X and D_Y by ascending half of their          cyclegan.1
            on pictures from a pool of the last 50
    end for

with least squares in the logarithms' place and, where both domains have the same channels, an
identity term that keeps colours (sections 4 and 5.2). It changes colour and texture well, geometry
badly (section 6).

DiscoGAN and DualGAN have the same loop with other losses (discogan.py, dualgan.py).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple, Self

import numpy as np

from minigan.algorithms.base import Scalars
from minigan.algorithms.options import SCHEDULES, Streams, Task
from minigan.algorithms.parts import WeightClipping
from minigan.algorithms.settings import known, option
from minigan.algorithms.translation.base import Translating
from minigan.algorithms.translation.options import KINDS, NORMS, TranslationOptions
from minigan.algorithms.translation.pool import ImagePool
from minigan.algorithms.translation.shared_options import SCORED
from minigan.backend import Array
from minigan.errors import OptionError
from minigan.layers import Layer
from minigan.losses.distance import DISTANCES

PAPER = (
    "Zhu et al. 2017, Unpaired image-to-image translation using cycle-consistent adversarial"
    " networks, arXiv:1703.10593, sections 3, 4 and 5.2"
)

EQUATIONS = {
    "cyclegan.1": r"\mathcal{L}_{GAN}(G, D_Y, X, Y) = \mathbb{E}_y[\log D_Y(y)]"
    r" + \mathbb{E}_x[\log(1 - D_Y(G(x)))]",
    "cyclegan.2": r"\mathcal{L}_{cyc}(G, F) = \mathbb{E}_x[\|F(G(x)) - x\|_1]"
    r" + \mathbb{E}_y[\|G(F(y)) - y\|_1]",
    "cyclegan.3": r"\mathcal{L}(G, F, D_X, D_Y) = \mathcal{L}_{GAN}(G, D_Y, X, Y)"
    r" + \mathcal{L}_{GAN}(F, D_X, Y, X) + \lambda \mathcal{L}_{cyc}(G, F)",
    "cyclegan.4": r"G^*, F^* = \arg \min_{G, F} \max_{D_X, D_Y} \mathcal{L}(G, F, D_X, D_Y)",
    "cyclegan.identity": r"\mathcal{L}_{identity}(G, F) = \mathbb{E}_y[\|G(y) - y\|_1]"
    r" + \mathbb{E}_x[\|F(x) - x\|_1]",
}

Distance = Callable[[Array, Array], tuple[Any, Array]]


class Weights(NamedTuple):
    """Factors of the terms that tie inputs to outputs; a term with 0 is not computed.

    forward: x -> G(x) -> F(G(x)). backward: y -> F(y) -> G(F(y)). identity: of G(y) and F(x).
    """

    forward: float
    backward: float
    identity: float


class CycleGAN(Translating):
    """The loop above, for any objective, distance and weights.

    Each distance is a mean over the numbers of a picture. With k above 1 the discriminators take
    further steps, each on its own minibatch. Raises OptionError for an identity term between
    domains of unlike channels.
    """

    def __init__(
        self,
        G: Layer,
        F: Layer,
        D_X: Layer,
        D_Y: Layer,
        *,
        weights: Weights,
        distance: Distance,
        pool: int,
        k: int = 1,
        weight_clipping: WeightClipping | None = None,
        **shared: Any,
    ) -> None:
        super().__init__({"G": G, "F": F, "D_X": D_X, "D_Y": D_Y}, **shared)
        if k < 1:
            raise OptionError(f"k={k}: the discriminators take at least 1 step per iteration")
        if weights.identity and self.channels[0] != self.channels[1]:
            raise OptionError(
                f"x has {self.channels[0]} channels and y {self.channels[1]}: G(y) and F(x) of the "
                "identity term are not defined; use --weight-identity 0"
            )
        self.G, self.F = G, F
        self.weights = weights
        self.distance = distance
        self.k = self.minibatches = k
        self.weight_clipping = weight_clipping
        h, w = (int(side) for side in self.sides[:2])
        dtype = G.flat.data.dtype
        self.pools = {
            side: ImagePool((h, w, c), size=pool, dtype=dtype)
            for side, c in zip("XY", self.channels, strict=True)
        }

    def step(self, pairs: Array) -> Scalars:
        """One training iteration on k m pictures of either domain, m for each step of the D.

        Raises OptionError unless k divides their number.
        """
        if len(pairs) % self.k:
            raise OptionError(f"{len(pairs)} pairs cannot be split into k={self.k} minibatches")
        *further, last = np.split(pairs, self.k)
        for minibatch in further:
            x, y = self.split(minibatch)
            fake_y = self.G.forward(x, update_stats=False)[0]
            fake_x = self.F.forward(y, update_stats=False)[0]
            self.update_discriminators(x, y, fake_x, fake_y)
        x, y = self.split(last)
        scalars, fake_x, fake_y = self.update_generators(x, y)
        return scalars | self.update_discriminators(x, y, fake_x, fake_y)

    def update_generators(self, x: Array, y: Array) -> tuple[Scalars, Array, Array]:
        """Descend cyclegan.3 in G and F, the discriminators frozen; also returns F(y) and G(x).

        Each generator is applied up to three times before its weights move.
        """
        G, F, (forward, backward, identity) = self.G, self.F, self.weights
        G.flat.zero_grad()
        F.flat.zero_grad()
        fake_y, G_ctx = G.forward(x)
        fake_x, F_ctx = F.forward(y)
        gan_G, dfake_y = self.fool("D_Y", fake_y, y)  # eq: cyclegan.1, discogan.4
        gan_F, dfake_x = self.fool("D_X", fake_x, x)  # eq: cyclegan.1, discogan.4
        cycle_x, back_x = self.tied(F, fake_y, x, forward)  # eq: cyclegan.2, discogan.2
        cycle_y, back_y = self.tied(G, fake_x, y, backward)  # eq: cyclegan.2, discogan.2
        identity_y, _ = self.tied(G, y, y, identity)  # eq: cyclegan.identity
        identity_x, _ = self.tied(F, x, x, identity)  # eq: cyclegan.identity
        G.backward(dfake_y + back_x, G_ctx, need_dx=False)  # eq: cyclegan.4, discogan.5
        F.backward(dfake_x + back_y, F_ctx, need_dx=False)  # eq: cyclegan.4, discogan.5
        cycles = forward * cycle_x + backward * cycle_y
        loss = gan_G + gan_F + cycles  # eq: cyclegan.3, discogan.7, dualgan.3
        loss = loss + identity * (identity_x + identity_y)
        norms = self.descend_together({"G": loss, "F": loss})
        weighted = {
            "cycle_x": (forward, cycle_x),
            "cycle_y": (backward, cycle_y),
            "identity_x": (identity, identity_x),
            "identity_y": (identity, identity_y),
        }
        terms = {name: value for name, (weight, value) in weighted.items() if weight}
        return {"GAN_G": gan_G, "GAN_F": gan_F, **terms, **norms}, fake_x, fake_y

    def tied(self, net: Layer, picture: Array, to: Array, weight: float) -> tuple[Any, Any]:
        """The distance of net(picture) to a picture, and `weight` times its gradient for `picture`.

        Adds the network's own gradients. Both are 0, and nothing is done, where the weight is 0.
        """
        if not weight:
            return 0.0, 0.0
        made, ctx = net.forward(picture)
        distance, dmade = self.distance(made, to)  # eq: discogan.3
        return distance, net.backward(weight * dmade, ctx, need_dx=picture is not to)

    def update_discriminators(self, x: Array, y: Array, fake_x: Array, fake_y: Array) -> Scalars:
        """Ascend half of cyclegan.1 in D_X and D_Y, on what the pools show of F(y) and G(x)."""
        scalars: Scalars = {}
        for name, real, fake in (("D_X", x, fake_x), ("D_Y", y, fake_y)):
            shown = self.pools[name[-1]](fake, self.rng)
            scalars |= self.update_discriminator(name, real, shown)
            if self.weight_clipping:
                self.weight_clipping(self.networks[name])
        return scalars

    def state_dict(self) -> dict[str, Array]:
        """And the pools."""
        pools = {
            f"pool.{side}.{name}": array
            for side, pool in self.pools.items()
            for name, array in pool.state.items()
            if pool.size
        }
        return super().state_dict() | pools

    def to(self, device: str) -> Self:
        """As its base's; the pools move too."""
        for pool in self.pools.values():
            pool.to(device)
        return super().to(device)


# The parts of the cycle that count (section 5.1.4, tables 4 and 5).
CYCLES = {"both": (1, 1), "forward": (1, 0), "backward": (0, 1), "none": (0, 0)}


@dataclass(frozen=True, kw_only=True)
class CycleOptions(TranslationOptions):
    """Between two domains, whatever the losses."""

    both_ways: ClassVar[bool] = True

    cycle: str = option("both", "cycles that must close: x to y to x is forward", CYCLES)
    weight_cycle: float = option(10.0, "lambda of the cycles")
    weight_gan: float = option(1.0, "factor of the generators' adversarial terms")
    weight_identity: float = option(0.0, "identity term, in units of lambda; 0.5 for paintings")
    distance: str = option("l1", "of a picture and what comes back", DISTANCES)
    pool: int = option(50, "generated pictures that discriminators look back on; 0: none")
    k: int = option(1, "discriminator steps per generator step")
    clip_weights: float | None = option(None, "largest weight of a discriminator; 0: any")

    def steps_per_iteration(self, name: str) -> int:
        return self.k if name.startswith("D") else 1


@dataclass(frozen=True, kw_only=True)
class Options(CycleOptions):
    """The paper's: least squares, lambda 10, a pool of 50, residual generators with instance norm,
    Adam(2e-4, 0.5, 0.999) with a rate that falls from half-way on, batches of 1."""

    objective: str = option("lsgan", "what the players descend", SCORED)
    schedule: str = option("linear", "learning rate over time; linear: from half-way", SCHEDULES)
    generator: str = option("resnet", "network from pictures to pictures", KINDS)
    dropout: float = option(0.0, "of the generators")
    norm: str = option("instance", "norm of all networks", NORMS)


def build(options: CycleOptions, task: Task, streams: Streams) -> CycleGAN:
    """Two generators and two discriminators. Raises OptionError, for sizes too."""
    size, (cx, cy) = options.check(task)
    known("cycle", options.cycle, CYCLES)
    known("distance", options.distance, DISTANCES)
    rng = streams.weights
    networks = options.build_generators(size, (cx, cy), rng)
    networks["D_X"] = options.build_discriminator(size, cx, 0, rng)
    networks["D_Y"] = options.build_discriminator(size, cy, 0, rng)
    forward, backward = CYCLES[options.cycle]
    weight, bound = options.weight_cycle, options.clip_weights
    return CycleGAN(
        *networks.values(),
        weights=Weights(forward * weight, backward * weight, options.weight_identity * weight),
        distance=DISTANCES[options.distance],
        pool=options.pool,
        k=options.k,
        weight_clipping=WeightClipping(bound) if bound else None,
        weight_gan=options.weight_gan,
        optimizers=options.build_optimizers(task, networks),
        **options.shared(task, streams),
    )
