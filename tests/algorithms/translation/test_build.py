"""What the options build, and what they refuse."""

import numpy as np
import pytest

from minigan import layers as L
from minigan.algorithms.catalogue import recipe
from minigan.algorithms.options import Streams, Task
from minigan.algorithms.translation.shared_options import SCORED
from minigan.errors import OptionError, UnknownNameError
from minigan.losses import objectives
from tests.algorithms.translation.cases import Case


def build(algorithm, *, shape=(32, 32, 4), channels=(1, 3), kind="pairs", **options):
    task = Task(shape, kind, 100, channels=channels)
    o = recipe(algorithm).options.of(**{"width": 1, **options})
    return recipe(algorithm).build(o, task, Streams(0))


def layers(net, kind):
    return [layer for _, layer in net.walk() if isinstance(layer, kind)]


# --- defaults are the papers' ---------------------------------------------------------------------


def test_pix2pix_is_the_papers():
    made = build("pix2pix")
    assert set(made.networks) == {"G", "D"}
    assert (made.weight_l1, made.weight_D, made.weight_G) == (100, 0.5, 1)
    assert layers(made.G, L.Concat)
    assert layers(made.G, L.Dropout)
    assert made.notes() == ["D judges patches of 70x70 pixels in pictures of 32x32"]
    adam = made.optimizers["G"]
    assert (adam.beta1, adam.beta2, adam.schedule(99)) == (0.5, 0.999, 2e-4)
    assert recipe("pix2pix").options().width == 64


def test_cyclegan_is_the_papers():
    made = build("cyclegan")
    assert set(made.networks) == {"G", "F", "D_X", "D_Y"}
    assert made.weights == (10, 10, 0)
    # least squares written whole: twice Mao's half for G, half of twice that for D
    assert (made.objective.name, made.weight_G, made.weight_D) == ("lsgan", 2, 1)
    assert {pool.size for pool in made.pools.values()} == {50}
    assert len(layers(made.G, L.Residual)) == 6
    assert layers(made.G, L.InstanceNorm)
    assert not layers(made.G, L.Dropout)


def test_discogan_and_dualgan_are_their_papers():
    disco = build("discogan")
    assert disco.weights == (1, 1, 0)
    assert disco.distance.__name__ == "mean_squared_error"
    assert not layers(disco.G, L.Concat)
    assert layers(disco.networks["D_X"], L.Dense)
    assert disco.notes()[0] == "D_X judges patches of any size in pictures of 32x32"
    dual = build("dualgan")
    assert (dual.k, dual.weight_clipping.c, dual.weights.forward) == (2, 0.01, 100)
    assert (dual.objective.name, dual.optimizers["G"].schedule(0)) == ("wasserstein", 5e-5)
    assert all(pool.size == 0 for made in (disco, dual) for pool in made.pools.values())


@pytest.mark.parametrize("algorithm", ["pix2pix", "cyclegan", "discogan", "dualgan"])
@pytest.mark.parametrize("channels", [(1, 1), (1, 3), (3, 1), (3, 3)])
def test_grey_and_colour_on_either_side(algorithm, channels):
    made = build(algorithm, shape=(32, 48, sum(channels)), channels=channels, patch=16)
    x = np.zeros((made.minibatches, 32, 48, sum(channels)), np.float32)
    scalars = made.step(x + np.float32(0.1))
    assert all(np.isfinite(v) for v in scalars.values())
    x, y = made.split(x)
    assert (x.shape[-1], y.shape[-1]) == channels


@pytest.mark.parametrize("name", SCORED)
def test_objectives_take_maps_of_logits(name):
    """The loss of a map is that of its logits in one column, and so are the gradients."""
    objective = objectives.get(name)
    real, fake = np.random.default_rng(0).standard_normal((2, 2, 3, 4, 1))
    columns = real.reshape(-1, 1), fake.reshape(-1, 1)
    for maps, flat in (
        (objective.discriminator(real, fake), objective.discriminator(*columns)),
        (objective.generator(fake, real), objective.generator(*columns[::-1])),
    ):
        assert maps[0] == pytest.approx(flat[0], rel=1e-12)
        for a, b in zip(maps[1:], flat[1:], strict=True):
            assert a.shape == real.shape
            np.testing.assert_allclose(a.reshape(-1, 1), b, rtol=1e-12)


@pytest.mark.parametrize("name", [name for name, o in SCORED.items() if o.has_lower_bound])
def test_pix2pix_takes_every_objective_that_needs_no_bound_on_D(name):
    case = Case("pix2pix", {"objective": name})
    scalars = case.ours().step(case.examples(2, 1))
    assert all(np.isfinite(v) for v in scalars.values())


# --- refusals -------------------------------------------------------------------------------------

REFUSED = {
    "no pairs": ("pix2pix", {"kind": "image", "channels": None}, "give --data kittens-edges"),
    "nothing left": ("pix2pix", {"judge": "none", "weight_l1": 0.0}, "nothing to descend"),
    "a weight": ("pix2pix", {"weight_l1": -1.0}, "--weight-l1 -1.0 must be at least 0"),
    "a bound": ("dualgan", {"clip_weights": float("nan")}, "--clip-weights nan must be at least 0"),
    "a clipping": ("cyclegan", {"clip_norm": 0.0}, "--clip-norm 0.0 must be above 0"),
    "a width": ("cyclegan", {"width": 0}, "--width 0 must be at least 1"),
    "a pool": ("cyclegan", {"pool": -1}, "--pool"),
    "no steps": ("cyclegan", {"k": 0}, "at least 1 step"),
    "identity": ("cyclegan", {"weight_identity": 0.5}, "x has 1 channels and y 3"),
    "a size": ("pix2pix", {"shape": (30, 30, 4)}, "nearest legal sizes: 28x28 and 32x32"),
    "a depth": ("pix2pix", {"halvings": 6}, "multiples of 64, 64 or more"),
    "a residual size": ("cyclegan", {"shape": (30, 32, 4)}, "28x32 and 32x32"),
    "a patch": ("pix2pix", {"patch": 286}, "--patch 70 or larger pictures"),
    "another patch": ("pix2pix", {"patch": 71}, "nearest: 70 and"),
    "whole pictures": (
        "pix2pix",
        {"shape": (34, 34, 4), "discriminator": "image", "halvings": 1},
        "DCGAN cannot make pictures of 34x34",
    ),
}


@pytest.mark.parametrize(("algorithm", "given", "says"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_is_refused(algorithm, given, says):
    with pytest.raises(OptionError, match=says):
        build(algorithm, **given)


@pytest.mark.parametrize(
    "given",
    [
        {"judge": "both"},
        {"objective": "ebgan"},
        {"generator": "unets"},
        {"discriminator": "pixel"},
        {"norm": "group"},
        {"up": "bilinear"},
    ],
    ids=str,
)
def test_unknown_names_are_refused(given):
    with pytest.raises(UnknownNameError, match="known:"):
        build("pix2pix", **given)
    if "judge" not in given:
        return
    for other in ({"cycle": "twice"}, {"distance": "l3"}):
        with pytest.raises(UnknownNameError, match="known:"):
            build("cyclegan", **other)


def test_a_batch_that_k_does_not_divide_is_refused():
    with pytest.raises(OptionError, match="3 pairs cannot be split into k=2"):
        Case("dualgan").ours().step(Case("dualgan").examples(3, 1))
