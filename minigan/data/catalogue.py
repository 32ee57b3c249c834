"""Opens data by name or path: the table of data sets and the readers of the user's own files."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, NamedTuple, Protocol, TypeVar

from minigan.data import (
    adaptation,
    ages,
    cifar,
    clip_folder,
    digit_pairs,
    digits,
    digits_m,
    figures,
    folder,
    idx,
    kitten_captions,
    kitten_pairs,
    kitten_worn,
    kittens,
    mixtures,
    moving_digits,
    npz,
    oracle,
    pair_folder,
    pose_folder,
    reference_folder,
    sentences,
    simple_tunes,
    speech_folder,
    stacked,
    subjects,
    tunes,
    voices,
)
from minigan.data.adaptation import LabelledDomains
from minigan.data.augment import Augmentation
from minigan.data.base import Dataset
from minigan.data.clips import FRAMES, Clips
from minigan.data.degraded import DEGRADATIONS, Degraded, degraded
from minigan.data.makeup import References
from minigan.data.options import Channels, Options, Split, place
from minigan.data.pairs import PairOptions, Pairs
from minigan.data.poses import Poses
from minigan.data.sentences import SentenceOptions, Sentences
from minigan.data.sounds import SoundOptions, Sounds
from minigan.errors import DataError, UnknownNameError

Opened = TypeVar("Opened")


class Entry(NamedTuple):
    """A data set that has a name: one line for `minigan list`, and how to open it."""

    description: str
    open: Callable[[Options], Dataset]


class PairEntry(NamedTuple):
    """Pairs that have a name: one line for `minigan list`, and how to open them."""

    description: str
    open: Callable[[str, PairOptions], Pairs]


class SoundEntry(NamedTuple):
    """Sounds that have a name: one line for `minigan list`, and how to open them."""

    description: str
    open: Callable[[str, SoundOptions], Sounds]


class ClipEntry(NamedTuple):
    """Clips that have a name: one line for `minigan list`, and how to open them by m frames."""

    description: str
    open: Callable[[str, PairOptions, int], Clips]


class PoseEntry(NamedTuple):
    """Persons in poses that have a name: one line for `minigan list`, and how to open them."""

    description: str
    open: Callable[[str, PairOptions], Poses]


class SentenceEntry(NamedTuple):
    """Sentences that have a name: one line for `minigan list`, and how to open them."""

    description: str
    open: Callable[[str, SentenceOptions], Sentences]


class Reader(Protocol):
    """A module that reads one format of the user's own data."""

    def recognises(self, path: Path) -> bool:
        """Whether `path` looks like its format."""

    def open(self, path: Path, options: Options) -> Dataset:
        """The data at `path`. Raises DataError where it is damaged or does not fit the options."""


class UnknownDataError(UnknownNameError):
    """A word that is neither the name of a data set nor an existing path."""

    def __init__(self, given: str, known: Iterable[str]) -> None:
        super().__init__("data", given, known)
        self.args = (f"{self.args[0]}; there is no such file or folder either",)


DATASETS: dict[str, Entry] = {
    "kittens": Entry(
        "324,000 kittens painted in layers, 32x32 or 64x64 colour, five labels; the default",
        kittens.open_kittens,
    ),
    "digits": Entry("10,000 handwritten digits of MNIST, 28x28 grey", digits.open_digits),
    "faces-ages": Entry(
        "drawn faces of 100,000 persons, each at six ages, 16x16 to 256x256 colour",
        ages.open_faces,
    ),
    "stacked-digits": Entry(
        "three digits as the channels of one picture, 28x28 colour: 1,000 modes",
        stacked.open_stacked,
    ),
    "tunes": Entry(
        "450 tunes of 8 bars made by rule, in bars of 16 steps and 128 pitches, with chords",
        simple_tunes.open_tunes,
    ),
    "ring": Entry("8 Gaussians on a circle, points in the plane", mixtures.open_ring),
    "grid": Entry("25 Gaussians on a grid, points in the plane", mixtures.open_grid),
    "gaussian1d": Entry("one Gaussian, points on the line", mixtures.open_gaussian1d),
}

