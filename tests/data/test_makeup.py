"""Pictures, references and warped references: what ships, and a folder of the user's own."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from minigan.backend import make_rng
from minigan.data import (
    PAIRS,
    REFERENCES,
    Augmentation,
    DataWarning,
    Loader,
    faces,
    open_data,
    open_pairs,
    open_references,
)
from minigan.data.makeup import between, onto
from minigan.data.pair_folder import PairOptions
from minigan.data.subjects import Faces, Furred
from minigan.data.warp import warp
from minigan.errors import DataError, MiniganError, OptionError

# --- what ships -----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", REFERENCES)
@pytest.mark.parametrize("channels", [(None, None), (1, 3), (3, 1)])
def test_examples_hold_three_pictures(name: str, channels: tuple) -> None:
    data = open_references(name, size=16, channels=channels)
    cx, cy = (c or 3 for c in channels)
    assert (data.shape, data.channels, data.kind) == ((16, 16, cx + 2 * cy), (cx, cy), "pairs")
    first, again = (Loader(data, 3, seed=1).batch(4) for _ in range(2))
    np.testing.assert_array_equal(first.x, again.x)
    assert first.x.dtype == np.float32
    x, y = data.split(first.x)
    assert (x.shape[-1], y.shape[-1]) == (cx, cy)
    assert np.abs(first.x).max() <= 1.001
    assert data.matched(2, make_rng(0)) is None


@pytest.mark.parametrize("name", REFERENCES)
def test_the_truth_belongs_to_the_examples(name: str) -> None:
    """Known examples are those that `draw` gives; x becomes `applied`, y becomes `removed`."""
    data = open_references(name, size=16)
    known = data.known(40, make_rng(3))
    drawn = data.draw(40, make_rng(3)).x
    np.testing.assert_array_equal(np.concatenate(known[:3], -1), drawn)
    for bare, styled in ((known.x, known.applied), (known.removed, known.y)):
        change = np.abs(bare - styled).max(-1)
        assert (change.max((1, 2)) > 0.02).mean() > 0.9
        assert (change < 0.02).mean() > 0.5  # and most of it stays


def test_the_truth_of_faces_is_drawn_with_the_same_numbers() -> None:
    subjects = Faces(16, "train")
    who, style = subjects.some(5, make_rng(0)), subjects.styles(5, make_rng(1))
    np.testing.assert_array_equal(
        subjects.shown(who, style),
        faces.draw(faces.shapes(who), faces.style(style), size=16),
    )
    assert (who % 10 != 0).all()
    assert (Faces(16, "test").some(50, make_rng(0)) % 10 == 0).all()


def test_a_fur_of_strength_beta_lies_between_none_and_all_of_it() -> None:
    subjects = Furred(32, "train")
    who, style = subjects.some(6, make_rng(0)), subjects.styles(6, make_rng(1))
    bare, whole = subjects.shown(who), subjects.shown(who, style._replace(strength=np.ones(6)))
    beta = style.strength[:, None, None, None]
    np.testing.assert_allclose(
        subjects.shown(who, style), bare + beta * (whole - bare), rtol=0, atol=1e-6
    )
    assert (style.strength >= 0.3).all()
    assert (subjects.shown(who, style._replace(strength=np.zeros(6))) == bare).all()


@pytest.mark.parametrize("name", REFERENCES)
def test_as_pairs_for_translations_without_references(name: str) -> None:
    assert name in PAIRS
    aligned = open_pairs(name, aligned=True, size=16)
    x, y = aligned.split(aligned.draw(20, make_rng(0)).x)
    swapped = open_pairs(name, aligned=True, size=16, direction="BtoA")
    b, a = swapped.split(swapped.draw(20, make_rng(0)).x)
    np.testing.assert_array_equal(x, a)
    np.testing.assert_array_equal(y, b)
    assert np.abs(x - y).mean() < 0.15
    apart = open_pairs(name, aligned=False, size=16)
    x, y = apart.split(apart.draw(20, make_rng(0)).x)
    assert np.abs(x - y).mean() > 0.15
    x, y = apart.split(apart.matched(20, make_rng(0)).x)
    assert np.abs(x - y).mean() < 0.15


# --- W --------------------------------------------------------------------------------------------


def test_a_warped_reference_is_nearer_to_the_truth_where_makeup_is() -> None:
    known = open_references("faces-makeup", size=32).known(100, make_rng(0))
    there = np.abs(known.applied - known.x).max(-1) > 0.1
    error = np.abs(known.warped - known.applied).mean(-1)[there].mean()
    assert error < 0.7 * np.abs(known.x - known.applied).mean(-1)[there].mean()
    assert error < 0.7 * np.abs(known.y - known.applied).mean(-1)[there].mean()


def test_what_lies_between_landmarks_is_set_into_x() -> None:
    rng = np.random.default_rng(0)
    x, y = rng.uniform(-1, 1, (2, 1, 16, 16, 3))
    marks, places = rng.uniform(0.2, 0.8, (2, 1, 6, 2))
    made, whole = onto(x, y, marks, places), warp(y, marks, places)
    inside = between(places, (16, 16))
    assert 0 < (inside == 1).mean() < 0.5
    np.testing.assert_array_equal(made[inside == 0], x[inside == 0])
    np.testing.assert_allclose(made[inside == 1], whole[inside == 1], rtol=0, atol=1e-12)
    assert onto(x, y, None, places) is y


def test_light_gives_a_face_x_s_skin_and_leaves_what_is_painted() -> None:
    """Skin becomes x's up to the constant that keeps ratios small, lips stay as they are."""
    rng = np.random.default_rng(1)
    x = np.array([-0.6, -0.7, -0.8]) + rng.uniform(-0.01, 0.01, (1, 32, 32, 3))
    y = np.array([0.4, 0.2, 0.0]) + rng.uniform(-0.01, 0.01, (1, 32, 32, 3))
    y[:, 20:24, 12:20] = lips = np.array([0.8, -0.9, -0.5])
    marks = np.array([[[0.1, 0.1], [0.9, 0.1], [0.1, 0.9], [0.9, 0.9]]])
    made = onto(x, y, marks, marks, light=True)
    np.testing.assert_allclose(made[:, 5:18, 5:27], x[:, 5:18, 5:27], atol=0.1)
    np.testing.assert_allclose(made[:, 20:24, 12:20], np.broadcast_to(lips, (1, 4, 8, 3)))
    outside = between(marks, (32, 32)) == 0
    np.testing.assert_array_equal(made[outside], x[outside])
    plain = onto(x, y, marks, marks)
    np.testing.assert_allclose(plain[:, 5:18, 5:27], y[:, 5:18, 5:27], rtol=0, atol=1e-12)


