"""StarGAN equals PyTorch, descends its total loss through both applications of G, and relabels."""

from itertools import pairwise

import numpy as np
import pytest

from minigan import optim
from minigan.algorithms.catalogue import recipe
from minigan.algorithms.conditional.base import Conditional, Relabelling
from minigan.algorithms.latent import Latent
from minigan.algorithms.options import Streams, Task
from minigan.backend import make_rng
from minigan.errors import DataError, NonFiniteError, OptionError
from minigan.gradcheck import check_loss
from minigan.models import stargan_discriminator, stargan_generator
from minigan.models.stargan import default_halvings
from tests.algorithms.games import assert_resumes
from tests.algorithms.translation.cases import optimizer_of
from tests.algorithms.translation.test_golden import assert_close
from tests.algorithms.translation.test_updates import moved, moving, snapshot, through
from tests.oracles import gan_twin
from tests.oracles import stargan_twin as twins

NAMES = {"kind": ("a", "b", "c"), "size": ("small", "large")}
ONE = {"digit": tuple("0123456")}
SHAPE = (16, 8, 3)
SMALL = {"width": 2, "blocks": 1}
BATCH = 4


def build(seed=0, dtype=np.float64, shape=SHAPE, names=NAMES, batch=BATCH, **options):
    o = recipe("stargan").options.of(**SMALL | options)
    task = Task(shape, "image", 100, batch=batch, label_names=names)
    task = task._replace(examples=lambda n: examples(n, 5, shape, names, dtype)[0])
    made = recipe("stargan").build(o, task, Streams(seed))
    for name, net in made.networks.items():
        net.astype(dtype)
        k = o.k if name == "D" else 1
        made.optimizers[name] = o.build_optimizer(net.flat, task, k=k)
    made.rng = make_rng(seed, 1)
    return made


def examples(n, seed, shape=SHAPE, names=NAMES, dtype=np.float64):
    rng = make_rng(seed)
    x = np.tanh(rng.standard_normal((n, *shape)) + 0.3).astype(dtype)
    return x, np.stack([rng.integers(len(c), size=n) for c in names.values()], 1)


def twin(made, shape, names, **options):
    o = recipe("stargan").options.of(**SMALL | options)
    (h, w, channels), counts = shape, [len(c) for c in names.values()]
    n = default_halvings(h, w) if o.halvings is None else o.halvings
    left = (h >> n, w >> n)
    nets = {
        "G": twins.generator(channels, sum(counts), o.width, o.blocks, o.up),
        "D": twins.discriminator(channels, sum(counts), o.width, n, left),
    }
    for name, net in nets.items():
        own = made.networks[name]
        gan_twin.load(net, {k: p.data for k, p in own.params.items()} | own.buffers)
    rng = make_rng(0, 1)
    return twins.StarGAN(
        nets,
        {name: optimizer_of(o, net) for name, net in nets.items()},
        o.objective,
        counts,
        left[0] * left[1],
        o.lambda_cls,
        o.lambda_rec,
        0.0 if o.penalty == "none" else (o.penalty_weight or 10.0),
        o.k,
        lambda size: rng.uniform(0, 1, size),
    )


GOLDEN = [
    ({"k": 2}, SHAPE, NAMES),
    ({"k": 1, "lambda_rec": 0.0, "up": "resize", "penalty_weight": 3.0}, (8, 8, 1), ONE),
    ({"k": 3, "lambda_cls": 0.3, "halvings": 2}, (8, 12, 3), NAMES),
    ({"k": 1, "objective": "non-saturating", "penalty": "none", "lambda_rec": 2.0}, SHAPE, ONE),
]


@pytest.mark.parametrize(("options", "shape", "names"), GOLDEN, ids=str)
def test_five_steps_equal_pytorch(options, shape, names):
    ours = build(shape=shape, names=names, **options)
    theirs = twin(ours, shape, names, **options)
    start = {name: net.flat.data.copy() for name, net in ours.networks.items()}
    for step in range(5):
        x, labels = examples(BATCH * ours.k, 100 + step, shape, names)
        kept = x.copy(), labels.copy()
        scalars = ours.step(x, labels)
        np.testing.assert_array_equal(x, kept[0])
        np.testing.assert_array_equal(labels, kept[1])
        found = {k: np.float64(v) for k, v in scalars.items()}
        assert_close(found, theirs.step(x, labels), f"step {step}:")
    for name, net in ours.networks.items():
        trained = {k: p.data for k, p in net.params.items()} | net.buffers
        assert_close(trained, gan_twin.arrays(theirs.nets[name]), name)
        assert (net.flat.data != start[name]).mean() > 0.9, name


# --- total losses against finite differences ------------------------------------------------------


