"""Age-cGAN here and in PyTorch, the search for z*, and what cannot be."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from scipy.optimize import rosen

from minigan.algorithms import ALGORITHMS, Streams, Task
from minigan.algorithms.conditional.age_cgan import AgeCGAN
from minigan.algorithms.conditional.inversion import invert
from minigan.algorithms.restoration.content import (
    Embedding,
    Features,
    Pixels,
    recogniser_of,
)
from minigan.backend import make_rng
from minigan.errors import DataError, OptionError, UnknownNameError
from minigan.layers import Layer
from minigan.metrics.shipped import fresh_classifier
from minigan.optim import Adam
from minigan.prior import Prior
from tests.algorithms.games import assert_resumes, snapshot
from tests.oracles import age_twin, autoencoder_twin, conditional_twin, gan_twin

STEPS, BATCH, Z_DIM, WIDTH, GAME = 5, 6, 4, 3, 3
SHAPE = (16, 16, 3)
NAMES = {"age": ("young", "middle", "old"), "size": ("small", "large")}
SIZE = 5
TOLERANCE = 1e-9  # as in test_conditional_golden.py


def build(seed: int = 0, **options: Any) -> AgeCGAN:
    recipe = ALGORITHMS["age-cgan"]
    own = {"z_dim": Z_DIM, "width": WIDTH, "encoder_steps": STEPS - GAME, "lr": 2e-3} | options
    task = Task(SHAPE, "image", STEPS, batch=BATCH, label_names=NAMES)
    return recipe.build(replace(recipe.options(), **own), task, Streams(seed))


def in_float64(seed: int = 0, **options: Any) -> AgeCGAN:
    """Away from small and equal numbers, which hide mistakes."""
    game = build(seed, **options)
    for net in game.networks.values():
        net.astype(np.float64)
        net.flat.load(net.flat.data + 0.05 * make_rng(1 + seed).standard_normal(net.flat.size))
    nets = game.networks.items()
    game.optimizers = {name: Adam(net.flat, 2e-3, beta1=0.5) for name, net in nets}
    game.distances["identity"].classifier.astype(np.float64)  # type: ignore[attr-defined]
    game.prior = Prior("normal", Z_DIM, np.float64)
    game.rng = make_rng(seed, 1)
    return game


def twin_of(game: AgeCGAN) -> age_twin.AgeTwin:
    nets = {
        "G": conditional_twin.generator(Z_DIM, SIZE, SHAPE, WIDTH, "input"),
        "D": conditional_twin.discriminator(SHAPE, SIZE, WIDTH, "first", normed=True),
        "E": autoencoder_twin.conv_encoder(SHAPE, Z_DIM, WIDTH, 2),
        "E_y": autoencoder_twin.conv_encoder(SHAPE, SIZE, WIDTH, 2),
    }
    for name, net in nets.items():
        own = game.networks[name]
        gan_twin.load(net, {k: p.data for k, p in own.params.items()} | own.buffers)
    adams = {
        f"optimizer_{name}": torch.optim.Adam(net.parameters(), lr=2e-3, betas=(0.5, 0.999))
        for name, net in nets.items()
    }
    return age_twin.AgeTwin(
        **nets,
        **adams,
        objective=game.objective,
        prior=game.prior,
        rng=make_rng(0, 1),
        counts=[3, 2],
        sees="first",
        wrong_pairs="none",
        game_steps=GAME,
    )


def batches(n: int = STEPS, dtype: Any = np.float64) -> list[Any]:
    rng = make_rng(7)
    made = []
    for _ in range(n):
        x = np.tanh(rng.standard_normal((BATCH, *SHAPE)) + 0.3).astype(dtype)
        made.append((x, np.stack([rng.integers(count, size=BATCH) for count in (3, 2)], 1)))
    return made


def test_five_steps_equal_pytorch() -> None:
    """Three of the game, and two of the encoders."""
    game = in_float64()
    other = twin_of(game)
    start = {name: net.flat.data.copy() for name, net in game.networks.items()}
    logged: set[str] = set()
    for step, (x, labels) in enumerate(batches()):
        ours, theirs = game.step(x, labels), other.step(x, labels)
        for name, value in theirs.items():
            assert abs(ours[name] - value) <= TOLERANCE * max(1, abs(value)), (step, name)
        logged |= theirs.keys()
    assert logged == {"loss_D", "loss_G", "loss_E", "loss_E_y"}
    for name, own in game.networks.items():
        assert np.abs(own.flat.data - start[name]).max() > 1e-3  # it has moved
        reference = gan_twin.arrays(getattr(other, name))
        for key, a in ({k: p.data for k, p in own.params.items()} | own.buffers).items():
            b = reference[key]
            assert np.abs(a - b).max() <= TOLERANCE * max(1, np.abs(b).max()), f"{name} {key}"


def test_each_stage_moves_its_own_networks() -> None:
    game = build()
    assert list(game.stage_starts) == [0, GAME]
    for step, (x, labels) in enumerate(batches(dtype=np.float32)):
        before = snapshot(game)
        kind = game.step_kind
        game.step(x, labels)
        after = snapshot(game)
        names = {key.split(".")[0] for key in before if "." in key and "optimizer" not in key}
        moved = {
            key.split(".")[0]
            for key, a in before.items()
            if "." in key and "optimizer" not in key and a.tobytes() != after[key].tobytes()
        }
        assert kind == ("game" if step < GAME else "encoders")
        assert names >= {"G", "D", "E", "E_y"}
        assert moved & {"G", "D", "E", "E_y"} == ({"G", "D"} if kind == "game" else {"E", "E_y"})


@pytest.mark.parametrize("at", [2, 4])
def test_resumes_in_either_stage(at: int) -> None:
    given = [(x.astype(np.float32), labels) for x, labels in batches()]
    arrays = assert_resumes(build(ema=0.9), build(seed=3, ema=0.9), given, at)
    assert {"average", "E", "E_y"} <= {key.split(".")[0] for key in arrays}


def test_encoders_learn_of_the_average_that_samples_are_of() -> None:
    """With a moving average of G, what E sees is what `generate` makes."""
    game = build(ema=0.9)
    for x, labels in batches(GAME, np.float32):
        game.step(x, labels)
    seen: list[Any] = []
    forward = game.E.forward

    def recording(*xs: Any, **how: Any) -> Any:
        seen.append(xs[0].copy())
        return forward(*xs, **how)

    game.E.forward = recording  # type: ignore[method-assign]
    drawn: list[Any] = []
    draw = game.prior.draw
    game.prior.draw = lambda n, rng: drawn.append(draw(n, rng)) or drawn[-1]  # type: ignore[method-assign]
    x, labels = batches(1, np.float32)[0]
    game.step(x, labels)
    np.testing.assert_array_equal(seen[0], game.generate(drawn[0], labels))


# --- the search for z* ----------------------------------------------------------------------------


class Rosenbrock(Layer):
    """A generator whose picture is z itself, so that a distance is a function of z."""

    def forward(self, *xs: Any, train: bool = True, update_stats: bool = True) -> Any:
        assert not train
        assert not update_stats
        return xs[0], None

    def backward(self, dy: Any, ctx: Any, need_dx: bool = True, need_dw: bool = True) -> Any:
        assert not need_dw
        return dy, None


def test_what_is_found_is_the_minimum() -> None:
    """Of Rosenbrock's function, whose gradient is known, at ones; each row for itself."""

    def distance(y: Any, x: Any) -> Any:
        a, b = y[:, 0], y[:, 1]
        gradient = np.stack([-400 * a * (b - a * a) - 2 * (1 - a), 200 * (b - a * a)], 1)
        assert np.allclose(rosen(y[0]), (100 * (b - a * a) ** 2 + (1 - a) ** 2)[0])
        return rosen(y[0]), gradient

    z = make_rng(0).uniform(-1, 1, (3, 2))
    nothing = np.zeros((3, 0))
    found = invert(Rosenbrock(), z, nothing, z, distance, iterations=200)
    np.testing.assert_allclose(found, np.ones((3, 2)), atol=1e-4)
    few = invert(Rosenbrock(), z, nothing, z, distance, iterations=2)
    assert np.abs(few - 1).max() > 0.1
    alone = invert(Rosenbrock(), z[1:2], nothing[1:2], z[1:2], distance, iterations=200)
    np.testing.assert_array_equal(alone[0], found[1])


