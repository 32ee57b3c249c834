"""Runs on captions: the words that a run knows, kept beside it, and pictures of what is said.

vocabulary.json        words, length of a caption and the pictures' shape: with a checkpoint it
                       is all that `sample --text` needs
samples/captions.txt   the captions of the rows of a run's pictures
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from minigan.algorithms.conditional.base import Conditional
from minigan.backend import Array
from minigan.data import Batch, Captioned, Dataset, Endless
from minigan.data.captions import word_columns
from minigan.errors import CheckpointError, DataError, OptionError
from minigan.text import CaptionError, Vocabulary
from minigan.training.files import write_atomically
from minigan.training.labels import COLUMNS, panel_labels
from minigan.training.latent_tools.base import Sheet, Source

VOCABULARY = "vocabulary.json"


def keep_words(folder: Path, dataset: Dataset, algorithm: Any, *, seed: int) -> None:
    """Write a run's vocabulary and the captions of its pictures; nothing for data without captions.

    Raises CheckpointError where the run has learned other words than the data has now.
    """
    if not isinstance(dataset, Captioned):
        return
    words = dataset.vocabulary
    path = folder / VOCABULARY
    if path.exists() and (known := read_words(folder).vocabulary).words != words.words:
        changed = sorted(set(known.words) ^ set(words.words))
        raise CheckpointError(
            f"{folder} has learned other words than its data has now, such as {changed[0]!r}; put "
            "the captions back, or start another run"
        )
    stored = {"words": words.words, "length": words.length, "shape": dataset.shape}
    write_atomically(path, (json.dumps(stored, indent=1) + "\n").encode())
    if isinstance(algorithm, Conditional):
        shown = panel_labels(algorithm, seed=seed)
        list_captions(dataset, shown, folder / "samples" / "captions.txt")


def list_captions(dataset: Dataset, captions: Array | None, path: Path) -> None:
    """Write captions, numbers (N, T), a line each; nothing for data without captions."""
    if isinstance(dataset, Captioned) and captions is not None:
        listed = "".join(f"{caption}\n" for caption in dataset.vocabulary.decode(captions))
        write_atomically(path, listed.encode())


class Absent(Endless):
    """Captioned data of which only the words and the pictures' shape are known."""

    def __init__(self, name: str, shape: tuple[int, ...], vocabulary: Vocabulary) -> None:
        super().__init__(name, shape, word_columns(vocabulary))
        self.vocabulary = vocabulary

    def draw(self, n: int, rng: np.random.Generator) -> Batch:
        raise DataError(f"the data of {self.name} has not been opened")


def read_words(folder: Path) -> Absent:
    """What the run in `folder` was trained on, as far as --text needs it.

    Raises CheckpointError.
    """
    path = folder / VOCABULARY
    try:
        stored = json.loads(path.read_text(encoding="utf-8"))
        vocabulary = Vocabulary(stored["words"], stored["length"])
        return Absent(str(folder), tuple(map(int, stored["shape"])), vocabulary)
    except (OSError, ValueError, KeyError, TypeError, CaptionError) as error:
        raise CheckpointError(f"{path} cannot be read as a run's words: {error}") from error


def check_texts(texts: Sequence[str], wish: str | None, name: str, takes: str) -> None:
    """Raise OptionError for texts where no captions are read, or beside another wish."""
    if takes == "captions" and wish is not None:
        raise OptionError(f"{wish}: this run of {name} reads captions; ask with --text")
    if texts and takes != "captions":
        raise OptionError(
            f"--text asks for pictures of captions, and this run of {name} reads none; train "
            "gan-cls or stackgan"
        )


def rows_of(source: Source, columns: int | None, rng: np.random.Generator) -> Sheet:
    """A row of pictures for each of the source's captions, with the same z down a column."""
    columns = columns or COLUMNS
    assert source.labels is not None
    z = np.tile(source.prior.draw(columns, rng), (len(source.labels), 1))
    return Sheet(source.make(z, columns=columns), columns)
