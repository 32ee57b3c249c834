"""Who moves when, along which gradient, and what samples are, in GAN-CLS and StackGAN."""

import numpy as np
import pytest

from minigan import optim
from minigan.algorithms.catalogue import recipe
from minigan.algorithms.options import Streams
from minigan.backend import make_rng
from minigan.errors import DataError, MiniganError, OptionError, ShapeError
from minigan.noise import Stream
from tests.algorithms.text.cases import LABEL_NAMES, LENGTH, Case, captions

JOINT = Case("stackgan", {"training": "jointly"})
STAGED = Case("stackgan", {"stage_steps": 2})


def weights(game):
    return {name: net.flat.data.copy() for name, net in game.networks.items()}


def buffers(game, name):
    return {k: b.copy() for k, b in game.networks[name].buffers.items()}


def still(game):
    """Optimisers that move nothing: the gradients of a step stay to be looked at."""
    for name, net in game.networks.items():
        game.optimizers[name] = optim.SGD(net.flat, 0.0)
    return game


def make_deaf(game):
    """G takes h as a constant; here it takes nothing of it, so that E moves no picture."""
    for name, net in game.networks.items():
        if name[0] in "GC":
            code = {"G": "0.0.0.weight", "C": "weight"}[name[0]]
            if code in net.params:
                net.params[code].data[...] = 0


def total(game, batch, player):
    """What the player's networks descend together, with the same noise every time."""
    game.rng = make_rng(3)
    scalars = game.step(*batch)
    return sum(value for key, value in scalars.items() if key.startswith(f"loss_{player}"))


@pytest.mark.parametrize(
    "case", [Case("gan-cls"), Case("gan-cls", {"d_sees": "projection"}), JOINT], ids=str
)
def test_every_network_s_gradient_is_that_of_the_whole_loss(case):
    """Finite differences along a random direction of each network, through all that follows it."""
    game, batch = still(case.ours()), case.batch(4, seed=1)
    rng = np.random.default_rng(0)
    for name, net in reversed(game.networks.items()):  # E last
        player = "G" if name[0] in "GC" else "D"
        if name == "E":
            make_deaf(game)
        total(game, batch, player)
        gradient, start = net.flat.grad.copy(), net.flat.data.copy()
        errors = []
        for _ in range(3):  # a step may cross a kink of ReLU, not three times
            u = rng.standard_normal(start.size) / np.sqrt(start.size)
            losses = []
            for h in (1e-6, -1e-6):
                net.flat.load(start + h * u)
                losses.append(total(game, batch, player))
            net.flat.load(start)
            numeric, ours = (losses[0] - losses[1]) / 2e-6, float(gradient @ u)
            errors.append(abs(numeric - ours) / max(abs(ours), np.linalg.norm(gradient) * 1e-2))
        assert min(errors) < 1e-5, f"{name} {errors}"


def test_the_text_of_a_neighbour_is_the_wrong_one():
    """D learns nothing of words where every caption of a minibatch is the same."""
    case = Case("gan-cls")
    game, (x, text) = still(case.ours()), case.batch(4, seed=1)
    text[:] = text[0]
    scalars = game.step(x, text)
    right = game.networks["D"].forward(game.networks["E"].forward(text)[0], x)[0]
    assert scalars["score(x, wrong text)"] == pytest.approx(right.mean(), abs=1e-12)
    text[1] = (text[0] + 1) % 5 + 1
    scalars = game.step(x, text)
    wrong = game.networks["E"].forward(np.roll(text, 1, axis=0))[0]
    expected = game.networks["D"].forward(wrong, x)[0].mean()
    assert scalars["score(x, wrong text)"] == pytest.approx(expected, abs=1e-12)


def test_one_stage_after_another_leaves_those_before_as_they_are():
    game = STAGED.ours()
    moved = []
    for step in range(5):
        before, statistics = weights(game), {n: buffers(game, n) for n in game.networks}
        assert game.step_kind == ((0,) if step < 2 else (1,))
        game.step(*STAGED.batch(4, seed=step))
        moved.append({n for n, net in game.networks.items() if (net.flat.data != before[n]).any()})
        for name, old in statistics.items():
            same = all((b == old[k]).all() for k, b in buffers(game, name).items())
            assert not old or same == (name not in moved[-1]), name
    first = {"E", "C1", "G1", "D1"}
    assert moved == [first, first, *[{"C2", "G2", "D2"}] * 3]


