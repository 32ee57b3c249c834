"""The library as its users write it: stable names, ten lines that train, arrays of other makers."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
import torch

import minigan as mg
from minigan.backend import stand_in_for_cuda
from minigan.errors import CheckpointError, DeviceError
from minigan.version import __version__
from tests.emulator.arrays import emulated

ROOT = Path(__file__).parents[1]


def test_every_name_is_there_and_documented() -> None:
    for name in mg.__all__:
        assert getattr(mg, name) is not None
        if name != "__version__" and not isinstance(getattr(mg, name), dict):
            assert getattr(mg, name).__doc__, name
    assert len(set(mg.__all__)) == len(mg.__all__)


def test_ten_lines_train_a_gan(capsys: pytest.CaptureFixture[str]) -> None:
    """Those of README, with fewer steps; G then lies on the ring's scale."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    (code,) = re.findall(r"```python\n(import minigan as mg\n.*?)```", text, re.DOTALL)
    assert len(code.strip().splitlines()) <= 12
    assert "2000" in code
    scope: dict[str, object] = {}
    exec(compile(code.replace("2000", "300"), "README.md", "exec"), scope)
    x = scope["x"]
    assert isinstance(x, np.ndarray)
    assert x.shape == (1000, 2)
    assert 0.3 < np.linalg.norm(x, axis=1).mean() < 2
    capsys.readouterr()


def test_a_run_is_opened(tmp_path: Path) -> None:
    run = mg.RunOptions(data="ring", steps=4, batch=8)
    options = mg.ALGORITHMS["gan"].options(hidden_G=(4,), hidden_D=(3,), z_dim=2)
    mg.Trainer.start("gan", options, run, tmp_path / "run").train()
    opened = mg.open_run(tmp_path / "run")
    assert (opened.step, opened.dataset.name) == (4, "ring")
    again = mg.open_run(str(tmp_path / "run"), step=4)
    samples = [r.algorithm.sample(5, mg.make_rng(1)) for r in (opened, again)]
    np.testing.assert_array_equal(*samples)
    with pytest.raises(CheckpointError, match="holds no run"):
        mg.open_run(tmp_path)


# --- arrays of other makers -----------------------------------------------------------------------


def test_asarray_shares_memory_where_it_can() -> None:
    a = np.arange(6.0).reshape(2, 3)
    assert mg.asarray(a) is a
    t = torch.arange(6.0).reshape(2, 3)
    assert mg.asarray(t).ctypes.data == t.data_ptr()
    assert mg.asarray([[1.0, 2.0]]).shape == (1, 2)
    p = mg.Param(a)
    assert np.shares_memory(mg.asarray(p), a)


def test_a_parameter_is_an_array_for_others() -> None:
    net = mg.layers.Dense(3, 2, rng=mg.make_rng(0))
    p = net.params["weight"]
    t = torch.from_dlpack(p)
    assert t.data_ptr() == p.data.ctypes.data
    assert np.shares_memory(np.asarray(p), p.data)
    assert np.shares_memory(np.from_dlpack(p), p.data)
    assert np.asarray(p, np.float64).dtype == np.float64
    assert not np.shares_memory(np.array(p), p.data)
    t += 1  # seen here, for it is the same memory
    np.testing.assert_array_equal(p.data, t.numpy())


def test_asarray_refuses_what_holds_no_numbers() -> None:
    with pytest.raises(TypeError, match="object holds no numbers"):
        mg.asarray(object())


def test_asarray_moves_to_a_device() -> None:
    """On the pretended card of the CUDA tests, and to one that is not there."""
    with stand_in_for_cuda(emulated):
        moved = mg.asarray(torch.ones(2), "cuda")
        assert isinstance(moved, emulated.ndarray)
        np.testing.assert_array_equal(mg.asarray(moved), [1, 1])
    if not torch.cuda.is_available():
        with pytest.raises(DeviceError):
            mg.asarray(np.ones(2), "cuda")


class OnACard:
    """An array of DLPack's CUDA device, as PyTorch would hand one over."""

    def __dlpack_device__(self) -> tuple[int, int]:
        return 2, 0


def test_arrays_on_a_card_go_through_cupy(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    class Cupy:
        @staticmethod
        def from_dlpack(x: object) -> np.ndarray:
            asked.append(x)
            return np.zeros(3)

    monkeypatch.setattr("minigan.backend.load_cupy", lambda: Cupy)
    given = OnACard()
    assert mg.asarray(given).shape == (3,)
    assert asked == [given]


def test_the_citation_names_this_version() -> None:
    text = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    assert f"\nversion: {__version__}\n" in text
