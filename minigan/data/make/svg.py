"""SVG as pictures: drawn by resvg, which is no part of minigan (`pip install resvg-py`)."""

from __future__ import annotations

import io
from collections.abc import Callable

from PIL import Image

from minigan.errors import DataError

Draw = Callable[[str, int], Image.Image]


def renderer() -> Draw:
    """From the text of an SVG and a size to an RGBA picture. Raises DataError without resvg."""
    try:
        import resvg_py
    except ImportError as error:
        raise missing("resvg-py", error) from error

    def draw(svg: str, size: int) -> Image.Image:
        png = resvg_py.svg_to_bytes(svg_string=svg, width=size, height=size)
        return Image.open(io.BytesIO(bytes(png))).convert("RGBA")

    return draw


def missing(package: str, error: ImportError) -> DataError:
    """What to say of a package that a recipe runs and that is not there."""
    return DataError(
        f"this recipe runs {package}, which is missing ({error}): pip install {package}"
    )
