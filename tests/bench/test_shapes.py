"""Operations of a step: counted from shapes, against every product that a real step asks for."""

import numpy as np
import pytest

from bench.roofline import floor_seconds, shares
from bench.shapes import networks, step_flops
from bench.steps import OurStep, build
from bench.work import Work
from minigan import layers
from tests.bench.rows import STEP, make_row

DCGANS = [Work.of("dcgan", 32, 8, 4), Work.of("dcgan", 28, 4, 2)]
MLP = Work.of("mlp", 8, 20, 4)
PRODUCTS = (layers.Dense, layers.Conv2d, layers.ConvTranspose2d)


def naive_flops(layer, x, y):
    """Two operations for every number of the output and every product that adds to it."""
    if isinstance(layer, layers.Dense):
        return 2 * y.size * layer.in_features
    if isinstance(layer, layers.Conv2d):
        return 2 * y.size * layer.in_channels * int(np.prod(layer.kernel_size))
    return 2 * x.size * layer.out_channels * int(np.prod(layer.kernel_size))


@pytest.fixture
def asked(monkeypatch):
    """What is asked of every layer with weights: (pass, operations)."""
    log = []

    def watch(cls):
        forward, backward = cls.forward, cls.backward

        def watched_forward(self, x, **how):
            y, ctx = forward(self, x, **how)
            log.append(("forward", naive_flops(self, x, y)))
            return y, ctx

        def watched_backward(self, dy, ctx, need_dx=True, need_dw=True):
            flops = naive_flops(self, ctx.x, dy)
            log.extend((name, flops) for name, on in (("dx", need_dx), ("dw", need_dw)) if on)
            return backward(self, dy, ctx, need_dx, need_dw)

        monkeypatch.setattr(cls, "forward", watched_forward)
        monkeypatch.setattr(cls, "backward", watched_backward)

    for cls in PRODUCTS:
        watch(cls)
    return log


@pytest.mark.parametrize("work", [*DCGANS, MLP], ids=str)
def test_a_step_asks_for_the_counted_operations_and_no_more(work, asked):
    """Nobody reads the pictures' dx in D's update, nor D's dw in G's: neither is asked for."""
    step = OurStep(work, 1)
    step.run()
    assert sum(flops for _, flops in asked) == step_flops(work)


@pytest.mark.parametrize("work", [*DCGANS, MLP], ids=str)
def test_the_shapes_have_the_parameters_of_the_networks(work):
    algorithm = build(work)
    counted = [net.parameters for net in networks(work)]
    assert counted == [algorithm.G.flat.size, algorithm.D.flat.size]


def test_unread_gradients_would_be_a_seventh_of_a_step():
    """What PyTorch's usual script computes on top: D's weight gradients in G's update."""
    work = Work.of("dcgan")
    unread = sum(p.flops(work.batch) for p in networks(work)[1].products)
    assert 0.05 < unread / step_flops(work) < 0.15


def test_the_floor_is_the_larger_time():
    rates = {"flops": 1e9, "bytes": 1e8}
    assert floor_seconds(2e9, 1e8, rates) == (2.0, "products")
    assert floor_seconds(2e9, 4e8, rates) == (4.0, "memory")


def test_shares_of_stored_rows():
    detail = {"op": "conv", "pass": "dx", "kind": "conv", "flops": 3e8, "bytes": 1e6}
    rows = [
        make_row("ops", ours_ms=600.0, detail=detail),
        make_row(detail=STEP),
        make_row(peer="torch-compile", detail=STEP),
        make_row("scaling", detail={"axis": "batch"}),
    ]
    conv, step = shares(rows, {"flops": 1e9, "bytes": 1e9})
    assert (conv.bench, conv.peer, conv.peer_ms) == ("roofline", "floor", 300.0)
    assert conv.ratio == pytest.approx(2.0)
    assert conv.detail["share"] == conv.detail["product_share"] == pytest.approx(0.5)
    flops = step_flops(Work.of("dcgan"))
    assert step.detail["flops"] == flops
    assert step.detail["product_share"] == pytest.approx(flops / 0.7 / 1e9)
