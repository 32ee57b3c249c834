"""A whole training step as one graph: captured once, then replayed with a single launch.

A step of a small GAN launches some hundred kernels, each of which costs the processor longer than
the card. A graph holds them all. What the step decides in Python is decided once, when it is
captured; numbers that the step passes to kernels are frozen with it. What must move from step to
step therefore lives in the card's memory and is written before each replay: `before_each_step` and
`step_value` say what.

    before_each_step(work)   `work` now; captured: before each replay
    step_value(f, like)      f() as a number; captured: an array that holds f() of each replay

Memory belongs to the graph: examples and labels come in through buffers of its own, its scalars
stay where they are, so nothing grows however long it runs.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import minigan
from minigan.backend import Array, array_module, on_cuda, overwrite
from minigan.cuda.launcher import current_runtime
from minigan.errors import CaptureError, MiniganError

Step = Callable[..., dict[str, Any]]

_capturing: list[Callable[[], None]] | None = None


class StepGraph:
    """`step(*arrays)` of arrays on a card, captured for arrays of these shapes."""

    def __init__(self, step: Step, *arrays: Array, constants: bool = False) -> None:
        """Captures the step, which must have run before: nothing may be compiled meanwhile.

        Nothing of it is done yet. `constants` says that numbers of the host among the scalars are
        the same in all steps that the graph stands for. Raises CaptureError naming the line that
        cannot be captured, or such a number.
        """
        global _capturing
        if _capturing is not None:
            raise CaptureError("a step is being captured already")
        self._arrays = [array_module(a).empty(a.shape, a.dtype) for a in arrays]
        self._before: list[Callable[[], None]] = []
        _capturing = self._before
        try:
            with current_runtime().capture() as self._graph:
                self.scalars = step(*self._arrays)
        except (MiniganError, MemoryError):
            raise
        except Exception as error:
            raise CaptureError(_where(error)) from error
        finally:
            _capturing = None
        for name, value in self.scalars.items():
            if not on_cuda(value) and not constants:
                raise CaptureError(
                    f"the step's {name} is a number of the host, which a graph would repeat; "
                    "return it through backend.scalar, or run with --no-graph"
                )

    def __call__(self, *arrays: Array) -> dict[str, Any]:
        """Do the step with these arrays; its scalars, in arrays that the next call overwrites."""
        for work in self._before:
            work()
        for mine, given in zip(self._arrays, arrays, strict=True):
            overwrite(mine, given)
        self._graph.replay()
        return self.scalars


def before_each_step(work: Callable[[], None]) -> None:
    """Do `work` on the host now; while a step is captured, before each of its replays instead."""
    if _capturing is None:
        work()
    else:
        _capturing.append(work)


def step_value(value: Callable[[], float], like: Array) -> Any:
    """value() as a number of like's dtype; on a card it stands in an array without axes."""
    if not on_cuda(like):
        return like.dtype.type(value())
    cell = array_module(like).empty((), like.dtype)
    before_each_step(lambda: cell.fill(value()))
    return cell


def _where(error: Exception) -> str:
    """One line: what failed, and the innermost line of minigan that it failed in."""
    package = Path(minigan.__file__).parent
    frames = [
        f for f in traceback.extract_tb(error.__traceback__) if package in Path(f.filename).parents
    ]
    inner = frames[-1]
    place = Path(inner.filename).relative_to(package.parent)
    return (
        f"the step cannot be captured as a graph: {inner.name} ({place}:{inner.lineno}) "
        f"failed with {type(error).__name__}: {error}; run with --no-graph"
    )
