"""A step captured once and replayed: the bits and the memory of the eager one; clear errors."""

import gc

import numpy as np
import pytest

from minigan import cuda, models
from minigan.algorithms.gan import GAN
from minigan.backend import array_module, make_rng, stacked, to_device, to_host
from minigan.errors import CaptureError, KernelError, NonFiniteError
from minigan.layers import GRU
from minigan.noise import Stream, rng_state
from minigan.optim import Adam, RMSProp
from minigan.prior import Prior
from minigan.schedule import cosine
from minigan.training.stepper import WARM_UP, Stepper, read
from tests.emulator.arrays import EmulatedArray
from tests.emulator.runtime import EmulatorRuntime


def perceptrons():
    """Dropout, clipping, an average and a rate that falls: all that moves from step to step."""
    rng = make_rng(0, 1)
    G = models.mlp_generator(3, (2,), hidden=(5,), bounded=False, rng=rng)
    D = models.mlp_discriminator((2,), hidden=(4,), num_pieces=2, dropout=0.3, rng=rng)
    return GAN(
        G,
        D,
        optimizer_G=Adam(G.flat, cosine(1e-3, end=2_000), beta1=0.5, weight_decay=0.01),
        optimizer_D=RMSProp(D.flat, 1e-3),
        prior=Prior("uniform", 3),
        ema=0.9,
        max_grad_norm=1.0,
        rng=Stream(0, 2),
    )


def dcgan():
    rng = make_rng(0, 1)
    G = models.dcgan_generator(3, (8, 8, 1), width=2, rng=rng)
    D = models.dcgan_discriminator((8, 8, 1), width=2, rng=rng)
    return GAN(
        G,
        D,
        optimizer_G=Adam(G.flat, 2e-4, beta1=0.5),
        optimizer_D=Adam(D.flat, 2e-4, beta1=0.5),
        prior=Prior("normal", 3),
        rng=Stream(0, 2),
    )


GAMES = {"perceptrons": (perceptrons, (8, 2)), "dcgan": (dcgan, (2, 8, 8, 1))}


def batches(shape):
    rng = np.random.default_rng(0)
    return [rng.uniform(-1, 1, shape).astype(np.float32) for _ in range(7)]


def run(algorithm, stepper, shape, steps, every=100):
    """What a log shows on the way, and all that is left at the end."""
    x, log = batches(shape), []
    for i in range(steps):
        scalars = stepper(x[i % len(x)])
        if i % every == every - 1:
            log.append(read(scalars))
    arrays = {name: to_host(a) for name, a in algorithm.state_dict().items()}
    return log, arrays, rng_state(algorithm.rng)


def how_long(name):
    """1,000 steps, but 50 of a DCGAN on the pretended card, where one takes 40 ms both ways."""
    pretended = isinstance(cuda.current_runtime(), EmulatorRuntime)
    return 50 if name == "dcgan" and pretended else 1_000


@pytest.mark.parametrize("name", GAMES)
def test_captured_and_eager_training_agree_to_the_bit(name, device):
    make, shape = GAMES[name]
    steps = how_long(name)
    results = []
    for graph in (False, True):
        game = make().to(device)
        stepper = Stepper(game, graph=graph)
        results.append(run(game, stepper, shape, steps, every=10))
        assert stepper.captured == graph
        game.check_health()
    eager, captured = results
    assert eager[0] == captured[0]
    assert len(eager[0]) == steps // 10
    assert eager[2] == captured[2]
    assert eager[1].keys() == captured[1].keys()
    for key, array in eager[1].items():
        np.testing.assert_array_equal(array, captured[1][key], err_msg=key)
    assert eager[1]["optimizer.G.t"] == steps


def bytes_held(algorithm):
    """Bytes that arrays hold: of the pretended card's, or of CuPy's pool."""
    module = array_module(algorithm.G.flat.data)
    if hasattr(module, "get_default_memory_pool"):
        return module.get_default_memory_pool().total_bytes()
    gc.collect()
    arrays = [a.host for a in gc.get_objects() if type(a) is EmulatedArray]
    whole = {id(a if a.base is None else a.base): a if a.base is None else a.base for a in arrays}
    return sum(a.nbytes for a in whole.values())


