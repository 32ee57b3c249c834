"""What a result was measured on: processor, memory, versions, threads, date."""

from __future__ import annotations

import datetime
import os
import platform
import re
import subprocess
import time
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

ROOT = Path(__file__).parents[1]


def cores() -> int:
    """Processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def machine() -> str:
    """Processor, usable cores and memory, e.g. "AMD EPYC 7763, 2 cores, 8 GB"."""
    return f"{_processor()}, {cores()} cores, {_memory_gb():.0f} GB"


def busy(seconds: float = 0.3) -> float | None:
    """The share of all processors in use over so many seconds, while we wait; None if unknown.

    A thread that waits for its turn holds up the other threads of a parallel loop, which spin:
    PyTorch with two threads on two cores was up to 100 times slower beside another program.
    """
    stat = Path("/proc/stat")
    if not stat.exists():
        return None

    def spent() -> tuple[int, int]:
        user, nice, system, idle, waiting, *others = map(int, stat.read_text().split()[1:9])
        return idle + waiting, user + nice + system + sum(others)

    idle, used = spent()
    time.sleep(seconds)
    idle, used = (now - before for now, before in zip(spent(), (idle, used), strict=True))
    return used / max(idle + used, 1)


def versions() -> dict[str, str]:
    """Versions of everything that can change a result, and variables that do."""
    from minigan.instructions import confined  # and with it NumPy, which a worker loads late

    found = {"python": platform.python_version(), "system": f"{platform.system()}"}
    for package in ("minigan", "numpy", "scipy", "torch"):
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "missing"
    if commit := _commit():
        found["minigan"] += f" ({commit})"
    return found | {"blas": _blas()} | confined()


def today() -> str:
    """Now, in UTC, as 2026-01-31T12:00:00Z."""
    return datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def slug(text: str) -> str:
    """A name for files: small letters, digits and single dashes."""
    text = re.sub(r"\((r|tm)\)", "", text.lower())
    return re.sub(r"[^a-z0-9]+", "-", text).strip("-")


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    if info.exists():
        for line in info.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _memory_gb() -> float:
    if hasattr(os, "sysconf") and "SC_PHYS_PAGES" in os.sysconf_names:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 1e9
    return float("nan")


def _blas() -> str:
    """NumPy's linear algebra library and the kernels that it chose for this processor."""
    import numpy as np
    from threadpoolctl import threadpool_info

    np.ones(1).dot(np.ones(1))
    for pool in threadpool_info():
        if pool["user_api"] == "blas":
            kernels = pool.get("architecture") or "unknown kernels"
            return f"{pool['internal_api']} {pool.get('version')} ({kernels})"
    return "unknown"


def _commit() -> str:
    """The commit that is measured, with a + if the tree differs from it; "" outside git."""
    try:
        named = subprocess.run(
            ["git", "describe", "--always", "--dirty=+", "--exclude=*"],
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=10,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return named.stdout.strip() if named.returncode == 0 else ""
