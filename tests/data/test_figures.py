"""Drawn people are what their numbers say, and their joints lie where they are drawn."""

import numpy as np
import pytest

from minigan.backend import make_rng
from minigan.data import (
    POSES,
    Augmentation,
    Loader,
    figures,
    open_clips,
    open_data,
    open_degraded,
    open_pairs,
    open_poses,
    open_references,
    open_sentences,
    open_sounds,
)
from minigan.data.joints import INDEX, JOINTS, MIRRORED, NAMES, maps, mask
from minigan.errors import DataError, OptionError

WHO, HOW = np.arange(0, 900, 37), np.arange(5, 5000, 200)


def test_numbers_are_always_one_picture() -> None:
    first, again = (
        figures.drawn(figures.people(WHO), figures.stances(HOW), size=32) for _ in range(2)
    )
    np.testing.assert_array_equal(first, again)
    alone = figures.drawn(figures.people(WHO[5:6]), figures.stances(HOW[5:6]), size=32)
    np.testing.assert_array_equal(alone[0], first[5])
    assert first.dtype == np.float32
    assert -1 <= first.min() < first.max() <= 1.0001
    others = np.abs(first[:, None] - first[None]).mean((2, 3, 4))
    assert others[~np.eye(len(WHO), dtype=bool)].min() > 0.02


def test_poses_move_joints_and_people_keep_their_bones() -> None:
    one = figures.people(np.repeat(7, len(HOW)))
    joints = figures.joints(one, figures.stances(HOW))
    spread = np.linalg.norm(np.nanstd(joints, 0), axis=-1)
    assert spread[[INDEX["left_wrist"], INDEX["right_ankle"]]].min() > 0.1
    for a, b in (("right_elbow", "right_wrist"), ("left_hip", "left_knee")):
        lengths = np.linalg.norm(joints[:, INDEX[a]] - joints[:, INDEX[b]], axis=-1)
        np.testing.assert_allclose(lengths, lengths[0], rtol=1e-9)


def test_a_persons_right_is_to_our_left_when_it_stands_upright() -> None:
    joints = figures.joints(figures.people(WHO), figures.stances(HOW))
    x = {name: joints[:, i, 0] for name, i in INDEX.items()}
    for part in ("shoulder", "hip", "eye", "knee"):
        assert (x[f"right_{part}"] < x[f"left_{part}"]).all()
    y = {name: joints[:, i, 1] for name, i in INDEX.items()}
    assert (y["nose"] < y["neck"]).all()
    assert (y["neck"] < y["right_hip"]).all()


def test_joints_lie_within_the_picture_and_an_ear_turned_away_is_not_seen() -> None:
    who, how = np.arange(2000), np.arange(2000) * 3 + 1
    joints = figures.joints(figures.people(who), figures.stances(how))
    unseen = np.isnan(joints[..., 0])
    assert {NAMES[i] for i in np.flatnonzero(unseen.any(0))} == {"right_ear", "left_ear"}
    turn = figures.stances(how).turn
    np.testing.assert_array_equal(unseen[:, INDEX["left_ear"]], turn >= figures.HIDDEN)
    np.testing.assert_array_equal(unseen[:, INDEX["right_ear"]], -turn >= figures.HIDDEN)
    assert np.nanmin(joints) > 0
    assert np.nanmax(joints) < 1


@pytest.mark.parametrize("size", [32, 64])
def test_limbs_are_drawn_where_joints_are(size: int) -> None:
    """Half-way down a shin is its trousers' colour or skin, at a wrist skin or a sleeve."""
    p, s = figures.people(WHO), figures.stances(HOW)
    pictures = (figures.drawn(p, s, size=size) + 1) / 2
    joints = figures.joints(p, s)
    for name in ("left_wrist", "left_shoulder"):
        x, y = np.floor(joints[:, INDEX[name]] * size).astype(int).T
        found = pictures[np.arange(len(WHO)), y, x]
        allowed = np.stack([p.skin, p.top, p.second], 1)
        apart = np.abs(found[:, None] - allowed).max(-1).min(1)
        assert np.median(apart) < 0.02
    behind = np.abs(pictures[:, 0, 0] - p.paper).max()
    assert behind < 1e-6


def test_clothes_stay_from_pose_to_pose() -> None:
    """The colours of one person in two poses are nearer than those of two persons in one."""
    p = figures.people(WHO)

    def colours(pose: int) -> np.ndarray:
        pictures = figures.drawn(p, figures.stances(np.full(len(WHO), pose)), size=32)
        return np.stack([np.sort(picture.reshape(-1, 3), 0) for picture in pictures])

    a, b = colours(3), colours(40)
    apart = np.abs(a[:, None] - b[None]).mean((2, 3))
    assert (apart.argmin(1) == np.arange(len(WHO))).mean() > 0.9


# --- examples -------------------------------------------------------------------------------------


