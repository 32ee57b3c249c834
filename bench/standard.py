"""`bench all`: the standard set, in about ten minutes on two quiet cores."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from bench.machine import slug, today
from bench.measure import Session, measure_step
from bench.memory import measure_memory
from bench.ops import measure_ops
from bench.profiling import measure_profile
from bench.report import RESULTS
from bench.roofline import best_rates, shares
from bench.rows import Row, append
from bench.scaling import SWEEPS, measure_scaling
from bench.targets import STEP_TARGETS
from bench.work import Work

LONG_RUN = Work.of("dcgan", 16, 16, 16)  # small: its thousand steps take seconds


def run_all(session: Session, path: Path | None, *, compiled: bool = True) -> Path:
    """Every bench; rows are stored as they come, in results/<machine>-<date>.json by default."""
    path = path or file_for(session, RESULTS)
    quick = replace(session, repeats=min(session.repeats, 3), sample=0.05, warm=0.05, pause=0.02)
    targets = [Work.of(*key) for _, key, _ in STEP_TARGETS]
    stored: list[Row] = []

    def part(title: str, measure: Callable[[], list[Row]]) -> None:
        session.say(f"\n{title}")
        rows = measure()
        append(path, rows)
        stored.extend(rows)

    for i, work in enumerate(targets):
        peers = ["torch", "torch-frozen", *(["torch-compile"] if compiled and i in (0, 3) else [])]
        part(f"step: {work}", lambda work=work, peers=peers: measure_step(session, work, peers))  # type: ignore[misc]
    ops = [Work.of("dcgan", 32), Work.of("dcgan", 64), Work.of("dcgan", 128, 64, 16)]
    part("operations", lambda: measure_ops(quick, ops))
    part("roofline", lambda: shares(stored, best_rates(session)))
    part("memory", lambda: measure_memory(session, targets[0], ["torch"]))
    part("memory, long", lambda: measure_memory(session, LONG_RUN, ["torch"], 1000))
    part("profile", lambda: [measure_profile(session, work, 3) for work in targets])
    part("scaling", lambda: measure_scaling(quick, SWEEPS, sorted({1, session.threads})))
    return path


def file_for(session: Session, folder: Path) -> Path:
    """The file of a machine's rows of today."""
    return folder / f"{slug(session.machine)}-{today()[:10]}.json"
