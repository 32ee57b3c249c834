"""The devices that the parity tests run on: a card, and one that is pretended on the CPU."""

from collections.abc import Iterator

import pytest

from minigan import backend, cuda
from minigan.cuda.sources import families
from minigan.errors import DeviceError
from tests.cuda.compiling import compile_first
from tests.emulator import build
from tests.emulator.arrays import emulated
from tests.emulator.runtime import EmulatorRuntime


def pytest_configure(config: pytest.Config) -> None:
    """With a card, its kernels are compiled before the processes of pytest-xdist start."""
    if hasattr(config, "workerinput") or config.option.markexpr != "cuda":
        return
    try:
        backend.require_device("cuda")
    except DeviceError:
        return  # the tests say so
    compile_first(families())


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """What only a card does in good time is not done by the pretended one as well."""
    slow = [i for i in items if "emulated-" in i.name and i.get_closest_marker("cuda")]
    config.hook.pytest_deselected(items=slow)
    items[:] = [i for i in items if i not in slow]


@pytest.fixture(params=["emulated", pytest.param("card", marks=pytest.mark.cuda)])
def device(request: pytest.FixtureRequest) -> Iterator[str]:
    """The name of a device whose kernels run inside the test, in float32 throughout."""
    before = cuda.precision()
    cuda.set_precision("fp32")
    try:
        if request.param == "card":
            try:
                yield backend.require_device("cuda")
            except DeviceError as error:
                pytest.skip(f"no card: {error}")
        else:
            if build.COMPILER is None:
                pytest.skip("no C++ compiler (g++ or clang++) to run kernels with")
            with backend.stand_in_for_cuda(emulated), cuda.use_runtime(EmulatorRuntime()):
                yield "cuda"
    finally:
        cuda.set_precision(before)