@pytest.mark.parametrize("way", ["identity", "pixelwise"])
def test_the_gradient_of_the_search_is_pytorch_s(way: str) -> None:
    """Down to z, through FR and G out of training; what is found has a lower value than E's z."""
    game = in_float64()
    for x, labels in batches():
        game.step(x, labels)
    other = twin_of(game)
    (x, labels) = batches(1)[0]
    distance = game.distances[way]
    seen = (
        age_twin.recogniser(distance.net)  # type: ignore[attr-defined]
        if way == "identity"
        else lambda made: made
    )
    z = make_rng(3).standard_normal((BATCH, Z_DIM))
    c = game.encode(labels, z)
    made, ctx = game.G.forward(z, c, train=False, update_stats=False)
    value, dmade = distance(made, x)
    ours = game.G.backward(dmade, ctx, need_dw=False)[0]
    theirs = other.slope(z, labels, x, seen)
    assert abs(value - theirs[0]) <= 1e-9 * theirs[0]
    np.testing.assert_allclose(ours, theirs[1], rtol=1e-7, atol=1e-9 * np.abs(theirs[1]).max())
    found, first = game.latent(x, labels, way), game.latent(x, labels, "initial")

    def values(z: Any) -> Any:
        return np.array(
            [
                other.slope(z[i : i + 1], labels[i : i + 1], x[i : i + 1], seen)[0]
                for i in range(BATCH)
            ]
        )

    assert (values(found) < values(first)).all()


