"""Persons of a folder with joints.csv are read as they are, and what is wrong with it is said."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from minigan.backend import make_rng
from minigan.data import DataWarning, open_poses
from minigan.data.joints import INDEX, maps, mask
from minigan.data.pictures import to_float
from minigan.data.pose_folder import read
from minigan.errors import DataError, OptionError

HEAD = "picture,joint,x,y\n"


def person(folder: Path, files: dict[str, tuple[int, int]], seed: int = 0) -> None:
    """Pictures of noise (width, height), and a neck and a nose of each, the lower the later."""
    rng, lines = np.random.default_rng(seed), HEAD
    for i, (name, (w, h)) in enumerate(files.items()):
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(rng.integers(0, 256, (h, w, 3), np.uint8)).save(file)
        lines += f"{name},neck,0.5,{0.3 + 0.1 * i:.1f}\n{name}, nose ,0.25,{0.1 + 0.1 * i:.1f}\n\n"
    (folder / "joints.csv").write_text(lines)


ANNA = {"anna/1.png": (16, 16), "anna/2.png": (16, 16), "anna/3.png": (16, 16)}
BEN = {"ben/a.png": (16, 16), "ben/b.png": (16, 16)}


def test_every_picture_of_a_person_stands_beside_every_other(tmp_path: Path) -> None:
    person(tmp_path, ANNA | BEN)
    data = open_poses(str(tmp_path))
    assert len(data) == 3 * 2 + 2
    assert (data.shape, data.channels) == ((16, 16, 25), (21, 3))
    files = [*ANNA, *BEN]
    pixels = to_float(np.stack([np.asarray(Image.open(tmp_path / name)) for name in files]))
    given = read(tmp_path / "joints.csv")
    seen = set()
    for example in data.take(np.arange(len(data))).x:
        a, b = (
            next(i for i, own in enumerate(pixels) if (own == example[..., part]).all())
            for part in (slice(3), slice(21, 24))
        )
        seen.add((files[a], files[b]))
        joints = given[files[b]][None]
        np.testing.assert_array_equal(example[..., 3:21], maps(joints, (16, 16))[0])
        np.testing.assert_array_equal(example[..., 24:], mask(joints, (16, 16))[0])
        assert example[..., 24].any()
    of_one = [(a, b) for own in (ANNA, BEN) for a in own for b in own if a != b]
    assert seen == set(of_one)
    assert data.draw(5, make_rng(0)).x.shape == (5, 16, 16, 25)


def test_joints_follow_their_picture_when_it_is_cropped(tmp_path: Path) -> None:
    """A picture twice as wide as high loses a quarter on either side."""
    person(tmp_path, {"a/1.png": (32, 16), "a/2.png": (32, 16)})
    data = open_poses(str(tmp_path), size=16, channels=1)
    assert data.shape == (16, 16, 21)
    heat = data.posed(data.split(data.take(np.array([1])).x)[0])[0]
    rows, columns = np.nonzero(heat[..., INDEX["nose"]])  # at a quarter: the border now
    assert (columns.min(), rows.mean()) == (0, 1)
    rows, columns = np.nonzero(heat[..., INDEX["neck"]])
    assert (rows.mean(), columns.mean()) == (4, 8)


def test_splits_are_folders(tmp_path: Path) -> None:
    person(tmp_path / "train", ANNA)
    person(tmp_path / "test", BEN)
    assert len(open_poses(str(tmp_path))) == 6
    assert len(open_poses(str(tmp_path), split="test")) == 2
    with pytest.raises(OptionError, match="no separate test split; put persons into folders"):
        open_poses(str(tmp_path / "train"), split="test")


def test_persons_with_one_picture_are_left_out(tmp_path: Path) -> None:
    person(tmp_path, ANNA | {"carl/x.png": (16, 16)})
    with pytest.warns(DataWarning, match="1 of 2 persons have one picture and are left out: carl"):
        assert len(open_poses(str(tmp_path))) == 6
    person(tmp_path / "alone", {"carl/x.png": (16, 16), "dora/x.png": (16, 16)})
    with pytest.raises(DataError, match=r"no person of .* has two pictures"):
        open_poses(str(tmp_path / "alone"))


def test_damaged_pictures_are_left_out(tmp_path: Path) -> None:
    person(tmp_path, ANNA)
    (tmp_path / "anna" / "2.png").write_bytes(b"no picture")
    with pytest.warns(DataWarning, match="1 of 3 pictures cannot be read"):
        assert len(open_poses(str(tmp_path))) == 2
    with pytest.raises(DataError, match="cannot be read"):
        open_poses(str(tmp_path), strict=True)


def test_sizes_must_agree(tmp_path: Path) -> None:
    person(tmp_path, {"a/1.png": (16, 16), "a/2.png": (16, 24)})
    with pytest.raises(DataError, match=r"2 sizes.*give --size"):
        open_poses(str(tmp_path))
    assert len(open_poses(str(tmp_path), size=16)) == 2


WRONG = {
    "": "begins otherwise: wanted a first line picture,joint,x,y",
    "file,joint,x,y\n": "begins otherwise: wanted a first line picture,joint,x,y",
    HEAD: "names no joints",
    HEAD + "a/1.png,nose,0.5\n": "line 2: 'a/1.png,nose,0.5' is not picture,joint,x,y",
    HEAD + "a/1.png,tail,0.5,0.5\n": "line 2: joint 'tail'; known: nose, neck, right_shoulder",
    HEAD + "a/1.png,nose,0.5,low\n": "line 2: '0.5,low' are no numbers",
    HEAD + "a/1.png,nose,0.5,nan\n": "line 2: 0.5,nan lies outside of the picture",
    HEAD + "\na/1.png,nose,17,0.5\n": "line 3: 17,0.5 lies outside of the picture; .* from 0 to 1",
    HEAD + "a,nose,0,0\na,nose,1,1\n": "line 3: a has two places for nose",
}


@pytest.mark.parametrize(("text", "says"), WRONG.items(), ids=range(len(WRONG)))
def test_what_is_wrong_with_joints_is_said_with_its_line(
    tmp_path: Path, text: str, says: str
) -> None:
    (tmp_path / "joints.csv").write_text(text)
    with pytest.raises(DataError, match=says):
        read(tmp_path / "joints.csv")


def test_what_is_no_text_is_said(tmp_path: Path) -> None:
    (tmp_path / "joints.csv").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(DataError, match="cannot be read"):
        read(tmp_path / "joints.csv")


def test_folders_that_hold_no_persons_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"holds no joints.csv: a first line picture,joint,x,y"):
        open_poses(str(tmp_path))
    person(tmp_path, ANNA)
    with pytest.raises(DataError, match="is a file: give a folder that holds persons"):
        open_poses(str(tmp_path / "joints.csv"))
    lines = (tmp_path / "joints.csv").read_text().splitlines()
    (tmp_path / "joints.csv").write_text("\n".join(line for line in lines if "3.png" not in line))
    with pytest.raises(DataError, match=r"no joints of 1 of 3 pictures: anna/3.png$"):
        open_poses(str(tmp_path))
    for file in (tmp_path / "anna").iterdir():
        file.unlink()
    with pytest.raises(DataError, match="no pictures in"):
        open_poses(str(tmp_path))
