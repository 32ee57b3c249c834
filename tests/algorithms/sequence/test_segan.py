"""SEGAN: five steps as in PyTorch, the loss that G descends, what it builds and refuses, state."""

import numpy as np
import pytest

from minigan import layers as L
from minigan.algorithms.catalogue import recipe
from minigan.algorithms.options import Streams, Task
from minigan.algorithms.sequence.emphasis import deemphasized, emphasized
from minigan.backend import make_rng
from minigan.errors import OptionError, UnknownNameError
from minigan.gradcheck import check_loss
from minigan.optim import SGD
from minigan.prior import Prior
from tests.algorithms.games import assert_resumes
from tests.oracles import segan_twin

WINDOW, STEPS, BATCH = 32, 5, 3
SMALL = {"window": WINDOW, "width": 16, "halvings": 2, "reference_batch": 3, "lr": 1e-3}
CASES = {
    "as the paper has it": {},
    "no norm": {"norm": "none", "weight_gan": 0.5},
    "L1 alone": {"judge": "none", "halvings": 3},
    "no L1, no emphasis": {"weight_l1": 0.0, "preemphasis": 0.0, "halvings": 1},
}


def examples(n, seed, dtype=np.float64):
    return np.tanh(make_rng(seed).standard_normal((n, WINDOW, 2))).astype(dtype)


def ours(given, *, seed=0, dtype=np.float64):
    options = recipe("segan").options.of(**SMALL | given)
    task = Task(
        (WINDOW, 2), "sounds", 100, examples=lambda n: examples(n, 5, np.float32), rate=8000
    )
    made = recipe("segan").build(options, task, Streams(seed))
    for name, net in made.networks.items():
        net.astype(dtype)
        made.optimizers[name] = options.build_optimizer(net.flat, task)
    made.prior = Prior("normal", made.prior.dim, dtype)
    made.rng = make_rng(seed, 1)
    return made, options


def theirs(made, o, seed=0):
    """With the weights of `made`."""
    G, D = segan_twin.generator(o.width, o.halvings), None
    segan_twin.load(G, {k: p.data for k, p in made.G.params.items()})
    if made.D is not None:
        reference = None
        if o.norm == "virtual":
            reference = made.D.buffers["1.reference"]
        D = segan_twin.Discriminator(WINDOW, o.width, o.halvings, reference)
        segan_twin.load(D, {k: p.data for k, p in made.D.params.items()})
    rng = make_rng(seed, 1)
    return segan_twin.SEGAN(
        G,
        D,
        lambda n: rng.standard_normal((n, made.prior.dim)),
        lr=o.lr,
        weight_l1=o.weight_l1,
        weight_gan=o.weight_gan,
        preemphasis=o.preemphasis,
    )


@pytest.mark.parametrize("given", CASES.values(), ids=CASES)
def test_five_steps_equal_pytorch(given):
    made, o = ours(given)
    twin = theirs(made, o)
    start = {name: net.flat.data.copy() for name, net in made.networks.items()}
    for step in range(STEPS):
        x = examples(BATCH, 100 + step)
        kept = x.copy()
        found, expected = made.step(x), twin.step(x)
        np.testing.assert_array_equal(x, kept)
        assert found.keys() == expected.keys()
        for key, value in expected.items():
            assert found[key] == pytest.approx(value, rel=1e-9), (step, key)
    for name, net in made.networks.items():
        trained = segan_twin.arrays(getattr(twin, name))
        for key, p in net.params.items():
            b = np.asarray(trained[key])
            assert np.abs(p.data - b).max() <= 1e-9 * max(np.abs(b).max(), 0.1), (name, key)
        assert (net.flat.data != start[name]).mean() > 0.5  # some taps lie in the padding always


@pytest.mark.parametrize("given", [{}, {"norm": "none", "weight_l1": 3.0}], ids=str)
def test_the_generator_descends_its_whole_loss(given):
    made, o = ours(given)
    for net in made.networks.values():
        made.optimizers = {k: SGD(n.flat, 0.0) for k, n in made.networks.items()}
        net.flat.load(net.flat.data + 0.1 * make_rng(3).standard_normal(net.flat.size))
    noisy, clean = (a[..., None] for a in np.moveaxis(examples(2, 3), -1, 0))
    z = make_rng(4).standard_normal((2, made.prior.dim))

    def loss(weights):
        made.G.flat.load(weights)
        enhanced, ctx = made.G.forward(noisy, z)
        made.update_generator(noisy, clean, enhanced, ctx)
        scores, _ = made.D.forward(noisy, enhanced)
        total = ((scores - 1) ** 2).mean() / 2 + o.weight_l1 * np.abs(enhanced - clean).mean()
        return total, made.G.flat.grad.copy()

    check_loss(loss, made.G.flat.data.copy(), rng=make_rng(1), exhaustive=False)


def test_one_player_moves_at_a_time():
    made, _ = ours({})
    noisy, clean = (a[..., None] for a in np.moveaxis(examples(2, 3), -1, 0))
    z = np.ones((2, made.prior.dim))
    before = {k: n.flat.data.copy() for k, n in made.networks.items()}
    enhanced, ctx = made.G.forward(noisy, z)
    made.update_generator(noisy, clean, enhanced, ctx)
    assert not np.array_equal(before["G"], made.G.flat.data)
    np.testing.assert_array_equal(before["D"], made.D.flat.data)


# --- pre-emphasis ---------------------------------------------------------------------------------


