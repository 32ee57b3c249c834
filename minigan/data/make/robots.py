"""Robots of two colours, each put together from parts; robohash names parts of all colours alike.

A robot is a number for its body, face, accessory, eyes and mouth, ten of each; the last number in a
part's file name says which it is. One robot in both colours has one file name.
"""

from __future__ import annotations

import io
import re

import numpy as np
from PIL import Image

from minigan.backend import make_rng
from minigan.data.make.packages import Files, Package
from minigan.data.make.writing import Writer, split_of
from minigan.errors import DataError

ROBOHASH = Package(
    "pypi",
    "robohash",
    "2.0",
    "robots by Zikri Kader, CC-BY 3.0 or 4.0, https://creativecommons.org/licenses/by/4.0/",
)
COLOURS = ("blue", "orange")
PARTS = ("003#01Body", "004#02Face", "002#Accessory", "001#Eyes", "000#Mouth")  # from the back
KINDS = 10
ROBOTS = 2000

Parts = dict[tuple[str, int], Image.Image]


def make_robots(files: dict[Package, Files], writer: Writer, size: int) -> None:
    """A blue robots, B the same ones in orange, under one name."""
    parts = [_parts(files[ROBOHASH], colour, size) for colour in COLOURS]
    drawn = make_rng(0).choice(KINDS ** len(PARTS), size=ROBOTS, replace=False)
    for i, number in enumerate(np.sort(drawn)):
        kinds = np.unravel_index(number, (KINDS,) * len(PARTS))
        for letter, own in zip("AB", parts, strict=True):
            robot = Image.new("RGBA", (size, size))
            for part, kind in zip(PARTS, kinds, strict=True):
                robot.alpha_composite(own[part, int(kind)])
            writer.picture(f"{split_of(i)}{letter}/{number:05d}.png", robot)


def _parts(files: Files, colour: str, size: int) -> Parts:
    """Every part of one colour, by its kind from 0 on. Raises DataError where one is missing."""
    found: Parts = {}
    for name in files.names():
        match = re.fullmatch(rf"robohash/sets/set1/{colour}/([^/]+)/[^/]*-(\d+)\.png", name)
        if match:
            image = Image.open(io.BytesIO(files.read(name))).convert("RGBA")
            small = image.convert("RGBa").resize((size, size), Image.Resampling.LANCZOS)
            found[match[1], int(match[2]) - 1] = small.convert("RGBA")
    missing = [(part, k) for part in PARTS for k in range(KINDS) if (part, k) not in found]
    if missing:
        raise DataError(
            f"{ROBOHASH}: {colour} robots lack {missing[0]}, {len(missing)} parts in all"
        )
    return found
