"""Features of a discriminator and the linear SVM on them."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from minigan import layers as L
from minigan.backend import make_rng
from minigan.errors import OptionError, ShapeError
from minigan.gradcheck import GradcheckError, check_loss
from minigan.models import (
    dcgan_discriminator,
    discriminator_features,
    features,
    linear_svm,
    mlp_discriminator,
)
from minigan.models.remedies import Remedies

torch.set_num_threads(1)


@pytest.mark.parametrize("grid", [1, 3, 4])
@pytest.mark.parametrize("size", [(4, 4), (8, 16), (7, 7), (14, 10), (5, 8), (13, 4), (3, 2)])
def test_pooling_to_a_grid_equals_pytorch(size, grid):
    """Also where windows overlap, and where the grid is finer than the picture."""
    x = make_rng(0).standard_normal((3, *size, 2))
    expected = F.adaptive_max_pool2d(torch.tensor(x).movedim(-1, 1), grid).movedim(1, -1)
    np.testing.assert_array_equal(features.max_pool_to_grid(x, grid), expected.numpy())


def trained_discriminator(shape, width=4):
    """With weights of order one and running statistics of some data."""
    D = dcgan_discriminator(shape, width=width, rng=make_rng(0))
    rng = make_rng(1)
    D.flat.load((10 * D.flat.data).astype(np.float32))
    for _ in range(3):
        D.forward(rng.standard_normal((8, *shape)).astype(np.float32))
    return D


def torch_features(D, x, grid):
    """The same from PyTorch's functions and D's arrays, block by block."""
    t, blocks = torch.tensor(x).movedim(-1, 1), []
    arrays = {k: torch.tensor(a) for k, a in D.buffers.items()}
    arrays |= {k: torch.tensor(p.data) for k, p in D.params.items()}
    for i, layer in enumerate(D.layers):
        if isinstance(layer, L.Conv2d):
            kernel = arrays[f"{i}.weight"].permute(3, 2, 0, 1)
            t = F.conv2d(t, kernel, arrays.get(f"{i}.bias"), stride=2, padding=1)
        elif isinstance(layer, L.BatchNorm):
            names = ("running_mean", "running_var", "weight", "bias")
            t = F.batch_norm(t, *(arrays[f"{i}.{name}"] for name in names))
        elif isinstance(layer, L.LeakyReLU):
            t = F.leaky_relu(t, 0.2)
            blocks.append(F.adaptive_max_pool2d(t, grid).movedim(1, -1).flatten(1))
    return torch.cat(blocks, 1).numpy()


@pytest.mark.parametrize("grid", [2, 4])
@pytest.mark.parametrize("shape", [(32, 32, 3), (28, 28, 1), (16, 24, 3)], ids=str)
def test_features_equal_pytorch(shape, grid):
    D = trained_discriminator(shape)
    x = make_rng(2).uniform(-1, 1, (5, *shape)).astype(np.float32)
    found = discriminator_features(D, x, grid=grid)
    channels = sum(layer.out_channels for layer in D.layers if isinstance(layer, L.Conv2d))
    assert found.shape == (5, grid * grid * channels)
    assert found.dtype == np.float32
    expected = torch_features(D, x, grid)
    # float32 sums of at most 16 * 16 terms, three layers deep.
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-5 * np.abs(expected).max())


def test_batches_bound_memory_and_change_nothing(monkeypatch):
    """At most BATCH pictures go through D at a time; none is left out; nothing of D moves."""
    D = trained_discriminator((16, 16, 1))
    x = make_rng(3).uniform(-1, 1, (11, 16, 16, 1)).astype(np.float32)
    state = {k: b.copy() for k, b in D.buffers.items()}
    whole = discriminator_features(D, x)
    seen = []
    forward = L.Conv2d.forward

    def watched(self, *xs, **options):
        seen.append(len(xs[0]))
        return forward(self, *xs, **options)

    monkeypatch.setattr(features, "BATCH", 4)
    monkeypatch.setattr(L.Conv2d, "forward", watched)
    parts = discriminator_features(D, x)
    np.testing.assert_allclose(parts, whole, rtol=0, atol=1e-5 * np.abs(whole).max())
    assert seen == [4, 4, 4, 4, 3, 3]
    assert all((D.buffers[k] == b).all() for k, b in state.items())


def test_what_has_no_features_is_refused():
    D = mlp_discriminator((4, 4, 1), hidden=(8,), rng=make_rng(0))
    x = np.zeros((2, 4, 4, 1), np.float32)
    with pytest.raises(OptionError, match="no convolution block"):
        discriminator_features(D, x)
    leaky = L.Sequential(L.Flatten(), L.LeakyReLU(negative_slope=0.2))
    with pytest.raises(OptionError, match="no convolution block"):
        discriminator_features(leaky, x)
    packed = dcgan_discriminator((16, 16, 3), width=4, remedies=Remedies(pac=2), rng=make_rng(0))
    with pytest.raises(OptionError, match="judges packs of examples"):
        discriminator_features(packed, np.zeros((2, 16, 16, 3), np.float32))
    with pytest.raises(OptionError, match="grid=0 must be at least 1"):
        discriminator_features(trained_discriminator((16, 16, 1)), x, grid=0)
    with pytest.raises(ShapeError, match="Conv2d"):
        discriminator_features(trained_discriminator((16, 16, 3)), x)


def test_the_trunk_of_a_network_with_heads():
    """Sequentials are opened; a network that takes pictures beside something else has none."""
    D = trained_discriminator((16, 16, 1))
    x = make_rng(2).uniform(-1, 1, (3, 16, 16, 1)).astype(np.float32)
    headed = L.Sequential(L.Sequential(*D.layers[:-1]), L.Flatten(), L.Dense(1, 1, rng=make_rng(0)))
    np.testing.assert_array_equal(discriminator_features(headed, x), discriminator_features(D, x))
    assert isinstance(features.trunk(headed)[-1], L.LeakyReLU)
    assert features.trunk(L.Sequential(L.Parallel(D, L.Identity()), *D.layers)) == []
    assert features.trunk(L.Dense(2, 3, rng=make_rng(0))) == []


# --- the SVM --------------------------------------------------------------------------------------


def blobs(n, classes, spread, seed):
    """Points around the corners of a regular polygon, in two of five unlike features."""
    rng = make_rng(seed)
    labels = rng.integers(0, classes, n)
    angle = 2 * np.pi * labels / classes
    x = spread * rng.standard_normal((n, 5))
    x[:, 1] += np.cos(angle)
    x[:, 3] += np.sin(angle)
    return x * [1.0, 100.0, 0.01, 3.0, 0.0] + [0.0, 500.0, 0.0, -3.0, 7.0], labels


@pytest.mark.parametrize("C", [0.01, 1.0, 30.0])
def test_the_gradient_of_the_objective(C):
    rng = make_rng(0)
    x, target = rng.standard_normal((9, 4)), rng.choice([-1.0, 1.0], 9)

    def objective(wb):
        return features.squared_hinge(wb, x, target, C)

    check_loss(objective, rng.standard_normal(5), rng=rng)
    with pytest.raises(GradcheckError):
        check_loss(lambda wb: (objective(wb)[0], 1.01 * objective(wb)[1]), np.ones(5), rng=rng)


def test_the_objective_in_words():
    """1/2 |w|^2 + C sum max(0, 1 - t (w x + b))^2, the bias not regularised."""
    x, target = np.array([[1.0, 0.0], [0.0, 2.0], [3.0, 1.0]]), np.array([1.0, -1.0, 1.0])
    w, b, C = np.array([0.5, -0.25]), 10.0, 3.0
    hinges = [max(0.0, 1 - t * (w @ row + b)) for t, row in zip(target, x, strict=True)]
    expected = (w @ w) / 2 + C * sum(h * h for h in hinges)
    assert features.squared_hinge(np.append(w, b), x, target, C)[0] == pytest.approx(expected)


@pytest.mark.parametrize("classes", [2, 3, 7])
def test_separable_classes_are_separated(classes):
    x, labels = blobs(300, classes, spread=0.1, seed=1)
    names = 10 * labels + 3  # labels need not count from 0
    svm = linear_svm(x, names, C=10.0)
    assert svm.converged
    assert svm.accuracy(x, names) == 1.0
    fresh, fresh_labels = blobs(500, classes, spread=0.1, seed=2)
    assert svm.accuracy(fresh, 10 * fresh_labels + 3) > 0.99
    np.testing.assert_array_equal(svm.classes, 10 * np.arange(classes) + 3)


@pytest.mark.parametrize("further", [0, 90])
def test_the_solution_minimises_the_objective(further):
    """Its standardised weights against another solver's, PyTorch's L-BFGS on autograd.

    With further features of noise there are more features than examples.
    """
    x, labels = blobs(80, 3, spread=0.7, seed=3)
    x = np.concatenate([x, make_rng(4).standard_normal((80, further))], 1)
    svm = linear_svm(x, labels, C=0.1)
    std = np.where(x.std(0) == 0, 1, x.std(0))
    standard = torch.tensor((x - x.mean(0)) / std)
    for k in range(3):
        target = torch.tensor(np.where(labels == k, 1.0, -1.0))
        wb = torch.zeros(6 + further, dtype=torch.float64, requires_grad=True)
        solver = torch.optim.LBFGS(
            [wb], max_iter=500, tolerance_grad=1e-10, line_search_fn="strong_wolfe"
        )

        def closure(wb=wb, target=target, solver=solver):
            solver.zero_grad()
            margin = target * (standard @ wb[:-1] + wb[-1])
            loss = (wb[:-1] ** 2).sum() / 2 + 0.1 * (F.relu(1 - margin) ** 2).sum()
            loss.backward()
            return loss

        solver.step(closure)
        # Both stop at gradients of about 1e-5, where the curvature is at least 1.
        np.testing.assert_allclose(svm.weight[:, k] * std, wb.detach()[:-1], rtol=0, atol=1e-3)
        bias = svm.bias[k] + x.mean(0) @ svm.weight[:, k]
        assert bias == pytest.approx(wb[-1].item(), abs=1e-3)


def test_c_weighs_examples_against_the_weights_norm():
    x, labels = blobs(200, 2, spread=0.5, seed=4)
    norms = [np.linalg.norm(linear_svm(x, labels, C=C).weight[[1, 3]]) for C in (1e-5, 1e-3, 1.0)]
    assert norms[0] < norms[1] / 5 < norms[2] / 5


def test_scale_of_a_feature_does_not_matter():
    x, labels = blobs(150, 3, spread=0.6, seed=5)
    scale, shift = np.array([1e4, 1e-3, 7.0, 2.0, 1.0]), np.array([5.0, -1.0, 0.0, 3.0, 0.0])
    one, other = linear_svm(x, labels, C=1.0), linear_svm(x * scale + shift, labels, C=1.0)
    np.testing.assert_array_equal(one.predict(x), other.predict(x * scale + shift))


def test_too_few_iterations_are_said():
    x, labels = blobs(200, 3, spread=0.7, seed=6)
    assert not linear_svm(x, labels, C=100.0, max_iterations=1).converged


@pytest.mark.parametrize(
    ("x", "labels", "C", "error"),
    [
        (np.zeros((4, 2)), np.array([0, 1, 0, 1]), 0.0, OptionError),
        (np.zeros((4, 2)), np.array([0, 1, 0, 1]), float("nan"), OptionError),
        (np.zeros((4, 2)), np.array([1, 1, 1, 1]), 1.0, ShapeError),
        (np.zeros((4, 2)), np.array([0, 1, 0]), 1.0, ShapeError),
        (np.zeros((4, 2)), np.array([[0], [1], [0], [1]]), 1.0, ShapeError),
        (np.zeros((4, 2, 2)), np.array([0, 1, 0, 1]), 1.0, ShapeError),
    ],
)
def test_bad_arguments_are_refused(x, labels, C, error):
    with pytest.raises(error):
        linear_svm(x, labels, C=C)
