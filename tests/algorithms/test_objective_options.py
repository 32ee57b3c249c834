"""Objectives, penalties and papers' presets as options: what is set, what is refused, and a run."""

import json
from dataclasses import fields
from shlex import split

import numpy as np
import pytest

from minigan.algorithms import Streams, Task
from minigan.algorithms.adversarial import dcgan, mlp
from minigan.algorithms.adversarial.dcgan import DCGANOptions
from minigan.algorithms.adversarial.mlp import MLPOptions
from minigan.algorithms.objective_options import OBJECTIVE_SETTINGS, PENALTY_SETTINGS
from minigan.algorithms.parts import InstanceNoise, WeightClipping
from minigan.algorithms.presets import PRESETS
from minigan.backend import make_rng
from minigan.errors import OptionError, StaleContextError
from minigan.layers import LayerNorm
from minigan.losses import OBJECTIVES, PENALTIES
from minigan.losses.objectives import settings_of
from minigan.optim import Adam, RMSProp

POINTS = Task((2,), "points", 20)
SMALL = {"hidden_G": (8,), "hidden_D": (8,), "z_dim": 3}


def build(**given):
    return mlp.build(MLPOptions.of(**SMALL | given), POINTS, Streams(0))


# --- settings -------------------------------------------------------------------------------------


def test_every_setting_of_an_objective_or_penalty_is_an_option():
    of_objectives = {s for o in OBJECTIVES.values() for s in settings_of(o)}
    assert of_objectives == set(OBJECTIVE_SETTINGS.values())
    of_penalties = {s for p in PENALTIES.values() for s in settings_of(p)}
    assert of_penalties == set(PENALTY_SETTINGS.values())
    assert {f.name for f in fields(MLPOptions)} >= {*OBJECTIVE_SETTINGS, *PENALTY_SETTINGS}


def test_settings_reach_the_objective_and_the_penalty():
    options = MLPOptions(
        objective="lsgan", a=-1.0, b=1.0, c=0.0, penalty="dragan", penalty_spread=0.2
    )
    objective = options.build_objective()
    assert (objective.a, objective.b, objective.c) == (-1, 1, 0)
    (penalty,) = options.build_terms()
    assert (penalty.name, penalty.spread, penalty.weight) == ("dragan", 0.2, 10)
    weighted = MLPOptions(objective="f-gan", divergence="weighted-jensen-shannon", pi=0.2)
    assert weighted.build_objective().pi == 0.2
    assert not weighted.build_objective().trick


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (
            {"objective": "lsgan", "margin": 2.0},
            "--margin is no option of --objective lsgan, .*--a",
        ),
        ({"label_smoothing": 0.1, "objective": "hinge"}, "--label-smoothing is no .*has: none"),
        ({"penalty_weight": 2.0}, "--penalty-weight is no option of --penalty none"),
        ({"penalty": "r1", "penalty_power": 2.0}, "--penalty-power is no .* has: --penalty-weight"),
        ({"objective": "f-gan", "divergence": "kl", "pi": 0.2}, "'kl' has none"),
        ({"objective": "ebgan"}, r"'ebgan' takes .* D ends in Dense\(8, 1\)"),
        ({"clip_weights": -0.1}, "--clip-weights -0.1 must be at least 0"),
        ({"instance_noise": float("nan")}, "--instance-noise nan must be at least 0"),
    ],
)
def test_refused(given, says):
    with pytest.raises(OptionError, match=says):
        build(**given)


def test_a_penalty_and_batch_norm_do_not_go_together():
    task = Task((16, 16, 1), "image", 20)
    small = {"width": 2, "z_dim": 3}
    with pytest.raises(OptionError, match=r"'r1' looks at .* BatchNorm\(4.*--norm-D"):
        dcgan.build(DCGANOptions(penalty="r1", **small), task, Streams(0))
    game = dcgan.build(DCGANOptions.of(objective="wgan-gp", **small), task, Streams(0))
    assert any(isinstance(layer, LayerNorm) for _, layer in game.D.walk())


# --- presets --------------------------------------------------------------------------------------


def test_the_papers_recipes():
    gp = build(objective="wgan-gp")
    assert (gp.objective.name, gp.terms[0].name, gp.terms[0].weight) == (
        "wasserstein",
        "wgan-gp",
        10,
    )
    rule = gp.optimizers["D"]
    assert isinstance(rule, Adam)
    assert (gp.k, rule.schedule(0), rule.beta1, rule.beta2) == (5, 1e-4, 0, 0.9)
    wgan = build(objective="wgan")
    assert isinstance(wgan.optimizers["G"], RMSProp)
    assert (wgan.k, wgan.weight_clipping.c, wgan.optimizers["G"].schedule(0)) == (5, 0.01, 5e-5)
    assert not wgan.terms
    div = build(objective="wgan-div").terms[0]
    assert (div.name, div.weight, div.power) == ("wgan-div", 2, 6)
    assert build(objective="dragan").objective.name == "non-saturating"


def test_what_is_given_counts_before_the_preset():
    """Even where it is what the option would be without one."""
    plain = MLPOptions()
    options = MLPOptions.of(objective="wgan-gp", k=plain.k, lr=plain.lr, penalty_weight=1.0)
    assert (options.k, options.lr, options.penalty_weight) == (plain.k, plain.lr, 1.0)
    assert (options.objective, options.penalty) == ("wasserstein", "wgan-gp")
    without = MLPOptions.of(objective="wgan-gp", penalty="none", penalty_weight=None)
    assert without.build_terms() == []


def test_a_preset_needs_of():
    for name in PRESETS:
        with pytest.raises(OptionError, match=rf"MLPOptions\.of\(objective='{name}'"):
            MLPOptions(objective=name)


