r"""Age-cGAN: a face at other ages, by a conditional GAN that is inverted (Antipov et al. 2017).

    1.  train G(z, y) and D(x, y), y an age group, as a conditional GAN           agecgan.game
    2.  with G frozen, train an encoder on what G makes:
            sample z ~ N(0, I) and y as the data has it; x~ = G(z, y)
            update E by descending ||E(x~) - z||^2                                agecgan.encoder
    3.  of a face x of age y_0:
            z_0 = E(x)                                  what it is made of, approximately
            z* = argmin_z, by L-BFGS-B from z_0         agecgan.identity, or agecgan.pixels
    4.  the face at the age y is G(z*, y)

The training is steps 1 and 2; 3 and 4 are `latent` and `relabel`. FR is a network that recognises
faces, so that agecgan.identity looks for the z whose picture shows the same person, where
agecgan.pixels looks for one that is the same picture. G and D are DCGAN's; y is joined to z and, in
D, to what the first convolution makes, which Perarnau et al. 2016 (IcGAN, arXiv:1611.06355) found
best, whose encoder this is too. y may be any labels of the data.

In the paper y_0 is known. Here pictures of a user have no label: a second encoder E_y, IcGAN's,
learns y of real pictures in step 2, and says what y_0 is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from minigan.algorithms.base import Scalars
from minigan.algorithms.checks import check_counts
from minigan.algorithms.conditional.base import check_labels
from minigan.algorithms.conditional.cdcgan import CDCGANOptions, networks
from minigan.algorithms.conditional.game import ConditionalGAN
from minigan.algorithms.conditional.inversion import invert
from minigan.algorithms.options import Streams, Task
from minigan.algorithms.restoration.content import Content, Pixels, recogniser_of
from minigan.algorithms.settings import known, option
from minigan.backend import Array, to_device, to_host
from minigan.errors import OptionError
from minigan.layers import Layer
from minigan.losses import mean_squared_error
from minigan.losses.categorical import categorical_nlls
from minigan.losses.conditional import WRONG_PAIRS
from minigan.metrics.shipped import SHIPPED
from minigan.models import conv_encoder
from minigan.models.conditional import DISCRIMINATORS
from minigan.optim import Optimizer
from minigan.prior import PRIORS

PAPER = (
    "Antipov et al. 2017, Face aging with conditional generative adversarial networks,"
    " arXiv:1702.01983, section 2"
)

EQUATIONS = {
    "agecgan.game": r"\min_{\theta_G} \max_{\theta_D} v(\theta_G, \theta_D)"
    r" = \mathbb{E}_{x, y \sim p_{data}}[\log D(x, y)]"
    r" + \mathbb{E}_{z \sim p_z(z), \tilde y \sim p_y}[\log(1 - D(G(z, \tilde y), \tilde y))]",
    "agecgan.encoder": r"\min_{\theta_E} \mathbb{E}_{z \sim p_z(z), y \sim p_y}"
    r" \| E(G(z, y)) - z \|_2^2",
    "agecgan.pixels": r"z^*_{pixel} = \arg\min_z \| x - G(z, y_0) \|_{L_2}",
    "agecgan.identity": r"z^*_{IP} = \arg\min_z \| FR(x) - FR(G(z, y_0)) \|_{L_2}",
}

IDENTITY, PIXELWISE, INITIAL = "identity", "pixelwise", "initial"


class AgeCGAN(ConditionalGAN):
    """The four steps above. E maps pictures to z (N, z_dim), E_y to logits of the labels (N, E).

    size: of pictures, (H, W). game_steps: iterations of the conditional GAN, after which the
    encoders learn. recogniser: how far pictures are apart to FR. iterations: of the search for z*,
    at most. The other arguments are ConditionalGAN's.
    """

    def __init__(
        self,
        G: Layer,
        D: Layer,
        E: Layer,
        E_y: Layer,
        *,
        optimizer_E: Optimizer,
        optimizer_E_y: Optimizer,
        size: tuple[int, int],
        game_steps: int,
        recogniser: Content,
        iterations: int,
        **shared: Any,
    ) -> None:
        super().__init__(G, D, **shared)
        self.E, self.E_y = E, E_y
        self.networks = {**self.networks, "E": E, "E_y": E_y}
        self.optimizers = {**self.optimizers, "E": optimizer_E, "E_y": optimizer_E_y}
        self.size, self.game_steps = size, game_steps
        self.stage_starts = sorted({0, game_steps})
        self.distances: Mapping[str, Content] = {IDENTITY: recogniser, PIXELWISE: Pixels()}
        self.ways = (*self.distances, INITIAL)  # how z* is found
        self.iterations = iterations

    @property
    def step_kind(self) -> str:
        """Whether the next step is one of the "game" or of the "encoders"."""
        return "game" if self.optimizers["G"].t < self.game_steps else "encoders"

    def skip_to(self, step: int) -> None:
        self.optimizers["G"].t = step

    def step(self, x: Array, labels: Array) -> Scalars:  # type: ignore[override]  # is conditional
        """One iteration of either kind, on k m examples and their labels (k m, L)."""
        if self.step_kind == "game":
            return super().step(x, labels)  # eq: agecgan.game
        return self.update_encoders(x, self.encode(labels, x))

    def update_encoders(self, x: Array, c: Array) -> Scalars:
        """Descend agecgan.encoder in E, and -log E_y(y|x) of real pictures x of c in E_y."""
        E, E_y = self.E, self.E_y
        E.flat.zero_grad()
        E_y.flat.zero_grad()
        z = self.prior.draw(len(x), self.rng)
        with self.sampling():
            made, _ = self.G.forward(z, c, train=False)
        guess, ctx = E.forward(made)
        loss, dguess = mean_squared_error(guess, z)  # eq: agecgan.encoder
        E.backward(dguess, ctx, need_dx=False)
        logits, ctx = E_y.forward(x)
        loss_y, dlogits = categorical_nlls(logits, c, self.counts)
        E_y.backward(dlogits, ctx, need_dx=False)
        norms = self.descend_together({"E": loss, "E_y": loss_y})
        return {"loss_E": loss, "loss_E_y": loss_y, **norms}

    # --- faces at other ages ----------------------------------------------------------------------

    def latent(self, x: Array, labels: Array, way: str = IDENTITY) -> Array:
        """z* (N, z_dim) of pictures x (N, H, W, C) with labels y_0 (N, L); arrays of the host.

        way: "identity", "pixelwise", or "initial" for z_0 = E(x). Raises UnknownNameError for
        another, DataError for labels that cannot be, NonFiniteError where weights have run away.
        """
        known("way to find z:", way, dict.fromkeys(self.ways))
        check_labels(self.label_names, labels)
        c = to_device(self.encode(labels, x), self.device)
        x = to_device(x, self.device)
        with self.sampling():
            z, _ = self.E.forward(x, train=False)  # z_0
            if way in self.distances:  # eq: agecgan.identity, agecgan.pixels
                z = invert(self.G, z, c, x, self.distances[way], iterations=self.iterations)
        return self.finite(z, "a latent z of a picture")

    def relabel(self, x: Array, labels: Array, way: str = IDENTITY) -> Array:
        """G(z*, y) of pictures x and other labels y (N, L); arrays of the host.

        y_0 is what E_y says. Raises as `latent`.
        """
        check_labels(self.label_names, labels)
        return self.generate(self.latent(x, self.named(x), way), labels)

    def named(self, x: Array) -> Array:
        """The labels int (N, L) that E_y gives pictures (N, H, W, C) of the host."""
        logits = to_host(self.E_y.forward(to_device(x, self.device), train=False)[0])
        parts = np.split(logits, np.cumsum(self.counts)[:-1], axis=1)
        return np.stack([part.argmax(1) for part in parts], 1)

    def check_size(self, size: tuple[int, int]) -> None:
        """Raise OptionError for another size than that of the training, which E and G are for."""
        if size != self.size:
            h, w = self.size
            raise OptionError(
                f"E and G are for pictures of {h}x{w}, as the run was trained on, not of "
                f"{size[0]}x{size[1]}: leave --size and --tile out"
            )

    def to(self, device: str) -> Self:
        """As its base's; the network that recognises faces moves too."""
        for distance in self.distances.values():
            distance.to(device)
        return super().to(device)

    def notes(self) -> list[str]:
        """How the steps are shared out."""
        return [f"G and D learn for {self.game_steps} steps, then E and E_y of what G makes"]


