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
from bench.worker import Server

DCGAN = Work.of("dcgan", 16, 8, 8)
MLP = Work.of("mlp", 8, 20, 8)


class Near:
    """A worker without a process, that has built this step."""

    def __init__(self, side, step):
        self.side, self.server = side, Server(side, 1)
        self.server.subject = step

    def ask(self, do, **given):
        return getattr(self.server, do)(**given)


def check(ours, peer):
    """As before every time: in float64, then in float32."""
    return same.check_steps(Near("ours", ours), Near("torch", peer), "float32")


def check_rounded(ours, peer):
    """In float32 alone, as on a card in fp32."""
    trace = ours.trace()
    start = {k.removeprefix("0."): a for k, a in trace.items() if k.startswith("0.")}
    return same.compare(trace, peer.trace(start), "torch")


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


def test_both_sides_are_back_in_float32_after_the_check(ours):
    step, peer = ours["dcgan"], TorchStep(DCGAN, "torch", 1)
    first = check_rounded(step, peer)
    check(step, peer)
    assert check_rounded(step, peer) == first
    assert {a.dtype for a in step.trace().values() if a.size > 2} == {np.dtype(np.float32)}
    assert {p.dtype for p in (*peer.G.parameters(), *peer.D.parameters())} == {torch.float32}
    step.run(), peer.run()


def test_float64_is_held_to_more(ours):
    """What float32's rounding would hide: Adam's own eps in place of 1e-8."""
    peer = TorchStep(DCGAN, "torch", 1)
    peer.optimizer_D.param_groups[0]["eps"] = 1e-7
    check_rounded(ours["dcgan"], peer)
    with pytest.raises(NotTheSame, match="step 1"):
        check(ours["dcgan"], peer)


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


def scaled(net, factor):
    for p in net.parameters():
        p.register_hook(lambda g: factor * g)


def scale_G(peer):
    """Adam's steps do not show it."""
    scaled(peer.G, 1.1)


def scale_D(peer):
    scaled(peer.D, 1.02)


def eps_G(peer):
    for part in peer.G.modules():
        if isinstance(part, torch.nn.BatchNorm2d):
            part.eps = 1e-4


ALTERED = [slope, eps, beta1, beta2, labels, noise, scale_G, scale_D]


@pytest.mark.parametrize("alter", [*ALTERED, eps_G], ids=lambda f: f.__name__)
def test_an_altered_side_is_found(ours, alter):
    peer = TorchStep(DCGAN, "torch", 1)
    alter(peer)
    with pytest.raises(NotTheSame, match="nothing was measured"):
        check(ours["dcgan"], peer)


@pytest.mark.parametrize("alter", ALTERED, ids=lambda f: f.__name__)
def test_most_of_it_is_found_in_float32_too(ours, alter):
    """Which is all that is compared on a card."""
    peer = TorchStep(DCGAN, "torch", 1)
    alter(peer)
    with pytest.raises(NotTheSame, match="nothing was measured"):
        check_rounded(ours["dcgan"], peer)


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


@pytest.mark.parametrize("broken", ["ours", "peer", "both"])
def test_an_operation_that_gives_no_numbers_is_refused(broken):
    right, wrong = {"y": np.ones(3)}, {"y": np.array([1.0, np.nan, 1.0])}
    ours, peer = (wrong if broken in (side, "both") else right for side in ("ours", "peer"))
    with pytest.raises(NotTheSame, match="conv: y differs"):
        same.check_outputs(ours, peer, "conv")


def test_the_factor_between_two_gradients_passes_over_what_has_no_direction():
    b = np.random.default_rng(0).standard_normal(10_000)
    noise = np.random.default_rng(1).standard_normal(10_000)
    assert same.factor_error(1.1 * b, b) == pytest.approx(0.1)
    assert same.factor_error(0.9 * b, b) == pytest.approx(0.1)
    assert same.factor_error(b + 0.1 * noise, b) < 5 * 0.1 / 100  # five deviations of the mean
    assert same.relative_error(b + 0.1 * noise, b) == pytest.approx(0.1, rel=0.05)
    assert same.factor_error(b, 0 * b) == np.inf
    assert same.factor_error(0 * b, 0 * b) == 0
