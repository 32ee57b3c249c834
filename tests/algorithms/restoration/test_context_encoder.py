"""The context encoder: what G and D descend, where holes are, and what is refused."""

import numpy as np
import pytest

from minigan import layers as L
from minigan.algorithms.catalogue import recipe
from minigan.algorithms.options import Streams, Task
from minigan.algorithms.restoration.context_encoder import completed
from minigan.backend import make_rng
from minigan.data.degraded import Holed
from minigan.errors import DataError, OptionError, UnknownNameError
from minigan.gradcheck import check_loss
from tests.algorithms.restoration.cases import Case
from tests.algorithms.translation.cases import still


def build(*, shape=(32, 32, 7), channels=(4, 3), kind="pairs", **options):
    o = recipe("context-encoder").options.of(**{"width": 2, **options})
    return recipe("context-encoder").build(o, Task(shape, kind, 9, channels=channels), Streams(0))


def test_the_defaults_are_the_papers():
    made = build(shape=(128, 128, 7))
    assert (made.weight_rec, made.weight_G, made.overlap_weight) == (0.999, 0.001, 10)
    assert made.widened.kernel_size == (15, 15)  # 7 pixels on each side
    rates = [made.optimizers[name].schedule(0) for name in "GD"]
    np.testing.assert_allclose(rates, [2e-3, 2e-4])
    assert recipe("context-encoder").options().width == 64
    (between,) = (layer for layer in made.G.layers if isinstance(layer, L.ChannelwiseDense))
    mixing = made.G.layers[made.G.layers.index(between) + 1]
    assert isinstance(mixing, L.Conv2d)
    assert mixing.kernel_size == (1, 1)


def test_the_centre_is_made_as_half_a_picture_and_holes_anywhere_as_a_whole_one():
    y, _ = build().G.forward(np.zeros((2, 32, 32, 3), np.float32))
    assert y.shape == (2, 16, 16, 3)
    y, _ = build(hole="random").G.forward(np.zeros((2, 32, 32, 3), np.float32))
    assert y.shape == (2, 32, 32, 3)
    assert build().notes() == ["G makes 16x16 of pictures of 32x32; D judges all of it"]
    alone = build(hole="random", weight_gan=0.0)
    assert alone.notes() == ["G makes 32x32 of pictures of 32x32; no D judges it"]
    assert set(alone.networks) == {"G"}


def test_every_place_of_a_hole_may_depend_on_every_place_around_it():
    """What the dense layer within each channel is for."""
    made = build(hole="random", weight_gan=0.0).G
    rng = make_rng(0)
    for _, layer in made.walk():
        for p in layer.own_params.values():
            p.data[...] = 0.3 * rng.standard_normal(p.shape)
    x = rng.standard_normal((1, 32, 32, 3)).astype(np.float32)
    other = x.copy()
    other[0, 0, 0] += 1
    y, z = (made.forward(a, train=False)[0] for a in (x, other))
    assert (y[0, -1, -1] != z[0, -1, -1]).any()


@pytest.mark.parametrize("overlap", [0, 1, 3])
def test_the_rim_lies_between_the_hole_and_what_g_does_not_make(overlap):
    """The weights of a hole in the centre: 1 inside, those of the rim outside, nothing else."""
    case = Case("context-encoder", {"overlap": overlap, "overlap_weight": 7.0}, (24, 16, 1))
    made = case.ours()
    x, _ = made.split(case.examples(2, 0))
    expected = np.full((2, 12, 8, 1), 7.0)
    expected[:, overlap : 12 - overlap, overlap : 8 - overlap] = 1
    np.testing.assert_array_equal(made.weights(x[..., -1:]), expected)


def test_the_rim_of_holes_anywhere_lies_around_them():
    made = Case("context-encoder", {"hole": "random", "overlap": 1}, (16, 16, 1)).ours()
    missing = np.zeros((1, 16, 16, 1))
    missing[0, 4:7, 0:2] = 1
    expected = np.zeros((1, 16, 16, 1))
    expected[0, 3:8, 0:3] = 10
    expected[0, 4:7, 0:2] = 1
    np.testing.assert_array_equal(made.weights(missing), expected)


LOSSES = [
    Case("context-encoder", {"weight_gan": 0.7, "overlap_weight": 3.0}, (16, 16, 1)),
    Case("context-encoder", {"hole": "random", "weight_rec": 0.2}, (16, 16, 3)),
    Case("context-encoder", {"weight_gan": 0.0}, (16, 16, 1)),
]


