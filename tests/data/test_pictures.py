"""Bytes to floats, and every Pillow mode to grey or colour bytes."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from minigan.data.pictures import fit, fit_all, flatten, to_float
from minigan.errors import DataError


def test_every_byte_becomes_its_float() -> None:
    x = to_float(np.arange(256, dtype=np.uint8))
    assert x.dtype == np.float32
    np.testing.assert_allclose(x, np.linspace(-1, 1, 256), rtol=0, atol=1e-7)
    assert (x[0], x[-1]) == (-1, 1)


def one_pixel(mode: str, value: object) -> Image.Image:
    return Image.new(mode, (1, 1), value)


def palette(transparent: bool) -> Image.Image:
    image = one_pixel("P", 1)
    image.putpalette([9, 9, 9, 10, 20, 30])
    if transparent:
        image.info["transparency"] = 1
    return image


def keyed() -> Image.Image:
    image = one_pixel("RGB", (10, 20, 30))
    image.info["transparency"] = (10, 20, 30)
    return image


@pytest.mark.parametrize(
    ("image", "mode", "pixel"),
    [
        (one_pixel("1", 1), "L", 255),
        (one_pixel("L", 77), "L", 77),
        (one_pixel("LA", (77, 255)), "L", 77),
        (one_pixel("LA", (0, 51)), "L", 204),
        (one_pixel("I;16", 77 * 256 + 200), "L", 77),
        (one_pixel("RGB", (1, 2, 3)), "RGB", (1, 2, 3)),
        (one_pixel("RGBA", (1, 2, 3, 255)), "RGB", (1, 2, 3)),
        (one_pixel("RGBA", (200, 0, 0, 51)), "RGB", (244, 204, 204)),
        (one_pixel("RGBA", (1, 2, 3, 0)), "RGB", (255, 255, 255)),
        (palette(transparent=False), "RGB", (10, 20, 30)),
        (palette(transparent=True), "RGB", (255, 255, 255)),
        (keyed(), "RGB", (255, 255, 255)),
        (one_pixel("CMYK", (0, 0, 0, 255)), "RGB", (0, 0, 0)),
    ],
)
def test_flattening(image: Image.Image, mode: str, pixel: object) -> None:
    flat = flatten(image)
    assert flat.mode == mode
    assert flat.getpixel((0, 0)) == pixel


@pytest.mark.parametrize("mode", ["I", "F"])
def test_pixels_without_a_known_white_are_refused(mode: str) -> None:
    with pytest.raises(DataError, match=f"mode {mode}, 8 or 16 bits"):
        flatten(one_pixel(mode, 3))


@given(st.integers(1, 12), st.integers(1, 12), st.integers(1, 12), st.integers(1, 12))
def test_fitting_gives_the_size_and_keeps_a_plain_colour(h: int, w: int, H: int, W: int) -> None:
    pixels = fit(Image.new("RGB", (w, h), (9, 99, 199)), (H, W))
    np.testing.assert_array_equal(pixels, np.full((H, W, 3), (9, 99, 199)))


def test_fitting_cuts_the_centre() -> None:
    wide = np.zeros((10, 30), np.uint8)
    wide[:, 10:20] = 200
    np.testing.assert_array_equal(fit(Image.fromarray(wide), (10, 10))[..., 0], wide[:, 10:20])
    tall = Image.fromarray(wide.T.copy())
    np.testing.assert_array_equal(fit(tall, (10, 10))[..., 0], wide[:, 10:20])


def test_fitting_without_a_request_changes_nothing() -> None:
    pixels = np.random.default_rng(0).integers(256, size=(3, 4, 5, 3), dtype=np.uint8)
    assert fit_all(pixels) is pixels
    assert fit_all(pixels, size=(4, 5), channels=3) is pixels


def test_stacks_change_channels() -> None:
    grey = np.random.default_rng(0).integers(256, size=(3, 4, 5, 1), dtype=np.uint8)
    colour = fit_all(grey, channels=3)
    np.testing.assert_array_equal(colour, np.repeat(grey, 3, axis=3))
    np.testing.assert_array_equal(fit_all(colour, channels=1), grey)