def parts(made, x):
    return made.parted(through(made.D, x))


def named(made, logits, c):
    """Cross-entropy of each label, by its definition."""
    total = 0.0
    for a, b in pairwise(np.cumsum([0, *made.counts])):
        p = np.exp(logits[:, a:b]) / np.exp(logits[:, a:b]).sum(1, keepdims=True)
        total -= np.log(p[c[:, a:b] == 1]).mean()
    return total


def still(made):
    for i, (name, net) in enumerate(made.networks.items()):
        moved(net, i)
        made.optimizers[name] = optim.SGD(net.flat, 0.0)
    return made


@pytest.mark.parametrize("lambda_rec", [3.0, 0.0])
def test_the_generator_descends_the_total_loss(lambda_rec):
    made = still(build(shape=(8, 8, 1), lambda_rec=lambda_rec, lambda_cls=0.7, k=1))
    x, _ = examples(2, 3, (8, 8, 1))
    c_own, c = (made.encode(np.array(labels), x) for labels in ([[0, 1], [2, 0]], [[1, 1], [0, 1]]))
    G = made.G

    def loss(weights):
        G.flat.load(weights)
        fake, ctx = G.forward(x, c)
        made.update_generator(x, c_own, c, fake, ctx)
        scores, logits = parts(made, fake)
        total = -scores.mean() + 0.7 * named(made, logits, c)
        total += lambda_rec * np.abs(through(G, fake, c_own) - x).mean()
        return total, G.flat.grad.copy()

    check_loss(loss, G.flat.data.copy(), rng=make_rng(1), exhaustive=False)


def test_the_discriminator_descends_its_loss():
    """Its own without the penalty, whose gradient is checked with the penalties."""
    made = still(build(shape=(8, 8, 1), lambda_cls=0.7, k=1, penalty="r1", penalty_weight=1e-300))
    x, labels = examples(2, 3, (8, 8, 1))
    fake, _ = examples(2, 4, (8, 8, 1))
    c_own, D = made.encode(labels, x), made.D

    def loss(weights):
        D.flat.load(weights)
        made.update_discriminator(x, c_own, fake)
        (real, logits), (judged, _) = parts(made, x), parts(made, fake)
        return judged.mean() - real.mean() + 0.7 * named(made, logits, c_own), D.flat.grad.copy()

    check_loss(loss, D.flat.data.copy(), rng=make_rng(1), exhaustive=False)


# --- labels ---------------------------------------------------------------------------------------


