"""Pictures inside a page: their content, and how many."""

import base64
from itertools import pairwise
from pathlib import Path

import pytest

from minigan.report.embed import chosen, embedded
from minigan.report.run import Frame


def frames(folder: Path, n: int, size: int = 10) -> list[Frame]:
    found = []
    for step in range(n):
        path = folder / f"{step}.png"
        path.write_bytes(bytes(size))
        found.append(Frame(step, {"samples": path}))
    return found


@pytest.mark.parametrize(("n", "limit"), [(1, 4), (4, 4), (5, 4), (1000, 60), (61, 60)])
def test_at_most_so_many(tmp_path: Path, n: int, limit: int) -> None:
    steps = [frame.step for frame in chosen(frames(tmp_path, n), limit=limit)]
    assert len(steps) == min(n, limit)
    assert (steps[0], steps[-1]) == (0, n - 1)
    apart = {b - a for a, b in pairwise(steps)}
    assert max(apart, default=0) - min(apart, default=0) <= 1


@pytest.mark.parametrize(("size", "kept"), [(100, 10), (99, 9), (35, 3), (20, 2), (19, 1), (0, 1)])
def test_at_most_so_large(tmp_path: Path, size: int, kept: int) -> None:
    found = chosen(frames(tmp_path, 10), size=size)
    assert len(found) == kept
    assert found[-1].step == 9


def test_none() -> None:
    assert chosen([]) == []


@pytest.mark.parametrize(("name", "kind"), [("a.png", "image/png"), ("a.gif", "image/gif")])
def test_content_as_an_address(tmp_path: Path, name: str, kind: str) -> None:
    path = tmp_path / name
    path.write_bytes(bytes(range(256)))
    head, _, content = embedded(path).partition(",")
    assert head == f"data:{kind};base64"
    assert base64.b64decode(content) == bytes(range(256))
