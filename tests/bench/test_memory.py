"""Peaks of this process, and the ratio that is made of them."""

import mmap

import pytest

from bench.memory import MB, growth, median_pair, peak, reset_peak, resident, summary


def test_the_peak_holds_what_was_there_for_a_moment():
    if not reset_peak():
        pytest.skip("this system does not reset the peak")
    before = resident()
    with mmap.mmap(-1, 64 * MB) as block:  # not malloc's, which may keep what is freed
        block.write(bytes(64 * MB))
    assert peak() - before > 60 * MB
    assert resident() - before < 30 * MB
    reset_peak()
    assert peak() - before < 30 * MB


def found(peak_mb, windows=()):
    windows = [w * MB for w in windows]
    return {"base": 100 * MB, "peak": peak_mb * MB, "windows": windows, "exact": True}


def test_the_ratio_is_of_what_the_step_added():
    got = summary(found(150), found(200), 0)
    assert got["ratio"] == 0.5
    assert (got["detail"]["ours_mb"], got["detail"]["peer_mb"]) == (50, 100)
    assert (got["detail"]["ours_process_mb"], got["detail"]["peer_process_mb"]) == (150, 200)


def test_the_row_is_the_pair_with_the_median_ratio():
    pairs = [summary(found(100 + ours), found(200), 0) for ours in (30, 10, 90, 20, 25)]
    got = median_pair(pairs)
    assert got["ratio"] == 0.25
    assert got["detail"]["ours_mb"] == 25
    spread = {name: got["detail"][name] for name in ("ratio_min", "ratio_max", "repeats")}
    assert spread == {"ratio_min": 0.1, "ratio_max": 0.9, "repeats": 5}
    assert median_pair(pairs[:2])["ratio"] == 0.1  # of an even number the lower


def test_growth_is_from_the_second_window():
    assert growth(found(0, [50, 200, 210, 220])) == pytest.approx(0.1)
    detail = summary(found(150, [150, 150, 150]), found(200, [200, 200, 300]), 1000)["detail"]
    assert (detail["ours_growth"], detail["peer_growth"]) == (0, 0.5)
