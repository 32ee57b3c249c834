"""`minigan data make chorales` on scores of a few bars; nothing is downloaded."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import numpy as np
import pytest

from minigan.data import Tunes, open_data
from minigan.data.make import make
from minigan.data.make.chorales import FOLDER
from minigan.errors import DataError

NAMES = ("Soprano", "Alto", "Tenor", "Bass")
DIVISIONS = 2  # of a quarter


def note(pitch: str | None, eighths: int) -> str:
    """ "C#5" or None, silence."""
    if pitch is None:
        return f"<note><rest/><duration>{eighths}</duration></note>"
    alter = {"#": "<alter>1</alter>", "b": "<alter>-1</alter>"}.get(pitch[1:-1], "")
    step = f"<step>{pitch[0]}</step>{alter}<octave>{pitch[-1]}</octave>"
    return f"<note><pitch>{step}</pitch><duration>{eighths}</duration></note>"


def score(*measures: tuple[str, ...], names: tuple[str, ...] = NAMES, beats: int = 4) -> bytes:
    """An .mxl of measures, each with what stands in it for each voice."""
    listed = "".join(
        f'<score-part id="P{i}"><part-name>{name}</part-name></score-part>'
        for i, name in enumerate(names)
    )
    time = f"<time><beats>{beats}</beats><beat-type>4</beat-type></time>"
    head = f"<attributes><divisions>{DIVISIONS}</divisions>{time}</attributes>"
    parts = ""
    for i in range(len(names)):
        bars = [f"<measure>{head * (k == 0)}{m[i]}</measure>" for k, m in enumerate(measures)]
        parts += f'<part id="P{i}">{"".join(bars)}</part>'
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        container = '<container><rootfiles><rootfile full-path="s.xml"/></rootfiles></container>'
        archive.writestr("META-INF/container.xml", container)
        archive.writestr("s.xml", f"<score><part-list>{listed}</part-list>{parts}</score>")
    return stream.getvalue()


def held(pitches: tuple[str, ...], eighths: int = 8) -> tuple[str, ...]:
    """A measure of one note in each voice."""
    return tuple(note(p, eighths) for p in pitches)


def made(tmp_path: Path, *scores: bytes) -> dict[str, np.ndarray]:
    """What the recipe makes of a package of these scores."""
    with zipfile.ZipFile(tmp_path / "music21.whl", "w") as archive:
        for i, data in enumerate(scores):
            archive.writestr(f"{FOLDER}bwv{i}.mxl", data)
        archive.writestr("music21/corpus/other.mxl", b"not looked at")
    make("chorales", tmp_path / "out", places=[tmp_path / "music21.whl"], say=pytest.fail)
    with np.load(tmp_path / "out" / "tunes.npz", allow_pickle=False) as stored:
        return {key: stored[key] for key in stored.files}


C = held(("C5", "G4", "E4", "C3"))
AM = held(("A4", "E4", "C4", "A2"))


def test_bars_have_the_soprano_and_the_triad_of_the_others(tmp_path: Path) -> None:
    running = (note("C5", 2) + note("D5", 1) + note("Eb5", 1) + note("F#5", 4), *AM[1:])
    arrays = made(tmp_path, score(C, running))
    assert arrays["chord"].tolist() == [0, 9 + 12]
    assert arrays["tune"].tolist() == [0, 0]
    assert arrays["pitch"].tolist() == [[72] * 16, [*[72] * 4, 74, 74, 75, 75, *[78] * 8]]
    assert arrays["pitch"].dtype == np.uint8
    notice = (tmp_path / "out" / "NOTICE").read_text()
    assert "Greentree" in notice
    assert "resized" not in notice


def test_an_upbeat_is_left_out_and_a_bar_in_two_measures_is_one(tmp_path: Path) -> None:
    """A repeat ends after three beats; the fourth stands in a measure of its own."""
    upbeat, three, one = (held(("G4", "E4", "C4", "C3"), n) for n in (2, 6, 2))
    arrays = made(tmp_path, score(upbeat, C, three, one, AM))
    assert arrays["pitch"][:, 0].tolist() == [72, 67, 69]
    assert arrays["tune"].tolist() == [0, 0, 0]


def test_what_is_no_bar_of_four_quarters_parts_two_tunes(tmp_path: Path) -> None:
    short, silent = held(("G4", "E4", "C4", "C3"), 6), (note(None, 8), *C[1:])
    arrays = made(tmp_path, score(C, short, AM), score(C, silent, AM), score(C, beats=3))
    assert arrays["pitch"][:, 0].tolist() == [72, 69, 72, 69]
    assert arrays["tune"].tolist() == [0, 1, 2, 3]


def test_silence_takes_the_pitch_beside_it(tmp_path: Path) -> None:
    rests = note(None, 2) + note("C5", 2) + note(None, 2) + note("D5", 2)
    arrays = made(tmp_path, score((rests, *C[1:])))
    assert arrays["pitch"].tolist() == [[*[72] * 12, *[74] * 4]]


def test_a_second_voice_fills_what_the_first_leaves(tmp_path: Path) -> None:
    back = "<backup><duration>8</duration></backup>"
    chord = note("E5", 4).replace("<pitch>", "<chord/><pitch>")
    both = f"{note('C5', 4)}{chord}<forward><duration>4</duration></forward>{back}{note('A4', 8)}"
    arrays = made(tmp_path, score((both, *C[1:])))
    assert arrays["pitch"].tolist() == [[*[72] * 8] * 2]  # the second begins under the first


def test_scores_without_the_four_voices_are_left_out(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="holds no chorales below music21/corpus/bach/"):
        made(tmp_path, score(C, names=("Soprano", "Alto", "Tenor", "Continuo")))


def test_a_damaged_score_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"bwv1\.mxl is no score"):
        made(tmp_path, score(C), b"no zip")


def test_what_is_made_is_read(tmp_path: Path) -> None:
    made(tmp_path, score(C, AM), score(AM))
    data = open_data(str(tmp_path / "out"))
    assert isinstance(data, Tunes)
    assert (len(data), data.tunes) == (1, 1)
    assert len(open_data(str(tmp_path / "out"), split="test")) == 2
