"""Files that are either whole or not there, whatever interrupts the writing."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

from minigan.errors import OptionError

UNFINISHED = ".unfinished"
LOCK = ".lock"


def write_atomically(path: Path, data: bytes) -> None:
    """Write, flush to the disk, rename. `path` holds the old content or the new, never a part.

    Raises OSError, with nothing left behind, where the disk is full or the folder unwritable.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(path.name + UNFINISHED)
    try:
        with naming(path), open(unfinished, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
            os.replace(unfinished, path)
    except BaseException:
        with contextlib.suppress(OSError):
            unfinished.unlink()
        raise
    folder = os.open(path.parent, os.O_RDONLY)  # the rename itself must reach the disk too
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def check_place(path: Path) -> None:
    """Raise OSError where no file can be written at `path`: to be called before the work."""
    folder = next(parent for parent in path.absolute().parents if parent.exists())
    if path.is_dir():
        raise _failure(errno.EISDIR, path)
    if not folder.is_dir():
        raise _failure(errno.ENOTDIR, folder)
    if not os.access(folder, os.W_OK | os.X_OK):
        raise _failure(errno.EACCES, folder)


def _failure(number: int, path: Path) -> OSError:
    return OSError(number, os.strerror(number), str(path))


@contextlib.contextmanager
def naming(path: Path) -> Iterator[None]:
    """An OSError of the block names `path`: that of a failed write names no file."""
    try:
        yield
    except OSError as error:
        error.filename = str(path)
        raise


def remove_unfinished(folder: Path) -> None:
    """Remove what a killed process was writing."""
    for path in folder.rglob("*" + UNFINISHED):
        path.unlink()


@contextlib.contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold the run for this process alone; the system lets go of it even after a SIGKILL.

    Raises OptionError where another process holds it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / LOCK, "w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise OptionError(f"{folder} is being trained by another process") from None
        yield
