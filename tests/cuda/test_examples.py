"""The example that has a loop of its own runs it on a card."""

import runpy
import sys
from pathlib import Path

RING = Path(__file__).parents[2] / "examples" / "gan_ring.py"


def test_the_ring_is_trained_there(device, tmp_path, monkeypatch, capsys):
    out = tmp_path / "ring.png"
    monkeypatch.setattr(sys, "argv", ["", "--steps", "1", "--device", device, "--out", str(out)])
    namespace = runpy.run_path(str(RING), run_name="__main__")
    assert namespace["gan"].device == device
    assert capsys.readouterr().out.startswith("step 0: D(x) 0.")
    assert out.exists()
