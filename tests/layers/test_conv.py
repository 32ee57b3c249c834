"""Convolutions in every geometry, and their options. Fixed geometries: see cases.py."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from minigan import layers as L
from minigan.errors import OptionError, ShapeError
from tests.layers.cases import Case
from tests.oracles.torch_twins import (
    largest_error,
    own_derivatives,
    relative_error,
    spec,
    torch_derivatives,
)

FLOAT64 = 1e-10  # as in test_torch.py


@st.composite
def convolutions(draw, kind):
    """A case of `kind` in a geometry that PyTorch allows too."""
    transposed = kind in (L.ConvTranspose1d, L.ConvTranspose2d)
    axes = 1 if kind in (L.Conv1d, L.ConvTranspose1d) else 2

    def along_axes(low, high):
        return tuple(draw(st.integers(low, high)) for _ in range(axes))

    kernel, stride, dilation = along_axes(1, 5), along_axes(1, 4), along_axes(1, 3)
    padding, size = along_axes(0, 3), along_axes(1, 7)
    options = {"stride": stride, "padding": padding, "dilation": dilation}
    if transposed:
        options["output_padding"] = tuple(
            draw(st.integers(0, max(s, d) - 1)) for s, d in zip(stride, dilation, strict=True)
        )
        for i, s, p, d, k, extra in zip(
            size, stride, padding, dilation, kernel, options["output_padding"], strict=True
        ):
            assume((i - 1) * s - 2 * p + d * (k - 1) + extra + 1 >= 1)
    else:
        for i, p, d, k in zip(size, padding, dilation, kernel, strict=True):
            assume(i + 2 * p >= d * (k - 1) + 1)
    if axes == 1:
        (kernel,) = kernel
        options = {name: value for name, (value,) in options.items()}
    channels = draw(st.integers(1, 3)), draw(st.integers(1, 3))
    made = spec(kind, *channels, kernel, **options, bias=draw(st.booleans()))
    return Case(made, ((draw(st.integers(1, 2)), *size, channels[0]),))


@pytest.mark.parametrize("kind", [L.Conv2d, L.ConvTranspose2d, L.Conv1d, L.ConvTranspose1d])
def test_any_geometry_equals_pytorch_to_the_second_order(kind):
    @settings(max_examples=300, deadline=None, derandomize=True, database=None)
    @given(convolutions(kind))
    def check(case):
        layer, xs = case.build(), case.inputs()
        dy, vs = case.directions(layer.forward(*xs)[0])
        ours = own_derivatives(layer, xs, dy, vs, train=True, second=True)
        theirs = torch_derivatives(case.spec, layer, xs, dy, vs, train=True, second=True)
        error, name = largest_error(ours, theirs)
        assert error < FLOAT64, name

    check()


@pytest.mark.parametrize(
    ("forward", "transposed"),
    [(L.Conv2d, L.ConvTranspose2d), (L.Conv1d, L.ConvTranspose1d)],
)
def test_a_transposed_convolution_is_the_convolution_backwards(forward, transposed):
    """Sharing the weight, ConvTranspose(in=O, out=C) is the adjoint of Conv(in=C, out=O)."""
    rng = np.random.default_rng(0)
    options = {"stride": 3, "padding": 1, "dilation": 2, "bias": False, "rng": rng}
    down = forward(2, 5, 3, **options).astype(np.float64)
    up = transposed(5, 2, 3, output_padding=1, **options).astype(np.float64)
    assert up.weight.shape == down.weight.shape
    up.weight.data[...] = down.weight.data
    x = rng.standard_normal((2, 13, 2) if forward is L.Conv1d else (2, 13, 13, 2))
    y, ctx = down.forward(x)
    dy = rng.standard_normal(y.shape)
    assert relative_error(up.forward(dy)[0], down.backward(dy, ctx)) < 1e-12


def test_dcgan_geometry_halves_and_doubles():
    rng = np.random.default_rng(0)
    options = {"stride": 2, "padding": 1, "rng": rng}
    x = np.zeros((1, 32, 64, 3), np.float32)
    assert L.Conv2d(3, 8, 4, **options).forward(x)[0].shape == (1, 16, 32, 8)
    assert L.ConvTranspose2d(3, 8, 4, **options).forward(x)[0].shape == (1, 64, 128, 8)


def test_names_and_layouts_of_the_parameters():
    rng = np.random.default_rng(0)
    shapes = {
        kind: {name: p.shape for name, p in kind(2, 5, 3, rng=rng).params.items()}
        for kind in (L.Conv2d, L.ConvTranspose2d, L.Conv1d, L.ConvTranspose1d)
    }
    assert shapes == {
        L.Conv2d: {"weight": (3, 3, 2, 5), "bias": (5,)},
        L.ConvTranspose2d: {"weight": (3, 3, 5, 2), "bias": (5,)},
        L.Conv1d: {"weight": (1, 3, 2, 5), "bias": (5,)},
        L.ConvTranspose1d: {"weight": (1, 3, 5, 2), "bias": (5,)},
    }
    assert list(L.Conv2d(2, 5, 3, bias=False, rng=rng).params) == ["weight"]


@pytest.mark.parametrize("kind", [L.Conv2d, L.ConvTranspose2d])
def test_the_initial_weights_have_the_fan_of_the_sum(kind):
    """He: variance 2 / fan_in, fan_in = in_channels kh kw for both directions; zero bias."""
    layer = kind(8, 64, (3, 5), rng=np.random.default_rng(0))
    weight = layer.weight.data
    std = np.sqrt(2 / (8 * 15))
    # The deviation of a sample standard deviation of n normals is std / sqrt(2 n).
    assert abs(weight.std() - std) < 5 * std / np.sqrt(2 * weight.size)
    assert not layer.bias.data.any()


def test_options_that_make_no_sense_are_refused():
    rng = np.random.default_rng(0)
    for name, value in (
        ("stride", 0),
        ("padding", -1),
        ("dilation", 0),
        ("stride", (1, 2, 3)),
        ("padding", 0.5),
    ):
        with pytest.raises(OptionError, match=f"{name}="):
            L.Conv2d(1, 1, 3, rng=rng, **{name: value})
    with pytest.raises(OptionError, match="kernel_size=0"):
        L.Conv2d(1, 1, 0, rng=rng)
    L.ConvTranspose2d(1, 1, 3, stride=2, output_padding=1, rng=rng)
    L.ConvTranspose2d(1, 1, 3, dilation=3, output_padding=2, rng=rng)
    with pytest.raises(OptionError, match="output_padding=2 must be smaller than stride=2"):
        L.ConvTranspose2d(1, 1, 3, stride=2, output_padding=2, rng=rng)


def test_sizes_that_do_not_fit_are_refused_with_the_reason():
    rng = np.random.default_rng(0)
    with pytest.raises(ShapeError, match=r"Conv1d\(.*kernel of 1x3 .* input of 1x2; use a larger"):
        L.Conv1d(3, 4, 3, rng=rng).forward(np.zeros((2, 2, 3), np.float32))
    with pytest.raises(ShapeError, match=r"ConvTranspose2d\(.* pictures of 0x3 from 1x4; use"):
        L.ConvTranspose2d(3, 4, (2, 2), padding=1, rng=rng).forward(
            np.zeros((2, 1, 4, 3), np.float32)
        )
