"""The profile counts every moment once, names what it was, and leaves minigan as it was."""

import time

import pytest

from bench.profiling import REST, Profile, profile
from bench.steps import OurStep
from bench.work import Work
from minigan import layers
from minigan.ops import conv
from minigan.optim import Adam


def test_time_inside_is_not_counted_outside(monkeypatch):
    now = iter(range(100))
    monkeypatch.setattr(time, "perf_counter", lambda: next(now))
    found = Profile()
    with found.within("outer"):  # from 0
        with found.within("inner"):  # from 1 to 2
            pass
        with found.within("inner"):  # from 3 to 4
            pass
    assert found.seconds == {"outer": 3, "inner": 2}  # to 5


@pytest.mark.parametrize(
    ("work", "families"),
    [
        (
            Work.of("dcgan", 16, 4, 4),
            {
                *(f"convolution {p}" for p in ("forward", "dx", "dw")),
                *(f"transposed convolution {p}" for p in ("forward", "dx", "dw")),
                *("norm forward", "norm backward", "activation forward", "activation backward"),
                *("dense forward", "dense backward", "loss", "noise", "optimiser", REST),
            },
        ),
        (Work.of("mlp", 8, 20, 4), {"maxout forward", "maxout backward", "dropout forward"}),
    ],
    ids=["dcgan", "mlp"],
)
def test_the_families_of_a_step(work, families):
    step = OurStep(work, 1)
    before = conv.conv2d, layers.Conv2d.forward, layers.Dense.backward, Adam.update
    started = time.perf_counter()
    found = profile(step.run, 3)
    elapsed = time.perf_counter() - started
    assert families <= found.keys()
    assert all(ms > 0 for ms in found.values())
    assert 3 * sum(found.values()) <= 1e3 * elapsed
    assert before == (conv.conv2d, layers.Conv2d.forward, layers.Dense.backward, Adam.update)


def test_minigan_is_put_back_after_an_error():
    forward, calls = layers.Dense.forward, iter([None])
    with pytest.raises(StopIteration):
        profile(lambda: next(calls), 1)
    assert layers.Dense.forward is forward
