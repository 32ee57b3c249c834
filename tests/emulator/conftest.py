"""The pretended card that the tests of kernels run on."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from minigan import cuda
from tests.emulator import build
from tests.emulator.runtime import EVER_LAUNCHED, EmulatorRuntime


@pytest.fixture
def card() -> Iterator[EmulatorRuntime]:
    """Kernels run on the CPU inside the test."""
    if build.COMPILER is None:
        pytest.skip("no C++ compiler (g++ or clang++) to run kernels with")
    with cuda.use_runtime(EmulatorRuntime()) as runtime:
        yield runtime


@pytest.fixture(scope="session", autouse=True)
def launches() -> Iterator[None]:
    """Under the sanitizer, leaves the names of all kernels that ran."""
    yield
    if build.LAUNCHED is not None:
        Path(build.LAUNCHED).write_text("\n".join(sorted(EVER_LAUNCHED)), encoding="utf-8")
