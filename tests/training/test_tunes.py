"""Runs on bars: what they leave, how they resume, and tunes as pictures, arrays and MIDI files."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from shlex import split

import numpy as np
import pytest
from PIL import Image

from minigan.data import open_data
from minigan.data.tunes import Tunes
from minigan.training.midi import write_midi
from minigan.training.piano_roll import GIVEN, IN_CHORD, OUTSIDE, Note, Tune, notes, piano_rolls
from tests.training.support import OFTEN, Finished, assert_same_run, error_line, leave, records

Command = Callable[..., Finished]

SMALL = split("midinet --width 4 --hidden 8 --conditioner 2 --z-dim 4 --batch 8")


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of 4 steps on the tunes of the package."""
    folder = tmp_path_factory.mktemp("tunes") / "run"
    leave("train", *SMALL, *OFTEN, "--steps", 4, "--out", folder)
    return folder


def arrays(file: Path) -> tuple[np.ndarray, np.ndarray]:
    with np.load(file, allow_pickle=False) as stored:
        return stored["pitch"], stored["chord"]


# --- a run ----------------------------------------------------------------------------------------


def test_a_run_draws_tunes_and_logs_both_matches(run: Path) -> None:
    assert {"loss_D", "loss_G", "D(x)", "D(G(z))", "match(x)", "match(f)"} <= set(records(run)[-1])
    with Image.open(run / "samples" / "step_000004.png") as sheet:
        assert sheet.width > 8 * 16 * 5
        assert {GIVEN, OUTSIDE} <= {colour for _, colour in sheet.convert("RGB").getcolors()}
    assert (run / "report.html").stat().st_size > 0


def test_a_resumed_run_equals_an_unbroken_one(minigan: Command, run: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(run, tmp_path / "run"))
    assert minigan("resume", folder, "--steps", 0, "--from", 2).code == 0
    assert_same_run(folder, run)


def test_bars_are_described_beside_held_out_ones(minigan: Command, run: Path) -> None:
    result = minigan("eval", run)
    assert result.code == 0, result.err
    assert result.out.startswith("melody: pitch classes")
    assert "split: test; N: 400 samples, 400 real" in result.out
    assert "in chord (real) 0.9" in result.out


# --- sample ---------------------------------------------------------------------------------------


def test_tunes_begin_with_a_held_out_bar_and_have_its_chords(
    minigan: Command, run: Path, tmp_path: Path
) -> None:
    ask = ["sample", run, "--n", 3, "--bars", 10, "--out", tmp_path / "t.npz"]
    result = minigan(*ask)
    assert result.code == 0, result.err
    assert "3 tunes of 10 bars after step 4" in result.out
    pitch, chord = arrays(tmp_path / "t.npz")
    assert (pitch.shape, chord.shape) == ((3, 10, 16), (3, 10, 2))
    held_out = open_data("tunes", split="test")
    assert isinstance(held_out, Tunes)
    known = [held_out.tune(i) for i in range(held_out.tunes)]
    for melody, below in zip(pitch, chord, strict=True):
        (source,) = [
            c for p, c in known if np.array_equal(p[0], melody[0]) and (c == below[:8]).all()
        ]
        np.testing.assert_array_equal(below[8:], source[:2])  # from the beginning again
    assert minigan(*ask, "--unprimed").code == 0
    other, same = arrays(tmp_path / "t.npz")
    np.testing.assert_array_equal(same, chord)
    assert not np.array_equal(other[:, 0], pitch[:, 0])
    assert minigan(*ask, "--seed", 1).code == 0
    assert not np.array_equal(arrays(tmp_path / "t.npz")[1], chord)


def test_chords_are_asked_for_by_name(minigan: Command, run: Path, tmp_path: Path) -> None:
    ask = ["sample", run, "--chords", "C Am, F#", "--out", tmp_path / "t.npz"]
    assert minigan(*ask, "--n", 2).code == 0
    pitch, chord = arrays(tmp_path / "t.npz")
    assert pitch.shape == (2, 3, 16)
    assert chord.tolist() == [[[0, 0], [9, 1], [6, 0]]] * 2
    assert minigan(*ask, "--bars", 4).code == 0
    assert arrays(tmp_path / "t.npz")[1][0].tolist() == [[0, 0], [9, 1], [6, 0], [0, 0]]


def test_a_tune_of_one_bar_is_the_data_s(minigan: Command, run: Path, tmp_path: Path) -> None:
    assert minigan("sample", run, "--bars", 1, "--out", tmp_path / "t.png").code == 0
    with Image.open(tmp_path / "t.png") as sheet:
        colours = {colour for _, colour in sheet.convert("RGB").getcolors()}
    assert GIVEN in colours
    assert not {IN_CHORD, OUTSIDE} & colours


