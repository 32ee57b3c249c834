"""What the pages need of Sphinx: equations beside code, and mathematics without a script.

The directive `explain` shows what `minigan explain NAME` prints: each equation with its paper and
the lines that compute it, read from the source when the pages are built. LaTeX becomes MathML,
which browsers draw by themselves, so that the pages open from disk without a network.
"""

from __future__ import annotations

import re
from html import escape
from typing import Any

from docutils import nodes
from docutils.parsers.rst import Directive
from latex2mathml.converter import convert
from sphinx.application import Sphinx

from minigan.explain import Equation, explain
from minigan.report.equations import mathml


class Explain(Directive):
    """`{explain} NAME`: the equations of an algorithm, an objective or a topic."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        found = explain(self.arguments[0])
        return [nodes.raw("", "".join(_shown(e) for e in found), format="html")]


def _shown(equation: Equation) -> str:
    lines = "".join(
        f'<li><span class="where">{escape(str(line.path))}:{line.number}</span>'
        f"<code>{escape(line.code)}</code></li>"
        for line in equation.lines
    )
    return (
        f'<section class="equation" id="eq-{escape(equation.id)}">'
        f"<header><b>{escape(equation.id)}</b> {escape(equation.paper)}</header>"
        f"{mathml(equation.latex)}<ol>{lines}</ol></section>"
    )


def _inline(self: Any, node: nodes.math) -> None:
    self.body.append(convert(node.astext(), display="inline"))
    raise nodes.SkipNode


def _block(self: Any, node: nodes.math_block) -> None:
    """Each line of the source is an equation of its own; `aligned` is left out."""
    lines = [line for line in re.split(r"\\\\|\n\n", node.astext()) if line.strip()]
    self.body.append("".join(f'<div class="math">{mathml(line.strip())}</div>' for line in lines))
    raise nodes.SkipNode


def setup(app: Sphinx) -> dict[str, Any]:
    """Called by Sphinx."""
    app.add_directive("explain", Explain)
    app.add_html_math_renderer("mathml", (_inline, None), (_block, None))
    return {"parallel_read_safe": True, "version": "1"}
