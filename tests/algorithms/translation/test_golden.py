"""Five steps of every translation here and in PyTorch: losses, weights and running statistics."""

import numpy as np
import pytest

from tests.algorithms.translation.cases import Case
from tests.oracles import gan_twin

STEPS, BATCH = 5, 2
# Rounding, 1e-16 a step, grows with an algorithm's own sensitivity: instance norm of a few places
# and Adam's division turn it into 1e-11 within five steps.
TOLERANCE = 1e-9
# What has no gradient but rounding, as a shift that a later norm takes out, is moved by Adam, which
# divides rounding by rounding: it is held to what would be asked of a number of this size.
NOTHING = 0.1

ALL_TERMS = {"weight_identity": 0.5, "pool": 3}
CASES = [
    Case("pix2pix"),
    Case("pix2pix", {"judge": "picture", "generator": "encoder-decoder", "up": "resize"}),
    Case("pix2pix", {"judge": "none", "norm": "instance"}, (3, 1)),
    Case("pix2pix", {"weight_l1": 0.0, "generator": "resnet", "objective": "lsgan"}),
    Case("pix2pix", {"discriminator": "image", "patch": 70, "weight_l1": 10.0}),
    Case("pix2pix", {"norm": "none", "halvings": 2}),
    Case("cyclegan", ALL_TERMS, (3, 3)),
    Case("cyclegan", {"up": "resize", "norm": "batch", "pool": 2}),
    Case("cyclegan", {"cycle": "forward", "pool": 0}),
    Case("cyclegan", {"cycle": "backward", "pool": 1}, (1, 1)),
    Case("cyclegan", {"cycle": "none"}, (3, 1)),
    Case("cyclegan", {**ALL_TERMS, "generator": "unet", "cycle": "none"}, (1, 1)),
    Case("discogan"),
    Case("discogan", {"weight_identity": 1.0, "objective": "lsgan"}, (3, 3)),
    Case("dualgan"),
    Case("dualgan", {"k": 3, "clip_weights": 0.02, "pool": 3}, (1, 1)),
]


def assert_close(ours, theirs, what):
    """Array by array: the largest difference against the largest number."""
    assert ours.keys() == theirs.keys()
    for name, a in ours.items():
        b = np.asarray(theirs[name])
        assert np.abs(a - b).max() <= TOLERANCE * max(np.abs(b).max(), NOTHING), f"{what} {name}"


@pytest.mark.parametrize("case", CASES, ids=str)
def test_five_steps_equal_pytorch(case):
    ours = case.ours()
    theirs = case.theirs(ours)
    start = {name: net.flat.data.copy() for name, net in ours.networks.items()}
    for step in range(STEPS):
        x = case.examples(BATCH * ours.minibatches, seed=100 + step)
        kept = x.copy()
        scalars = ours.step(x)
        np.testing.assert_array_equal(x, kept)
        expected = theirs.step(x)
        assert_close({k: np.float64(v) for k, v in scalars.items()}, expected, f"step {step}:")
    for name, net in ours.networks.items():
        trained = {k: p.data for k, p in net.params.items()} | net.buffers
        assert_close(trained, gan_twin.arrays(theirs.nets[name]), name)
        assert (net.flat.data != start[name]).mean() > 0.9, name
