"""Digits walk along streets, turn left or right at random, and their held-out ones are others."""

import numpy as np
import pytest

from minigan.backend import make_rng
from minigan.data import CLIPS, open_clips, open_data, open_pairs, open_references
from minigan.data.clips import apart, joined
from minigan.data.moving_digits import DIRECTIONS, FREE, LAST, small, streets, walked
from minigan.errors import DataError, OptionError

NAME = "moving-digits"


def crossing(place):
    return bool((place % 2 == 0).all())


def leads(place, way):
    there = place + DIRECTIONS[way]
    return bool(((there >= 0) & (there <= LAST)).all())


@pytest.mark.parametrize("start", range(8))
def test_a_walk_keeps_to_the_streets_and_turns_at_every_crossing(start):
    """Step by step, as the rule says it."""
    walk = walked(np.full(200, start), 12, make_rng(start))
    turns = []
    for places, left, right in zip(*walk, strict=True):
        way = None
        for t in range(11):
            move = places[t + 1] - places[t]
            (new,) = np.flatnonzero((move == DIRECTIONS).all(-1))
            if way is not None and crossing(places[t]):
                assert new in ((way + 1) % 4, (way - 1) % 4)  # neither straight on nor back
                both = [leads(places[t], (way + side) % 4) for side in (-1, 1)]
                assert all(both) == ((start + t) % 8 in FREE)
                if all(both):
                    np.testing.assert_array_equal(left[t], places[t] + DIRECTIONS[(way - 1) % 4])
                    np.testing.assert_array_equal(right[t], places[t] + DIRECTIONS[(way + 1) % 4])
                    turns.append(new == (way + 1) % 4)
            elif way is not None:
                assert new == way  # between crossings
            way = new
        assert places.min() >= 0
        assert places.max() <= LAST
        assert ((places % 2 == 0).any(-1)).all()
    assert abs(np.mean(turns) - 0.5) < 4 * 0.5 / np.sqrt(len(turns))


def test_turns_do_not_depend_on_those_before():
    walk = walked(np.zeros(4000, int), 12, make_rng(0))
    went = [(walk.places[:, t + 1] == walk.left[:, t]).all(-1) for t in (2, 8, 10)]
    for a, b in ((0, 1), (1, 2), (0, 2)):
        assert abs(np.corrcoef(went[a], went[b])[0, 1]) < 0.08


def test_a_frame_is_the_streets_with_one_digit_on_them():
    data = open_clips(NAME, frames=3)
    clip = data.sequences(5, 9, make_rng(0))
    assert clip.shape == (5, 9, 32, 32, 1)
    assert clip.dtype == np.float32
    town = streets()[..., None] / 127.5 - 1
    assert (clip >= town.astype(np.float32) - 1e-6).all()
    for one in clip - town:
        ink = one.sum((1, 2, 3))
        lit = np.argwhere(one[..., 0] > 1e-3)
        for t in range(9):
            here = lit[lit[:, 0] == t][:, 1:]
            assert (np.ptp(here, axis=0) < 10).all()
        assert ink.min() > 5
    moved = np.abs(np.diff(clip, axis=1)).sum((2, 3, 4))
    assert (moved > 1).all()


def test_an_example_is_the_last_frames_and_the_next():
    data = open_clips(NAME, frames=3, size=16, channels=3)
    assert data.shape == (16, 16, 12)
    assert data.channels == (9, 3)
    assert (data.size, data.kind, data.frames) == (None, "pairs", 3)
    found = data.draw(4, make_rng(1)).x
    np.testing.assert_array_equal(found, joined(data.sequences(4, 4, make_rng(1))))
    x, y = data.split(found)
    np.testing.assert_array_equal(apart(found, 3)[:, -1], y)
    np.testing.assert_array_equal(data.unchanged(x), apart(found, 3)[:, 2])
    assert (found[..., :1] == found[..., 1:2]).all()  # grey in three channels
    np.testing.assert_array_equal(found, data.draw(4, make_rng(1)).x)
    assert (found != data.draw(4, make_rng(2)).x).any()


