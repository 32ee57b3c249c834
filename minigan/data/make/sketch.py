"""Line art and the same in colour: all emoji of OpenMoji, which come in both."""

from __future__ import annotations

from PIL import Image

from minigan.data.make.packages import Files, Package
from minigan.data.make.svg import renderer
from minigan.data.make.writing import Writer, split_of
from minigan.errors import DataError

OPENMOJI = Package(
    "npm",
    "openmoji",
    "17.0.0",
    "emoji by OpenMoji, the open-source emoji and icon project, CC-BY-SA 4.0, "
    "https://creativecommons.org/licenses/by-sa/4.0/: what is made of them has the same licence",
)
FOLDERS = (("A", "black/svg/", "L"), ("B", "color/svg/", "RGB"))


def make_sketches(files: dict[Package, Files], writer: Writer, size: int) -> None:
    """A line art in grey, B the same in colour, under one name. Raises DataError without any."""
    draw, source = renderer(), files[OPENMOJI]
    named = [
        {n.removeprefix(folder) for n in source.names() if n.startswith(folder)}
        for _, folder, _ in FOLDERS
    ]
    both = sorted(named[0] & named[1])
    if not both:
        raise DataError(f"{OPENMOJI} holds no pictures in both of black/svg and color/svg")
    for i, name in enumerate(both):
        for letter, folder, mode in FOLDERS:
            paper = Image.new("RGBA", (size, size), "white")
            paper.alpha_composite(draw(source.read(folder + name).decode(), size))
            path = f"{split_of(i)}{letter}/{name.removesuffix('.svg')}.png"
            writer.picture(path, paper.convert(mode))
