"""PixelDA equals PyTorch, each network descends its own terms, and what is refused."""

import numpy as np
import pytest

from minigan import layers as L
from minigan import optim
from minigan.algorithms.catalogue import recipe
from minigan.algorithms.options import Streams, Task
from minigan.algorithms.translation.pixelda import FOREGROUNDS
from minigan.backend import make_rng
from minigan.errors import OptionError, UnknownNameError
from minigan.gradcheck import check_loss
from tests.algorithms.games import assert_resumes
from tests.algorithms.translation.cases import optimizer_of
from tests.algorithms.translation.test_golden import assert_close
from tests.algorithms.translation.test_updates import moved, moving, snapshot, through
from tests.oracles import gan_twin
from tests.oracles import pixelda_twin as twins

SIDE, CLASSES = 9, ("a", "b", "c")
LABELS = {"kind": CLASSES}
CALM = {"dropout_D": 0.0, "noise_D": 0.0, "clip_norm": None}
SMALL = {"width": 2, "blocks": 1, "z_dim": 3}
# Weights of G's terms at which each is felt.
FELT = {"weight_gan": 0.7, "weight_task": 0.6}


def build(seed=0, dtype=np.float64, channels=3, side=SIDE, labels=LABELS, y=None, **options):
    o = recipe("pixelda").options.of(**SMALL | options)
    both = (channels, channels if y is None else y)
    task = Task((side, side, sum(both)), "pairs", 100, channels=both, label_names=labels)
    made = recipe("pixelda").build(o, task, Streams(seed))
    for name, net in made.networks.items():
        net.astype(dtype)
        made.optimizers[name] = o.build_optimizer(net.flat, task)
    made.rng = make_rng(seed, 1)
    return made


def examples(n, seed, channels=3, dtype=np.float64, side=SIDE):
    """Pairs, partly as black and as white as can be, and labels."""
    rng = make_rng(seed)
    x = np.clip(1.5 * rng.standard_normal((n, side, side, 2 * channels)), -1, 1).astype(dtype)
    x[:, :3], x[:, 3:5] = -1, 1
    x[:, 2, 4] = 0.2
    return x, rng.integers(len(CLASSES), size=(n, 1))


def twin(made, channels, **options):
    o = recipe("pixelda").options.of(**SMALL | options)
    nets = {"T": twins.classifier(channels, SIDE, len(CLASSES))}
    if o.method == "pixelda":
        nets["G"] = twins.generator(channels, SIDE, o.z_dim, o.width, o.blocks)
        nets["D"] = twins.discriminator(channels, SIDE, o.width)
    assert nets.keys() == made.networks.keys()
    for name, net in nets.items():
        own = made.networks[name]
        gan_twin.load(net, {k: p.data for k, p in own.params.items()} | own.buffers)
    return twins.PixelDA(
        nets,
        {name: optimizer_of(o, net) for name, net in nets.items()},
        o.objective,
        (channels, channels),
        o.z_dim,
        o.weight_gan,
        o.weight_task,
        o.weight_content,
        o.content,
        _uniform(make_rng(0, 1)),
    )


def _uniform(rng):
    return lambda shape: rng.uniform(-1, 1, shape)


GOLDEN = [
    ({}, 3),
    ({**FELT, "content": "not-black", "weight_content": 2.0, "blocks": 2}, 3),
    ({**FELT, "content": "not-white", "weight_content": 0.5}, 1),
    ({**FELT, "content": "all", "objective": "lsgan", "blocks": 0}, 1),
    ({"method": "source-only"}, 3),
]


@pytest.mark.parametrize(("options", "channels"), GOLDEN, ids=str)
def test_five_steps_equal_pytorch(options, channels):
    options = CALM | {"lr": 2e-4} | options
    ours = build(channels=channels, **options)
    theirs = twin(ours, channels, **options)
    start = {name: net.flat.data.copy() for name, net in ours.networks.items()}
    for step in range(5):
        pairs, labels = examples(6, 100 + step, channels)
        kept = pairs.copy(), labels.copy()
        scalars = ours.step(pairs, labels)
        for array, before in zip((pairs, labels), kept, strict=True):
            np.testing.assert_array_equal(array, before)
        found = {k: np.float64(v) for k, v in scalars.items()}
        assert_close(found, theirs.step(pairs, labels), f"step {step}:")
    for name, net in ours.networks.items():
        trained = {k: p.data for k, p in net.params.items()} | net.buffers
        assert_close(trained, gan_twin.arrays(theirs.nets[name]), name)
        least = 0.7 if name == "T" else 0.9  # units of T that no picture switches on stay
        assert (net.flat.data != start[name]).mean() > least, name


# --- who descends what ----------------------------------------------------------------------------


def nll(logits, labels):
    shifted = logits - logits.max(1, keepdims=True)
    picked = np.take_along_axis(shifted, labels, 1)[:, 0]
    return (np.log(np.exp(shifted).sum(1)) - picked).mean()


