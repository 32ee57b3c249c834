"""StyleGAN against PyTorch and finite differences; mixing, truncation, state and refusals."""

from dataclasses import replace

import numpy as np
import pytest

from minigan.algorithms.adversarial.stylegan import mixing_mask
from minigan.algorithms.catalogue import recipe
from minigan.algorithms.options import Streams, Task
from minigan.backend import make_rng
from minigan.ema import EMA
from minigan.errors import NonFiniteError, OptionError, ShapeError
from minigan.gradcheck import check_loss
from minigan.losses.path_length import PathLength
from minigan.optim import SGD
from minigan.prior import Prior
from tests.algorithms.games import assert_resumes, changed
from tests.oracles.stylegan_twin import StyleTwin, leaves

STEPS, BATCH = 5, 4
SHAPE = (8, 12, 3)
# Rounding, 1e-16 a step; Adam's division and two more derivatives raise it within five steps.
TOLERANCE = 1e-10
SMALL = {
    "width": 2,
    "z_dim": 5,
    "w_dim": 4,
    "mapping_layers": 2,
    "group_size": 2,
    "ema": 0.9,
    "r1_every": 2,
    "path_every": 3,
    "path_decay": 0.05,
}


def make(dtype=np.float64, seed=0, shape=SHAPE, **given):
    """As `build` makes it; in float64, with what depends on the dtype made again."""
    chosen = replace(recipe("stylegan").options(), **SMALL | given)
    task = Task(shape, "image", 100, batch=BATCH)
    made = recipe("stylegan").build(chosen, task, Streams(seed))
    for name, net in made.networks.items():
        net.astype(dtype)
        made.optimizers[name] = chosen.build_optimizer(net.flat, task)
    for name, p in made.G.params.items():  # as training leaves it; 0 hides mistakes
        if name.endswith("strength"):
            p.data[...] = 0.3
    made.averages = {"G": EMA(made.G, chosen.ema)} if chosen.ema else {}
    made.prior = Prior("normal", chosen.z_dim, dtype)
    if made.path_length:
        made.path_length = PathLength(
            weight=made.path_length.weight,
            decay=made.path_length.decay,
            like=made.G.flat.data,
        )
    made.rng = make_rng(seed, 1)
    return made, chosen


def examples(seed, n=BATCH, dtype=np.float64):
    return np.tanh(make_rng(seed).standard_normal((n, *SHAPE)) + 0.3).astype(dtype)


def named(net):
    return {name: p.data for name, p in net.params.items()}


def assert_close(ours, theirs, what):
    """Array by array: the largest difference against the largest number."""
    for name, b in theirs.items():
        b = np.asarray(b)
        assert np.abs(ours[name] - b).max() <= TOLERANCE * max(np.abs(b).max(), 1e-3), (what, name)


@pytest.mark.parametrize(
    "given",
    [{}, {"penalty": "none", "penalty_weight": None, "path_weight": 0.0, "mixing": 0.0}],
    ids=["all parts", "plain, one style"],
)
def test_five_steps_equal_pytorch(given):
    ours, o = make(**given)
    twin = StyleTwin(
        leaves(named(ours.G)),
        leaves(named(ours.D)),
        Prior("normal", o.z_dim, np.float64),
        make_rng(0, 1),
        ours.styles,
        ours.G.synthesis.pixels,
        lr=o.lr,
        betas=(o.beta1, o.beta2),
        decay=o.ema,
        mixing=o.mixing,
        gamma=o.penalty_weight or 0.0,
        r1_every=o.r1_every,
        path_weight=o.path_weight,
        path_every=o.path_every,
        path_decay=o.path_decay,
        group=o.group_size,
    )
    start = {name: net.flat.data.copy() for name, net in ours.networks.items()}
    seen = set()
    for step in range(STEPS):
        x = examples(100 + step)
        kept = x.copy()
        seen.add(ours.step_kind)
        scalars = ours.step(x)
        np.testing.assert_array_equal(x, kept)
        assert_close(scalars, twin.step(x), f"step {step}")
    assert seen == (
        {(False,)} if given else {(True, True), (False, False), (True, False), (False, True)}
    )
    for name, theirs in (("G", twin.G), ("D", twin.D)):
        theirs = {k: t.detach().numpy() for k, t in theirs.items()}
        assert named(ours.networks[name]).keys() == theirs.keys()
        assert_close(named(ours.networks[name]), theirs, name)
        moved = ours.networks[name].flat.data != start[name]
        assert moved.mean() > 0.9
    assert_close(ours.G.buffers, {"w_avg": twin.w_avg.numpy()}, "mean of w")
    places = ours.G.flat.slices
    average = ours.averages["G"].average["params"]
    average = {k: average[s].reshape(ours.G.params[k].shape) for k, s in places.items()}
    assert_close(average, {k: t.numpy() for k, t in twin.average.items()}, "average")
    if not given:
        mean = ours.path_length.state["mean"]
        assert twin.path_mean > 0
        assert mean[0] == pytest.approx(twin.path_mean, rel=1e-10)