def test_memory_does_not_grow(device):
    make, shape = GAMES["dcgan"]
    game = make().to(device)
    stepper = Stepper(game)
    run(game, stepper, shape, WARM_UP + 3)
    before = bytes_held(game)
    run(game, stepper, shape, 50, every=10)
    assert bytes_held(game) == before


def test_a_step_of_several_minibatches_is_one_graph(device):
    """k = 2: the optimiser of D moves twice in a step, at two rates."""
    results = []
    for graph in (False, True):
        game = perceptrons()
        game.k = 2
        game.to(device)
        results.append(run(game, Stepper(game, graph=graph), (8, 2), 30, every=10))
    assert results[0][0] == results[1][0]
    for key, array in results[0][1].items():
        np.testing.assert_array_equal(array, results[1][1][key], err_msg=key)
    assert results[1][1]["optimizer.D.t"] == 60


def test_a_hundred_steps_stay_near_the_cpu_s(device):
    """In float32 with the same noise. Additions in another order part the two by rounding errors,
    which training multiplies: after 100 steps of this game by less than 1e-4 of the weights."""
    make, shape = GAMES["dcgan"]
    results = []
    for where in ("cpu", device):
        game = make().to(where)
        results.append(run(game, Stepper(game), shape, 100, every=20))
    for here, there in zip(results[0][0], results[1][0], strict=True):
        for key, value in here.items():
            assert abs(value - there[key]) < 1e-4 * max(1, abs(value)), key
    for key, here in results[0][1].items():
        if key.endswith(("weight", "bias")) and not key.startswith(("optimizer", "average")):
            far = np.linalg.norm(here - results[1][1][key])
            assert far < 1e-4 * np.linalg.norm(here) + 1e-7, key


def test_a_game_goes_on_on_another_device(device):
    """What is on the CPU after 3 steps and what comes back after 3 on the card and 3 here."""
    make, shape = GAMES["perceptrons"]
    x = batches(shape)
    mixed, alone = make(), make()
    for where in ("cpu", device, "cpu"):
        mixed.to(where)
        for i in range(3):
            mixed.step(to_device(x[i], where))
            alone.step(x[i])
    assert rng_state(mixed.rng) == rng_state(alone.rng)
    for name, array in mixed.state_dict().items():
        assert type(array) is np.ndarray
        np.testing.assert_allclose(array, alone.state_dict()[name], rtol=1e-3, atol=1e-5)


# --- what is not finite ---------------------------------------------------------------------------


@pytest.mark.parametrize("graph", [False, True])
@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_loss_that_is_not_finite_is_known_when_health_is_checked(bad, graph, device):
    make, shape = GAMES["perceptrons"]
    game = make().to(device)
    stepper = Stepper(game, graph=graph)
    x = batches(shape)
    with np.errstate(all="ignore"):
        for i in range(WARM_UP + 2):
            stepper(x[i])
        game.check_health()
        stepper(np.full(shape, bad, np.float32))
        for i in range(2):
            stepper(x[i])
    with pytest.raises(NonFiniteError, match=r"gradient of (G|D) has not been finite; .*cpu"):
        game.check_health()


# --- what cannot be captured ----------------------------------------------------------------------


@pytest.fixture
def x(device):
    return to_device(np.ones((2, 3), np.float32), device)


def test_numbers_of_the_host_are_written_before_each_replay(x):
    values = iter([0.25, 4.0, 16.0])
    seen = []

    def step(x):
        cuda.before_each_step(lambda: seen.append("replay"))
        return {"a": (x * cuda.step_value(lambda: next(values), x)).sum()}

    graph = cuda.StepGraph(step, x)
    assert seen == []
    totals = [read(graph(np.full((2, 3), 1, np.float32)))["a"] for _ in range(2)]
    totals.append(read(graph(np.full((2, 3), 2, np.float32)))["a"])
    assert totals == [1.5, 24.0, 192.0]
    assert seen == ["replay"] * 3


