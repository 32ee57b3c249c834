r"""How near enhanced speech is to the clean speech, in decibels.

    segmental SNR   mean over frames of  10 log10(sum s^2 / sum (s - y)^2),  each in [-10, 35] dB
    SI-SDR          10 log10(|a s|^2 / |a s - y|^2),   a = <y, s> / |s|^2

s is the clean speech and y what is judged. Segmental SNR is that of Hansen and Pellom 1998 (An
effective quality evaluation protocol for speech enhancement algorithms), limits and frames of 30 ms
that overlap by three quarters included, as SEGAN's paper measures it by Loizou's code; frames in
which the speech is silent count 0 dB or less, so they are left out here, as is usual. SI-SDR is
that of Le Roux et al. 2019 (SDR - half-baked or well done?, arXiv:1811.02508, eq. 3): the loudness
of y does not count.
"""

from __future__ import annotations

from collections.abc import Callable
from copy import copy
from typing import Any

import numpy as np

from minigan.backend import Array, make_rng
from minigan.data import Sounds
from minigan.metrics.result import Result
from minigan.metrics.subject import Subject
from minigan.streams import Purpose

FRAME = 0.030  # seconds
LOWEST, HIGHEST = -10.0, 35.0  # dB, of a frame
SILENT = 40.0  # dB below the loudest frame of its window, where nobody speaks
TINY = 1e-20


def segmental_snr(y: Array, s: Array, rate: int) -> Array:
    """The mean over frames with speech, in dB: (N,) for sounds (N, T)."""
    speech, error = (_energies(a, rate) for a in (s, s - y))
    levels = 10 * np.log10((speech + TINY) / (error + TINY))
    spoken = speech > speech.max(1, keepdims=True) * 10 ** (-SILENT / 10)
    return (np.clip(levels, LOWEST, HIGHEST) * spoken).sum(1) / np.maximum(spoken.sum(1), 1)


def si_sdr(y: Array, s: Array) -> Array:
    """Scale-invariant signal-to-distortion ratio in dB: (N,) for sounds (N, T)."""
    y, s = y.astype(np.float64), s.astype(np.float64)
    a = (y * s).sum(1, keepdims=True) / np.maximum(np.square(s).sum(1, keepdims=True), TINY)
    target = np.square(a * s).sum(1)
    return 10 * np.log10((target + TINY) / (np.square(a * s - y).sum(1) + TINY))


def _energies(x: Array, rate: int) -> Array:
    """Of frames of 30 ms that begin every quarter of one: (N, frames)."""
    size = min(max(4, round(FRAME * rate)), x.shape[1])
    starts = np.arange(0, x.shape[1] - size + 1, max(1, size // 4))
    squares = np.square(x.astype(np.float64))
    sums = np.cumsum(np.pad(squares, ((0, 0), (1, 0))), 1)
    return sums[:, starts + size] - sums[:, starts]


Enhance = Callable[[Array, np.random.Generator], Array]


class SpeechSubject(Subject):
    """Enhanced windows before clean ones.

    enhance: noisy windows (N, T) of the host and rng -> windows without the noise
    """

    data: Sounds

    def __init__(self, enhance: Enhance, data: Sounds, *, split: str, seed: int = 0) -> None:
        def draw(n: int, rng: np.random.Generator) -> Array:
            raise AssertionError("enhanced speech is made of noisy speech")

        super().__init__(draw, data, split=split, seed=seed)
        self.enhance = enhance

    def redrawn(self, made: Any) -> SpeechSubject:
        """Another enhancement before the same data."""
        other = copy(self)
        other.enhance, other._of_samples = made, {}
        return other

    def windows(self, n: int) -> tuple[Array, Array]:
        """n windows of noisy and of clean speech, (n, T) each."""
        return self.data.split(self.real(n))

    def samples(self, n: int) -> Array:
        key = ("examples", n)
        if key not in self._of_samples:
            noisy, _ = self.windows(n)
            self._of_samples[key] = self.enhance(noisy, make_rng(self.seed, Purpose.MEASURED))
        return self._of_samples[key]


def enhancement(subject: Subject, n: int) -> Result:
    """Both ratios of n enhanced windows, and of the noisy ones that they were made of."""
    assert isinstance(subject, SpeechSubject)
    n = subject.paired(n)
    noisy, clean = subject.windows(n)
    made = subject.samples(n)
    rate = subject.data.rate
    values = {
        "si_sdr": float(si_sdr(made, clean).mean()),
        "si_sdr of noisy": float(si_sdr(noisy, clean).mean()),
        "segmental": float(segmental_snr(made, clean, rate).mean()),
        "segmental of noisy": float(segmental_snr(noisy, clean, rate).mean()),
    }
    return Result(
        "snr",
        values,
        "dB, means over windows: SI-SDR (Le Roux et al. 2019, eq. 3); segmental SNR of frames of "
        "30 ms within 40 dB of the loudest, each in [-10, 35] (Hansen and Pellom 1998)",
        extractor="none",
        split=subject.split,
        n_real=n,
        n_fake=n,
        seed=subject.seed,
    )