def test_targets_are_the_labels_of_others_each_as_likely():
    made, labels = build(), np.arange(10.0).reshape(5, 2)
    seen = np.zeros((5, 5), int)
    for _ in range(2000):
        found = made.targets(labels)
        assert sorted(found.tolist()) == labels.tolist()
        seen[np.arange(5), found[:, 0].astype(int) // 2] += 1
    assert not seen.diagonal().any()
    others = seen[~np.eye(5, dtype=bool)]
    assert abs(others - 500).max() < 5 * np.sqrt(2000 * 0.25 * 0.75)  # five standard deviations


def test_the_label_reaches_every_pixel_and_over_mirrored_borders_none():
    """Instance norm takes away what is the same everywhere: zeros at the borders let c in."""
    rng = make_rng(0)
    G = stargan_generator((16, 16, 3), 4, width=4, blocks=2, rng=rng).astype(np.float64)
    moved(G, 1)
    x, c = rng.standard_normal((4, 16, 16, 3)), np.eye(4)
    apart = np.abs(through(G, x, c) - through(G, x, c[::-1].copy())).max((0, 3))
    assert (apart > 1e-4).all()
    mirrored = recipe("cyclegan").options(width=2, blocks=1).build_generator((16, 16), 7, 3, rng)
    mirrored.astype(np.float64)
    planes = [np.broadcast_to(row[:, None, None], (4, 16, 16, 4)) for row in (c, c[::-1])]
    one, other = (through(mirrored, np.concatenate([x, p], -1)) for p in planes)
    np.testing.assert_allclose(one, other, atol=1e-9)


def test_d_judges_2x2_patches_unless_told():
    assert [default_halvings(s, s) for s in (128, 256, 64, 32, 16, 8, 4)] == [6, 6, 5, 4, 3, 2, 1]
    made = build(shape=(32, 32, 3))
    assert made.patches == 4
    D = stargan_discriminator((128, 128, 3), 5, width=1, rng=make_rng(0))
    assert through(D, np.zeros((1, 128, 128, 3), np.float32)).shape == (1, 4 + 5)
    assert D.layers[-1].branches[1].layers[0].kernel_size == (2, 2)
    assert D.layers[10].out_channels == 32  # the paper's 2048 of a width of 64
    assert made.notes() == ["D judges 4 patches, each of 78x78 pixels or all there are"]
    small = build(shape=(32, 32, 3), halvings=2)
    assert small.notes() == ["D judges 64 patches, each of 18x18 pixels or all there are"]


# --- what it does ---------------------------------------------------------------------------------


def test_who_moves_and_what_is_logged():
    made = build(k=3)
    before = snapshot(made)
    scalars = made.step(*examples(3 * BATCH, 1))
    after = snapshot(made)
    assert moving(before, after) == {"G", "D"}
    assert set(scalars) == {
        *("loss_D", "cls(x)", "score(x)", "score(G(x, c))", "wasserstein", "wgan-gp"),
        *("loss_G", "GAN_G", "cls(G(x, c))", "rec", "grad_norm_G", "grad_norm_D"),
    }
    assert made.optimizers["D"].t == 3 * made.optimizers["G"].t == 3


def test_relabels_and_names():
    made = build(dtype=np.float32)
    x, labels = examples(6, 1, dtype=np.float32)
    y = made.relabel(x, labels)
    expected = through(made.G, x, made.encode(labels, x))
    np.testing.assert_allclose(y, expected, rtol=1e-5, atol=1e-6)
    assert made.sample(3, make_rng(0)).shape == (3, *SHAPE)
    found = made.named(x)
    _, logits = parts(made, x)
    np.testing.assert_array_equal(found[:, 0], logits[:, :3].argmax(1))
    np.testing.assert_array_equal(found[:, 1], logits[:, 3:].argmax(1))
    assert isinstance(made, Relabelling)
    assert not isinstance(made, Conditional | Latent)  # it has no z
    with pytest.raises(DataError, match="label 'size' of 2 to 2 is out of range"):
        made.relabel(x[:1], np.array([[0, 2]]))
    made.G.flat.load(np.full(made.G.flat.size, np.nan))
    with pytest.raises(NonFiniteError, match=r"a translation G\(x, c\) is not finite"):
        made.relabel(x, labels)


def test_resumes_to_the_bit():
    unbroken = build(dtype=np.float32, k=2)
    batches = [examples(2 * BATCH, seed, dtype=np.float32) for seed in range(4)]
    assert_resumes(unbroken, build(seed=8, dtype=np.float32, k=2), batches)


def test_defaults_are_the_papers():
    o = recipe("stargan").options(width=2)
    task = Task((128, 128, 3), "image", 9, label_names=NAMES)
    made = recipe("stargan").build(o, task, Streams(0))
    assert (made.lambda_cls, made.lambda_rec, made.k, made.objective.name) == (
        1,
        10,
        5,
        "wasserstein",
    )
    assert [(t.name, t.weight) for t in made.terms] == [("wgan-gp", 10)]
    for optimizer in made.optimizers.values():
        assert optimizer.schedule(0) == 1e-4
    assert recipe("stargan").batch == 16


REFUSED = {
    "a size": ({"shape": (18, 16, 3)}, "nearest legal sizes: 16x16 and 20x16"),
    "halvings": ({"halvings": 5}, "pictures of 16x8 cannot be halved 5 times: use --halvings 3"),
    "no halving": ({"halvings": 0}, "--halvings 0 must be at least 1"),
    "steps of D": ({"k": 0}, "--k 0 must be at least 1"),
    "a weight": ({"lambda_rec": -0.1}, "--lambda-rec -0.1 must be at least 0"),
    "a batch": ({"batch": 1}, "use --batch 2 or more"),
    "one class": ({"names": {"kind": ("a",)}}, "has one class only"),
    "no labels": ({"names": {}}, "needs labels"),
    "points": ({"shape": (2,)}, "the data has points of shape"),
    "a critic without bounds": ({"penalty": "none"}, "wasserstein has no lower bound for D"),
    "energies": ({"objective": "began", "penalty": "none"}, "energ"),
}


@pytest.mark.parametrize(("given", "says"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_is_refused(given, says):
    def made():
        if given.get("shape") == (2,):
            task = Task((2,), "points", 9, label_names=NAMES)
            return recipe("stargan").build(recipe("stargan").options(), task, Streams(0))
        return build(**given)

    with pytest.raises(OptionError, match=says):
        made()


def test_a_step_that_cannot_be_is_refused():
    made = build(k=2)
    with pytest.raises(OptionError, match="cannot be split into k=2 minibatches"):
        made.step(*examples(3, 1))
    with pytest.raises(OptionError, match="alone in its minibatch"):
        made.step(*examples(2, 1))
    made.examples = None
    with pytest.raises(OptionError, match="give it examples"):
        made.sample(1, make_rng(0))
