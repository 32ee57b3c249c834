"""Opening by name or path, and what every data set must keep to."""

from pathlib import Path

import numpy as np
import pytest

from minigan.data import DATASETS, Dataset, Endless, Finite, UnknownDataError, open_data
from minigan.errors import DataError, OptionError, UnknownNameError


@pytest.mark.parametrize("split", ["train", "test"])
@pytest.mark.parametrize("name", DATASETS)
def test_every_named_data_set_keeps_the_contract(name: str, split: str) -> None:
    data = open_data(name, split=split)
    assert data.name == name
    assert isinstance(data, Finite | Endless)
    assert data.size == (len(data) if isinstance(data, Finite) else None)
    kinds = {"tunes": "bars"}
    assert data.kind == kinds.get(name, "image" if len(data.shape) == 3 else "points")
    first, again, other = (data.draw(9, np.random.default_rng(s)) for s in (5, 5, 6))
    assert first.x.shape == (9, *data.shape)
    assert first.x.dtype == np.float32
    np.testing.assert_array_equal(first.x, again.x)
    assert (first.x != other.x).any()
    if data.kind == "image":
        assert np.abs(first.x).max() <= 1
    if data.label_names:
        assert first.labels.shape == (9, len(data.label_names))
        assert first.labels.dtype == np.int64
        classes = [len(names) for names in data.label_names.values()]
        assert ((first.labels >= 0) & (first.labels < classes)).all()
    else:
        assert first.labels is None


@pytest.mark.parametrize("name", DATASETS)
def test_descriptions_are_one_line(name: str) -> None:
    assert 10 < len(DATASETS[name].description) < 90
    assert "\n" not in DATASETS[name].description


def test_an_unknown_name_offers_the_nearest() -> None:
    with pytest.raises(UnknownDataError) as caught:
        open_data("kitens")
    assert isinstance(caught.value, UnknownNameError)
    assert str(caught.value) == (
        "unknown data 'kitens'; did you mean 'kittens' or 'tunes'? known: digits, faces-ages, "
        "gaussian1d, grid, kittens, ring, stacked-digits, tunes; there is no such file or folder "
        "either"
    )


def test_a_file_of_no_known_kind_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "picture.png"
    file.write_bytes(b"")
    with pytest.raises(DataError, match=r"of no kind that minigan reads: give a folder of"):
        open_data(str(file))


def test_a_file_without_permission_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(self: Path) -> bytes:
        raise PermissionError(13, "Permission denied", str(self))

    (tmp_path / "test_batch.bin").write_bytes(b"")
    monkeypatch.setattr(Path, "read_bytes", refuse)
    with pytest.raises(DataError, match=r"cannot be read: .*Permission denied"):
        open_data(str(tmp_path / "test_batch.bin"))


def test_a_name_goes_before_a_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "ring").mkdir()
    np.savez(tmp_path / "ring" / "a.npz", x=np.zeros((2, 3)))
    assert open_data("ring").size is None
    with pytest.raises(DataError, match="no pictures in ring"):
        open_data("./ring")
    assert open_data("ring/a.npz").size == 2


@pytest.mark.parametrize("size", [0, -3, (4, 0), (4,), (1, 2, 3), (2.5, 3)])
def test_impossible_sizes_are_refused(size: int | tuple[int, ...]) -> None:
    with pytest.raises(OptionError, match=r"size .*: give one side or \(height, width\)"):
        open_data("digits", size=size)


def test_impossible_channels_and_splits_are_refused() -> None:
    with pytest.raises(OptionError, match=r"channels 4: give 1 \(grey\) or 3"):
        open_data("digits", channels=4)
    with pytest.raises(OptionError, match="split 'valid': give 'train' or 'test'"):
        open_data("digits", split="valid")


def test_a_data_set_without_parts_cannot_be_made() -> None:
    with pytest.raises(TypeError, match="abstract"):
        Dataset("nothing", (2,))