def away(made):
    """The algorithm at weights at which every term is felt, with optimisers that move nothing."""
    for i, (name, net) in enumerate(made.networks.items()):
        moved(net, i)
        made.optimizers[name] = optim.SGD(net.flat, 0.0)
    return made


def pairwise(fake, x, mask):
    """Equation 5."""
    d, k = ((x - fake) * mask).reshape(len(x), -1), x[0].size
    return ((d**2).sum(1) / k - d.sum(1) ** 2 / k**2).mean()


@pytest.mark.parametrize("content", ["none", *FOREGROUNDS])
def test_the_generator_descends_equation_4(content):
    given = {} if content == "none" else {"weight_content": 3.0}
    made = away(build(**CALM, **FELT, content=content, **given))
    G, D, T = made.G, made.D, made.T
    pairs, labels = examples(3, 1)
    x, y = made.split(pairs)
    c = np.eye(3)[labels[:, 0]]
    mask = {
        "not-black": (x.max(-1) > -0.95)[..., None],
        "not-white": (x.min(-1) < 0.95)[..., None],
    }.get(content, np.ones((*x.shape[:-1], 1)))
    assert 0 < mask.mean() <= 1

    def loss(weights):
        G.flat.load(weights)
        made.rng = make_rng(7)
        made.update_generator(G, x, y, c)
        made.rng = make_rng(7)
        fake = through(G, x, made.noise(x))
        total = 0.7 * np.log1p(np.exp(-through(D, fake))).mean()
        total += 0.6 * nll(through(T, fake), labels)
        if content != "none":
            total += 3.0 * pairwise(fake, x, mask)
        return total, G.flat.grad.copy()

    check_loss(loss, G.flat.data.copy(), rng=make_rng(1), exhaustive=False)


def test_the_classifier_descends_equation_3_of_both_kinds_of_pictures():
    made = away(build(**CALM))
    T = made.T
    pairs, labels = examples(3, 1)
    x, _ = made.split(pairs)
    fake = through(made.G, x, made.noise(x))

    def loss(weights):
        T.flat.load(weights)
        made.update_classifier(x, np.eye(3)[labels[:, 0]], fake)
        total = nll(through(T, x), labels) + nll(through(T, fake), labels)
        return total, T.flat.grad.copy()

    check_loss(loss, T.flat.data.copy(), rng=make_rng(1), exhaustive=False)


def test_each_step_moves_its_networks_on_a_minibatch_of_its_own():
    """The first half is D's and T's, with noise drawn for it; the second half is G's."""
    made = build()
    pairs, labels = examples(6, 1)
    before = snapshot(made)
    scalars = made.step(pairs, labels)
    assert moving(before, snapshot(made)) == {"G", "D", "T"}
    assert {"loss_D", "loss_T", "loss_G", "task(x)", "task(G(x, z))", "D(G(x, z))"} <= set(scalars)
    assert "content" not in scalars

    seen = []
    for half in (slice(3), slice(3, 6)):
        made, changed = build(), pairs.copy()
        changed[half] = -changed[half]
        made.step(changed, labels)
        seen.append(snapshot(made))
    whole = build()
    whole.step(pairs, labels)
    whole = snapshot(whole)
    for name in "DT":
        assert (seen[0][name] != whole[name]).any()
        np.testing.assert_array_equal(seen[1][name], whole[name])
    assert (seen[1]["G"] != whole["G"]).any()


def test_the_target_s_pictures_alone_are_seen_and_never_by_t():
    """T and what is logged of it do not depend on the target but through G."""
    pairs, labels = examples(6, 1)
    other = pairs.copy()
    other[..., 3:] = -other[..., 3:]
    one, two = build(), build()
    first, second = one.step(pairs, labels), two.step(other, labels)
    assert first["loss_T"] == second["loss_T"]
    assert first["loss_D"] != second["loss_D"]
    np.testing.assert_array_equal(one.T.flat.data, two.T.flat.data)


def test_the_baseline_is_t_on_source_pictures():
    made = build(method="source-only")
    assert set(made.networks) == {"T"}
    assert made.translators == {}
    assert not made.varies
    assert set(made.step(*examples(6, 1))) == {"loss_T", "task(x)", "grad_norm_T"}
    np.testing.assert_array_equal(made.T.flat.data.shape, build().T.flat.data.shape)
    adapting = build()
    for key, p in build(method="source-only").T.params.items():
        np.testing.assert_array_equal(p.data, adapting.T.params[key].data)  # T as it begins
    assert made.notes() == ["T names the kind of 3 classes, from source pictures alone"]


def test_noise_is_another_answer_and_classes_are_named():
    made = build()
    x, _ = made.split(examples(4, 1)[0])
    z = make_rng(3).uniform(-1, 1, (4, 3))
    one = made.translate(x, make_rng(0), z=z)
    np.testing.assert_array_equal(one, made.translate(x, make_rng(9), z=z))
    assert (one != made.translate(x, make_rng(0), z=-z)).any((1, 2, 3)).all()
    assert made.varies
    assert made.noise(x).min() >= -1
    np.testing.assert_array_equal(made.classify(x), through(made.T, x).argmax(1))


