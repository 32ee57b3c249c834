"""NVIDIA's compilers, where they are installed, and logs of theirs kept by what was compiled."""

from __future__ import annotations

import ctypes
import hashlib
import os
import re
import shutil
import subprocess
import sysconfig
import tempfile
from functools import cache
from pathlib import Path

from minigan.cuda import sources
from minigan.cuda.runtime import OPTIONS

ROOT = Path(__file__).parents[2]
CUPYS = ("-ftz=true", "--device-as-default-execution-space")  # what CuPy 14 adds
CACHE = ROOT / "build" / "nvcc"
NVCC = shutil.which("nvcc")
# The oldest that CUDA 13 compiles for, A100's and H100's; fewer for instructions that not all have.
ARCHITECTURES = ("75", "80", "90")
FEWER = {"_tf32": ("80", "90"), "_bf16": ("80", "90"), "_wgmma": ("90a",)}


def architectures(family: str) -> tuple[str, ...]:
    """What a family is compiled for."""
    return next((a for end, a in FEWER.items() if family.endswith(end)), ARCHITECTURES)


def nvcc_log(family: str) -> str:
    """What nvcc says of kernels/FAMILY.cu, with ptxas's words on every kernel.

    Raises CalledProcessError, whose stderr is the compiler's log.
    """
    assert NVCC is not None
    options = ["-std=c++17", "-ftz=true", "-fatbin", "-Xptxas", "-v"]
    for a in architectures(family):
        options += ["-gencode", f"arch=compute_{a},code=sm_{a}"]
    text = sources.source(family)
    key = hashlib.sha256("\0".join((_version(), *options, text)).encode()).hexdigest()[:20]
    log = CACHE / f"{family}-{key}.log"
    if not log.exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=CACHE) as folder:
            place = Path(folder)
            (place / f"{family}.cu").write_text(text, encoding="utf-8")
            command = [NVCC, *options, "-o", place / "out", place / f"{family}.cu"]
            done = subprocess.run(command, capture_output=True, text=True, check=True)
            (place / "log").write_text(done.stdout + done.stderr, encoding="utf-8")
            os.replace(place / "log", log)
    return log.read_text(encoding="utf-8")


@cache
def _version() -> str:
    return subprocess.run([str(NVCC), "--version"], capture_output=True, text=True).stdout


class Nvrtc:
    """The compiler that CuPy uses, by itself."""

    def __init__(self, library: ctypes.CDLL) -> None:
        self.library = library

    @classmethod
    def find(cls) -> Nvrtc | None:
        """Installed with a toolkit, or as the package nvidia-cuda-nvrtc."""
        site = Path(sysconfig.get_path("purelib")) / "nvidia"
        toolkit = Path(NVCC).resolve().parents[1] if NVCC else Path("/usr/local/cuda")
        found = [*site.rglob("libnvrtc.so.1*"), *toolkit.rglob("libnvrtc.so.1*")]
        for name in [*map(str, found), "libnvrtc.so.13", "libnvrtc.so.12"]:
            try:
                for builtins in Path(name).parent.glob("libnvrtc-builtins.so.*"):
                    ctypes.CDLL(str(builtins), ctypes.RTLD_GLOBAL)  # it looks for them by name
                return cls(ctypes.CDLL(name))
            except OSError:
                continue
        return None

    def log(self, family: str) -> str:
        """What it says of a family, "" where it compiles. Without any header of a system."""
        lib, program = self.library, ctypes.c_void_p()
        text = sources.source(family).encode()
        lib.nvrtcCreateProgram(ctypes.byref(program), text, b"kernel.cu", 0, None, None)
        card = f"--gpu-architecture=sm_{architectures(family)[-1]}"
        given = [*OPTIONS, *CUPYS, card]
        options = (ctypes.c_char_p * len(given))(*(o.encode() for o in given))
        failed = lib.nvrtcCompileProgram(program, len(given), options)
        size = ctypes.c_size_t()
        lib.nvrtcGetProgramLogSize(program, ctypes.byref(size))
        log = ctypes.create_string_buffer(size.value)
        lib.nvrtcGetProgramLog(program, log)
        lib.nvrtcDestroyProgram(ctypes.byref(program))
        return log.value.decode() or ("failed without a log" if failed else "")


_KERNEL = re.compile(r"Compiling entry function '(\w+)' for 'sm_(\w+)'")
_SPILLS = re.compile(r"(\d+) bytes spill stores, (\d+) bytes spill loads")


def spills(log: str) -> dict[tuple[str, str], int]:
    """Bytes that each kernel spills from registers into memory, by its name and architecture."""
    found: dict[tuple[str, str], int] = {}
    kernel: tuple[str, str] | None = None
    for line in log.splitlines():
        if match := _KERNEL.search(line):
            kernel = match[1], match[2]
        elif (match := _SPILLS.search(line)) and kernel is not None:
            found[kernel] = int(match[1]) + int(match[2])
            kernel = None
    return found
