"""Pictures of samples: a grid of images, a scatter of points, and the film of a whole run."""

from __future__ import annotations

import io
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from PIL import Image, ImageDraw

from minigan.backend import Array
from minigan.errors import ShapeError
from minigan.training.files import write_atomically

if TYPE_CHECKING:  # it takes as long to import as all of minigan
    from matplotlib.figure import Figure

GRID_WIDTH = 512  # small images are enlarged by a whole factor towards this width
FILM_FRAMES = 100
TITLED_WIDTH = 64  # of a picture under a title, at least


class Sheet(NamedTuple):
    """The picture of a run's step, what was made for it, and examples to compare that with.

    made, real: for their diversity. files: what lies beside the picture, by names in which {step}
    stands for the picture's own.
    """

    picture: Image.Image
    made: Array
    real: Array
    files: Mapping[str, bytes] = MappingProxyType({})


def to_image(x: Array) -> Image.Image:
    """One picture (H, W, 1 or 3) in [-1, 1] as an 8-bit image; values beyond are clipped."""
    pixels = np.clip(np.rint((x + 1) * 127.5), 0, 255).astype(np.uint8)
    return Image.fromarray(pixels[..., 0] if pixels.shape[-1] == 1 else pixels)


def grid(
    x: Array,
    *,
    columns: int | None = None,
    gap: int = 2,
    least: int = 1,
    factor: int | None = None,
) -> Image.Image:
    """Pictures (N, H, W, C) row by row; as square as N allows unless `columns` is given.

    Each is `least` pixels wide or more. factor: what pixels are enlarged by, instead of that.
    """
    if x.ndim != 4 or len(x) == 0:
        raise ShapeError(f"a grid wanted pictures (N, H, W, C) with N at least 1, got {x.shape}")
    n, h, w, c = x.shape
    columns = min(columns or math.ceil(math.sqrt(n)), n)
    rows = math.ceil(n / columns)
    sheet = np.ones((rows * (h + gap) - gap, columns * (w + gap) - gap, c), np.float32)
    for i, picture in enumerate(x):
        top, left = i // columns * (h + gap), i % columns * (w + gap)
        sheet[top : top + h, left : left + w] = picture
    image = to_image(sheet)
    factor = factor or max(1, round(GRID_WIDTH / image.width), -(-least // w))
    return image.resize((image.width * factor, image.height * factor), Image.Resampling.NEAREST)


def pairs(above: Array, below: Array, *, columns: int = 8) -> Image.Image:
    """Rows of pictures (N, H, W, C), each above a row of its counterparts; white where they end."""
    places = np.ones((2, -(-len(above) // columns) * columns, *above.shape[1:]), above.dtype)
    places[0, : len(above)], places[1, : len(below)] = above, below
    rows = places.reshape(2, -1, columns, *above.shape[1:]).swapaxes(0, 1)
    return grid(rows.reshape(-1, *above.shape[1:]), columns=columns)


def beside(images: Mapping[str, Image.Image], *, gap: int = 16) -> Image.Image:
    """Images of one height in a row, each under its title."""
    line = 20  # pixels, for the titles
    parts = [image.convert("RGB") for image in images.values()]
    width = sum(part.width for part in parts) + gap * (len(parts) - 1)
    sheet = Image.new("RGB", (width, parts[0].height + line), "white")
    pen, left = ImageDraw.Draw(sheet), 0
    for title, part in zip(images, parts, strict=True):
        pen.text((left + 2, 4), title, fill="black")
        sheet.paste(part, (left, line))
        left += part.width + gap
    return sheet


def titled(x: Array, titles: Sequence[str], *, gap: int = 2) -> Image.Image:
    """A grid of pictures (N, H, W, C) with a column for each title, which stands above it.

    A title's words stand below one another.
    """
    sheet = grid(x, columns=len(titles), gap=gap, least=TITLED_WIDTH).convert("RGB")
    line, words = 12, [title.split() or [""] for title in titles]
    top = line * max(map(len, words)) + 4
    image = Image.new("RGB", (sheet.width, sheet.height + top), "white")
    image.paste(sheet, (0, top))
    pen, step = ImageDraw.Draw(image), (sheet.width + gap) / len(titles)
    for i, parts in enumerate(words):
        for j, word in enumerate(parts):
            pen.text((round(i * step) + 2, 2 + line * j), word, fill="black")
    return image


def plot_points(x: Array, real: Array, *, label: str = "G(z)") -> Image.Image:
    """Generated points over real ones: (N, 1) as histograms, (N, 2) or more as a scatter."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(5, 5), dpi=100, layout="constrained")
    axes = figure.subplots()
    if x.shape[1] == 1:
        low, high = np.quantile(np.concatenate([x, real]), [0.001, 0.999])
        bins = np.linspace(low, high, 60).tolist()
        axes.hist(real[:, 0], bins, density=True, color="0.8", label="data")
        axes.hist(x[:, 0], bins, density=True, histtype="step", color="C3", label=label)
    else:
        axes.scatter(real[:, 0], real[:, 1], s=6, c="0.7", linewidths=0, label="data")
        axes.scatter(x[:, 0], x[:, 1], s=6, c="C3", linewidths=0, label=label)
        low, high = real.min(0)[:2], real.max(0)[:2]
        margin = 0.3 * float((high - low).max())
        axes.set_xlim(low[0] - margin, high[0] + margin)
        axes.set_ylim(low[1] - margin, high[1] + margin)
        axes.set_aspect("equal")
    axes.legend(loc="upper right")
    return render(figure)


def render(figure: Figure) -> Image.Image:
    """A matplotlib figure as an image."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    return Image.fromarray(np.asarray(canvas.buffer_rgba())).convert("RGB")


def png_bytes(image: Image.Image) -> bytes:
    """What a .png of it holds."""
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


def write_png(image: Image.Image, path: Path) -> None:
    """Written whole or not at all."""
    write_atomically(path, png_bytes(image))


def write_sheet(sheet: Sheet, path: Path) -> None:
    """The picture to `path`, and its files beside it."""
    write_png(sheet.picture, path)
    for name, content in sheet.files.items():
        write_atomically(path.with_name(name.format(step=path.stem)), content)


def write_film(frames: Sequence[Path], path: Path) -> None:
    """A looping GIF of pictures of one size, at most FILM_FRAMES of them, the last held longer."""
    if not frames:
        return
    chosen = np.unique(np.linspace(0, len(frames) - 1, FILM_FRAMES).round().astype(int))
    images = []
    for i in chosen:
        with Image.open(frames[i]) as image:
            images.append(image.convert("RGB").quantize(128))
    buffer = io.BytesIO()
    durations = [150] * (len(images) - 1) + [1500]
    images[0].save(
        buffer, "GIF", save_all=True, append_images=images[1:], duration=durations, loop=0
    )
    write_atomically(path, buffer.getvalue())
