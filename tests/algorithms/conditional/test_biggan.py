"""BigGAN against PyTorch and finite differences; its state, and what it refuses."""

from dataclasses import replace

import numpy as np
import pytest

from minigan.algorithms.catalogue import recipe
from minigan.algorithms.options import Streams, Task
from minigan.backend import make_rng
from minigan.ema import EMA
from minigan.errors import OptionError
from minigan.gradcheck import check_loss
from minigan.ops.labels import multi_hot
from minigan.optim import SGD
from minigan.prior import Prior
from tests.algorithms.games import assert_resumes
from tests.oracles.biggan_twin import BigTwin, Net

STEPS, BATCH = 5, 3
SHAPE = (16, 16, 3)
LABELS = {"digit": ("0", "1", "2"), "colour": ("red", "blue")}
COUNTS = [3, 2]
# Rounding, 1e-16 a step, grows with the game's own sensitivity over fifteen updates; batch norm of
# few examples and Adam's division make most of it.
TOLERANCE = 1e-10
SMALL = {
    "width": 2,
    "z_dim": 6,
    "embed_dim": 3,
    "attention": 4,
    "ema": 0.9,
    "orthogonal": 1e-2,
    "lr_G": 2e-3,
    "lr_D": 3e-3,
}


def task(shape=SHAPE, kind="image", labels=LABELS):
    return Task(shape, kind, 100, batch=BATCH, label_names=labels)


def make(dtype=np.float64, seed=0, shape=SHAPE, **given):
    """As `build` makes it; in float64, with what depends on the dtype made again."""
    o = replace(recipe("biggan").options(), **SMALL | given)
    made = recipe("biggan").build(o, task(shape), Streams(seed))
    for (name, net), rate in zip(made.networks.items(), (o.lr_G, o.lr_D), strict=True):
        net.astype(dtype)
        made.optimizers[name] = o.build_optimizer(net.flat, task(shape), lr=rate)
        for path, p in net.params.items():  # as training leaves it; 0 hides mistakes
            if path.endswith("gamma"):
                p.data[...] = 0.7
    made.averages = {"G": EMA(made.G, o.ema)} if o.ema else {}
    made.prior = Prior("normal", o.z_dim, dtype)
    made.rng = make_rng(seed, 1)
    return made, o


def examples(seed, n=2 * BATCH, dtype=np.float64, shape=SHAPE):
    rng = make_rng(seed)
    x = np.tanh(rng.standard_normal((n, *shape)) + 0.3).astype(dtype)
    return x, np.stack([rng.integers(0, count, n) for count in COUNTS], 1)


def named(net):
    return {name: p.data for name, p in net.params.items()}


def assert_close(ours, theirs, what):
    """Array by array: the largest difference against the largest number."""
    for name, b in theirs.items():
        assert np.abs(ours[name] - b).max() <= TOLERANCE * np.abs(b).max(), (what, name)


@pytest.mark.parametrize("k", [2, 1])
def test_five_steps_equal_pytorch(k):
    ours, o = make(k=k)
    twin = BigTwin(
        *(Net(named(net), net.buffers) for net in (ours.G, ours.D)),
        Prior("normal", o.z_dim, np.float64),
        make_rng(0, 1),
        base=(4, 4, 8),
        chunk=2,
        k=k,
        rates=(o.lr_G, o.lr_D),
        betas=(o.beta1, o.beta2),
        decay=o.ema,
        orthogonal=o.orthogonal,
    )
    start = {name: a.copy() for name, a in ours.state_dict().items()}
    for step in range(STEPS):
        x, labels = examples(100 + step, k * BATCH)
        expected = twin.step(x, multi_hot(labels, COUNTS, np.float64))
        assert_close(ours.step(x, labels), expected, f"step {step}")
    for name, theirs in (("G", twin.G), ("D", twin.D)):
        mine = named(ours.networks[name]) | ours.networks[name].buffers
        theirs = {k: t.detach().numpy() for k, t in (theirs.params | theirs.buffers).items()}
        assert mine.keys() == theirs.keys()
        assert_close(mine, theirs, name)
    average = ours.averages["G"].average
    places = ours.G.flat.slices
    params = {k: average["params"][s].reshape(ours.G.params[k].shape) for k, s in places.items()}
    assert_close(params | average, {k: t.numpy() for k, t in twin.average.items()}, "average")
    state = ours.state_dict()
    still = {name for name in start if not (state[name] != start[name]).any()}
    assert all(name.endswith(".u") and state[name].size == 1 for name in still)  # unit vectors


