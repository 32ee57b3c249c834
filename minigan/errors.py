"""Errors a user can act on.

Each message says what was given, what is allowed and what to do. The command line prints such an
error as one line and exits with a non-zero code; `--debug` adds the traceback.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class MiniganError(Exception):
    """Base of every error that minigan raises on purpose."""


class ShapeError(MiniganError, ValueError):
    """An array of the wrong shape or dtype reached a layer."""

    def within(self, name: str) -> ShapeError:
        """The same error with the path of the enclosing container in front."""
        return ShapeError(f"{name} > {self}")


class OptionError(MiniganError, ValueError):
    """An option or argument outside what is allowed."""


class UnknownNameError(MiniganError, KeyError):
    """A name that is not in a table; the nearest known names are offered."""

    def __init__(self, kind: str, given: str, known: Iterable[str]) -> None:
        known = sorted(known)
        near = [name for name in known if name.lower() == given.lower()]
        near = near or difflib.get_close_matches(given, known, n=2, cutoff=0.5)
        hint = f"did you mean {' or '.join(map(repr, near))}? " if near else ""
        super().__init__(f"unknown {kind} {given!r}; {hint}known: {', '.join(known)}")

    def __str__(self) -> str:  # KeyError would print the repr
        return str(self.args[0])


class DataError(MiniganError, ValueError):
    """Data that is missing, unreadable or unusable."""


class CheckpointError(MiniganError):
    """A checkpoint that is missing, damaged or of another architecture."""


class StaleContextError(MiniganError, RuntimeError):
    """backward met parameters that an optimiser changed after the forward pass."""


class NoSecondDerivativeError(MiniganError, NotImplementedError):
    """A layer without `double_backward` stood under a gradient penalty."""


class NonFiniteError(MiniganError, ArithmeticError):
    """A loss or gradient became NaN or infinite."""


class DeviceError(MiniganError, RuntimeError):
    """A device that was asked for is not there."""


class KernelError(MiniganError, RuntimeError):
    """A CUDA kernel that does not exist, does not compile or was given what it cannot take."""


class CaptureError(MiniganError, RuntimeError):
    """A training step that cannot be captured as a graph."""


class NoCudaError(MiniganError, NotImplementedError):
    """An operation that has no CUDA version met an array on a card."""
