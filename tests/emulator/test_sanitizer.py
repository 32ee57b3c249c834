"""Every test of a kernel again under AddressSanitizer, and an overrun that it must name."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.emulator import build

HERE = Path(__file__).parent


def sanitizer() -> str:
    """The compiler's AddressSanitizer, to be loaded before Python, with the C++ library whose
    exceptions it watches."""
    if build.COMPILER is None:
        pytest.skip("no C++ compiler (g++ or clang++) to run kernels with")
    names = ("libasan.so", "libstdc++.so.6")
    found = [build.run_compiler(f"-print-file-name={name}").strip() for name in names]
    if not Path(found[0]).is_absolute():
        pytest.skip(f"{build.COMPILER} has no AddressSanitizer (libasan.so)")
    return ":".join(found)


def under_sanitizer(launched: Path, *arguments: object) -> subprocess.CompletedProcess[str]:
    """A Python process in which every allocation has guarded ends; what it ran is in `launched`."""
    environment = {
        **os.environ,
        "LD_PRELOAD": sanitizer(),
        "ASAN_OPTIONS": "detect_leaks=0",  # Python frees at its end what it likes
        "MINIGAN_SANITIZED_LAUNCHES": str(launched),
        "PYTHONPATH": str(build.ROOT),
    }
    command = [sys.executable, *map(str, arguments)]
    return subprocess.run(command, env=environment, cwd=build.ROOT, capture_output=True, text=True)


@pytest.mark.skipif(build.SANITIZING, reason="this is the sanitizer's pass")
def test_no_kernel_touches_memory_that_is_not_its_own_and_every_kernel_is_tested(tmp_path):
    launched = tmp_path / "launched"
    files = [p for p in sorted(HERE.glob("test_*.py")) if p != Path(__file__)]
    done = under_sanitizer(launched, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", *files)
    assert done.returncode == 0, (done.stdout + done.stderr)[-4000:]
    there = {f"{f}.{s}" for f in build.families() for s in build.symbols(build.KERNELS / f"{f}.cu")}
    never = there - set(launched.read_text(encoding="utf-8").split())
    assert not never, sorted(never)


OVERRUN = """
import sys
from pathlib import Path
import numpy as np
from minigan import cuda
from minigan.ops import activation
from tests.emulator.arrays import emulated
from tests.emulator.runtime import EmulatorRuntime
x = emulated.zeros(2001, np.float32)
with cuda.use_runtime(EmulatorRuntime(sources={"activation": Path(sys.argv[1])})):
    activation.relu(x)
print("done")
"""

FAULTS = {
    "no fault": None,
    "one number more": ("thread_number(); i < n; i +=", "thread_number(); i <= n; i +="),
    "one vector more": ("in...) ? n / Pack<T>::size : 0", "in...) ? n / Pack<T>::size + 1 : 0"),
}


@pytest.mark.skipif(build.SANITIZING, reason="this is the sanitizer's pass")
@pytest.mark.parametrize("fault", FAULTS)
def test_an_overrun_is_named(fault, tmp_path):
    """With the file and the line of the kernel's source."""
    source, header = tmp_path / "activation.cu", tmp_path / "common.cuh"
    source.write_text((build.KERNELS / "activation.cu").read_text(encoding="utf-8"))
    text = (build.KERNELS / "common.cuh").read_text(encoding="utf-8")
    if FAULTS[fault]:
        old, new = FAULTS[fault]
        # The tail of `elementwise` is the first of the loops that look like it.
        start = text.index("void elementwise(")
        assert old in text[start:]
        text = text[:start] + text[start:].replace(old, new, 1)
    header.write_text(text, encoding="utf-8")
    done = under_sanitizer(tmp_path / "launched", "-c", OVERRUN, source)
    if fault == "no fault":
        assert done.stdout == "done\n", done.stderr
        return
    assert done.returncode != 0
    assert "heap-buffer-overflow" in done.stderr
    assert f"{header}:" in done.stderr
