"""Tiles of a large picture: weights that sum to one, no seams, bounded pieces."""

from itertools import pairwise

import numpy as np
import pytest

from minigan.backend import make_rng
from minigan.errors import OptionError
from minigan.training.tiling import placed, tiled


def picture(h, w, c=3):
    return np.tanh(make_rng(0).standard_normal((1, h, w, c))).astype(np.float32)


@pytest.mark.parametrize(
    ("side", "tile", "overlap"), [(8, 8, 2), (9, 8, 2), (40, 8, 0), (41, 8, 3), (50, 16, 15)]
)
def test_weights_sum_to_one_everywhere(side, tile, overlap):
    total = np.zeros(side)
    ends = []
    for start, weights in placed(side, tile, overlap):
        assert (weights > 0).all()
        total[start : start + tile] += weights
        ends.append((start, start + tile))
    np.testing.assert_allclose(total, 1, rtol=1e-12)
    assert (ends[0][0], ends[-1][1]) == (0, side)
    for (_, end), (start, _) in pairwise(ends):
        assert end - start >= overlap


@pytest.mark.parametrize("size", [(8, 8), (20, 33), (9, 8), (5, 30), (3, 2)])
@pytest.mark.parametrize("overlap", [0, 3])
def test_what_looks_at_each_pixel_alone_gives_the_whole_picture(size, overlap):
    x = picture(*size)

    def pixelwise(part):
        return np.sin(3 * part[..., :2]) + part[..., 2:]

    y = tiled(pixelwise, x, tile=8, overlap=overlap)
    assert (y.shape, y.dtype) == ((1, *size, 2), np.float32)
    np.testing.assert_allclose(y, pixelwise(x), rtol=0, atol=1e-6)  # rounding of the weights


@pytest.mark.parametrize("size", [(8, 8), (20, 33), (3, 2)])
@pytest.mark.parametrize("scale", [2, 3])
def test_pieces_that_are_enlarged_make_a_larger_picture(size, scale):
    x = picture(*size)

    def enlarged(part):
        return np.sin(3 * part).repeat(scale, 1).repeat(scale, 2)

    y = tiled(enlarged, x, tile=8, overlap=3, scale=scale)
    np.testing.assert_allclose(y, enlarged(x), rtol=0, atol=1e-6)


def test_each_piece_is_one_tile():
    seen = []

    def watch(part):
        seen.append(part.shape)
        return part

    tiled(watch, picture(30, 50), tile=16, overlap=4)
    assert set(seen) == {(1, 16, 16, 3)}
    assert len(seen) == 3 * 4


def test_seams_are_straight_lines_from_one_tile_to_the_next():
    """Tiles that disagree by a constant: without an overlap a step, with one a ramp."""
    count = iter(range(10))

    def own_number(part):
        return np.full_like(part[..., :1], float(next(count)))

    y = tiled(own_number, picture(8, 26), tile=16, overlap=6)[0, 0, :, 0]
    np.testing.assert_allclose(y[:10], 0, atol=1e-6)
    np.testing.assert_allclose(np.diff(y[9:17]), 1 / 7, rtol=1e-5)
    np.testing.assert_allclose(y[16:], 1, atol=1e-6)
    count = iter(range(10))
    y = tiled(own_number, picture(8, 32), tile=16, overlap=0)[0, 0, :, 0]
    np.testing.assert_array_equal(y, np.repeat([0, 1], 16))


@pytest.mark.parametrize("overlap", [-1, 8, 20])
def test_an_overlap_that_is_none_is_refused(overlap):
    with pytest.raises(OptionError, match=r"wanted from 0 to 7, below --tile 8"):
        tiled(lambda part: part, picture(20, 20), tile=8, overlap=overlap)
