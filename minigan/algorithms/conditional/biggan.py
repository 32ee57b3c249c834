r"""BigGAN at the scale of a CPU (Brock et al. 2019): every part of the recipe, small.

The networks are in models/biggan.py. The game is Algorithm 1 about pairs (game.py) with the hinge
loss, two steps of D for one of G, and orthogonal regularisation of G (losses/orthogonal.py), which
leaves the shared embedding alone. Samples come from the moving average of G. z is normal, so that
its truncation trades variety for typical pictures:
`minigan sample DIR --truncate 0.5,1,2 --out FILE`.

Learning rates are not the papers': those of BigGAN, 5e-5 and 2e-4, are for batches of 2048, and at
SAGAN's, 1e-4 and 4e-4, small pictures are told apart within twenty steps, after which the hinge
gives D no gradient. Here G, whose weights are divided by their largest singular values as D's are,
learns four times as fast as D. The moving average's decay is 0.995, the paper's 0.9999. beta1 and
beta2 are SAGAN's (Zhang et al. 2019, section 4).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from minigan.algorithms.checks import check_weights
from minigan.algorithms.conditional.game import ConditionalGAN
from minigan.algorithms.conditional.options import ConditionalOptions, condition_size
from minigan.algorithms.gan import GAN
from minigan.algorithms.options import Streams, Task
from minigan.algorithms.settings import option
from minigan.errors import OptionError
from minigan.layers import Layer
from minigan.losses import OBJECTIVES
from minigan.losses.conditional import PairJudge
from minigan.losses.orthogonal import OrthogonalRegularization
from minigan.models import biggan_discriminator, biggan_generator

PAPER = "Brock et al. 2019, Large scale GAN training, arXiv:1809.11096, section 3"
SHARED = "embed."  # the parameter that all of G's layers share


@dataclass(frozen=True, kw_only=True)
class BigGANOptions(ConditionalOptions):
    """The game's options with the settings above, and the sizes of the networks."""

    spectral_norm: ClassVar[bool] = True  # of every weight of D, so that D is bounded

    objective: str = option("hinge", "what the players descend", OBJECTIVES)
    wrong_pairs: str | None = option(
        "none", "real examples with a wrong label as a third term of D's loss", ["none"]
    )
    k: int = option(2, "discriminator steps per generator step")
    lr_G: float | None = option(2e-3, "learning rate of G")
    lr_D: float | None = option(5e-4, "learning rate of D")
    beta1: float | None = option(0.0, "averaging factor of adam's first moment")
    beta2: float | None = option(0.9, "averaging factor of adam's second moment")
    ema: float = option(0.995, "decay of the moving average of G to sample from; 0: none")
    z_dim: int = option(60, "numbers in z, a chunk for each size of features")
    embed_dim: int = option(32, "numbers of the embedding of the labels that G's layers share")
    width: int = option(16, "features next to the picture; doubled by every halving of its size")
    attention: int | None = option(
        None,
        "side of the features that attend to each other (default: half the picture's); 0: none",
    )
    orthogonal: float = option(1e-4, "weight of orthogonal regularisation of G; 0: none")

    def build_game(self, G: Layer, D: Layer, task: Task, streams: Streams, **parts: Any) -> GAN:
        """As its base's, with orthogonal regularisation. Raises OptionError."""
        check_weights(self, "orthogonal")
        if self.orthogonal:
            term = OrthogonalRegularization(self.orthogonal, skip=(SHARED,))
            parts |= {"regularizers": {"G": [term]}}
        return super().build_game(G, D, task, streams, **parts)


def build(options: BigGANOptions, task: Task, streams: Streams) -> ConditionalGAN:
    """The game on the residual pair. Raises OptionError for values that cannot be."""
    if task.kind != "image":
        raise OptionError(
            f"biggan makes pictures, the data has points of shape {task.shape}; use cgan"
        )
    size = condition_size(task)
    G = biggan_generator(
        options.z_dim,
        size,
        task.shape,
        width=options.width,
        embed_dim=options.embed_dim,
        attention=options.attention,
        rng=streams.weights,
    )
    D = biggan_discriminator(
        task.shape, size, width=options.width, attention=options.attention, rng=streams.weights
    )
    return options.build_conditional(
        G, D, task, streams, PairJudge, wrong_pairs=options.third_term()
    )
