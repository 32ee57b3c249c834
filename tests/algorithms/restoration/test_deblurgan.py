"""DeblurGAN: the paper's networks, what G and D descend, and what is refused."""

import numpy as np
import pytest

from minigan import layers as L
from minigan.algorithms.catalogue import recipe
from minigan.algorithms.options import Streams, Task
from minigan.algorithms.restoration.content import Features, Pixels, content_of, fitting
from minigan.backend import make_rng
from minigan.errors import OptionError, UnknownNameError
from minigan.gradcheck import check_loss
from minigan.losses import penalties
from tests.algorithms.restoration.cases import Case
from tests.algorithms.translation.cases import still

SMALL = {"width": 2, "blocks": 1, "patch": 16, "dropout": 0.0}


def build(*, shape=(16, 16, 6), channels=(3, 3), kind="pairs", **options):
    o = recipe("deblurgan").options.of(**SMALL | options)
    return recipe("deblurgan").build(o, Task(shape, kind, 9, channels=channels), Streams(0))


# --- the paper's ----------------------------------------------------------------------------------


def test_the_defaults_build_the_paper_s_networks():
    """Section 3.2: two halvings, nine blocks with dropout inside, two doublings; 70x70 patches."""
    o = recipe("deblurgan").options()
    task = Task((64, 64, 6), "pairs", 100, channels=(3, 3))
    made = recipe("deblurgan").build(o, task, Streams(0))
    skip, end = made.G.layers
    assert isinstance(skip, L.Residual)
    assert repr(end) == "Hardtanh(min_val=-1.0, max_val=1.0)"
    inside = [layer for _, layer in skip.body.walk()]
    blocks = [layer for layer in inside if isinstance(layer, L.Residual)]
    assert len(blocks) == 9
    for block in blocks:
        kinds = [type(layer).__name__ for layer in block.body.layers]
        half = ["ReflectionPad2d", "Conv2d", "InstanceNorm"]
        assert kinds == [*half, "ReLU", "Dropout", *half]
        (dropout,) = (layer for layer in block.body.layers if isinstance(layer, L.Dropout))
        assert dropout.p == 0.5
    convs = [c for c in inside if isinstance(c, L.Conv2d)]
    assert [c.out_channels for c in convs] == [64, 128, 256, *[256] * 18, 3]
    assert [c.stride[0] for c in convs[:4]] == [1, 2, 2, 1]
    norms = [layer for _, layer in made.D.walk() if isinstance(layer, L.InstanceNorm)]
    filters = [layer.out_channels for layer in made.D.layers if isinstance(layer, L.Conv2d)]
    assert (len(norms), filters) == (3, [64, 128, 256, 512, 1])
    assert (made.k, made.weight_content, made.weight_G, made.weight_D) == (5, 100, 1, 1)
    (penalty,) = made.terms
    assert (penalty.name, penalty.weight) == ("wgan-gp", 10)
    assert recipe("deblurgan").batch == 1
    rates = [made.optimizers[name].schedule(step) for name, step in (("G", 75), ("D", 375))]
    np.testing.assert_allclose(rates, 5e-5)  # three quarters through, in iterations of five steps
    assert made.notes() == ["D judges patches of 70x70 pixels in pictures of 64x64"]


def test_d_takes_k_steps_on_the_same_pictures_and_g_one():
    case = Case("deblurgan", {"k": 3})
    made = case.ours()
    shown = []
    update = made.update_discriminator
    made.update_discriminator = lambda *args: shown.append(args) or update(*args)
    scalars = made.step(case.examples(2, 0))
    assert (made.optimizers["D"].t, made.optimizers["G"].t) == (3, 1)
    for _, real, fake in shown:
        assert real is shown[0][1]
        assert fake is shown[0][2]
    assert {"wgan-gp", "wasserstein", "score(y)", "score(G(x))"} <= scalars.keys()


def test_without_d_content_is_all():
    case = Case("deblurgan", {"weight_gan": 0.0})
    made = case.ours()
    assert set(made.networks) == {"G"}
    assert set(made.step(case.examples(2, 0))) == {"loss_G", "content", "grad_norm_G"}
    assert made.notes() == []


def test_the_correction_is_added_and_the_sum_held_in_its_range():
    made = Case("deblurgan").ours()
    x, _ = made.split(Case("deblurgan").examples(2, 0))
    skip, _ = made.G.layers
    correction, _ = skip.body.forward(x)
    y, _ = made.G.forward(x)
    np.testing.assert_allclose(y, np.clip(x + correction, -1, 1), atol=1e-12)
    assert (np.abs(x + correction) > 1).any()


# --- content --------------------------------------------------------------------------------------


def test_content_is_of_the_classifier_that_takes_such_pictures():
    for shape, name in (
        ((32, 32, 3), "kittens"),
        ((8, 90, 1), "digits"),
        ((7, 32, 3), "mse"),
        ((32, 32, 4), "mse"),
    ):
        assert fitting(shape) == name
    content = build().content
    assert isinstance(content, Features)
    assert [type(layer) for layer in content.net.layers] == [L.Conv2d, L.BatchNorm, L.ReLU]
    assert isinstance(build(content="mse").content, Pixels)
    assert build(content_layer=2).content.net.layers[3].out_channels == 48


