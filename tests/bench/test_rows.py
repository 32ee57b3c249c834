"""Rows that say what a measurement may say, in files that are whole at every moment."""

import json
import math
import multiprocessing

import pytest

from bench.rows import RowError, append, newest, read
from tests.bench.rows import make_row

FIELDS = [
    *("bench", "arch", "size", "width", "batch", "device", "precision", "threads", "peer"),
    *("ours_ms", "peer_ms", "ratio", "machine", "versions", "date", "detail"),
]


def test_the_fields_of_a_row():
    assert list(make_row().to_json()) == FIELDS


@pytest.mark.parametrize(
    "wrong",
    [
        {"bench": "steps"},
        {"arch": ""},
        {"size": 0},
        {"batch": 1.5},
        {"threads": 0},
        {"ours_ms": -1.0},
        {"peer_ms": math.inf},
        {"ratio": math.nan},
        {"ratio": 0.0},
        {"versions": "numpy 2"},
        {"date": None},
    ],
    ids=str,
)
def test_impossible_rows_are_refused(wrong):
    (name,) = wrong
    with pytest.raises(RowError, match=name):
        make_row(**wrong)


def test_a_stored_row_comes_back(tmp_path):
    rows = [make_row(), make_row("memory", ours_ms=None, peer_ms=None, detail={"ours_mb": 1.5})]
    append(tmp_path / "new" / "rows.json", rows[:1])
    append(tmp_path / "new" / "rows.json", rows[1:])
    assert read(tmp_path / "new" / "rows.json") == rows
    assert [p.name for p in (tmp_path / "new").iterdir()] == ["rows.json"]


@pytest.mark.parametrize("change", [{"ratio": None}, {"extra": 1}], ids=["missing", "unknown"])
def test_rows_of_another_form_are_refused_with_the_file(tmp_path, change):
    row = make_row().to_json() | change
    if change == {"ratio": None}:
        del row["ratio"]
    path = tmp_path / "rows.json"
    path.write_text(json.dumps([row]))
    with pytest.raises(RowError, match=rf"rows\.json.*{next(iter(change))}"):
        read(path)


@pytest.mark.parametrize("text", ["", "{}", "[1]", "[{}]"])
def test_a_file_that_is_no_list_of_rows_is_refused(tmp_path, text):
    path = tmp_path / "rows.json"
    path.write_text(text)
    with pytest.raises(RowError, match=r"rows\.json"):
        read(path)


def _add(path, peer):
    for _ in range(5):
        append(path, [make_row(peer=peer)])


def test_two_writers_lose_nothing(tmp_path):
    path = tmp_path / "rows.json"
    context = multiprocessing.get_context("spawn")
    writers = [context.Process(target=_add, args=(path, peer)) for peer in ("a", "b")]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert sorted(row.peer for row in read(path)) == ["a"] * 5 + ["b"] * 5


def test_the_newest_of_each_measurement_counts():
    old, new = make_row(ratio=0.9), make_row(date="2026-01-03T00:00:00Z")
    other = make_row(batch=32)
    assert newest([new, other, old]) == [new, other]
    assert newest([old, other, new]) == [new, other]


def test_operations_of_one_network_are_different_measurements():
    passes = [make_row("ops", detail={"op": "conv", "pass": p}) for p in ("forward", "dx", "dw")]
    assert newest(passes) == passes
