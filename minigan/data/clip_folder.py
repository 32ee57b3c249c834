"""Reads clips: folders of numbered frames and animated pictures.

    DIR/NAME/0001.png, 0002.png, ...   each folder that holds pictures is one clip
    DIR/NAME.gif                       so is each animated GIF, PNG or WebP

Frames follow one another in the order of the numbers in their names. A folder that holds folders
called train and test is read as the one that the split names. All frames are kept as bytes.
"""

from __future__ import annotations

import re
import warnings
from pathlib import Path
from typing import NamedTuple, get_args

import numpy as np
from PIL import Image, ImageSequence

from minigan.data.base import Batch, DataWarning, Finite
from minigan.data.clips import Clips, joined
from minigan.data.folder import open_upright, picture_files, stack
from minigan.data.options import Split
from minigan.data.pairs import PairOptions
from minigan.data.pictures import fit, flatten, to_float
from minigan.errors import DataError, OptionError

ANIMATED = (".gif", ".png", ".webp")
SHOWN = 3  # names in a message


class Clip(NamedTuple):
    """A clip's name, relative to where it was looked for, and its frames, uint8 (T, H, W, C)."""

    name: str
    frames: np.ndarray


class ClipsInMemory(Clips, Finite):
    """Every m + 1 frames that follow one another in a clip, clip after clip.

    Clips with fewer frames are left out with a DataWarning. Raises DataError where all have.
    """

    def __init__(self, name: str, clips: list[Clip], options: PairOptions, frames: int) -> None:
        first = clips[0].frames
        super().__init__(name, first.shape[1:3], first.shape[3], options, frames)
        short = [clip.name for clip in clips if len(clip.frames) <= frames]
        if len(short) == len(clips):
            longest = max(len(clip.frames) for clip in clips)
            raise DataError(
                f"the longest clip of {name} has {longest} frames, and {frames} tell the next one: "
                f"give longer clips, or --frames {longest - 1} or less"
                if longest > 1
                else f"no clip of {name} has two frames: put the frames of a clip into one folder"
            )
        if short:
            warnings.warn(
                f"{name}: {len(short)} of {len(clips)} clips have no {frames + 1} frames and are "
                f"left out: {', '.join(short[:SHOWN])}{', ...' * (len(short) > SHOWN)}",
                DataWarning,
                stacklevel=4,
            )
        self._clips = [clip.frames for clip in clips if len(clip.frames) > frames]
        self._places = self._starts(frames + 1)

    def __len__(self) -> int:
        return len(self._places)

    def take(self, indices: np.ndarray) -> Batch:
        return Batch(joined(self._parts(self._places[indices], self.frames + 1)), None)

    def sequences(self, n: int, length: int, rng: np.random.Generator) -> np.ndarray:
        places = self._starts(length)
        if not len(places):
            longest = max(map(len, self._clips))
            raise DataError(
                f"the longest clip of {self.name} has {longest} frames, and {length} were asked for"
            )
        return self._parts(places[rng.integers(len(places), size=n)], length)

    def _starts(self, length: int) -> np.ndarray:
        """(K, 2): a clip's number and a frame's, of each part of that length."""
        found = [(i, t) for i, c in enumerate(self._clips) for t in range(len(c) - length + 1)]
        return np.array(found, int).reshape(-1, 2)

    def _parts(self, places: np.ndarray, length: int) -> np.ndarray:
        """float32 (N, length, H, W, C)."""
        return to_float(np.stack([self._clips[i][t : t + length] for i, t in places]))


def open(path: Path, options: PairOptions, frames: int) -> ClipsInMemory:
    """The clips in `path`. Without a size all frames must have one.

    Raises DataError where there are no clips, or their sizes differ; a clip with an unreadable
    frame is left out with a DataWarning, or refused with `options.strict`. OptionError for a test
    split that is not there.
    """
    if path.is_dir():
        if all((path / split).is_dir() for split in get_args(Split)):
            path = path / options.split
        elif options.split == "test":
            raise OptionError(
                f"{path} holds no separate test split; put clips into folders called train and test"
            )
    return ClipsInMemory(str(path), read(path, options), options, frames)


def read(path: Path, options: PairOptions) -> list[Clip]:
    """Every clip at `path`: one animation, the frames of one folder, or a folder of these.

    All are uint8 with one size and as many channels. Raises as `open`.
    """
    found = sources(path)
    size, channels = options.size, options.channels[1]
    clips, failures = [], []
    for name, files in found.items():
        try:
            images = _animation(files[0]) if len(files) == 1 else map(open_upright, files)
            frames = [fit(image, size, channels) for image in images]
            clips.append(Clip(name, stack(files[0].parent, frames)))
        except DataError:
            raise
        except Exception as error:  # see folder.decode
            failures.append(f"{name} ({error})")
    if failures:
        said = (
            f"{path}: {len(failures)} of {len(found)} clips cannot be read and are left out: "
            f"{', '.join(failures[:SHOWN])}; repair or remove them"
        )
        if options.strict or not clips:
            raise DataError(said)
        warnings.warn(said, DataWarning, stacklevel=4)
    counts = [len(clip.frames) for clip in clips]
    whole = stack(path, [frame for clip in clips for frame in clip.frames])
    parts = np.split(whole, np.cumsum(counts)[:-1])
    return [Clip(clip.name, part) for clip, part in zip(clips, parts, strict=True)]


def sources(path: Path) -> dict[str, list[Path]]:
    """Files of each clip by its name: an animation, or the frames of a folder in their order.

    Raises DataError where there are none.
    """
    if path.is_file():
        return {path.stem: [path]}
    clips: dict[str, list[Path]] = {}
    for file in picture_files(path):
        parent = file.parent.relative_to(path).as_posix()
        moving = file.suffix.lower() in ANIMATED and _moves(file)
        name = file.relative_to(path).with_suffix("").as_posix() if moving else parent
        clips.setdefault(path.name if name == "." else name, []).append(file)
    if not clips:
        raise DataError(
            f"no clips in {path}: put folders of numbered frames into it, or animated GIFs"
        )
    return {name: sorted(files, key=by_number) for name, files in sorted(clips.items())}


def by_number(file: Path) -> list[tuple[int, str]]:
    """A key that puts frame 10 behind frame 9: numbers in a name count as numbers."""
    parts = re.split(r"(\d+)", file.stem)
    return [(int(p), "") if p.isdecimal() else (-1, p) for p in parts]


def _moves(file: Path) -> bool:
    """Whether it is an animation; of a damaged file, no."""
    try:
        with Image.open(file) as image:
            return bool(getattr(image, "is_animated", False))
    except Exception:  # see folder.decode; whoever reads it says so
        return False


def _animation(file: Path) -> list[Image.Image]:
    """Every frame of one file, in mode "L" or "RGB"."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        with Image.open(file) as image:
            return [flatten(frame.copy()) for frame in ImageSequence.Iterator(image)]