def test_emphasis_is_taken_back_and_makes_high_frequencies_louder():
    x = make_rng(0).standard_normal((2, 50, 3))
    y = emphasized(x, 0.95)
    np.testing.assert_allclose(deemphasized(y, 0.95), x, atol=1e-12)
    np.testing.assert_array_equal(y[:, 0], x[:, 0])
    np.testing.assert_allclose(y[0, 7, 1], x[0, 7, 1] - 0.95 * x[0, 6, 1])
    still, quick = np.ones((1, 50, 1)), (-1.0) ** np.arange(50)[None, :, None]
    assert np.abs(emphasized(still, 0.95)[:, 1:]).max() == pytest.approx(0.05)
    assert np.abs(emphasized(quick, 0.95)[:, 1:]).max() == pytest.approx(1.95)
    assert emphasized(x.astype(np.float32), 0.95).dtype == np.float32


def test_a_perfect_network_gives_windows_back():
    """With a G that gives its input, enhancing undoes the emphasis exactly."""

    class Same(L.Layer):
        def forward(self, *xs, train=True, update_stats=True):
            return xs[0], None

    made, _ = ours({"judge": "none"}, dtype=np.float32)
    made.G = Same()
    x = examples(3, 2, np.float32)[..., 0]
    np.testing.assert_allclose(made.enhance(x, make_rng(0)), x, atol=1e-5)


# --- what is built, and refused -------------------------------------------------------------------


def built(**given):
    task = Task(
        (16384, 2), "sounds", 10, examples=lambda n: np.zeros((n, 16384, 2), "f4"), rate=16000
    )
    options = recipe("segan").options.of(**{"width": 1, "reference_batch": 2} | given)
    return recipe("segan").build(options, task, Streams(0))


def layers(net, kind):
    return [layer for _, layer in net.walk() if isinstance(layer, kind)]


def test_it_is_the_papers():
    """22 convolutions of width 31 in G, eleven layers each way; the code 8 x 1024 for width 16."""
    made = built()
    up, down = layers(made.G, L.ConvTranspose1d), layers(made.G, L.Conv1d)
    assert len(up) == len(down) == 11
    assert {layer.kernel_size for layer in (*up, *down)} == {(1, 31)}
    assert [layer.out_channels for layer in down] == [1, 2, 2, 4, 4, 8, 8, 16, 16, 32, 64]
    assert made.prior.dim == 8 * 64
    assert len(layers(made.G, L.PReLU)) == 21
    assert len(layers(made.D, L.VirtualBatchNorm)) == 11
    assert {layer.negative_slope for layer in layers(made.D, L.LeakyReLU)} == {0.3}
    assert layers(made.D, L.Dense)[0].in_features == 8
    assert made.notes() == ["windows of 16384 samples, 1.02 s at 16000 a second"]
    assert type(made.optimizers["G"]).__name__ == "RMSProp"
    assert recipe("segan").batch == 400


def test_the_reference_batch_of_D_is_emphasised_as_its_examples_are():
    made, o = ours({}, dtype=np.float32)
    expected = emphasized(examples(3, 5, np.float32), o.preemphasis)
    np.testing.assert_array_equal(made.D.buffers["1.reference"], expected)


REFUSED = {
    "pictures": ({"kind": "image"}, OptionError, "give --data voices"),
    "nothing left": ({"judge": "none", "weight_l1": 0.0}, OptionError, "nothing to descend"),
    "a window": ({"window": 100, "halvings": 4}, OptionError, "give 96 or 112, or another"),
    "a short window": (
        {"window": 2},
        OptionError,
        "--window 2 cannot be halved 1 times: give 4, or another",
    ),
    "halvings": ({"halvings": 12}, OptionError, "has 1 to 11 layers"),
    "emphasis": ({"preemphasis": 1.0}, OptionError, r"--preemphasis 1.0 must lie in \[0, 1\)"),
    "a weight": ({"weight_gan": -1.0}, OptionError, "--weight-gan -1.0 must be at least 0"),
    "a reference": ({"reference_batch": 1}, OptionError, "--reference-batch 1 must be at least 2"),
    "no bound": ({"objective": "wasserstein"}, OptionError, "give another objective"),
    "a judge": ({"judge": "picture"}, UnknownNameError, "known: none, pair"),
    "a norm": ({"norm": "group"}, UnknownNameError, "known: "),
}


@pytest.mark.parametrize(("given", "error", "says"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_is_refused(given, error, says):
    given = dict(given)
    task = Task(
        (32, 2),
        given.pop("kind", "sounds"),
        10,
        examples=lambda n: np.zeros((n, given.get("window", 32), 2), "f4"),
        rate=8000,
    )
    options = recipe("segan").options.of(**{"window": 32, "width": 1, "reference_batch": 2} | given)
    with pytest.raises(error, match=says):
        recipe("segan").build(options, task, Streams(0))


# --- state ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_resumes_to_the_bit(dtype):
    batches = [examples(BATCH, seed, dtype) for seed in range(6)]
    unbroken, _ = ours({}, dtype=dtype)
    resumed, _ = ours({}, seed=8, dtype=dtype)
    arrays = assert_resumes(unbroken, resumed, batches)
    assert {"G.0.weight", "D.1.reference", "format", "optimizer.D.v"} <= set(arrays)


def test_noise_alone_decides_what_is_made():
    made, _ = ours({}, dtype=np.float32)
    x = examples(2, 1, np.float32)[..., 0]
    a, b, c = (made.enhance(x, make_rng(seed)) for seed in (0, 0, 1))
    np.testing.assert_array_equal(a, b)
    assert not np.array_equal(a, c)
    assert a.shape == x.shape
    assert made.sample(2, make_rng(0)).shape == (2, WINDOW)