@pytest.mark.parametrize(
    ("training", "kinds"),
    [
        ("staged", [(0,), (1,), (2,), (2,)]),
        ("added", [(0,), (0, 1), (0, 1, 2), (0, 1, 2)]),
        ("jointly", [(0, 1, 2)] * 4),
    ],
)
def test_stages_follow_one_another_are_added_or_train_from_the_start(training, kinds):
    case = Case("stackgan", {"stages": 1, "training": training, "stage_steps": 1, "width": 1})
    task = case.task(shape=(32, 32, 3))
    options = recipe("stackgan").options.of(**{**vars(case.chosen), "stages": 3})
    game = recipe("stackgan").build(options, task, Streams(0))
    seen = []
    for step in range(4):
        seen.append(game.step_kind)
        x = make_rng(step).standard_normal((3, 32, 32, 3)).astype(np.float32)
        scalars = game.step(np.tanh(x), captions(3, make_rng(step)))
        stages = {key[-1] for key in scalars if key.startswith("loss_G")}
        assert stages == {str(i + 1) for i in seen[-1]}
    assert seen == kinds
    assert game.generate(game.prior.draw(2, make_rng(0)), captions(2, make_rng(1))).shape == (
        *(2, 32, 32, 3),
    )


def test_jointly_the_first_stage_learns_from_the_last_discriminator():
    game, batch = still(JOINT.ours()), JOINT.batch(4, seed=1)
    total(game, batch, "G")
    both = game.networks["G1"].flat.grad.copy()
    alone = still(STAGED.ours())
    total(alone, batch, "G")
    assert np.abs(both - alone.networks["G1"].flat.grad).max() > 1e-4


def test_pictures_of_a_stage_are_means_of_the_data_s():
    game = STAGED.ours()
    x = make_rng(0).standard_normal((2, 16, 16, 3))
    expected = x.reshape(2, 8, 2, 8, 2, 3).mean((2, 4))
    np.testing.assert_allclose(game.reduced(x, 0), expected, atol=1e-15)
    assert game.reduced(x, 1) is x


def test_before_the_second_stage_samples_are_enlarged_pictures_of_the_first():
    game = STAGED.ours()
    z, text = game.prior.draw(3, make_rng(0)), captions(3, make_rng(1))
    enlarged = []
    for step in range(4):
        x = game.generate(z, text)
        assert x.shape == (3, 16, 16, 3)
        blocks = x.reshape(3, 8, 2, 8, 2, 3)
        enlarged.append(bool((blocks == blocks[:, :, :1, :, :1]).all()))
        game.step(*STAGED.batch(4, seed=step))
    assert enlarged == [True, True, True, False]  # the third step is the second stage's first


@pytest.mark.parametrize("case", [Case("gan-cls", {"ema": 0.9}), JOINT], ids=str)
def test_samples_are_of_their_text_and_z_alone(case):
    game = case.ours()
    game.step(*case.batch(4, seed=0))
    z, text = game.prior.draw(3, make_rng(0)), captions(3, make_rng(1))
    before = weights(game)
    x = game.generate(z, text)
    np.testing.assert_array_equal(x, game.generate(z, text))
    np.testing.assert_allclose(x[1:2], game.generate(z[1:2], text[1:2]), atol=1e-12)
    other = text.copy()
    other[:, 0] = text[:, 0] % 5 + 1
    assert np.abs(x - game.generate(z, other)).max() > 1e-4
    assert all((weights(game)[name] == before[name]).all() for name in before)
    np.testing.assert_array_equal(game.sample(4, make_rng(5)), game.sample(4, make_rng(5)))


def test_the_average_is_what_is_sampled():
    case = Case("gan-cls", {"ema": 0.5})
    game = case.ours()
    assert set(game.averages) == {"G"}
    assert set(Case("stackgan", {"ema": 0.5}).ours().averages) == {"G1", "C1", "G2", "C2"}
    z, text = game.prior.draw(3, make_rng(0)), captions(3, make_rng(1))
    game.step(*case.batch(4, seed=0))
    of_average = game.generate(z, text)
    game.averages = {}
    assert np.abs(of_average - game.generate(z, text)).max() > 1e-8


