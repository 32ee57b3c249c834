"""Pictures x, references y^beta whose style x shall take, and y^beta warped onto x.

PairedCycleGAN (Chang et al. 2018) learns from two domains, X without a style and Y with one, such
as faces without and with makeup. An example holds three pictures in the channels of one array:

    x    of X                     the first channels
    y    y^beta, of Y             the next ones
    W    W(x, y^beta): y^beta bent so that its landmarks come to lie on those of x (warp.py), and
         what lies between them set into x

so that a training step has nothing left to do with landmarks. Where the same subject is known with
and without every style, the truth is known too; only pictures and measures look at it.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import Any, NamedTuple, Protocol

import numpy as np

from minigan.data.base import Batch, Endless
from minigan.data.pairs import PairOptions, Pairs, with_channels
from minigan.data.warp import warp
from minigan.errors import DataError, OptionError

SIDES = 32  # of the polygon around landmarks
DARKEST = 0.02  # of 2, that keeps ratios of dark colours small
COLOURED = 0.3  # of 2, the mean difference to the skin of what is no skin at all


class Known(NamedTuple):
    """Examples with their truth, each (N, H, W, C).

    applied  x in the style of y
    removed  y without its style
    """

    x: np.ndarray
    y: np.ndarray
    warped: np.ndarray
    applied: np.ndarray
    removed: np.ndarray


class References(Pairs, Endless):
    """A data set of examples (x, y, W); `split` gives x and y, which do not belong together.

    Raises OptionError for a direction BtoA: what has no style cannot be the reference.
    """

    def __init__(
        self, name: str, size: tuple[int, int], channels: tuple[int, int], options: PairOptions
    ) -> None:
        if options.direction != "AtoB":
            raise OptionError(
                f"{name}: G gives A the style of B, so --direction is AtoB; F takes it away "
                "(minigan translate --reverse)"
            )
        super().__init__(name, size, channels, options)
        x, y = channels
        self.shape = (*size, x + 2 * y)

    def split(self, examples: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        x, y = self.channels
        return examples[..., :x], examples[..., x : x + y]

    def matched(self, n: int, rng: np.random.Generator) -> Batch | None:
        return None

    @abstractmethod
    def known(self, n: int, rng: np.random.Generator) -> Known | None:
        """n examples with their truth; None where nobody knows it."""

    def vary(self, batch: Batch, rng: np.random.Generator) -> Batch:
        """Augmented: x and W together, for they are aligned, and y for itself."""
        if not self.augmentation:
            return batch
        x, y = self.split(batch.x)
        both = np.concatenate([x, batch.x[..., sum(self.channels) :]], -1)
        both, y = self.augmentation(both, rng), self.augmentation(y, rng)
        joined = [both[..., : x.shape[-1]], y, both[..., x.shape[-1] :]]
        return Batch(np.concatenate(joined, -1), batch.labels)


class Applied(Pairs, Endless):
    """Known examples as aligned pairs, for measures: x beside y^beta, and x in the style of y^beta.

    Raises DataError for references without a known truth.
    """

    def __init__(self, references: References) -> None:
        if references.known(1, np.random.default_rng(0)) is None:
            raise DataError(
                f"{references.name}: nobody knows what its pictures look like in the style of "
                "others, so that nothing can be measured"
            )
        h, w, _ = references.shape
        x, y = references.channels
        super().__init__(references.name, (h, w), (x + y, y), PairOptions(aligned=True))
        self.references = references

    def draw(self, n: int, rng: np.random.Generator) -> Batch:
        known = self.references.known(n, rng)
        assert known is not None
        return Batch(np.concatenate([known.x, known.y, known.applied], -1), None)


class Subjects(Protocol):
    """Who can be shown without a style and in any: drawn faces, kittens.

    size: side of the pictures, which are float32 (N, size, size, 3) in [-1, 1].
    """

    size: int

    def some(self, n: int, rng: np.random.Generator) -> Any:
        """n subjects of the split."""

    def styles(self, n: int, rng: np.random.Generator) -> Any:
        """n styles of the split."""

    def shown(self, who: Any, style: Any = None) -> np.ndarray:
        """Subjects in styles, or without."""

    def landmarks(self, who: Any) -> np.ndarray | None:
        """(N, L, 2) as `warp` takes them; None where all subjects lie on one another already."""


class StyledPairs(Pairs, Endless):
    """Subjects without a style as A and in one as B, for translations that take no reference."""

    def __init__(self, name: str, subjects: Subjects, options: PairOptions) -> None:
        x, y = (asked or 3 for asked in options.channels)
        super().__init__(name, (subjects.size,) * 2, (x, y), options)
        self._subjects = subjects
        self._swapped = options.direction != "AtoB"

    def draw(self, n: int, rng: np.random.Generator) -> Batch:
        who = self._subjects.some(n, rng)
        return self._pairs(who, who if self.aligned else self._subjects.some(n, rng), rng)

    def matched(self, n: int, rng: np.random.Generator) -> Batch:
        who = self._subjects.some(n, rng)
        return self._pairs(who, who, rng)

    def _pairs(self, bare: Any, styled: Any, rng: np.random.Generator) -> Batch:
        a = self._subjects.shown(bare)
        b = self._subjects.shown(styled, self._subjects.styles(len(a), rng))
        sides = (b, a) if self._swapped else (a, b)
        both = [with_channels(s, c) for s, c in zip(sides, self.channels, strict=True)]
        return Batch(np.concatenate(both, -1), None)


class StyledReferences(References):
    """Subjects x, others y in a style, and y's pictures warped onto x."""

    def __init__(self, name: str, subjects: Subjects, options: PairOptions) -> None:
        x, y = (asked or 3 for asked in options.channels)
        super().__init__(name, (subjects.size,) * 2, (x, y), options)
        self._subjects = subjects

    def draw(self, n: int, rng: np.random.Generator) -> Batch:
        known = self._known(n, rng, truth=False)
        return Batch(np.concatenate(known[:3], -1), None)

    def known(self, n: int, rng: np.random.Generator) -> Known:
        return self._known(n, rng, truth=True)

    def _known(self, n: int, rng: np.random.Generator, *, truth: bool) -> Known:
        of, (cx, cy) = self._subjects, self.channels
        who, other, style = of.some(n, rng), of.some(n, rng), of.styles(n, rng)
        x, y = with_channels(of.shown(who), cx), with_channels(of.shown(other, style), cy)
        warped = onto(x, y, of.landmarks(other), of.landmarks(who), light=True)
        if not truth:
            return Known(x, y, warped, x, y)
        applied, removed = of.shown(who, style), of.shown(other)
        return Known(x, y, warped, with_channels(applied, cy), with_channels(removed, cx))