def test_light_of_a_face_that_covers_no_pixel() -> None:
    x, y = np.zeros((1, 4, 4, 3)), np.ones((1, 4, 4, 3))
    marks = np.array([[[0.01, 0.01], [0.02, 0.01], [0.01, 0.02]]])
    assert np.isfinite(onto(x, y, marks, marks, light=True)).all()


@pytest.mark.parametrize("size", [(16, 16), (10, 20)])
def test_between_landmarks_is_their_convex_hull(size: tuple[int, int]) -> None:
    """Of a triangle's inside, by the signs of three cross products; edges may be soft."""
    corners = np.array([[0.1, 0.2], [0.9, 0.3], [0.4, 0.9]])
    ours = between(corners[None], size)[0]
    h, w = size
    p = np.stack(np.meshgrid((np.arange(w) + 0.5) / w, (np.arange(h) + 0.5) / h), -1)
    sides = np.roll(corners, -1, 0) - corners
    apart = p[:, :, None] - corners
    distance = (sides[:, 0] * apart[..., 1] - sides[:, 1] * apart[..., 0]).min(-1)
    distance = distance / np.hypot(*sides.T).max()
    assert (ours[distance > 2 / min(size)] == 1).all()
    assert (ours[distance < -4 / min(size)] == 0).all()


