r"""What D's numbers of pairs (c, x) mean, and what both players descend of them.

D is shown real pairs (c, x), generated ones (c, G(c, z)), and where the game has a third term real
examples with a wrong condition (c^, x), which are negative too:

    whole     each one whole: D ascends log D(c, x) + log(1 - D(c, x~)) + log(1 - D(c^, x))
    halved    Reed et al.'s: both negatives at half their weight, so that real and other pairs
              weigh the same. It is the mean of the two losses J(real, generated), J(real, wrong),
              and therefore one for every objective, also for those whose loss is no sum of shares.

The third term may also be written with the right condition and a real example of another,
log(1 - D(c, x^)). The pairs differ in which half is exchanged; where each label is equally frequent
they have one distribution.

Any objective takes the place of the logarithms. What a judge reads of D's numbers (N, S):

    PairJudge       one score of the pair; all examples above belong to it
    TwoScoreJudge   how real x is, and how well (c, x) match, to which alone wrong pairs belong
    ClassJudge      how real x is, and the logits of its classes: with L_S and L_C the
                    log-likelihoods of the right source and of the right class,
                    D ascends L_S + L_C, and G ascends L_C - L_S   (AC-GAN, eq. 2 and 3)
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from minigan.backend import Array
from minigan.errors import OptionError
from minigan.losses.categorical import categorical_nlls
from minigan.losses.objective import Objective, Value

PAPER = {
    "cgan": "Mirza and Osindero 2014, Conditional GAN, arXiv:1411.1784, eq. 2",
    "cgan.three": "Reed et al. 2016, arXiv:1605.05396, Algorithm 1, with both negatives whole",
    "cgan.halved": "Reed et al. 2016, arXiv:1605.05396, Algorithm 1",
    "cgan.scores": "Zhang et al. 2018, StackGAN++, arXiv:1710.10916",
    "acgan": "Odena et al. 2017, AC-GAN, arXiv:1610.09585, eq. 2 and 3",
}

EQUATIONS = {
    "cgan.2": r"\min_G \max_D V(D, G) = \mathbb{E}_x[\log D(x|y)]"
    r" + \mathbb{E}_z[\log(1 - D(G(z|y)|y))]",
    "cgan.three": r"\frac{1}{m} \sum_{i=1}^m [\log D(c^i, x^i) + \log(1 - D(c^i, \tilde x^i))"
    r" + \log(1 - D(\hat c^i, x^i))], \quad \tilde x^i = G(c^i, z^i)",
    "cgan.halved": r"\log(s_r) + (\log(1 - s_w) + \log(1 - s_f)) / 2",
    "cgan.scores": r"L_D = L(D(x), D(\tilde x)) + L(D(x, c), D(\tilde x, c), D(x, \hat c))",
    "acgan.2": r"L_S = \mathbb{E}[\log P(S = real | X_{real})]"
    r" + \mathbb{E}[\log P(S = fake | X_{fake})]",
    "acgan.3": r"L_C = \mathbb{E}[\log P(C = c | X_{real})] + \mathbb{E}[\log P(C = c | X_{fake})]",
}


class Numbers(NamedTuple):
    """D's numbers (N, S) of real, of generated and of wrong pairs; or their gradients."""

    real: Array
    fake: Array
    wrong: Array | None = None


class Judge(ABC):
    """Base: the losses of both players from all of D's numbers, for one objective.

    scores: how many of D's numbers, from the first, say how real something is.
    """

    scores = 1

    def __init__(self, objective: Objective) -> None:
        self.objective = objective

    @abstractmethod
    def discriminator(self, given: Numbers, c: Array, how: str) -> tuple[Value, Numbers]:
        """J(D), and its gradients. c (N, E): the right classes, multi-hot; how: one of
        WRONG_PAIRS."""

    @abstractmethod
    def generator(self, fake: Array, real: Array | None, c: Array) -> tuple[Value, Array]:
        """J(G), and its gradient for D's numbers of generated pairs.

        `real` matters where the objective looks at real examples.
        """

    def report(self, given: Numbers) -> dict[str, Value]:
        """What a log shows of D's numbers."""
        score = _columns(given, 0, 1)
        return self.objective.report(score.real, score.fake)


class PairJudge(Judge):
    """One score of a pair."""

    def discriminator(self, given: Numbers, c: Array, how: str) -> tuple[Value, Numbers]:
        return pair_loss(self.objective, given, how)

    def generator(self, fake: Array, real: Array | None, c: Array) -> tuple[Value, Array]:
        return self.objective.generator(fake, real)  # eq: cgan.2


