"""What the host names exists, and kernels include nothing that NVRTC lacks.

That every kernel is run by a test is seen in tests/emulator/test_sanitizer.py.
"""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

import minigan
from minigan.cuda import sources
from tests.emulator import build

PACKAGE = Path(minigan.__file__).parent
HOST = sorted([*(PACKAGE / "ops" / "cuda").glob("*.py"), *(PACKAGE / "cuda").glob("*.py")])

pytestmark = pytest.mark.skipif(
    build.COMPILER is None, reason="no C++ compiler to expand the kernels' macros with"
)


def kernels() -> set[str]:
    """Every family.symbol that kernels/ defines."""
    return {
        f"{family}.{symbol}"
        for family in sources.families()
        for symbol in build.symbols(build.KERNELS / f"{family}.cu")
    }


def patterns(source: str, families: set[str]) -> set[str]:
    """The strings of a module that name kernels, as regular expressions: a part that an f-string
    fills in may be anything."""
    tree = ast.parse(source)
    inner = {p for n in ast.walk(tree) if isinstance(n, ast.JoinedStr) for p in n.values}
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            parts = [
                re.escape(part.value) if isinstance(part, ast.Constant) else r"\w*"
                for part in node.values
            ]
            found.add("".join(parts))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and node not in inner:
            found.add(re.escape(node.value))
    named = re.compile(rf"({'|'.join(sorted(families))})[\\w*]*\\\.[\w\\*]+")
    return {text for text in found if named.fullmatch(text)}


def host_patterns() -> set[str]:
    families = set(sources.families())
    return set().union(*(patterns(p.read_text(encoding="utf-8"), families) for p in HOST))


def test_every_name_on_the_host_is_that_of_a_kernel():
    known = kernels()
    names = host_patterns()
    assert len(names) > 20
    for name in names:
        assert any(re.fullmatch(name, kernel) for kernel in known), name


def test_names_are_found():
    source = 'launch(f"norm.apply{x}_f32"); launch("norm.sums"); print("normal.", "a norm. b")'
    assert patterns(source, {"norm"}) == {r"norm\.apply\w*_f32", r"norm\.sums"}


@pytest.mark.parametrize("path", sorted(build.KERNELS.glob("*.cu*")), ids=lambda p: p.name)
def test_only_our_own_headers_are_included(path):
    """NVRTC has no standard library, and the headers that it has cost seconds each."""
    text = path.read_text(encoding="utf-8")
    assert path.suffix in (".cu", ".cuh")
    for include in re.findall(r"^\s*#\s*include\s+(.*)$", text, re.MULTILINE):
        match = re.fullmatch(r'"(\w+\.cuh)"', include)
        assert match, include
        assert (build.KERNELS / match[1]).is_file()
