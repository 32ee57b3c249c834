"""Sizes, styles, noise and the minibatch's deviation of StyleGAN's networks."""

import numpy as np
import pytest

from minigan import models
from minigan.backend import make_rng
from minigan.errors import ShapeError


def generator(shape=(16, 24, 3), **options):
    return models.stylegan_generator(
        4, shape, width=2, w_dim=3, mapping_layers=2, rng=make_rng(0), **options
    ).astype(np.float64)


@pytest.mark.parametrize(
    ("shape", "sizes"),
    [
        ((32, 32, 3), [(4, 4, 16), (8, 8, 8), (16, 16, 4), (32, 32, 2)]),
        ((28, 28, 1), [(7, 7, 8), (14, 14, 4), (28, 28, 2)]),
        ((16, 24, 3), [(4, 6, 8), (8, 12, 4), (16, 24, 2)]),
    ],
    ids=str,
)
def test_sizes_double_from_the_base(shape, sizes):
    net = generator(shape).synthesis
    assert net.sizes == sizes
    assert net.styles == 2 * len(sizes)
    base, *others = (h * w for h, w, _ in sizes)
    assert net.pixels == base + 2 * sum(others)


def test_each_style_and_each_number_of_noise_is_used():
    G = generator()
    net, rng = G.synthesis, make_rng(1)
    for name, p in net.params.items():
        if name.endswith("strength"):
            p.data[...] = 0.3
    ws, noise = rng.standard_normal((2, net.styles, 3)), rng.standard_normal((2, net.pixels))
    y, ctx = net.forward(ws, noise)
    dws, dnoise = net.backward(rng.standard_normal(y.shape), ctx)
    assert (np.abs(dws).max((0, 2)) > 1e-6).all()
    assert (np.abs(dnoise).max(0) > 0).mean() > 0.99


def test_fine_styles_leave_what_was_drawn_before_them():
    """The last style is that of the last colours alone: a change of it adds to the picture."""
    net, rng = generator().synthesis, make_rng(1)
    ws, noise = rng.standard_normal((2, net.styles, 3)), np.zeros((2, net.pixels))
    other = ws.copy()
    other[:, -1] += 1
    blocks = []
    for styles in (ws, other):
        x, ctx = net.forward(styles, noise)
        blocks.append((x, ctx.parts[-2]))
    assert np.abs(blocks[0][0] - blocks[1][0]).max() > 1e-3
    np.testing.assert_array_equal(blocks[0][1][2], blocks[1][1][2])  # the last features


def test_wrong_styles_and_noise_are_refused():
    net = generator().synthesis
    ws, noise = np.zeros((2, net.styles, 3)), np.zeros((2, net.pixels))
    with pytest.raises(ShapeError, match=r"wanted styles \(N, 6, 3\), got shape \(2, 5, 3\)"):
        net.forward(ws[:, 1:], noise)
    with pytest.raises(ShapeError, match=r"wanted noise \(2, 984\), got shape \(2, 983\)"):
        net.forward(ws, noise[:, 1:])


def test_the_mean_of_w_moves_in_training_alone():
    G = generator()
    z, noise = make_rng(1).standard_normal((5, 4)), np.zeros((5, G.synthesis.pixels))
    mean = G.own_buffers["w_avg"]
    for how in ({"train": False}, {"update_stats": False}):
        G.forward(z, noise, **how)
        assert not mean.any()
    G.forward(z, noise)
    w, _ = G.mapping.forward(z)
    np.testing.assert_allclose(mean, 0.005 * w.mean(0), rtol=1e-12)


def test_D_is_shown_how_much_a_group_differs():
    D = models.stylegan_discriminator((8, 8, 1), width=2, group_size=2, rng=make_rng(0))
    D.astype(np.float64)
    a, b = make_rng(1).standard_normal((2, 8, 8, 1))
    same, _ = D.forward(np.stack([a, a]))
    mixed, _ = D.forward(np.stack([a, b]))
    assert same[0] == same[1]
    assert abs(same[0] - mixed[0]) > 1e-6
    with pytest.raises(ShapeError, match="groups of 2"):
        D.forward(np.stack([a, b, a]))
