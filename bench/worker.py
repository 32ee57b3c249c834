"""One side's process: `python -m bench.worker SIDE THREADS`, one JSON request and answer a line.

Neither side's allocator, threads or caches are then in the other's way. SIDE is "ours" or a peer.
"""

from __future__ import annotations

import gc
import json
import os
import sys
import traceback
from pathlib import Path
from typing import Any


class Server:
    """Answers requests; holds the one thing that is being measured."""

    def __init__(self, side: str, threads: int) -> None:
        # Imported late: a library counts the processors when it is loaded.
        from bench.timing import Timer

        self.side, self.threads = side, threads
        self.timer = Timer()
        self.subject: Any = None
        if side == "ours":
            import numpy as np

            np.seterr(over="ignore", divide="ignore", invalid="ignore")  # as the training loop

    def choose(self, work: dict[str, Any]) -> dict[str, str]:
        """PyTorch's fastest ways for this work."""
        from bench.peers.choose import choose
        from bench.work import Work

        return choose(Work.from_json(work), self.threads)

    def step(self, work: dict[str, Any], choices: dict[str, str] | None = None) -> Any:
        """Build a step; its notes."""
        from bench.work import Work

        self.subject = None
        described = Work.from_json(work)
        if self.side == "ours":
            from bench.steps import OurStep

            self.subject = OurStep(described, self.threads)
        else:
            from bench.peers.step import TorchStep

            self.subject = TorchStep(described, self.side, self.threads, choices)
        return self.subject.notes

    def op(self, case: dict[str, Any]) -> Any:
        """Build one operation; its notes."""
        from bench.ops import Case

        self.subject = None
        if self.side == "ours":
            from bench import ops_ours

            self.subject = ops_ours.build(Case(**case), self.threads)
        else:
            from bench.peers import ops

            self.subject = ops.build(Case(**case), self.threads)
        return self.subject.notes

    def trace(self, out: str, start: str | None = None) -> None:
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
        """Seconds of one sample, which begins without garbage."""
        gc.collect()
        return self.timer.seconds(self.subject.run, calls)

    def rates(self) -> dict[str, float]:
        """This machine's rates as this side's libraries reach them."""
        from bench.roofline import measure_rates

        return measure_rates(self.side, self.threads)

    def memory(self, **how: Any) -> dict[str, Any]:
        from bench.memory import measure

        return measure(self.side, self.threads, **how)

    def profile(self, calls: int) -> dict[str, float]:
        from bench.profiling import profile

        return profile(self.subject.run, calls)


def main() -> None:
    side, threads = sys.argv[1], int(sys.argv[2])
    if hasattr(os, "sched_setaffinity"):
        usable = sorted(os.sched_getaffinity(0))
        os.sched_setaffinity(0, usable[:threads])
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what a library prints is not an answer
    server = Server(side, threads)
    for line in sys.stdin:
        request = json.loads(line)
        try:
            answer = {"answer": getattr(server, request.pop("do"))(**request)}
        except Exception as error:
            from bench.errors import Unavailable

            answer = {"error": f"{type(error).__name__}: {error}"}
            if isinstance(error, Unavailable):
                answer = {"unavailable": str(error)}
            elif isinstance(error, ModuleNotFoundError) and error.name == "torch":
                answer = {"unavailable": "torch is not installed; pip install -e '.[bench]'"}
            else:
                traceback.print_exc()
        answers.write(json.dumps(answer) + "\n")
        answers.flush()


if __name__ == "__main__":
    main()
