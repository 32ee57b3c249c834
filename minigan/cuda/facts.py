"""What there is to compute on a card with, and what is missing: rows of `minigan doctor`."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from minigan import backend
from minigan.backend import OLDEST_CARD, load_cupy, require_device, spelt
from minigan.cuda.runtime import CupyRuntime
from minigan.cuda.sources import families
from minigan.errors import DeviceError, KernelError

Row = tuple[str, str]


def facts() -> Iterator[Row]:
    """Driver, CuPy, its CUDA, cards, kernels and memory, each with the way to what is missing."""
    driver = backend.driver_cuda()
    found = f"runs CUDA {spelt(driver)}" if driver else "not found: install NVIDIA's driver"
    yield "CUDA driver", found
    try:
        cupy = load_cupy()
    except DeviceError as error:
        yield "CuPy", f"not usable: {error}"
        yield "kernels", f"{len(families())} files, not compiled: that takes CuPy and a card"
        return
    yield "CuPy", cupy.__version__
    yield "CUDA of CuPy", _libraries(cupy)
    try:
        require_device("cuda")
    except DeviceError as error:
        yield "card", f"not usable: {error}"
        yield "kernels", f"{len(families())} files, not compiled: that takes a card"
        return
    for number in range(cupy.cuda.runtime.getDeviceCount()):
        yield f"card cuda:{number}", _card(cupy, number)
    yield "kernels", _kernels()
    yield "device memory", memory(cupy)


def memory(cupy: Any) -> str:
    """What the current card's memory and CuPy's pool hold."""
    free, total = cupy.cuda.runtime.memGetInfo()
    pool = cupy.get_default_memory_pool()
    return (
        f"{gib(free)} of {gib(total)} free; the pool holds {gib(pool.total_bytes())}, "
        f"{gib(pool.used_bytes())} of it in use"
    )


def gib(size: int) -> str:
    """Bytes in GiB."""
    return f"{size / 2**30:.2f} GiB"


def _libraries(cupy: Any) -> str:
    runtime = f"runtime {spelt(cupy.cuda.runtime.runtimeGetVersion())}"
    try:
        compiler = ".".join(map(str, cupy.cuda.nvrtc.getVersion()))
    except Exception as error:  # whatever a missing library raises
        return f"{runtime}; NVRTC, which compiles the kernels, does not load: {error}"
    return f"{runtime}, NVRTC {compiler}"


def _card(cupy: Any, number: int) -> str:
    properties = cupy.cuda.runtime.getDeviceProperties(number)
    capability = f"{properties['major']}.{properties['minor']}"
    old = int(f"{properties['major']}{properties['minor']}") < int(OLDEST_CARD)
    return (
        f"{properties['name'].decode()}, compute capability {capability}"
        f"{' (too old)' if old else ''}, {gib(properties['totalGlobalMem'])}"
    )


def _kernels() -> str:
    """Compile every family, or read it from the cache."""
    runtime, failed = CupyRuntime(), []
    for family in families():
        try:
            runtime.compile(family)
        except KernelError as error:
            failed.append(str(error))
    cache = os.environ.get("CUPY_CACHE_DIR") or Path("~/.cupy/kernel_cache").expanduser()
    compiled = f"{len(families()) - len(failed)} of {len(families())} files compile"
    return "; ".join([f"{compiled} and are kept in {cache}", *failed])
