"""What is said of bars, on bars whose answers can be counted by hand, and beside loops."""

from collections import Counter

import numpy as np
import pytest

from minigan.backend import make_rng
from minigan.data import open_data
from minigan.data.tunes import matrices, pitches
from minigan.errors import DataError
from minigan.metrics import Subject, measure
from minigan.metrics.melody import above_roots, described, lengths, total_variation
from minigan.metrics.subject import Asked

# C for half a bar, E and then the C above for a quarter each, over C major; D# alone over A minor.
BARS = np.array([[60] * 8 + [64] * 4 + [72] * 4, [63] * 16])
CHORDS = np.array([[0, 0], [9, 1]])


def test_two_bars_by_hand() -> None:
    assert described(BARS, CHORDS) == {
        "pitch classes": 1.5,
        "pitches": 2.0,
        "notes": 2.0,
        "interval": 6.0,  # 4 and 8 semitones
        "in chord": 0.5,
        "distinct": 1.0,
    }
    assert described(np.repeat(BARS[1:], 4, 0), np.repeat(CHORDS[1:], 4, 0))["distinct"] == 0.25
    assert described(BARS[1:], CHORDS[1:])["interval"] == 0
    assert above_roots(BARS, CHORDS).tolist() == [12 / 32, 0, 0, 0, 4 / 32, 0, 16 / 32, *[0] * 5]
    assert np.flatnonzero(lengths(BARS)).tolist() == [3, 7, 15]
    assert lengths(BARS)[[3, 7, 15]].tolist() == [0.5, 0.25, 0.25]


def test_random_bars_beside_loops() -> None:
    rng = np.random.default_rng(0)
    bars, roots = rng.integers(60, 66, (40, 16)), rng.integers(12, size=(40, 1))
    chords = np.concatenate([roots, rng.integers(2, size=(40, 1))], 1)
    found: Counter[int] = Counter()
    in_chord, notes, jumps = 0, 0, []
    for bar, (root, minor) in zip(bars.tolist(), chords.tolist(), strict=True):
        run = 1
        for a, b in zip(bar, [*bar[1:], None], strict=True):
            if a == b:
                run += 1
            else:
                found[run] += 1
                notes += 1
                run = 1
                jumps += [abs(a - b)] if b is not None else []
        in_chord += sum(p % 12 in {root, (root + 4 - minor) % 12, (root + 7) % 12} for p in bar)
    said = described(bars, chords)
    assert said["notes"] == pytest.approx(notes / 40)
    assert said["interval"] == pytest.approx(np.mean(jumps))
    assert said["in chord"] == pytest.approx(in_chord / 640)
    assert said["pitches"] == pytest.approx(np.mean([len(set(bar)) for bar in bars.tolist()]))
    share = np.array([found[i] for i in range(1, 17)]) / notes
    np.testing.assert_allclose(lengths(bars), share)


def test_total_variation_is_between_nothing_and_one() -> None:
    p, q = np.array([0.5, 0.5, 0]), np.array([0, 0, 1])
    assert total_variation(p, p) == 0
    assert total_variation(p, q) == 1
    assert total_variation(p, np.array([0.25, 0.5, 0.25])) == 0.25


def test_a_run_is_asked_for_the_held_out_chords() -> None:
    """A generator that answers with the chord's root has it everywhere; data is beside it."""
    data = open_data("tunes", split="test")

    def make(labels: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        return matrices(np.repeat(60 + labels[:, :1], 16, 1))

    asked = Asked(data.label_names, lambda n, rng: pytest.fail("the run's own labels"), make)
    subject = Subject(lambda n, rng: pytest.fail("samples"), data, split="test", asked=asked)
    result = measure("melody", subject, 1000)
    assert (result.n_fake, result.n_real, result.split) == (400, 400, "test")
    values = result.values
    assert [values[k] for k in ("in chord", "notes", "pitches", "interval")] == [1, 1, 1, 0]
    assert values["distinct"] == 12 / 400
    every = data.take(make_rng(0).permutation(400))
    assert every.labels is not None
    real = described(pitches(every.x), every.labels[:, :2])
    assert all(values[f"{k} (real)"] == pytest.approx(v) for k, v in real.items())
    assert 0.8 < values["in chord (real)"] < 1
    own = lengths(pitches(every.x))
    assert values["length distance"] == pytest.approx(1 - own[15])
    assert 0 < values["pitch-class distance"] < 1


def test_bars_that_nobody_asked_for_are_refused() -> None:
    data = open_data("tunes", split="test")
    subject = Subject(lambda n, rng: data.draw(n, rng).x, data, split="test")
    with pytest.raises(DataError, match="those of a run of midinet"):
        measure("melody", subject, 20)
    with pytest.raises(DataError, match="metric 'fid' needs pictures or points"):
        measure("fid", subject, 20)
