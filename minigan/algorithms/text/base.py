"""What the games about captioned pictures share.

A caption is a row of word numbers; an encoder E turns it into a vector h. E belongs to the
discriminators: their loss of pairs (losses/conditional.py) teaches it which words tell pictures
apart. G takes h as a constant, and so would a gradient penalty. Beside each picture stands the
right h of its own caption, and the wrong one of its neighbour in the minibatch.
"""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from minigan.algorithms.base import Algorithm, Scalars
from minigan.algorithms.conditional.base import check_labels
from minigan.algorithms.options import LabelNames
from minigan.algorithms.parts import Fooling
from minigan.algorithms.translation.base import Given
from minigan.backend import Array, to_device
from minigan.ema import EMA
from minigan.errors import OptionError
from minigan.layers import Layer
from minigan.losses import Objective
from minigan.losses.conditional import Numbers, pair_loss
from minigan.losses.objective import mean
from minigan.models import TextDiscriminator
from minigan.noise import Rng
from minigan.optim import Optimizer
from minigan.prior import Prior

Captions = Callable[[int, np.random.Generator], Array]


class TextGame(Algorithm):
    """Networks by name, E the encoder among them, and how captions are drawn for samples.

    label_names: a column for each word of a caption, "word 1" and so on, with the words that it can
    be; the empty one is the padding.
    """

    def __init__(
        self,
        networks: Mapping[str, Layer],
        *,
        optimizers: Mapping[str, Optimizer],
        prior: Prior,
        objective: Objective,
        label_names: LabelNames,
        captions: Captions,
        averages: Mapping[str, EMA] | None = None,
        max_grad_norm: float = math.inf,
        rng: Rng,
    ) -> None:
        self.networks, self.optimizers, self.averages = networks, optimizers, averages or {}
        self.prior, self.objective = prior, objective
        self.label_names, self.draw_labels = label_names, captions
        self.max_grad_norm = max_grad_norm
        self.rng = rng
        for name in networks:
            if name.startswith("D"):
                objective.check(networks[name])

    # --- the two players --------------------------------------------------------------------------

    def update_discriminator(
        self, name: str, x: Array, fake: Array, h: Array
    ) -> tuple[Scalars, Array]:
        """One step of discriminator `name` on pictures x, on generated ones, and on mismatches.

        Returns what a log shows, and what the loss owes to the text vectors h. Raises OptionError
        for a single picture.
        """
        if len(x) < 2:
            raise OptionError(
                "a wrong text is another example's: give at least 2 examples (--batch 2)"
            )
        D = self.networks[name]
        assert isinstance(D, TextDiscriminator)
        D.flat.zero_grad()
        right, right_ctx = D.forward(h, x)
        wrong, wrong_ctx = D.forward(np.roll(h, 1, axis=0), x)
        made, made_ctx = D.forward(h, fake)
        loss, owed = pair_loss(self.objective, Numbers(right, made, wrong), "halved")
        assert owed.wrong is not None
        dh = D.text_gradient(owed.real, right_ctx)  # eq: gancls.d
        dh += D.text_gradient(owed.fake, made_ctx)  # eq: gancls.d
        dh += np.roll(D.text_gradient(owed.wrong, wrong_ctx), -1, axis=0)  # eq: gancls.d
        norm = self.descend(name, loss)
        report = self.objective.report(right, made) | {"score(x, wrong text)": mean(wrong)}
        shown = {f"loss_{name}": loss, **_numbered(report, name), f"grad_norm_{name}": norm}
        return shown, dh

    def update_encoder(self, dh: Array, ctx: Any, scalars: Scalars) -> Scalars:
        """One step of E along what the discriminators' losses owe to it."""
        E = self.networks["E"]
        E.flat.zero_grad()
        E.backward(dh, ctx, need_dx=False)
        loss = sum(value for key, value in scalars.items() if key.startswith("loss_D"))
        return {"grad_norm_E": self.descend("E", loss)}

    def fool(self, name: str, fake: Array, h: Array, x: Array) -> tuple[Any, Array]:
        """What a generator pays for pictures that discriminator `name` does not take for real.

        The value, and its gradient for the pictures; D is frozen and h is a constant.
        """
        return Fooling(self.objective)(Given(self.networks[name], h), fake, x)

    # --- samples ----------------------------------------------------------------------------------

    def sample(self, n: int, rng: np.random.Generator) -> Array:
        """Pictures of n captions of the data, which rng draws with z."""
        z = self.prior.draw(n, rng)
        return self.generate(z, self.draw_labels(n, rng))

    def generate(self, z: Array, labels: Array) -> Array:
        """Pictures of draws z (N, z_dim) and of captions (N, T); arrays of the host.

        From running statistics, and from averaged weights where they are kept. Raises DataError for
        captions of another length or with numbers that no word has, NonFiniteError where the
        weights have run away.
        """
        check_labels(self.label_names, labels)
        z, labels = to_device(z, self.device), to_device(labels, self.device)
        with self.sampling():
            h, _ = self.networks["E"].forward(labels, train=False)
            x = self.pictures(h, z)
        return self.finite(x, "a sample G(z, h)")

    @abstractmethod
    def pictures(self, h: Array, z: Array) -> Array:
        """Pictures of text vectors and of z, out of training."""


def _numbered(report: Scalars, name: str) -> Scalars:
    """The report of D2 with a 2 behind its names; that of D as it is."""
    number = name[1:]
    return {f"{key} {number}".rstrip(): value for key, value in report.items()}