def test_a_face_of_g_s_own_is_found_again() -> None:
    """Pixel by pixel, from a z beside its own; the ageing of it is then that of G."""
    game = build(iterations=300)
    game.G.flat.load(game.G.flat.data + 0.2 * make_rng(4).standard_normal(game.G.flat.size))
    z = make_rng(5).standard_normal((2, Z_DIM)).astype(np.float32)
    labels = np.array([[0, 1], [2, 0]])
    x = game.generate(z, labels)
    near = z + 0.1
    game.E.forward = lambda x, **how: (near.copy(), None)  # type: ignore[method-assign]
    found = game.latent(x, labels, "pixelwise")
    back = game.generate(found, labels)
    assert np.abs(back - x).max() < 0.1 * np.abs(game.generate(near, labels) - x).max()


def test_ageing_takes_what_e_y_says() -> None:
    game = build()
    x = batches(1)[0][0].astype(np.float32)
    own = game.named(x)
    assert own.shape == (BATCH, 2)
    logits = game.E_y.forward(x, train=False)[0]
    np.testing.assert_array_equal(
        own, np.stack([logits[:, :3].argmax(1), logits[:, 3:].argmax(1)], 1)
    )
    wanted = np.ones((BATCH, 2), int)
    z = game.latent(x, own, "identity")
    np.testing.assert_array_equal(game.relabel(x, wanted), game.generate(z, wanted))
    first = game.generate(game.E.forward(x, train=False)[0], wanted)
    np.testing.assert_array_equal(game.relabel(x, wanted, "initial"), first)


def test_wrong_calls() -> None:
    game = build()
    x, labels = batches(1, np.float32)[0]
    with pytest.raises(UnknownNameError, match="way to find z: 'pixel'; did you mean 'pixelwise'"):
        game.latent(x, labels, "pixel")
    with pytest.raises(DataError, match="is out of range"):
        game.latent(x, labels + 2)
    with pytest.raises(OptionError, match="E and G are for pictures of 16x16"):
        game.check_size((16, 18))
    game.check_size((16, 16))


# --- options --------------------------------------------------------------------------------------


def test_steps_are_shared_out() -> None:
    options = ALGORITHMS["age-cgan"].options()
    assert options.game_steps(1000) == 750  # type: ignore[attr-defined]
    assert replace(options, encoder_steps=100).game_steps(1000) == 900  # type: ignore[attr-defined]
    assert replace(options, encoder_steps=0).game_steps(3) == 3  # type: ignore[attr-defined]


def test_recognisers() -> None:
    """The faces' own features of pictures of their size, what convolutions make of others."""
    faces = recogniser_of(None, (32, 32, 3))
    assert isinstance(faces, Embedding)
    x = make_rng(0).uniform(-1, 1, (3, 32, 32, 3)).astype(np.float32)
    np.testing.assert_allclose(
        faces.net.forward(x, train=False)[0], fresh_classifier("faces-ages").features(x), atol=1e-5
    )
    other = recogniser_of("kittens", (16, 24, 3))
    assert isinstance(other, Features)
    assert not isinstance(other, Embedding)
    assert isinstance(recogniser_of(None, (16, 16, 1)), Features)
    assert isinstance(Pixels()(x, x)[0], float)


@pytest.mark.parametrize(
    ("options", "shape", "words"),
    [
        ({"encoder_steps": 5}, SHAPE, "--encoder-steps 5 leave the game none of --steps 5"),
        ({"encoder_steps": -1}, SHAPE, "--encoder-steps -1 must be at least 0"),
        ({"iterations": 0}, SHAPE, "--iterations 0 must be at least 1"),
        ({"recogniser": "digits"}, SHAPE, "no shipped classifier of that name looks at pictures"),
        ({"recogniser": "faces"}, SHAPE, "unknown recogniser 'faces'; did you mean 'faces-ages'"),
        ({}, (8, 8, 2), "for these there are none"),
    ],
)
def test_refused(options: dict[str, Any], shape: tuple[int, ...], words: str) -> None:
    recipe = ALGORITHMS["age-cgan"]
    task = Task(shape, "image", STEPS, batch=BATCH, label_names=NAMES)
    with pytest.raises((OptionError, UnknownNameError), match=words):
        recipe.build(replace(recipe.options(), width=2, **options), task, Streams(0))