@pytest.mark.parametrize("case", LOSSES, ids=str)
def test_the_generator_descends_both_terms(case):
    made, o = still(case.ours()), case.chosen
    for i, net in enumerate(made.networks.values()):
        net.flat.load(net.flat.data + 0.2 * make_rng(i).standard_normal(net.flat.size))
    x, y = made.split(case.examples(2, seed=3))
    G, true, weights = made.G, made.region(y), made.weights(x[..., -1:])

    def loss(values):
        G.flat.load(values)
        fake, ctx = G.forward(x[..., :-1], update_stats=False)
        made.update_generator(true, fake, weights, ctx)
        counted = np.broadcast_to(weights, fake.shape)
        total = o.weight_rec * (counted * (fake - true) ** 2).sum() / (counted > 0).sum()
        if o.weight_gan:
            logits, _ = made.D.forward(fake, update_stats=False)
            total += o.weight_gan * np.log1p(np.exp(-logits)).mean()
        return total, G.flat.grad.copy()

    check_loss(loss, G.flat.data.copy(), rng=make_rng(1), exhaustive=False)


@pytest.mark.parametrize("hole", ["center", "random"])
def test_what_was_there_stays_as_it_is(hole):
    case = Case("context-encoder", {"hole": hole}, (16, 24, 3))
    made = case.ours(dtype=np.float32)
    x, y = made.split(case.examples(3, 1, np.float32))
    filled = made.translate(x, make_rng(0))
    missing = np.broadcast_to(x[..., -1:] > 0, y.shape)
    np.testing.assert_array_equal(filled[~missing], y[~missing])
    assert (filled[missing] != 0).all()
    made_, _ = made.G.forward(x[:1, ..., :-1], train=False)
    np.testing.assert_allclose(completed(x[:1], made_), filled[:1], atol=1e-6)


# --- what a user gives ----------------------------------------------------------------------------


def test_a_user_s_picture_has_the_hole_of_the_training():
    for size, overlap in (((16, 24), None), ((28, 28), 3)):
        o = recipe("context-encoder").options(overlap=overlap)
        picture = np.tanh(make_rng(0).standard_normal((1, *size, 3)))
        np.testing.assert_array_equal(
            o.given(picture, None), Holed("center", overlap)(picture, make_rng(0))
        )


def test_transparent_pixels_are_what_is_missing():
    o = recipe("context-encoder").options(hole="random")
    picture, missing = np.ones((1, 16, 16, 3)), np.zeros((1, 16, 16, 1))
    missing[0, 3:5, 9] = 1
    x = o.given(picture, missing)
    np.testing.assert_array_equal(x[..., :3], 1 - missing.repeat(3, -1))
    np.testing.assert_array_equal(x[..., 3:], missing)
    with pytest.raises(DataError, match="no pixel of it is transparent; make transparent"):
        o.given(picture, None)
    with pytest.raises(DataError, match="transparent outside its centre"):
        recipe("context-encoder").options().given(picture, missing)
    missing[...] = 0
    missing[0, 8, 8] = 1
    assert recipe("context-encoder").options().given(picture, missing)[..., 3].sum() == 36


# --- refused --------------------------------------------------------------------------------------

REFUSED = {
    "no term": ({"weight_rec": 0.0, "weight_gan": 0.0}, {}, "leave G nothing to descend"),
    "a weight": ({"overlap_weight": -1.0}, {}, "--overlap-weight -1.0 must be at least 0"),
    "a width": ({"width": 0}, {}, "--width 0 must be at least 1"),
    "small pictures": ({}, {"shape": (8, 8, 7)}, "give --size 16 or larger, or --hole random"),
    "odd pictures": ({}, {"shape": (30, 30, 7)}, "a context encoder cannot make pictures of 30x30"),
    "single pictures": ({}, {"kind": "image"}, "learns from degraded pictures"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_is_refused(name):
    options, task, says = REFUSED[name]
    with pytest.raises(OptionError) as caught:
        build(**options, **task)
    assert says in str(caught.value)


def test_other_refusals():
    with pytest.raises(UnknownNameError, match="unknown hole 'middle'"):
        build(hole="middle")
    with pytest.raises(OptionError, match="--overlap -1 must be at least 0"):
        _ = recipe("context-encoder").options(overlap=-1).degraded_by
    o = recipe("context-encoder").options()
    o.check_size((32, 32), (32, 32))
    with pytest.raises(OptionError, match="trained on, 32x32, and not 48x32: leave out --size"):
        o.check_size((48, 32), (32, 32))
    with pytest.raises(OptionError, match="leave out --tile, or train with --hole random"):
        o.check_tiles()
