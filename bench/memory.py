"""`bench memory`: the peak resident memory of a step, and whether it stays flat.

Each side runs alone in its process. What counts is the growth over a process that has loaded its
libraries and run one tiny step: weights, gradients, optimiser state, activations, and whatever the
allocator keeps. The kernel tracks the peak; it is reset before building and before each window.
"""

from __future__ import annotations

import gc
import re
import resource
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bench.errors import Unavailable
from bench.measure import Session, known_peers
from bench.remote import Worker
from bench.rows import Row
from bench.work import ARCHS, Work

MB = 1 << 20
PAGE = 1 << 12  # the least that the kernel counts
PEAK_STEPS = 5
WINDOWS = 10
FLAT = 0.01  # growth between the second window and the last that is still flat
TINY = {"dcgan": (16, 4, 2), "mlp": (4, 10, 2)}


def measure(
    side: str,
    threads: int,
    work: dict[str, Any],
    choices: dict[str, str] | None = None,
    steps: int = 0,
) -> dict[str, Any]:
    """Bytes: `base` before building, `peak` of the first steps, `windows` the peaks over `steps`.

    Runs in the side's own process, once.
    """
    described = Work.from_json(work)
    assert described.arch in ARCHS
    step = _build(side, threads, Work.of(described.arch, *TINY[described.arch]), choices)
    step.run()
    del step
    gc.collect()
    exact = reset_peak()
    base = resident()
    step = _build(side, threads, described, choices)
    for _ in range(PEAK_STEPS):
        step.run()
    first = peak()
    windows = []
    for i in range(WINDOWS if steps else 0):
        reset_peak()
        for _ in range(steps * i // WINDOWS, steps * (i + 1) // WINDOWS):
            step.run()
        windows.append(peak())
    return {"base": base, "peak": first, "windows": windows, "exact": exact}


def measure_memory(session: Session, work: Work, peers: Sequence[str], steps: int = 0) -> list[Row]:
    """A row for each peer: ratio = growth of ours / growth of the peer's."""
    rows = []
    ours = _ask(session, "ours", work, steps)
    for name in known_peers(peers):
        try:
            theirs = _ask(session, name, work, steps, session.choose(work))
        except Unavailable as reason:
            session.say(f"{name}: skipped: {reason}")
            continue
        row = session.row("memory", work, name, **summary(ours, theirs, steps))
        rows.append(row)
        session.say(line(row))
    return rows


def summary(ours: dict[str, Any], theirs: dict[str, Any], steps: int) -> dict[str, Any]:
    """The measured fields of a row from what two processes found."""
    mine, its = (max(found["peak"] - found["base"], PAGE) for found in (ours, theirs))
    detail: dict[str, Any] = {
        "ours_mb": mine / MB,
        "peer_mb": its / MB,
        "ours_process_mb": ours["peak"] / MB,
        "peer_process_mb": theirs["peak"] / MB,
        "exact": ours["exact"] and theirs["exact"],
    }
    if steps:
        detail |= {"steps": steps, "ours_growth": growth(ours), "peer_growth": growth(theirs)}
        detail["windows_mb"] = [round(w / MB, 1) for w in ours["windows"]]
    return {"ratio": mine / its, "detail": detail}


def growth(found: dict[str, Any]) -> float:
    """How much higher the last window's peak is than the second's, relative to it.

    The first window still fills caches that later steps reuse.
    """
    windows = found["windows"]
    return windows[-1] / windows[1] - 1


def line(row: Row) -> str:
    d = row.detail
    assert row.ratio is not None
    text = (
        f"{row.arch} size {row.size} width {row.width} batch {row.batch} | a step's peak: ours "
        f"{d['ours_mb']:.4g} MB, {row.peer} {d['peer_mb']:.4g} MB, ratio {row.ratio:.3f}; whole "
        f"process {d['ours_process_mb']:.0f} and {d['peer_process_mb']:.0f} MB"
    )
    if "steps" in d:
        flat = "flat" if d["ours_growth"] <= FLAT else "NOT flat"
        text += f"; over {d['steps']} steps ours {d['ours_growth']:+.2%} ({flat})"
        text += f", {row.peer} {d['peer_growth']:+.2%}"
    return text


def resident() -> int:
    """Bytes of this process that are in memory."""
    return _status("VmRSS") or 0


def peak() -> int:
    """The most bytes in memory since `reset_peak`, or ever where that does not work."""
    return _status("VmHWM") or resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def reset_peak() -> bool:
    """Start the peak anew at what is resident; False where the system does not let us."""
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        return False
    return True


def _status(name: str) -> int | None:
    path = Path("/proc/self/status")
    if not path.exists():
        return None
    found = re.search(rf"^{name}:\s+(\d+) kB", path.read_text(), re.MULTILINE)
    return int(found[1]) * 1024 if found else None


def _build(side: str, threads: int, work: Work, choices: dict[str, str] | None) -> Any:
    if side == "ours":
        from bench.steps import OurStep

        return OurStep(work, threads)
    from bench.peers.step import TorchStep

    return TorchStep(work, side, threads, choices)


def _ask(
    session: Session, side: str, work: Work, steps: int, choices: dict[str, str] | None = None
) -> dict[str, Any]:
    with Worker(side, session.threads) as worker:
        found: dict[str, Any] = worker.ask(
            "memory", work=work.to_json(), steps=steps, choices=choices
        )
        return found
