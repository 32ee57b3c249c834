"""The parent's end of a worker process."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import tempfile
from types import TracebackType
from typing import Any, Self

from bench.errors import BenchError, Unavailable
from bench.machine import ROOT
from bench.where import CPU, Where


class Worker:
    """A process that is one side of a comparison, with its own threads and memory."""

    def __init__(self, side: str, threads: int, where: Where = CPU) -> None:
        self.side = side
        # A fresh cache: the first call of a compiled peer is then the first call.
        self.folder = tempfile.TemporaryDirectory(prefix="bench-")
        counts = dict.fromkeys(
            ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), str(threads)
        )
        self.process = subprocess.Popen(
            [sys.executable, "-m", "bench.worker", side, str(threads), json.dumps(where)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=ROOT,
            env=os.environ | counts | {"TORCHINDUCTOR_CACHE_DIR": self.folder.name},
            text=True,
        )

    def ask(self, do: str, **arguments: Any) -> Any:
        """The answer to one request. Raises Unavailable or BenchError."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        try:
            self.process.stdin.write(json.dumps({"do": do, **arguments}) + "\n")
            self.process.stdin.flush()
            line = self.process.stdout.readline()
        except BrokenPipeError:
            line = ""
        if not line:
            code = self.process.wait()
            raise BenchError(f"the process of {self.side} ended with {code} while asked to {do}")
        answer = json.loads(line)
        if "refused" in answer:
            raise BenchError(answer["refused"])
        if "unavailable" in answer:
            raise Unavailable(answer["unavailable"])
        if "error" in answer:
            raise BenchError(f"{self.side} could not {do}: {answer['error']}")
        return answer["answer"]

    def seconds(self, calls: int) -> float:
        """Seconds that so many calls of what was built took."""
        return float(self.ask("seconds", calls=calls))

    def close(self) -> None:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.close()
        try:
            self.process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()
        self.folder.cleanup()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is not None:
            self.process.kill()
        self.close()
