"""`bench step`: whole training steps, ours and a peer's, checked and then timed in pairs."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from bench import same
from bench.errors import BenchError, TimeUp, Unavailable
from bench.machine import busy, machine, today, versions
from bench.peers import PEERS
from bench.remote import Worker
from bench.rows import Row
from bench.timing import PAUSE, SAMPLE_SECONDS, WARM_SECONDS, interleave
from bench.where import CPU, Where
from bench.work import Work

BUSY = 0.05  # of all processors, used by others: more than that is a warning


@dataclass
class Session:
    """What all measurements of one command share."""

    where: Where = CPU
    threads: int = 1
    repeats: int = 7
    sample: float = SAMPLE_SECONDS
    warm: float = WARM_SECONDS
    pause: float = PAUSE
    say: Callable[[str], None] = print
    machine: str = field(default_factory=machine)
    versions: dict[str, str] = field(default_factory=versions)
    choices: dict[tuple[Work, int], dict[str, str]] = field(default_factory=dict)
    failures: list[str] = field(default_factory=list)  # on a card, what was passed over

    def failed(self, what: str, error: BenchError) -> None:
        """On a card, whose time is dear, one failure ends nothing: it is said and kept."""
        if not self.where.on_card:
            raise error
        self.failures.append(f"{what}: not measured: {error.message}")
        self.say(self.failures[-1])

    def worker(self, side: str) -> Worker:
        """A process for one side."""
        return Worker(side, self.threads, self.where)

    def look_at_card(self) -> None:
        """Add the card's name and versions to what rows say. Raises BenchError without a card."""
        with self.worker("ours") as ours:
            self.versions |= ours.ask("facts")
        self.machine = f"{self.versions['card']}, {self.machine}"
        try:
            with self.worker("torch") as peer:
                self.versions |= peer.ask("facts")
        except Unavailable as reason:
            self.say(f"torch: {reason}")

    def row(self, bench: str, work: Work, peer: str, **measured: Any) -> Row:
        """A row of these measurements; fields that are not given are None."""
        fields: dict[str, Any] = {"ours_ms": None, "peer_ms": None, "ratio": None}
        shape = {"size": work.size, "width": work.width, "batch": work.batch}
        return Row(
            bench=bench,
            arch=work.arch,
            device=self.where.device,
            precision=self.where.precision,
            threads=self.threads,
            peer=peer,
            machine=self.machine,
            versions=self.versions,
            date=today(),
            **(shape | fields | measured),
        )

    def choose(self, work: Work) -> dict[str, str]:
        """PyTorch's fastest ways for this work, measured once, in a process of their own.

        On a card nothing is chosen: there a peer's name says which ways it takes.
        """
        if self.where.on_card:
            return {}
        key = (work, self.threads)
        if key not in self.choices:
            with self.worker("torch") as probe:
                self.choices[key] = probe.ask("choose", work=work.to_json())
        return self.choices[key]

    def form(self) -> dict[str, str]:
        """How our step is run on a card, as a detail of a row."""
        return {"form": self.where.form} if self.where.on_card else {}

    def busy(self) -> dict[str, float]:
        """What others use of the machine, as a detail of a row; a warning if it is much."""
        time.sleep(self.pause)  # our own threads come to rest
        share = busy()
        if share is None:
            return {}
        if share > BUSY:
            self.say(f"warning: other programs use {share:.0%} of the processors")
        return {"busy": round(share, 3)}


def known_peers(names: Sequence[str], where: Where) -> list[str]:
    """The names, each once. Raises BenchError for one that is no peer there."""
    here = [name for name, peer in PEERS.items() if where.device in peer.devices]
    for name in names:
        if name not in here:
            what = f"is no peer on {where.device}" if name in PEERS else "is unknown"
            raise BenchError(f"peer {name!r} {what}; known: {', '.join(here)}")
    return list(dict.fromkeys(names))


