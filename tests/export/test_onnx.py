"""ONNX files, run by onnxruntime: every layer and every network gives what it gives here."""

from __future__ import annotations

import sys

import numpy as np
import onnxruntime
import pytest

from minigan import layers as L
from minigan.errors import OptionError
from minigan.export.onnx import CLOSE, RULES, channels_first, difference, to_onnx
from minigan.models import dcgan_generator, resnet_generator, unet_generator
from tests.export.support import LAYER_CASES, NETWORKS, built
from tests.layers.cases import Case
from tests.models.cases import Network

Array = np.ndarray
# Whatever has no operator, with what its error says of it.
REFUSED = {"dilation=3, output_padding=2": "output_padding"}


def exported(net: L.Layer, xs: list[Array], **how: bool) -> bytes:
    words = [f"x{i}" for i, x in enumerate(xs) if np.issubdtype(x.dtype, np.integer)]
    return to_onnx(net, {f"x{i}": x.shape[1:] for i, x in enumerate(xs)}, words=words, **how)


@pytest.mark.parametrize("network", NETWORKS, ids=str)
def test_networks_are_the_same(network: Network) -> None:
    net, xs, y = built(network)
    assert np.abs(y).max() > 0.01, "an output that says nothing"
    model = exported(net, xs)
    assert difference(model, xs, y) < CLOSE
    moved = 0 if network.words else 1
    twice = [np.concatenate([x, x[::-1] + moved]) for x in xs]  # any number of examples
    assert difference(model, twice, net.forward(*twice, train=False)[0]) < CLOSE


FITTING = [case for case in LAYER_CASES if "group_size=8" not in str(case)]  # of a batch of 3


@pytest.mark.parametrize("case", FITTING, ids=str)
def test_layers_are_the_same(case: Case) -> None:
    layer, xs = case.build(np.float32), list(case.inputs(np.float32))
    for mark, said in REFUSED.items():
        if mark in str(case):
            with pytest.raises(OptionError, match=said):
                exported(layer, xs)
            return
    y, _ = layer.forward(*xs, train=False)
    assert difference(exported(layer, xs), xs, y) < CLOSE


def test_every_layer_has_a_rule() -> None:
    """Bases have none, and layers that are no part of a network that samples are drawn from."""
    public = [getattr(L, name) for name in L.__all__]
    layers = {x for x in public if isinstance(x, type) and issubclass(x, L.Layer)}
    assert {x.__name__ for x in layers - RULES.keys()} == {"Activation", "Layer"}


def test_an_unknown_layer_is_named() -> None:
    class Strange(L.Identity):
        pass

    with pytest.raises(OptionError, match=r"Strange\(\) has no counterpart among ONNX"):
        to_onnx(L.Sequential(Strange()), {"x": (3,)})


def test_any_size() -> None:
    rng = np.random.default_rng(0)
    net = resnet_generator((8, 8, 1), 3, width=2, blocks=1, rng=rng)
    model = to_onnx(net, {"x": (8, 8, 1)}, any_size=True)
    for shape in ((1, 8, 8, 1), (2, 12, 20, 1)):
        x = rng.standard_normal(shape).astype(np.float32)
        assert difference(model, [x], net.forward(x, train=False)[0]) < CLOSE


def test_any_size_where_there_is_one() -> None:
    net = L.Sequential(L.Flatten(), L.Dense(12, 1, rng=np.random.default_rng(0)))
    with pytest.raises(OptionError, match="pictures of one size only: leave out --any-size"):
        to_onnx(net, {"x": (2, 2, 3)}, any_size=True)


def test_noisy_batch_norms_take_the_moments_of_each_picture() -> None:
    rng = np.random.default_rng(0)
    net = unet_generator((8, 8, 1), 3, width=3, dropout=0.0, rng=rng)
    x = rng.standard_normal((3, 8, 8, 1)).astype(np.float32)
    model = to_onnx(net, {"x": (8, 8, 1)}, noisy=True)
    each = [net.forward(x[i : i + 1], train=True, update_stats=False)[0] for i in range(3)]
    assert difference(model, [x], np.concatenate(each)) < CLOSE
    assert difference(model, [x], net.forward(x, train=False)[0]) > 0.01


def test_a_difference_is_seen() -> None:
    rng = np.random.default_rng(0)
    net = dcgan_generator(4, (8, 8, 1), width=4, rng=rng)
    model = to_onnx(net, {"z": (4,)})
    z = rng.standard_normal((2, 4)).astype(np.float32)
    y, _ = net.forward(z, train=False)
    assert difference(model, [z], y) < CLOSE
    y[0, 0, 0, 0] += 10 * CLOSE * np.abs(y).max()
    assert difference(model, [z], y) > 5 * CLOSE
    with pytest.raises(OptionError, match=r"makes \(2, 1, 8, 8\) where minigan makes"):
        difference(model, [z], y[:1])


def test_the_channels_of_pictures_come_first() -> None:
    session = onnxruntime.InferenceSession(
        to_onnx(L.Sequential(L.ReLU()), {"x": (2, 3, 5)}), providers=["CPUExecutionProvider"]
    )
    assert session.get_inputs()[0].shape == ["N", 5, 2, 3]
    assert session.get_inputs()[0].name == "x"
    assert channels_first(np.zeros((1, 2, 3, 5))).shape == (1, 5, 2, 3)


def test_a_missing_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(OptionError, match=r"needs the package onnx.*minigan\[onnx\]"):
        to_onnx(L.ReLU(), {"x": (2,)})
