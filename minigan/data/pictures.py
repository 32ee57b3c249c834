"""Pictures as bytes: flattening, cropping, resizing, channels, and bytes to [-1, 1]."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageOps

from minigan.errors import DataError

_GREY_MODES = ("1", "L", "LA", "La")


def to_float(pixels: np.ndarray) -> np.ndarray:
    """uint8 0..255 to a fresh float32 array in [-1, 1]; 0 and 255 become -1 and 1 exactly."""
    x = pixels.astype(np.float32)
    x /= 127.5  # not a product with 1 / 127.5, which takes 255 past 1
    x -= 1.0
    return x


def flatten(image: Image.Image) -> Image.Image:
    """Any Pillow picture as mode "L" (if it was grey) or "RGB", transparency over white.

    Raises DataError on pixels without a known white: 32-bit integers and floats.
    """
    if image.mode.startswith("I;16"):
        # Pillow's own conversion clips at 255 instead of scaling.
        return Image.fromarray((np.asarray(image) >> 8).astype(np.uint8))
    if image.mode in ("I", "F"):
        raise DataError(f"its pixels have mode {image.mode}, 8 or 16 bits per channel are read")
    grey = image.mode in _GREY_MODES
    if image.has_transparency_data:
        paper = Image.new("RGBA", image.size, "white")
        paper.alpha_composite(image.convert("RGBA"))
        image = paper
    return image.convert("L" if grey else "RGB")


def fit(
    image: Image.Image, size: tuple[int, int] | None = None, channels: int | None = None
) -> np.ndarray:
    """An "L" or "RGB" picture as uint8 (H, W, C).

    size      (height, width): the largest centred part of that aspect ratio, resized with
              Lanczos' filter; None keeps the picture as it is
    channels  1 for ITU-R 601 luminance, 3 for colour, None for the picture's own
    """
    if channels is not None:
        image = image.convert("L" if channels == 1 else "RGB")
    if size is not None and (image.height, image.width) != size:
        image = ImageOps.fit(image, (size[1], size[0]), Image.Resampling.LANCZOS)
    pixels = np.asarray(image)
    return pixels[..., None] if pixels.ndim == 2 else pixels


def fit_all(
    pixels: np.ndarray, size: tuple[int, int] | None = None, channels: int | None = None
) -> np.ndarray:
    """`fit` for a stack of pictures, uint8 (N, H, W, C) with C of 1 or 3."""
    if size in (None, pixels.shape[1:3]) and channels in (None, pixels.shape[3]):
        return pixels
    squeezed = pixels[..., 0] if pixels.shape[3] == 1 else pixels
    return np.stack([fit(Image.fromarray(picture), size, channels) for picture in squeezed])