@pytest.mark.parametrize("case", [Case("gan-cls", {"encoder": "conv"}), STAGED], ids=str)
def test_a_stored_state_goes_on_to_the_bit(case):
    game, other = case.ours(dtype=np.float32), case.ours(seed=9, dtype=np.float32)
    game.rng, other.rng = Stream(1), Stream(1)
    for step in range(3):
        game.step(*case.batch(4, step, np.float32))
    other.load_state_dict({k: a.copy() for k, a in game.state_dict().items()})
    other.rng.state = game.rng.state.copy()
    assert other.step_kind == game.step_kind
    ours, theirs = (g.step(*case.batch(4, 7, np.float32)) for g in (game, other))
    assert ours == theirs


def test_a_run_says_which_stages_train_when():
    assert STAGED.ours().notes() == [
        "from step 1: trains stage 1 of 2",
        "from step 3: trains stage 2 of 2",
    ]
    assert JOINT.ours().notes() == ["from step 1: trains stages 1, 2 of 2"]


# --- what is refused ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("algorithm", "options", "words"),
    [
        (
            "gan-cls",
            {"d_sees": "input"},
            "unknown way for D to see the text: 'input'; known: late, projection",
        ),
        ("gan-cls", {"encoder": "lstm"}, "unknown encoder 'lstm'"),
        ("gan-cls", {"text_dim": 0}, "--text-dim 0 must be at least 1"),
        ("gan-cls", {"width": 0}, "--width 0"),
        ("gan-cls", {"clip_norm": 0.0}, "--clip-norm"),
        ("gan-cls", {"z_dim": 0}, "z_dim=0"),
        ("stackgan", {"stages": 0}, "--stages 0 must be at least 1"),
        ("stackgan", {"stages": 3}, "a StackGAN of 3 stages"),
        ("stackgan", {"stage_steps": -1}, "--stage-steps -1"),
        ("stackgan", {"training": "at once"}, "unknown training 'at once'"),
        ("stackgan", {"kl_weight": -1.0}, "--kl-weight -1.0"),
        ("stackgan", {"blocks": -1}, "blocks=-1"),
    ],
)
def test_values_that_cannot_be_are_refused(algorithm, options, words):
    with pytest.raises(MiniganError, match=words):
        Case(algorithm, options).ours()


@pytest.mark.parametrize("changes", [{"label_names": {}}, {"kind": "points", "shape": (2,)}])
def test_data_without_captions_is_refused(changes):
    case = Case("gan-cls")
    with pytest.raises(OptionError, match="pictures with captions"):
        recipe("gan-cls").build(case.chosen, case.task(**changes), Streams(0))


def test_captions_that_are_none_of_the_model_s_are_refused():
    game = Case("gan-cls").ours()
    z = game.prior.draw(1, make_rng(0))
    with pytest.raises(DataError, match="out of range"):
        game.generate(z, np.full((1, LENGTH), len(LABEL_NAMES["word 1"])))
    with pytest.raises(DataError, match=rf"give \(N, {LENGTH}\)"):
        game.generate(z, np.ones((1, LENGTH + 1), np.int64))
    with pytest.raises(ShapeError, match="wanted word numbers"):
        game.step(*(a.astype(np.float64) for a in Case("gan-cls").batch(2, 0)))


def test_a_wrong_text_needs_another_example():
    for case in (Case("gan-cls"), JOINT):
        with pytest.raises(OptionError, match="give at least 2 examples"):
            case.ours().step(*case.batch(1, seed=1))


@pytest.mark.parametrize(
    ("training", "spans"),
    [("staged", (4, 8)), ("added", (12, 8)), ("jointly", (12, 12))],
)
def test_rates_fall_while_a_stage_is_trained(training, spans):
    """A linear fall ends where a stage is trained no more, not at the end of the whole run."""
    given = {"training": training, "stage_steps": 4, "schedule": "linear", "stages": 2}
    case = Case("stackgan", given)
    game = recipe("stackgan").build(case.chosen, case.task(steps=12), Streams(0))
    for name, optimizer in game.optimizers.items():
        span = spans[0] if name == "E" else spans[int(name[1:]) - 1]
        rate = optimizer.schedule
        assert rate(span // 2) == rate(0) > rate(span - 1) > rate(span) == 0, name
