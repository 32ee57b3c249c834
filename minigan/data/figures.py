"""Drawn people in any pose, with their joints: nothing has to be installed.

A person is a number that decides skin, hair, clothes, proportions and what is behind; a pose is a
number that decides the angles of head, body and limbs, where the person stands and which way it
looks. Any person takes any pose. Parts are drawn over one another as regions with edges as soft as
a pixel, from a skeleton of which each bone is as long as the person has it; x goes to the right, y
down, half a picture is 1. An ear that is turned away is not seen, and no joint.

People and poses whose numbers ten divides are held out for the test split.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TypeVar

import numpy as np

from minigan.data.base import Batch, Endless
from minigan.data.draws import Draws, Rows, between, hsv
from minigan.data.faces import HAIR, SKIN, numbers
from minigan.data.joints import INDEX, JOINTS
from minigan.data.kitten_pairs import with_channels
from minigan.data.pairs import PairOptions
from minigan.data.poses import Poses
from minigan.errors import OptionError

NAME = "figures"
PEOPLE, POSES = 20_000, 1_000_000
SIDE = 32  # pixels, unless told
SIZES = (16, 32, 64, 128)
HIDDEN = 0.35  # how far a head is turned, of 1, when the far ear is not seen any more
# Of halves of the width and the height: from the middle to where joints end, if there is room; how
# much of the way a person is moved until it is in the middle.
ROOM, MIDDLED = np.array([0.84, 0.88]), np.array([0.5, 1.0])
DARK = np.array([0.12, 0.08, 0.08])

PATTERNS = ("plain", "stripes", "halves", "band")
HAIRCUTS = ("short", "long", "bun", "cap")
BOTTOMS = ("trousers", "shorts", "skirt")


@dataclass(frozen=True)
class People:
    """The numbers of people, row by row; lengths in halves of a picture, kinds as whole numbers."""

    paper: Rows
    skin: Rows
    hair: Rows
    haircut: Rows
    top: Rows
    second: Rows  # the other colour of a pattern
    pattern: Rows
    sleeve: Rows  # share of the arm that is covered
    bottom: Rows
    kind: Rows  # of what is worn below
    shoes: Rows
    head: Rows  # half its height
    shoulders: Rows  # half the width, as those that follow
    waist: Rows
    hips: Rows
    trunk: Rows
    upper_arm: Rows
    forearm: Rows
    thigh: Rows
    shin: Rows
    thick: Rows  # half the thickness of a limb


@dataclass(frozen=True)
class Stances:
    """The numbers of poses, row by row: angles in radians, of limbs outward from straight down."""

    lean: Rows
    nod: Rows  # of the head, beyond the lean
    turn: Rows  # of the head, from -1 to 1
    right: Rows
    down: Rows
    arm_r: Rows
    elbow_r: Rows
    arm_l: Rows
    elbow_l: Rows
    leg_r: Rows
    knee_r: Rows
    leg_l: Rows
    knee_l: Rows


Numbers = TypeVar("Numbers", People, Stances)


def people(who: np.ndarray) -> People:
    """What the numbers of people, int (N,), decide."""
    draw = Draws(who, stream=3)

    def kind(of: tuple[str, ...]) -> Rows:
        return np.floor(draw() * len(of))

    hue = draw()
    return People(
        paper=hsv(draw(), draw(0.03, 0.2), draw(0.8, 0.97)),
        skin=between(SKIN, draw()),
        hair=HAIR[(draw() * len(HAIR)).astype(int)],
        haircut=kind(HAIRCUTS),
        top=hsv(hue, draw(0.5, 1.0), draw(0.45, 0.95)),
        second=hsv(hue + draw(0.25, 0.75), draw(0.0, 0.9), draw(0.75, 1.0)),
        pattern=kind(PATTERNS),
        sleeve=np.array([0.0, 0.45, 1.0])[(draw() * 3).astype(int)],
        bottom=hsv(draw(), draw(0.2, 0.9), draw(0.2, 0.75)),
        kind=kind(BOTTOMS),
        shoes=hsv(draw(), draw(0.0, 0.8), draw(0.1, 0.5)),
        head=draw(0.16, 0.185),
        shoulders=draw(0.19, 0.25),
        waist=draw(0.13, 0.17),
        hips=draw(0.14, 0.18),
        trunk=draw(0.52, 0.60),
        upper_arm=draw(0.27, 0.31),
        forearm=draw(0.25, 0.29),
        thigh=draw(0.37, 0.42),
        shin=draw(0.36, 0.41),
        thick=draw(0.07, 0.09),
    )


def stances(poses: np.ndarray) -> Stances:
    """What the numbers of poses, int (N,), decide."""
    draw = Draws(poses, stream=4)
    return Stances(
        lean=draw(-0.2, 0.2),
        nod=draw(-0.2, 0.2),
        turn=draw(-1.0, 1.0),
        right=draw(-0.12, 0.12),
        down=draw(-0.04, 0.04),
        arm_r=draw(0.1, 2.7),
        elbow_r=draw(-1.2, 1.2),
        arm_l=draw(0.1, 2.7),
        elbow_l=draw(-1.2, 1.2),
        leg_r=draw(0.0, 0.8),
        knee_r=draw(-0.9, 0.1),
        leg_l=draw(0.0, 0.8),
        knee_l=draw(-0.9, 0.1),
    )


class Bones:
    """Where joints are, (N, 2) each by its name; `places` has all eighteen, NaN where unseen.

    along: where the trunk goes to, down from the neck; up: from the neck through the head.
    """

    def __init__(self, p: People, s: Stances) -> None:
        self.along, self.up = _toward(s.lean), -_toward(s.lean + s.nod)
        across, level = _across(self.along), _across(-self.up)
        at: dict[str, Rows] = {"neck": np.zeros((len(s.lean), 2))}
        middle = p.trunk[:, None] * self.along
        for name, way, arm, elbow, leg, knee in (
            ("right", -1, s.arm_r, s.elbow_r, s.leg_r, s.knee_r),
            ("left", 1, s.arm_l, s.elbow_l, s.leg_l, s.knee_l),
        ):
            shoulder = way * p.shoulders[:, None] * across + 0.05 * self.along
            hip = middle + way * (0.75 * p.hips)[:, None] * across
            at[f"{name}_shoulder"], at[f"{name}_hip"] = shoulder, hip
            at[f"{name}_elbow"] = shoulder + p.upper_arm[:, None] * _toward(way * -arm)
            at[f"{name}_wrist"] = at[f"{name}_elbow"] + p.forearm[:, None] * _toward(
                way * -(arm + elbow)
            )
            at[f"{name}_knee"] = hip + p.thigh[:, None] * _toward(way * -leg)
            at[f"{name}_ankle"] = at[f"{name}_knee"] + p.shin[:, None] * _toward(
                way * -(leg + knee)
            )
        self.head = (0.07 + p.head)[:, None] * self.up
        turned = (0.5 * p.head * s.turn)[:, None] * level
        at["nose"] = self.head + turned - 0.1 * p.head[:, None] * self.up
        for name, way in (("right", -1), ("left", 1)):
            aside = way * p.head[:, None] * level
            at[f"{name}_eye"] = self.head + turned + 0.38 * aside + 0.2 * p.head[:, None] * self.up
            seen = (way * s.turn < HIDDEN)[:, None]
            at[f"{name}_ear"] = np.where(seen, self.head + 0.85 * aside + 0.2 * turned, np.nan)
        self.at = at
        self._placed(p, s)

    def _placed(self, p: People, s: Stances) -> None:
        """Move all to where the person stands, and then into the picture where it has room."""
        top = self.head + p.head[:, None] * self.up
        every = np.stack([*self.at.values(), top], 1)
        low, high = np.nanmin(every, 1), np.nanmax(every, 1)
        shift = np.stack([s.right, s.down], -1) - (low + high) / 2 * MIDDLED
        shift = np.minimum(np.maximum(shift, -ROOM - low), ROOM - high)
        shift = np.where(high - low > 2 * ROOM, -(low + high) / 2, shift)
        self.head = self.head + shift
        self.at = {name: place + shift for name, place in self.at.items()}

    @property
    def places(self) -> Rows:
        """Joints (N, 18, 2) as shares of the picture (joints.py)."""
        found = np.empty((len(self.head), JOINTS, 2))
        for name, place in self.at.items():
            found[:, INDEX[name]] = (place + 1) / 2
        return found


def drawn(p: People, s: Stances, *, size: int) -> np.ndarray:
    """People in poses, float32 (N, size, size, 3) in [-1, 1]."""
    return _Drawing(p, s, size).figure()


def joints(p: People, s: Stances) -> np.ndarray:
    """Joints (N, 18, 2) as shares of the picture, NaN where they are not seen (joints.py)."""
    return Bones(p, s).places


class Figures(Poses, Endless):
    """Two poses of a drawn person. Raises OptionError for a size that people are not drawn at."""

    def __init__(self, name: str, options: PairOptions) -> None:
        h, w = options.size or (SIDE, SIDE)
        if h != w or h not in SIZES:
            sizes = ", ".join(f"{side}x{side}" for side in SIZES)
            raise OptionError(f"{name} are drawn at {sizes}; --size {h}x{w} is none of these")
        super().__init__(name, (h, w), options.channels[1] or 3, options)
        self._people = numbers(PEOPLE, options.split)
        self._poses = numbers(POSES, options.split)

    def draw(self, n: int, rng: np.random.Generator) -> Batch:
        who = people(self._people[rng.integers(len(self._people), size=n)])
        a, b = (stances(self._poses[rng.integers(len(self._poses), size=n)]) for _ in range(2))
        size, channels = self.shape[0], self.channels[1]
        pictures = [with_channels(drawn(who, pose, size=size), channels) for pose in (a, b)]
        return self.joined(pictures[0], joints(who, b), pictures[1])


class _Drawing:
    """A canvas, the places of its pixels, and the bones."""

    def __init__(self, p: People, s: Stances, size: int) -> None:
        self.bones = Bones(p, s)
        self.p, self.s = _with_places(p), _with_places(s)
        axis = ((np.arange(size) + 0.5) / size * 2 - 1).astype(np.float32)
        self.x, self.y = axis[None, None, :], axis[None, :, None]
        self.pixel = np.float32(2 / size)
        self.canvas = np.empty((len(p.head), size, size, 3), np.float32)
        self.canvas[...] = self.p.paper

    def figure(self) -> np.ndarray:
        """Every part from back to front; the canvas in [-1, 1]."""
        self.hair_behind()
        for side in ("right", "left"):
            self.leg(side)
        self.trunk()
        for side in ("right", "left"):
            self.arm(side)
        self.face()
        return 2 * self.canvas - 1

    def leg(self, side: str) -> None:
        """Skin, what covers it, and a shoe."""
        p, at = self.p, self.bones.at
        hip, knee, ankle = (at[f"{side}_{name}"] for name in ("hip", "knee", "ankle"))
        self.limb(p.skin, hip, knee, 1.1 * p.thick)
        self.limb(p.skin, knee, ankle, 0.9 * p.thick)
        trousers, shorts = (p.kind == BOTTOMS.index(kind) for kind in ("trousers", "shorts"))
        self.limb(p.bottom, hip, knee, 1.2 * p.thick, trousers)
        self.limb(p.bottom, knee, ankle, p.thick, trousers)
        self.limb(p.bottom, hip, hip + 0.65 * (knee - hip), 1.3 * p.thick, shorts)
        outward = np.array([-0.05 if side == "right" else 0.05, 0.02])
        self.limb(p.shoes, ankle, ankle + outward, 1.0 * p.thick)

    def trunk(self) -> None:
        """A skirt where one is worn, then the top with its pattern, and the neck."""
        p = self.p
        u, v = self.local(self.bones.at["neck"], self.bones.along)
        below = v - p.trunk
        flared = 1.1 * p.hips + 0.35 * np.maximum(below, 0)
        skirt = np.maximum(np.maximum(np.abs(u) - flared, below - 0.3), -below - 0.08)
        self.paint(p.bottom, self.inside(skirt) * (p.kind == BOTTOMS.index("skirt")))
        hips = np.maximum(np.maximum(np.abs(u) - 1.05 * p.hips, below - 0.04), -below - 0.1)
        self.paint(p.bottom, self.inside(hips))
        half = p.trunk / 2
        above = p.waist + (p.shoulders - p.waist) * np.clip(1 - v / half, 0, 1)
        wide = np.where(v < half, above, p.waist + (p.hips - p.waist) * np.clip(v / half - 1, 0, 1))
        slope = 0.06 * np.abs(u) / p.shoulders  # of the shoulders
        top = self.inside(np.maximum(np.maximum(np.abs(u) - wide, slope - v), below + 0.04))
        self.paint(p.top, top)
        width = 0.14
        stripes = self.inside(np.abs((v % width) - width / 2) - width / 4)
        band = self.inside(np.abs(v - 0.45 * p.trunk) - 0.075)
        for name, region in (("stripes", stripes), ("halves", self.inside(-u)), ("band", band)):
            self.paint(p.second, top * region * (p.pattern == PATTERNS.index(name)))
        neck = self.bones.at["neck"]
        self.limb(p.skin, neck + 0.02 * self.bones.along, self.bones.head, 0.75 * p.thick)

    def arm(self, side: str) -> None:
        """Skin to the hand, and the sleeve."""
        p, at = self.p, self.bones.at
        shoulder, elbow, wrist = (at[f"{side}_{name}"] for name in ("shoulder", "elbow", "wrist"))
        self.limb(p.skin, shoulder, elbow, 0.85 * p.thick)
        self.limb(p.skin, elbow, wrist, 0.8 * p.thick)
        other = (p.pattern == PATTERNS.index("halves")) & (side == "left")
        colour = np.where(other[..., None], p.second, p.top)
        short = shoulder + 0.6 * (elbow - shoulder)
        self.limb(colour, shoulder, short, 1.05 * p.thick, p.sleeve > 0)
        self.limb(colour, shoulder, elbow, 0.95 * p.thick, p.sleeve == 1)
        self.limb(colour, elbow, elbow + 0.8 * (wrist - elbow), 0.9 * p.thick, p.sleeve == 1)

    def hair_behind(self) -> None:
        """Long hair falls behind the shoulders."""
        p, head = self.p, self.bones.head
        down = head - (0.25 + 0.6 * _flat(p.head)) * self.bones.up
        self.limb(p.hair, head, down, 0.95 * p.head, p.haircut == HAIRCUTS.index("long"))

    def face(self) -> None:
        """Head, hair or a cap, and eyes and mouth."""
        p, up, at = self.p, self.bones.up, self.bones.at
        u, v = self.local(self.bones.head, -up)
        ball = self.inside((np.hypot(u / (0.85 * p.head), v / p.head) - 1) * p.head)
        bun = self.inside(np.hypot(u, v + 1.1 * p.head) - 0.5 * p.head)
        self.paint(p.hair, bun * (p.haircut == HAIRCUTS.index("bun")))
        self.paint(p.skin, ball)
        turned = 0.5 * p.head * self.s.turn
        brim = v + 0.35 * p.head - 0.35 * np.abs(u - turned)
        colour = np.where((p.haircut == HAIRCUTS.index("cap"))[..., None], p.second, p.hair)
        crown = self.inside((np.hypot(u / (0.95 * p.head), v / (1.08 * p.head)) - 1) * p.head)
        self.paint(colour, np.minimum(crown, self.inside(brim)))
        for side in ("right", "left"):
            eye = at[f"{side}_eye"]
            self.limb(DARK, eye, eye, 0.12 * p.head)
        mouth = at["nose"] - 0.4 * _flat(p.head) * up
        self.limb(0.6 * p.skin, mouth, mouth, 0.14 * p.head)

    def limb(
        self,
        colour: np.ndarray,
        a: np.ndarray,
        b: np.ndarray,
        thick: np.ndarray,
        worn: np.ndarray | float = 1.0,
    ) -> None:
        """Everything within `thick` of the line from a to b, (N, 2), where it is `worn`."""
        ax, ay, bx, by = (
            place[:, i].astype(np.float32)[:, None, None] for place in (a, b) for i in (0, 1)
        )
        across, down = bx - ax, by - ay
        right, below = self.x - ax, self.y - ay
        length = np.maximum(across * across + down * down, 1e-9)
        share = np.clip((right * across + below * down) / length, 0, 1)
        apart = np.hypot(right - share * across, below - share * down)
        self.paint(colour, self.inside(apart - thick) * worn)

    def local(self, origin: np.ndarray, along: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Across and along a direction (N, 2), from an origin (N, 2)."""
        ox, oy, dx, dy = (
            place[:, i].astype(np.float32)[:, None, None]
            for place in (origin, along)
            for i in (0, 1)
        )
        right, below = self.x - ox, self.y - oy
        return right * dy - below * dx, right * dx + below * dy

    def inside(self, distance: np.ndarray) -> np.ndarray:
        """1 where a distance to an edge is well below 0, 0 well above, over one pixel."""
        return np.clip(0.5 - distance / self.pixel, 0, 1)

    def paint(self, colour: np.ndarray, share: np.ndarray) -> None:
        """Over what is there."""
        self.canvas += share[..., None] * (np.asarray(colour, np.float32) - self.canvas)


def _toward(angle: Rows) -> Rows:
    """Directions (N, 2) that lie by an angle off straight down; a positive one to the left."""
    return np.stack([-np.sin(angle), np.cos(angle)], -1)


def _across(down: Rows) -> Rows:
    """What is to the right of directions (N, 2) that go down."""
    return np.stack([down[:, 1], -down[:, 0]], -1)


def _flat(number: np.ndarray) -> Rows:
    """(N, 1) of (N, 1, 1)."""
    return number[:, 0]


def _with_places(of: Numbers) -> Numbers:
    """Numbers (N, 1, 1) and colours (N, 1, 1, 3) in float32, to stand beside places."""

    def shaped(rows: Rows) -> Rows:
        return rows.reshape(len(rows), 1, 1, *rows.shape[1:]).astype(np.float32)

    return type(of)(**{f.name: shaped(getattr(of, f.name)) for f in fields(of)})
