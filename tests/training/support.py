"""Small runs through the real command line, and what they leave."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from shlex import split
from types import TracebackType
from typing import Any, NamedTuple

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from minigan.cli import main
from minigan.parallel import use_threads

COMMAND = (sys.executable, "-m", "minigan")

# A few milliseconds a step; every kind of state that a checkpoint must hold: batch norm's
# statistics, dropout's masks, moving averages, optimiser moments.
DCGAN = split("dcgan --data kittens --size 16 --width 4 --z-dim 8 --batch 8")
MLP = split(
    "gan --hidden-G 16 --hidden-D 12,8 --pieces 3 --dropout 0.5 --lr 0.01"
    " --z-dim 4 --batch 8 --k 2 --ema 0.9"
)
OFTEN = split("--log-every 1 --sample-every 2 --checkpoint-every 2 --keep 4")
POINTS = split("gan --data ring --hidden-G 8 --hidden-D 8 --z-dim 2 --batch 16")


def write_pictures(path: Path, n: int = 60, shape: tuple[int, ...] = (8, 8, 1)) -> Path:
    """An npz archive of n random pictures."""
    pixels = np.random.default_rng(0).integers(256, size=(n, *shape), dtype=np.uint8)
    np.savez(path, x=pixels)
    return path


class Finished(NamedTuple):
    """How a command ended."""

    code: int
    out: str
    err: str


def call(capsys: pytest.CaptureFixture[str], *arguments: object) -> Finished:
    """The command line in this process."""
    capsys.readouterr()
    code = execute(*arguments)
    out, err = capsys.readouterr()
    return Finished(code, out, err)


def leave(*arguments: object) -> None:
    """The command line in this process, for what it leaves; it must succeed."""
    assert execute(*arguments) == 0


def execute(*arguments: object) -> int:
    """The exit code of the command line in this process, which stays as it was."""
    with threadpool_limits(), pytest.raises(SystemExit) as exit:  # puts BLAS back
        main([str(a) for a in arguments])
    use_threads(1)
    return int(exit.value.code or 0)


def start(*arguments: object, **how: Any) -> subprocess.Popen[str]:
    """The command line in a process of its own, its output in pipes."""
    with heard(signal.SIGINT, signal.SIGHUP):
        return subprocess.Popen(
            [*COMMAND, *map(str, arguments)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            **how,
        )


@contextmanager
def heard(*numbers: int) -> Iterator[None]:
    """Processes that are started within hear these signals, which nohup and & have them ignore."""
    before = {number: signal.signal(number, signal.SIG_DFL) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def finish(process: subprocess.Popen[str]) -> Finished:
    """Wait for its end."""
    out, err = process.communicate()
    return Finished(process.returncode, out, err)


def run(*arguments: object, **how: Any) -> Finished:
    """The command line in a process of its own, to its end."""
    return finish(start(*arguments, **how))


def wait(process: subprocess.Popen[str], condition: Callable[[], bool]) -> bool:
    """Wait until the condition holds, looking often; False if the process ended before."""
    while not condition():
        if process.poll() is not None:
            return False
        time.sleep(0.001)
    return True


def error_line(err: str) -> str:
    """The message of an error: the one line of standard error that is not progress or a warning."""
    lines = [x for x in err.splitlines() if x and not x.startswith(("step ", "warning: "))]
    assert len(lines) == 1, err
    assert lines[0].startswith("minigan: error: "), err
    return lines[0].removeprefix("minigan: error: ")


def records(folder: Path) -> list[dict[str, Any]]:
    """The log, without what two runs cannot share."""
    lines = (folder / "log.jsonl").read_text().splitlines()
    return [{k: v for k, v in json.loads(line).items() if k != "seconds"} for line in lines]


def contents(folder: Path) -> dict[str, Any]:
    """Everything that a run left, byte for byte, but for the seconds in the log."""
    found: dict[str, Any] = {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.name not in (".lock", "log.jsonl")
    }
    return found | {"log.jsonl": records(folder)}


def assert_same_run(folder: Path, unbroken: Path) -> None:
    """Both folders hold the same files with the same bytes."""
    mine, other = contents(folder), contents(unbroken)
    assert mine.keys() == other.keys()
    assert [name for name in mine if mine[name] != other[name]] == []


def numbers(folder: Path, pattern: str) -> list[int]:
    """The steps of the files of a run that match, e.g. "checkpoints/*.json"."""
    return sorted(int(path.stem.removeprefix("step_")) for path in folder.glob(pattern))


class Disturbed:
    """Runs commands, each in a fork of one process, and does something to one of them.

    The operations that change a file below `folder` (open for writing, rename, remove, make a
    folder) are counted; just before the one of number `at` the process is sent the signal `what`,
    or the operation fails with the error number -`what`, as on a full disk.
    """

    SERVER = Path(__file__).with_name("disturbed.py")

    def __enter__(self) -> "Disturbed":
        with heard(signal.SIGINT):
            self._process = subprocess.Popen(
                [sys.executable, self.SERVER],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
                # A fork while other threads compute is no safe thing.
                env={**os.environ, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"},
            )
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._process.stdin.close()
        self._process.stdout.close()
        self._process.wait()

    def __call__(
        self, folder: Path, *arguments: object, at: tuple[int, ...] = (), what: int = 0
    ) -> "Counted":
        """Run a command; returns how it ended and how many operations it counted."""
        order = {"folder": str(folder), "at": at, "what": what}
        order["arguments"] = [str(a) for a in arguments]
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        return Counted(**json.loads(self._process.stdout.readline()))


class Counted(NamedTuple):
    """A command's exit code (minus the signal that ended it), operations and standard error."""

    code: int
    operations: int
    err: str