class TwoScoreJudge(Judge):
    """A score of x, and a score of the pair: G wants both to be high."""

    scores = 2

    def discriminator(self, given: Numbers, c: Array, how: str) -> tuple[Value, Numbers]:
        first, second = _columns(given, 0, 1), _columns(given, 1, 2)
        realness, of_x = pair_loss(self.objective, first._replace(wrong=None), "none")
        match, of_pair = pair_loss(self.objective, second, how)
        wrong = of_pair.wrong
        gradients = Numbers(
            np.concatenate([of_x.real, of_pair.real], 1),
            np.concatenate([of_x.fake, of_pair.fake], 1),
            None if wrong is None else np.concatenate([np.zeros_like(wrong), wrong], 1),
        )
        return realness + match, gradients  # eq: cgan.scores

    def generator(self, fake: Array, real: Array | None, c: Array) -> tuple[Value, Array]:
        losses, gradients = [], []
        for i in (0, 1):
            of_real = None if real is None else real[:, i : i + 1].copy()
            loss, d_fake = self.objective.generator(fake[:, i : i + 1].copy(), of_real)
            losses.append(loss)
            gradients.append(d_fake)
        return losses[0] + losses[1], np.concatenate(gradients, 1)

    def report(self, given: Numbers) -> dict[str, Value]:
        """Of both scores; what is said of a pair by "c, x"."""
        match = _columns(given, 1, 2)
        pair = self.objective.report(match.real, match.fake)
        return super().report(given) | {_of_pair(name): value for name, value in pair.items()}


class ClassJudge(Judge):
    """A score of x, and logits of its classes: AC-GAN.

    counts: how many classes each label has; their log-likelihoods are added. weight: of L_C, in
    both players' losses. of_fakes: whether D learns the classes of generated examples too, as the
    paper's L_C has it. D then takes what G makes of a class for that class, however it looks;
    without it D knows classes from real examples alone, and G has to show them.
    """

    def __init__(
        self,
        objective: Objective,
        counts: Sequence[int],
        *,
        weight: float = 1.0,
        of_fakes: bool = True,
    ) -> None:
        super().__init__(objective)
        if not 0 < weight < np.inf:
            raise OptionError(f"weight of the classes {weight!r}: wanted above 0 and finite")
        self.counts = counts
        self.weight, self.of_fakes = weight, of_fakes

    def discriminator(self, given: Numbers, c: Array, how: str) -> tuple[Value, Numbers]:
        scores = _columns(given, 0, 1)
        source, of_scores = pair_loss(self.objective, scores, "none")  # eq: acgan.2
        real, of_real = self.classes(given.real, c)
        fake, of_fake = self.classes(given.fake, c)
        if not self.of_fakes:
            fake, of_fake = 0.0, np.zeros_like(of_fake)
        loss = source + self.weight * (real + fake)  # eq: acgan.3
        return loss, Numbers(
            np.concatenate([of_scores.real, self.weight * of_real], 1),
            np.concatenate([of_scores.fake, self.weight * of_fake], 1),
        )

    def generator(self, fake: Array, real: Array | None, c: Array) -> tuple[Value, Array]:
        of_real = None if real is None else real[:, :1].copy()
        source, d_score = self.objective.generator(fake[:, :1].copy(), of_real)  # eq: acgan.2
        nll, d_classes = self.classes(fake, c)  # eq: acgan.3
        return source + self.weight * nll, np.concatenate([d_score, self.weight * d_classes], 1)

    def classes(self, numbers: Array, c: Array) -> tuple[Value, Array]:
        """-log P(C = c), added over the labels, and its gradient for the logits alone."""
        return categorical_nlls(numbers[:, 1:], c, self.counts)


def pair_loss(objective: Objective, given: Numbers, how: str) -> tuple[Value, Numbers]:
    """J(D) of one score of real, of generated and, unless `how` is "none", of wrong pairs."""
    return WRONG_PAIRS[how](objective, given)


def _two_terms(objective: Objective, given: Numbers) -> tuple[Value, Numbers]:
    loss, d_real, d_fake = objective.discriminator(given.real, given.fake)  # eq: cgan.2
    return loss, Numbers(d_real, d_fake)


def _whole(objective: Objective, given: Numbers) -> tuple[Value, Numbers]:
    assert given.wrong is not None
    loss, two = _two_terms(objective, given)
    third, d_wrong = objective.negative(given.wrong)
    return loss + third, two._replace(wrong=d_wrong)  # eq: cgan.three


def _halved(objective: Objective, given: Numbers) -> tuple[Value, Numbers]:
    assert given.wrong is not None
    loss, two = _two_terms(objective, given)
    other, d_again, d_wrong = objective.discriminator(given.real, given.wrong)
    gradients = Numbers((two.real + d_again) / 2, two.fake / 2, d_wrong / 2)
    return (loss + other) / 2, gradients  # eq: cgan.halved


# How wrong pairs count in D's loss.
WRONG_PAIRS = {"none": _two_terms, "whole": _whole, "halved": _halved}


def weighs_whole(objective: Objective) -> bool:
    """Whether a third term at its whole weight can be added to the objective's loss of D."""
    return type(objective).negative is not Objective.negative


def _columns(given: Numbers, start: int, stop: int) -> Numbers:
    wrong = None if given.wrong is None else given.wrong[:, start:stop].copy()
    return Numbers(given.real[:, start:stop].copy(), given.fake[:, start:stop].copy(), wrong)


def _of_pair(name: str) -> str:
    """A log's name of a number of x, for one of the pair: D(x) becomes D(c, x)."""
    return name.replace("(", "(c, ", 1) if "(" in name else f"{name} of (c, x)"
