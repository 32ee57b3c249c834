"""Equations beside the code that computes them, read from the source.

A module declares its equations once, EQUATIONS = {"gan.1": r"..."}, and every line that computes
one ends in a marker: a comment of `eq:` and the id. The part before the dot is the topic. PAPER is
where they stand, or says so by topic or id.
"""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from minigan.algorithms import ALGORITHMS
from minigan.algorithms.presets import PRESETS
from minigan.errors import UnknownNameError
from minigan.losses import OBJECTIVES, PENALTIES

PACKAGE = Path(__file__).parent
MARKER = re.compile(r"#\s*eq:\s*(?P<ids>[\w.]+(?:\s*,\s*[\w.]+)*)\s*")
MEANT = re.compile(r"#\s*eq\b", re.IGNORECASE)  # a comment that opens so is meant as a marker


@dataclass(frozen=True, slots=True)
class Line:
    """A line of code that computes an equation."""

    path: Path  # relative to the folder that holds the package
    number: int
    code: str  # without its marker


@dataclass(frozen=True, slots=True)
class Equation:
    """An equation in LaTeX, the paper it stands in, and the lines that compute it."""

    id: str
    latex: str
    paper: str
    lines: tuple[Line, ...]


def equations(root: Path = PACKAGE) -> dict[str, Equation]:
    """Every declared equation by its id, in the order of files and declarations.

    Raises ValueError for an id declared twice, a malformed marker and one whose id is not declared.
    """
    declared: dict[str, tuple[str, str]] = {}
    marked: dict[str, list[Line]] = {}
    for path in sorted(root.rglob("*.py")):
        source = path.read_text(encoding="utf-8")
        constants = _constants(source)
        for id, latex in constants.get("EQUATIONS", {}).items():
            if id in declared:
                raise ValueError(f"equation {id} is declared twice, again in {path}")
            declared[id] = latex, _paper_of(id, constants.get("PAPER", ""))
        for ids, line in _marked(source, path.relative_to(root.parent)):
            for id in ids:
                marked.setdefault(id, []).append(line)
    if unknown := marked.keys() - declared.keys():
        raise ValueError(f"lines marked with equations that no module declares: {sorted(unknown)}")
    return {
        id: Equation(id, latex, paper, tuple(marked.get(id, ())))
        for id, (latex, paper) in declared.items()
    }


def topics(found: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """What `explain` takes: the first part of one of the ids `found`, or a name. Each has topics,
    and whole ids of single equations.

    A name is that of an objective, of a paper's preset, or of an algorithm; one of several counts
    as the last of these.
    """
    own = {id.partition(".")[0] for id in found}
    presets = {name: _of_preset(options) for name, options in PRESETS.items()}
    return (
        {t: (t,) for t in sorted(own)}
        | {n: o.explains for n, o in OBJECTIVES.items()}
        | presets
        | {n: r.explains for n, r in ALGORITHMS.items()}
    )


def contents() -> dict[str, list[Equation]]:
    """The equations of every algorithm and topic."""
    found = equations()
    return {
        name: [e for t in parts for e in found.values() if belongs(e.id, t)]
        for name, parts in topics(found).items()
    }


def explain(name: str) -> list[Equation]:
    """The equations of an algorithm or topic. Raises UnknownNameError."""
    known = contents()
    if name not in known:
        raise UnknownNameError("topic", name, known)
    return known[name]


def belongs(id: str, topic: str) -> bool:
    """Whether the equation is one of a topic, or the one of that id."""
    return f"{id}.".startswith(f"{topic}.")


def _of_preset(options: dict[str, Any]) -> tuple[str, ...]:
    """The topics and equations of a paper's recipe: its objective's, and those of its parts."""
    found = OBJECTIVES[options["objective"]].explains
    if "penalty" in options:
        found += (PENALTIES[options["penalty"]].explains,)
    return (*found, "clipping") if "clip_weights" in options else found


def _marked(source: str, path: Path) -> Iterator[tuple[list[str], Line]]:
    """The lines of a module that carry a marker, with its ids."""
    if not MEANT.search(source):
        return  # most modules; taking one apart takes longer
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type != tokenize.COMMENT or not MEANT.match(token.string):
            continue
        number, column = token.start
        code = token.line[:column].strip()
        match = MARKER.fullmatch(token.string)
        if match is None or not code:
            raise ValueError(
                f"{path}:{number}: malformed marker {token.string!r}; end a line of code in "
                "`# eq: ID` or `# eq: ID, ID`"
            )
        yield re.split(r"\s*,\s*", match["ids"].strip()), Line(path, number, code)


def _paper_of(id: str, paper: str | dict[str, str]) -> str:
    """The paper of an equation: the module's one, or that of its id or topic."""
    if isinstance(paper, str):
        return paper
    return next((paper[key] for key in (id, id.partition(".")[0]) if key in paper), "")


def _constants(source: str) -> dict[str, Any]:
    """The module's EQUATIONS and PAPER, without importing it."""
    found: dict[str, Any] = {}
    if "EQUATIONS" not in source:
        return found  # most modules; taking one apart takes longer
    for node in ast.parse(source).body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            name = node.targets[0].id
            if name in ("EQUATIONS", "PAPER"):
                found[name] = ast.literal_eval(node.value)
    return found
