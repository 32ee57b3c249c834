"""Prompts that a telephone exchange speaks: clean speech, to lay noise over (noises.py)."""

from __future__ import annotations

import io
from pathlib import PurePosixPath

import numpy as np
from scipy.io import wavfile

from minigan.data.make.packages import Files, Package
from minigan.data.make.writing import Writer, split_of
from minigan.errors import DataError

PROMPTS = Package(
    "debian",
    "asterisk-core-sounds-en-wav",
    "1.6.1-1",
    "Asterisk core sounds, spoken by Allison Smith, copyright Digium Inc., CC-BY-SA 3.0, "
    "https://creativecommons.org/licenses/by-sa/3.0/",
)
SILENT = 300  # of 32768, the loudest sample of a prompt that says nothing


def make_speech(files: dict[Package, Files], writer: Writer, size: int) -> None:
    """train/clean and test/clean, every tenth prompt in the second; those of silence left out.

    Raises DataError for a package without prompts.
    """
    own = files[PROMPTS]
    spoken = [name for name in own.names() if name.endswith(".wav")]
    if not spoken:
        raise DataError(f"{PROMPTS} holds no prompts")
    said = [(name, own.read(name)) for name in spoken]
    heard = [(name, content) for name, content in said if _loudest(content) > SILENT]
    for i, (name, content) in enumerate(heard):
        *_, folder, file = PurePosixPath(name).parts
        split = split_of(i)
        counted = "prompts to train with" if split == "train" else "held out"
        writer.sound(f"{split}/clean/{folder}-{file}", content, counted)


def _loudest(content: bytes) -> int:
    _, x = wavfile.read(io.BytesIO(content))
    return int(np.abs(x.astype(np.int64)).max(initial=0))