PAIRS: dict[str, PairEntry] = {
    "digits-negative": PairEntry(
        "digits, and other digits black on white, 28x28 grey", digit_pairs.open_negative
    ),
    "digits-edges": PairEntry(
        "digits, and the outlines of other digits, 28x28 grey", digit_pairs.open_edges
    ),
    "digits-m": PairEntry(
        "digits, and other digits over patches of kittens, with labels, 8x8 to 48x48 colour",
        digits_m.open_digits_m,
    ),
    "kittens-edges": PairEntry(
        "lines of a kitten in grey and the kitten in colour, 8x8 to 64x64",
        kitten_pairs.open_edges,
    ),
    "kittens-recolour": PairEntry(
        "orange kittens and blue ones, alike in all but the body, 8x8 to 64x64",
        kitten_pairs.open_recolour,
    ),
    "faces-makeup": PairEntry(
        "drawn faces without and with makeup, 16x16 to 256x256", subjects.open_pairs
    ),
    "kittens-worn": PairEntry(
        "a kitten that wears something, and the thing alone and large, 8x8 to 64x64",
        kitten_worn.open_worn,
    ),
    "kittens-fur": PairEntry(
        "kittens without and with a pattern of the fur, of any strength, 8x8 to 64x64",
        subjects.open_pairs,
    ),
}

SOUNDS: dict[str, SoundEntry] = {
    "voices": SoundEntry(
        "synthetic voices in noise and without it, 8,000 samples a second", voices.open_voices
    ),
}

CLIPS: dict[str, ClipEntry] = {
    "moving-digits": ClipEntry(
        "digits walk along streets and turn left or right at random, 16x16 to 128x128 grey",
        moving_digits.MovingDigits,
    ),
}

POSES: dict[str, PoseEntry] = {
    figures.NAME: PoseEntry(
        "20,000 drawn people in any two poses, with their joints, 16x16 to 128x128",
        figures.Figures,
    ),
}

SENTENCES: dict[str, SentenceEntry] = {
    "oracle": SentenceEntry(
        "10,000 sentences of a random LSTM, of 5,000 words and 20 long unless told", oracle.Oracle
    ),
    "captions": SentenceEntry(
        "10,000 captions of kittens, of 102 words and up to 23 long",
        kitten_captions.open_captions_alone,
    ),
}

# Every name that goes before a path.
NAMED = (*DATASETS, *PAIRS, *SOUNDS, *CLIPS, *POSES, *SENTENCES)

# Pairs of two domains whose first one has labels (adaptation.py).
LABELLED_DOMAINS = ("digits-m",)

# Pairs that are also known as pictures and references whose style they shall take (makeup.py).
REFERENCES = tuple(subjects.SUBJECTS)

# The first that recognises a path reads it. The last one takes any folder.
READERS: tuple[Reader, ...] = (tunes, npz, idx, cifar, folder)


def open_data(
    name_or_path: str,
    *,
    size: int | tuple[int, int] | None = None,
    channels: Channels | None = None,
    split: Split = "train",
    strict: bool = False,
) -> Dataset:
    """The data set of that name (see `DATASETS`), or else the user's own at that path.

    size      side or (height, width) in pixels; pictures are cropped to its aspect and resized
    channels  1 (luminance) or 3
    split     "train", or "test" for examples that "train" never gives
    strict    refuse damaged files instead of skipping them with a DataWarning

    A name goes before a path: a folder called kittens is "./kittens".

    Raises OptionError for an option that the data cannot honour, UnknownDataError for a word that
    is neither name nor path, and DataError for data that cannot be used.
    """
    options = Options.checked(size, channels, split, strict)
    if name_or_path in DATASETS:
        return DATASETS[name_or_path].open(options)
    if name_or_path in PAIRS:
        raise DataError(
            f"{name_or_path} holds pairs of pictures, which translations learn from: train pix2pix "
            "or cyclegan with it"
        )
    if name_or_path in SOUNDS:
        raise DataError(
            f"{name_or_path} holds speech in noise and without it, which segan learns from: "
            "`minigan train segan`"
        )
    _refuse_clips(name_or_path)
    _refuse_poses(name_or_path)
    _refuse_sentences(name_or_path)
    return _own(name_or_path, DATASETS, lambda path: _read(path, options))


def _read(path: Path, options: Options) -> Dataset:
    """What the first reader makes of `path` that knows its kind. Raises DataError."""
    for reader in READERS:
        if reader.recognises(path):
            return reader.open(path, options)
    raise DataError(
        f"{path} is of no kind that minigan reads: give a folder of pictures, IDX files "
        "(*-ubyte, also .gz), CIFAR-10 .bin files or an .npz archive"
    )


