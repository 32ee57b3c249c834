"""Remedies as options of both games: what is built, what is refused, and that runs go on."""

import json

import numpy as np
import pytest

from minigan import layers as L
from minigan.algorithms import Streams, Task, recipe
from minigan.algorithms.adversarial.unrolled import Unrolled, UnrolledGAN
from minigan.algorithms.gan import GAN
from minigan.algorithms.parts import Fooling
from minigan.backend import make_rng
from minigan.errors import OptionError, ShapeError
from minigan.losses.matching import FeatureMatching
from tests.algorithms.games import changed

SHAPES = {"gan": (2,), "dcgan": (16, 16, 1)}
SMALL = {
    "gan": {"hidden_G": (9, 8), "hidden_D": (7, 6), "pieces": 3, "reference_batch": 6},
    "dcgan": {"width": 3, "reference_batch": 6},
}


def examples(name, n=6, seed=7):
    return np.tanh(make_rng(seed).standard_normal((n, *SHAPES[name]))).astype(np.float32)


def build(name, seed=0, **options):
    kind = "points" if name == "gan" else "image"
    task = Task(SHAPES[name], kind, 10, batch=6, examples=lambda n: examples(name, n, seed=50))
    chosen = recipe(name)
    made = chosen.options.of(**{"z_dim": 5, **SMALL[name], **options})
    return chosen.build(made, task, Streams(seed))


def kinds(net):
    return [type(layer) for _, layer in net.walk()]


CHOICES = {
    "packs": {"pac": 2},
    "spectral norm": {"spectral_norm": True},
    "minibatch deviation": {"minibatch_stddev": True},
    "minibatch discrimination": {"minibatch_discrimination": 3},
    "reference batch norm": {"norm_G": "reference", "norm_D": "reference"},
    "virtual batch norm": {"norm_G": "virtual", "norm_D": "virtual"},
    "layer norm": {"norm_G": "layer", "norm_D": "layer"},
    "no norm": {"norm_G": "none", "norm_D": "none"},
    "unrolled": {"unroll": 2},
    "feature matching": {"feature_matching": True},
    "history": {"historical_averaging": 0.1},
    "two rates": {"lr_G": 1e-4, "lr_D": 4e-4},
    "all at once": {
        "pac": 2,
        "spectral_norm": True,
        "norm_G": "reference",
        "norm_D": "virtual",
        "feature_matching": True,
        "historical_averaging": 0.1,
        "ema": 0.9,
    },
}
every_choice = pytest.mark.parametrize("options", CHOICES.values(), ids=CHOICES)


@pytest.mark.parametrize("name", SHAPES)
@every_choice
def test_a_stored_run_goes_on_to_the_bit(name, options):
    """Everything that a remedy keeps is in the state: also what another seed drew otherwise."""
    unbroken = build(name, **options)
    for seed in range(2):
        unbroken.step(examples(name, seed=seed))
    arrays = {k: a.copy() for k, a in unbroken.state_dict().items()}
    resumed = build(name, seed=3, **options)
    resumed.load_state_dict(arrays)
    resumed.rng.state[...] = unbroken.rng.state
    for seed in range(2, 4):
        x = examples(name, seed=seed)
        assert unbroken.step(x) == resumed.step(x)
    assert changed(unbroken.state_dict(), resumed.state_dict()) == set()
    assert changed(arrays, unbroken.state_dict())
    samples = [game.sample(3, make_rng(1)) for game in (unbroken, resumed)]
    np.testing.assert_array_equal(*samples)


