"""One side's process: `python -m bench.worker SIDE THREADS WHERE`.

It takes a JSON request a line and gives a JSON answer a line. SIDE is "ours" or a peer, WHERE the
fields of a `Where`.

Neither side's allocator, threads or caches are then in the other's way.
"""

from __future__ import annotations

import gc
import json
import os
import sys
import traceback
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any


class Server:
    """Answers requests; holds the one thing that is being measured."""

    def __init__(self, side: str, threads: int, where: Sequence[Any] = ()) -> None:
        # Imported late: a library counts the processors when it is loaded.
        from bench.where import Where

        self.side, self.threads, self.where = side, threads, Where(*where)
        self.subject: Any = None
        if side == "ours":
            import numpy as np

            np.seterr(over="ignore", divide="ignore", invalid="ignore")  # as the training loop

    @cached_property
    def timer(self) -> Any:
        """Made at the first request, so that a card which is missing is its answer."""
        from bench.timing import timer_for

        return timer_for(self.where, self.side)

    def facts(self) -> dict[str, str]:
        """The card and the libraries that use it, as this side shows them."""
        from bench.cards import card_of

        return card_of(self.side).facts()

    def choose(self, work: dict[str, Any]) -> dict[str, str]:
        """PyTorch's fastest ways for this work."""
        from bench.peers.choose import choose
        from bench.work import Work

        return choose(Work.from_json(work), self.threads)

    def step(self, work: dict[str, Any], choices: dict[str, str] | None = None) -> Any:
        """Build a step; its notes."""
        from bench.work import Work

        self.subject = None
        self.subject = build_step(
            self.side, self.threads, Work.from_json(work), choices, self.where
        )
        return self.subject.notes

    def op(self, case: dict[str, Any]) -> Any:
        """Build one operation; its notes."""
        from bench.ops import Case

        self.subject = None
        if self.side == "ours":
            from bench import ops_ours

            self.subject = ops_ours.build(Case(**case), self.threads, self.where)
        else:
            from bench.peers import ops

            self.subject = ops.build(Case(**case), self.threads, self.where)
        return self.subject.notes

    def trace(self, out: str, precision: str, start: str | None = None) -> None:
        """Write the trace of what was built, computed in a precision."""
        with self.subject.computing(precision):
            self.subject.write_trace(Path(out), start and Path(start))

    def outputs(self, out: str) -> None:
        self.subject.write_outputs(Path(out))

    def first(self) -> float:
        """Seconds of the first call."""
        return self.timer.seconds(self.subject.run)

    def calibrate(self, warm: float, sample: float) -> tuple[int, float]:
        from bench.timing import calibrate

        return calibrate(self.timer, self.subject.run, warm=warm, sample=sample)

    def seconds(self, calls: int) -> float:
        """Seconds of one sample, which begins without garbage, for one of what a run does."""
        gc.collect()
        return float(self.timer.seconds(self.subject.run, calls)) / self.subject.per_run

    def rates(self) -> dict[str, float]:
        """This machine's rates as this side's libraries reach them."""
        from bench.roofline import measure_rates

        return measure_rates(self.side, self.threads, self.where)

    def memory(self, **how: Any) -> dict[str, Any]:
        from bench.memory import measure

        return measure(self.side, self.threads, where=self.where, **how)

    def profile(self, calls: int) -> dict[str, float]:
        from bench.profiling import profile

        return profile(self.subject.run, calls)


def build_step(
    side: str, threads: int, work: Any, choices: dict[str, str] | None, where: Any
) -> Any:
    """The step of one side."""
    if side == "ours":
        from bench.steps import OurStep

        return OurStep(work, threads, where)
    from bench.peers.step import TorchStep

    return TorchStep(work, side, threads, choices, where)


def main() -> None:
    side, threads, where = sys.argv[1], int(sys.argv[2]), json.loads(sys.argv[3])
    if hasattr(os, "sched_setaffinity"):
        usable = sorted(os.sched_getaffinity(0))
        os.sched_setaffinity(0, usable[:threads])
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what a library prints is not an answer
    server = Server(side, threads, where)
    for line in sys.stdin:
        request = json.loads(line)
        try:
            answer = {"answer": getattr(server, request.pop("do"))(**request)}
        except Exception as error:
            from bench.errors import Unavailable
            from minigan.errors import DeviceError

            answer = {"error": f"{type(error).__name__}: {error}"}
            if isinstance(error, Unavailable):
                answer = {"unavailable": str(error)}
            elif isinstance(error, DeviceError):
                answer = {"refused": str(error)}
            elif isinstance(error, ModuleNotFoundError) and error.name == "torch":
                answer = {"unavailable": "torch is not installed; pip install -e '.[bench]'"}
            else:
                traceback.print_exc()
        answers.write(json.dumps(answer) + "\n")
        answers.flush()


if __name__ == "__main__":
    main()
