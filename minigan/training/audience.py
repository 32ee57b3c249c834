"""Standard error for as long as somebody reads it: a training does not end with its audience."""

from __future__ import annotations

import contextlib
import os
from typing import Any, TextIO, cast


def audience(stream: TextIO) -> TextIO:
    """The stream, but that its reader may go away: a closed pipe, a terminal that is gone.

    What is written then is passed over, here and wherever else the process writes to that file
    descriptor.
    """
    return cast(TextIO, _Audience(stream))


def nowhere() -> TextIO:
    """A stream that nobody reads."""
    return open(os.devnull, "w", encoding="utf-8")


class _Audience:
    """Everything but `write` and `flush` is the stream's own."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        try:
            return self._stream.write(text)
        except OSError:
            self._leave()
            return len(text)

    def flush(self) -> None:
        try:
            self._stream.flush()
        except OSError:
            self._leave()

    def _leave(self) -> None:
        with contextlib.suppress(OSError), nowhere() as file:  # streams in memory have no number
            os.dup2(file.fileno(), self._stream.fileno())
