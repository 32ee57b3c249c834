"""A result is a row; results are lists of rows in JSON files."""

from __future__ import annotations

import fcntl
import json
import math
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from bench.errors import BenchError

BENCHES = ("step", "ops", "roofline", "memory", "scaling", "profile", "counts")


class RowError(BenchError):
    """A row with a field that is missing, unknown or impossible."""


@dataclass(frozen=True, kw_only=True)
class Row:
    """One measurement of both sides; ratio = ours / peer, the median over pairs where timed.

    The `_ms` are medians, None where time is not what was measured. `peer` is the other side, or
    "floor" (the least time that the machine could take) or "none". `detail` is the bench's own.
    """

    bench: str
    arch: str
    size: int
    width: int
    batch: int
    device: str
    precision: str
    threads: int
    peer: str
    ours_ms: float | None
    peer_ms: float | None
    ratio: float | None
    machine: str
    versions: dict[str, str]
    date: str
    detail: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.bench not in BENCHES:
            raise RowError(f"bench={self.bench!r}; allowed: {', '.join(BENCHES)}")
        for name in ("arch", "device", "precision", "peer", "machine", "date"):
            self._must(name, isinstance(getattr(self, name), str) and getattr(self, name) != "")
        for name in ("size", "width", "batch", "threads"):
            value = getattr(self, name)
            self._must(name, isinstance(value, int) and value >= 1)
        for name in ("ours_ms", "peer_ms", "ratio"):
            value = getattr(self, name)
            ok = value is None or (
                isinstance(value, int | float) and math.isfinite(value) and value > 0
            )
            self._must(name, ok)
        self._must("versions", isinstance(self.versions, dict))
        self._must("detail", isinstance(self.detail, dict))

    def _must(self, name: str, ok: bool) -> None:
        if not ok:
            raise RowError(f"a row cannot have {name}={getattr(self, name)!r}")

    @classmethod
    def from_json(cls, given: Any) -> Row:
        """Raises RowError naming the fields that are missing or unknown."""
        if not isinstance(given, dict):
            raise RowError(f"a row is an object, not {given!r}")
        known = {f.name for f in fields(cls)}
        missing, unknown = known - {"detail"} - set(given), set(given) - known
        if missing or unknown:
            raise RowError(f"a row lacks {sorted(missing)} and has unknown {sorted(unknown)}")
        return cls(**given)

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @property
    def key(self) -> tuple[Any, ...]:
        """What is measured, on what: of two rows with one key the newer counts."""
        return (
            self.bench,
            self.arch,
            self.size,
            self.width,
            self.batch,
            self.device,
            self.precision,
            self.threads,
            self.peer,
            self.machine,
            *(self.detail.get(name) for name in ("op", "pass", "axis", "form")),
        )


def read(path: Path) -> list[Row]:
    """Every row of a file. Raises RowError naming the file."""
    try:
        given = json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise RowError(f"{path}: {error}") from None
    if not isinstance(given, list):
        raise RowError(f"{path}: a results file is a list of rows")
    try:
        return [Row.from_json(row) for row in given]
    except RowError as error:
        raise RowError(f"{path}: {error.message}") from None


def append(path: Path, rows: Iterable[Row]) -> None:
    """Add rows to a file, which is whole at every moment, also with several writers."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with _locked(path.parent):
        everything = [*(read(path) if path.exists() else []), *rows]
        unfinished = path.with_name(path.name + ".unfinished")
        with open(unfinished, "w") as file:
            lines = ",\n".join(json.dumps(row.to_json()) for row in everything)
            file.write(f"[\n{lines}\n]\n")
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(path)


def newest(rows: Iterable[Row]) -> list[Row]:
    """The newest row of each key, in the order in which the keys came."""
    kept: dict[tuple[Any, ...], Row] = {}
    for row in rows:
        if row.key not in kept or kept[row.key].date <= row.date:
            kept[row.key] = row
    return list(kept.values())


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)