@pytest.mark.parametrize("frames", [1, 4, 6])
def test_corners_are_before_a_free_turn_and_both_ways_happen(frames):
    """The two ways are found among many true next frames of the same digits."""
    data = open_clips(NAME, frames=frames)
    at = data.corners(40, make_rng(0))
    last = at.x[..., -1:]
    assert at.x.shape == (40, 32, 32, frames)
    a, b = (np.abs(way - at.empty).reshape(40, -1) for way in (at.left, at.right))
    np.testing.assert_allclose(a.sum(1), b.sum(1), rtol=0.35)  # the streets shine through
    overlap = np.minimum(a, b).sum(1) / np.minimum(a.sum(1), b.sum(1))
    assert overlap.max() < 0.05
    assert (np.abs(at.left - last).sum((1, 2, 3)) > 1).all()
    if frames < 2:
        return
    before = apart(at.x, 1)[:, -2]
    for i in range(40):  # a quarter turn apart: left of where it comes from, seen from above
        (came,) = [place(last[i], at.empty) - place(before[i], at.empty)]
        left = place(at.left[i], at.empty) - place(last[i], at.empty)
        right = place(at.right[i], at.empty) - place(last[i], at.empty)
        assert turn(came, left) == 1
        assert turn(came, right) == -1


def place(frame, empty):
    """The middle of what is bright."""
    light = (np.abs(frame - empty)[..., 0] > 0.3).astype(float)
    return np.array([(light * axis).sum() / light.sum() for axis in np.indices(light.shape)])


def turn(came, goes):
    """1 to the left, -1 to the right; rows go down."""
    (r, c), (u, v) = came, goes
    return int(np.sign(c * -u - (-r) * v))


def test_shown_examples_are_half_corners():
    data = open_clips(NAME)
    shown = data.telling(8, make_rng(0))
    at = data.corners(4, make_rng(0))
    x, y = data.split(shown)
    np.testing.assert_array_equal(x[:4], at.x)
    for i in range(4):
        assert any((y[i] == way[i]).all() for way in (at.left, at.right))


def test_digits_of_the_test_split_are_others():
    train, test = (open_clips(NAME, split=split) for split in ("train", "test"))
    assert len(train._digits) == 8004
    assert len(test._digits) == 1996
    seen = {digit.tobytes() for digit in train._digits}
    assert np.mean([digit.tobytes() in seen for digit in test._digits]) < 0.01


def test_small_digits_are_means_as_bright_as_can_be():
    digit = np.zeros((1, 28, 28), np.uint8)
    digit[0, 4:6, 4:6] = 100
    digit[0, 8, 8] = 200
    found = small(digit)[0]
    assert found.shape == (10, 10)
    assert (found[0, 0], found[2, 2], found.astype(int).sum()) == (255, 128, 383)


@pytest.mark.parametrize(("size", "says"), [(40, "40x40"), ((32, 16), "32x16")])
def test_other_sizes_are_refused(size, says):
    with pytest.raises(OptionError, match=f"drawn at 16x16, .*; --size {says} is none of these"):
        open_clips(NAME, size=size)


def test_what_holds_no_clips_is_refused_and_clips_elsewhere():
    assert list(CLIPS) == [NAME]
    with pytest.raises(OptionError, match=r"--frames 0: .* from 1 at least"):
        open_clips(NAME, frames=0)
    for name in ("digits", "kittens-edges"):
        with pytest.raises(DataError, match=f"{name} holds no clips; moving-digits does"):
            open_clips(name)
    for opened in (open_data, lambda n: open_pairs(n, aligned=True), open_references):
        with pytest.raises(DataError, match=r"moving-digits holds clips.*train next-frame"):
            opened(NAME)
