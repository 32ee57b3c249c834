"""Second derivatives of D's losses, against differences of their first ones."""

import numpy as np
import pytest

from minigan.errors import OptionError
from minigan.losses import OBJECTIVES, Minimax, objectives
from minigan.losses.curvature import CURVATURES, check_curvature, curvature
from minigan.losses.least_squares import LeastSquares

WITH = sorted(name for name, kind in OBJECTIVES.items() if kind.discriminator in CURVATURES)


def test_the_game_of_the_paper_and_its_common_relatives_have_one():
    assert {"minimax", "non-saturating", "lsgan", "wasserstein", "hinge"} <= set(WITH)


@pytest.mark.parametrize(
    "objective",
    [
        *map(objectives.get, WITH),
        Minimax(label_smoothing=0.1),
        LeastSquares(a=-1, b=1, c=0),
    ],
    ids=lambda o: o.name,
)
def test_differences_of_the_gradient(objective):
    rng = np.random.default_rng(0)
    real, fake = 2 * rng.standard_normal((7, 1)), 2 * rng.standard_normal((5, 1))
    h = 1e-5
    _, *above = objective.discriminator(real + h, fake + h)
    _, *below = objective.discriminator(real - h, fake - h)
    for found, a, b in zip(curvature(objective, real, fake), above, below, strict=True):
        # Central differences at 1e-5 are good to about 1e-10.
        np.testing.assert_allclose(found, (a - b) / (2 * h), atol=1e-9)
    assert {
        h.dtype for h in curvature(objective, *(a.astype(np.float32) for a in (real, fake)))
    } == {np.dtype(np.float32)}


@pytest.mark.parametrize("name", ["softmax", "relativistic", "margin"])
def test_others_are_refused_by_name(name):
    with pytest.raises(OptionError, match=f"'{name}' has no second derivative here; wanted one"):
        check_curvature(objectives.get(name))