REFUSED = {
    "--out t.wav": "wanted a .png or .npz file (of tunes a .mid, of sentences a .txt too)",
    "--out t.npz --tempo 90": "--tempo is that of a .mid file; leave it out",
    "--out t.png --chords C,H": "chord 'H': give a letter A to G",
    "--out t.png --columns 3": "--columns is for runs that make pictures; this one makes tunes",
    "--out t --single": "--single is for runs that make pictures",
    "--out t.png --interpolate 3": "a way through z is for runs that make pictures",
    "--out t.png --attr root=C": "--attr is for runs that make pictures",
    "--out t.png --text c": "--text is for runs that make pictures",
}


@pytest.mark.parametrize("words", REFUSED)
def test_what_tunes_have_not_is_refused(words: str, minigan: Command, run: Path) -> None:
    result = minigan("sample", run, *split(words))
    assert result.code == 1
    assert REFUSED[words] in error_line(result.err)


@pytest.mark.parametrize("words", ["--bars 4", "--chords C", "--tempo 90", "--unprimed"])
def test_other_runs_make_no_tunes(
    words: str, minigan: Command, unbroken: Path, tmp_path: Path
) -> None:
    result = minigan("sample", unbroken, *split(words), "--out", tmp_path / "t.png")
    assert result.code == 1
    said = error_line(result.err)
    assert f"{words.split()[0]} asks for tunes, and this run of dcgan makes none" in said


def test_without_mido_an_error_says_how_to_have_it(
    minigan: Command, run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "mido", None)
    result = minigan("sample", run, "--out", tmp_path / "t.mid")
    assert result.code == 1
    assert "pip install 'minigan[midi]', or give --out FILE.png" in error_line(result.err)
    assert not list(tmp_path.iterdir())


# --- piano rolls and MIDI files -------------------------------------------------------------------

PITCH = np.array([[60] * 8 + [64] * 4 + [60] * 4, [60] * 16])
CHORDS = np.array([[0, 0], [2, 1]])
NOTES = [Note(60, 0, 8), Note(64, 8, 4), Note(60, 12, 4), Note(60, 16, 16)]


def test_equal_steps_are_one_note_within_a_bar() -> None:
    assert [*notes(PITCH)] == NOTES


def test_a_roll_has_each_note_in_its_place_and_colour() -> None:
    sheet = piano_rolls([Tune(PITCH, CHORDS)])
    pixels = np.asarray(sheet)

    def where(colour: tuple[int, int, int]) -> tuple[int, int, int, int]:
        rows, columns = np.nonzero((pixels == colour).all(-1))
        return rows.min(), rows.max(), columns.min(), columns.max()

    # C and E of C major are blue; C over D minor is orange. 5 pixels a step, 4 a semitone.
    top, bottom, left, right = where(OUTSIDE)
    assert (bottom - top + 1, right - left + 1) == (4, 16 * 5 - 2)
    blue = where(IN_CHORD)
    assert blue[1] == bottom  # C4 lies as low in both bars
    assert blue[1] - blue[0] + 1 == 5 * 4  # from C4 to E4
    assert left - blue[2] == 16 * 5


def test_a_midi_file_has_the_melody_and_its_chords(tmp_path: Path) -> None:
    mido = pytest.importorskip("mido")
    write_midi(Tune(PITCH, CHORDS), tmp_path / "t.mid", tempo=120)
    score = mido.MidiFile(tmp_path / "t.mid")
    assert (score.type, len(score.tracks)) == (1, 3)
    assert score.length == pytest.approx(2 * 4 * 0.5)  # two bars of four quarters
    heard: list[list[Note]] = []
    for track in score.tracks[1:]:
        now, open_, found = 0, {}, []
        for message in track:
            now += message.time
            if message.type == "note_on":
                assert message.note not in open_
                open_[message.note] = now
            elif message.type == "note_off":
                start = open_.pop(message.note)
                found.append(Note(message.note, start // 120, (now - start) // 120))
        assert not open_
        heard.append(sorted(found, key=lambda note: (note.start, note.pitch)))
    assert heard[0] == NOTES
    triads = [[48, 52, 55], [50, 53, 57]]
    assert heard[1] == [Note(p, 16 * bar, 16) for bar in (0, 1) for p in triads[bar]]


def test_a_run_writes_a_midi_file(minigan: Command, run: Path, tmp_path: Path) -> None:
    mido = pytest.importorskip("mido")
    ask = ["sample", run, "--chords", "C G", "--out", tmp_path / "t.mid"]
    result = minigan(*ask, "--tempo", 60)
    assert result.code == 0, result.err
    assert "1 tune of 2 bars after step 4" in result.out
    assert mido.MidiFile(tmp_path / "t.mid").length == pytest.approx(8)
    result = minigan(*ask, "--n", 2)
    assert "--n 2: a .mid file holds one tune; leave --n out" in error_line(result.err)
