"""log.jsonl: one JSON object per logged step, appended as training goes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from minigan.training.files import naming, write_atomically

Record = dict[str, Any]


def append(path: Path, record: Record) -> None:
    """Add one line. A line that a kill cut short is ignored by `read` and removed by `truncate`."""
    with naming(path), open(path, "a", encoding="utf-8") as file:
        file.write(json.dumps(record) + "\n")


def read(path: Path) -> list[Record]:
    """Every whole line; none if there is no file. Passes over what a power cut spoilt."""
    if not path.exists():
        return []
    lines = path.read_text(encoding="utf-8", errors="replace").split("\n")
    found = (_record(line) for line in lines[:-1])  # what follows the last \n is cut short
    return [record for record in found if record is not None]


def _record(line: str) -> Record | None:
    try:
        record = json.loads(line)
    except ValueError:
        return None
    return record if isinstance(record, dict) and isinstance(record.get("step"), int) else None


def truncate(path: Path, step: int) -> list[Record]:
    """Drop what a run that goes on from `step` will write again; returns the rest.

    From step 0 that is everything: the warnings of step 0 come again.
    """
    records = [record for record in read(path) if record["step"] <= step] if step else []
    write_atomically(path, "".join(json.dumps(r) + "\n" for r in records).encode())
    return records
