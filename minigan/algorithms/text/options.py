"""Options that the games about captioned pictures share, and the parts that these choose."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from minigan.algorithms.checks import check_bounded, check_clip_norm, check_counts
from minigan.algorithms.conditional.base import draw_labels
from minigan.algorithms.options import OptimizerOptions, Streams, Task
from minigan.algorithms.settings import known, option
from minigan.algorithms.translation.shared_options import SCORED
from minigan.ema import EMA
from minigan.errors import OptionError
from minigan.layers import ENCODERS, Layer
from minigan.losses import objectives
from minigan.models import TEXT_DISCRIMINATORS, TextDiscriminator, text_discriminator
from minigan.models.norms import NORMS, WITH_REFERENCE
from minigan.prior import PRIORS, Prior

PLAIN_NORMS = [name for name in NORMS if name not in WITH_REFERENCE]
PLAYERS = {"G": "lr_G", "C": "lr_G", "D": "lr_D", "E": "lr_D"}  # by a network's first letter


@dataclass(frozen=True, kw_only=True)
class TextOptions(OptimizerOptions):
    """The optimiser of both players, the noise, and the networks."""

    beta1: float | None = option(0.5, "averaging factor of adam's first moment")
    lr_G: float | None = option(None, "learning rate of G (default: --lr)")
    lr_D: float | None = option(None, "learning rate of D and of the encoder (default: --lr)")
    objective: str = option("non-saturating", "what the players descend", SCORED)
    prior: str = option("normal", "distribution of the noise z", PRIORS)
    z_dim: int = option(100, "numbers in z")
    ema: float = option(0.0, "decay of the moving average of G to sample from; 0: none")
    encoder: str = option("gru", "of captions: in the words' order, or by neighbours", ENCODERS)
    embedding_dim: int = option(64, "numbers of a word")
    text_dim: int = option(128, "numbers of a caption, as the encoder gives it")
    code_dim: int = option(32, "numbers of a caption's code, which G and D take")
    d_sees: str = option(
        "late", "how D sees the text: joined, or a projection", TEXT_DISCRIMINATORS
    )
    norm_G: str = option("batch", "norm in G", PLAIN_NORMS)
    norm_D: str = option("batch", "norm in D", PLAIN_NORMS)
    width: int = option(32, "channels next to the picture; doubled by every halving of its size")

    def check(self, task: Task) -> None:
        """Raise OptionError for data without captions and for sizes that cannot be."""
        if task.kind != "image" or not task.label_names:
            raise OptionError(
                "text to image learns from pictures with captions: give --data kittens or a folder "
                "of pictures with captions.json"
            )
        known("encoder", self.encoder, ENCODERS)
        known("objective", self.objective, SCORED)
        check_bounded(self, objectives.get(self.objective))
        check_counts(self, "embedding_dim", "text_dim", "code_dim", "width")
        check_clip_norm(self)

    def build_encoder(self, task: Task, streams: Streams) -> Layer:
        """E: captions (N, T) of the task's words -> (N, text_dim)."""
        words = max(map(len, task.label_names.values()))
        return ENCODERS[self.encoder](words, self.embedding_dim, self.text_dim, rng=streams.weights)

    def build_discriminator(self, shape: tuple[int, ...], streams: Streams) -> TextDiscriminator:
        """D: text vectors and pictures of that shape -> logits."""
        return text_discriminator(
            self.text_dim,
            shape,
            width=self.width,
            code_dim=self.code_dim,
            sees=self.d_sees,
            norm=self.norm_D,
            rng=streams.weights,
        )

    def steps_of(self, name: str, steps: int) -> int:
        """How many steps of a run of `steps` a network is trained for: what its schedule counts."""
        return steps

    def shared(self, networks: Mapping[str, Layer], task: Task, streams: Streams) -> dict[str, Any]:
        """What every game of this kind is given besides its networks."""

        def optimizer(name: str, net: Layer) -> Any:
            own = task._replace(steps=max(1, self.steps_of(name, task.steps)))
            return self.build_optimizer(net.flat, own, lr=getattr(self, PLAYERS[name[0]]))

        averaged = {name: net for name, net in networks.items() if name[0] in "GC" and self.ema}
        return {
            "optimizers": {name: optimizer(name, net) for name, net in networks.items()},
            "averages": {name: EMA(net, self.ema) for name, net in averaged.items()},
            "prior": Prior(self.prior, self.z_dim),
            "objective": objectives.get(self.objective),
            "label_names": task.label_names,
            "captions": partial(draw_labels, task),
            "max_grad_norm": math.inf if self.clip_norm is None else self.clip_norm,
            "rng": streams.noise,
        }