def test_outside_a_capture_such_work_is_done_at_once(x):
    seen = []
    cuda.before_each_step(lambda: seen.append(1))
    assert seen == [1]
    assert cuda.step_value(lambda: 3, np.ones(1, np.float32)) == np.float32(3)
    assert to_host(cuda.step_value(lambda: 3, x)) == 3


def read_on_the_host(x):
    return {"a": x * float(x.sum())}


def test_a_step_that_waits_for_the_card_is_refused_with_its_line(monkeypatch, x):
    """Also one of the network's own lines, which is what a user meets."""
    with pytest.raises(CaptureError, match=r"cannot be captured as a graph: .*run with --no-graph"):
        cuda.StepGraph(read_on_the_host, x)

    plain = models.mlp.Dense.activated
    waits = lambda self, x, *function: plain(self, x * float(x.sum()), *function)  # noqa: E731
    monkeypatch.setattr(models.mlp.Dense, "activated", waits)
    make, shape = GAMES["perceptrons"]
    game = make().to("cuda")
    stepper = Stepper(game)
    with pytest.raises(CaptureError, match=r"forward \(minigan/layers/fused\.py:\d+\)"):
        run(game, stepper, shape, WARM_UP + 1)
    # And the next capture starts afresh.
    assert read(cuda.StepGraph(lambda x: {"a": x.sum()}, x)(x)) == {"a": 6.0}


def test_a_captured_step_joins_as_many_arrays_as_it_has(x):
    """More than eight too, whose addresses CuPy by itself sends over while the graph is made."""
    graph = cuda.StepGraph(lambda x: {"a": stacked([x] * 9).sum()}, x)
    assert read(graph(x)) == {"a": 54.0}


def test_a_sentence_of_many_words_is_captured(device):
    gru = GRU(3, 4, rng=make_rng(0))
    words = make_rng(1).standard_normal((2, 20, 3)).astype(np.float32)
    y, ctx = gru.forward(words)
    expected = float((gru.backward(y, ctx) ** 2).sum())
    gru.flat.to(device)

    def step(x):
        y, ctx = gru.forward(x)
        return {"a": (gru.backward(y, ctx) ** 2).sum()}

    x = to_device(words, device)
    step(x)  # compiles
    assert read(cuda.StepGraph(step, x)(x))["a"] == pytest.approx(expected, rel=1e-4)


def test_a_scalar_of_the_host_is_refused_by_name(x):
    with pytest.raises(CaptureError, match="the step's lr is a number of the host"):
        cuda.StepGraph(lambda x: {"a": x.sum(), "lr": 0.1}, x)


def test_captures_do_not_nest_and_own_errors_stay_what_they_are(x):
    with pytest.raises(CaptureError, match="being captured already"):
        cuda.StepGraph(lambda x: cuda.StepGraph(lambda x: {}, x).scalars, x)

    def unknown(x):
        cuda.launch("nothing.at_all", (1,), (1,), x)

    with pytest.raises(KernelError):
        cuda.StepGraph(unknown, x)


def test_noise_that_cannot_move_is_refused(device):
    make, _ = GAMES["dcgan"]
    game = make()
    game.rng = make_rng(0)
    with pytest.raises(ValueError, match=r"give a noise\.Stream"):
        game.to(device)
    assert game.to("cpu") is game


def test_a_step_of_examples_and_labels_is_captured(device):
    """Each replay sees its own two arrays; integers stay integers."""

    class Labelled:
        step_kind, device = None, ""

        def step(self, x, labels):
            assert np.issubdtype(labels.dtype, np.integer)
            return {"sum": (x * labels.astype(x.dtype)).sum(), "first": labels[0, 0] * 1}

    algorithm = Labelled()
    algorithm.device = device
    stepper = Stepper(algorithm)
    for i in range(WARM_UP + 3):
        x, labels = np.full((2, 1), i, np.float32), np.array([[i], [2 * i]])
        assert read(stepper(x, labels)) == {"sum": 3.0 * i * i, "first": float(i)}
    assert stepper.captured == 1
