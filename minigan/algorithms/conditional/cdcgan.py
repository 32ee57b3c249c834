"""Conditional GANs on DCGAN's networks: every way for D and for G to see the condition.

--d-sees and --g-sees choose among those of models/conditional.py; the game is the same for all
(game.py). AC-GAN (Odena et al. 2017, arXiv:1610.09585) is --d-sees auxiliary, Miyato and Koyama's
(2018, arXiv:1802.05637) --d-sees projection. Optimiser, prior and weights are DCGAN's.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

from minigan.algorithms.checks import check_counts
from minigan.algorithms.conditional.game import ConditionalGAN
from minigan.algorithms.conditional.options import ConditionalOptions, condition_size
from minigan.algorithms.options import Streams, Task
from minigan.algorithms.settings import known, option
from minigan.errors import OptionError
from minigan.layers import ConditionalSequential
from minigan.losses.conditional import ClassJudge, Judge, PairJudge, TwoScoreJudge
from minigan.losses.objective import Objective
from minigan.models import conditional_dcgan_discriminator, conditional_dcgan_generator
from minigan.models.conditional import DISCRIMINATORS, GENERATORS
from minigan.models.norms import NORMS, WITH_REFERENCE
from minigan.prior import PRIORS

OWN_NORMS = [name for name in NORMS if name not in WITH_REFERENCE]


class Way(NamedTuple):
    """What goes with a way for D to see the condition: who reads its numbers, and its third term.

    pairs: whether wrong pairs are its third term unless told; without it as an option too where D
    is shown no pairs. joins: whether an embedding of the condition is joined.
    """

    judge: type[Judge]
    pairs: bool
    joins: bool


WAYS: dict[str, Way] = {
    "input": Way(PairJudge, pairs=True, joins=True),
    "first": Way(PairJudge, pairs=True, joins=True),
    "late": Way(PairJudge, pairs=True, joins=True),
    "two-scores": Way(TwoScoreJudge, pairs=True, joins=True),
    "auxiliary": Way(ClassJudge, pairs=False, joins=False),
    "projection": Way(PairJudge, pairs=False, joins=False),
}


@dataclass(frozen=True, kw_only=True)
class CDCGANOptions(ConditionalOptions):
    """The game's options with DCGAN's settings, and where both networks see the condition."""

    d_sees: str = option(
        "projection",
        "where D sees the condition: joined at the input, after the first convolution or late, in "
        "a score of its own beside one of realness, as classes that it has to name, or in an inner "
        "product",
        DISCRIMINATORS,
    )
    g_sees: str = option(
        "input", "where G sees it: joined to z, or in batch norm's or in AdaIN's gains", GENERATORS
    )
    class_weight: float | None = option(None, "auxiliary: weight of the classes (default: 1)")
    real_classes: bool = option(
        False, "auxiliary: D learns the classes of real examples alone, not of generated ones"
    )
    embed_dim: int | None = option(
        None, "numbers that a joined condition is mapped to in D (default: one for each class)"
    )
    beta1: float | None = option(0.5, "averaging factor of adam's first moment")
    prior: str = option("uniform", "distribution of the noise z", PRIORS)
    norm_G: str = option("batch", "norm in G where it sees the condition at the input", OWN_NORMS)
    norm_D: str | None = option(
        None, "norm in D (default: batch; none with --spectral-norm or a penalty)", OWN_NORMS
    )
    spectral_norm: bool = option(False, "divide each weight of D by its largest singular value")
    width: int = option(64, "channels next to the picture; doubled by every halving of its size")

    def third_term(self) -> str:
        """As its base's; none unless told where D sees pairs by their inner product."""
        way = WAYS[self.d_sees]
        if self.wrong_pairs is None and not way.pairs:
            return "none"
        if self.d_sees == "auxiliary" and self.wrong_pairs != "none":
            raise OptionError(
                "--d-sees auxiliary shows D no condition, so that no pair can be wrong: leave "
                "--wrong-pairs out"
            )
        return super().third_term()

    def check(self, task: Task) -> None:
        """Raise OptionError for values that cannot be, or not together."""
        known("way for D to see the condition:", self.d_sees, DISCRIMINATORS)
        known("way for G to see the condition:", self.g_sees, GENERATORS)
        if task.kind != "image":
            raise OptionError(
                f"cdcgan makes pictures, the data has points of shape {task.shape}; use cgan"
            )
        check_counts(self, "width", "embed_dim")
        if self.embed_dim is not None and not WAYS[self.d_sees].joins:
            ways = ", ".join(name for name, way in WAYS.items() if way.joins)
            raise OptionError(
                f"--embed-dim is for a D that the condition is joined to ({ways}), and --d-sees is "
                f"{self.d_sees}"
            )
        for name, given in (
            ("--class-weight", self.class_weight is not None),
            ("--real-classes", self.real_classes),
        ):
            if given and self.d_sees != "auxiliary":
                raise OptionError(
                    f"{name} is for --d-sees auxiliary, which names classes; it is {self.d_sees}"
                )
        if self.g_sees != "input" and self.norm_G != "batch":
            raise OptionError(
                f"--g-sees {self.g_sees} decides G's norm, so --norm-G {self.norm_G} has no place; "
                "leave one of them out"
            )

    def judge(self, counts: list[int]) -> Callable[[Objective], Judge]:
        """What reads D's numbers, made of an objective."""
        if self.d_sees == "auxiliary":
            weight = 1.0 if self.class_weight is None else self.class_weight
            of_fakes = not self.real_classes
            return partial(ClassJudge, counts=counts, weight=weight, of_fakes=of_fakes)
        return WAYS[self.d_sees].judge


@dataclass(frozen=True, kw_only=True)
class ACGANOptions(CDCGANOptions):
    """D names the classes."""

    d_sees: str = option("auxiliary", "where D sees the condition", DISCRIMINATORS)


def networks(
    options: CDCGANOptions, task: Task, streams: Streams
) -> tuple[ConditionalSequential, ConditionalSequential]:
    """G and D. Raises OptionError for values that cannot be."""
    options.check(task)
    size = condition_size(task)
    plain = options.spectral_norm or options.penalty != "none"
    G = conditional_dcgan_generator(
        options.z_dim,
        size,
        task.shape,
        width=options.width,
        sees=options.g_sees,
        norm=options.norm_G,
        rng=streams.weights,
    )
    D = conditional_dcgan_discriminator(
        task.shape,
        size,
        width=options.width,
        sees=options.d_sees,
        norm=options.norm_D or ("none" if plain else "batch"),
        spectral_norm=options.spectral_norm,
        embed=options.embed_dim,
        rng=streams.weights,
    )
    return G, D


def build(options: CDCGANOptions, task: Task, streams: Streams) -> ConditionalGAN:
    """The game on the pair of networks. Raises OptionError for values that cannot be."""
    G, D = networks(options, task, streams)
    judge = options.judge([len(classes) for classes in task.label_names.values()])
    third = options.third_term()
    return options.build_conditional(G, D, task, streams, judge, wrong_pairs=third)