@pytest.mark.parametrize("given", [{}, {"mixing": 0.0}], ids=["mixed", "one style"])
def test_the_whole_loss_of_G_has_the_gradient_of_finite_differences(given):
    """In every direction of G's weights, mapping and constant included, through path length too."""
    made, _ = make(shape=(8, 8, 1), width=1, **given)  # small, so that few kinks are near
    made.path_length.decay = 1e-30  # the moving mean counts as a constant
    made.path_length.state["mean"][...] = 0.3
    made.optimizers["G"] = SGD(made.G.flat, 0.0)
    made.path_every = 1
    z = made.prior.draw(2, make_rng(4))
    x = np.zeros((2, 8, 8, 1))

    def loss(weights):
        made.G.flat.load(weights)
        made.rng = make_rng(6)
        scalars = made.update_generator(z, x)
        return scalars["loss_G"] + scalars["path_length"], made.G.flat.grad.copy()

    check_loss(loss, made.G.flat.data.copy(), rng=make_rng(5), exhaustive=False)
    value, _ = loss(made.G.flat.data.copy())
    made.path_every = 10**9  # not due again
    made.rng = make_rng(6)
    alone = made.update_generator(z, x)["loss_G"]
    assert alone < value - 1e-3  # and path length was no small part of the loss


def test_lazy_terms_count_when_they_are_due_and_as_many_times():
    made, o = make()
    assert made.lazy[0].term.weight == o.r1_every * o.penalty_weight
    assert made.path_length.weight == o.path_every * o.path_weight
    logged = [made.step(examples(i)) for i in range(7)]
    assert [s.get("r1", 0) > 0 for s in logged] == [i % 2 == 0 for i in range(7)]
    assert [s.get("path_length", 0) > 0 for s in logged] == [i % 3 == 0 for i in range(7)]
    assert all("r1" not in s for s in logged[1::2])


# --- mixing and truncation ------------------------------------------------------------------------


def test_a_mask_keeps_the_first_style_up_to_a_uniform_crossover():
    n, styles = 6000, 5
    first = mixing_mask(n, styles, 0.75, make_rng(0), like=np.zeros(1))[..., 0]
    assert set(np.unique(first)) == {0.0, 1.0}
    assert (np.diff(first, axis=1) <= 0).all()
    assert first[:, 0].all()
    share = np.bincount(first.sum(1).astype(int), minlength=styles + 1) / n
    # A share p has a standard deviation of sqrt(p (1 - p) / n) < 0.006; five of them.
    np.testing.assert_allclose(share, [0, *[0.75 / 4] * 4, 0.25], atol=0.03)
    assert mixing_mask(9, styles, 0.0, make_rng(0), like=np.zeros(1)).all()


def test_mixed_samples_take_layers_of_either():
    made, _ = make()
    a, b = (made.prior.draw(3, make_rng(seed)) for seed in (1, 2))
    np.testing.assert_array_equal(made.mix(a, b, made.styles), made.generate(a))
    np.testing.assert_array_equal(made.mix(a, b, 0), made.generate(b))
    np.testing.assert_array_equal(made.mix(a, a, 2), made.generate(a))
    between = made.mix(a, b, 2)
    assert np.abs(between - made.generate(a)).max() > 1e-3
    assert np.abs(between - made.generate(b)).max() > 1e-3
    with pytest.raises(OptionError, match=r"crossover_layer=9 .*layers 0 to 4"):
        made.mix(a, b, 9)
    with pytest.raises(ShapeError, match="as many of either"):
        made.mix(a, b[:1], 2)


