"""Tunes as standard MIDI files, by the mido package (`pip install 'minigan[midi]'`).

Two tracks: the melody, and the chords beneath it as triads, each held for its bar.
"""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

from minigan.data.chords import TRIADS
from minigan.data.tunes import STEPS
from minigan.errors import OptionError
from minigan.training.files import write_atomically
from minigan.training.piano_roll import Note, Tune, notes

TICKS = 480  # of a quarter
STEP = TICKS * 4 // STEPS
LOUD, SOFT = 90, 55  # velocities of the melody and of the chords
BELOW = 48  # C3, where chords begin


def require_mido() -> Any:
    """The package. Raises OptionError where it is not installed."""
    try:
        import mido
    except ImportError:
        raise OptionError(
            "MIDI files are written by mido, which is not installed: pip install 'minigan[midi]', "
            "or give --out FILE.png or FILE.npz"
        ) from None
    return mido


def write_midi(tune: Tune, path: Path, *, tempo: int = 96) -> None:
    """The tune and its chords as a file of type 1, whole or not at all; tempo: quarters a minute.

    Raises OptionError without mido.
    """
    mido = require_mido()
    melody = [*notes(tune.pitch)]
    chords = [
        Note(int(BELOW + root + above), bar * STEPS, STEPS)
        for bar, (root, mode) in enumerate(tune.chords)
        for above in TRIADS[mode]
    ]
    score = mido.MidiFile(type=1, ticks_per_beat=TICKS)
    head = mido.MidiTrack()
    head.append(mido.MetaMessage("set_tempo", tempo=mido.bpm2tempo(tempo)))
    head.append(mido.MetaMessage("time_signature", numerator=4, denominator=4))
    score.tracks.append(head)
    for name, channel, velocity, part in (
        ("melody", 0, LOUD, melody),
        ("chords", 1, SOFT, chords),
    ):
        track = mido.MidiTrack([mido.MetaMessage("track_name", name=name)])
        track.extend(_messages(mido, part, channel, velocity))
        score.tracks.append(track)
    buffer = io.BytesIO()
    score.save(file=buffer)
    write_atomically(path, buffer.getvalue())


def _messages(mido: Any, part: list[Note], channel: int, velocity: int) -> list[Any]:
    """Notes as messages in the order of time; where one ends as another begins, it ends first."""
    events = [(note.start, 1, note.pitch) for note in part]
    events += [(note.start + note.length, 0, note.pitch) for note in part]
    made, now = [], 0
    for step, on, pitch in sorted(events):
        kind = "note_on" if on else "note_off"
        sent = {"note": pitch, "velocity": velocity if on else 0, "channel": channel}
        made.append(mido.Message(kind, time=(step - now) * STEP, **sent))
        now = step
    return made
