"""`bench memory`: the peak resident memory of a step, and whether it stays flat.

Each side runs alone in its process. On the CPU what counts is the growth over a process that has
loaded its libraries and run one tiny step: weights, gradients, optimiser state, activations, and
whatever the allocator keeps. The kernel tracks the peak; it is reset before building and before
each window. Peaks differ by a tenth from process to process, so that several pairs of processes are
measured: the row is the pair with the median ratio.

On a card it is the most bytes of the card in use at once: PyTorch keeps that number, and a hook of
CuPy's pools adds it up. What each allocator took from the driver for it stands beside it: that of a
captured step holds the graph's own memory beside what the first steps took.
"""

from __future__ import annotations

import gc
import re
import resource
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bench.cards import card_of
from bench.errors import BenchError, Unavailable
from bench.measure import Session, known_peers
from bench.rows import Row
from bench.where import CPU, Where
from bench.work import ARCHS, Work
from bench.worker import build_step

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
    where: Where = CPU,
) -> dict[str, Any]:
    """Bytes: `base` before building, `peak` of the first steps, `windows` the peaks over `steps`.

    Runs in the side's own process, once.
    """
    described = Work.from_json(work)
    if where.on_card:
        return _on_card(side, threads, described, choices, steps, where)
    assert described.arch in ARCHS
    tiny = Work.of(described.arch, *TINY[described.arch])
    step = build_step(side, threads, tiny, choices, where)
    step.run()
    del step
    gc.collect()
    exact = reset_peak()
    base = resident()
    step = build_step(side, threads, described, choices, where)
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


def _on_card(
    side: str,
    threads: int,
    work: Work,
    choices: dict[str, str] | None,
    steps: int,
    where: Where,
) -> dict[str, Any]:
    """As `measure`, of the card's memory: the base is nothing, windows are all that is taken."""
    card, windows = card_of(side), []
    with card.metered() as memory:
        step = build_step(side, threads, work, choices, where)
        for _ in range(PEAK_STEPS):
            step.run()
    for i in range(WINDOWS if steps else 0):
        for _ in range(steps * i // WINDOWS, steps * (i + 1) // WINDOWS):
            step.run()
        card.synchronize()
        windows.append(card.held())
    return {
        "base": 0,
        "peak": memory.peak,
        "windows": windows,
        "exact": True,
        "reserved": memory.reserved,
    }


def measure_memory(session: Session, work: Work, peers: Sequence[str], steps: int = 0) -> list[Row]:
    """A row for each peer: ratio = growth of ours / growth of the peer's, of the median pair.

    One pair on a card, which counts bytes exactly, and where the growth over `steps` is asked for.
    """
    rows = []
    pairs = 1 if steps or session.where.on_card else session.repeats
    known = _ask(session, "ours", work, steps) if pairs == 1 else None
    for name in known_peers(peers, session.where):
        try:
            measured = median_pair([_pair(session, name, work, steps, known) for _ in range(pairs)])
        except Unavailable as reason:
            session.say(f"{name}: skipped: {reason}")
            continue
        except BenchError as error:
            session.failed(f"memory of {work} beside {name}", error)
            continue
        measured["detail"] |= session.form()
        row = session.row("memory", work, name, **measured)
        rows.append(row)
        session.say(line(row))
    return rows


def median_pair(found: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """The pair with the median ratio (of an even number the lower), and how far all of them lie."""
    ordered = sorted(found, key=lambda measured: measured["ratio"])
    chosen = ordered[(len(ordered) - 1) // 2]
    spread = {"ratio_min": ordered[0]["ratio"], "ratio_max": ordered[-1]["ratio"]}
    return {**chosen, "detail": chosen["detail"] | spread | {"repeats": len(ordered)}}


def summary(ours: dict[str, Any], theirs: dict[str, Any], steps: int) -> dict[str, Any]:
    """The measured fields of a row from what two processes found."""
    both = (("ours", ours), ("peer", theirs))
    mine, its = (max(found["peak"] - found["base"], PAGE) for _, found in both)
    detail: dict[str, Any] = {
        "ours_mb": mine / MB,
        "peer_mb": its / MB,
        "ours_process_mb": ours["peak"] / MB,
        "peer_process_mb": theirs["peak"] / MB,
        "exact": ours["exact"] and theirs["exact"],
    }
    if "reserved" in ours:
        detail |= {f"{whose}_reserved_mb": found["reserved"] / MB for whose, found in both}
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
    kind = "reserved" if "ours_reserved_mb" in d else "process"
    what = "taken from the driver" if kind == "reserved" else "whole process"
    spread = ""
    if d.get("repeats", 1) > 1:
        spread = f" ({d['ratio_min']:.3f} to {d['ratio_max']:.3f}, {d['repeats']} pairs)"
    text = (
        f"{row.arch} size {row.size} width {row.width} batch {row.batch} | a step's peak: ours "
        f"{d['ours_mb']:.4g} MB, {row.peer} {d['peer_mb']:.4g} MB, ratio {row.ratio:.3f}{spread}; "
        f"{what} {d[f'ours_{kind}_mb']:.0f} and {d[f'peer_{kind}_mb']:.0f} MB"
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


def _pair(
    session: Session, peer: str, work: Work, steps: int, ours: dict[str, Any] | None
) -> dict[str, Any]:
    ours = ours or _ask(session, "ours", work, steps)
    return summary(ours, _ask(session, peer, work, steps, session.choose(work)), steps)


def _ask(
    session: Session, side: str, work: Work, steps: int, choices: dict[str, str] | None = None
) -> dict[str, Any]:
    with session.worker(side) as worker:
        found: dict[str, Any] = worker.ask(
            "memory", work=work.to_json(), steps=steps, choices=choices
        )
        return found
