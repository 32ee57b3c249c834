"""What a user may ask of any data set, and how one refuses what it cannot honour."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from minigan.errors import OptionError

Split = Literal["train", "test"]
Channels = Literal[1, 3]
LONGEST = 8192  # pixels of a side: a slip of the keyboard is refused before memory runs out


def place(path: str) -> Path:
    """What the user calls `path`: ~ is a home folder, where there is one."""
    return Path(os.path.expanduser(path))


@dataclass(frozen=True)
class Options:
    """The checked arguments of `open_data`.

    size      (height, width) in pixels, or None for the data's own
    channels  1 (luminance) or 3, or None for the data's own
    split     "train", or "test" for examples that "train" never gives
    strict    refuse damaged files instead of skipping them
    """

    size: tuple[int, int] | None = None
    channels: Channels | None = None
    split: Split = "train"
    strict: bool = False

    @classmethod
    def checked(
        cls,
        size: int | tuple[int, int] | None,
        channels: int | None,
        split: str,
        strict: bool,
    ) -> Options:
        """Options from what a user typed. Raises OptionError."""
        sides = (size, size) if isinstance(size, int) else size
        if sides is not None and (
            len(sides) != 2
            or not all(isinstance(side, int) and 1 <= side <= LONGEST for side in sides)
        ):
            raise OptionError(
                f"size {'x'.join(map(str, sides))}: give one side or (height, width) in whole "
                f"pixels, 1 to {LONGEST}"
            )
        if channels not in (None, *get_args(Channels)):
            raise OptionError(f"channels {channels}: give 1 (grey) or 3 (colour)")
        if split not in get_args(Split):
            raise OptionError(f"split {split!r}: give 'train' or 'test'")
        return cls(sides, channels, split, strict)  # type: ignore[arg-type]

    def refuse_picture_options(self, name: str) -> None:
        """For a data set of points. Raises OptionError when a size or channels were asked for."""
        if self.size is not None or self.channels is not None:
            asked = "--size" if self.size is not None else "--channels"
            raise OptionError(
                f"{name} holds points, not pictures, so it has no {asked}; leave {asked} out"
            )

    def refuse_test_split(self, name: str, what_to_do: str) -> None:
        """For data that knows no split. Raises OptionError when "test" was asked for."""
        if self.split == "test":
            raise OptionError(f"{name} holds no separate test split; {what_to_do}")
