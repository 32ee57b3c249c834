"""Drawn faces, bare and with makeup: what a face looks like in another's makeup is known.

A face is a number that decides skin, hair, shape and place of all its parts; a style is a number
that decides lipstick, eye shadow, eye liner and blush. Any style goes onto any face, and the same
face without one is bare. What years do to a face is in ages.py, but for the lines that they draw.
Parts are drawn over one another as regions with soft edges, in the face's own coordinates: its
middle is 0, x to the right, y down, half a picture is 1.

Faces and styles whose numbers ten divides are held out for the test split.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TypeVar

import numpy as np

from minigan.data.draws import Draws, Rows, between, hsv
from minigan.data.options import Split

FACES, STYLES = 100_000, 10_000
HELD_OUT = 10  # every so many
FINER = 2  # pixels that a side of a pixel is drawn with, before they are averaged

SKIN = np.array([[255, 224, 196], [234, 188, 150], [190, 132, 92], [122, 78, 54]]) / 255
HAIR = np.array([[40, 28, 24], [92, 56, 34], [196, 150, 84], [150, 70, 40], [120, 120, 126]]) / 255
IRIS = np.array([[70, 44, 30], [70, 110, 150], [84, 120, 76], [110, 110, 116]]) / 255
ARCH = 0.05  # that brows fall by at their ends

FLUSH = np.array([0.90, 0.42, 0.40])
ROSE, DARK, WHITE = np.array([0.76, 0.36, 0.38]), np.array([0.10, 0.07, 0.07]), np.ones(3)


@dataclass(frozen=True)
class Shapes:
    """The numbers of faces, row by row; lengths in halves of a picture."""

    skin: Rows
    hair: Rows
    iris: Rows
    paper: Rows
    clothes: Rows
    roll: Rows  # radians
    right: Rows
    down: Rows
    scale: Rows
    head_width: Rows
    head_height: Rows
    jaw: Rows  # share by which the head narrows to its chin
    hair_width: Rows
    hair_length: Rows
    fringe: Rows
    eye_apart: Rows
    eye_height: Rows
    eye_width: Rows
    eye_open: Rows
    brow: Rows
    nose: Rows
    mouth_height: Rows
    mouth_width: Rows
    lips: Rows
    smile: Rows


@dataclass(frozen=True)
class Style:
    """The numbers of styles, row by row; a strength is a share of the colour that shows."""

    lip_colour: Rows
    lip_strength: Rows
    shadow_colour: Rows
    shadow_strength: Rows
    shadow_height: Rows
    liner_strength: Rows
    wing: Rows
    blush_colour: Rows
    blush_strength: Rows
    blush_height: Rows


@dataclass(frozen=True)
class Lines:
    """What years draw into faces, row by row; each is a share of the colour that shows."""

    cheeks: Rows  # a child's
    wrinkles: Rows  # across the forehead, beside the eyes and from the nose to the mouth
    bags: Rows  # under the eyes


Numbers = TypeVar("Numbers", Shapes, Style, Lines)


def numbers(count: int, split: Split) -> np.ndarray:
    """Those from 0 to `count` that belong to a split."""
    every = np.arange(count)
    return every[(every % HELD_OUT == 0) == (split == "test")]


def shapes(faces: np.ndarray) -> Shapes:
    """What the numbers of faces, int (N,), decide."""
    draw = Draws(faces, stream=1)
    return Shapes(
        skin=between(SKIN, draw()),
        hair=HAIR[(draw() * len(HAIR)).astype(int)],
        iris=IRIS[(draw() * len(IRIS)).astype(int)],
        paper=hsv(draw(), draw(0.05, 0.25), draw(0.75, 0.95)),
        clothes=hsv(draw(), draw(0.3, 0.7), draw(0.3, 0.8)),
        roll=draw(-0.12, 0.12),
        right=draw(-0.05, 0.05),
        down=draw(-0.05, 0.05),
        scale=draw(0.94, 1.06),
        head_width=draw(0.58, 0.68),
        head_height=draw(0.76, 0.86),
        jaw=draw(0.05, 0.28),
        hair_width=draw(0.06, 0.18),
        hair_length=draw(0.0, 1.0),
        fringe=draw(0.42, 0.66),
        eye_apart=draw(0.26, 0.31),
        eye_height=draw(-0.16, -0.06),
        eye_width=draw(0.14, 0.17),
        eye_open=draw(0.06, 0.09),
        brow=draw(0.22, 0.27),
        nose=draw(0.22, 0.32),
        mouth_height=draw(0.40, 0.48),
        mouth_width=draw(0.20, 0.28),
        lips=draw(0.06, 0.10),
        smile=draw(-0.03, 0.07),
    )


def style(styles: np.ndarray) -> Style:
    """What the numbers of styles, int (N,), decide."""
    draw = Draws(styles, stream=2)
    return Style(
        lip_colour=hsv(draw(0.80, 1.06), draw(0.6, 0.95), draw(0.35, 0.9)),
        lip_strength=draw(0.75, 1.0),
        shadow_colour=hsv(draw(), draw(0.45, 0.9), draw(0.25, 0.85)),
        shadow_strength=draw(0.6, 0.95),
        shadow_height=draw(0.09, 0.15),
        liner_strength=draw(0.3, 1.0),
        wing=draw(0.0, 0.08),
        blush_colour=hsv(draw(0.93, 1.04), draw(0.5, 0.75), draw(0.75, 0.95)),
        blush_strength=draw(0.25, 0.7),
        blush_height=draw(0.12, 0.24),
    )


def draw(
    of: Shapes, worn: Style | None = None, lines: Lines | None = None, *, size: int
) -> np.ndarray:
    """Faces, float32 (N, size, size, 3) in [-1, 1]; bare without a style, smooth without lines."""
    return _Drawing(of, size).face(worn, lines)


def landmarks(of: Shapes) -> np.ndarray:
    """Eyes, brows, nose, mouth and jaw, (N, 23, 2), as shares of the picture (warp.py)."""
    s, nothing = of, np.zeros_like(of.roll)
    points: list[tuple[Rows, Rows]] = []
    for side in (-1, 1):
        for across, up in ((1.0, 0.0), (-1.0, 0.0), (0.0, 1.0), (0.0, -1.0)):
            x = side * (s.eye_apart + across * s.eye_width)
            points.append((x, s.eye_height - up * s.eye_open))
        for across in (-1.1, 1.1):
            x = side * (s.eye_apart + across * s.eye_width)
            points.append((x, s.eye_height - s.brow + ARCH))
    points += [(nothing, s.eye_height), (nothing, s.eye_height + s.nose)]
    points += [(side * s.mouth_width, s.mouth_height - s.smile) for side in (-1, 1)]
    points += [(nothing, s.mouth_height - s.lips), (nothing, s.mouth_height + s.lips)]
    for angle in np.pi * np.array([0.0, 0.25, 0.5, 0.75, 1.0]):
        y = s.head_height * np.sin(angle)
        points.append((s.head_width * _narrow(s, y) * np.cos(angle), y))
    x, y = (np.stack(axis, -1) for axis in zip(*points, strict=True))
    cos, sin = np.cos(s.roll)[:, None], np.sin(s.roll)[:, None]
    scale = s.scale[:, None]
    across = s.right[:, None] + scale * (cos * x - sin * y)
    down = s.down[:, None] + scale * (sin * x + cos * y)
    return (np.stack([across, down], -1) + 1) / 2


def _narrow(s: Shapes, y: np.ndarray) -> np.ndarray:
    """The share of its width that a head has left at height y."""
    return 1 - s.jaw * np.maximum(y, 0) / s.head_height


class _Drawing:
    """A canvas in the coordinates of each face."""

    def __init__(self, of: Shapes, size: int) -> None:
        self.size = size
        side = size * FINER
        axis = ((np.arange(side) + 0.5) / side * 2 - 1).astype(np.float32)
        s = self.s = _with_places(of)
        x, y = axis[None, None, :] - s.right, axis[None, :, None] - s.down
        cos, sin = np.cos(s.roll), np.sin(s.roll)
        self.x, self.y = (cos * x + sin * y) / s.scale, (cos * y - sin * x) / s.scale
        self.pixel = np.float32(2 / side)
        self.canvas = np.empty((3, len(of.roll), side, side), np.float32)  # long rows to paint
        self.canvas[...] = np.moveaxis(s.paper, -1, 0)

    def face(self, worn: Style | None, lines: Lines | None) -> np.ndarray:
        """Every part from back to front; the averaged canvas in [-1, 1]."""
        s, x, y = self.s, self.x, self.y
        shade, lip = 0.82 * s.skin, 0.55 * s.skin + 0.45 * ROSE.astype(np.float32)
        wide, high = s.head_width + s.hair_width, s.head_height + 0.08
        self.paint(s.hair, self.ellipse(x, y, wide, high))
        strands = np.maximum(np.abs(x) - wide, np.maximum(-y, y - s.hair_length))
        self.paint(s.hair, self.inside(strands))
        self.paint(shade, self.inside(np.maximum(np.abs(x) - 0.26, -y)))
        self.paint(s.clothes, self.ellipse(x, y - 1.35, 0.95, 0.45))
        head = self.ellipse(x / _narrow(s, y), y, s.head_width, s.head_height)
        self.paint(s.skin, head)
        if lines is not None:
            self.age(_with_places(lines), head)
        brim = y + s.head_height * s.fringe + 0.25 * x * x
        self.paint(s.hair, np.minimum(head, self.inside(brim)))
        if worn is not None:
            m = _with_places(worn)
            spread = np.exp(-(((np.abs(x) - 0.36) / 0.16) ** 2 + ((y - m.blush_height) / 0.1) ** 2))
            self.paint(m.blush_colour, m.blush_strength * np.minimum(spread, head))
        bridge = np.maximum(np.abs(x) - 0.07, np.abs(y - s.eye_height - s.nose) - 0.03)
        self.paint(shade, self.inside(bridge))
        eye_x, eye_y = np.abs(x) - s.eye_apart, y - s.eye_height
        if worn is not None:
            raised = eye_y + 0.5 * m.shadow_height
            lid = self.ellipse(eye_x, raised, s.eye_width + 0.04, m.shadow_height, soft=2)
            self.paint(m.shadow_colour, m.shadow_strength * lid)
        across = np.clip(eye_x / s.eye_width, -1, 1)
        opening = s.eye_open * (1 - across * across)
        eye = self.inside(np.maximum(np.abs(eye_y) - opening, np.abs(eye_x) - s.eye_width))
        self.paint(WHITE, eye)
        self.paint(s.iris, np.minimum(eye, self.ellipse(eye_x, eye_y, 0.065, 0.075)))
        self.paint(DARK, np.minimum(eye, self.ellipse(eye_x, eye_y, 0.03, 0.035)))
        line = np.abs(eye_y + opening)
        ends = np.abs(eye_x) - s.eye_width
        self.paint(DARK, 0.5 * self.inside(np.maximum(line - 0.015, ends)))
        if worn is not None:
            wing = np.maximum(eye_x, 0) * m.wing * 6
            thick = np.maximum(np.abs(eye_y + opening + wing) - 0.03, ends - m.wing)
            self.paint(DARK, m.liner_strength * self.inside(thick))
        brow = eye_y + s.brow - ARCH * across * across
        brows = np.maximum(np.abs(brow) - 0.028, np.abs(eye_x) - 1.1 * s.eye_width)
        self.paint(0.8 * s.hair, self.inside(brows))
        self.mouth(lip)
        if worn is not None:
            self.mouth(m.lip_colour, m.lip_strength)
        canvas = np.ascontiguousarray(np.moveaxis(self.canvas, 0, -1))
        small = canvas.reshape(len(x), self.size, FINER, self.size, FINER, 3).mean((2, 4))
        return 2 * small - 1

    def age(self, lines: Lines, head: np.ndarray) -> None:
        """Cheeks, and lines along distances to curves, on the skin alone."""
        s, x, y = self.s, self.x, self.y
        across, dark = np.abs(x), 0.55 * s.skin
        spread = np.exp(-(((across - 0.38) / 0.15) ** 2 + ((y - 0.22) / 0.12) ** 2))
        self.paint(FLUSH, lines.cheeks * np.minimum(spread, head))
        eye_x, eye_y = across - s.eye_apart, y - s.eye_height
        u = eye_x / s.eye_width
        bag = np.maximum(np.abs(eye_y - 2.2 * s.eye_open + 0.05 * u * u) - 0.022, np.abs(u) - 0.9)
        self.paint(dark, lines.bags * self.inside(bag * np.ones_like(x)))
        folds = []
        for height in (0.30, 0.40, 0.50):
            forehead = y - s.eye_height + height - 0.15 * x * x
            folds.append(np.maximum(np.abs(forehead) - 0.016, across - 0.30))
        down = y - s.eye_height - s.nose + 0.04
        folds.append(
            np.maximum(np.abs(across - 0.15 - 0.45 * down) - 0.02, np.abs(down - 0.13) - 0.13)
        )
        for tilt in (-0.5, 0.3):
            beside = eye_x - s.eye_width - 0.09
            folds.append(
                np.maximum(np.abs(eye_y - tilt * (beside + 0.09)) - 0.014, np.abs(beside) - 0.05)
            )
        for fold in folds:
            self.paint(dark, lines.wrinkles * np.minimum(head, self.inside(fold)))

    def mouth(self, colour: np.ndarray, strength: np.ndarray | float = 1.0) -> None:
        """Both lips, and the line between them."""
        s = self.s
        u = np.clip(self.x / s.mouth_width, -1, 1)
        middle = self.y - s.mouth_height + s.smile * u * u
        # the bow of the upper lip
        upper = s.lips * (1 - u * u) * (1 - 0.25 * np.exp(-((self.x / 0.05) ** 2)))
        lower = s.lips * (1 - u * u)
        outside = np.abs(self.x) - s.mouth_width
        lips = np.maximum(np.maximum(-middle - upper, middle - lower), outside)
        self.paint(colour, strength * self.inside(lips))
        line = np.maximum(np.abs(middle) - 0.008, outside)
        self.paint(0.5 * colour, 0.7 * self.inside(line))

    def paint(self, colour: np.ndarray, share: np.ndarray) -> None:
        """Over what is there."""
        for plane, own in zip(
            self.canvas, np.moveaxis(np.asarray(colour, np.float32), -1, 0), strict=True
        ):
            plane += share * (own - plane)

    def inside(self, distance: np.ndarray, soft: float = 1.0) -> np.ndarray:
        """1 where a distance to an edge is well below 0, 0 well above, over `soft` pixels."""
        return np.clip(0.5 - distance / (soft * self.pixel), 0, 1)

    def ellipse(
        self, x: np.ndarray, y: np.ndarray, a: np.ndarray | float, b: np.ndarray | float, **how: int
    ) -> np.ndarray:
        """Inside an ellipse with half-axes a and b around 0."""
        return self.inside((np.hypot(x / a, y / b) - 1) * np.minimum(a, b), **how)


def _with_places(of: Numbers) -> Numbers:
    """Numbers (N, 1, 1) and colours (N, 1, 1, 3) in float32, to stand beside places."""

    def shaped(rows: Rows) -> Rows:
        return rows.reshape(len(rows), 1, 1, *rows.shape[1:]).astype(np.float32)

    return type(of)(**{f.name: shaped(getattr(of, f.name)) for f in fields(of)})
