"""Every kernel compiles for every card's generation, without warnings and without spills."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from minigan.cuda import sources
from tests.emulator import build
from tests.kernels import compilers

every_family = pytest.mark.parametrize("family", sources.families())


@pytest.fixture(scope="module")
def logs(request: pytest.FixtureRequest) -> Iterator[dict[str, Future[str]]]:
    """nvcc's words on each family that is tested, two of them compiled at a time."""
    if compilers.NVCC is None:
        pytest.skip("no nvcc (CUDA's compiler) on the path")
    items = [i for i in request.session.items if "logs" in getattr(i, "fixturenames", ())]
    wanted = dict.fromkeys(i.callspec.params["family"] for i in items)
    with ThreadPoolExecutor(2) as pool:
        yield {f: pool.submit(compilers.nvcc_log, f) for f in wanted}


@every_family
def test_it_compiles_without_a_warning_or_a_spill(
    family: str, logs: dict[str, Future[str]]
) -> None:
    try:
        log = logs[family].result()
    except subprocess.CalledProcessError as error:
        pytest.fail(f"kernels/{family}.cu does not compile:\n{error.stderr[-4000:]}")
    assert "warning" not in log.lower(), log
    found = compilers.spills(log)
    assert {kernel: n for kernel, n in found.items() if n} == {}
    assert {a for _, a in found} == set(compilers.architectures(family))
    if build.COMPILER is not None:
        names = set(build.symbols(build.KERNELS / f"{family}.cu"))
        for a in compilers.architectures(family):
            assert {name for name, architecture in found if architecture == a} == names


@every_family
def test_nvrtc_compiles_it_without_any_header(family: str) -> None:
    nvrtc = compilers.Nvrtc.find()
    if nvrtc is None:
        pytest.skip("no NVRTC library (of a CUDA toolkit or of nvidia-cuda-nvrtc)")
    assert nvrtc.log(family) == ""


def test_a_spill_would_be_seen() -> None:
    log = """
ptxas info    : Compiling entry function 'f' for 'sm_80'
    8 bytes stack frame, 4 bytes spill stores, 8 bytes spill loads
ptxas info    : Compiling entry function 'f' for 'sm_90'
    0 bytes stack frame, 0 bytes spill stores, 0 bytes spill loads
"""
    assert compilers.spills(log) == {("f", "80"): 12, ("f", "90"): 0}
