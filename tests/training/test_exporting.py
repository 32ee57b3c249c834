"""`minigan export` and `minigan import`, by the real commands, on runs of every kind."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch
from safetensors.torch import save_file

from minigan.cli import main
from minigan.export.onnx import channels_first
from minigan.training import best
from minigan.training.building import build_algorithm, dataset_of
from minigan.training.config import Config
from minigan.training.files import locked

SMALL = ["--size", "16", "--width", "4", "--batch", "4", "--seed", "1"]
RUNS = {
    "dcgan": ["dcgan", *SMALL, "--steps", "3", "--ema", "0.5"],
    "pix2pix": ["pix2pix", *SMALL, "--steps", "2", "--patch", "16"],
    "untrained": ["dcgan", *SMALL, "--steps", "0", "--ema", "0.5"],
}


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the runs, made by the command line."""
    folder = tmp_path_factory.mktemp("runs")
    for name, arguments in RUNS.items():
        assert command("train", *arguments, "--out", str(folder / name)) == 0
    return folder


def command(*arguments: str) -> int:
    with pytest.raises(SystemExit) as ended:
        main(list(arguments))
    return int(ended.value.code or 0)


def test_a_generator_leaves_for_onnxruntime(
    runs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The moving average goes out, as `sample` draws from it."""
    file = tmp_path / "G.onnx"
    assert command("export", str(runs / "dcgan"), "--onnx", str(file)) == 0
    assert "z (N, 100), as onnxruntime computes it to" in capsys.readouterr().out
    z = np.random.default_rng(0).standard_normal((5, 100)).astype(np.float32)
    (x,) = onnxruntime.InferenceSession(file).run(None, {"z": z})
    config = Config.load(runs / "dcgan" / "config.json")
    algorithm = build_algorithm(config, dataset_of(config))
    best.load(runs / "dcgan" / "checkpoints").restore(algorithm)
    wanted = channels_first(algorithm.generate(z))
    np.testing.assert_allclose(x, wanted, atol=1e-5 * np.abs(wanted).max())
    own, _ = algorithm.networks["G"].forward(z, train=False)
    assert np.abs(x - channels_first(own)).max() > 1e-4


def test_a_discriminator_leaves_for_pytorch(runs: Path, tmp_path: Path) -> None:
    """The two files alone, in a process that knows nothing of minigan."""
    file = tmp_path / "D.safetensors"
    given = ["--torch", str(file), "--network", "D", "--onnx", str(tmp_path / "D.onnx")]
    assert command("export", str(runs / "dcgan"), *given) == 0
    x = np.random.default_rng(0).uniform(-1, 1, (3, 3, 16, 16)).astype(np.float32)
    np.save(tmp_path / "x.npy", x)
    code = "import sys, torch, numpy, D; y = D.load()(torch.from_numpy(numpy.load('x.npy')));"
    code += "numpy.save('y.npy', y.detach().numpy()); assert 'minigan' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=True)
    (y,) = onnxruntime.InferenceSession(tmp_path / "D.onnx").run(None, {"x": x})
    np.testing.assert_allclose(np.load(tmp_path / "y.npy"), y, atol=1e-5 * np.abs(y).max())
    # Again: its own script may be replaced, another may not.
    assert command("export", str(runs / "dcgan"), "--torch", str(file), "--network", "D") == 0
    (tmp_path / "D.py").write_text("mine")
    assert command("export", str(runs / "dcgan"), "--torch", str(file), "--network", "D") == 1
    assert (tmp_path / "D.py").read_text() == "mine"


def test_a_translator_leaves_without_its_noise(
    runs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "G.onnx"
    assert command("export", str(runs / "pix2pix"), "--onnx", str(file), "--any-size") == 0
    assert "dropout, its noise, is left out of G.onnx" in capsys.readouterr().out
    x = np.zeros((2, 1, 16, 32), np.float32)
    (y,) = onnxruntime.InferenceSession(file).run(None, {"x": x})
    assert y.shape == (2, 3, 16, 32)


def test_a_state_dict_comes_in(runs: Path, tmp_path: Path) -> None:
    """G of one run in another that has not been trained: both draw the same."""
    file = tmp_path / "G.safetensors"
    assert command("export", str(runs / "dcgan"), "--torch", str(file)) == 0
    assert command("import", str(runs / "untrained"), "--torch", str(file)) == 0
    drawn = []
    for name in ("dcgan", "untrained"):
        out = tmp_path / f"{name}.npz"
        assert command("sample", str(runs / name), "--n", "4", "--out", str(out)) == 0
        drawn.append(np.load(out)["x"])
    np.testing.assert_array_equal(*drawn)


@pytest.mark.parametrize("options", ["stylegan --group-size 5", "dcgan --pac 5"])
def test_packs_and_groups_of_any_size(options: str, tmp_path: Path) -> None:
    """The runtimes are compared on whole ones."""
    small = ["--size", "8", "--width", "4", "--batch", "10", "--steps", "0", "--no-report"]
    assert command("train", *options.split(), *small, "--out", str(tmp_path / "run")) == 0
    given = ["--network", "D", "--onnx", str(tmp_path / "D.onnx")]
    assert command("export", str(tmp_path / "run"), *given) == 0


def test_a_run_that_is_being_trained(
    runs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = str(tmp_path / "G.safetensors")
    assert command("export", str(runs / "dcgan"), "--torch", file) == 0
    with locked(runs / "untrained"):
        assert command("import", str(runs / "untrained"), "--torch", file) == 1
    assert "untrained is being trained by another process" in capsys.readouterr().err


REFUSED = {
    "no file": (["export", "{dcgan}"], "nothing to write: give --onnx FILE or --torch"),
    "a .pt file": (["export", "{dcgan}", "--torch", "G.pt"], "wanted a .safetensors file"),
    "a .txt file": (["export", "{dcgan}", "--onnx", "G.txt"], "--onnx G.txt: wanted a .onnx file"),
    "no ONNX of any size": (
        ["export", "{dcgan}", "--torch", "G.safetensors", "--any-size"],
        "--any-size says how --onnx writes: give --onnx FILE.onnx too, or neither",
    ),
    "no such network": (
        ["export", "{dcgan}", "--onnx", "x.onnx", "--network", "E"],
        "unknown network of dcgan 'E'; known: D, G",
    ),
    "no run": (["export", "{nothing}", "--onnx", "x.onnx"], "holds no run"),
    "no such step": (
        ["export", "{dcgan}", "--onnx", "x.onnx", "--from", "7"],
        "no checkpoint of step 7",
    ),
    "one size only": (
        ["export", "{dcgan}", "--onnx", "x.onnx", "--network", "D", "--any-size"],
        "this network takes pictures of one size only: leave out --any-size",
    ),
    "any size of no picture": (
        ["export", "{dcgan}", "--onnx", "x.onnx", "--any-size"],
        "this network takes no pictures: leave out --any-size",
    ),
    "a trained run": (
        ["import", "{dcgan}", "--torch", "{file}"],
        "what it learned would be lost: start another run",
    ),
    "a file that is none": (["import", "{untrained}", "--torch", "{file}"], "cannot be read"),
    "numbers that NumPy does not have": (
        ["import", "{untrained}", "--torch", "{bf16}"],
        "holds numbers of the type BF16: write it again with .float() on each tensor",
    ),
    "a file that is not there": (
        ["import", "{untrained}", "--torch", "no.safetensors"],
        "there is no such file",
    ),
    "a pickle": (["import", "{untrained}", "--torch", "G.pt"], "safetensors.torch.save_file"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_refused(
    name: str, runs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments, said = REFUSED[name]
    (tmp_path / "broken.safetensors").write_bytes(b"no tensors")
    save_file({"0.weight": torch.zeros(2, dtype=torch.bfloat16)}, tmp_path / "bf16.safetensors")
    names = {"file": tmp_path / "broken.safetensors", "nothing": tmp_path / "nothing"}
    names["bf16"] = tmp_path / "bf16.safetensors"
    names |= {run: runs / run for run in RUNS}
    before = sorted(tmp_path.iterdir())
    assert command(*(a.format_map(names) for a in arguments)) == 1
    error = capsys.readouterr().err
    assert said in error
    assert error.count("\n") == 1
    assert sorted(tmp_path.iterdir()) == before
