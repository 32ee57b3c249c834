"""A run stopped before any one of its file operations goes on as if it had not been."""

import errno
import random
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path
from shlex import split
from typing import NamedTuple

import pytest
from safetensors.numpy import save

from minigan.training.checkpoint import load
from tests.training.support import (
    DCGAN,
    MLP,
    Disturbed,
    assert_same_run,
    error_line,
    records,
    write_pictures,
)

# Every step is logged and stored, every second one is drawn, so that each kind of file operation
# comes before and after each other one.
OFTEN = split("--steps 4 --log-every 1 --sample-every 2 --checkpoint-every 1 --keep 2")
# Both runs go through the same operations: one is stopped before the odd ones, the other before
# the even ones.
RUNS = {"dcgan": (DCGAN, 1), "gan": (MLP, 2)}


@pytest.fixture(scope="module")
def disturbed() -> Iterator[Disturbed]:
    with Disturbed() as process:
        yield process


class Case(NamedTuple):
    """A run, what it leaves when nothing stops it, and how many operations that takes."""

    train: list[str]
    unbroken: Path
    operations: int
    first: int

    def stops(self, every: int) -> range:
        """Operations to stop before."""
        return range(self.first, self.operations + 1, every)


@pytest.fixture(scope="module", params=RUNS)
def case(
    request: pytest.FixtureRequest,
    disturbed: Disturbed,
    tmp_path_factory: pytest.TempPathFactory,
) -> Case:
    run, first = RUNS[request.param]
    scratch = tmp_path_factory.mktemp("unbroken")
    # So few pictures that the run begins with a warning in the log.
    data = [] if request.param == "dcgan" else ["--data", str(write_pictures(scratch / "few.npz"))]
    train, folder = ["train", *run, *data, *OFTEN], scratch / "run"
    result = disturbed(folder, *train, "--out", folder)
    assert result.code == 0, result.err
    assert ("warning" in records(folder)[0]) == bool(data)
    return Case(train, folder, result.operations, first)


def unfinished(folder: Path) -> list[Path]:
    return list(folder.rglob("*.unfinished"))


def go_on(
    disturbed: Disturbed, case: Case, folder: Path, at: tuple[int, ...] = (), what: int = 0
) -> int:
    """Resume the run; start it again if it was stopped before there was one."""
    begun = (folder / "config.json").exists()
    arguments = ["resume", folder] if begun else [*case.train, "--out", folder]
    return disturbed(folder, *arguments, at=at, what=what).code


def test_killed_anywhere_twice(disturbed: Disturbed, case: Case, tmp_path: Path) -> None:
    rng = random.Random(0)
    killed = killed_again = 0
    for n in case.stops(every=2):
        folder = tmp_path / f"killed-{n}"
        result = disturbed(folder, *case.train, "--out", folder, at=(n,), what=signal.SIGKILL)
        assert result.code == -signal.SIGKILL
        killed += 1
        code = go_on(disturbed, case, folder, (rng.randint(1, case.operations),), signal.SIGKILL)
        killed_again += code == -signal.SIGKILL
        assert code in (0, -signal.SIGKILL)
        assert go_on(disturbed, case, folder) == 0
        assert unfinished(folder) == []
        assert_same_run(folder, case.unbroken)
        shutil.rmtree(folder)
    assert killed > 20
    assert killed_again > 10


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)], ids=["SIGINT", "SIGTERM"]
)
def test_told_to_stop_anywhere(
    disturbed: Disturbed,
    case: Case,
    tmp_path: Path,
    number: int,
    code: int,
) -> None:
    for n in case.stops(every=6)[1:]:  # at the first one the run does not listen yet
        folder = tmp_path / f"stopped-{n}"
        result = disturbed(folder, *case.train, "--out", folder, at=(n,), what=number)
        assert result.code == code
        assert f"minigan resume {folder}" in result.err
        assert f"stopped by {signal.Signals(number).name} after step " in result.err
        assert unfinished(folder) == []
        assert go_on(disturbed, case, folder) == 0
        assert_same_run(folder, case.unbroken)
        shutil.rmtree(folder)


