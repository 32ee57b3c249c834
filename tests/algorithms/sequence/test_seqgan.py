"""SeqGAN: every stage as in PyTorch, the policy gradient by finite differences, values of actions,
stages that follow one another, and what cannot be."""

import numpy as np
import pytest

from minigan.algorithms import ALGORITHMS, Streams
from minigan.algorithms.options import Task
from minigan.algorithms.sequence.seqgan import LIKELIHOOD, SeqGAN
from minigan.backend import make_rng
from minigan.errors import NonFiniteError, OptionError
from minigan.gradcheck import check_loss
from minigan.losses import weighted_nll
from minigan.models import policy
from tests.algorithms.sequence.seqgan_cases import LENGTH, WORDS, Case
from tests.oracles import seqgan_twin as twins

M = 4  # sentences of a minibatch
# Rounding, 1e-16 a step, grows by the game's own sensitivity. Weights are around 0.3.
TOLERANCE = 1e-9

FIRST, SECOND = {"pretrain_G": 5}, {"pretrain_G": 1, "pretrain_D": 5}
THIRD = {"pretrain_G": 1, "pretrain_D": 1}
CASES = [
    *(Case(ends, FIRST) for ends in (False, True)),
    *(Case(ends, SECOND, before=1) for ends in (False, True)),
    *(Case(ends, THIRD, before=2) for ends in (False, True)),
    Case(True, {**THIRD, "g_steps": 2, "rollout_lag": 0.0, "lr_policy": 0.003}, before=2),
    Case(False, {**THIRD, "d_steps": 1, "rollouts": 1, "clip_norm": 0.05, "l2": 0.0}, before=2),
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_five_steps_of_a_stage_equal_pytorch(case):
    ours = case.ours()
    theirs = case.theirs(ours)
    start = {name: net.flat.data.copy() for name, net in ours.networks.items()}
    stages = []
    for step in range(case.before + 5):
        y = case.batch(M, seed=100 + step)
        kept = y.copy()
        scalars = ours.step(y)
        stages.append(scalars["stage"])
        np.testing.assert_array_equal(kept, y)
        expected = theirs.step(y)
        assert expected
        for name, value in expected.items():
            assert abs(scalars[name] - value) <= TOLERANCE * max(1, abs(value)), f"{step} {name}"
    assert len(set(stages[case.before :])) == 1
    for name, net in (("G", theirs.G), ("D", theirs.D), ("rollout", theirs.beta)):
        own, expected = ours.networks[name], twins.arrays(net)
        assert {*own.params} == {*expected}
        for key, p in own.params.items():
            assert np.abs(p.data - expected[key]).max() <= TOLERANCE, f"{name} {key}"
    moved = {"G"} if stages[-1] == 1 else {"G", "D", "rollout"}
    for name in moved:
        assert (ours.networks[name].flat.data != start[name]).mean() > 0.5


@pytest.mark.parametrize("ends", [False, True])
def test_the_policy_gradient_is_that_of_its_surrogate(ends):
    """Finite differences of -1/m sum Q log G over all of G's weights, sentences and Q fixed."""
    game = Case(ends).ours()
    y = policy.draw_sentences(game.G, M, LENGTH, make_rng(3), ends)
    Q = game.action_values(y)

    def surrogate(weights):
        game.G.flat.load(weights)
        game.G.flat.zero_grad()
        logits, ctx = policy.logits_of(game.G, y)
        loss, dlogits = weighted_nll(logits, y, Q * policy.said(y, ends, Q.dtype) / M)
        game.G.backward(dlogits, ctx, need_dx=False)
        return loss, game.G.flat.grad.copy()

    results = check_loss(surrogate, game.G.flat.data.copy(), rng=make_rng(4))
    assert all(r.error < 1e-6 for r in results)
    value, gradient = surrogate(game.G.flat.data.copy())
    held = []
    game.descend = lambda name, loss: held.append((loss, game.G.flat.grad.copy()))
    game.reinforce(y, Q)
    assert held[0][0] == value
    np.testing.assert_array_equal(held[0][1], gradient)


def test_the_policy_gradient_is_reinforce_s():
    """Over many sentences the gradient of the expected reward, for a reward that sees one place.

    G of one token is a softmax p, the reward of token a is r_a: dJ/dl_a = p_a (r_a - p r).
    """
    case = Case(False)
    game = case.ours()
    n = 60_000
    y = policy.draw_sentences(game.G, n, 1, make_rng(3), False)
    r = make_rng(4).uniform(size=WORDS)
    logits, _ = policy.logits_of(game.G, y)
    _, dlogits = weighted_nll(logits, y, r[y] / n)
    p = np.exp(logits[0, 0]) / np.exp(logits[0, 0]).sum()
    exact = p * (r - p @ r)
    # Five deviations of a mean of n numbers, of 1/2 at most each.
    np.testing.assert_allclose(-dlogits.sum((0, 1)), exact, atol=2.5 / np.sqrt(n))
    assert np.abs(exact).max() > 5 * 2.5 / np.sqrt(n)


def test_a_value_is_the_mean_over_what_roll_outs_say():
    game = Case(False, {"rollouts": 400}).ours()
    y = policy.draw_sentences(game.G, 2, LENGTH, make_rng(3), False)
    Q = game.action_values(y)
    assert Q.shape == (2, LENGTH)
    np.testing.assert_array_equal(Q[:, -1], game.reward(y))
    # All ways to finish a sentence but for its last token, weighed by their probability.
    every = np.repeat(y, WORDS, 0)
    every[:, -1] = np.tile(np.arange(WORDS), 2)
    logits, _ = policy.logits_of(game.rollout, every)
    p = np.exp(logits[:, -1])
    p = (p / p.sum(1, keepdims=True))[np.arange(len(every)), every[:, -1]]
    exact = (p * game.reward(every)).reshape(2, WORDS).sum(1)
    np.testing.assert_allclose(Q[:, -2], exact, atol=4 * 0.5 / np.sqrt(400))
    assert np.abs(Q[:, -2] - Q[:, -1]).max() > 1e-3


def test_what_is_behind_an_end_earns_nothing():
    game = Case(True).ours()
    y = np.array([[3, 2, 0, 0, 0], [1, 2, 3, 4, 5]])
    held = []
    game.descend = lambda name, loss: held.append(loss)
    game.reinforce(y, np.ones((2, LENGTH)))
    logits, _ = policy.logits_of(game.G, y)
    log_p = logits - np.log(np.exp(logits).sum(2, keepdims=True))
    chosen = np.take_along_axis(log_p, y[..., None], 2)[..., 0]
    assert held[0] == pytest.approx(-(chosen[0, :3].sum() + chosen[1].sum()) / 2, rel=1e-12)
    found = game.log_likelihood(y)
    np.testing.assert_allclose(found, [chosen[0, :3].mean(), chosen[1].mean()], rtol=1e-12)


def test_stages_follow_one_another_and_can_be_skipped_to():
    case = Case(False, {"pretrain_G": 2, "pretrain_D": 3})
    game = case.ours()
    assert [*game.stage_starts] == [0, 2, 5]
    assert game.minibatches == 2
    stages = []
    for step in range(7):
        assert game.step_kind == game.stage
        stages.append(game.step(case.batch(M, step))["stage"])
    assert stages == [1, 1, 2, 2, 2, 3, 3]
    assert game.optimizers[LIKELIHOOD].t == 2 * 2
    assert game.optimizers["D"].t == 5 * 2 * 2
    assert game.optimizers["G"].t == 2
    for start, stage in zip(game.stage_starts, (1, 2, 3), strict=True):
        game.skip_to(start)
        assert game.stage == stage
    assert game.notes() == [
        "steps 1 to 2: G by maximum likelihood; to 5: D alone; then policy gradient"
    ]


def test_the_roll_out_policy_follows():
    game = Case(False, {"rollout_lag": 0.75}).ours()
    beta, theta = game.rollout.flat.data.copy(), game.G.flat.data.copy()
    game.follow(0.75)
    np.testing.assert_allclose(game.rollout.flat.data, 0.75 * beta + 0.25 * theta, rtol=1e-14)
    game.follow(0.0)
    np.testing.assert_array_equal(game.rollout.flat.data, theta)


def test_samples_are_a_function_of_weights_and_rng():
    game = Case(True).ours()
    y = game.sample(50, make_rng(0))
    assert y.shape == (50, LENGTH)
    assert y.dtype == np.int64
    assert y.min() >= 0
    assert y.max() < WORDS
    ended = np.cumsum(y == 0, 1) > 0
    assert (y[ended] == 0).all()
    assert ended.any()
    np.testing.assert_array_equal(y, game.sample(50, make_rng(0)))
    game.G.flat.data[0] = np.nan
    with pytest.raises(NonFiniteError, match="a weight of G is not finite"):
        game.sample(2, make_rng(0))


def test_a_step_goes_on_from_a_stored_state():
    case = Case(True, {"dropout": 0.5})
    whole, parts = case.ours(), case.ours()
    for step in range(6):
        whole.step(case.batch(M, step))
    for step in range(6):
        again = case.ours(seed=0)
        again.load_state_dict({k: np.array(a) for k, a in parts.state_dict().items()})
        again.rng = parts.rng
        again.step(case.batch(M, step))
        parts = again
    for key, array in whole.state_dict().items():
        np.testing.assert_array_equal(array, parts.state_dict()[key], err_msg=key)


# --- options --------------------------------------------------------------------------------------


def build(task: Task, **options: object) -> SeqGAN:
    recipe = ALGORITHMS["seqgan"]
    made = recipe.build(recipe.options.of(**options), task, Streams(0))
    assert isinstance(made, SeqGAN)
    return made


def test_what_cannot_be_is_refused():
    task = Case().task
    with pytest.raises(OptionError, match="learns from sentences: give --data oracle or captions"):
        build(Task((8, 8, 3), "image", 10))
    for name in ("g_steps", "d_steps", "k", "rollouts", "embedding", "hidden", "embedding_D"):
        with pytest.raises(OptionError, match=f"--{name.replace('_', '-')} 0 must be at least 1"):
            build(task, **{name: 0})
    with pytest.raises(OptionError, match=r"--l2 -1\.0 must be at least 0"):
        build(task, l2=-1.0)
    with pytest.raises(OptionError, match=r"--rollout-lag 1\.0 must lie in \[0, 1\)"):
        build(task, rollout_lag=1.0)
    with pytest.raises(OptionError, match="2 windows and 1 numbers of filters"):
        build(task, windows=(1, 2), filters=(3,))
    with pytest.raises(OptionError, match=r"no window of \(8, 9\) fits into sentences of 5"):
        build(task, windows=(8, 9), filters=(3, 3))
    with pytest.raises(OptionError, match="windows=0 must be at least 1"):
        build(task, windows=(0,), filters=(3,))
    game = Case().ours()
    optimizers = {f"optimizer_{k}": o for k, o in game.optimizers.items()}
    parts = {**optimizers, "length": 3, "ends": False, "pretrain_D": 1, "rng": game.rng}
    with pytest.raises(OptionError, match="stages of 0 and 1 iterations"):
        SeqGAN(*game.networks.values(), **parts, pretrain_G=0)


def test_unless_told_the_stages_are_parts_of_the_run():
    game = build(Case().task._replace(steps=100))
    assert (game.pretrain_G, game.pretrain_D) == (50, 10)
    assert len(game.D.layers[1].branches) == 5  # windows wider than a sentence are left out


def test_a_schedule_counts_iterations():
    game = build(Case().task, schedule="linear", decay_end=4, lr=0.1, lr_D=0.1, g_steps=3)
    rates = {name: optimizer.schedule for name, optimizer in game.optimizers.items()}
    assert [rates[LIKELIHOOD](5 * i) for i in range(5)] == [rates["G"](3 * i) for i in range(5)]
    assert [rates["D"](15 * i) for i in range(5)] == [rates["G"](3 * i) for i in range(5)]
    assert rates["D"](15 * 4) == 0