def open_pairs(
    name_or_path: str,
    *,
    aligned: bool,
    size: int | tuple[int, int] | None = None,
    channels: tuple[Channels | None, Channels | None] = (None, None),
    split: Split = "train",
    strict: bool = False,
    direction: str = "AtoB",
    augmentation: Augmentation | None = None,
) -> Pairs:
    """The pairs of that name (see `PAIRS`), or else the user's own in that folder (pair_folder.py).

    aligned       whether x and y of an example shall belong together, or come from two domains
    channels      of x and of y
    direction     "AtoB": x is A, the left half or the first folder; "BtoA": the other way
    augmentation  what training does to them

    The other arguments are those of `open_data`, and so is what is raised.
    """
    options = PairOptions.checked(
        aligned, size, channels, split, strict, direction, augmentation or Augmentation()
    )
    if name_or_path in PAIRS:
        return PAIRS[name_or_path].open(name_or_path, options)
    _refuse_sentences(name_or_path)
    if name_or_path in DATASETS or name_or_path in SOUNDS:
        what = "sounds" if name_or_path in SOUNDS else "single examples"
        raise DataError(
            f"{name_or_path} holds {what}; pairs are {', '.join(PAIRS)}, a folder of "
            "pictures side by side, or one that holds two folders A and B"
        )
    _refuse_clips(name_or_path)
    _refuse_poses(name_or_path)
    return _own(name_or_path, PAIRS, lambda path: pair_folder.open(path, options))


def open_labelled_domains(
    name_or_path: str,
    *,
    size: int | tuple[int, int] | None = None,
    channels: tuple[Channels | None, Channels | None] = (None, None),
    split: Split = "train",
    strict: bool = False,
    direction: str = "AtoB",
    augmentation: Augmentation | None = None,
) -> LabelledDomains:
    """A labelled domain and another: of that name (see `LABELLED_DOMAINS`), or of that folder.

    The arguments are those of `open_pairs`, and so is what is raised; see adaptation.py.
    """
    options = PairOptions.checked(
        False, size, channels, split, strict, direction, augmentation or Augmentation()
    )
    if name_or_path in LABELLED_DOMAINS:
        opened = PAIRS[name_or_path].open(name_or_path, options)
        assert isinstance(opened, LabelledDomains)
        return opened
    _refuse_sentences(name_or_path)
    if any(name_or_path in table for table in (DATASETS, PAIRS, SOUNDS)):
        raise DataError(
            f"{name_or_path} holds no two domains of which one has labels; "
            f"{', '.join(LABELLED_DOMAINS)} does, or a folder that holds class folders in A and "
            "pictures in B"
        )
    _refuse_clips(name_or_path)
    _refuse_poses(name_or_path)
    return _own(name_or_path, LABELLED_DOMAINS, lambda path: adaptation.open_folder(path, options))


def open_degraded(
    name_or_path: str,
    degradation: str,
    *,
    size: int | tuple[int, int] | None = None,
    channels: Channels | None = None,
    split: Split = "train",
    strict: bool = False,
    augmentation: Augmentation | None = None,
    **how: Any,
) -> Degraded:
    """Pictures of that name or at that path beside what is left of them (degraded.py).

    degradation   one of `DEGRADATIONS`; `how` are its settings
    augmentation  what training does to the pictures first

    The other arguments are those of `open_data`, and so is what is raised; DataError for points
    too.
    """
    if degradation not in DEGRADATIONS:
        raise UnknownNameError("degradation", degradation, DEGRADATIONS)
    pictures = open_data(name_or_path, size=size, channels=channels, split=split, strict=strict)
    made = DEGRADATIONS[degradation](**how)
    return degraded(pictures, made, augmentation or Augmentation())


def open_references(
    name_or_path: str,
    *,
    size: int | tuple[int, int] | None = None,
    channels: tuple[Channels | None, Channels | None] = (None, None),
    split: Split = "train",
    strict: bool = False,
    direction: str = "AtoB",
    augmentation: Augmentation | None = None,
) -> References:
    """Pictures, references and these warped: of that name (see `REFERENCES`), or of that folder.

    The arguments are those of `open_pairs`, and so is what is raised; see reference_folder.py.
    """
    options = PairOptions.checked(
        False, size, channels, split, strict, direction, augmentation or Augmentation()
    )
    if name_or_path in REFERENCES:
        return subjects.open_references(name_or_path, options)
    _refuse_sentences(name_or_path)
    if any(name_or_path in table for table in (DATASETS, PAIRS, SOUNDS)):
        raise DataError(
            f"{name_or_path} holds no references; {', '.join(REFERENCES)} do, or a folder that "
            "holds two folders A and B"
        )
    _refuse_clips(name_or_path)
    _refuse_poses(name_or_path)
    return _own(name_or_path, REFERENCES, lambda path: reference_folder.open(path, options))


def open_sounds(
    name_or_path: str, *, window: int, split: Split = "train", strict: bool = False
) -> Sounds:
    """Speech in noise and without: of that name (see `SOUNDS`), or of that folder.

    window: samples of an example; for the rest see `open_data`, and speech_folder.py for folders.
    Raises what `open_data` raises.
    """
    options = SoundOptions.checked(window, split, strict)
    if name_or_path in SOUNDS:
        return SOUNDS[name_or_path].open(name_or_path, options)
    _refuse_sentences(name_or_path)
    if any(name_or_path in table for table in (DATASETS, PAIRS, CLIPS, POSES)):
        raise DataError(
            f"{name_or_path} holds no speech; {', '.join(SOUNDS)} does, or a folder of WAV files"
        )
    return _own(name_or_path, SOUNDS, lambda path: speech_folder.open(path, options))


