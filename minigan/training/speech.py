"""Runs on speech: their data, and the sheet of noisy, enhanced and clean speech with its sounds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from minigan.algorithms.sequence.segan import SEGAN, Options
from minigan.backend import Array, make_rng
from minigan.data import Sounds, open_sounds
from minigan.data.options import Split
from minigan.data.wav import wav_bytes
from minigan.errors import OptionError
from minigan.streams import Purpose
from minigan.training.config import Config
from minigan.training.pictures import Sheet, render

if TYPE_CHECKING:  # it takes as long to import as all of minigan
    from matplotlib.axes import Axes

SHOWN = 4  # windows in a picture
HEARD = 8  # windows in a sound
GAP = 0.25  # seconds of silence between two of them
FRAME = 0.032  # seconds, of a spectrogram's frames, which overlap by three quarters
FLOOR = 70.0  # dB below the loudest, and darker


def sounds_of(config: Config, data: str, split: Split) -> Sounds:
    """The run's windows. Raises OptionError for what is asked of pictures."""
    run, options = config.run, config.options
    assert isinstance(options, Options)
    for name, given in (("--size", run.size), ("--channels", run.channels)):
        if given is not None:
            raise OptionError(f"{name} {given} is of pictures; the length of sounds is --window")
    return open_sounds(data, window=options.window, split=split, strict=run.strict)


def sheet(algorithm: SEGAN, sounds: Sounds, *, seed: int) -> Sheet:
    """Spectrograms of noisy, enhanced and clean windows above one another, always the same ones.

    Beside the picture lie WAV files of these windows and of more.
    """
    noisy, clean = sounds.split(sounds.draw(HEARD, make_rng(seed, Purpose.SHOWN)).x)
    made = algorithm.enhance(noisy, make_rng(seed, Purpose.PICTURES))
    rows = {"noisy": noisy, "enhanced": made, "clean": clean}
    names = {"noisy": "noisy.wav", "enhanced": "{step}.wav", "clean": "clean.wav"}
    files = {names[k]: wav_bytes(_in_turn(x, sounds.rate), sounds.rate) for k, x in rows.items()}
    picture = spectrograms({k: x[:SHOWN] for k, x in rows.items()}, sounds.rate)
    return Sheet(picture, made, clean, files)


def spectrograms(rows: Mapping[str, Array], rate: int) -> Image.Image:
    """Sounds (N, T) of each name in a row; all of a column share their loudness."""
    from matplotlib.figure import Figure

    columns = max(len(x) for x in rows.values())
    figure = Figure(figsize=(2.6 * columns, 1.9 * len(rows)), dpi=100, layout="constrained")
    grid = figure.subplots(len(rows), columns, sharex=True, sharey=True, squeeze=False)
    for i in range(columns):
        shown = {name: spectrogram(x[i], rate) for name, x in rows.items()}
        loudest = max(float(levels.max()) for levels in shown.values())
        for axes, (name, levels) in zip(grid[:, i], shown.items(), strict=True):
            _draw(axes, levels, loudest, len(rows[name][i]) / rate, rate)
            if i == 0:
                axes.set_ylabel(f"{name}\nkHz")
        grid[-1, i].set_xlabel("seconds")
    return render(figure)


def spectrogram(x: Array, rate: int) -> Array:
    """Levels in dB of a sound (T,): (frequencies, frames), of Hann windows of 32 ms."""
    size = min(max(8, 2 * round(FRAME * rate / 2)), len(x))
    starts = np.arange(0, len(x) - size + 1, max(1, size // 4))
    frames = x[starts[:, None] + np.arange(size)] * np.hanning(size)
    return 20 * np.log10(np.abs(np.fft.rfft(frames)).T + 1e-6)


def _draw(axes: Axes, levels: Array, loudest: float, seconds: float, rate: int) -> None:
    axes.imshow(
        levels,
        origin="lower",
        aspect="auto",
        cmap="magma",
        vmin=loudest - FLOOR,
        vmax=loudest,
        extent=(0, seconds, 0, rate / 2000),
        interpolation="nearest",
    )


def _in_turn(x: Array, rate: int) -> Array:
    """Windows (N, T) one after another, with silence between."""
    return np.pad(x, ((0, 0), (0, round(GAP * rate)))).reshape(-1)
