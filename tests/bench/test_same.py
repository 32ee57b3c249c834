"""The check before every time: it passes where both sides are the same, and only there."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from bench import same
from bench.errors import NotTheSame
from bench.peers.networks import MAXOUTS
from bench.peers.step import TorchStep
from bench.steps import OurStep
from bench.work import Work

DCGAN = Work.of("dcgan", 16, 8, 8)
MLP = Work.of("mlp", 8, 20, 8)


def start_of(trace):
    return {k.removeprefix("0."): a for k, a in trace.items() if k.startswith("0.")}


def check(ours, peer):
    trace = ours.trace()
    return same.compare(trace, peer.trace(start_of(trace)), "torch")


@pytest.fixture(scope="module")
def ours():
    return {work.arch: OurStep(work, 1) for work in (DCGAN, MLP)}


@pytest.mark.parametrize(
    ("work", "peer", "choices"),
    [
        (DCGAN, "torch", {"layout": "channels_last", "optimizer": "fused"}),
        (DCGAN, "torch", {"layout": "contiguous", "optimizer": "foreach"}),
        (DCGAN, "torch-frozen", {}),
        (MLP, "torch", {"optimizer": "fused"}),
        *((MLP, "torch-frozen", {"optimizer": "foreach", "maxout": form}) for form in MAXOUTS),
    ],
    ids=str,
)
def test_both_sides_compute_the_same(ours, work, peer, choices):
    found = check(ours[work.arch], TorchStep(work, peer, 1, choices))
    assert max(found.values()) < 1e-3


def test_a_size_that_is_no_power_of_two():
    """28 pixels are halved to 7: the picture's rows and columns must find their places."""
    work = Work.of("dcgan", 28, 4, 4)
    assert max(check(OurStep(work, 1), TorchStep(work, "torch", 1)).values()) < 1e-2


def test_the_check_can_be_repeated_after_steps(ours):
    """What is timed is what was checked: the trace resets weights, moments and noise itself."""
    peer = TorchStep(MLP, "torch", 1)
    first = check(ours["mlp"], peer)
    for side in (ours["mlp"], peer):
        side.run()
    again = check(ours["mlp"], peer)
    assert max(first.values()) < 1e-3
    assert max(again.values()) < 1e-3


def test_every_check_begins_with_the_same_weights():
    ours = OurStep(DCGAN, 1)
    first, _, again = ours.trace(), ours.run(), ours.trace()
    assert all(np.array_equal(first[name], again[name]) for name in first)


def test_dropout_is_back_after_the_check(ours):
    peer = TorchStep(MLP, "torch", 1)
    check(ours["mlp"], peer)
    assert [d.p for d in ours["mlp"]._dropouts()] == [d.p for d in peer._dropouts()] == [0.5, 0.5]


@pytest.mark.parametrize("work", [DCGAN, MLP], ids=str)
def test_another_learning_rate_is_found(ours, work):
    with pytest.raises(NotTheSame, match="step 1"):
        check(ours[work.arch], TorchStep(replace(work, lr=1.05 * work.lr), "torch", 1))


def slope(peer):
    peer.D[1].negative_slope = 0.1


def eps(peer):
    peer.D[3].eps = 1e-3


def beta1(peer):
    peer.optimizer_D.param_groups[0]["betas"] = (0.9, 0.999)


def beta2(peer):
    peer.optimizer_G.param_groups[0]["betas"] = (0.5, 0.9)


def labels(peer):
    peer.real = torch.full_like(peer.real, 0.9)


def noise(peer):
    draw = peer.work.noise
    peer.work = type("Shifted", (), {"noise": staticmethod(lambda i: draw(i + 1))})()


@pytest.mark.parametrize(
    "alter", [slope, eps, beta1, beta2, labels, noise], ids=lambda f: f.__name__
)
def test_an_altered_side_is_found(ours, alter):
    peer = TorchStep(DCGAN, "torch", 1)
    alter(peer)
    with pytest.raises(NotTheSame, match="nothing was measured"):
        check(ours["dcgan"], peer)


def test_another_dropout_is_found():
    with pytest.raises(NotTheSame, match="dropout"):
        same.same_dropout({"dropout": [0.5]}, {"dropout": [0.4]}, "torch")


def test_not_a_number_is_not_the_same(ours):
    trace = ours["mlp"].trace()
    broken = dict(trace) | {"1.losses": np.array([np.nan, 0.0])}
    with pytest.raises(NotTheSame):
        same.compare(trace, broken, "torch")


def test_operations_are_compared_by_their_largest_number():
    a = {"y": np.array([1.0, 100.0])}
    assert same.check_outputs(a, {"y": np.array([1.001, 100.0])}, "conv") == pytest.approx(1e-5)
    for b in ({"y": np.array([1.1, 100.0])}, {"z": a["y"]}, {"y": a["y"][:1]}):
        with pytest.raises(NotTheSame, match="conv"):
            same.check_outputs(a, b, "conv")