def measure_step(session: Session, work: Work, peers: Sequence[str]) -> list[Row]:
    """A row for each peer that can run here. Raises NotTheSame before anything is timed; on a card
    a peer that cannot be measured is said and left out."""
    rows: list[Row] = []
    with session.worker("ours") as ours:
        mine = Built.of(ours, work)
        for name in known_peers(peers, session.where):
            try:
                choices = session.choose(work)
                with session.worker(name) as peer:
                    row = compare(session, mine, Built.of(peer, work, choices=choices))
            except Unavailable as reason:
                session.say(f"{name}: skipped: {reason}")
                continue
            except TimeUp as over:
                session.say(f"{name}: {over}")
                return rows
            except BenchError as error:
                session.failed(f"{work} beside {name}", error)
                continue
            session.say(line(row))
            rows.append(row)
    return rows


def measure_alone(session: Session, work: Work) -> Row:
    """Our step without a peer."""
    with session.worker("ours") as ours:
        Built.of(ours, work)
        calls, _ = ours.ask("calibrate", warm=session.warm, sample=session.sample)
        times = [ours.seconds(calls) / calls for _ in range(session.repeats)]
    detail = session.form()
    ms = 1e3 * statistics.median(times)
    return session.row("step", work, "none", ours_ms=ms, detail=detail)


@dataclass(frozen=True)
class Built:
    """A worker that has built a step and run it once."""

    worker: Worker
    work: Work
    notes: dict[str, Any]
    first: float  # seconds of the first call

    @classmethod
    def of(cls, worker: Worker, work: Work, **how: Any) -> Built:
        notes = worker.ask("step", work=work.to_json(), **how)
        return cls(worker, work, notes, worker.ask("first"))


def compare(session: Session, ours: Built, peer: Built, bench: str = "step", **more: Any) -> Row:
    """Check that both compute the same, warm up, time in pairs."""
    name = peer.worker.side
    same.same_dropout(ours.notes, peer.notes, name)
    deviations = same.check_steps(ours.worker, peer.worker, session.where.precision)
    how = {"warm": session.warm, "sample": session.sample}
    calls, _ = ours.worker.ask("calibrate", **how)
    its_calls, _ = peer.worker.ask("calibrate", **how)
    disturbed = session.busy()
    pairs = interleave(ours.worker, peer.worker, calls, its_calls, session.repeats, session.pause)
    return session.row(
        bench,
        ours.work,
        name,
        ours_ms=pairs.ours_ms,
        peer_ms=pairs.peer_ms,
        ratio=pairs.ratio,
        detail={
            **more,
            **session.form(),
            **pairs.spread(),
            **disturbed,
            "ours_first_ms": 1e3 * ours.first,
            "peer_first_ms": 1e3 * peer.first,
            "ours_calls": calls,
            "peer_calls": its_calls,
            "choices": peer.notes["choices"],
            "deviations": deviations,
        },
    )


def line(row: Row) -> str:
    """A row for the terminal."""
    d = row.detail
    what = " ".join(str(d[k]) for k in ("op", "pass") if k in d)
    shape = f"size {row.size} width {row.width} batch {row.batch}"
    text = f"{row.arch} {shape} {what}".strip()
    text += f" | ours {row.ours_ms:.4g} ms, {row.peer} {row.peer_ms:.4g} ms, ratio {row.ratio:.3f}"
    if "ratio_min" in d:
        text += f" ({d['ratio_min']:.3f} to {d['ratio_max']:.3f}, {d['repeats']} pairs)"
    if "ours_first_ms" in d:
        text += f"; first call {d['ours_first_ms']:.4g} and {d['peer_first_ms']:.4g} ms"
    if "form" in d:
        text += f"; {row.precision}, ours as {d['form']}"
    if d.get("choices"):
        text += "; " + ", ".join(f"{k} {v}" for k, v in d["choices"].items())
    return text
