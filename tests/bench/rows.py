"""Rows as a measurement would make them."""

from bench.rows import Row

BASE = {
    "arch": "dcgan",
    "size": 64,
    "width": 64,
    "batch": 64,
    "device": "cpu",
    "precision": "float32",
    "threads": 2,
    "peer": "torch",
    "ours_ms": 700.0,
    "peer_ms": 1000.0,
    "ratio": 0.7,
    "machine": "A processor, 2 cores, 8 GB",
    "versions": {"numpy": "2.0"},
    "date": "2026-01-02T03:04:05Z",
}

SPREAD = {"ratio_min": 0.6, "ratio_max": 0.8, "repeats": 7}
STEP = SPREAD | {"ours_first_ms": 900.0, "peer_first_ms": 2000.0, "choices": {"layout": "nchw"}}


def make_row(bench="step", **changed):
    fields = BASE | {"detail": STEP if bench == "step" else {}} | changed
    return Row(bench=bench, **fields)