@pytest.mark.parametrize("channels", [None, 1])
@pytest.mark.parametrize("size", [16, 32])
def test_examples_hold_a_person_a_pose_the_answer_and_its_mask(size: int, channels: int) -> None:
    data = open_poses("figures", size=size, channels=channels)
    c = channels or 3
    assert (data.shape, data.channels) == ((size, size, 2 * c + 19), (c + 18, c))
    assert (data.kind, data.size, data.aligned) == ("pairs", None, True)
    batch, again = (Loader(data, 3, seed=1).batch(4) for _ in range(2))
    np.testing.assert_array_equal(batch.x, again.x)
    assert batch.x.dtype == np.float32
    x, y = data.split(batch.x)
    np.testing.assert_array_equal(np.concatenate([x, y, data.masks(batch.x)], -1), batch.x)
    np.testing.assert_array_equal(data.unchanged(x), x[..., :c])
    np.testing.assert_array_equal(data.shown(x), x[..., :c])
    assert {*np.unique(data.posed(x))} == {*np.unique(data.masks(batch.x))} == {0.0, 1.0}
    assert np.abs(x[..., :c] - y).mean() > 0.05  # two poses
    np.testing.assert_allclose(x[:, 0, 0, :c], y[:, 0, 0], atol=1e-6)  # before one wall


def test_maps_and_mask_are_of_the_second_pose() -> None:
    data = open_poses("figures")
    x = data.draw(4, make_rng(3)).x
    rng = make_rng(3)
    who = figures.people(data._people[rng.integers(len(data._people), size=4)])
    _, b = (figures.stances(data._poses[rng.integers(len(data._poses), size=4)]) for _ in range(2))
    joints = figures.joints(who, b)
    np.testing.assert_array_equal(data.posed(data.split(x)[0]), maps(joints, (32, 32)))
    np.testing.assert_array_equal(data.masks(x), mask(joints, (32, 32)))
    np.testing.assert_array_equal(data.split(x)[1], figures.drawn(who, b, size=32))


def test_people_and_poses_of_the_test_split_are_never_trained_on() -> None:
    train, test = (open_poses("figures", split=split) for split in ("train", "test"))
    for name in ("_people", "_poses"):
        a, b = getattr(train, name), getattr(test, name)
        assert not np.intersect1d(a, b).size
        assert len(a) == 9 * len(b)
    assert len(test._people) == 2000


def test_a_mirror_turns_everything_and_changes_sides() -> None:
    plain, turned = (
        open_poses("figures", size=16, augmentation=a) for a in (None, Augmentation(flip=True))
    )
    batch = plain.draw(40, make_rng(1))
    assert plain.vary(batch, make_rng(2)) is batch
    kept = batch.x.copy()
    found = turned.vary(batch, make_rng(2)).x
    np.testing.assert_array_equal(batch.x, kept)
    mirrored = batch.x[:, :, ::-1].copy()
    mirrored[..., 3 : 3 + JOINTS] = mirrored[..., 3 + MIRRORED]
    same = (found == batch.x).all((1, 2, 3))
    np.testing.assert_array_equal(found[~same], mirrored[~same])
    assert 10 < same.sum() < 30
    jittered = open_poses("figures", size=16, augmentation=Augmentation(jitter=4))
    moved = jittered.vary(batch, make_rng(2)).x
    assert moved.shape == batch.x.shape
    assert (moved != batch.x).any()


# --- what is refused ------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [24, (32, 64), 256])
def test_other_sizes_are_refused(size: int) -> None:
    with pytest.raises(OptionError, match="figures are drawn at 16x16, 32x32, 64x64, 128x128"):
        open_poses("figures", size=size)


@pytest.mark.parametrize("name", ["digits", "kittens-edges", "voices", "moving-digits"])
def test_other_data_holds_no_persons(name: str) -> None:
    with pytest.raises(DataError, match=f"{name} holds no persons in poses; figures does"):
        open_poses(name)


def test_sentences_hold_no_persons() -> None:
    with pytest.raises(DataError, match="oracle holds sentences"):
        open_poses("oracle")


OTHERS = {
    "data": open_data,
    "pairs": lambda name: open_pairs(name, aligned=True),
    "references": open_references,
    "degraded": lambda name: open_degraded(name, "shrunk", scale=2),
}


@pytest.mark.parametrize("open_", OTHERS.values(), ids=OTHERS)
def test_persons_are_for_pg2(open_) -> None:
    assert list(POSES) == ["figures"]
    with pytest.raises(DataError, match=r"figures holds persons in two poses.*train pg2"):
        open_("figures")


def test_persons_are_neither_clips_nor_sounds_nor_sentences() -> None:
    with pytest.raises(DataError, match="figures holds no clips"):
        open_clips("figures")
    with pytest.raises(DataError, match="figures holds no speech"):
        open_sounds("figures", window=64)
    with pytest.raises(DataError, match="figures holds no sentences"):
        open_sentences("figures")