@pytest.mark.parametrize("layer", [1, 2, 3])
def test_features_of_a_layer_are_what_the_classifier_makes_there(layer):
    content = content_of("kittens", (32, 32, 3), layer)
    x, y = np.tanh(make_rng(0).standard_normal((2, 2, 32, 32, 3))).astype(np.float32)
    seen = []
    for picture in (x, y):
        h = picture
        for part in content.classifier.layers[: 3 * layer]:
            h, _ = part.forward(h, train=False)
        seen.append(h.astype(np.float64))
    assert seen[0].shape[1:] == ((16, 16, 24), (8, 8, 48), (4, 4, 48))[layer - 1]
    value, _ = content(x, y)
    np.testing.assert_allclose(value, ((seen[0] - seen[1]) ** 2).mean(), rtol=1e-5)


# --- what is descended ----------------------------------------------------------------------------


LOSSES = [
    Case("deblurgan", {"weight_gan": 0.7, "weight_content": 3.0}, (12, 12, 3)),
    Case("deblurgan", {"content": "mse", "norm_G": "none"}, (12, 16, 1)),
]


@pytest.mark.parametrize("case", LOSSES, ids=str)
def test_the_generator_descends_content_and_d_s_opinion(case):
    made, o = still(case.ours()), case.chosen
    x, y = made.split(case.examples(2, seed=3))
    G, D = made.G, made.D

    def content(restored):
        if o.content == "mse":
            return ((restored - y) ** 2).mean()
        features = [made.content.net.forward(a, train=False)[0] for a in (restored, y)]
        return ((features[0] - features[1]) ** 2).mean()

    def loss(weights):
        G.flat.load(weights)
        restored, ctx = G.forward(x)
        made.update_generator(y, restored, ctx)
        opinion = -D.forward(restored)[0].mean()
        total = o.weight_content * content(restored) + o.weight_gan * opinion
        return total, G.flat.grad.copy()

    check_loss(loss, G.flat.data.copy(), rng=make_rng(1), exhaustive=False)


def test_the_critic_descends_the_distance_and_its_penalty():
    """The norm of the gradient at points between, by finite differences of D alone."""
    case = Case("deblurgan", {"norm_D": "layer"}, (12, 12, 1))
    made = still(case.ours())
    D = made.D
    for name, p in D.params.items():  # biases off 0, where slopes would lie on kinks
        p.data[...] += 0.1 * make_rng(len(name)).standard_normal(p.shape)
    D.flat.touch()
    restored, y = made.split(case.examples(2, seed=3))

    def loss(weights):
        D.flat.load(weights)
        made.rng = make_rng(7)
        made.update_discriminator("D", y, restored)
        between = penalties.interpolated(y, restored, make_rng(7))
        scores, ctx = D.forward(between)
        g = D.backward(np.ones_like(scores), ctx, need_dw=False)
        norms = np.sqrt((g.reshape(2, -1) ** 2).sum(1))
        apart = D.forward(restored)[0].mean() - D.forward(y)[0].mean()
        gradient = D.flat.grad.copy()
        return apart + 10 * ((norms - 1) ** 2).mean(), gradient

    check_loss(loss, D.flat.data.copy(), rng=make_rng(1), exhaustive=False)


# --- refused --------------------------------------------------------------------------------------

REFUSED = {
    "a kernel that leaves nothing": ({}, {"shape": (10, 16, 6)}, "10x16"),
    "large patches": ({"patch": 70}, {}, "too small for patches of 70x70"),
    "no step of D": ({"k": 0}, {}, "--k 0 must be at least 1"),
    "a weight": ({"weight_gan": -1.0}, {}, "--weight-gan -1.0 must be at least 0"),
    "nothing": ({"weight_gan": 0.0, "weight_content": 0.0}, {}, "leave G nothing to descend"),
    "a norm over the batch": ({"norm_D": "batch"}, {}, "mixes the examples of a batch"),
    "nothing that bounds D": ({"penalty": "none"}, {}, "no lower bound"),
    "another's setting": ({"penalty_power": 2.0}, {}, "--penalty-power is no option of"),
    "a layer": ({"content_layer": 0}, {}, "--content-layer 0: the classifier has convolutions 1"),
    "a layer of pixels": (
        {"content_layer": 1},
        {"shape": (16, 16, 8), "channels": (4, 4)},
        "--content-layer 1 is a classifier's, and content is of pixels here",
    ),
    "colours": (
        {"content": "digits"},
        {},
        "--content digits: that classifier looks at pictures of 8x8 or more with 1 channels",
    ),
    "single pictures": ({}, {"kind": "image", "channels": None}, "learns from degraded pictures"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_is_refused(name):
    options, task, says = REFUSED[name]
    with pytest.raises(OptionError) as caught:
        build(**options, **task)
    assert says in str(caught.value)


@pytest.mark.parametrize("given", [{"norm_D": "group"}, {"norm_G": "layers"}, {"content": "vgg"}])
def test_an_unknown_name_is_refused(given):
    with pytest.raises(UnknownNameError, match="unknown"):
        build(**given)
