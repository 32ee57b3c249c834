"""Emoji: the same ones by Google and by Twitter, and Google's hands and people in five skin tones.

Both packages hold every emoji in a sheet of cells of 64 pixels, each with a border of one, whose
column and row emoji.json says.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from typing import Any, NamedTuple

from PIL import Image

from minigan.data.make.packages import Files, Package
from minigan.data.make.writing import Writer, split_of
from minigan.data.reference_folder import LANDMARKS

GOOGLE = Package(
    "npm",
    "emoji-datasource-google",
    "16.0.0",
    "emoji by Google (Noto), Apache License 2.0, https://www.apache.org/licenses/LICENSE-2.0; "
    "list of emoji by Cal Henderson, MIT License",
)
TWITTER = Package(
    "npm",
    "emoji-datasource-twitter",
    "16.0.0",
    "emoji by Twitter and other contributors (Twemoji), CC-BY 4.0, "
    "https://creativecommons.org/licenses/by/4.0/; list of emoji by Cal Henderson, MIT License",
)
TONES = {
    "1F3FB": "light",
    "1F3FC": "medium-light",
    "1F3FD": "medium",
    "1F3FE": "medium-dark",
    "1F3FF": "dark",
}
BETWEEN = "--"  # names of an emoji and of its tones: "medium-light" is one, "medium--light" two
CELL, BORDER = 64, 1


class Emoji(NamedTuple):
    """One picture of the sheets. tones: of its skin, none for the default."""

    name: str
    caption: str
    tones: tuple[str, ...]
    column: int
    row: int


class Sheet:
    """All emoji as one vendor draws them."""

    def __init__(self, files: Files, vendor: str) -> None:
        sheet = io.BytesIO(files.read(f"img/{vendor}/sheets/{CELL}.png"))
        self._sheet = Image.open(sheet).convert("RGBA")
        listed = json.loads(files.read("emoji.json"))
        self.emoji = {emoji.name: emoji for emoji in _listed(listed, f"has_img_{vendor}")}

    def picture(self, emoji: Emoji, size: int) -> Image.Image:
        """RGBA, size x size."""
        left, top = (k * (CELL + 2 * BORDER) + BORDER for k in (emoji.column, emoji.row))
        cell = self._sheet.crop((left, top, left + CELL, top + CELL))
        return _resized(cell, size)


def make_pairs(files: dict[Package, Files], writer: Writer, size: int) -> None:
    """A by Google, B by Twitter, aligned by their names; captions for either."""
    google, twitter = Sheet(files[GOOGLE], "google"), Sheet(files[TWITTER], "twitter")
    captions: dict[str, str] = {}
    both = [name for name in google.emoji if name in twitter.emoji]
    for i, name in enumerate(both):
        for letter, sheet in (("A", google), ("B", twitter)):
            path = f"{split_of(i)}{letter}/{name}.png"
            emoji = sheet.emoji[name]
            writer.picture(path, sheet.picture(emoji, size))
            if split_of(i) == "train":
                captions[path] = emoji.caption
    writer.json("captions.json", captions)


def make_tones(files: dict[Package, Files], writer: Writer, size: int) -> None:
    """A in the default colour, B in folders of the five tones, with landmarks around each."""
    sheet = Sheet(files[GOOGLE], "google")
    landmarks: dict[str, list[list[float]]] = {}

    def write(path: str, emoji: Emoji) -> None:
        picture = sheet.picture(emoji, size)
        writer.picture(path, picture)
        landmarks[path] = _around(picture)

    bare = [emoji for emoji in sheet.emoji.values() if not emoji.tones]
    toned = [
        emoji
        for emoji in bare
        if all(f"{emoji.name}{BETWEEN}{tone}" in sheet.emoji for tone in TONES.values())
    ]
    for i, emoji in enumerate(toned):
        write(f"{split_of(i)}A/{emoji.name}.png", emoji)
        for tone in TONES.values():
            path = f"{split_of(i)}B/{tone}/{emoji.name}.png"
            write(path, sheet.emoji[f"{emoji.name}{BETWEEN}{tone}"])
    writer.json(LANDMARKS, landmarks)


def _listed(listed: list[dict[str, Any]], has: str) -> Iterator[Emoji]:
    """Every emoji, each followed by its skin tones, named as in wave and wave--medium-dark."""
    for one in listed:
        name = one["short_name"].replace("/", "-")
        caption = one["short_name"].replace("_", " ").replace("-", " ")
        if one[has]:
            yield Emoji(name, caption, (), one["sheet_x"], one["sheet_y"])
        for codes, toned in one.get("skin_variations", {}).items():
            tones = tuple(TONES[code] for code in codes.split("-"))
            if toned[has]:
                said = " and ".join(tone.replace("-", " ") for tone in tones)
                place = toned["sheet_x"], toned["sheet_y"]
                yield Emoji(BETWEEN.join([name, *tones]), f"{caption} {said} skin", tones, *place)


def _resized(image: Image.Image, size: int) -> Image.Image:
    """Reduced or enlarged; colour weighted by alpha, so that what is unseen does not show."""
    if image.size == (size, size):
        return image
    return image.convert("RGBa").resize((size, size), Image.Resampling.LANCZOS).convert("RGBA")


def _around(picture: Image.Image) -> list[list[float]]:
    """Corners and middles of the sides of what is not transparent, as shares of the picture."""
    left, top, right, bottom = picture.getbbox() or (0, 0, *picture.size)
    w, h = picture.size
    xs, ys = (
        (left / w, (left + right) / 2 / w, right / w),
        (top / h, (top + bottom) / 2 / h, bottom / h),
    )
    return [[x, y] for i, y in enumerate(ys) for j, x in enumerate(xs) if (i, j) != (1, 1)]