def test_presets_name_options_that_exist():
    known = {f.name for options in (MLPOptions, DCGANOptions) for f in fields(options)}
    for preset in PRESETS.values():
        assert preset.keys() <= known
        assert preset["objective"] in OBJECTIVES


# --- parts ----------------------------------------------------------------------------------------


def test_two_learning_rates():
    game = build(lr=0.1, lr_G=0.01)
    assert [game.optimizers[p].schedule(0) for p in "GD"] == [0.01, 0.1]
    assert build(lr=0.1, lr_D=0.02).optimizers["D"].schedule(0) == 0.02


def test_instance_noise_falls_to_nothing_over_the_run():
    noise = InstanceNoise(0.5, steps=10)
    x = np.zeros((2000, 3), np.float32)
    deviations = [
        float(noise(x, lambda step=step: step, make_rng(0)).std()) for step in (0, 5, 10, 11)
    ]
    # Of 6,000 normal numbers: known to one percent.
    assert deviations == pytest.approx([0.5, 0.25, 0.0, 0.0], rel=0.05)
    assert noise(x, lambda: 10, make_rng(0)) is x
    assert noise(x, lambda: 3, make_rng(0)).dtype == np.float32
    with pytest.raises(OptionError, match=r"std=0\.0: wanted above 0"):
        InstanceNoise(0.0, steps=10)


def test_d_is_shown_noise_on_both_and_gs_gradient_passes_through_it():
    seen, made = [], []
    game = build(instance_noise=0.3)
    judge, generate = game.D.forward, game.G.forward

    def judged(x, **how):
        seen.append(x)
        return judge(x, **how)

    def generated(z, **how):
        x, ctx = generate(z, **how)
        made.append(x)
        return x, ctx

    game.D.forward, game.G.forward = judged, generated
    x = np.zeros((400, 2), np.float32)
    game.step(x)
    real, fake, of_g = seen
    assert real.std() == pytest.approx(0.3, rel=0.1)
    assert np.unique(real).size > 700
    for shown, clean in ((fake, made[0]), (of_g, made[1])):
        assert (shown - clean).std() == pytest.approx(0.3, rel=0.1)
        assert np.unique(shown - clean).size > 700
    for _ in range(19):
        game.step(x)
    seen.clear()
    game.step(x)  # past the end: nothing is added
    np.testing.assert_array_equal(seen[0], x)


def test_weights_are_clipped_after_each_step_of_d_alone():
    game = build(objective="wasserstein", clip_weights=0.05, lr=0.1)
    before = game.G.flat.data.copy()
    game.update_discriminator(np.ones((8, 2), np.float32), game.prior.draw(8, make_rng(0)))
    assert np.abs(game.D.flat.data).max() == np.float32(0.05)
    np.testing.assert_array_equal(game.G.flat.data, before)
    with pytest.raises(OptionError, match=r"clipped to 0\.0: wanted above 0"):
        WeightClipping(0.0)


def test_a_context_from_before_the_weights_were_clipped_is_refused():
    D = build().D
    y, ctx = D.forward(np.ones((3, 2), np.float32))
    WeightClipping(0.05)(D)
    with pytest.raises(StaleContextError, match="run forward again"):
        D.backward(np.ones_like(y), ctx)


# --- through the command line ---------------------------------------------------------------------

ON_POINTS = split(
    "--data ring --hidden-G 16 --hidden-D 16 --z-dim 3 --batch 16 --steps 20"
    " --log-every 1 --sample-every 20 --checkpoint-every 20 --threads 1"
)
RUNS = {
    **{
        name: f"gan --objective {name}"
        for name in [*OBJECTIVES, *PRESETS]
        if name not in ("ebgan", "began")
    },
    "wasserstein": "gan --objective wasserstein --clip-weights 0.01",
    "jeffrey": "gan --objective f-gan --divergence jeffrey --trick --lr 0.01",
    "r1": "gan --penalty r1 --penalty-weight 1",
    "r2, smoothed, noisy": "gan --penalty r2 --label-smoothing 0.1 --instance-noise 0.2 --lr-D 0.1",
    "ebgan": "ebgan --margin 2",
    "began": "began --gamma 0.7",
    "gogan": "gogan --stages 2 --epsilon 0.5",
}


@pytest.mark.parametrize("command", RUNS.values(), ids=RUNS)
def test_twenty_steps(minigan, tmp_path, command):
    """Every number that is logged is finite, and both losses move."""
    out = tmp_path / "run"
    finished = minigan("train", *split(command), *ON_POINTS, "--out", out)
    assert finished.code == 0, finished.err
    lines = [json.loads(line) for line in (out / "log.jsonl").read_text().splitlines()]
    assert not [line for line in lines if "warning" in line]
    assert [line["step"] for line in lines] == list(range(1, 21))
    for line in lines:
        assert all(np.isfinite(value) for value in line.values())
    for name in ("loss_D", "loss_G"):
        assert len({line[name] for line in lines}) == 20


@pytest.mark.parametrize("name", ["wgan-gp", "began", "gogan"])
def test_resumes(minigan, tmp_path, name):
    """With a preset's options, BEGAN's k_t, and GoGAN's earlier stage, as if never stopped."""
    folders = [tmp_path / "whole", tmp_path / "resumed"]
    for folder, steps in zip(folders, (12, 9), strict=True):
        command = [*split(RUNS[name]), *ON_POINTS, "--steps", steps, "--out", folder]
        command += ["--stage-steps", 4] * (name == "gogan")
        assert minigan("train", *command).code == 0
    assert minigan("resume", folders[1], "--steps", 3).code == 0
    whole, resumed = (f / "checkpoints" / "step_000012.safetensors" for f in folders)
    assert whole.read_bytes() == resumed.read_bytes()