def open_clips(
    name_or_path: str,
    *,
    frames: int = FRAMES,
    size: int | tuple[int, int] | None = None,
    channels: Channels | None = None,
    split: Split = "train",
    strict: bool = False,
    augmentation: Augmentation | None = None,
) -> Clips:
    """The clips of that name (see `CLIPS`), or else the user's own there (clip_folder.py).

    frames    m: an example is as many frames, and the next
    channels  of a frame

    The other arguments are those of `open_pairs`, and so is what is raised.
    """
    options = PairOptions.checked(
        True, size, (channels, channels), split, strict, "AtoB", augmentation or Augmentation()
    )
    if name_or_path in CLIPS:
        return CLIPS[name_or_path].open(name_or_path, options, frames)
    _refuse_sentences(name_or_path)
    if any(name_or_path in table for table in (DATASETS, PAIRS, SOUNDS, POSES)):
        raise DataError(
            f"{name_or_path} holds no clips; {', '.join(CLIPS)} does, or a folder of folders of "
            "numbered frames, or of animated GIFs"
        )
    return _own(name_or_path, CLIPS, lambda path: clip_folder.open(path, options, frames))


def open_poses(
    name_or_path: str,
    *,
    size: int | tuple[int, int] | None = None,
    channels: Channels | None = None,
    split: Split = "train",
    strict: bool = False,
    augmentation: Augmentation | None = None,
) -> Poses:
    """Persons in two poses: of that name (see `POSES`), or of that folder (pose_folder.py).

    The arguments are those of `open_pairs`, and so is what is raised.
    """
    options = PairOptions.checked(
        True, size, (channels, channels), split, strict, "AtoB", augmentation or Augmentation()
    )
    if name_or_path in POSES:
        return POSES[name_or_path].open(name_or_path, options)
    _refuse_sentences(name_or_path)
    if name_or_path in NAMED:
        raise DataError(
            f"{name_or_path} holds no persons in poses; {', '.join(POSES)} does, or a folder of "
            f"persons with {pose_folder.FILE}"
        )
    return _own(name_or_path, POSES, lambda path: pose_folder.open(path, options))


def open_sentences(
    name_or_path: str,
    *,
    words: int | None = None,
    length: int | None = None,
    split: Split = "train",
) -> Sentences:
    """Sentences of that name (see `SENTENCES`), or those of the user's text file (sentences.py).

    words: of the oracle; length: of a sentence in words; both the data's own if None. Raises what
    `open_data` raises.
    """
    options = SentenceOptions(words, length, split).checked()
    if name_or_path in SENTENCES:
        return SENTENCES[name_or_path].open(name_or_path, options)
    if name_or_path in NAMED:
        raise DataError(
            f"{name_or_path} holds no sentences; {', '.join(SENTENCES)} do, or a .txt file with a "
            "sentence a line"
        )
    path = _there(name_or_path, SENTENCES)
    if path.is_dir() or path.suffix.lower() != ".txt":
        raise DataError(f"{path} is no text: give a .txt file with a sentence a line")
    return sentences.open_text(path, options)


def _refuse_clips(name: str) -> None:
    """Raise DataError for clips where something else is wanted."""
    if name in CLIPS:
        raise DataError(
            f"{name} holds clips, whose next frames are predicted: train next-frame with it"
        )


def _refuse_poses(name: str) -> None:
    """Raise DataError for persons in poses where something else is wanted."""
    if name in POSES:
        raise DataError(
            f"{name} holds persons in two poses, which pg2 learns from: `minigan train pg2`"
        )


def _refuse_sentences(name: str) -> None:
    """Raise DataError for sentences where something else is wanted."""
    if name in SENTENCES:
        raise DataError(
            f"{name} holds sentences, which seqgan learns from: `minigan train seqgan --data "
            f"{name}`"
        )


def _there(name_or_path: str, known: Iterable[str]) -> Path:
    """The user's own path. Raises UnknownDataError where nothing is."""
    path = place(name_or_path)
    if not os.path.exists(path):  # Path's raises for a name that is too long
        raise UnknownDataError(name_or_path, known)
    return path


def _own(name_or_path: str, known: Iterable[str], read: Callable[[Path], Opened]) -> Opened:
    """What `read` makes of the user's own path. Raises as `_there`, and DataError for a file that
    cannot be read."""
    path = _there(name_or_path, known)
    try:
        return read(path)
    except OSError as error:  # no permission, a failing disk
        raise DataError(f"{path} cannot be read: {error}") from error