def test_the_second_interrupt_does_not_wait(
    disturbed: Disturbed, case: Case, tmp_path: Path
) -> None:
    for n in case.stops(every=8)[1:-1]:
        folder = tmp_path / f"twice-{n}"
        twice = (n, n + 1)
        result = disturbed(folder, *case.train, "--out", folder, at=twice, what=signal.SIGINT)
        assert result.code == 130
        assert result.err.splitlines()[-1] == "minigan: interrupted"
        assert "Traceback" not in result.err
        assert result.operations <= n + 2  # at most it cleans up the file that it was writing
        assert unfinished(folder) == []
        assert go_on(disturbed, case, folder) == 0
        assert_same_run(folder, case.unbroken)
        shutil.rmtree(folder)


def test_no_space_left_anywhere(disturbed: Disturbed, case: Case, tmp_path: Path) -> None:
    for n in case.stops(every=2):
        folder = tmp_path / f"full-{n}"
        result = disturbed(folder, *case.train, "--out", folder, at=(n,), what=-errno.ENOSPC)
        assert result.code == 1
        message = error_line(result.err)
        assert message.startswith(str(folder))
        assert (
            "No space left on device; free some space and try again; a training goes on with "
            "`minigan resume`" in message
        )
        assert unfinished(folder) == []
        assert go_on(disturbed, case, folder) == 0
        assert_same_run(folder, case.unbroken)
        shutil.rmtree(folder)


class Imports(NamedTuple):
    """An untrained run, two files of weights for its G, and what the run is after each in turn."""

    run: Path
    files: list[Path]
    left: list[Path]
    operations: list[int]


@pytest.fixture(scope="module")
def imports(disturbed: Disturbed, tmp_path_factory: pytest.TempPathFactory) -> Imports:
    """Each import over the weights of the one before."""
    scratch = tmp_path_factory.mktemp("imports")
    run = scratch / "run"
    assert disturbed(run, "train", *DCGAN, "--steps", 0, "--out", run).code == 0
    files, left, operations = [], [], []
    for seed in (1, 2):
        other, file = scratch / f"other-{seed}", scratch / f"G{seed}.safetensors"
        train = ["train", *DCGAN, "--steps", 0, "--seed", seed, "--out", other]
        assert disturbed(other, *train).code == 0
        assert disturbed(other, "export", other, "--torch", file).code == 0
        left.append(shutil.copytree(left[-1] if left else run, scratch / f"left-{seed}"))
        result = disturbed(left[-1], "import", left[-1], "--torch", file)
        assert result.code == 0, result.err
        files.append(file)
        operations.append(result.operations)
    return Imports(run, files, left, operations)


def weights(folder: Path) -> bytes:
    """Of the checkpoint, which must be whole."""
    return save(load(folder / "checkpoints").arrays)


@pytest.mark.parametrize("what", [-errno.ENOSPC, signal.SIGKILL], ids=["no space", "SIGKILL"])
def test_an_import_stopped_anywhere(
    disturbed: Disturbed, imports: Imports, tmp_path: Path, what: int
) -> None:
    """The run has its old weights or the new ones, and a second import finds it whole."""
    stages = [weights(folder) for folder in (imports.run, *imports.left)]
    assert len(set(stages)) == 3
    found: list[int] = []
    for n in range(1, imports.operations[0] + 1):
        folder = shutil.copytree(imports.run, tmp_path / f"stopped-{n}")
        stopped = ["import", folder, "--torch", imports.files[0]]
        result = disturbed(folder, *stopped, at=(n,), what=what)
        assert result.code == (-signal.SIGKILL if what > 0 else 1)
        found.append(stages[:2].index(weights(folder)))
        again = ["import", folder, "--torch", imports.files[1]]
        for m in range(1 + n % 3, imports.operations[1] + 1, 3):
            twice = shutil.copytree(folder, tmp_path / "twice")
            again[1] = twice
            assert disturbed(twice, *again, at=(m,), what=what).code != 0
            assert weights(twice) in (stages[found[-1]], stages[2])
            assert disturbed(twice, *again).code == 0
            assert_same_run(twice, imports.left[1])
            shutil.rmtree(twice)
    assert found == sorted(found)
    assert {*found} == {0, 1}
