"""Patches under a moving kernel: the view, the gathering, and both ways of adding them back."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from minigan.errors import ShapeError
from minigan.ops import patches as ops


def test_windows_are_a_view_that_cannot_be_written():
    x = np.arange(24.0).reshape(1, 4, 3, 2)
    patches = ops.windows(x, (2, 2), (2, 1))
    assert patches.shape == (1, 2, 2, 2, 2, 2)
    np.testing.assert_array_equal(patches[0, 1, 1], x[0, 2:4, 1:3])
    assert np.shares_memory(patches, x)
    assert not patches.flags.writeable
    assert ops.windows(x, (2, 2), (2, 1), places=(1, 1)).shape == (1, 1, 1, 2, 2, 2)


def test_a_kernel_that_does_not_fit_is_refused():
    with pytest.raises(ShapeError, match=r"kernel of 3x2 with dilation 2x1 .* input of 4x9; use"):
        ops.windows(np.zeros((1, 4, 9, 1)), (3, 2), (1, 1), (2, 1))


def test_padding_is_on_every_side_and_free_when_there_is_none():
    x = np.ones((1, 2, 2, 1))
    assert ops.pad2d(x, (0, 0)) is x
    padded = ops.pad2d(x, (1, 2), 7.0)
    assert padded.shape == (1, 4, 6, 1)
    assert (padded == 1).sum() == 4
    np.testing.assert_array_equal(padded[0, 1:3, 2:4, 0], 1)
    assert (padded == 7).sum() == 20


def test_gathering_reads_each_patch_out_of_the_padded_image():
    x = np.arange(1.0, 25.0).reshape(1, 4, 3, 2)
    found = ops.gather(x, (2, 3), (2, 1), (1, 1), (1, 1), (2, 2)).copy()
    padded = np.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)))
    expected = [padded[0, 2 * i : 2 * i + 2, j : j + 3].ravel() for i in (0, 1) for j in (0, 1)]
    np.testing.assert_array_equal(found, expected)


def test_scratch_memory_of_earlier_work_does_not_show_in_the_padding():
    ops.gather(np.full((2, 6, 6, 3), 9.0), (3, 3), (1, 1), (2, 2), (1, 1), (8, 8))
    found = ops.gather(np.ones((1, 2, 2, 1)), (3, 3), (1, 1), (1, 1), (1, 1), (2, 2))
    assert found.sum() == 16  # every patch sees the four ones, and zeros


@settings(max_examples=100, deadline=None, derandomize=True, database=None)
@given(
    st.tuples(st.integers(1, 3), st.integers(1, 3)),
    st.tuples(st.integers(1, 3), st.integers(1, 3)),
    st.tuples(st.integers(0, 4), st.integers(0, 4)),
    st.tuples(st.integers(1, 3), st.integers(1, 3)),
    st.tuples(st.integers(0, 2), st.integers(0, 2)),
)
def test_whole_blocks_are_added_back_as_single_entries_are(stride, blocks, padding, places, over):
    """For any kernel of whole blocks, any padding, and rows that no patch reaches."""
    kernel = tuple(s * q for s, q in zip(stride, blocks, strict=True))
    padded = [s * (o - 1) + k for s, o, k in zip(stride, places, kernel, strict=True)]
    size = [
        rows + min(extra, s - 1) - 2 * p
        for rows, extra, s, p in zip(padded, over, stride, padding, strict=True)
    ]
    if min(size) < 1:
        return
    rng = np.random.default_rng(0)
    patches = rng.standard_normal((2, *places, *kernel, 3))
    by_entry, by_block = (np.full((2, *size, 3), np.nan) for _ in range(2))
    ops.add_back(patches, by_entry, stride, padding, (1, 1))
    (sh, sw), (qh, qw) = stride, blocks
    ordered = patches.reshape(2, *places, qh, sh, qw, sw, 3).transpose(0, 1, 2, 3, 5, 4, 6, 7)
    same_shape = np.ascontiguousarray(ordered).reshape(patches.shape)
    ops.add_back_blocks(same_shape, by_block, stride, padding, (1, 1))
    np.testing.assert_allclose(by_block, by_entry, rtol=0, atol=1e-13)
