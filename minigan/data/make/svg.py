"""SVG as pictures: drawn by resvg, which is no part of minigan (`pip install resvg-py`)."""

from __future__ import annotations

import io
from collections.abc import Callable
from importlib import import_module
from typing import Any

from PIL import Image

from minigan.errors import DataError

Draw = Callable[[str, int], Image.Image]


def renderer() -> Draw:
    """From the text of an SVG and a size to an RGBA picture. Raises DataError without resvg."""
    resvg = imported("resvg_py", "resvg-py")

    def draw(svg: str, size: int) -> Image.Image:
        png = resvg.svg_to_bytes(svg_string=svg, width=size, height=size)
        return Image.open(io.BytesIO(bytes(png))).convert("RGBA")

    return draw


def imported(module: str, package: str) -> Any:
    """A module of a package that a recipe calls. Raises DataError where it is missing."""
    try:
        return import_module(module)
    except ImportError as error:
        raise DataError(
            f"this recipe runs {module}, which cannot be imported ({error}): pip install {package}"
        ) from error
