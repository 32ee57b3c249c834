"""Pairs and ratios, from sides whose seconds are given."""

import gc
from types import SimpleNamespace

import pytest
import torch

from bench.errors import BenchError, Unavailable
from bench.timing import EventTimer, Pairs, Timer, calibrate, interleave, timer_for
from bench.where import Where


class Scripted:
    """A side that says how long its next sample took, and notes that it was asked."""

    def __init__(self, name, times, log):
        self.name, self.times, self.log = name, iter(times), log

    def seconds(self, calls):
        self.log.append((self.name, calls))
        return next(self.times)


def test_repeats_alternate_their_order():
    log = []
    interleave(Scripted("A", [1] * 3, log), Scripted("B", [1] * 3, log), 4, 2, 3, pause=0)
    assert log == [("A", 4), ("B", 2), ("B", 2), ("A", 4), ("A", 4), ("B", 2)]


def test_the_ratio_is_the_median_of_the_pairs():
    """A machine three times slower during one pair changes neither the ratio nor its order."""
    log = []
    ours, peer = Scripted("A", [2.0, 6.0, 2.2], log), Scripted("B", [8.0, 24.0, 8.0], log)
    pairs = interleave(ours, peer, 2, 4, 3, pause=0)
    assert pairs.ours == (1.0, 3.0, 1.1)
    assert pairs.peer == (2.0, 6.0, 2.0)
    assert pairs.ratio == 0.5
    assert pairs.ours_ms == 1100
    assert pairs.peer_ms == 2000
    assert pairs.spread() == {"ratio_min": 0.5, "ratio_max": 0.55, "repeats": 3}


def test_it_is_not_the_ratio_of_the_medians():
    pairs = Pairs((1.0, 2.0, 30.0), (10.0, 2.0, 3.0))
    assert pairs.ratio == 1.0
    assert pairs.ours_ms / pairs.peer_ms == pytest.approx(2 / 3)


def test_no_repeats_is_an_error():
    with pytest.raises(BenchError, match="--repeats 0"):
        interleave(Scripted("A", [], []), Scripted("B", [], []), 1, 1, 0)


class Clock(Timer):
    """Every call takes so many seconds of a clock that stands still otherwise."""

    def __init__(self, each):
        self.each, self.calls = iter(each), 0

    def seconds(self, run, calls=1):
        self.calls += calls
        return next(self.each)


@pytest.mark.parametrize(
    ("each", "calls", "warmed"),
    [
        ([9.0, 0.05], 4, 2),  # two calls at least: the first is slow
        ([0.3, 0.3], 1, 2),  # a call longer than a sample is a sample
        ([0.1] * 5, 2, 5),  # half a second of warm-up
    ],
)
def test_samples_are_long_enough(each, calls, warmed):
    clock = Clock(each)
    found, seconds = calibrate(clock, lambda: None, warm=0.45, sample=0.2)
    assert (found, seconds, clock.calls) == (calls, each[-1], warmed)


def test_the_collector_rests_while_a_sample_runs():
    seen = []
    Timer().seconds(lambda: seen.append(gc.isenabled()), 3)
    assert seen == [False] * 3
    assert gc.isenabled()


def test_the_collector_comes_back_after_an_error():
    with pytest.raises(ZeroDivisionError):
        Timer().seconds(lambda: 1 / 0)
    assert gc.isenabled()


class Events:
    """A card whose clock is a list of what happened."""

    def __init__(self):
        self.happened = []

    def synchronize(self):
        self.happened.append("wait")

    def event(self):
        return SimpleNamespace(record=lambda: self.happened.append("event"))

    def elapsed_ms(self, start, end):
        return 5.0


def test_a_card_is_timed_between_its_own_events_from_rest_to_rest():
    card = Events()
    assert EventTimer(card).seconds(lambda: card.happened.append("run"), 2) == 5e-3
    assert card.happened == ["wait", "event", "run", "run", "event", "wait"]


def test_without_a_card_there_is_no_timer_of_one(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(Unavailable, match="finds no card"):
        timer_for(Where("cuda"), "torch")
    assert type(timer_for(Where(), "torch")) is Timer
