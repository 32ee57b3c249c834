"""Drawn faces at six ages: what everybody looks like younger and older is known.

A picture is an age group, a person and a photograph. The person is a face of faces.py, its skin,
hair and the shape and place of all its parts; the photograph decides what changes from one picture
of a person to the next: paper, clothes, pose, smile. The groups are those of Antipov et al. 2017
(arXiv:1702.01983). How many years a person has in each, when hair goes grey, how far
it recedes, and how deep wrinkles are, is the person's own, so that everybody ages in a way of their
own and there is one true picture of each at each age.

    children   a smaller, rounder head, larger eyes, a shorter nose, red cheeks, lighter hair
    from 28    thinner lips, smaller eyes, lower brows, a broader chin, wrinkles, bags, paler skin
    from 35 to 55 on  hair goes grey, within 15 years, and recedes

Persons whose numbers ten divides are held out for the test split, photographs likewise.
`Portraits` says who is on a picture too.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from minigan.data import faces
from minigan.data.base import Batch, Composed
from minigan.data.draws import Draws, Rows
from minigan.data.faces import FACES, HAIR, Lines, Shapes
from minigan.data.kitten_pairs import with_channels
from minigan.data.options import Channels, Options, Split
from minigan.errors import OptionError

NAME = "faces-ages"
GROUPS = ("0-18", "19-29", "30-39", "40-49", "50-59", "60+")
YEARS = np.array([[4, 13], [19, 29], [30, 39], [40, 49], [50, 59], [62, 80]])  # that are drawn
SIDE = 32
SIZES = range(16, 257)
AGE, PERSON, PHOTOGRAPH = range(3)  # columns of what a picture is made of

GREY, PALE = np.array([0.84, 0.84, 0.86]), np.array([0.88, 0.82, 0.74])
BLOND = np.array([0.86, 0.70, 0.44])
OF_PHOTOGRAPH = ("paper", "clothes", "roll", "right", "down", "smile")


class AgedFaces(Composed):
    """Faces of one split: every age group, person and photograph as likely as the others.

    size      side in pixels, 16 to 256
    channels  3, or 1 for ITU-R 601 luminance

    Raises OptionError for another size.
    """

    def __init__(self, size: int = 32, channels: Channels = 3, split: Split = "train") -> None:
        if size not in SIZES:
            raise OptionError(f"{NAME} of size {size}: give a side from {SIZES[0]} to {SIZES[-1]}")
        super().__init__(NAME, (size, size, channels), {"age": GROUPS})
        self.numbers = faces.numbers(FACES, split)  # of persons, and of photographs

    def parts(self, n: int, rng: np.random.Generator) -> np.ndarray:
        """Age group, person and photograph of n pictures, int64 (n, 3)."""
        ages = rng.integers(len(GROUPS), size=n)
        return np.stack([ages, *(self.numbers[rng.integers(len(self.numbers), size=(2, n))])], 1)

    def compose(self, parts: np.ndarray) -> np.ndarray:
        of, lines = aged(*parts.T)
        return with_channels(faces.draw(of, lines=lines, size=self.shape[0]), self.shape[-1])


class Portraits(AgedFaces):
    """Many photographs of few persons, at all ages, with who it is as a second label.

    What a network learns faces by (metrics/shipped.py). The persons are of the training split, and
    in the test split on other photographs.
    """

    def __init__(self, people: int, split: Split = "train") -> None:
        super().__init__(split=split)
        self.people = faces.numbers(FACES, "train")[:people]
        self.label_names = {"age": GROUPS, "person": tuple(map(str, self.people))}

    def draw(self, n: int, rng: np.random.Generator) -> Batch:
        parts, who = self.parts(n, rng), rng.integers(len(self.people), size=n)
        parts[:, PERSON] = self.people[who]
        return Batch(self.compose(parts), np.stack([parts[:, AGE], who], 1))


def open_faces(options: Options) -> AgedFaces:
    """Faces as `open_data` asks for them; 32x32 in colour unless told otherwise."""
    height, width = options.size or (SIDE, SIDE)
    if height != width:
        raise OptionError(f"{NAME} of size {height}x{width}: they are square, give one side")
    return AgedFaces(height, options.channels or 3, options.split)


def aged(groups: np.ndarray, persons: np.ndarray, photographs: np.ndarray) -> tuple[Shapes, Lines]:
    """What persons, int (N,), look like at ages of GROUPS on photographs."""
    born, taken = faces.shapes(persons), faces.shapes(photographs)
    of = replace(born, **{name: getattr(taken, name) for name in OF_PHOTOGRAPH})
    own = Draws(persons, stream=3)
    natural = HAIR[:-1][(own() * (len(HAIR) - 1)).astype(int)]  # all but grey
    low, high = YEARS[groups].T
    years = low + (high - low) * own()
    greying, bald, deep = own(35, 55), own(0.0, 0.45), own(0.6, 1.0)
    child, old = np.clip((19 - years) / 13, 0, 1), np.clip((years - 26) / 46, 0, 1)
    grey, recedes = np.clip((years - greying) / 15, 0, 1), bald * np.clip((years - 33) / 35, 0, 1)
    hair = _towards(_towards(natural, BLOND, 0.35 * child), GREY, 0.95 * grey)
    grown = replace(
        of,
        skin=_towards(of.skin, PALE, 0.25 * old),
        hair=hair,
        scale=of.scale * (1 - 0.16 * child),
        head_width=of.head_width * (1 + 0.05 * child + 0.07 * old),
        head_height=of.head_height * (1 - 0.12 * child + 0.04 * old),
        jaw=of.jaw * (1 - 0.3 * child - 0.7 * old),
        fringe=of.fringe * (1 + recedes),
        hair_width=of.hair_width * (1 - 0.4 * grey),
        eye_height=of.eye_height + 0.10 * child,
        eye_width=of.eye_width * (1 + 0.15 * child - 0.08 * old),
        eye_open=of.eye_open * (1 + 0.40 * child - 0.30 * old),
        brow=of.brow - 0.04 * old,
        nose=of.nose * (1 - 0.30 * child + 0.12 * old),
        mouth_height=of.mouth_height - 0.03 * child + 0.02 * old,
        mouth_width=of.mouth_width * (1 - 0.20 * child + 0.05 * old),
        lips=of.lips * (1 - 0.45 * old),
        smile=of.smile - 0.04 * old,
    )
    return grown, Lines(0.5 * child, 0.75 * deep * old, 0.8 * deep * np.sqrt(old))


def _towards(colour: Rows, other: np.ndarray, share: Rows) -> Rows:
    """Colours (N, 3), so far towards another one."""
    return colour + share[:, None] * (other - colour)
