"""Tunes of a trained MidiNet: bar after bar, over chords that are given or of the data's tunes.

Over the chords of one of the data's tunes, its first bar stands at the beginning, as what the tune
goes on from (the paper's priming melody); over given chords there is silence before.

While it trains a sheet of such tunes is drawn; `minigan sample` writes piano rolls (.png), arrays
(.npz: pitch (N, B, 16), chord (N, B, 2) with roots and modes) or one tune to be heard (.mid).
"""

from __future__ import annotations

import io
from pathlib import Path
from typing import NamedTuple

import numpy as np

from minigan.algorithms.sequence.midinet import MidiNet
from minigan.backend import Array, make_rng
from minigan.data import Tunes
from minigan.data.chords import parse_chords
from minigan.data.tunes import STEPS, matrices
from minigan.errors import OptionError
from minigan.streams import Purpose
from minigan.training import best
from minigan.training.building import build_algorithm, dataset_of
from minigan.training.config import Config
from minigan.training.files import write_atomically
from minigan.training.midi import require_mido, write_midi
from minigan.training.piano_roll import Tune, piano_rolls
from minigan.training.pictures import Sheet, write_png
from minigan.wording import counted

TUNES, BARS = 4, 8
TEMPO = 96  # quarters a minute
SUFFIXES = (".png", ".npz", ".mid")


class Score(NamedTuple):
    """What the command line asks of tunes: how many bars, over which chords, how fast.

    unprimed: whether they begin from silence, and not with a bar of the data.
    """

    bars: int | None = None
    chords: str | None = None
    tempo: int | None = None
    unprimed: bool = False

    @property
    def flag(self) -> str | None:
        """The first option that was given; None where none was."""
        given = {k: v for k, v in self._asdict().items() if v not in (None, False)}
        return next((f"--{k}" for k in given), None)


NO_SCORE = Score()


def beginnings(dataset: Tunes, n: int, bars: int, rng: np.random.Generator) -> tuple[Array, Array]:
    """Of n tunes of the data the first bars (n, 16), and chords (n, bars, 2).

    Chords begin again where a tune has fewer than `bars`.
    """
    order = rng.permutation(dataset.tunes)
    found = [dataset.tune(int(i)) for i in np.resize(order, n)]
    chords = [np.resize(below, (bars, 2)) for _, below in found]
    return np.stack([pitch[0] for pitch, _ in found]), np.stack(chords)


def composed(
    algorithm: MidiNet, chords: Array, rng: np.random.Generator, first: Array | None
) -> list[Tune]:
    """Tunes over chords (n, B, 2), with the bars `first` (n, 16) in front if there are some."""
    if first is None:
        made = algorithm.compose(chords, rng)
    else:
        rest = algorithm.compose(chords[:, 1:], rng, first) if chords.shape[1] > 1 else first[:, :0]
        made = np.concatenate([first[:, None], rest.reshape(len(first), -1, STEPS)], 1)
    given = 0 if first is None else 1
    return [Tune(*both, given) for both in zip(made, chords, strict=True)]


def sheet(algorithm: MidiNet, dataset: Tunes, *, seed: int) -> Sheet:
    """Tunes after the first bars of some of the data's, always the same, and bars of the data."""
    first, chords = beginnings(dataset, TUNES, BARS, make_rng(seed, Purpose.SHOWN))
    tunes = composed(algorithm, chords, make_rng(seed, Purpose.PICTURES), first)
    made = np.concatenate([tune.pitch[1:] for tune in tunes])
    real = dataset.draw(len(made), make_rng(seed, Purpose.SHOWN)).x
    return Sheet(piano_rolls(tunes), matrices(made), real)


def write_tunes(
    folder: Path,
    out: Path,
    *,
    n: int | None = None,
    seed: int = 0,
    step: int | str | None = None,
    device: str | None = None,
    score: Score = NO_SCORE,
) -> str:
    """Write tunes of the run in `folder` to `out`; returns a line that says what was written.

    n: how many, 4 unless given, of a .mid 1. First bars and chords are those of held-out tunes
    unless the score has chords, which begin again where they are fewer than its bars. Raises
    OptionError for what cannot be asked, CheckpointError.
    """
    suffix = out.suffix.lower()
    if suffix not in SUFFIXES:
        raise OptionError(f"--out {out}: wanted a file {', '.join(SUFFIXES)}")
    if suffix == ".mid":
        require_mido()
        if n not in (None, 1):
            raise OptionError(f"--n {n}: a .mid file holds one tune; leave --n out")
    elif score.tempo is not None:
        raise OptionError("--tempo is that of a .mid file; leave it out")
    n = (1 if suffix == ".mid" else TUNES) if n is None else n
    chords = None if score.chords is None else parse_chords(score.chords)
    bars = score.bars or (BARS if chords is None else len(chords))
    config = Config.load(folder / "config.json").on(device).in_force()
    algorithm = build_algorithm(config, dataset_of(config)).to(config.run.device)
    assert isinstance(algorithm, MidiNet)
    stored = best.load(folder / "checkpoints", step)
    stored.restore(algorithm)
    first: Array | None = None
    if chords is not None:
        below = np.broadcast_to(np.resize(chords, (bars, 2)), (n, bars, 2))
    else:
        held_out = dataset_of(config, "test")
        assert isinstance(held_out, Tunes)
        first, below = beginnings(held_out, n, bars, make_rng(seed, Purpose.LABELS))
    first = None if score.unprimed else first
    tunes = composed(algorithm, below, make_rng(seed, Purpose.SAMPLES), first)
    if suffix == ".mid":
        write_midi(tunes[0], out, tempo=score.tempo or TEMPO)
    elif suffix == ".npz":
        buffer = io.BytesIO()
        np.savez_compressed(buffer, pitch=np.stack([tune.pitch for tune in tunes]), chord=below)
        write_atomically(out, buffer.getvalue())
    else:
        write_png(piano_rolls(tunes), out)
    return f"{counted(n, 'tune')} of {counted(bars, 'bar')} after step {stored.step}: {out}"
