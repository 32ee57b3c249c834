"""Tunes: bars with what comes before them, keys, files, and the ones that are made by rule."""

import hashlib
from pathlib import Path

import numpy as np
import pytest

from minigan.data import Tunes, open_data
from minigan.data.chords import ROOTS, chord_name, likeliest_triad, parse_chords, triads
from minigan.data.simple_tunes import SCALES, made
from minigan.data.tunes import HIGH, LOW, REST, folded, matrices, pitches
from minigan.errors import DataError, OptionError

SHA256 = "9196c1750ab65f678b2d353c2d966358762caf9b3b647e5e58bd66dfde2a5a7a"


def write(path: Path, **changes: np.ndarray) -> Path:
    """A file of 11 tunes of two bars: of tune i the pitches 60 + i, then 61 + i, over chord i."""
    tune = np.repeat(np.arange(11), 2)
    pitch = np.repeat(60 + tune + np.tile([0, 1], 11), 16).reshape(22, 16)
    arrays = {"pitch": pitch, "chord": tune.copy(), "tune": tune} | changes
    np.savez(path, **arrays)
    return path


def tune_of(*bars: int) -> Tunes:
    """One tune whose bars have a pitch each, over C major."""
    pitch = np.repeat(np.array(bars)[:, None], 16, 1)
    return Tunes("t", pitch, np.zeros((len(bars), 2), int), np.zeros(len(bars), int))


# --- examples -------------------------------------------------------------------------------------


def test_an_example_is_a_bar_with_its_chord_and_the_bar_before(tmp_path: Path) -> None:
    data = open_data(str(write(tmp_path / "a.npz")))
    assert (data.kind, data.shape, len(data)) == ("bars", (16, 128, 1), 18)
    assert isinstance(data, Tunes)
    assert data.tunes == 9
    assert list(data.label_names) == ["root", "mode", *(f"before {i}" for i in range(1, 17))]
    assert [len(names) for names in data.label_names.values()] == [12, 2, *[129] * 16]
    batch = data.take(np.array([0, 1, 2]))
    assert batch.x.dtype == np.float32
    assert batch.labels is not None
    assert batch.x[:, 3, :, 0].argmax(1).tolist() == [61, 62, 62]
    assert (batch.x.sum((2, 3)) == 1).all()
    assert batch.labels[:, :2].tolist() == [[1, 0], [1, 0], [2, 0]]
    assert batch.labels[:, 2].tolist() == [REST, 61, REST]  # a tune begins after silence
    pitch, chords = data.tune(1)
    assert pitch[:, 0].tolist() == [62, 63]
    assert chords.tolist() == [[2, 0], [2, 0]]


def test_every_tenth_tune_is_held_out(tmp_path: Path) -> None:
    path = str(write(tmp_path / "a.npz"))
    held_out = open_data(path, split="test")
    assert held_out.take(np.arange(4)).x[:, 0, :, 0].argmax(1).tolist() == [60, 61, 70, 71]
    alone = write(tmp_path / "b.npz", tune=np.zeros(22, int))
    with pytest.raises(DataError, match="holds one tune, which is for testing; give two or more"):
        open_data(str(alone))


def test_pitches_are_moved_by_octaves_into_two() -> None:
    pitch = np.arange(128)
    moved = folded(pitch)
    assert (moved.min(), moved.max()) == (LOW, HIGH)
    np.testing.assert_array_equal(moved % 12, pitch % 12)
    np.testing.assert_array_equal(moved[LOW : HIGH + 1], pitch[LOW : HIGH + 1])
    assert folded(np.array([48, 59, 84, 95])).tolist() == [60, 71, 72, 83]


def test_training_meets_every_key_and_all_of_an_example_moves() -> None:
    data = tune_of(*[70, 72] * 600)
    batch = data.take(np.arange(1, 1200, 2))  # 72 after 70, over C
    varied = data.vary(batch, np.random.default_rng(0))
    assert varied.labels is not None
    shift = varied.labels[:, 0]
    assert set(np.bincount(shift, minlength=12) > 20) == {True}
    now, before = pitches(varied.x)[:, 0], varied.labels[:, 2]
    np.testing.assert_array_equal((now - shift) % 12, 0)
    np.testing.assert_array_equal((before - shift) % 12, 10)
    assert ((now >= LOW) & (now <= HIGH)).all()
    first = data.vary(data.take(np.array([0])), np.random.default_rng(0)).labels
    assert first is not None
    assert (first[:, 2:] == REST).all()  # silence has no key
    assert batch.labels is not None
    assert (batch.labels[:, 0] == 0).all()


def test_matrices_and_pitches_are_inverse() -> None:
    pitch = np.random.default_rng(0).integers(128, size=(5, 16))
    np.testing.assert_array_equal(pitches(matrices(pitch)), pitch)


