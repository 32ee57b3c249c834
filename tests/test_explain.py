"""Equations and the lines that compute them: each has the other."""

from pathlib import Path

import pytest

from minigan.algorithms import ALGORITHMS
from minigan.algorithms.presets import PRESETS
from minigan.errors import UnknownNameError
from minigan.explain import PACKAGE, equations, explain, topics
from minigan.losses import OBJECTIVES

ALL = equations()


def test_there_are_some() -> None:
    assert {"gan.1", "gan.alg1.d", "gan.alg1.g", "loss.minimax"} <= ALL.keys()


@pytest.mark.parametrize("id", ALL)
def test_an_equation_has_a_line_and_a_paper(id: str) -> None:
    equation = ALL[id]
    assert equation.id == id
    assert equation.latex
    assert equation.paper
    assert equation.lines
    for line in equation.lines:  # read back from the file
        text = (PACKAGE.parent / line.path).read_text().splitlines()[line.number - 1]
        code, _, marker = text.partition("# eq:")
        assert code.strip() == line.code != ""
        assert id in [found.strip() for found in marker.split(",")]


@pytest.mark.parametrize("name", ALGORITHMS)
def test_an_algorithm_has_equations(name: str) -> None:
    found = explain(name)
    assert found
    assert {e.id.partition(".")[0] for e in found} == set(ALGORITHMS[name].explains)


def test_a_topic_is_the_first_part_of_an_id() -> None:
    own = {id.partition(".")[0] for id in ALL}
    assert topics(ALL).keys() == own | ALGORITHMS.keys() | OBJECTIVES.keys() | PRESETS.keys()
    for name, found in topics(ALL).items():
        assert set(found) <= own | ALL.keys(), name
    assert [e.id for e in explain("loss")] == [id for id in ALL if id.startswith("loss.")]
    with pytest.raises(UnknownNameError, match="unknown topic 'los'; did you mean 'loss'"):
        explain("los")


def test_a_module_can_name_a_paper_for_each_topic_or_equation() -> None:
    assert ALL["hinge.d"].paper.startswith("Lim and Ye 2017")
    assert ALL["penalty.r1"].paper.startswith("Mescheder et al. 2018")
    assert ALL["penalty.gp"].paper.startswith("Gulrajani et al. 2017")
    assert {e.paper for e in explain("projection")} == {
        "Miyato and Koyama 2018, arXiv:1802.05637, eq. 3"
    }


def test_a_papers_recipe_has_its_own_parts_alone() -> None:
    def ids(name: str) -> set[str]:
        return {e.id for e in explain(name)}

    assert ids("wgan") == {"wgan.d", "wgan.g", "clipping.w"}
    assert ids("wgan-gp") == {"wgan.d", "wgan.g", "penalty.gp"}
    assert ids("wgan-div") == {"wgan.d", "wgan.g", "penalty.div"}
    assert {id for id in ids("dragan") if id.startswith("penalty.")} == {"penalty.dragan"}


# --- on a package made up for the purpose ---------------------------------------------------------

TWO = """
PAPER = "Author 1900"
EQUATIONS = {"a.1": r"x = 1", "a.2": r"y = x" r" + 1"}

x = 1  # eq: a.1
y = x + 1  # eq: a.1, a.2
"""


def package(root: Path, **modules: str) -> Path:
    for name, source in modules.items():
        path = root / "made_up" / f"{name.replace('__', '/')}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(source)
    return root / "made_up"


def test_declarations_and_markers_are_found(tmp_path: Path) -> None:
    found = equations(package(tmp_path, b__two=TWO, a="z = 2  #  eq:a.2\n"))
    assert list(found) == ["a.1", "a.2"]
    assert (found["a.2"].latex, found["a.2"].paper) == ("y = x + 1", "Author 1900")
    assert [(str(x.path), x.number, x.code) for x in found["a.1"].lines] == [
        ("made_up/b/two.py", 5, "x = 1"),
        ("made_up/b/two.py", 6, "y = x + 1"),
    ]
    assert [(str(x.path), x.number, x.code) for x in found["a.2"].lines] == [
        ("made_up/a.py", 1, "z = 2"),
        ("made_up/b/two.py", 6, "y = x + 1"),
    ]


def test_an_equation_without_a_line_is_seen(tmp_path: Path) -> None:
    found = equations(
        package(tmp_path, a='EQUATIONS = {"a.1": "x", "a.2": "y"}\nx = 1  # eq: a.1\n')
    )
    assert [id for id, e in found.items() if not e.lines] == ["a.2"]


FAULTS = {
    "a line without an equation": (["x = 1  # eq: a.9"], r"no module declares: \['a\.9'\]"),
    "one of two ids": ([TWO + "z = 2  # eq: a.1, b.1"], r"no module declares: \['b\.1'\]"),
    "an id declared twice": ([TWO, TWO], r"equation a\.1 is declared twice, again in .*m1\.py"),
    "no id": ([TWO + "z = 2  # eq:"], r"m0\.py:7: .*# eq:"),
    "an id with a space": ([TWO + "z = 2  # eq: a.1 a.2"], r"m0\.py:7"),
    "words after the id": ([TWO + "z = 2  # eq: a.1 (again)"], r"m0\.py:7"),
    "a comma too many": ([TWO + "z = 2  # eq: a.1,"], r"m0\.py:7"),
    "another spelling": ([TWO + "z = 2  # Eq: a.1"], r"m0\.py:7"),
    "another sign": ([TWO + "z = 2  # eq a.1"], r"m0\.py:7"),
    "a marker without code": ([TWO + "# eq: a.1"], r"m0\.py:7"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_faults_are_reported(tmp_path: Path, fault: str) -> None:
    sources, message = FAULTS[fault]
    root = package(tmp_path, **{f"m{i}": source for i, source in enumerate(sources)})
    with pytest.raises(ValueError, match=message):
        equations(root)