def test_pacgan_s_networks():
    """Lin et al. 2018, table 1: G of 4 x 400 ReLU with batch norm, D of 3 x 200 maxout of 5."""
    options = recipe("gan").options.of(
        z_dim=2,
        prior="normal",
        hidden_G=(400,) * 4,
        norm_G="batch",
        hidden_D=(200,) * 3,
        pieces=5,
        dropout=0.0,
        pac=2,
        optimizer="adam",
        momentum=None,
        lr=1e-4,
        beta1=0.8,
    )
    game = recipe("gan").build(options, Task((2,), "points", 10, batch=100), Streams(0))
    assert kinds(game.G)[1:] == [L.Dense, L.BatchNorm, L.ReLU] * 4 + [L.Dense]
    assert kinds(game.D)[1:] == [L.Pack, *[L.Dense, L.Maxout] * 3, L.Dense]
    dense = [layer for layer in game.D.layers if isinstance(layer, L.Dense)]
    assert [(d.in_features, d.out_features) for d in dense] == [
        (4, 1000),
        (200, 1000),
        (200, 1000),
        (200, 1),
    ]
    x = make_rng(0).standard_normal((100, 2)).astype(np.float32)
    assert np.isfinite(game.step(x)["loss_G"])


def test_what_g_descends():
    assert type(build("gan")) is GAN
    assert isinstance(build("gan").generator_loss, Fooling)
    unrolled = build("gan", unroll=3)
    assert type(unrolled) is UnrolledGAN
    assert isinstance(unrolled.generator_loss, Unrolled)
    assert unrolled.generator_loss.steps == 3
    matching = build("gan", feature_matching=True, feature_layer="2")
    assert isinstance(matching.generator_loss, FeatureMatching)
    assert matching.generator_loss.layer == "2"


def test_the_reference_batches_are_of_the_data_and_of_the_prior():
    game = build("gan", norm_G="virtual", norm_D="virtual", prior="uniform")
    np.testing.assert_array_equal(game.D.buffers["0.reference"], examples("gan", 6, seed=50))
    z = game.G.buffers["0.reference"]
    assert z.shape == (6, 5)
    assert np.abs(z).max() <= 1
    other = build("gan", seed=1, norm_G="virtual", norm_D="virtual", prior="uniform")
    assert (other.G.buffers["0.reference"] != z).all()


def test_spectral_norm_stands_in_batch_norm_s_place_unless_a_norm_is_named():
    assert L.BatchNorm in kinds(build("dcgan").D)
    assert L.BatchNorm not in kinds(build("dcgan", spectral_norm=True).D)
    assert L.BatchNorm in kinds(build("dcgan", spectral_norm=True, norm_D="batch").D)


def test_the_norms_of_presets_are_for_pictures():
    assert L.LayerNorm in kinds(build("dcgan", objective="wgan-gp").D)
    assert L.LayerNorm not in kinds(build("gan", objective="wgan-gp").D)
    assert L.LayerNorm in kinds(build("gan", objective="wgan-gp", norm_D="layer").D)


def test_history_pulls_both_players():
    game = build("gan", historical_averaging=0.5)
    first, second = (game.step(examples("gan", seed=seed)) for seed in (1, 2))
    assert first["history_G"] == first["history_D"] == 0
    assert second["history_G"] > 0 < second["history_D"]
    state = game.state_dict()
    assert {"history.G.mean", "history.G.t", "history.D.mean", "history.D.t"} <= state.keys()
    assert state["history.G.t"] == 2


@pytest.mark.parametrize("objective", ["minimax", "lsgan", "hinge", "relativistic", "wgan-gp"])
def test_packs_go_with_every_kind_of_objective_and_penalty(objective):
    scalars = build("gan", pac=3, objective=objective, k=1).step(examples("gan"))
    assert all(np.isfinite(value) for value in scalars.values())


def test_a_penalty_and_virtual_batch_norm_look_at_each_example_for_itself():
    """So they go together, unlike a penalty and the norms that mix examples."""
    game = build("gan", penalty="r1", norm_D="virtual")
    assert np.isfinite(game.step(examples("gan"))["r1"])
    for norm in ("batch", "reference"):
        with pytest.raises(OptionError, match="mixes the examples of a batch"):
            build("gan", penalty="r1", norm_D=norm)