def test_pictures_and_what_is_set_into_them_are_augmented_together() -> None:
    data = open_references("faces-makeup", size=16, augmentation=Augmentation(flip=True))
    plain = open_references("faces-makeup", size=16)
    rng = make_rng(5)
    before = plain.draw(40, make_rng(0))
    after = data.vary(before, rng).x
    flips = [
        (after[..., part] == before.x[:, :, ::-1, part]).all((1, 2, 3))
        for part in (slice(0, 3), slice(3, 6), slice(6, 9))
    ]
    np.testing.assert_array_equal(flips[0], flips[2])
    assert all(5 < flip.sum() < 35 for flip in flips)
    assert (flips[0] != flips[1]).any()


# --- a folder -------------------------------------------------------------------------------------


def write(path: Path, seed: int, size: tuple[int, int] = (12, 12)) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(seed).integers(0, 255, (*size, 3), np.uint8)
    Image.fromarray(pixels).save(path)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Ann, Bob and Cy bare; Ann and Bob in two styles, Cy in one, and a stranger."""
    top = tmp_path / "own"
    names = ["A/ann", "A/bob", "A/cy", *(f"B/{s}/{n}" for s in "rs" for n in ("ann", "bob"))]
    names += ["B/r/cy", "B/stranger"]
    marks = {}
    for i, name in enumerate(names):
        write(top / f"{name}.png", i)
        marks[f"{name}.png"] = np.random.default_rng(50 + i).uniform(0.1, 0.9, (5, 2)).tolist()
    (top / "landmarks.json").write_text(json.dumps(marks))
    return top


def pixels(folder: Path, name: str) -> np.ndarray:
    return np.asarray(Image.open(folder / name)).astype(np.float32) / 127.5 - 1


def test_a_folder_s_truth_is_known_by_names(folder: Path) -> None:
    data = open_references(str(folder))
    known = data.known(60, make_rng(0))
    files = {name: pixels(folder, f"{name}.png") for name in ("A/ann", "A/bob", "A/cy")}
    files |= {f"B/r/{n}": pixels(folder, f"B/r/{n}.png") for n in ("ann", "bob", "cy")}
    files |= {f"B/s/{n}": pixels(folder, f"B/s/{n}.png") for n in ("ann", "bob")}

    def named(picture: np.ndarray) -> str:
        return next(n for n, p in files.items() if np.allclose(p, picture, atol=1e-6))

    seen = set()
    for x, y, _, applied, removed in zip(*known, strict=True):
        who, (_, style, other) = named(x)[2:], named(y).split("/")
        assert who != other
        assert (named(applied), named(removed)) == (f"B/{style}/{who}", f"A/{other}")
        seen.add((who, style, other))
    assert len(seen) == 3 * 2 + 2  # two of three in r, two of two in s


def test_a_folder_s_references_are_warped_by_its_landmarks(folder: Path) -> None:
    data = open_references(str(folder))
    marks = json.loads((folder / "landmarks.json").read_text())
    for example in data.draw(20, make_rng(1)).x:
        x, y, warped = np.split(example[None], 3, -1)
        found = [
            (a, b)
            for a in marks
            for b in marks
            if a[0] == "A"
            and b[0] == "B"
            and np.allclose(pixels(folder, a), x[0], atol=1e-6)
            and np.allclose(pixels(folder, b), y[0], atol=1e-6)
        ]
        ((a, b),) = found
        expected = onto(x, y, np.array([marks[b]]), np.array([marks[a]]))
        np.testing.assert_allclose(warped, expected, atol=1e-6)


def test_landmarks_follow_a_crop(folder: Path) -> None:
    """A picture twice as wide as high is cropped to its middle half."""
    for i, name in enumerate(json.loads((folder / "landmarks.json").read_text())):
        write(folder / name, i, (12, 24))
    marks = {k: np.array(v) for k, v in json.loads((folder / "landmarks.json").read_text()).items()}
    data = open_references(str(folder), size=12)
    side = data._a
    expected = np.stack([marks[f"A/{name}.png"] for name in side.names])
    expected[..., 0] = 2 * (expected[..., 0] - 0.25)
    np.testing.assert_allclose(side.landmarks, expected, atol=1e-12)


def test_without_landmarks_a_reference_is_its_own_warped_one(folder: Path) -> None:
    (folder / "landmarks.json").unlink()
    with pytest.warns(DataWarning, match=r"no landmarks\.json: every picture counts as aligned"):
        data = open_references(str(folder))
    _, y, warped = np.split(data.draw(4, make_rng(0)).x, 3, -1)
    np.testing.assert_array_equal(y, warped)


def test_a_folder_without_known_styles_has_no_truth(tmp_path: Path) -> None:
    for i, name in enumerate(("A/ann", "A/bob", "B/ann", "B/r/ann", "B/s/dan")):
        write(tmp_path / f"{name}.png", i)
    with pytest.warns(DataWarning):
        data = open_references(str(tmp_path))
    assert data.known(3, make_rng(0)) is None
    assert data.draw(3, make_rng(0)).x.shape == (3, 12, 12, 9)


# --- refusals -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("landmarks", "says"),
    [
        ("{", "is no JSON"),
        ("[1]", "wanted an object"),
        ('{"A/ann.png": [[0, 0], [1, 0], [0, 1]]}', "names no landmarks of A/bob.png"),
        ('{"A/ann.png": [[0, 0], [1]], "A/bob.png": [[0, 0]]}', "wrong landmarks of A/ann.png"),
        (
            '{"A/ann.png": [[0, 0], [1, 0]], "A/bob.png": [[0, 0]]}',
            "wrong landmarks of A/bob.png",
        ),
    ],
)
def test_wrong_landmarks_are_refused(folder: Path, landmarks: str, says: str) -> None:
    (folder / "landmarks.json").write_text(landmarks)
    with pytest.raises(DataError, match=says):
        open_references(str(folder))


def test_unlike_sizes_and_empty_domains_are_refused(folder: Path, tmp_path: Path) -> None:
    for name in ("ann", "bob", "cy"):
        write(folder / f"A/{name}.png", 0, (10, 12))
    with pytest.raises(DataError, match=r"are 12x10, those of .* 12x12: give --size"):
        open_references(str(folder))
    (tmp_path / "empty/A").mkdir(parents=True)
    (tmp_path / "empty/B").mkdir()
    with pytest.warns(DataWarning), pytest.raises(DataError, match="no pictures in"):
        open_references(str(tmp_path / "empty"))
    with pytest.raises(DataError, match="two folders A and B"):
        open_references(str(folder / "A"))


@pytest.mark.parametrize(
    ("name", "options", "says"),
    [
        ("kittens", {}, "holds no references; faces-makeup, kittens-fur do"),
        ("kittens-edges", {}, "holds no references"),
        ("nowhere", {}, "known: faces-makeup, kittens-fur"),
        ("faces-makeup", {"size": 8}, "faces of size 8: give a side from 16 to 256"),
        ("faces-makeup", {"size": (16, 32)}, "they are square"),
        ("kittens-fur", {"size": 65}, "kittens of size 65"),
        ("faces-makeup", {"direction": "BtoA"}, "--direction is AtoB"),
    ],
)
def test_what_cannot_be_opened_is_refused(name: str, options: dict, says: str) -> None:
    with pytest.raises(MiniganError, match=says):
        open_references(name, **options)


def test_references_are_no_single_examples() -> None:
    with pytest.raises(DataError, match="holds pairs of pictures"):
        open_data("faces-makeup")
    with pytest.raises(OptionError, match="direction"):
        PairOptions.checked(False, None, (None, None), "train", False, "AB", Augmentation())
