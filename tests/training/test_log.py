"""log.jsonl: what is read of a file that a kill or a power cut has left."""

from pathlib import Path

import pytest

from minigan.training import log


@pytest.mark.parametrize(
    "spoilt", ["\x00\x00\x00", '{"step": 2, "lo', '"step"', '{"loss_D": 1}', '{"step": "2"}']
)
def test_a_spoilt_line_is_passed_over(tmp_path: Path, spoilt: str) -> None:
    path = tmp_path / "log.jsonl"
    for step in (1, 3, 4):
        log.append(path, {"step": step, "loss_D": 0.5})
    lines = path.read_text().splitlines()
    path.write_text("\n".join([lines[0], spoilt, *lines[1:], '{"step": 5']))
    assert [record["step"] for record in log.read(path)] == [1, 3, 4]
    assert [record["step"] for record in log.truncate(path, 3)] == [1, 3]
    assert path.read_text().splitlines() == lines[:2]


def test_without_a_file_there_are_no_lines(tmp_path: Path) -> None:
    assert log.read(tmp_path / "log.jsonl") == []