REFUSED = {
    "packs of another batch": ({"pac": 4}, r"--pac 4 does not divide --batch 6"),
    "packs of a smaller reference": (
        {"pac": 2, "norm_D": "virtual", "reference_batch": 7},
        r"reference batch of 7 examples .*--reference-batch",
    ),
    "no reference of z": (
        {"norm_G": "virtual", "reference_batch": -3},
        "--reference-batch -3: wanted at least 2",
    ),
    "no reference of examples": (
        {"norm_D": "reference", "reference_batch": 1},
        "--reference-batch 1: wanted at least 2",
    ),
    "batches that are compared beside a reference": (
        {"norm_D": "virtual", "minibatch_stddev": True},
        "--norm-D virtual puts examples of the data into D's batch, and --minibatch-stddev",
    ),
    "the same with kernels": (
        {"norm_D": "reference", "minibatch_discrimination": 2},
        "--norm-D reference puts examples of the data",
    ),
    "no packs": ({"pac": 0}, "pac=0"),
    "a negative number of steps": ({"unroll": -1}, r"--unroll -1 .* must be at least 0"),
    "a negative weight": (
        {"historical_averaging": -1.0},
        r"--historical-averaging -1\.0 must be at least 0",
    ),
    "two losses of G": (
        {"unroll": 1, "feature_matching": True},
        "an unrolled G has a loss of its own",
    ),
    "unrolled and a penalty": ({"unroll": 1, "penalty": "r1"}, "of the objective alone"),
    "unrolled and history": ({"unroll": 1, "historical_averaging": 0.1}, "of the objective alone"),
    "unrolled rmsprop": ({"unroll": 1, "optimizer": "rmsprop"}, "steps of RMSProp cannot"),
    "a layer without matching": ({"feature_layer": "2"}, "an option of --feature-matching"),
    "a layer that is not there": (
        {"feature_matching": True, "feature_layer": "77"},
        "no layer '77'",
    ),
}


@pytest.mark.parametrize(("options", "says"), REFUSED.values(), ids=REFUSED)
def test_refused_before_anything_runs(options, says):
    with pytest.raises(OptionError, match=says):
        build("gan", **options)


def test_a_batch_that_packs_do_not_divide_is_refused_by_d_itself():
    with pytest.raises(ShapeError, match=r"Pack\(2\) wanted a batch .* use a --batch that 2 div"):
        build("gan", pac=2).step(examples("gan", 5))


def test_a_reference_batch_of_data_needs_data():
    task = Task((2,), "points", 10)
    options = recipe("gan").options.of(norm_D="virtual")
    with pytest.raises(OptionError, match="--norm-D virtual needs a data set"):
        recipe("gan").build(options, task, Streams(0))


def test_a_run_takes_its_reference_from_its_data_and_resumes(minigan, tmp_path):
    """From the command line: stopped after 2 of 4 steps, the checkpoint is that of a whole run."""
    game = ["train", "gan", "--data", "ring", "--batch", 8, "--z-dim", 3, "--hidden-G", "8,8"]
    game += ["--hidden-D", "6", "--norm-G", "reference", "--norm-D", "virtual", "--pac", 2]
    game += ["--spectral-norm", "--historical-averaging", 0.1, "--reference-batch", 8]
    game += ["--threads", 1]
    for folder, steps in (("whole", 4), ("parts", 2)):
        done = minigan(*game, "--steps", steps, "--out", tmp_path / folder)
        assert done.code == 0, done.err
    done = minigan("resume", tmp_path / "parts", "--steps", 2)
    assert done.code == 0, done.err
    last = [
        tmp_path / run / "checkpoints" / "step_000004.safetensors" for run in ("whole", "parts")
    ]
    assert last[0].read_bytes() == last[1].read_bytes()
    stored = json.loads((tmp_path / "parts" / "config.json").read_text())
    assert "reference_batch" in json.dumps(stored)
