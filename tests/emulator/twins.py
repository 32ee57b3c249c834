"""The same operation on NumPy's arrays and on the card's, side by side."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import settings

from tests.emulator import build
from tests.emulator.arrays import EmulatedArray, emulated

# Rounding errors of a few operations, of sums up to some thousand numbers; relative to the largest.
TOLERANCE = {np.dtype(np.float32): 2e-6, np.dtype(np.float64): 1e-12}


def on_card(value: Any) -> Any:
    """Every NumPy array in value, copied to the card."""
    if isinstance(value, np.ndarray):
        return emulated.asarray(value)
    if isinstance(value, tuple | list):
        return type(value)(on_card(v) for v in value)
    return value


def on_host(value: Any) -> Any:
    """Every array of the card in value, copied back."""
    if isinstance(value, EmulatedArray):
        return value.get()
    if isinstance(value, tuple | list):
        return type(value)(on_host(v) for v in value)
    return value


def assert_close(ours: np.ndarray, theirs: np.ndarray, factor: float = 1.0, terms: int = 0) -> None:
    """Same shape, dtype and, within TOLERANCE of the largest number, values.

    Of sums of `terms` numbers about 1, a cancelled one is as exact as an ordinary one.
    """
    assert ours.shape == theirs.shape
    assert ours.dtype == theirs.dtype
    if theirs.dtype.kind != "f":
        np.testing.assert_array_equal(ours, theirs)
        return
    assert np.isfinite(ours).all()
    scale = max(1e-30, terms**0.5, float(np.abs(theirs).max(initial=0)))
    error = float(np.abs(ours - theirs).max(initial=0)) / scale
    assert error <= factor * TOLERANCE[theirs.dtype], f"relative error {error:.2e}"


def assert_same(function: Any, *args: Any, factor: float = 1.0, terms: int = 0) -> Any:
    """The host's function(*args), after the card's was seen to agree and args to be unchanged."""
    theirs = function(*args)
    given = on_card(args)
    ours = on_host(function(*given))
    several = isinstance(theirs, tuple)
    for a, b in zip(ours if several else [ours], theirs if several else [theirs], strict=True):
        assert_close(np.asarray(a), np.asarray(b), factor, terms)
    for before, after in zip(args, on_host(given), strict=True):
        if isinstance(before, np.ndarray):
            np.testing.assert_array_equal(before, after)
    return theirs


def examples(count: int) -> settings:
    """Settings for `count` of hypothesis's examples; fewer in the slow pass under a sanitizer."""
    return settings(
        max_examples=3 if build.SANITIZING else count,
        deadline=None,
        derandomize=True,
        database=None,
    )