@dataclass(frozen=True, kw_only=True)
class Options(CDCGANOptions):
    """The paper's: DCGAN's networks and settings, y after D's first convolution, z ~ N(0, I) of 100
    numbers, L-BFGS (section 2). How the steps are shared out is ours."""

    d_sees: str = option("first", "where D sees the condition", DISCRIMINATORS)
    prior: str = option("normal", "distribution of the noise z", PRIORS)
    wrong_pairs: str | None = option(
        "none", "real examples with a wrong label as a third term of D's loss", WRONG_PAIRS
    )
    encoder_steps: int | None = option(
        None, "steps of the encoders after the game (default: a quarter of --steps)"
    )
    recogniser: str | None = option(
        None,
        "the shipped classifier whose features are FR (default: one that looks at such pictures, "
        "that of faces first)",
        SHIPPED,
    )
    iterations: int = option(50, "iterations of L-BFGS-B in search of a picture's z, at most")

    def game_steps(self, steps: int) -> int:
        """Steps of the game in a run of so many. Raises OptionError where E's leave it none."""
        check_counts(self, "encoder_steps", least=0)
        own = steps // 4 if self.encoder_steps is None else self.encoder_steps
        if steps and own >= steps:
            raise OptionError(
                f"--encoder-steps {own} leave the game none of --steps {steps}: give fewer, or "
                "more --steps"
            )
        return max(steps - own, 1)


def build(options: Options, task: Task, streams: Streams) -> AgeCGAN:
    """The game of cdcgan's networks, and the encoders. Raises OptionError for values that cannot
    be."""
    check_counts(options, "z_dim", "iterations")
    G, D = networks(options, task, streams)
    game = options.game_steps(task.steps)
    recogniser = recogniser_of(options.recogniser, task.shape)
    outputs = {"E": options.z_dim, "E_y": sum(map(len, task.label_names.values()))}
    encoders = {
        name: conv_encoder(task.shape, n, width=options.width, rng=streams.weights)
        for name, n in outputs.items()
    }
    rest = task._replace(steps=max(1, task.steps - game))
    judge = options.judge([len(classes) for classes in task.label_names.values()])
    built = options.build_conditional(
        G,
        D,
        task._replace(steps=game),
        streams,
        judge,
        wrong_pairs=options.third_term(),
        game=AgeCGAN,
        **encoders,
        **{f"optimizer_{n}": options.build_optimizer(E.flat, rest) for n, E in encoders.items()},
        size=(task.shape[0], task.shape[1]),
        game_steps=game,
        recogniser=recogniser,
        iterations=options.iterations,
    )
    assert isinstance(built, AgeCGAN)
    return built