# --- files ----------------------------------------------------------------------------------------


def test_a_folder_with_tunes_is_one(tmp_path: Path) -> None:
    write(tmp_path / "tunes.npz")
    assert len(open_data(str(tmp_path))) == 18


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"pitch": np.zeros((22, 8), int)}, r"pitch is int64 \(22, 8\); wanted whole numbers"),
        ({"pitch": np.full((22, 16), 128)}, "pitch has 128 to 128; wanted 0 to 127"),
        ({"chord": np.full(22, 24)}, "chord has 24 to 24; wanted 0 to 23"),
        ({"chord": np.zeros(22)}, r"chord is float64 \(22,\)"),
        ({"tune": np.zeros((22, 1), int)}, r"tune is int64 \(22, 1\)"),
    ],
)
def test_files_that_cannot_be_are_refused(
    changes: dict[str, np.ndarray], said: str, tmp_path: Path
) -> None:
    with pytest.raises(DataError, match=said):
        open_data(str(write(tmp_path / "a.npz", **changes)))


def test_a_damaged_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "tunes.npz").write_bytes(b"no archive")
    with pytest.raises(DataError, match=r"tunes.npz cannot be read .*; write it with numpy.savez"):
        open_data(str(tmp_path))


@pytest.mark.parametrize("option", [{"size": 8}, {"channels": 3}])
def test_bars_have_no_size(option: dict[str, int], tmp_path: Path) -> None:
    for data in ("tunes", str(write(tmp_path / "a.npz"))):
        with pytest.raises(
            OptionError, match=f"bars of melody, which have no --{next(iter(option))}"
        ):
            open_data(data, **option)  # type: ignore[arg-type]


def test_an_archive_of_pictures_is_none(tmp_path: Path) -> None:
    np.savez(tmp_path / "p.npz", x=np.zeros((4, 8, 8, 1), np.uint8))
    assert open_data(str(tmp_path / "p.npz")).kind == "image"


# --- made by rule ---------------------------------------------------------------------------------


def test_the_tunes_are_always_the_same() -> None:
    pitch, chord, tune = made()
    assert hashlib.sha256(pitch.tobytes() + chord.tobytes()).hexdigest() == SHA256
    assert (pitch.shape, chord.shape) == ((4000, 16), (4000,))
    np.testing.assert_array_equal(np.bincount(tune), 8)
    assert (len(open_data("tunes")), len(open_data("tunes", split="test"))) == (3600, 400)


def test_they_keep_to_their_rules() -> None:
    pitch, chord, tune = made()
    chords = np.stack([chord % 12, chord // 12], 1)
    on_beats = np.take_along_axis(triads(chords), pitch[:, ::4].astype(int) % 12, 1)
    assert on_beats.all()
    for i in range(0, 500, 17):
        melody, below = pitch[tune == i], chords[tune == i]
        key, minor = below[-1]
        assert set(np.unique(melody % 12)) <= set((key + SCALES[minor]) % 12)
        assert (melody[-1] % 12 == key).all()
    assert (pitch.min(), pitch.max()) == (LOW, HIGH)


# --- chords ---------------------------------------------------------------------------------------


def test_chords_are_read_by_their_names() -> None:
    read = parse_chords("C, Am  F#m Bb cb B#")
    assert read.tolist() == [[0, 0], [9, 1], [6, 1], [10, 0], [11, 0], [0, 0]]
    for i, root in enumerate(ROOTS):
        for mode in (0, 1):
            assert parse_chords(chord_name(i, mode)).tolist() == [[i, mode]]
            assert chord_name(i, mode) == root + "m" * mode
    for wrong in ("H", "C7", "Cmaj", "m"):
        with pytest.raises(OptionError, match=f"chord '{wrong}': give a letter A to G"):
            parse_chords(f"C {wrong}")
    with pytest.raises(OptionError, match="give triads, such as 'C Am F G'"):
        parse_chords(" , ")


def test_triads_are_a_third_and_a_fifth() -> None:
    found = triads(np.array([[0, 0], [9, 1], [11, 0]]))
    assert [np.flatnonzero(row).tolist() for row in found] == [[0, 4, 7], [0, 4, 9], [3, 6, 11]]


def test_the_likeliest_triad() -> None:
    def of(*classes: int, bass: int) -> tuple[int, int]:
        return likeliest_triad(np.bincount(classes, minlength=12), bass)

    assert of(0, 4, 7, bass=4) == (0, 0)
    assert of(9, 9, 0, 4, 2, bass=2) == (9, 1)
    assert of(0, 4, bass=0) == (0, 0)  # as near to A minor: the bass decides
    assert of(0, 4, bass=9) == (9, 1)
