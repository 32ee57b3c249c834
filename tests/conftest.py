"""What the tests of commands and of training start from."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.training.support import DCGAN, MLP, OFTEN, Finished, call, leave, write_pictures


@pytest.fixture
def minigan(capsys: pytest.CaptureFixture[str]) -> Callable[..., Finished]:
    """The command line in this process."""
    return lambda *arguments: call(capsys, *arguments)


@pytest.fixture(scope="session")
def finished_runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Runs of DCGAN without an interruption, in folders named by their steps."""
    folder = tmp_path_factory.mktemp("runs")
    for steps in (4, 8):
        leave("train", *DCGAN, *OFTEN, "--steps", steps, "--out", folder / str(steps))
    return folder


@pytest.fixture(scope="session")
def perceptrons(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of perceptrons on grey pictures of 8 x 8, whose samples differ after few steps."""
    folder = tmp_path_factory.mktemp("perceptrons")
    data = write_pictures(folder / "own.npz", n=200)
    leave("train", *MLP, *OFTEN, "--data", data, "--steps", 8, "--out", folder / "run")
    return folder / "run"


@pytest.fixture
def unbroken(finished_runs: Path) -> Path:
    """The run of 8 steps, only to be read."""
    return finished_runs / "8"


@pytest.fixture
def folder(finished_runs: Path, tmp_path: Path) -> Path:
    """A copy of the run of 8 steps."""
    return Path(shutil.copytree(finished_runs / "8", tmp_path / "run"))


@pytest.fixture
def short_folder(finished_runs: Path, tmp_path: Path) -> Path:
    """A copy of the run of 4 steps."""
    return Path(shutil.copytree(finished_runs / "4", tmp_path / "run"))
