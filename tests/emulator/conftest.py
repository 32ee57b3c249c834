"""The pretended card that the tests of kernels run on."""

from collections.abc import Iterator

import pytest

from minigan import cuda
from tests.emulator import build
from tests.emulator.runtime import EmulatorRuntime


@pytest.fixture
def card() -> Iterator[EmulatorRuntime]:
    """Kernels run on the CPU inside the test."""
    if build.COMPILER is None:
        pytest.skip("no C++ compiler (g++ or clang++) to run kernels with")
    with cuda.use_runtime(EmulatorRuntime()) as runtime:
        yield runtime
