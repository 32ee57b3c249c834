"""Folders of pictures as `--data` reads them, with a notice of where they come from."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from minigan.data.make.packages import Package
from minigan.errors import OptionError

HELD_OUT = 10  # every so many go to the test split


class Writer:
    """Writes below `out`, which is empty or does not exist; counts pictures by their folder.

    Raises OptionError for a folder that holds something.
    """

    def __init__(self, out: Path) -> None:
        if out.exists() and (not out.is_dir() or any(out.iterdir())):
            raise OptionError(f"{out} exists already; give another --out")
        self._out = out
        self.counts: dict[str, int] = {}

    def picture(self, name: str, image: Image.Image) -> None:
        """A picture by its path, such as "trainA/wave.png"; transparency goes over white."""
        if image.mode not in ("L", "RGB"):
            paper = Image.new("RGBA", image.size, "white")
            paper.alpha_composite(image.convert("RGBA"))
            image = paper.convert("RGB")
        path = self._out / name
        path.parent.mkdir(parents=True, exist_ok=True)
        image.save(path)
        folder = name.partition("/")[0]
        self.counts[folder] = self.counts.get(folder, 0) + 1

    def sound(self, name: str, content: bytes, counted: str) -> None:
        """A WAV file by its path, such as "train/clean/hello.wav"; `counted` says as what."""
        path = self._out / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        self.counts[counted] = self.counts.get(counted, 0) + 1

    def json(self, name: str, data: dict[str, Any]) -> None:
        """`data` as JSON by its path, such as "landmarks.json"."""
        self._text(name, json.dumps(data, indent=0, ensure_ascii=False))

    def arrays(self, name: str, **arrays: np.ndarray) -> None:
        """Arrays by their names in an .npz by its path, such as "tunes.npz"."""
        path = self._out / name
        path.parent.mkdir(parents=True, exist_ok=True)
        np.savez_compressed(path, allow_pickle=False, **arrays)

    def notice(self, what: str, packages: Iterable[Package]) -> None:
        """NOTICE: whose pictures these are, under which licence, and what was changed."""
        lines = [what, "", *(f"{p} ({p.index}): {p.licence}" for p in packages)]
        self._text("NOTICE", "\n".join(lines))

    def _text(self, name: str, text: str) -> None:
        path = self._out / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text + "\n", encoding="utf-8")


def split_of(i: int) -> str:
    """Whether the i-th is for training or held out."""
    return "test" if i % HELD_OUT == 0 else "train"