def test_masks_are_of_what_is_near_black_or_white_in_all_channels():
    x = np.full((1, 2, 2, 3), -1.0)
    x[0, 0, 0] = (-0.96, -1, -1)
    x[0, 0, 1] = (-1, -0.9, -1)
    x[0, 1, 0] = 1
    assert FOREGROUNDS["not-black"](x)[0, ..., 0].tolist() == [[0, 1], [1, 0]]
    assert FOREGROUNDS["not-white"](x)[0, ..., 0].tolist() == [[1, 1], [0, 1]]
    assert FOREGROUNDS["all"](x).shape == (1, 2, 2, 1)


# --- state and defaults ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    "options", [{}, {"content": "not-black"}, {"method": "source-only"}], ids=str
)
def test_resumes_to_the_bit(options):
    batches = [examples(4, seed, dtype=np.float32) for seed in range(4)]
    unbroken = build(dtype=np.float32, **options)
    assert_resumes(unbroken, build(seed=8, dtype=np.float32, **options), batches)


def test_defaults_are_the_papers():
    """Figure 2 and section 4; rates and disturbances of the authors' code."""
    o = recipe("pixelda").options()
    task = Task((28, 28, 6), "pairs", 10, channels=(3, 3), label_names=LABELS)
    made = recipe("pixelda").build(o, task, Streams(0))
    assert (made.prior.name, made.prior.dim) == ("uniform", 10)
    blocks = [layer for layer in made.G.layers if isinstance(layer, L.Residual)]
    assert len(blocks) == 6
    for block in blocks:
        kinds = [type(layer).__name__ for layer in block.body.layers]
        assert kinds == ["Conv2d", "BatchNorm", "ReLU", "Conv2d", "BatchNorm"]
    assert {c.out_channels for _, c in made.G.walk() if isinstance(c, L.Conv2d)} == {64, 3}
    convs = [layer for layer in made.D.layers if isinstance(layer, L.Conv2d)]
    assert [(c.out_channels, c.stride[0]) for c in convs] == [(64, 1), (128, 2), (256, 2), (512, 2)]
    assert {layer.p for layer in made.D.layers if isinstance(layer, L.Dropout)} == {0.1}
    assert {layer.std for layer in made.D.layers if isinstance(layer, L.GaussianNoise)} == {0.2}
    assert [c.out_channels for c in made.T.layers if isinstance(c, L.Conv2d)] == [32, 48]
    assert [d.out_features for d in made.T.layers if isinstance(d, L.Dense)] == [100, 100, 3]
    assert made.optimizers["G"].schedule(9) == 1e-3
    assert made.optimizers["G"].beta1 == 0.5
    assert (made.weight_D, made.weight_G, made.weights.task) == (1, 0.0113, 0.0101)
    assert (made.foreground, made.max_grad_norm, made.minibatches) == (None, 5, 2)
    assert recipe("pixelda").batch == 32


# --- refused --------------------------------------------------------------------------------------

REFUSED = {
    "channels": ({"y": 1}, "x has 3 channels, y 1: give --channels 1 or 3"),
    "no labels": ({"labels": {}}, "two domains, the first with labels"),
    "two labels": ({"labels": {"a": ("b",), "c": ("d",)}}, "two domains, the first with labels"),
    "numbers of z": ({"z_dim": 0}, "--z-dim 0 must be at least 1"),
    "blocks": ({"blocks": -1}, "--blocks -1 must be at least 0"),
    "a width": ({"width": 0}, "--width 0 must be at least 1"),
    "a weight": ({"weight_task": -1.0}, "--weight-task -1.0 must be at least 0"),
    "dropout": ({"dropout_D": 1.0}, r"dropout p=1.0 must lie in \[0, 1\)"),
    "noise": ({"noise_D": -1.0}, "noise of std=-1.0: wanted at least 0"),
    "a size": ({"side": 3}, "pictures of 3x3 are too small for T: give sides of 4 or more"),
    "nothing that bounds D": ({"objective": "wasserstein"}, "no lower bound"),
}


@pytest.mark.parametrize(("given", "says"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_is_refused(given, says):
    with pytest.raises(OptionError, match=says):
        build(**given)


@pytest.mark.parametrize("given", [{"method": "dann"}, {"content": "grey"}, {"objective": "gan"}])
def test_an_unknown_name_is_refused(given):
    with pytest.raises(UnknownNameError, match="unknown"):
        build(**given)


def test_an_odd_number_of_pictures_is_refused():
    with pytest.raises(OptionError, match="3 examples cannot be split into two minibatches"):
        build().step(*examples(3, 0))


def test_pictures_of_another_size_and_tiles_are_refused():
    o = recipe("pixelda").options()
    o.check_size((28, 28), (28, 28))
    with pytest.raises(OptionError, match="takes pictures of 28x28 alone"):
        o.check_size((32, 32), (28, 28))
    with pytest.raises(OptionError, match="leave --tile out"):
        o.check_tiles()
    with pytest.raises(OptionError, match="has no G that adapts pictures"):
        recipe("pixelda").options(method="source-only").check_step(5, 9)