def test_truncation_pulls_styles_to_the_mean():
    made, _ = make(ema=0.0)
    made.G.own_buffers["w_avg"][...] = make_rng(3).standard_normal(4)
    z = made.prior.draw(3, make_rng(1))
    nothing = made.truncate(z, 0.0)
    np.testing.assert_allclose(nothing[1:], nothing[:1].repeat(2, 0), rtol=1e-12)
    full, half = made.generate(z), made.truncate(z, 0.5)
    assert half.std(0).mean() < 0.8 * full.std(0).mean()
    w, _ = made.G.mapping.forward(z)
    mean = made.G.own_buffers["w_avg"]
    ws = made.G.spread(mean + 0.5 * (w - mean))
    x, _ = made.G.synthesis.forward(ws, made.G.constant_noise(3))
    np.testing.assert_allclose(half, x, rtol=1e-12)


def test_samples_are_a_function_of_z_and_of_the_averaged_weights():
    made, _ = make()
    made.step(examples(0))
    z = made.prior.draw(2, make_rng(1))
    before = {name: a.copy() for name, a in made.state_dict().items()}
    first = made.generate(z)
    np.testing.assert_array_equal(first, made.generate(z))
    assert changed(before, made.state_dict()) == set()
    with made.averages["G"].applied():
        x, _ = made.G.forward(z, made.G.constant_noise(2), train=False)
    np.testing.assert_allclose(first, x, rtol=1e-12)
    assert np.abs(first - made.G.forward(z, made.G.constant_noise(2), train=False)[0]).max() > 1e-6


# --- state ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_resumes_to_the_bit(dtype):
    (unbroken, _), (resumed, _) = make(dtype), make(dtype, seed=8)
    batches = [examples(i, dtype=dtype) for i in range(5)]
    arrays = assert_resumes(unbroken, resumed, batches)
    assert {"path_length.mean", "G.w_avg", "G.noise"} <= set(arrays)


def test_weights_that_ran_away_are_named():
    made, _ = make(ema=0.0)
    made.G.flat.data[...] = np.nan
    made.G.flat.touch()
    with pytest.raises(NonFiniteError, match=r"a sample G\(z\) is not finite"):
        made.sample(1, make_rng(0))


# --- refusals -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"width": 0}, "--width 0 must be at least 1"),
        ({"mapping_layers": 0}, "--mapping-layers 0 must be at least 1"),
        ({"w_dim": 0}, "--w-dim 0 must be at least 1"),
        ({"group_size": 3}, "--group-size 3 .* divide --batch 4"),
        ({"r1_every": 0}, "--r1-every 0 must be at least 1"),
        ({"path_every": 0}, "--path-every 0 must be at least 1"),
        ({"path_decay": 0.0}, r"decay=0\.0: wanted in \(0, 1\]"),
        ({"path_weight": -1.0}, "--path-weight -1.0 must be at least 0"),
        ({"mixing": 1.5}, r"--mixing 1.5 must lie in \[0, 1\]"),
    ],
    ids=str,
)
def test_bad_options_are_refused(given, said):
    with pytest.raises(OptionError, match=said):
        make(**given)


@pytest.mark.parametrize(
    ("shape", "kind", "said"),
    [
        (
            (30, 30, 3),
            "image",
            "StyleGAN cannot make pictures of 30x30.*nearest legal sizes: 28x28",
        ),
        ((2,), "points", "stylegan makes pictures, the data has points"),
    ],
    ids=str,
)
def test_what_it_cannot_draw_is_refused(shape, kind, said):
    with pytest.raises(OptionError, match=said):
        recipe("stylegan").build(recipe("stylegan").options(), Task(shape, kind, 1), Streams(0))
