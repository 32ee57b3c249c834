"""The command line with --device: said once, carried in the run, and no silent run on the CPU."""

import json

import numpy as np
import pytest

from minigan.training import trainer as trainer_module
from tests.cuda.fake_cupy import OutOfMemoryError, fake_cupy, pretend
from tests.training.support import MLP, OFTEN, write_pictures


@pytest.fixture
def data(tmp_path):
    return write_pictures(tmp_path / "own.npz")


@pytest.fixture
def command(data):
    own = ["--steps", 8, "--precision", "fp32", "--no-report"]
    return ["train", *MLP, *OFTEN, "--data", data, *own]


def log_of(folder):
    lines = (folder / "log.jsonl").read_text().splitlines()
    return [r for r in map(json.loads, lines) if "loss_D" in r]


def test_a_run_on_a_card_is_the_cpu_s_but_for_rounding(minigan, command, device, tmp_path):
    """Weights, noise, dropout and the order of the data are the same from the first step on."""
    here, there = tmp_path / "here", tmp_path / "there"
    assert minigan(*command, "--out", here).code == 0
    result = minigan(*command, "--device", device, "--out", there)
    assert result.code == 0, result.err
    assert json.loads((there / "config.json").read_text())["run"]["device"] == device
    for a, b in zip(log_of(here), log_of(there), strict=True):
        assert a.keys() == b.keys()
        for key in a.keys() - {"seconds"}:
            assert abs(a[key] - b[key]) < 1e-4 * max(1, abs(a[key])), (a["step"], key)
    names = {str(p.relative_to(here)) for p in here.rglob("*")}
    assert names == {str(p.relative_to(there)) for p in there.rglob("*")}


def test_with_and_without_a_graph_a_run_leaves_the_same(minigan, command, device, tmp_path):
    folders = [tmp_path / "graph", tmp_path / "eager"]
    for folder, more in zip(folders, ([], ["--no-graph"]), strict=True):
        assert minigan(*command, "--device", device, *more, "--out", folder).code == 0
    for path in sorted((folders[0] / "checkpoints").glob("*.safetensors")):
        assert path.read_bytes() == (folders[1] / "checkpoints" / path.name).read_bytes()


def test_a_run_resumes_and_samples_on_any_device(minigan, command, device, tmp_path):
    folder = tmp_path / "run"
    assert minigan(*command, "--device", device, "--out", folder).code == 0
    resumed = minigan("resume", folder, "--steps", 2, "--device", "cpu")
    assert resumed.code == 0, resumed.err
    assert json.loads((folder / "config.json").read_text())["run"]["device"] == "cpu"
    assert minigan("resume", folder, "--steps", 2, "--device", device).code == 0
    assert [r["step"] for r in log_of(folder)][-1] == 12

    samples = []
    for where in (device, "cpu"):
        out = tmp_path / f"{where}.npz"
        assert minigan("sample", folder, "--n", 5, "--device", where, "--out", out).code == 0
        with np.load(out, allow_pickle=False) as archive:
            samples.append(archive["x"])
    np.testing.assert_allclose(*samples, rtol=0, atol=1e-5)


@pytest.mark.parametrize("what", ["train", "resume", "sample", "eval"])
def test_a_device_that_is_not_there_is_an_error_and_leaves_nothing(
    minigan, command, monkeypatch, tmp_path, what
):
    folder, out = tmp_path / "run", tmp_path / "x.png"
    if what != "train":
        assert minigan(*command, "--out", folder).code == 0
    commands = {
        "train": [*command, "--out", folder],
        "resume": ["resume", folder, "--steps", 2],
        "sample": ["sample", folder, "--out", out],
        "eval": ["eval", folder],
    }
    before = {p: p.stat().st_mtime_ns for p in tmp_path.rglob("*")}
    pretend(monkeypatch, 13000, None)
    result = minigan(*commands[what], "--device", "cuda")
    assert result.code == 1
    assert result.err.strip().splitlines() == [
        "minigan: error: CuPy is not installed; pip install 'minigan[cuda13x]', "
        "or run with --device cpu"
    ]
    assert {p: p.stat().st_mtime_ns for p in tmp_path.rglob("*")} == before


def test_out_of_device_memory_is_one_line(minigan, command, monkeypatch, tmp_path):
    def too_much(*args, **how):
        raise OutOfMemoryError("Out of memory allocating 99 bytes (allocated so far: 7 bytes).")

    pretend(monkeypatch, 13000, fake_cupy())
    monkeypatch.setattr(trainer_module, "Stepper", lambda *args, **how: too_much)
    result = minigan(*command, "--out", tmp_path / "run")
    assert result.code == 1
    (line,) = [text for text in result.err.splitlines() if "error" in text]
    for words in ("allocating 99 bytes", "pool holds 3.00 GiB", "lower --batch"):
        assert words in line


def test_an_unknown_precision_is_refused(minigan, command, tmp_path):
    result = minigan(*command, "--precision", "fp8", "--out", tmp_path / "run")
    assert result.code == 2
    assert "tf32" in result.err


def test_a_step_that_is_not_finite_stops_the_run_and_keeps_the_last_checkpoint(
    minigan, command, device, tmp_path
):
    folder = tmp_path / "run"
    result = minigan(*command, "--device", device, "--lr", "1e30", "--out", folder)
    assert result.code == 1
    assert "has not been finite" in result.err
    assert "training stopped" in result.err
    kept = sorted((folder / "checkpoints").glob("*.safetensors"))
    assert kept
