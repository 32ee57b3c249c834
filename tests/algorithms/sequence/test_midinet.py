"""MidiNet: five steps as in PyTorch, what a bar is made of, and tunes bar after bar."""

import numpy as np
import pytest

from minigan.algorithms import ALGORITHMS, Streams, Task
from minigan.algorithms.sequence.midinet import MidiNet
from minigan.backend import make_rng
from minigan.errors import DataError, OptionError
from tests.algorithms.sequence.midinet_cases import LABEL_NAMES, PITCHES, STEPS, Case, labels_of
from tests.oracles import midinet_twin as twins

BATCH = 5
# Rounding, 1e-16 a step, grows by the game's own sensitivity. Weights are around 0.2.
TOLERANCE = 1e-9

CASES = [
    Case(),
    Case({"chords": "last"}),
    Case({"chords": "none"}),
    Case({"updates_G": 1, "label_smoothing": 0.0, "lambda_1": 0.7, "lambda_2": 0.0}),
    Case({"chords": "last", "updates_G": 3, "lambda_1": 0.0, "lambda_2": 2.0}),
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_five_steps_equal_pytorch(case):
    ours = case.ours()
    theirs = case.theirs(ours)
    start = {name: net.flat.data.copy() for name, net in ours.networks.items()}
    for step in range(5):
        x, labels = case.batch(BATCH, seed=100 + step)
        kept = x.copy(), labels.copy()
        scalars = ours.step(x, labels)
        for before, after in zip(kept, (x, labels), strict=True):
            np.testing.assert_array_equal(before, after)
        for name, value in theirs.step(x, labels).items():
            assert abs(scalars[name] - value) <= TOLERANCE * max(1, abs(value)), f"{step} {name}"
    for name, net in (("G", theirs.G), ("D", theirs.D)):
        own = ours.networks[name]
        trained = {k: p.data for k, p in own.params.items()} | own.buffers
        expected = twins.arrays(net)
        assert trained.keys() == expected.keys()
        for key, a in trained.items():
            assert np.abs(a - expected[key]).max() <= TOLERANCE, f"{name} {key}"
        assert (own.flat.data != start[name]).mean() > 0.9


# --- what a bar depends on ------------------------------------------------------------------------


def probabilities(game: MidiNet, z: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """What G says of each pitch, out of training."""
    given = game.conditions(labels, z)
    x, _ = game.G.forward(given.before, np.concatenate([z, given.chord], 1), train=False)
    return x


@pytest.mark.parametrize(("chords", "heard"), [("none", False), ("last", True), ("all", True)])
def test_the_chord_is_heard_where_it_enters(chords, heard):
    game = Case({"chords": chords}).ours()
    z, labels = make_rng(0).standard_normal((6, 3)), labels_of(6, make_rng(1))
    other = labels.copy()
    other[:, 0] = (other[:, 0] + 1) % 12
    same = np.array_equal(probabilities(game, z, labels), probabilities(game, z, other))
    assert same != heard


def test_stable_mode_adds_the_same_to_every_step():
    """The chord enters behind the last step of time: before the sigmoid it shifts each pitch."""
    game = Case({"chords": "last"}).ours()
    z, labels = make_rng(0).standard_normal((4, 3)), labels_of(4, make_rng(1))
    other = labels.copy()
    other[:, 1] = 1 - other[:, 1]
    a, b = (probabilities(game, z, given) for given in (labels, other))
    shift = np.log(a / (1 - a)) - np.log(b / (1 - b))
    assert np.ptp(shift, axis=1).max() < 1e-10
    assert np.abs(shift).max() > 0.01
    game = Case({"chords": "all"}).ours()
    a, b = (probabilities(game, z, given) for given in (labels, other))
    assert np.ptp(np.log(a / (1 - a)) - np.log(b / (1 - b)), axis=1).max() > 0.01


@pytest.mark.parametrize("chords", ["none", "last", "all"])
def test_the_bar_before_is_heard_in_every_mode(chords):
    game = Case({"chords": chords}).ours()
    z, labels = make_rng(0).standard_normal((6, 3)), labels_of(6, make_rng(1))
    other = labels.copy()
    other[:, 2:] = (other[:, 2:] + 1) % PITCHES
    assert not np.allclose(probabilities(game, z, labels), probabilities(game, z, other))


def test_conditions_are_the_papers_vectors():
    game = Case().ours()
    labels = np.array([[3, 1, 0, 1, 2, 3, 4, 0, 1, 2], [0, 0, *[PITCHES] * STEPS]])
    given = game.conditions(labels, np.zeros(1))
    assert given.chord.tolist() == [[0, 0, 0, 1] + [0] * 8 + [1], [1] + [0] * 12]
    assert given.before[0, :, :, 0].argmax(1).tolist() == [0, 1, 2, 3, 4, 0, 1, 2]
    assert (given.before[0].sum(1) == 1).all()
    assert not given.before[1].any()  # silence


# --- samples --------------------------------------------------------------------------------------


def test_a_sample_has_the_loudest_pitch_of_each_step():
    game = Case().ours()
    z, labels = make_rng(0).standard_normal((6, 3)), labels_of(6, make_rng(1))
    x = game.generate(z, labels)
    assert x.shape == (6, STEPS, PITCHES, 1)
    assert set(np.unique(x)) == {0, 1}
    assert (x.sum(2) == 1).all()
    np.testing.assert_array_equal(x.argmax(2), probabilities(game, z, labels).argmax(2))
    again = game.sample(4, make_rng(3)), game.sample(4, make_rng(3))
    np.testing.assert_array_equal(*again)


def test_tunes_are_made_bar_after_bar():
    game = Case().ours()
    chords = labels_of(3 * 4, make_rng(1))[:, :2].reshape(3, 4, 2)
    first = make_rng(2).integers(PITCHES, size=(3, STEPS))
    for given in (None, first):
        made = game.compose(chords, make_rng(5), given)
        assert made.shape == (3, 4, STEPS)
        rng, before = make_rng(5), np.full((3, STEPS), PITCHES) if given is None else given
        for bar in range(4):
            z = rng.standard_normal((3, 3))
            x = game.generate(z, np.concatenate([chords[:, bar], before], 1))
            before = x[..., 0].argmax(2)
            np.testing.assert_array_equal(made[:, bar], before)


def test_labels_that_cannot_be_are_refused():
    game = Case().ours()
    labels = labels_of(2, make_rng(0))
    labels[0, 5] = PITCHES + 1
    with pytest.raises(DataError, match=r"'before 4' of \d to 6 is out of range"):
        game.generate(np.zeros((2, 3)), labels)


# --- options --------------------------------------------------------------------------------------


def build(task: Task, **options: object) -> MidiNet:
    recipe = ALGORITHMS["midinet"]
    made = recipe.build(recipe.options.of(**options), task, Streams(0))
    assert isinstance(made, MidiNet)
    return made


def test_what_cannot_be_is_refused():
    task = Case().task
    with pytest.raises(OptionError, match="learns from melodies in bars: give --data tunes"):
        build(task._replace(kind="image"))
    with pytest.raises(OptionError, match=r"halved 3 times, such as \(16, 128, 1\)"):
        build(task._replace(shape=(12, PITCHES, 1)))
    for name in ("updates_G", "conditioner", "hidden", "width"):
        with pytest.raises(OptionError, match=f"--{name.replace('_', '-')} 0 must be at least"):
            build(task, **{name: 0})
    for name in ("lambda_1", "lambda_2"):
        with pytest.raises(OptionError, match=f"--{name.replace('_', '-')} -1.0 must be at"):
            build(task, **{name: -1.0})


def test_a_schedule_counts_iterations_though_g_takes_two_steps_in_each():
    game = build(Case().task, schedule="linear", decay_end=4, lr=0.1)
    rates = {name: optimizer.schedule for name, optimizer in game.optimizers.items()}
    assert [rates["D"](i) for i in range(5)] == [rates["G"](2 * i) for i in range(5)]
    assert rates["D"](4) == 0
    assert game.label_names == LABEL_NAMES
