"""Five steps of every restoration here and in PyTorch: losses, weights and running statistics."""

import numpy as np
import pytest

from tests.algorithms.restoration.cases import Case
from tests.algorithms.translation.test_golden import assert_close
from tests.oracles import gan_twin

STEPS, BATCH = 5, 3

CASES = [
    Case("srgan"),
    Case("srgan", {"scale": 2, "blocks": 2, "objective": "relativistic-average"}, (10, 14, 1)),
    Case("srgan", {"content": "kittens", "weight_content": 0.4, "pretrain": 1}, (20, 24, 3)),
    Case("srgan", {"content": "digits", "scale": 2, "objective": "lsgan"}, (12, 10, 1)),
    Case("srgan", {"pretrain": 0, "weight_content": 0.0}),
    Case("srgan", {"generator": "rrdb", "growth": 3, "pretrain_loss": "l1", "weight_l1": 0.2}),
    Case(
        "srgan",
        {
            **{"generator": "rrdb", "growth": 2, "blocks": 2, "scale": 2, "pretrain": 1},
            **{"objective": "relativistic-average", "content": "digits", "content_before": True},
        },
        (20, 16, 1),
    ),
    Case("srgan", {"content": "kittens", "content_layer": 2, "content_before": True}),
    Case("context-encoder", {"objective": "lsgan"}),
    Case("context-encoder", {"overlap": 3, "overlap_weight": 4.0}, (28, 24, 1)),
    Case("context-encoder", {"overlap": 0, "weight_gan": 0.0, "lr_G": 1e-3}, (16, 24, 1)),
    Case("context-encoder", {"hole": "random", "overlap": 2}, (16, 24, 3)),
    Case("context-encoder", {"hole": "random", "weight_rec": 0.0}, (16, 16, 1)),
    Case("deblurgan"),
    Case("deblurgan", {"content": "mse", "k": 1, "schedule": "constant"}, (12, 16, 1)),
    Case("deblurgan", {"content_layer": 2, "up": "resize", "norm_D": "none"}, (16, 12, 1)),
    Case("deblurgan", {"objective": "lsgan", "penalty": "none", "norm_D": "batch"}, (12, 12, 3)),
    Case("deblurgan", {"weight_gan": 0.0, "norm_G": "batch", "content_layer": 3}, (16, 16, 3)),
    Case("deblurgan", {"weight_content": 0.0, "norm_G": "none"}, (12, 12, 1)),
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_five_steps_equal_pytorch(case):
    ours = case.ours()
    theirs = case.theirs(ours)
    start = {name: net.flat.data.copy() for name, net in ours.networks.items()}
    for step in range(STEPS):
        x = case.examples(BATCH, seed=100 + step)
        kept = x.copy()
        scalars = ours.step(x)
        np.testing.assert_array_equal(x, kept)
        expected = theirs.step(x)
        assert_close({k: np.float64(v) for k, v in scalars.items()}, expected, f"step {step}:")
    for name, net in ours.networks.items():
        trained = {k: p.data for k, p in net.params.items()} | net.buffers
        assert_close(trained, gan_twin.arrays(theirs.nets[name]), name)
        # The outer places of a kernel see nothing of maps of a pixel or two.
        assert (net.flat.data != start[name]).mean() > 0.7, name
