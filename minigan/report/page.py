"""A report of one run or of two beside one another: one HTML file that needs nothing else.

The template and its parts lie in assets/. What comes from the user is escaped by Jinja2; the page's
content security policy lets it run its own script alone, by its hash, and fetch nothing.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from minigan.report import equations
from minigan.report.curves import curves
from minigan.report.embed import FILM_BYTES, Address, chosen, data_uri, embedded
from minigan.report.run import SAMPLES, Run
from minigan.training.curves import panels

ASSETS = Path(__file__).parent / "assets"
SCRIPTS = ("chart.js", "player.js", "page.js")
LABELS = ("A", "B")


@dataclass(frozen=True, slots=True)
class Setting:
    """An option and its value in each of the runs."""

    name: str
    values: tuple[Any, ...]

    @property
    def differs(self) -> bool:
        """Whether the runs have different values."""
        return any(value != self.values[0] for value in self.values)


def page(
    runs: Sequence[Run],
    *,
    walks: Sequence[bytes | None] = (),
    notes: Sequence[str] = (),
    addresses: Sequence[Address] | None = None,
) -> str:
    """The HTML of one run or two.

    walks: a picture for each run; notes: what else cannot be shown. With `addresses`, one for each
    run, the page is live: its pictures have these addresses and it asks for data.json again and
    again.
    """
    live = addresses is not None
    addresses = addresses or [embedded] * len(runs)
    style = _asset("report.css")
    script = Markup("\n").join(map(_asset, SCRIPTS))
    shown, unshown = _equations(runs)
    return _template().render(
        title=" and ".join(dict.fromkeys(run.title for run in runs)),
        live=live,
        style=style,
        script=script,
        policy=_policy(style, script, live=live),
        data=data(runs, addresses),
        runs=runs,
        names=names(runs),
        films=[
            _film(run, address, live=live) for run, address in zip(runs, addresses, strict=True)
        ],
        walks=[walk and data_uri(walk) for walk in walks],
        settings=_settings(runs),
        equations=shown,
        problems=[*notes, *unshown, *(problem for run in runs for problem in run.problems)],
    )


def encoded(html: str) -> bytes:
    """The page as UTF-8; bytes of a path that are none are written out: \\udcff."""
    return html.encode(errors="backslashreplace")


def names(runs: Sequence[Run]) -> list[str]:
    """What the page calls each run. One alone has no name: its report does not say where it lies,
    so that it stays the same wherever the run is moved to."""
    if len(runs) == 1:
        return [""]
    folders = [run.folder.resolve().name for run in runs]
    same = len(set(folders)) < len(folders)
    return [
        f"{label}: {run.folder if same else name}"
        for label, name, run in zip(LABELS, folders, runs, strict=True)
    ]


def data(runs: Sequence[Run], addresses: Sequence[Address]) -> dict[str, Any]:
    """What the page's script draws: pictures by step, curves, warnings."""
    found = [curves(run.records) for run in runs]
    logged = dict.fromkeys(name for each in found for name in each)
    return {
        "panels": [asdict(p) for p in panels(logged, apart=len(runs) > 1)],
        "runs": [
            {
                "name": name,
                "title": run.title,
                "done": run.done,
                "steps": run.steps,
                "frames": [
                    {
                        "step": frame.step,
                        "pictures": {n: address(p) for n, p in frame.pictures.items()},
                    }
                    for frame in chosen(run.frames)
                ],
                "curves": each,
                "warnings": [{"step": w["step"], "text": w["warning"]} for w in run.warnings],
            }
            for run, name, each, address in zip(runs, names(runs), found, addresses, strict=True)
        ],
    }


@cache
def _template() -> Any:
    environment = Environment(
        loader=FileSystemLoader(ASSETS),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.policies["json.dumps_kwargs"] = {"separators": (",", ":")}  # in the order given
    environment.filters["value"] = _value
    environment.globals["SAMPLES"] = SAMPLES
    return environment.get_template("report.html")


@cache
def _asset(name: str) -> Markup:
    return Markup((ASSETS / name).read_text(encoding="utf-8"))


def _policy(style: str, script: str, *, live: bool) -> str:
    """Nothing but the page's own style, script and embedded pictures; live, its own server too."""
    own = "'self' " if live else ""
    return "; ".join(
        (
            "default-src 'none'",
            f"style-src {_hash(style)}",
            f"script-src {_hash(script)}",
            f"img-src {own}data:",
            *(["connect-src 'self'"] if live else []),
            "base-uri 'none'",
            "form-action 'none'",
        )
    )


def _hash(content: str) -> str:
    digest = hashlib.sha256(content.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode('ascii')}'"


def _equations(runs: Sequence[Run]) -> tuple[dict[str, list[equations.Shown]], list[str]]:
    """The equations by paper; or none, and why."""
    try:
        return {p: e for run in runs for p, e in equations.of_run(run.config).items()}, []
    except (ValueError, SyntaxError) as error:
        return {}, [f"the equations cannot be read from the source: {error}"]


def _film(run: Run, address: Address, *, live: bool) -> dict[str, Any] | None:
    """The address of samples.gif, none where it is too large for a page; its size in MB."""
    if run.film is None:
        return None
    size = run.film.stat().st_size
    return {
        "size": f"{size / 1e6:.1f} MB",
        "src": address(run.film) if live or size <= FILM_BYTES else None,
    }


def _settings(runs: Sequence[Run]) -> list[tuple[str, list[Setting], list[str]]]:
    """Titles, the options that are set, and the names of those that are left to the algorithm."""
    known = [run.config for run in runs]
    schedules = any(c.get("options", {}).get("schedule") not in (None, "constant") for c in known)
    parts = [
        {
            "Algorithm": {"algorithm": c.get("algorithm"), **c.get("options", {})},
            # The length that schedules were made for matters where there is one.
            "Run": c.get("run", {})
            | ({"schedule_steps": c.get("schedule_steps")} if schedules else {}),
            "Versions": c.get("versions", {}),
        }
        for c in known
        if c
    ]
    groups = []
    for title in parts[0] if parts else ():
        options = dict.fromkeys(name for part in parts for name in part[title])
        rows = [Setting(name, tuple(p[title].get(name) for p in parts)) for name in options]
        unset = [row.name for row in rows if all(value is None for value in row.values)]
        groups.append((title, [row for row in rows if row.name not in unset], unset))
    return groups


def _value(value: Any) -> str:
    """A value of a configuration as one would type it."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ",".join(map(str, value))
    if isinstance(value, float):
        return f"{value:.6g}"
    return "–" if value is None else str(value)
