"""`bench all --device cuda`: the parity tests and the standard set on a card, by the clock.

Time on a card may be short, so what matters most comes first, nothing is started that the time left
does not allow, and rows are stored as they come. What cannot be measured is said, and the rest goes
on; the command then ends with a code above 0.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

from bench.errors import BenchError, TimeUp
from bench.machine import ROOT
from bench.measure import Session, measure_step
from bench.memory import measure_memory
from bench.ops import measure_ops
from bench.roofline import best_rates, shares
from bench.rows import Row, append
from bench.standard import LONG_RUN
from bench.work import Work

MINUTES = 8.5  # leaves half a minute of nine for the start and the end
TESTS = (sys.executable, "-m", "pytest", "tests/cuda", "-m", "cuda")
# Where pytest-xdist is there, as many processes as share a card well.
SEVERAL = ("-n", "8") if find_spec("xdist") else ()
TESTS_SHARE = 0.45  # of the time, at most
PATIENCE = 3  # times what an item was guessed to take: one that hangs must not take all

WIDE, NARROW, MLP = Work.of("dcgan"), Work.of("dcgan", 32, 32), Work.of("mlp")
EAGER = ("torch", "torch-tuned", "torch-graph")


class Item(NamedTuple):
    """A part of the set; `seconds` is a guess that decides whether there is time to start it."""

    name: str
    precision: str
    seconds: int
    measure: Callable[[Session, list[Row]], list[Row]]


def _step(work: Work, *peers: str, graph: bool = True) -> Callable[[Session, list[Row]], list[Row]]:
    def measure(session: Session, stored: list[Row]) -> list[Row]:
        where = session.where._replace(graph=graph)
        return measure_step(replace(session, where=where), work, peers)

    return measure


def _ops(session: Session, stored: list[Row]) -> list[Row]:
    return measure_ops(replace(session, repeats=3, sample=0.03, warm=0.02, pause=0.01), [WIDE])


def _roofline(session: Session, stored: list[Row]) -> list[Row]:
    own = [r for r in stored if r.precision == session.where.precision]
    return shares(own, best_rates(session))


def _memory(work: Work, steps: int, *peers: str) -> Callable[[Session, list[Row]], list[Row]]:
    return lambda session, stored: measure_memory(session, work, peers, steps)


ITEMS = (
    Item(f"step: {WIDE}", "tf32", 50, _step(WIDE, *EAGER)),
    Item(f"step: {NARROW}", "tf32", 40, _step(NARROW, *EAGER)),
    Item("operations", "tf32", 100, _ops),
    Item("roofline", "tf32", 20, _roofline),
    Item(f"step: {WIDE}", "bf16", 40, _step(WIDE, *EAGER)),
    Item(f"step: {WIDE}", "fp32", 40, _step(WIDE, *EAGER)),
    Item(f"step without a graph: {WIDE}", "tf32", 25, _step(WIDE, "torch", graph=False)),
    Item(f"memory: {WIDE}", "tf32", 25, _memory(WIDE, 0, "torch", "torch-graph")),
    Item(f"step: {WIDE}, compiled", "tf32", 70, _step(WIDE, "torch-compile")),
    Item("operations", "bf16", 100, _ops),
    Item("roofline", "bf16", 20, _roofline),
    Item("memory, long", "tf32", 30, _memory(LONG_RUN, 1000, "torch")),
    Item(f"step: {NARROW}", "bf16", 30, _step(NARROW, *EAGER)),
    Item(f"step: {MLP}", "tf32", 30, _step(MLP, *EAGER)),
)


def run_card(
    session: Session,
    path: Path,
    *,
    minutes: float = MINUTES,
    tests: bool = False,
    precision: str | None = None,
) -> list[str]:
    """Store every row of the set in `path`; what failed or was left out, a line each.

    Of one precision alone, if it is given.
    """
    end = time.monotonic() + 60 * minutes
    missing: list[str] = []
    if tests:
        outcome, passed = run_tests(TESTS_SHARE * 60 * minutes)
        session.versions["parity tests"] = outcome
        session.say(f"parity tests: {outcome}")
        if not passed:
            missing.append(f"parity tests: {outcome}")
    stored: list[Row] = []
    for item in (i for i in ITEMS if precision in (None, i.precision)):
        name, left = f"{item.name}, {item.precision}", end - time.monotonic()
        if item.seconds > left:
            missing.append(f"{name}: not started, {max(0, left):.0f} of {item.seconds} s were left")
            session.say(missing[-1])
            continue
        session.say(f"\n{name} ({left:.0f} s left)")
        where = session.where._replace(precision=item.precision)
        try:
            with _at_most(min(left, PATIENCE * max(item.seconds, 1))):
                rows = item.measure(replace(session, where=where), stored)
        except (BenchError, TimeUp) as error:
            missing.append(f"{name}: {error}")
            session.say(missing[-1])
            continue
        finally:
            missing += [f"{name}: {failure}" for failure in session.failures]
            session.failures.clear()
        if not rows:
            missing.append(f"{name}: nothing could be measured")
        append(path, rows)
        stored += rows
    return missing


def run_tests(seconds: float) -> tuple[str, bool]:
    """pytest's last line on the tests that need a card, and whether all of them passed.

    Stopped, it leaves no process of its own behind that would disturb what is measured next.
    """
    command = (*TESTS, *SEVERAL)
    with subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, text=True, start_new_session=True
    ) as tests:
        try:
            said, _ = tests.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            os.killpg(tests.pid, signal.SIGKILL)
            print(tests.communicate()[0], file=sys.stderr)
            return f"stopped after {seconds:.0f} s", False
        except BaseException:
            os.killpg(tests.pid, signal.SIGKILL)
            raise
    if tests.returncode:
        print(said, file=sys.stderr)
    lines = [line.strip(" =") for line in said.splitlines() if line.strip()]
    return (lines[-1] if lines else f"code {tests.returncode}"), tests.returncode == 0


@contextmanager
def _at_most(seconds: float) -> Iterator[None]:
    """Raise TimeUp inside the block once so much time is over."""

    def stop(*given: Any) -> None:
        raise TimeUp("stopped, the time is up")

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
