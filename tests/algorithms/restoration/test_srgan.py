"""SRGAN: its networks, its two stages, what G and D descend, and what is refused."""

import numpy as np
import pytest

from minigan import layers as L
from minigan.algorithms.catalogue import recipe
from minigan.algorithms.options import Streams, Task
from minigan.algorithms.restoration.content import Features, content_of
from minigan.backend import make_rng
from minigan.errors import OptionError, UnknownNameError
from minigan.gradcheck import check_loss
from minigan.metrics.shipped import shipped_classifier
from tests.algorithms.restoration.cases import Case
from tests.algorithms.translation.cases import still


def build(*, shape=(16, 16, 6), channels=(3, 3), kind="pairs", steps=120, **options):
    o = recipe("srgan").options.of(**{"width": 2, "blocks": 1, **options})
    return recipe("srgan").build(o, Task(shape, kind, steps, channels=channels), Streams(0))


# --- the paper's ----------------------------------------------------------------------------------


def test_the_defaults_build_the_paper_s_networks():
    """Figure 4: filters and kernels, in its order."""
    o = recipe("srgan").options()
    _, G = o.build_translator((96, 96), (3, 3), "G", make_rng(0))
    convs = [layer for _, layer in G.walk() if isinstance(layer, L.Conv2d)]
    sizes = [(c.in_channels, c.out_channels, c.kernel_size[0]) for c in convs]
    body = [(64, 64, 3)] * (2 * 16 + 1)
    assert sizes == [(3, 64, 9), *body, (64, 256, 3), (64, 256, 3), (64, 3, 9)]
    assert sum(isinstance(layer, L.BatchNorm) for _, layer in G.walk()) == 33
    assert sum(isinstance(layer, L.PReLU) for _, layer in G.walk()) == 1 + 16 + 2
    assert (o.lr, o.beta1, o.weight_gan, recipe("srgan").batch) == (1e-4, 0.9, 1e-3, 16)
    D = build(shape=(96, 96, 6), width=64).D
    convs = [layer for layer in D.layers if isinstance(layer, L.Conv2d)]
    filters = [64, 64, 128, 128, 256, 256, 512, 512]
    assert [c.out_channels for c in convs] == filters
    assert [c.stride[0] for c in convs] == [1, 2] * 4
    assert [repr(d) for d in D.layers if isinstance(d, L.Dense)] == [
        "Dense(18432, 1024)",
        "Dense(1024, 1)",
    ]


def test_rrdb_is_esrgan_s_generator():
    """Section 3.1 and figure 4: 23 blocks of three dense ones of five convolutions, no norm."""
    o = recipe("srgan").options(generator="rrdb")
    _, G = o.build_translator((32, 32), (3, 3), "G", make_rng(0))
    convs = [layer for _, layer in G.walk() if isinstance(layer, L.Conv2d)]
    dense = [(64, 32), (96, 32), (128, 32), (160, 32), (192, 64)]
    ends = [(64, 64)] * 4 + [(64, 3)]  # behind the blocks, of two doublings, and two at the end
    sizes = [(c.in_channels, c.out_channels) for c in convs]
    assert sizes == [(3, 64), *dense * (23 * 3), *ends]
    assert {c.kernel_size for c in convs} == {(3, 3)}
    assert not any(isinstance(layer, L.BatchNorm) for _, layer in G.walk())
    scales = [layer.factor for _, layer in G.walk() if isinstance(layer, L.Scale)]
    assert scales == [0.2] * (23 * 4)
    inside, outside = (c.weight.data for c in (convs[5], convs[-2]))
    for weight, times in ((inside, 0.1), (outside, 1.0)):
        expected = times * np.sqrt(2 / (9 * weight.shape[2]))
        np.testing.assert_allclose(weight.std(), expected, rtol=0.05)


def test_a_dense_block_is_what_the_paper_writes():
    """Every convolution sees x and all that those before it made; both skips at a fifth."""
    _, G = (
        recipe("srgan")
        .options(generator="rrdb", width=3, growth=2, blocks=1)
        .build_translator((4, 4), (1, 1), "G", make_rng(0))
    )
    block = G.layers[1].body.layers[0]
    x = make_rng(1).standard_normal((2, 4, 4, 3)).astype(np.float32)
    h = x
    for dense in block.body.layers[:3]:
        *grown, last, _ = dense.body.layers
        seen = h
        for layer in grown:
            conv, leaky = layer.branches[1].layers
            seen = np.concatenate([seen, leaky.forward(conv.forward(seen)[0])[0]], -1)
        h = h + 0.2 * last.forward(seen)[0]
    np.testing.assert_allclose(block.forward(x)[0], x + 0.2 * h, rtol=1e-5, atol=1e-6)


def test_features_before_activation_are_of_either_sign():
    x = np.tanh(make_rng(0).standard_normal((2, 16, 16, 3))).astype(np.float32)
    for layer in (1, 3):
        before, after = (
            content_of("kittens", (16, 16, 3), layer, activated=activated).net.forward(
                x, train=False
            )[0]
            for activated in (False, True)
        )
        assert before.min() < 0
        np.testing.assert_array_equal(np.maximum(before, 0), after)


def test_five_sixths_of_the_steps_are_g_s_alone_unless_told():
    assert build(steps=1_200_000).pretrain == 1_000_000
    made = build(pretrain=3)
    assert made.stage_starts == [0, 3]
    assert made.step_kind == "alone"
    made.skip_to(3)
    assert made.step_kind == "game"
    assert made.notes() == [
        "G enlarges pictures of 4x4 to 16x16",
        "G learns alone for 3 steps, then against D",
    ]


