"""Who decides at a corner: constructed predictions, least squares, shares that add up."""

import numpy as np
import pytest

from minigan.backend import make_rng
from minigan.data import open_clips
from minigan.errors import ShapeError
from minigan.metrics import METRICS, TranslationSubject, measure
from minigan.metrics.corners import Strengths, decided, strengths

DATA = open_clips("moving-digits", split="test")
AT = DATA.corners(60, make_rng(3))


def mixed(a, b):
    """The streets with a of the digit to the left and b of it to the right."""
    return AT.empty + a * (AT.left - AT.empty) + b * (AT.right - AT.empty)


MADE = {
    "the left one": (mixed(1, 0), (1, 0, 0, 1)),
    "the right one": (mixed(0, 1), (1, 0, 0, 0)),
    "the mean of both": (mixed(0.5, 0.5), (0, 1, 0, 0.5)),
    "both, whole": (mixed(1, 1), (0, 1, 0, 0.5)),
    "faint at both sides": (mixed(0.3, 0.3), (0, 0, 1, 0.5)),
    "half of one": (mixed(0.5, 0), (0, 0, 1, 0.5)),
    "most of one and a bit of the other": (mixed(0.3, 0.7), (1, 0, 0, 0)),
    "the empty streets": (mixed(0, 0), (0, 0, 1, 0.5)),
    "the last frame": (AT.last, (0, 0, 1, 0.5)),
    "black": (np.full_like(AT.left, -1), (0, 0, 1, 0.5)),
}


@pytest.mark.parametrize(("y", "shares"), MADE.values(), ids=MADE)
def test_constructed_predictions(y, shares):
    assert decided(strengths(y, *AT[1:])) == pytest.approx(shares)


@pytest.mark.parametrize(("a", "b"), [(1, 0), (0.25, 0.6), (-0.2, 1.4)])
def test_strengths_are_found_again(a, b):
    found = strengths(mixed(a, b), *AT[1:])
    np.testing.assert_allclose(found.left, a, atol=1e-5)
    np.testing.assert_allclose(found.right, b, atol=1e-5)


def test_strengths_equal_numpys_least_squares():
    y = make_rng(0).uniform(-1, 1, AT.left.shape)
    found = strengths(y, *AT[1:])
    for i in range(len(y)):
        ways = np.stack([(w[i] - AT.empty).ravel() for w in AT[1:4]], 1)
        expected = np.linalg.lstsq(ways.astype(float), (y[i] - AT.empty).ravel(), rcond=None)[0]
        np.testing.assert_allclose((found.left[i], found.right[i]), expected[:2], rtol=1e-6)


def test_shares_of_a_mixture():
    left = np.array([1, 0, 0.5, 0.0, 0.9])
    right = np.array([0, 1, 0.5, 0.2, 0.1])
    found = decided(Strengths(left, right))
    assert found == pytest.approx((3 / 5, 1 / 5, 1 / 5, 2 / 3))
    assert found.decided + found.split + found.lost == pytest.approx(1)


def test_unlike_shapes_are_refused():
    with pytest.raises(ShapeError, match="cannot be taken apart"):
        strengths(AT.left[:3], *AT[1:])


def clairvoyant(way):
    """A generator that knows where a digit comes from and turns to that side, from its frames."""
    at = DATA.corners(20, make_rng(0, 9))

    def make(x, rng):
        np.testing.assert_array_equal(x, at.x)
        return getattr(at, way)

    return make


@pytest.mark.parametrize(("way", "left"), [("left", 1), ("right", 0)])
def test_the_metric_asks_at_corners_of_the_split(way, left):
    subject = TranslationSubject({"G": clairvoyant(way)}, DATA, split="test")
    found = measure("corners", subject, 20)
    assert found.values == pytest.approx({"decided": 1, "split": 0, "lost": 0, "left": left})
    assert (found.split, found.n_fake) == ("test", 20)
    assert not METRICS["corners"].takes(open_clips_of_pictures())


def open_clips_of_pictures():
    from minigan.data import open_pairs

    return open_pairs("kittens-edges", aligned=True, size=16)
