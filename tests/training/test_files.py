"""Files that are whole or not there, and the log that is appended to."""

import json
import os
from pathlib import Path

import pytest

from minigan.training import log
from minigan.training.files import check_place, naming, remove_unfinished, write_atomically


def test_a_file_appears_in_folders_that_were_not_there(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b" / "file"
    write_atomically(path, b"content")
    assert path.read_bytes() == b"content"
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize("step", ["fsync", "replace"])
@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt()])
def test_a_failure_leaves_the_old_content(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str, error: BaseException
) -> None:
    path = tmp_path / "file"
    write_atomically(path, b"old")

    def fail(*arguments: object) -> None:
        raise error

    monkeypatch.setattr(os, step, fail)
    with pytest.raises(type(error)) as caught:
        write_atomically(path, b"new")
    assert getattr(caught.value, "filename", str(path)) == str(path)
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_place_is_checked_before_the_work(tmp_path: Path) -> None:
    check_place(tmp_path / "a" / "b")
    check_place(Path("b"))
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "file").write_bytes(b"")
    check_place(tmp_path / "file")
    with pytest.raises(IsADirectoryError):
        check_place(tmp_path)
    with pytest.raises(NotADirectoryError):
        check_place(tmp_path / "file" / "b")


@pytest.mark.parametrize("missing", [os.W_OK, os.X_OK], ids=["write", "enter"])
def test_a_place_where_one_may_not_write(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, missing: int
) -> None:
    """A file in a folder takes both rights. Root always has them: they are pretended away."""
    monkeypatch.setattr(os, "access", lambda at, mode: at != tmp_path or not mode & missing)
    with pytest.raises(PermissionError):
        check_place(tmp_path / "a" / "b")


def test_the_disk_has_the_content_before_the_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """fsync of the file, rename, fsync of the folder: in this order."""
    done: list[object] = []
    fsync, replace = os.fsync, os.replace

    def watched_fsync(number: int) -> None:
        done.append(os.fstat(number).st_ino)
        fsync(number)

    def watched_replace(old: Path, new: Path) -> None:
        done.append("rename")
        assert Path(old).read_bytes() == b"content"
        replace(old, new)

    monkeypatch.setattr(os, "fsync", watched_fsync)
    monkeypatch.setattr(os, "replace", watched_replace)
    write_atomically(tmp_path / "file", b"content")
    assert done == [(tmp_path / "file").stat().st_ino, "rename", tmp_path.stat().st_ino]


def test_an_error_names_the_file() -> None:
    with pytest.raises(OSError, match="'a/file'"), naming(Path("a/file")):
        raise OSError(28, "No space left on device")


def test_what_was_being_written_goes_and_nothing_else(tmp_path: Path) -> None:
    for name in ("a.unfinished", "b/c.png.unfinished", "b/kept.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    remove_unfinished(tmp_path)
    assert [str(p.relative_to(tmp_path)) for p in tmp_path.rglob("*.*")] == ["b/kept.png"]


# --- the log --------------------------------------------------------------------------------------


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A log of the steps 0 to 4, the last line cut short."""
    path = tmp_path / "log.jsonl"
    log.append(path, {"step": 0, "warning": "few data"})
    for step in (1, 2, 3):
        log.append(path, {"step": step, "loss": 0.1 * step})
    log.append(path, {"step": 3, "warning": "D is saturated"})
    with open(path, "a") as file:
        file.write('{"step": 4, "lo')
    return path


def test_reading_passes_over_a_line_cut_short(path: Path, tmp_path: Path) -> None:
    assert [(r["step"], r.get("loss")) for r in log.read(path)] == [
        (0, None),
        (1, 0.1),
        (2, 0.2),
        (3, 0.1 * 3),  # numbers come back to the bit
        (3, None),
    ]
    assert log.read(tmp_path / "none.jsonl") == []


@pytest.mark.parametrize(
    ("step", "left"), [(0, []), (1, [0, 1]), (3, [0, 1, 2, 3, 3]), (9, [0, 1, 2, 3, 3])]
)
def test_truncating_leaves_whole_lines_up_to_the_step(
    path: Path, step: int, left: list[int]
) -> None:
    records = log.truncate(path, step)
    assert [r["step"] for r in records] == left
    assert [json.loads(line) for line in path.read_text().splitlines()] == records
    log.append(path, {"step": 9})
    assert [r["step"] for r in log.read(path)] == [*left, 9]


def test_truncating_makes_a_log_where_there_is_none(tmp_path: Path) -> None:
    assert log.truncate(tmp_path / "log.jsonl", 0) == []
    assert (tmp_path / "log.jsonl").read_bytes() == b""