def test_alone_g_is_all_that_moves():
    case = Case("srgan")
    made = case.ours()
    before = made.D.flat.data.copy()
    scalars = made.step(case.examples(2, 0))
    assert set(scalars) == {"loss_G", "content", "grad_norm_G"}
    np.testing.assert_array_equal(made.D.flat.data, before)
    assert made.optimizers["D"].t == 0


def test_the_small_pictures_are_means_of_squares():
    case = Case("srgan")
    made = case.ours()
    x, y = made.split(case.examples(2, 0))
    for i, j in ((0, 0), (3, 1), (4, 4)):
        square = y[:, 4 * i : 4 * i + 4, 4 * j : 4 * j + 4]
        np.testing.assert_allclose(made.small(x)[:, i, j], square.mean((1, 2)), atol=1e-6)


# --- what is descended ----------------------------------------------------------------------------


LOSSES = [
    Case("srgan", {"weight_l1": 0.8, "generator": "rrdb", "growth": 2, "scale": 2}, (8, 8, 1)),
    Case("srgan", {"weight_gan": 0.7, "weight_content": 0.3, "scale": 2}, (8, 8, 1)),
    Case("srgan", {"content": "kittens", "weight_gan": 0.2}, (12, 8, 3)),
]


@pytest.mark.parametrize("case", LOSSES, ids=str)
def test_the_generator_descends_content_and_d_s_opinion(case):
    made, o = still(case.ours()), case.chosen
    for i, net in enumerate(made.networks.values()):
        net.flat.load(net.flat.data + 0.1 * make_rng(i).standard_normal(net.flat.size))
    x, y = made.split(case.examples(2, seed=3))
    G, D = made.G, made.D

    def content(fake):
        if o.content == "mse":
            return ((fake - y) ** 2).mean()
        features = [through(made.content.net, a, train=False) for a in (fake, y)]
        return ((features[0] - features[1]) ** 2).mean()

    def loss(weights):
        G.flat.load(weights)
        fake, ctx = G.forward(made.small(x), update_stats=False)
        made.update_generator(y, fake, ctx, alone=False)
        opinion = np.log1p(np.exp(-through(D, fake))).mean()
        total = o.weight_content * content(fake) + o.weight_gan * opinion
        total += o.weight_l1 * np.abs(fake - y).mean()
        return total, G.flat.grad.copy()

    check_loss(loss, G.flat.data.copy(), rng=make_rng(1), exhaustive=False)


def through(net, x, **how):
    return net.forward(x, update_stats=False, **how)[0]


def test_features_are_those_before_the_classifier_s_dense_layers():
    content = content_of("kittens", (32, 32, 3))
    x = np.tanh(make_rng(0).standard_normal((2, 32, 32, 3))).astype(np.float32)
    made, _ = content.net.forward(x, train=False)
    assert made.shape == (2, 4, 4, 48)
    whole = shipped_classifier("kittens")
    rest = made
    for layer in whole.net.layers[len(content.net.layers) : -1]:
        rest, _ = layer.forward(rest, train=False)
    np.testing.assert_allclose(rest, whole.features(x), rtol=1e-6)
    assert isinstance(content, Features)
    assert all(a is not b for a, b in zip(content.net.layers, whole.net.layers, strict=False))


# --- refused --------------------------------------------------------------------------------------

REFUSED = {
    "a scale": ({"scale": 3}, {}, "--scale 3: pictures are doubled once or twice, give 2 or 4"),
    "growth": (
        {"generator": "rrdb", "growth": 0},
        {},
        "--blocks 1, --width 2 and --growth 0 must be at least 1",
    ),
    "a layer": ({"content": "kittens", "content_layer": 4}, {}, "has convolutions 1 to 3"),
    "blocks": ({"blocks": 0}, {}, "--blocks 0 and --width 2 must be at least 1"),
    "a width": ({"width": 0}, {}, "--width 0 must be at least 1"),
    "steps alone": ({"pretrain": -1}, {}, "--pretrain -1 must be at least 0"),
    "a weight": ({"weight_gan": -1.0}, {}, "--weight-gan -1.0 must be at least 0"),
    "grey kittens": (
        {"content": "kittens"},
        {"shape": (16, 16, 2), "channels": (1, 1)},
        "--content kittens: that classifier looks at pictures of 8x8 or more with 3 channels, and "
        "these are 16x16x1; give --content mse",
    ),
    "small pictures": ({"content": "kittens"}, {"shape": (4, 8, 6)}, "these are 4x8x3"),
    "single pictures": ({}, {"kind": "image", "channels": None}, "learns from degraded pictures"),
    "an objective": ({"objective": "wasserstein"}, {}, "no lower bound"),
    "nothing to judge": ({}, {"shape": (1, 1, 6)}, "pictures of 1x1 hold nothing to judge"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_is_refused(name):
    options, task, says = REFUSED[name]
    with pytest.raises(OptionError) as caught:
        build(**options, **task)
    assert says in str(caught.value)


def test_an_unknown_content_is_refused():
    with pytest.raises(UnknownNameError, match="unknown content 'vgg'"):
        build(content="vgg")


@pytest.mark.parametrize("given", [{"generator": "unet"}, {"pretrain_loss": "l2"}])
def test_an_unknown_name_is_refused(given):
    with pytest.raises(UnknownNameError, match="unknown"):
        build(**given)
