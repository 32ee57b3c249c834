"""Drawn faces are what their numbers say, and makeup changes what makeup is on."""

import colorsys

import numpy as np
import pytest

from minigan.data import draws, faces

WHO = np.arange(0, 4000, 197)


def test_a_number_is_always_one_face() -> None:
    first, again = (faces.draw(faces.shapes(WHO), size=16) for _ in range(2))
    np.testing.assert_array_equal(first, again)
    alone = faces.draw(faces.shapes(WHO[5:6]), size=16)
    np.testing.assert_array_equal(alone[0], first[5])
    assert first.dtype == np.float32
    assert -1 <= first.min() < first.max() <= 1
    others = np.abs(first[:, None] - first[None]).mean((2, 3, 4))
    assert others[~np.eye(len(WHO), dtype=bool)].min() > 0.02


def test_numbers_are_spread_over_their_ranges() -> None:
    s = faces.shapes(np.arange(5000))
    for numbers, low, high in ((s.head_width, 0.58, 0.68), (s.roll, -0.12, 0.12)):
        assert low <= numbers.min() < low + 0.01 * (high - low)
        assert high - 0.01 * (high - low) < numbers.max() < high
        assert abs(numbers.mean() - (low + high) / 2) < 0.02 * (high - low)
    assert abs(np.corrcoef(s.head_width, s.roll)[0, 1]) < 0.05


def test_makeup_is_where_it_belongs_and_nowhere_else() -> None:
    """On lids, cheeks and lips: not in the hair, the paper, or below the chin."""
    s, size = faces.shapes(WHO), 64
    bare = faces.draw(s, size=size)
    worn = faces.draw(s, faces.style(WHO[::-1]), size=size)
    changed = np.abs(worn - bare).max(-1) > 0.02
    assert (changed.mean((1, 2)) > 0.02).all()
    assert (changed.mean((1, 2)) < 0.25).all()
    marks = faces.landmarks(s)
    top, chin = marks[..., 1].min(1) - 0.08, marks[..., 1].max(1)
    rows = (np.arange(size) + 0.5) / size
    outside = (rows < top[:, None]) | (rows > chin[:, None])
    assert not changed[outside].any()


def test_landmarks_lie_on_what_they_name() -> None:
    """Lipstick lies within the landmarks of the mouth, an eye between its corners."""
    s, size = faces.shapes(WHO), 64
    style = faces.style(WHO)
    bare, worn = faces.draw(s, size=size), faces.draw(s, style, size=size)
    marks = faces.landmarks(s)
    upper, lower = marks[:, 16], marks[:, 17]
    for i in range(len(WHO)):
        column, row = ((0.35 * lower[i] + 0.65 * upper[i]) * size).astype(int)
        assert np.abs(worn[i, row, column] - bare[i, row, column]).max() > 0.05, WHO[i]
        column, row = (0.5 * (marks[i, 0] + marks[i, 1]) * size).astype(int)
        assert np.abs(bare[i, row, column] - (2 * s.skin[i] - 1)).max() > 0.2


def test_lips_end_at_the_corners_of_the_mouth() -> None:
    s, size = faces.shapes(WHO), 96
    lips = faces.draw(s, faces.style(WHO), size=size) - faces.draw(s, size=size)
    marks = faces.landmarks(s)
    middle = (marks[:, 16] + marks[:, 17]) / 2
    for corner in (marks[:, 14], marks[:, 15]):
        for share, there in ((0.8, True), (1.2, False)):
            place = ((middle + share * (corner - middle)) * size).astype(int)
            change = np.abs(lips[np.arange(len(WHO)), place[:, 1], place[:, 0]]).max(-1)
            assert ((change > 0.05) == there).mean() > 0.8, share


def test_contour_landmarks_lie_on_the_edge_of_the_head() -> None:
    """A little within is skin, a little without is not."""
    s, size = faces.shapes(WHO), 96
    bare = faces.draw(s, size=size)
    marks = faces.landmarks(s)
    middle = (marks[:, 12] + marks[:, 13]) / 2  # of the nose
    for mark in (marks[:, 18], marks[:, 22]):  # beside the ears
        for share, of_skin in ((0.94, True), (1.06, False)):
            place = ((middle + share * (mark - middle)) * size).astype(int)
            colour = bare[np.arange(len(WHO)), place[:, 1], place[:, 0]]
            near = np.abs(colour - (2 * s.skin - 1)).max(-1) < 0.02
            assert near.mean() > 0.9 if of_skin else near.mean() < 0.1


def test_colours_of_hue_saturation_and_value() -> None:
    rng = np.random.default_rng(0)
    h, s, v = rng.uniform(size=(3, 50))
    expected = [colorsys.hsv_to_rgb(*row) for row in zip(h, s, v, strict=True)]
    np.testing.assert_allclose(draws.hsv(h, s, v), expected, atol=1e-12)
    np.testing.assert_allclose(draws.hsv(h + 1, s, v), draws.hsv(h, s, v), atol=1e-12)


@pytest.mark.parametrize("count", [faces.FACES, faces.STYLES])
def test_a_tenth_is_held_out(count: int) -> None:
    train, test = (faces.numbers(count, split) for split in ("train", "test"))
    assert len(test) == count // 10
    np.testing.assert_array_equal(np.sort(np.concatenate([train, test])), np.arange(count))
