"""Every stream of a seed has one purpose, and those that trainings depend on keep their numbers."""

import ast
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from minigan.backend import make_rng
from minigan.noise import Stream
from minigan.streams import Purpose

ROOT = Path(__file__).parents[1]
MODULES = [path for part in ("minigan", "bench") for path in sorted((ROOT / part).rglob("*.py"))]


def unnamed(tree: ast.AST) -> Iterator[str]:
    """Random streams whose second number is not a purpose of the register."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call) or len(node.args) < 2:
            continue
        made = ast.unparse(node.func).rpartition(".")[2]
        if made in ("make_rng", "Stream") and not ast.unparse(node.args[1]).startswith("Purpose."):
            yield ast.unparse(node)


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(ROOT)))
def test_every_stream_says_what_it_is_for(path: Path) -> None:
    assert list(unnamed(ast.parse(path.read_text(encoding="utf-8")))) == []


def test_a_magic_number_would_be_seen() -> None:
    source = (
        "make_rng(seed, 3)\nbackend.make_rng(0, REAL)\nmake_rng(0)\nStream(s, Purpose.NOISE, 4)"
    )
    assert list(unnamed(ast.parse(source))) == ["make_rng(seed, 3)", "backend.make_rng(0, REAL)"]


def test_every_purpose_is_drawn_for() -> None:
    sources = "".join(path.read_text(encoding="utf-8") for path in MODULES)
    assert [p.name for p in Purpose if f"Purpose.{p.name}" not in sources] == []


def test_numbers_that_trainings_depend_on() -> None:
    """Another number here is another training from the same seed, and another resumed run."""
    kept = {"WEIGHTS": 1, "NOISE": 2, "DATA": 0xDA7A, "REFERENCE": 8, "LABELLED": 12}
    kept |= {"CLASSIFIER_WEIGHTS": 6, "CLASSIFIER_SHIFTS": 7}  # those inside the package
    assert {name: int(Purpose[name]) for name in kept} == kept


def test_a_purpose_draws_as_its_number_does() -> None:
    for rng in (make_rng, Stream):
        named, plain = rng(5, Purpose.WEIGHTS), rng(5, 1)
        np.testing.assert_array_equal(named.standard_normal(9), plain.standard_normal(9))


def test_purposes_are_independent() -> None:
    firsts = {tuple(make_rng(0, p).integers(0, 2**63, 2).tolist()) for p in Purpose}
    assert len(firsts) == len(Purpose)
    assert len(Purpose.__members__) == len(Purpose)  # no two names of one number
