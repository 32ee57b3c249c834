"""Captioned kittens, and folders of pictures with captions: what is read and what is refused."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from minigan.data import Captioned, DataWarning, Loader, open_captions
from minigan.data.captions import CaptionedKittens, CaptionedPictures
from minigan.data.kittens import NAMES, Kittens
from minigan.errors import DataError, OptionError
from minigan.text import KITTENS

PIXELS = np.random.default_rng(0).integers(256, size=(3, 6, 4, 3), dtype=np.uint8)
TEXTS = {"a.png": "A blue thing", "deep/b.png": "red, and big", "c.png": "a thing"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, pixels in zip(TEXTS, PIXELS, strict=True):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        Image.fromarray(pixels).save(tmp_path / name)
    return tmp_path


def write(folder: Path, table: object) -> str:
    (folder / "captions.json").write_text(json.dumps(table))
    return str(folder)


# --- kittens --------------------------------------------------------------------------------------


def test_a_kitten_has_the_caption_of_its_labels() -> None:
    data = open_captions("kittens", size=16)
    assert isinstance(data, CaptionedKittens)
    assert isinstance(data, Captioned)
    assert (data.name, data.shape) == ("kittens", (16, 16, 3))
    x, numbers = data.draw(40, np.random.default_rng(3))
    plain, labels = Kittens(16).draw(40, np.random.default_rng(3))
    np.testing.assert_array_equal(x, plain)
    assert numbers is not None
    assert labels is not None
    assert numbers.shape == (40, data.vocabulary.length)
    for row, caption in zip(labels, data.vocabulary.decode(numbers), strict=True):
        named = KITTENS.parse(caption)
        assert named.items() <= dict(zip(NAMES, row.tolist(), strict=True)).items()


def test_columns_are_words() -> None:
    data = open_captions("kittens")
    assert list(data.label_names) == [f"word {i + 1}" for i in range(KITTENS.vocabulary.length)]
    _, numbers = data.draw(1, np.random.default_rng(0))
    assert numbers is not None
    said = [data.label_names[f"word {i + 1}"][n] for i, n in enumerate(numbers[0])]
    assert " ".join(said).split() == data.vocabulary.decode(numbers)[0].split()


def test_batches_are_a_function_of_the_seed_and_their_number() -> None:
    data = open_captions("kittens", size=8)
    loaders = [Loader(data, 5, seed=seed) for seed in (1, 1, 2)]
    first, same, other = (loader.batch(7) for loader in loaders)
    np.testing.assert_array_equal(first.x, same.x)
    np.testing.assert_array_equal(first.labels, same.labels)
    assert (first.labels != other.labels).any()
    assert (first.labels != loaders[0].batch(8).labels).any()


def test_the_test_split_has_other_kittens_and_the_same_words() -> None:
    test = open_captions("kittens", split="test", channels=1)
    assert test.shape == (32, 32, 1)
    assert isinstance(test, CaptionedKittens)
    assert not set(test.combinations) & set(Kittens().combinations)
    assert test.label_names == open_captions("kittens").label_names


# --- folders --------------------------------------------------------------------------------------


def test_pictures_have_their_captions(folder: Path) -> None:
    data = open_captions(write(folder, TEXTS))
    assert isinstance(data, CaptionedPictures)
    assert data.vocabulary.words == ("a", "and", "big", "blue", "red", "thing")
    assert (data.size, data.shape, data.vocabulary.length) == (3, (6, 4, 3), 3)
    x, numbers = data.take(np.array([1, 0]))
    np.testing.assert_array_equal(np.rint((x + 1) * 127.5), PIXELS[[1, 0]])
    assert numbers is not None
    assert data.vocabulary.decode(numbers) == ["red and big", "a blue thing"]


def test_a_picture_of_several_captions_is_several_examples(folder: Path) -> None:
    data = open_captions(write(folder, {"a.png": ["one", "another one"], "c.png": "two"}))
    assert isinstance(data, CaptionedPictures)
    x, numbers = data.take(np.arange(3))
    assert numbers is not None
    assert data.vocabulary.decode(numbers) == ["one", "another one", "two"]
    np.testing.assert_array_equal(x[0], x[1])
    assert (x[1] != x[2]).any()


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("captions.txt", "a.png\tA blue thing\n\ndeep/b.png\tred, and big\nc.png\ta thing\n"),
        ("metadata.csv", 'file_name,text\na.png,A blue thing\ndeep/b.png,"red, and big"\nc.png,a'),
        ("metadata.csv", "\ufefffile_name,text\na.png,A blue thing\ndeep/b.png,red too\nc.png,a"),
        ("metadata.csv", 'n,caption,file_name\n1,A blue thing,a.png\n2,"red, big",deep/b.png\n'),
    ],
)
def test_other_files_of_captions(folder: Path, name: str, text: str) -> None:
    (folder / name).write_text(text, encoding="utf-8")
    data = open_captions(str(folder), size=8)
    assert isinstance(data, CaptionedPictures)
    _, numbers = data.take(np.array([0, 1]))
    assert numbers is not None
    assert data.shape == (8, 8, 3)
    first, second = data.vocabulary.decode(numbers)
    assert first == "a blue thing"
    assert second.startswith("red ")


def test_pictures_that_are_not_there_are_told(folder: Path) -> None:
    path = write(folder, TEXTS | {"gone.png": "a ghost"})
    with pytest.warns(DataWarning, match=r"1 of 4 pictures are not there, such as gone\.png"):
        data = open_captions(path)
    assert data.size == 3
    assert isinstance(data, Captioned)
    assert "ghost" not in data.vocabulary.words
    with pytest.raises(DataError, match="are not there"):
        open_captions(path, strict=True)
    with pytest.raises(DataError, match="1 of 1 pictures are not there"):
        open_captions(write(folder, {"gone.png": "a ghost"}))


def test_a_torn_picture_is_left_out(folder: Path) -> None:
    (folder / "c.png").write_bytes((folder / "c.png").read_bytes()[:50])
    with pytest.warns(DataWarning, match="1 of 3 pictures cannot be read"):
        data = open_captions(write(folder, TEXTS))
    assert data.size == 2


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("captions.json", "{", "cannot be read"),
        ("captions.json", "[1]", 'wanted {"picture.png"'),
        ("captions.json", "{}", "names no picture"),
        ("captions.json", '{"a.png": 3}', r"caption of a\.png has no words: 3"),
        ("captions.json", '{"a.png": ["..."]}', "has no words"),
        ("captions.txt", "a.png a thing", "line 1 has no tab"),
        ("captions.txt", b"a.png\t\xff\xfe", "cannot be read"),
        ("metadata.csv", "file,text\na.png,b", "wanted columns file_name and text, got file, text"),
        ("metadata.csv", "text,file_name\na thing", "line 2 names no file"),
        ("metadata.csv", "file_name,text\na.png", r"caption of a\.png has no words: None"),
    ],
)
def test_captions_that_cannot_be_read(
    folder: Path, name: str, text: str | bytes, words: str
) -> None:
    (folder / name).write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(DataError, match=words):
        open_captions(str(folder))


@pytest.mark.parametrize("name", ["digits", "no-such-folder"])
def test_data_without_captions_is_refused(name: str) -> None:
    with pytest.raises(
        DataError, match=rf"{name} has no captions of pictures: give kittens, or a f"
    ):
        open_captions(name)


def test_a_folder_without_a_captions_file_is_refused(folder: Path) -> None:
    with pytest.raises(DataError, match=r"has no captions.*captions\.json"):
        open_captions(str(folder))


def test_a_folder_has_no_test_split(folder: Path) -> None:
    with pytest.raises(OptionError, match="no separate test split"):
        open_captions(write(folder, TEXTS), split="test")
