"""Small games of SeqGAN, here and in PyTorch, with the same weights."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from minigan.algorithms.catalogue import recipe
from minigan.algorithms.options import Streams, Task
from minigan.algorithms.sequence.seqgan import LIKELIHOOD, SeqGAN
from minigan.backend import make_rng
from tests.oracles import seqgan_twin as twins

Array = np.ndarray
WORDS, LENGTH = 7, 5
SMALL = {
    **{"embedding": 3, "hidden": 4, "embedding_D": 3, "windows": (1, 2, 4), "filters": (2, 3, 2)},
    **{"d_steps": 2, "k": 2, "rollouts": 3, "pretrain_G": 2, "pretrain_D": 1, "dropout": 0.0},
    **{"lr_D": 0.01},
}


@dataclass(frozen=True)
class Case:
    """SeqGAN with options, on sentences of LENGTH of WORDS.

    ends: whether 0 ends them; before: how many steps there are before the stage that is looked at.
    """

    ends: bool = False
    options: dict[str, Any] = field(default_factory=dict)
    before: int = 0

    def __str__(self) -> str:
        return " ".join([f"ends={self.ends}", *(f"{k}={v}" for k, v in self.options.items())])

    @property
    def chosen(self) -> Any:
        return recipe("seqgan").options.of(**SMALL | self.options)

    @property
    def task(self) -> Task:
        return Task((LENGTH,), "sentences", 10, words=WORDS, ends=self.ends)

    def batch(self, m: int, seed: int) -> Array:
        """Sentences (d_steps m, LENGTH); some of them shorter where they end."""
        rng = make_rng(seed)
        y = rng.integers(1 if self.ends else 0, WORDS, size=(m * self.chosen.d_steps, LENGTH))
        if self.ends:
            y *= np.arange(LENGTH) < rng.integers(1, LENGTH + 1, size=(len(y), 1))
        return y

    def ours(self, seed: int = 0, dtype: Any = np.float64) -> SeqGAN:
        """As `build` makes it; in another dtype, with what depends on it made again."""
        o, task = self.chosen, self.task
        made: SeqGAN = recipe("seqgan").build(o, task, Streams(seed))  # type: ignore[assignment]
        for net in made.networks.values():
            net.astype(dtype)
            # Weights of 0.1 leave gradients too small to tell a fault from rounding.
            net.flat.load(net.flat.data + 0.3 * make_rng(7, seed).standard_normal(net.flat.size))
        made.optimizers = {
            LIKELIHOOD: o.build_optimizer(made.G.flat, task),
            "G": o.build_optimizer(made.G.flat, task, lr=o.lr_policy),
            "D": o.build_optimizer(made.D.flat, task, lr=o.lr_D),
        }
        made.rng = make_rng(seed, 1)
        return made

    def theirs(self, ours: SeqGAN, seed: int = 0) -> twins.TwinSeqGAN:
        """With the weights of `ours`."""
        o = self.chosen
        nets = [
            twins.Generator(WORDS, o.embedding, o.hidden),
            twins.Discriminator(WORDS, o.embedding_D, o.windows, o.filters),
            twins.Generator(WORDS, o.embedding, o.hidden),
        ]
        for net, own in zip(nets, (ours.G, ours.D, ours.rollout), strict=True):
            twins.load(net.double(), {k: p.data for k, p in own.params.items()})
        return twins.TwinSeqGAN(*nets, o, LENGTH, self.ends, make_rng(seed, 1))  # type: ignore[arg-type]
