"""Compiles kernels/*.cu for the CPU, behind emulator.h; results are kept by their content."""

from __future__ import annotations

import ctypes
import hashlib
import os
import re
import shutil
import subprocess
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
KERNELS = ROOT / "kernels"
HERE = Path(__file__).parent
CACHE = ROOT / "build" / "emulator"
# Where it is set the whole process runs under AddressSanitizer, and leaves the names of the kernels
# that it launched in this file: see test_sanitizer.py.
LAUNCHED = os.environ.get("MINIGAN_SANITIZED_LAUNCHES")
SANITIZING = LAUNCHED is not None

COMPILER = shutil.which("g++") or shutil.which("clang++")

# Each library has an emulator of its own: nothing but its entries is visible outside.
FLAGS = (
    *("-std=c++17", "-O1", "-g", "-fPIC", "-fvisibility=hidden", "-fno-strict-aliasing"),
    *("-w", f"-I{HERE}"),
    *(("-fno-gnu-unique",) if COMPILER and COMPILER.endswith("g++") else ()),
)
ADDRESS_SANITIZER = ("-O0", "-fsanitize=address", "-fno-omit-frame-pointer")

SYMBOL = re.compile(
    r'extern\s+"C"\s+__global__\s+void\s+(?:__launch_bounds__\s*\([^)]*\)\s*)?(\w+)'
)


class CompileError(Exception):
    """The compiler refused a kernel; its log is the message."""


def run_compiler(*arguments: object) -> str:
    """Its standard output. Raises CompileError."""
    assert COMPILER is not None, "no C++ compiler"
    done = subprocess.run([COMPILER, *map(str, arguments)], capture_output=True, text=True)
    if done.returncode:
        raise CompileError(done.stderr)
    return done.stdout


def families() -> list[str]:
    """The names of kernels/*.cu."""
    return sorted(path.stem for path in KERNELS.glob("*.cu"))


@cache
def symbols(source: Path) -> list[str]:
    """The kernels that a source defines, macros expanded, in its order."""
    preprocessed = run_compiler(
        *("-E", "-P", "-x", "c++", "-std=c++17", "-DMINIGAN_EMULATOR", f"-I{KERNELS}", source)
    )
    return SYMBOL.findall(preprocessed)


def build(source: Path, flags: tuple[str, ...] = ()) -> Path:
    """The shared object of a kernel source, which may be a changed copy of one outside kernels/.

    For each kernel NAME it exports `emulated_NAME(launch, arguments)`, which returns an error or a
    null pointer, and `signature_NAME()`. Raises CompileError.
    """
    options = (*FLAGS, *(ADDRESS_SANITIZER if SANITIZING else ()), *flags, f"-I{KERNELS}")
    headers = sorted({*KERNELS.glob("*.cuh"), *source.parent.glob("*.cuh")})
    parts = [source, *headers, HERE / "emulator.h"]
    content = [p.read_bytes() for p in parts] + [" ".join(map(str, options)).encode()]
    content.append(str(COMPILER).encode() + str(source).encode())
    name = hashlib.sha256(b"\0".join(content)).hexdigest()[:20]
    shared_object = CACHE / f"{source.stem}-{name}.so"
    if not shared_object.exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        work = CACHE / f"{name}-{os.getpid()}"
        program = work.with_suffix(".cpp")
        program.write_text(_program(source), encoding="utf-8")
        try:
            run_compiler(*options, "-shared", "-o", work, program)
            os.replace(work, shared_object)
        finally:
            program.unlink()
    return shared_object


def _program(source: Path) -> str:
    entries = "\n".join(
        f"EXPORTED const char *emulated_{name}(const emulator::Launch *launch, void **arguments) "
        f"{{ return emulator::run({name}, launch, arguments); }}\n"
        f"EXPORTED const char *signature_{name}() {{ return emulator::signature({name}); }}"
        for name in symbols(source)
    )
    return (
        '#define MINIGAN_EMULATOR\n#include "emulator.h"\n'
        '#define EXPORTED extern "C" __attribute__((visibility("default")))\n'
        f'#include "{source}"\n{entries}\n'
    )


@cache
def load(source: Path, flags: tuple[str, ...] = ()) -> ctypes.CDLL:
    """The compiled kernels of a source."""
    return ctypes.CDLL(str(build(source, flags)))
