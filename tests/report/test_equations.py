"""Equations as MathML: every one that minigan declares."""

import re
import unicodedata
from xml.etree import ElementTree

import pytest

from minigan.algorithms import ALGORITHMS
from minigan.explain import equations, explain
from minigan.report.equations import mathml, of_run

ALL = equations()
# What is left without these must still be seen.
COMMAND = re.compile(r"\\[a-zA-Z]+|\\.")
ENVIRONMENT = re.compile(r"\\(begin|end)\{\w+\}(\{\w+\})?")


@pytest.mark.parametrize("id", ALL)
def test_every_equation_becomes_mathml(id: str) -> None:
    latex = ALL[id].latex
    root = ElementTree.fromstring(mathml(latex))
    assert root.tag == "math"
    assert root.get("display") == "block"
    kinds = {node.tag for node in root.iter()}
    assert "merror" not in kinds
    text = "".join(root.itertext())
    assert "\\" not in text  # a command that the converter did not know
    bare = COMMAND.sub(" ", ENVIRONMENT.sub(" ", latex))
    drawn = unicodedata.normalize("NFKC", text)  # double-struck and script letters as letters
    assert set(re.findall(r"[A-Za-z0-9]", bare)) <= set(drawn)


@pytest.mark.parametrize(
    ("latex", "words"),
    [
        (r"G^* = \arg \min_G \max_D V", "G*=argminGmaxDV"),
        (r"\frac{1}{m} \sum_i x_i", "1m∑ixi"),
    ],
)
def test_what_an_equation_says(latex: str, words: str) -> None:
    assert re.sub(r"\s|⁡", "", "".join(ElementTree.fromstring(mathml(latex)).itertext())) == words


def test_what_is_minimised_over_stands_below() -> None:
    root = ElementTree.fromstring(mathml(r"\min_G V_G"))
    assert [node[0].text for node in root.iter("munder")] == ["min"]
    assert [node[0].text for node in root.iter("msub")] == ["V"]
    assert mathml("x").startswith('<math display="block">')


def ids(**config: object) -> list[str]:
    return [e.id for found in of_run(config).values() for e in found]


@pytest.mark.parametrize("name", ALGORITHMS)
def test_a_run_shows_what_explain_does(name: str) -> None:
    found = of_run({"algorithm": name, "options": {}})
    assert {(paper, e.id, e.latex, e.lines) for paper, es in found.items() for e in es} == {
        (e.paper, e.id, e.latex, e.lines) for e in explain(name)
    }


def topics(**options: object) -> set[str]:
    return {id.partition(".")[0] for id in ids(algorithm="dcgan", options=options)}


def test_the_objective_of_the_run_is_shown() -> None:
    assert topics(objective="non-saturating", penalty="none") == {"gan", "loss"}
    assert topics(objective="lsgan") == {"gan", "lsgan"}
    assert topics(objective="wasserstein", penalty="wgan-gp") == {"gan", "wgan", "penalty"}
    assert topics(objective="from another version") == {"gan", "loss"}


def test_an_algorithm_of_another_version() -> None:
    assert of_run({"algorithm": "unknown", "options": {}}) == {}
    assert of_run({}) == {}
