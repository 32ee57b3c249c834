"""PixelDTGAN: a picture of another domain, with another geometry (Yoo et al. 2016).

A person wears a dress; the converter C shall make the dress alone, as a catalogue shows it. Source
and target share what they show and no place in the picture, so that an error of pixels would take
an average of all that may be. Two discriminators are the loss instead: D_R knows targets from what
C makes, and D_A knows whether a target belongs to its source. Both learn from three kinds of
targets, equally often: the true one I_T, what C makes, I^_T, and an irrelevant one, I_T^-, which is
another source's. I_T^- is real for D_R and not associated for D_A.

    while not converged do
        take sources I_S with their targets I_T, irrelevant targets I_T^-, and make I^_T = C(I_S)
        update D_R by descending the mean over the kinds of    pixeldtgan.r
        update D_A by descending the mean over the kinds of    pixeldtgan.a
        update C by ascending, with both frozen,               pixeldtgan.c
    end while

(section 4; the paper's equation 3 is pixeldtgan.3, the others have names here). As in published
code, C descends -log D in the place of ascending the losses: -log of both discriminators' numbers
for I^_T, halved.

I_T^- is the target of the next source of the minibatch; where both show the same thing, D_A is told
something wrong. `judges` leaves D_A out, or irrelevant targets, or both discriminators, and
`distance` adds the error of pixels, whose squares the paper compares with (section 4.2). C is G to
whatever takes every translation: files, `minigan translate` and the log.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import numpy as np

from minigan.algorithms.base import Scalars
from minigan.algorithms.checks import check_counts
from minigan.algorithms.options import Streams, Task
from minigan.algorithms.pair_options import PairDataOptions
from minigan.algorithms.settings import Company, Needs, known, option
from minigan.algorithms.translation.base import Given, Translating, named_report
from minigan.algorithms.translation.shared_options import (
    SCORED,
    Rng,
    Size,
    TranslatingOptions,
)
from minigan.backend import Array
from minigan.errors import OptionError
from minigan.layers import Layer
from minigan.losses import Objective
from minigan.losses.distance import DISTANCES
from minigan.losses.objective import Value
from minigan.models import converter, dcgan_discriminator, dcgan_pair_discriminator

PAPER = "Yoo et al. 2016, Pixel-level domain transfer, arXiv:1603.07442, section 4"

EQUATIONS = {
    "pixeldtgan.3": r"\hat{I}_T = C(I_S | \Theta^C)",
    "pixeldtgan.r": r"\mathcal{L}_R^D(I | \Theta_R^D) = -t \log D_R(I) - (1 - t) \log(1 - D_R(I)),"
    r" \quad t = \begin{cases} 1 & I \in \{I_T, I_T^-\} \\ 0 & I = \hat{I}_T \end{cases}",
    "pixeldtgan.a": r"\mathcal{L}_A^D(I_S, I | \Theta_A^D) = -t \log D_A(I_S, I)"
    r" - (1 - t) \log(1 - D_A(I_S, I)),"
    r" \quad t = \begin{cases} 1 & I = I_T \\ 0 & I \in \{\hat{I}_T, I_T^-\} \end{cases}",
    "pixeldtgan.c": r"\max_{\Theta^C} \frac{1}{2} \mathcal{L}_R^D(\hat{I}_T)"
    r" + \frac{1}{2} \mathcal{L}_A^D(I_S, \hat{I}_T)",
}


class Judges(NamedTuple):
    """Which discriminators there are, and whether they see irrelevant targets."""

    names: tuple[str, ...]
    irrelevant: bool = False


JUDGES = {
    "both": Judges(("D_R", "D_A"), irrelevant=True),
    "relevant": Judges(("D_R", "D_A")),
    "real-fake": Judges(("D_R",)),
    "none": Judges(()),
}
CLOSE = {"none": None, **DISTANCES}


class PixelDTGAN(Translating):
    """One update of each discriminator and one of C for each minibatch of pairs.

    D_R maps targets to logits, D_A sources beside targets; `judges` is a name of JUDGES, and a
    discriminator that it leaves out is None. `weight_close` is of the `distance`, a name of
    CLOSE, between C's targets and the true ones. Raises OptionError where nothing is left for C
    to descend.
    """

    share_D: ClassVar[float] = 1.0

    def __init__(
        self,
        C: Layer,
        D_R: Layer | None,
        D_A: Layer | None,
        *,
        judges: str,
        weight_close: float,
        distance: str,
        **shared: Any,
    ) -> None:
        networks = {"G": C, "D_R": D_R, "D_A": D_A}
        super().__init__({name: net for name, net in networks.items() if net}, **shared)
        self.C, self.judges = C, JUDGES[judges]
        self.weight_close, self.distance = weight_close, distance
        judged = self.judges.names and self.weight_G
        if not (judged or (weight_close and CLOSE[distance])):
            raise OptionError(
                "C has nothing to descend: no discriminator tells it (--judges none, or "
                "--weight-gan 0), and no pixels do (--distance none, or --weight-close 0); give "
                "one of them"
            )

    def step(self, pairs: Array) -> Scalars:
        """One training iteration on sources beside their targets, 2 or more of them."""
        if len(pairs) < 2:
            raise OptionError(
                "an irrelevant target is another source's: give at least 2 pairs (--batch 2)"
            )
        source, target = self.split(pairs)
        made, C_ctx = self.C.forward(source)  # eq: pixeldtgan.3
        others = [np.roll(target, 1, axis=0)] if self.judges.irrelevant else []
        scalars: Scalars = {}
        if "D_R" in self.networks:
            # The others are the minibatch's own targets in another order: D_R's loss of them is
            # that of the targets, which therefore count twice.
            scalars |= self.update_judge("D_R", target, [made], counts=1 + len(others))
        if "D_A" in self.networks:
            scalars |= self.update_judge("D_A", target, [made, *others], given=source)
        return scalars | self.update_converter(source, target, made, C_ctx)

    def update_judge(
        self,
        name: str,
        real: Array,
        fakes: Sequence[Array],
        *,
        counts: int = 1,
        given: Array | None = None,
    ) -> Scalars:
        """One step of a discriminator down the mean of its losses of all kinds of targets.

        real: the kind with t = 1, which counts as so many; fakes: those with t = 0. Beside `given`.
        """
        net = self.networks[name]
        net.flat.zero_grad()
        D = net if given is None else Given(net, given)
        weight = self.weight_D / (counts + len(fakes))
        seen = [D.forward(picture) for picture in (real, *fakes)]
        share, d_real = self.objective.positive(seen[0][0])  # eq: pixeldtgan.r, pixeldtgan.a
        loss, slopes = counts * share, [counts * d_real]
        for scores, _ in seen[1:]:
            share, d_fake = self.objective.negative(scores)  # eq: pixeldtgan.r, pixeldtgan.a
            loss = loss + share
            slopes.append(d_fake)
        for slope, (_, ctx) in zip(slopes, seen, strict=True):
            D.backward(weight * slope, ctx, need_dx=False)
        loss = weight * loss
        norm = self.descend(name, loss)
        report = self.reported(name, [scores for scores, _ in seen])
        return {f"loss_{name}": loss, **report, f"grad_norm_{name}": norm}

    def update_converter(self, source: Array, target: Array, made: Array, C_ctx: Any) -> Scalars:
        """Ascend pixeldtgan.c in C's parameters, from its forward pass; both D are frozen."""
        C = self.C
        C.flat.zero_grad()
        loss: Value = 0.0
        dmade = np.zeros_like(made)
        terms: Scalars = {}
        for name in self.judges.names:
            given = source if name == "D_A" else None
            fooling, dfooling = self.fool(name, made, target, given)
            terms[f"GAN_{name}"] = fooling
            loss = loss + fooling / len(self.judges.names)  # eq: pixeldtgan.c
            dmade += dfooling / len(self.judges.names)
        if error := CLOSE[self.distance]:
            close, dclose = error(made, target)
            terms[self.distance.upper()] = close
            loss = loss + self.weight_close * close
            dmade += self.weight_close * dclose
        C.backward(dmade, C_ctx, need_dx=False)
        norm = self.descend("G", loss)
        return {"loss_G": loss, **terms, "grad_norm_G": norm}

    def notes(self) -> list[str]:
        """What C passes, and what its judges see."""
        h, w = (int(side) for side in self.sides[:2])
        said = {"D_R": "D_R judges targets", "D_A": "D_A judges targets beside their sources"}
        judged = [said[name] for name in self.judges.names] or ["no discriminator judges"]
        return [f"C makes pictures of {h}x{w} of a code; {', '.join(judged)}"]

    def reported(self, name: str, scores: Sequence[Array]) -> Scalars:
        """What a log shows of a discriminator's numbers on true, made and irrelevant targets."""
        real, made, *others = scores
        report = named_report(self.objective.report(real, made), name)
        for irrelevant in others:
            apart = ("x, y", "x, other y")
            report |= named_report(self.objective.report(real, irrelevant), name, apart)
        return report


