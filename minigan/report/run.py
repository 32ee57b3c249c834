"""What there is of a run, read off its folder: of a finished one, a growing one or a damaged one.

Nothing is needed but one readable file; what cannot be read is left out and named in `problems`.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image

from minigan.errors import CheckpointError
from minigan.training.log import Record

PICTURE = re.compile(r"(?:(?P<name>\w+?)_)?step_(?P<step>\d{6,})\.png")
SAMPLES = "samples"  # the name of pictures that have none in front of their step


@dataclass(frozen=True, slots=True)
class Frame:
    """The pictures of one step by their names: samples, reconstruction, ..."""

    step: int
    pictures: dict[str, Path]


@dataclass(frozen=True)
class Run:
    """A run as its files tell it.

    config     config.json as it is, {} where it cannot be read
    records    the lines of the log, its warnings among them
    frames     the pictures by step
    film       samples.gif
    results    what `minigan eval --json` wrote into the folder as eval*.json
    best       the record of --keep-best
    problems   what cannot be shown, and why
    """

    folder: Path
    config: dict[str, Any]
    records: list[Record]
    frames: list[Frame]
    film: Path | None
    results: list[dict[str, Any]]
    best: dict[str, Any] | None
    problems: tuple[str, ...]

    @property
    def algorithm(self) -> str | None:
        """Its name; None where the configuration does not say."""
        return self.config.get("algorithm")

    @property
    def title(self) -> str:
        """The algorithm and its data in a few words; nothing that depends on where the run lies."""
        data = self.config.get("run", {}).get("data")
        return f"{self.algorithm or 'a run'}" + (f" on {Path(data).stem}" if data else "")

    @property
    def done(self) -> int:
        """The last step that left a trace."""
        return max(
            [r["step"] for r in self.records] + [f.step for f in self.frames],
            default=0,
        )

    @property
    def steps(self) -> int | None:
        """How many steps the run is to have."""
        return self.config.get("run", {}).get("steps")

    @property
    def warnings(self) -> list[Record]:
        """The lines of the log that warn."""
        return [r for r in self.records if "warning" in r]


def read(folder: Path) -> Run:
    """The run in `folder`. Raises CheckpointError where there is none."""
    problems: list[str] = []
    config = _config(folder, problems)
    records = _records(folder / "log.jsonl", problems)
    frames = _whole(frames_in(folder), problems)
    if not (config or records or frames):
        because = f" ({problems[0]})" if problems else " (no config.json, log.jsonl or samples)"
        raise CheckpointError(f"{folder} holds no run{because}; `minigan train` starts one")
    if not (folder / "config.json").exists():
        problems.append("config.json is missing")
    film = folder / "samples.gif"
    return Run(
        folder,
        config,
        records,
        frames,
        film if film.is_file() else None,
        _results(folder, problems),
        _best(folder / "checkpoints" / "best" / "best.json", problems),
        tuple(problems),
    )


def _json(path: Path, kind: type, problems: list[str]) -> Any:
    """The file's content if it is of that kind; else None, and a word about it."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        problems.append(f"{path.name} cannot be read: {error}")
        return None
    if not isinstance(found, kind):
        problems.append(f"{path.name} is not what minigan writes")
        return None
    return found


def _config(folder: Path, problems: list[str]) -> dict[str, Any]:
    found = _json(folder / "config.json", dict, problems)
    if found is None:
        return {}
    parts = [found.get("options"), found.get("run"), found.get("versions")]
    if not isinstance(found.get("algorithm"), str) or not all(isinstance(p, dict) for p in parts):
        problems.append("config.json is not what minigan writes")
        return {}
    return found


def _records(path: Path, problems: list[str]) -> list[Record]:
    """Every whole line of the log that is a record."""
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").split("\n")[:-1]
    except FileNotFoundError:
        return []
    except OSError as error:
        problems.append(f"{path.name} cannot be read: {error}")
        return []
    records, damaged = [], 0
    for line in lines:
        try:
            record = json.loads(line)
        except ValueError:
            record = None
        if isinstance(record, dict) and isinstance(record.get("step"), int):
            records.append(record)
        else:
            damaged += 1
    if damaged:
        problems.append(f"{path.name}: {damaged} of {len(lines)} lines cannot be read")
    return records


def frames_in(folder: Path) -> list[Frame]:
    """The pictures of the run in `folder` by step, in order, as their names have it."""
    found: dict[int, dict[str, Path]] = {}
    for path in sorted((folder / "samples").glob("*.png")):
        if match := PICTURE.fullmatch(path.name):
            found.setdefault(int(match["step"]), {})[match["name"] or SAMPLES] = path
    return [Frame(step, found[step]) for step in sorted(found)]


def _whole(frames: list[Frame], problems: list[str]) -> list[Frame]:
    """The frames without files that are cut short or hold no picture."""
    found = []
    for frame in frames:
        good = {name: path for name, path in frame.pictures.items() if _is_whole(path)}
        lost = frame.pictures.keys() - good
        problems += [f"samples/{frame.pictures[name].name} is damaged" for name in sorted(lost)]
        found += [Frame(frame.step, good)] if good else []
    return found


def _is_whole(path: Path) -> bool:
    try:
        with Image.open(path) as image:
            image.verify()
    except (OSError, SyntaxError, ValueError):  # Pillow's words for a damaged file
        return False
    return True


def _results(folder: Path, problems: list[str]) -> list[dict[str, Any]]:
    """The results of every eval*.json, each with the name of its file."""
    results = []
    for path in sorted(folder.glob("eval*.json")):
        for result in _json(path, list, problems) or ():
            if isinstance(result, dict) and isinstance(result.get("values"), dict):
                results.append(result | {"file": path.name})
            else:
                problems.append(f"{path.name} holds something that is no result")
    return results


def _best(path: Path, problems: list[str]) -> dict[str, Any] | None:
    found = _json(path, dict, problems)
    if found is not None and not {"metric", "value", "step"} <= found.keys():
        problems.append(f"{path.name} is not what minigan writes")
        return None
    return found
