"""Event files: what is in them, read record by record."""

import io
import re
import struct
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from tensorboardX.proto.event_pb2 import Event

from tests.test_cli import Command
from tests.training.support import DCGAN, OFTEN, contents, records


def crc32c(data: bytes) -> int:
    """The Castagnoli polynomial, bit by bit."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ 0x82F63B78 * (crc & 1)
    return crc ^ 0xFFFFFFFF


def masked(data: bytes) -> int:
    """TFRecord's checksum: CRC-32C, rotated by 15 bits, plus a constant."""
    crc = crc32c(data)
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF


def events(path: Path) -> Iterator[Any]:
    """A file's records: length, checksum of it, content, checksum of it."""
    data = path.read_bytes()
    while data:
        (length,) = struct.unpack("<Q", data[:8])
        content = data[12 : 12 + length]
        assert struct.unpack("<I", data[8:12])[0] == masked(data[:8])
        if length < 2000:  # bit by bit in Python takes its time
            assert struct.unpack("<I", data[12 + length : 16 + length])[0] == masked(content)
        yield Event.FromString(content)
        data = data[16 + length :]


def files(folder: Path) -> list[Path]:
    return sorted((folder / "tensorboard").iterdir(), key=lambda p: p.stat().st_mtime_ns)


def scalars(path: Path) -> dict[tuple[int, str], float]:
    return {
        (event.step, value.tag): value.simple_value
        for event in events(path)
        for value in event.summary.value
        if value.HasField("simple_value")
    }


@pytest.fixture(scope="module")
def train() -> list[str]:
    return ["train", *DCGAN, *OFTEN, "--tensorboard", "--steps"]


def test_scalars_and_pictures_of_a_run(
    minigan: Command, unbroken: Path, train: list[str], tmp_path: Path
) -> None:
    folder = tmp_path / "run"
    assert minigan(*train, 8, "--out", folder).code == 0
    (path,) = files(folder)
    assert next(events(path)).file_version == "brain.Event:2"
    found = scalars(path)
    logged = {
        (record["step"], re.sub(r"[^-/\w.]", "_", name)): value  # tensorboardX's names
        for record in records(folder)
        for name, value in record.items()
        if name != "step"
    }
    assert found == pytest.approx(logged, rel=1e-6)
    drawn = {
        event.step: value.image
        for event in events(path)
        for value in event.summary.value
        if value.HasField("image")
    }
    assert sorted(drawn) == [0, 2, 4, 6, 8]
    for step, image in drawn.items():
        with (
            Image.open(io.BytesIO(image.encoded_image_string)) as shown,
            Image.open(folder / f"samples/step_{step:06d}.png") as own,
        ):
            np.testing.assert_array_equal(np.asarray(shown), np.asarray(own))

    # Training is what it is without: the same bits but for the configuration that says so.
    mine = contents(folder)
    other = contents(unbroken)
    ours = {"config.json", "report.html", f"tensorboard/{path.name}"}
    assert mine.keys() - other.keys() == {f"tensorboard/{path.name}"}
    assert {k for k in other if mine[k] != other[k]} == ours & other.keys()


def test_a_resumed_run_goes_on_in_a_new_file(
    minigan: Command, train: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "run"
    assert minigan(*train, 4, "--out", folder).code == 0
    (first,) = files(folder)
    first.rename(first.with_name(f"{first.name}.0"))  # another second, another name
    assert minigan("resume", folder, "--from", 2, "--steps", 2).code == 0
    last = files(folder)[-1]
    started = [event for event in events(last) if event.HasField("session_log")]
    assert [(event.step, event.session_log.status) for event in started] == [(3, 1)]  # START
    assert sorted({step for step, _ in scalars(last)}) == [3, 4, 5, 6]


def test_without_the_extra(
    minigan: Command, train: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "tensorboardX", None)
    result = minigan(*train, 4, "--out", tmp_path / "run")
    assert result.code == 1
    assert result.err == (
        "minigan: error: --tensorboard needs tensorboardX, which is not installed: "
        "pip install 'minigan[tensorboard]'\n"
    )
    assert not (tmp_path / "run").exists()
