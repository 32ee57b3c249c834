"""What the command line says of errors and warnings, and the exit code."""

from __future__ import annotations

import errno
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import click

from minigan.cuda.failures import explained
from minigan.data import DataWarning
from minigan.errors import MiniganError


def guarded(command: Callable[[], Any], debug: bool) -> int:
    """The exit code of a command; an error is one line on standard error, unless in `debug`."""
    try:
        result = command()
        return result if isinstance(result, int) else 0
    except (KeyboardInterrupt, click.exceptions.Abort):
        print("minigan: interrupted", file=sys.stderr)
        return 130
    except Exception as error:
        if debug:
            raise
        known = _message(error)
        if known is None:
            raise
        print(f"minigan: error: {_one_line(known)}", file=sys.stderr)
        return 2 if isinstance(error, click.UsageError) else 1


def _message(error: Exception) -> str | None:
    """What to say of an error that a user can act on, None for a fault of minigan."""
    if isinstance(error, MiniganError):
        return str(error)
    if isinstance(error, click.UsageError):
        where = f" (see {error.ctx.command_path} --help)" if error.ctx else ""
        return error.format_message() + where
    if isinstance(error, OSError):
        place = f"{error.filename}: " if error.filename else ""
        return f"{place}{error.strerror or error}; {_advice(error.errno)}"
    if device_failure := explained(error):
        return device_failure
    if isinstance(error, MemoryError):
        why = f": {error}" if str(error) else ""
        return f"not enough memory{why}; try a smaller --batch, --width, --size or --n"
    return None


def _advice(number: int | None) -> str:
    """What to do about an error of the system."""
    if number in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return "free some space and try again; a training goes on with `minigan resume`"
    if number in (errno.EACCES, errno.EPERM, errno.EROFS):
        return "change who may read and write there, or choose another place"
    return "choose another place"


@contextmanager
def warnings_as_lines() -> Iterator[None]:
    """Warnings about data as a line each; others as Python shows them."""
    with warnings.catch_warnings():
        others = warnings.showwarning

        def show(message: Warning | str, category: type[Warning], *where: Any) -> None:
            if issubclass(category, DataWarning):
                print(f"warning: {_one_line(str(message))}", file=sys.stderr)
            else:
                others(message, category, *where)

        warnings.simplefilter("always", DataWarning)
        warnings.showwarning = show  # type: ignore[assignment]
        yield


def _one_line(text: str) -> str:
    return " ".join(text.split())
