"""Drawn faces without and with makeup: DiceBear's "adventurer", whose seed decides a face.

The same seed gives the same face, whatever it wears: lipstick, blush and earrings are a style, bare
lips and nothing else are none. All faces lie on one another, so that their landmarks are the same.
"""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from minigan.backend import make_rng
from minigan.data.make.packages import Files, Package
from minigan.data.make.svg import missing, renderer
from minigan.data.make.writing import Writer, split_of
from minigan.data.reference_folder import LANDMARKS

DICEBEAR = Package(
    "pypi",
    "dicebear-styles",
    "10.6.0",
    'remix of "Adventurer" by Lisa Wischofsky, CC-BY 4.0, '
    "https://creativecommons.org/licenses/by/4.0/",
)
FACES, STYLES = 300, 12
FACE = {
    "mouthVariant": ["variant05", "variant06", "variant07", "variant08"],  # those with lips
    "glassesProbability": 0,
    "scale": 1.3,
}
BARE = {"lipsColor": ["c98a73"], "detailsProbability": 0, "earringsProbability": 0}
EARRINGS = [f"variant{i:02d}" for i in range(1, 7)]
CORNERS = [[0.0, 0.0], [1.0, 0.0], [0.0, 1.0], [1.0, 1.0]]


def make_avatars(files: dict[Package, Files], writer: Writer, size: int) -> None:
    """A bare faces, B in a folder for each style the same faces in it."""
    avatars, draw = dicebear(), renderer()
    style = avatars.Style(json.loads(files[DICEBEAR].read("dicebear_styles/adventurer.json")))
    rng = make_rng(0)
    looks = [_look(rng) for _ in range(STYLES)]
    landmarks: dict[str, list[list[float]]] = {}
    for i in range(FACES):
        face = FACE | {"seed": str(i)}
        worn = {f"A/{i:03d}.png": BARE}
        worn |= {f"B/style-{k:02d}/{i:03d}.png": look for k, look in enumerate(looks)}
        for name, look in worn.items():
            path = split_of(i) + name
            writer.picture(path, draw(avatars.Avatar(style, face | look).to_string(), size))
            landmarks[path] = CORNERS
    writer.json(LANDMARKS, landmarks)


def dicebear() -> Any:
    """The package that draws. Raises DataError without it."""
    try:
        import dicebear
    except ImportError as error:
        raise missing("dicebear-core==10.7.0", error) from error
    return dicebear


def _look(rng: np.random.Generator) -> dict[str, Any]:
    """A style: colours of lips and earrings, and whether cheeks have blush."""
    lips, earrings = ("".join(f"{c:02x}" for c in rng.integers(0, 230, 3)) for _ in range(2))
    return {
        "lipsColor": [lips],
        "detailsVariant": ["blush"],
        "detailsProbability": 100 * int(rng.integers(2)),
        "earringsVariant": [str(rng.choice(EARRINGS))],
        "earringsColor": [earrings],
        "earringsProbability": 100,
    }
