"""Heat maps and masks of joints are what the paper says of them."""

import numpy as np
import pytest

from minigan.data import figures
from minigan.data.joints import (
    INDEX,
    JOINTS,
    LIMBS,
    MIRRORED,
    NAMES,
    centres,
    drawn,
    maps,
    mask,
    radius,
)

NONE = np.full((1, JOINTS, 2), np.nan)


def test_there_are_eighteen_joints_and_each_has_its_mirror() -> None:
    assert len(set(NAMES)) == JOINTS == 18
    for name, other in zip(NAMES, MIRRORED, strict=True):
        swapped = {"right": "left", "left": "right"}
        words = [swapped.get(word, word) for word in name.split("_")]
        assert NAMES[other] == "_".join(words)
    mirrored = {frozenset((MIRRORED[a], MIRRORED[b])) for a, b in LIMBS}
    assert mirrored == {frozenset(limb) for limb in LIMBS}


@pytest.mark.parametrize(
    ("size", "expected"),
    [((128, 64), 4), ((256, 256), 8), ((64, 64), 2), ((32, 32), 1), ((8, 8), 1)],
)
def test_the_radius_is_as_large_a_share_as_the_papers(size: tuple, expected: int) -> None:
    assert radius(size) == expected


def test_a_heat_map_is_a_disc_of_ones_around_its_joint() -> None:
    """Pixel by pixel, as the paper tells it: 1 within 4 pixels, in 128x64."""
    joints = NONE.copy()
    joints[0, INDEX["left_knee"]] = 20.5 / 64, 100.2 / 128
    joints[0, INDEX["nose"]] = 0.0, 0.0
    found = maps(joints, (128, 64))
    assert found.shape == (1, 128, 64, JOINTS)
    assert found.dtype == np.float32
    for name, (row, column) in {"left_knee": (100, 20), "nose": (0, 0)}.items():
        expected = [
            [(i - row) ** 2 + (j - column) ** 2 <= 16 for j in range(64)] for i in range(128)
        ]
        np.testing.assert_array_equal(found[0, ..., INDEX[name]], np.array(expected, np.float32))
    unseen = [i for i in range(JOINTS) if i not in (INDEX["left_knee"], INDEX["nose"])]
    assert not found[..., unseen].any()


def test_centres_find_joints_again() -> None:
    who, how = figures.people(np.arange(6)), figures.stances(np.arange(6))
    joints = figures.joints(who, how)
    found = centres(maps(joints, (64, 64)))
    np.testing.assert_array_equal(np.isnan(found), np.isnan(joints))
    np.testing.assert_allclose(found, joints, atol=1.0 / 64)


def test_a_mask_is_the_dilated_skeleton_with_its_holes_closed() -> None:
    joints = NONE.copy()
    joints[0, INDEX["right_knee"]] = 0.25, 0.5
    joints[0, INDEX["right_ankle"]] = 0.75, 0.5
    found = mask(joints, (128, 128))[0, ..., 0]
    apart = np.abs(np.arange(128) - 64)[:, None] + 0 * np.arange(128)
    inside = (np.arange(128) >= 32) & (np.arange(128) <= 96)
    np.testing.assert_array_equal(found[:, inside], (apart <= 4)[:, inside])
    assert found[:, :28].sum() == found[:, 101:].sum() == 0
    joints[0, INDEX["left_knee"]] = 0.25, 0.5 + 12 / 128  # two bones, 3 pixels between them
    joints[0, INDEX["left_ankle"]] = 0.75, 0.5 + 12 / 128
    both = mask(joints, (128, 128))[0, ..., 0]
    assert both[60:81, 64].all()
    joints[0, INDEX["left_knee"], 1] = joints[0, INDEX["left_ankle"], 1] = 0.5 + 15 / 128
    assert not mask(joints, (128, 128))[0, 60:81, 64, 0].all()


def test_a_joint_alone_and_none_at_all_have_no_body() -> None:
    joints = NONE.copy()
    assert not mask(joints, (32, 32)).any()
    joints[0, INDEX["neck"]] = 0.5, 0.5
    assert not mask(joints, (32, 32)).any()
    assert (drawn(NONE, (32, 32)) == -1).all()


def test_masks_lie_on_drawn_people() -> None:
    """Most of a body is in its mask, and little of the mask is beside it."""
    who, how = figures.people(np.arange(40)), figures.stances(np.arange(40))
    there = np.abs(figures.drawn(who, how, size=64) - (2 * who.paper - 1)[:, None, None]).max(-1)
    body = there > 0.05
    found = mask(figures.joints(who, how), (64, 64))[..., 0] > 0
    assert (body & found).sum() / body.sum() > 0.7
    assert (body & found).sum() / found.sum() > 0.8


def test_skeletons_are_blue_to_the_persons_right() -> None:
    joints = NONE.copy()
    joints[0, INDEX["right_knee"]], joints[0, INDEX["right_ankle"]] = (0.2, 0.5), (0.2, 0.9)
    joints[0, INDEX["left_knee"]], joints[0, INDEX["left_ankle"]] = (0.8, 0.5), (0.8, 0.9)
    found = drawn(joints, (100, 100))[0]
    blue, orange = found[70, 20], found[70, 80]
    assert blue[2] > blue[0]
    assert orange[0] > orange[2]
    assert (found[:, 50] == -1).all()
