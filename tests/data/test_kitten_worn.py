"""Kittens that wear things, and these alone."""

import numpy as np
import pytest

from minigan.backend import make_rng
from minigan.data import open_pairs, resources
from minigan.data.kitten_worn import DYES, LEAST, THINGS, Scenes, combinations, over
from minigan.data.kittens import NAMES
from minigan.errors import OptionError


def opened(**how):
    return open_pairs("kittens-worn", aligned=True, **how)


def scene(n, data, seed=0, **given):
    return data.scenes(n, make_rng(seed))._replace(**given)


def test_every_thing_and_every_colour_is_shown_but_some_never_together():
    train, test = (combinations(held_out=held_out) for held_out in (False, True))
    both = np.concatenate([train, test])
    assert len(both) == len({tuple(row) for row in both}) == len(THINGS) * len(DYES) == 48
    assert len(test) == 12
    for split in (train, test):
        assert set(split[:, 0]) == set(range(len(THINGS)))
        assert set(split[:, 1]) == set(range(len(DYES)))


@pytest.mark.parametrize("split", ["train", "test"])
def test_the_things_of_a_split_are_those_alone(split):
    data = opened(split=split, size=16)
    _, y = data.split(data.draw(600, make_rng(1)).x)
    thing, dye = combinations(held_out=split == "test").T
    alone = {picture.tobytes() for picture in data.wardrobe.alone(thing, dye)}
    assert len(alone) == len(thing)
    assert {picture.tobytes() for picture in y} == alone


def test_a_thing_lies_in_the_middle_of_white_paper_as_large_as_fits():
    data = opened(size=32)
    thing, dye = np.divmod(np.arange(48), len(DYES))
    for picture in data.wardrobe.alone(thing, dye):
        rows, columns = (np.flatnonzero((picture < 0.99).any((axis, 2))) for axis in (1, 0))
        ends = rows[[0, -1]], columns[[0, -1]]
        assert 26 <= max(last - first + 1 for first, last in ends) <= 28
        for first, last in ends:
            assert abs(first - (31 - last)) <= 3
        assert (picture[[0, -1]] == 1).all()


def test_a_dye_is_the_colour_of_what_is_brightest():
    data = opened(size=64)
    for dye, colour in enumerate(DYES / 127.5 - 1):
        picture = data.wardrobe.alone(np.array([0]), np.array([dye]))[0].reshape(-1, 3)
        inside = picture[(picture < 0.98).any(1)]
        assert np.abs(inside - colour).max(1).min() < 0.12


def test_what_is_worn_is_all_that_changes_with_it():
    data = opened(size=64)
    one = scene(20, data, thing=np.zeros(20, int), dye=np.zeros(20, int))
    other = one._replace(dye=np.full(20, 5))
    a, b = data.wardrobe.kittens(one), data.wardrobe.kittens(other)
    changed = (np.abs(a - b) > 0.02).any(-1)
    assert (changed.any((1, 2))).all()
    assert changed.mean() < 0.15  # a scarf's share of the picture
    for i in range(20):
        rows, columns = np.nonzero(changed[i])
        (row, column), side = one.place[i], one.side[i]
        assert row <= rows.min()
        assert rows.max() < row + side
        assert column <= columns.min()
        assert columns.max() < column + side


def test_around_the_kitten_is_the_background_from_corner_to_corner():
    data = opened(size=32)
    some = scene(30, data, side=np.full(30, 24), place=np.full((30, 2), 4))
    x = data.wardrobe.kittens(some)
    for (i, j), at in zip(np.ndindex(2, 2), ((0, 0), (0, -1), (-1, 0), (-1, -1)), strict=True):
        np.testing.assert_allclose(x[:, at[0], at[1]], 2 * some.corners[:, i, j] - 1, atol=1e-6)
    middle = (some.corners[:, 0, 0] * 16 + some.corners[:, 0, 1] * 15) / 31
    np.testing.assert_allclose(x[:, 0, 15], 2 * middle - 1, atol=1e-6)


def test_kittens_are_somewhere_of_some_size_and_look_either_way():
    data = opened(size=32)
    some = data.scenes(2000, make_rng(2))
    assert set(some.side) == set(range(int(32 * LEAST), 33))
    room = 32 - some.side
    assert (some.place >= 0).all()
    assert (some.place <= room[:, None]).all()
    for k in range(int(32 * (1 - LEAST)) + 1):
        assert set(some.place[room == k].ravel()) == set(range(k + 1))
    assert 0.4 < some.mirrored.mean() < 0.6
    counts = [len(classes) for classes in NAMES.values()][:-1]
    assert (some.parts.max(0) == np.array(counts) - 1).all()
    mirrored = some._replace(mirrored=~some.mirrored, corners=some.corners[:, :, ::-1])
    room = 32 - some.side
    place = np.stack([some.place[:, 0], room - some.place[:, 1]], 1)
    twice = Scenes(*(a[:5] for a in mirrored._replace(place=place)))
    first = Scenes(*(a[:5] for a in some))
    a, b = data.wardrobe.kittens(first), data.wardrobe.kittens(twice)
    np.testing.assert_allclose(a, b[:, :, ::-1], atol=0.03)  # Lanczos rounds to 255ths


def test_a_whole_kitten_is_the_artists_painted_over_the_background():
    """At 64 pixels and in its place nothing is resized."""
    data = opened(size=64)
    where = {"side": np.full(4, 64), "place": np.zeros((4, 2), int)}
    some = scene(4, data, **where, mirrored=np.zeros(4, bool))
    x = data.wardrobe.kittens(some)
    stored = resources.load("kittens_64.npz")
    for i in range(4):
        painted = (x[i] + 1) / 2
        worn = stored["accessory"][THINGS[some.thing[i]]] / 255
        below = np.zeros((64, 64, 4))
        for name, part in zip(list(NAMES)[:-1], some.parts[i], strict=True):
            below = over(stored[name][part] / 255, below)
        opaque = (below[..., 3] > 0.999) & (worn[..., 3] == 0)
        assert opaque.sum() > 500
        np.testing.assert_allclose(painted[opaque], below[opaque][:, :3], atol=3 / 255)


def test_two_domains_are_of_different_things():
    data = open_pairs("kittens-worn", aligned=False, size=16)
    a, b = data.scenes(1, make_rng(0)), data.scenes(1, make_rng(0))
    np.testing.assert_array_equal(a.corners, b.corners)
    x, y = data.split(data.draw(40, make_rng(0)).x)
    pairs, truths = data.split(data.matched(40, make_rng(0)).x)
    np.testing.assert_array_equal(x, pairs)
    assert (y != truths).any((1, 2, 3)).mean() > 0.8


@pytest.mark.parametrize(("size", "says"), [(65, "from 8 to 64"), ((16, 32), "give one side")])
def test_sizes_that_cannot_be_are_refused(size, says):
    with pytest.raises(OptionError, match=says):
        opened(size=size)