@pytest.mark.parametrize("player", ["G", "D"])
def test_the_whole_loss_has_the_gradient_of_finite_differences(player):
    """Through attention, spectral norms, conditional batch norm and orthogonal regularisation."""
    shape = (8, 8, 1)
    made, _ = make(shape=shape, width=4, z_dim=4, orthogonal=0.1)
    made.optimizers = {name: SGD(net.flat, 0.0) for name, net in made.networks.items()}
    x, labels = examples(1, 3, shape=shape)
    z, c = made.prior.draw(3, make_rng(4)), multi_hot(labels, COUNTS, np.float64)
    net = made.networks[player]
    kept = {name: b.copy() for name, b in (made.G.buffers | made.D.buffers).items()}

    def put_back():
        for part in (made.G, made.D):
            for name, b in part.buffers.items():
                b[...] = kept[name]

    def loss(weights):
        put_back()
        net.flat.load(weights)
        if player == "D":
            value = made.update_pairs(x, z, c, None)["loss_D"]
        else:
            scalars = made.update_conditional_generator(z, c, x)
            value = scalars["loss_G"] + scalars["orthogonal_G"]
        return value, net.flat.grad.copy()

    # u and v count as constants: nothing moves them while the weights are moved.
    forward = type(net).forward
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            type(net),
            "forward",
            lambda self, *xs, train=True, update_stats=True: forward(
                self, *xs, train=train, update_stats=False
            ),
        )
        check_loss(loss, net.flat.data.copy(), rng=make_rng(5), exhaustive=False)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_resumes_to_the_bit(dtype):
    (unbroken, _), (resumed, _) = make(dtype), make(dtype, seed=8)
    assert_resumes(unbroken, resumed, [examples(i, dtype=dtype) for i in range(4)])


def test_a_chunk_of_z_changes_its_block_and_those_after_it():
    """Skip-z: with the last chunk changed, the first block's output stays."""
    made, _ = make(ema=0.0)
    net = made.G.net
    z = made.prior.draw(2, make_rng(1))
    other = z.copy()
    other[:, 4:] += 1
    e = make_rng(2).standard_normal((2, 3))
    seen = []
    first = net.stages[0].layer  # attention over the smallest features, then two blocks
    assert type(first).__name__ == "SelfAttention"
    for given in (z, other):
        h = np.concatenate([e, given[:, 2:4]], 1)
        x, _ = net.first.forward(given[:, :2], train=False)
        x, _ = first.forward(x, train=False)
        x, _ = net.stages[1].layer.forward(x, h, train=False)
        seen.append((x, net.forward(given, e, train=False)[0]))
    np.testing.assert_array_equal(seen[0][0], seen[1][0])
    assert np.abs(seen[0][1] - seen[1][1]).max() > 1e-3
    assert [stage.chunk for stage in net.stages] == [None, slice(2, 4), slice(4, 6), None]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"width": 0}, "--width 0 must be at least 1"),
        ({"width": 1}, "--width 1 gives 4 features of side 4.*use --width 4"),
        ({"attention": 16}, r"--attention 16: features of a 16x16 picture have sides of 8, 4 \(0"),
        ({"attention": 5}, "--attention 5: .* 8, 4"),
        ({"z_dim": 7}, "--z-dim 7 cannot be cut into 3 chunks.*use 6 or 9"),
        ({"z_dim": 1}, "--z-dim 1 .*use 3"),
        ({"embed_dim": 0}, "--embed-dim 0 must be at least 1"),
        ({"orthogonal": -1.0}, "--orthogonal -1.0 must be at least 0"),
        (
            {"shape": (18, 18, 1)},
            "BigGAN cannot make pictures of 18x18.*nearest legal sizes: 16x16",
        ),
    ],
    ids=str,
)
def test_bad_options_are_refused(given, said):
    with pytest.raises(OptionError, match=said):
        make(**given)


def test_its_spectral_norms_bound_a_critic():
    game, _ = make(objective="wasserstein")
    assert game.objective.name == "wasserstein"


def test_points_and_missing_labels_are_refused():
    build, o = recipe("biggan").build, recipe("biggan").options()
    with pytest.raises(OptionError, match="biggan makes pictures"):
        build(o, task((2,), "points"), Streams(0))
    with pytest.raises(OptionError, match="needs labels"):
        build(o, task(labels={}), Streams(0))
