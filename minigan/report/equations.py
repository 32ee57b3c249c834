"""The equations of a run's algorithm as MathML, beside the lines that computed them.

LaTeX becomes MathML when the report is made, which browsers draw by themselves.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import Any
from xml.etree import ElementTree

from markupsafe import Markup

from minigan.algorithms import ALGORITHMS
from minigan.explain import Equation, Line, belongs, equations, topics
from minigan.losses import OBJECTIVES, PENALTIES

LIMITS = ("min", "max", "sup", "inf", "lim")  # what stands below these, not beside them

# What the converter does not know, in words that it does.
REWRITTEN = {r"\\arg(?![a-zA-Z])": r"\\operatorname{arg}"}


@dataclass(frozen=True, slots=True)
class Shown:
    """An equation as a page shows it."""

    id: str
    latex: str
    mathml: Markup
    lines: tuple[Line, ...]


@cache
def mathml(latex: str) -> Markup:
    """A displayed equation. The LaTeX is minigan's own, so the result is no one else's markup."""
    from latex2mathml.converter import convert  # a training needs it at its end alone

    for pattern, known in REWRITTEN.items():
        latex = re.sub(pattern, known, latex)
    root = ElementTree.fromstring(convert(latex, xmlns="", display="block"))
    for node in root.iter("msub"):
        if node[0].text in LIMITS:
            node.tag = "munder"
    return Markup(ElementTree.tostring(root, encoding="unicode"))


def of_run(config: dict[str, Any]) -> dict[str, list[Shown]]:
    """The equations of a run's algorithm, objective and penalty, by paper.

    None of an algorithm that this version does not know. Raises ValueError and SyntaxError where
    the source beside the package is being edited and its marks are not whole.
    """
    return _by_paper(_topics(config.get("algorithm"), config.get("options", {})))


def _topics(algorithm: str | None, options: dict[str, Any]) -> tuple[str, ...]:
    """What `minigan explain` calls the parts that the run is made of."""
    if algorithm not in ALGORITHMS:
        return ()
    found, known = ALGORITHMS[algorithm].explains, topics(_equations())
    objective, penalty = options.get("objective"), options.get("penalty")
    if objective in known:  # the recipe names those of its default
        of_objectives = {topic for o in OBJECTIVES.values() for topic in o.explains}
        found = (*(t for t in found if t not in of_objectives), *known[objective])
    if penalty in PENALTIES:
        found = (*found, PENALTIES[penalty].explains)
    return tuple(dict.fromkeys(found))


@cache
def _equations() -> dict[str, Equation]:
    return equations()


@cache
def _by_paper(wanted: tuple[str, ...]) -> dict[str, list[Shown]]:
    found: dict[str, list[Shown]] = {}
    for topic in wanted:
        for e in _equations().values():
            if belongs(e.id, topic):
                found.setdefault(e.paper, []).append(Shown(e.id, e.latex, mathml(e.latex), e.lines))
    return found