def onto(
    x: np.ndarray,
    y: np.ndarray,
    landmarks: np.ndarray | None,
    places: np.ndarray | None,
    *,
    light: bool = False,
) -> np.ndarray:
    """W(x, y): what of y lies between its landmarks, set into x between its own, the `places`.

    light: give it x's skin (`_in_the_light_of`). The reference as it is where
    nobody knows any landmarks, for pictures that all lie on one another.
    """
    if landmarks is None or places is None:
        return y
    face, behind = warp(y, landmarks, places), with_channels(x, y.shape[-1])
    inside = between(places, y.shape[1:3]).astype(y.dtype)[..., None]
    if light:
        face = _in_the_light_of(behind, face, inside[..., 0] > 0.5)
    return inside * face + (1 - inside) * behind


def _in_the_light_of(x: np.ndarray, face: np.ndarray, inside: np.ndarray) -> np.ndarray:
    """`face` with its skin made x's, by the ratio of the median colours `inside`.

    The further a colour is off the face's skin, up to COLOURED, the less it is changed: what is
    painted over a skin shows little of it. Of faces of 32x32 in makeup, W is then off the truth by
    0.121 of 2 where makeup is (`bench makeup`), by 0.158 with mean colours and every ratio whole.
    """
    lit = np.empty_like(face)
    for i, here in enumerate(inside):
        if not here.any():
            lit[i] = face[i]
            continue
        old, new = (np.median(picture[i][here], 0) + 1 for picture in (face, x))
        skin = np.minimum((face[i] + 1) * (new + DARKEST) / (old + DARKEST) - 1, 1)
        off = np.minimum(np.abs(face[i] + 1 - old).mean(-1, keepdims=True) / COLOURED, 1)
        lit[i] = off * face[i] + (1 - off) * skin
    return lit


def between(landmarks: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """How far each pixel lies between landmarks (N, L, 2): (N, H, W) from 0 to 1.

    1 within the polygon of 32 sides around all of them, 0 outside, over one pixel.
    """
    h, w = size
    angles = np.arange(SIDES) * (2 * np.pi / SIDES)
    outward = np.stack([np.cos(angles), np.sin(angles)], -1)
    farthest = (landmarks @ outward.T).max(1)
    columns, rows = np.meshgrid((np.arange(w) + 0.5) / w, (np.arange(h) + 0.5) / h)
    reached = np.stack([columns, rows], -1) @ outward.T
    beyond = (reached - farthest[:, None, None, :]).max(-1)
    return np.clip(0.5 - beyond * max(h, w), 0, 1)