# Those whose loss of D is a sum of shares, one of each kind of picture.
SHARED = {name: o for name, o in SCORED.items() if o.negative is not Objective.negative}


@dataclass(frozen=True, kw_only=True)
class Options(PairDataOptions, TranslatingOptions):
    """The paper's networks for 64x64: 128 filters in the first layers, a code of 64 numbers, both
    discriminators. Adam(2e-4, 0.5) and batches of 128 are of published code."""

    only_with: ClassVar[Company] = {
        "weight_gan": Needs(("judges",), tuple(k for k, judges in JUDGES.items() if judges.names)),
        "weight_close": Needs(("distance",), tuple(DISTANCES)),
    }
    wanted: ClassVar[str] = (
        "pairs of pictures: give --data kittens-worn, kittens-edges or a folder of pairs"
    )
    way_back: ClassVar[str] = "train it with --direction BtoA, or a cyclegan"

    objective: str = option("non-saturating", "what the players descend", SHARED)
    width: int = option(128, "channels of the first layer of C and of the discriminators")
    code_dim: int = option(64, "numbers between C's encoder and its decoder")
    judges: str = option(
        "both",
        "D_R and D_A; both without irrelevant targets; D_R alone; none",
        JUDGES,
    )
    weight_gan: float = option(1.0, "factor of C's adversarial terms")
    distance: str = option(
        "none", "error of C's pixels: none, the mean of absolute values, of squares", CLOSE
    )
    weight_close: float = option(1.0, "factor of that error")

    @property
    def noisy(self) -> bool:
        """A code has one place: of a picture alone, its own statistics leave nothing of it."""
        return False

    def check_size(self, size: Size, trained: Size) -> None:
        if size != trained:
            raise OptionError(
                f"a converter takes pictures of the size it was trained on, "
                f"{trained[0]}x{trained[1]}, and not {size[0]}x{size[1]}: leave out --size, or "
                "train another"
            )

    def check_tiles(self) -> None:
        raise OptionError(
            "a converter makes its picture of the whole of another, which tiles are not; leave "
            "out --tile"
        )

    def build_translator(
        self, size: Size, channels: tuple[int, int], name: str, rng: Rng
    ) -> tuple[dict[str, Layer], Layer]:
        x, y = channels
        C = converter((*size, x), y, code_dim=self.code_dim, width=self.width, rng=rng)
        return {"G": C}, C

    def check(self, task: Task) -> tuple[Size, tuple[int, int]]:
        found = super().check(task)
        if task.batch == 1:
            raise OptionError(
                "--batch 1: an irrelevant target is another source's, and C's code is normed over "
                "the minibatch; give 2 or more"
            )
        check_counts(self, "code_dim")
        known("judges", self.judges, JUDGES)
        known("distance", self.distance, CLOSE)
        known("objective", self.objective, SHARED)
        return found


def build(options: Options, task: Task, streams: Streams) -> PixelDTGAN:
    """The networks that the options choose. Raises OptionError, for sizes too."""
    size, (cx, cy) = options.check(task)
    networks, C = options.build_translator(size, (cx, cy), "G", streams.weights)
    how: dict[str, Any] = {"width": options.width, "rng": streams.weights}
    names = JUDGES[options.judges].names
    if "D_R" in names:
        networks["D_R"] = dcgan_discriminator((*size, cy), **how)
    if "D_A" in names:
        networks["D_A"] = dcgan_pair_discriminator((*size, cy), cx, **how)
    return PixelDTGAN(
        C,
        networks.get("D_R"),
        networks.get("D_A"),
        judges=options.judges,
        weight_close=options.weight_close,
        distance=options.distance,
        weight_gan=options.weight_gan,
        optimizers=options.build_optimizers(task, networks),
        **options.shared(task, streams),
    )
