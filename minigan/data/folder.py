"""Reads a folder of pictures, with class folders as labels where there are some.

Every picture is decoded once and kept as bytes: N * H * W * C bytes of memory in all.
"""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar, get_args

import numpy as np
from PIL import Image, ImageOps

from minigan.data.base import DataWarning
from minigan.data.memory import InMemory
from minigan.data.options import Options, Split
from minigan.data.pictures import fit, flatten
from minigan.errors import DataError

T = TypeVar("T")
SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".gif", ".tif", ".tiff")


def recognises(path: Path) -> bool:
    """Whether `path` is a folder; what is in it is seen when it is opened."""
    return path.is_dir()


def open(path: Path, options: Options) -> InMemory:
    """The pictures in `path` and the folders below it, in the order of their names.

    size      crops and resizes every picture; without it all must have one size
    channels  without it, grey if every picture is grey, else colour

    A folder that holds folders called train and test is read as the one that `options.split` names.
    The label "class" is the first folder on the way to a picture. Transparency is laid over white,
    EXIF orientation is applied, an animation gives its first frame. Hidden files are passed over.

    Raises DataError when there are no pictures or their sizes differ; an unreadable picture is
    skipped with a DataWarning, or refused with `options.strict`, and so are pictures beside class
    folders, which would leave part of the data without a class.
    """
    if all((path / split).is_dir() for split in get_args(Split)):
        path = path / options.split
    else:
        options.refuse_test_split(str(path), "put its pictures into folders called train and test")
    files = picture_files(path)
    if not files:
        raise DataError(
            f"no pictures in {path}: put {', '.join(s[1:] for s in SUFFIXES)} files into it"
        )
    pictures, readable = decode(path, files, lambda file: _read(file, options), options.strict)
    labels, classes = _classes([file.relative_to(path) for file in readable], path, options)
    label_names = {"class": classes} if classes else {}
    return InMemory(str(path), stack(path, pictures), labels, label_names)


def picture_files(path: Path) -> list[Path]:
    """Picture files below `path` but hidden ones, in an order that every machine agrees on."""
    found = [
        file
        for file in path.rglob("*")
        if file.suffix.lower() in SUFFIXES
        and file.is_file()
        and not any(part.startswith(".") for part in file.relative_to(path).parts)
    ]
    return sorted(found, key=lambda file: file.relative_to(path).parts)


def decode(
    path: Path, files: list[Path], read: Callable[[Path], T], strict: bool
) -> tuple[list[T], list[Path]]:
    """What `read` makes of the readable ones of `files` below `path`, and which ones they are.

    Others are left out with a DataWarning; with `strict`, or where all are, DataError is raised.
    """
    pictures, readable, failures = [], [], []
    for file in files:
        try:
            pictures.append(read(file))
            readable.append(file)
        # Pillow's decoders raise almost anything on damaged bytes (OSError, SyntaxError,
        # ValueError, struct.error, ...); whatever it is, this file is no picture.
        except Exception as error:
            failures.append(f"{file.relative_to(path)} ({error})")
    if failures:
        named = f"{failures[0]}" + (f" and {len(failures) - 1} more" if failures[1:] else "")
        _complain(
            f"{path}: {len(failures)} of {len(files)} pictures cannot be read and are left out: "
            f"{named}; repair or remove them",
            strict or not pictures,
        )
    return pictures, readable


def _read(file: Path, options: Options) -> np.ndarray:
    """One picture as uint8 (H, W, C)."""
    return fit(open_upright(file), options.size, options.channels)


def fitted(
    file: Path, size: tuple[int, int] | None, channels: int | None
) -> tuple[np.ndarray, tuple[float, float]]:
    """One picture as `fit` makes it, and the shares of its width and its height that are left."""
    image = open_upright(file)
    w, h = image.size
    tall, wide = size or (h, w)
    aspect = (wide / tall) / (w / h)
    return fit(image, size, channels), (min(aspect, 1), min(1 / aspect, 1))


def open_upright(file: Path) -> Image.Image:
    """One picture, in mode "L" or "RGB". Raises on anything that is not a whole picture."""
    with warnings.catch_warnings():
        # A few kilobytes may claim gigapixels; Pillow only warns below twice its limit.
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        with Image.open(file) as image:
            return flatten(ImageOps.exif_transpose(image))


def transparent(file: Path, size: tuple[int, int] | None) -> np.ndarray | None:
    """Where a picture is more transparent than not: (1, H, W, 1) of 0 and 1; None if nowhere.

    It is cropped and resized as `fit` does it. The picture is known to be readable.
    """
    with Image.open(file) as image:
        upright = ImageOps.exif_transpose(image)
        if not upright.has_transparency_data:
            return None
        alpha = fit(upright.convert("RGBA").getchannel("A"), size)
    missing = (alpha < 128).astype(np.float32)[None]
    return missing if missing.any() else None


def stack(path: Path, pictures: list[np.ndarray]) -> np.ndarray:
    """Pictures of one size as uint8 (N, H, W, C); grey ones among colour become colour."""
    sizes = Counter(picture.shape[:2] for picture in pictures)
    if len(sizes) > 1:
        shown = ", ".join(f"{w}x{h} ({count})" for (h, w), count in sizes.most_common(3))
        raise DataError(
            f"{path} holds pictures of {len(sizes)} sizes, {shown}{', ...' * (len(sizes) > 3)}: "
            "give --size to crop and resize them"
        )
    channels = max(picture.shape[2] for picture in pictures)
    (height, width) = next(iter(sizes))
    stacked = np.empty((len(pictures), height, width, channels), np.uint8)
    for place, picture in zip(stacked, pictures, strict=True):
        place[...] = picture
    return stacked


def _classes(
    files: list[Path], path: Path, options: Options
) -> tuple[np.ndarray | None, tuple[str, ...]]:
    """Labels (N, 1) and class names from files relative to the data set's folder, if any."""
    loose = [file for file in files if len(file.parts) == 1]
    if len(loose) == len(files):
        return None, ()
    if loose:
        _complain(
            f"{path}: {len(loose)} of {len(files)} pictures, such as {loose[0]}, lie beside the "
            "class folders, so there are no labels; move them into a class folder",
            options.strict,
        )
        return None, ()
    classes, labels = np.unique([file.parts[0] for file in files], return_inverse=True)
    return labels[:, None], tuple(map(str, classes))


def _complain(message: str, refuse: bool) -> None:
    if refuse:
        raise DataError(message)
    warnings.warn(message, DataWarning, stacklevel=4)
