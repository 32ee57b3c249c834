"""Each operation computes the same on both sides; a wrong one is found."""

from dataclasses import replace

import numpy as np
import pytest

from bench import ops_ours, same
from bench.errors import NotTheSame
from bench.ops import PASSES, Case, cases, thinned
from bench.peers import ops as ops_torch
from bench.shapes import networks
from bench.work import Work

CASES = [*cases(Work.of("dcgan", 16, 4, 2))]


@pytest.mark.parametrize("case", CASES, ids=lambda c: f"{c} {c.direction}")
def test_both_sides_compute_the_same(case):
    ours, theirs = ops_ours.build(case, 1), ops_torch.build(case, 1)
    for op in (ours, theirs):
        op.run()  # a run before changes nothing
    assert same.check_outputs(ours.outputs(), theirs.outputs(), str(case)) < 1e-4


@pytest.mark.parametrize("form", ["channels_last", "contiguous"])
@pytest.mark.parametrize("case", [c for c in CASES if c.direction in PASSES], ids=str)
def test_both_memory_formats_of_pytorch(case, form):
    make = ops_torch._conv if case.op.startswith("conv") else ops_torch._norm
    found = same.check_outputs(
        ops_ours.build(case, 1).outputs(), make(case, form).outputs(), str(case)
    )
    assert found < 1e-4


def test_an_altered_operation_is_found():
    case = Case(op="norm_relu", direction="forward", batch=2, side=4, cin=3)
    other = replace(case, op="norm_leaky_relu")
    with pytest.raises(NotTheSame):
        same.check_outputs(
            ops_ours.build(case, 1).outputs(), ops_torch.build(other, 1).outputs(), "norm"
        )


@pytest.mark.parametrize("size", [32, 64, 128])
def test_every_layer_of_the_network_is_measured(size):
    work = Work.of("dcgan", size)
    found = [c for c in cases(work) if c.op.startswith("conv")]
    products = [p for net in networks(work) for p in net.products if p.kind != "dense"]
    assert len(found) == 3 * len(products) == 6 * work.halvings
    assert {c.product for c in found} == set(products)


def test_large_outputs_are_thinned_evenly():
    found = thinned({"y": np.arange(1 << 21), "small": np.arange(6).reshape(2, 3)})
    assert found["y"].size <= 1 << 18
    assert len(set(np.diff(found["y"]))) == 1
    assert found["small"].tolist() == [*range(6)]
