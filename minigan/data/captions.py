"""Pictures with captions: kittens, and a folder of the user's own pictures beside a captions file.

The labels of a batch are its captions, one number for each word: `label_names` has a column "word
1", "word 2" and so on, each with all words that there are, and the empty one as padding.

A folder holds one of

    captions.json   {"picture.png": "a caption", "other.png": ["one", "another"]}
    captions.txt    picture.png<tab>a caption, a line each; a picture may have several
    metadata.csv    columns file_name and text (or caption)

and the pictures that it names, also in folders below. A picture of several captions is as many
examples.
"""

from __future__ import annotations

import csv
import json
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np

from minigan.data.base import Batch, Dataset, DataWarning, Finite, LabelNames
from minigan.data.folder import decode, open_upright, stack
from minigan.data.kittens import Kittens, open_kittens
from minigan.data.options import Channels, Options, Split, place
from minigan.data.pictures import fit, to_float
from minigan.errors import DataError
from minigan.text import KITTENS, Vocabulary, words


@runtime_checkable
class Captioned(Protocol):
    """A data set whose labels are captions of these words."""

    vocabulary: Vocabulary


def word_columns(vocabulary: Vocabulary) -> LabelNames:
    """A column for each word of a caption, with what can stand in it."""
    return {f"word {i + 1}": vocabulary.names for i in range(vocabulary.length)}


class CaptionedKittens(Kittens):
    """Kittens with a caption each, which names one to all of their five labels (text/grammar.py).

    Arguments are those of Kittens.
    """

    def __init__(self, size: int = 32, channels: Channels = 3, split: Split = "train") -> None:
        super().__init__(size, channels, split)
        self.vocabulary = KITTENS.vocabulary
        self.label_names = word_columns(self.vocabulary)

    def draw(self, n: int, rng: np.random.Generator) -> Batch:
        batch = super().draw(n, rng)
        assert batch.labels is not None
        captions = [KITTENS.caption(row, rng) for row in batch.labels]
        return Batch(batch.x, self.vocabulary.encode(captions))


class CaptionedPictures(Finite):
    """Pictures as bytes, uint8 (N, H, W, C), with captions: (number of the picture, caption)."""

    def __init__(self, name: str, pictures: np.ndarray, captions: list[tuple[int, str]]) -> None:
        self.vocabulary = Vocabulary.of(caption for _, caption in captions)
        super().__init__(name, pictures.shape[1:], word_columns(self.vocabulary))
        self._pictures = pictures
        self._places = np.array([place for place, _ in captions])
        self._numbers = self.vocabulary.encode([caption for _, caption in captions])

    def __len__(self) -> int:
        return len(self._numbers)

    def take(self, indices: np.ndarray) -> Batch:
        return Batch(to_float(self._pictures[self._places[indices]]), self._numbers[indices])


def open_captions(
    name_or_path: str,
    *,
    size: int | tuple[int, int] | None = None,
    channels: Channels | None = None,
    split: Split = "train",
    strict: bool = False,
) -> Dataset:
    """Captioned kittens by their name, or the user's captioned pictures at that path.

    Arguments are those of `open_data`. Raises DataError for data without captions and for captions
    that cannot be read, OptionError for an option that the data cannot honour.
    """
    options = Options.checked(size, channels, split, strict)
    if name_or_path == "kittens":
        plain = open_kittens(options)
        return CaptionedKittens(plain.shape[0], plain.shape[2], split)  # type: ignore[arg-type]
    path = place(name_or_path)
    file = next((path / name for name in FILES if (path / name).is_file()), None)
    if file is None:
        raise DataError(
            f"{name_or_path} has no captions of pictures: give kittens, or a folder of pictures "
            f"that holds {', '.join(FILES)}"
        )
    options.refuse_test_split(name_or_path, "leave --split out")
    return _folder(file, options)


def _folder(file: Path, options: Options) -> CaptionedPictures:
    """The pictures that a captions file names."""
    try:
        listed = FILES[file.name](file)
    except (OSError, UnicodeDecodeError, ValueError, csv.Error) as error:
        raise DataError(f"{file} cannot be read: {error}") from error
    if not listed:
        raise DataError(f"{file} names no picture: give each a caption")
    folder = file.parent
    named = {name: folder / name for name, _ in listed}
    missing = [name for name, path in named.items() if not path.is_file()]
    if missing:
        told = f"{file}: {len(missing)} of {len(named)} pictures are not there, such as"
        told = f"{told} {missing[0]}; put them into {folder} or take them out of {file.name}"
        if options.strict or len(missing) == len(named):
            raise DataError(told)
        warnings.warn(told, DataWarning, stacklevel=3)

    def read(path: Path) -> np.ndarray:
        return fit(open_upright(path), options.size, options.channels)

    there = [path for path in named.values() if path.is_file()]
    pictures, readable = decode(folder, there, read, options.strict)
    places = {path: i for i, path in enumerate(readable)}
    captions = [(places[named[name]], text) for name, text in listed if named[name] in places]
    return CaptionedPictures(str(folder), stack(folder, pictures), captions)


Listed = list[tuple[str, str]]  # names of files and their captions


def _json(path: Path) -> Listed:
    table = json.loads(path.read_text(encoding="utf-8-sig"))
    if not isinstance(table, dict):
        raise ValueError('wanted {"picture.png": "a caption", ...}')
    listed = []
    for name, said in table.items():
        for caption in said if isinstance(said, list) else [said]:
            listed.append((name, _worded(caption, name)))
    return listed


def _txt(path: Path) -> Listed:
    listed = []
    for number, line in enumerate(path.read_text(encoding="utf-8-sig").splitlines(), 1):
        if line.strip():
            name, tab, caption = line.partition("\t")
            if not tab:
                raise ValueError(f"line {number} has no tab between the picture and its caption")
            listed.append((name.strip(), _worded(caption, name)))
    return listed


def _csv(path: Path) -> Listed:
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = csv.DictReader(file)
        columns = rows.fieldnames or []
        said = next((name for name in ("text", "caption") if name in columns), None)
        if said is None or "file_name" not in columns:
            raise ValueError(f"wanted columns file_name and text, got {', '.join(columns)}")
        listed = []
        for number, row in enumerate(rows, 2):
            if not row["file_name"]:
                raise ValueError(f"line {number} names no file")
            listed.append((row["file_name"], _worded(row[said], row["file_name"])))
        return listed


def _worded(caption: Any, name: str) -> str:
    """A caption that has words. Raises ValueError."""
    if not isinstance(caption, str) or not words(caption):
        raise ValueError(f"the caption of {name} has no words: {caption!r}")
    return caption


FILES: dict[str, Callable[[Path], Listed]] = {
    "captions.json": _json,
    "captions.txt": _txt,
    "metadata.csv": _csv,
}
