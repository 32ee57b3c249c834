"""State dicts and module sources: what PyTorch builds from them is the network."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from minigan import layers as L
from minigan.errors import OptionError
from minigan.export.onnx import CLOSE, channels_first
from minigan.export.torch import MODULES, RULES, Module, named, source, to_torch
from minigan.models import unet_generator
from tests.export.support import LAYER_CASES, NETWORKS, built
from tests.layers.cases import Case
from tests.models.cases import Network

Array = np.ndarray
IMPORT = "from safetensors.torch import load_file\n"


def loaded(module: Module) -> torch.nn.Module:
    """The source run, and the state put in: every name has to fit."""
    scope: dict[str, Any] = {}
    text = source(module, "A title.", "G.safetensors")
    assert IMPORT in text
    exec(compile(text, "exported", "exec"), scope)
    net: torch.nn.Module = scope["build"]()
    net.load_state_dict({k: torch.from_numpy(a) for k, a in named(module)})
    return net.eval()


def apart(net: torch.nn.Module, xs: list[Array], y: Array) -> float:
    with torch.no_grad():
        found = net(*(torch.from_numpy(channels_first(x)) for x in xs)).numpy()
    wanted = channels_first(y)
    assert found.shape == wanted.shape
    return float(np.abs(found - wanted).max() / max(np.abs(wanted).max(), 1e-30))


@pytest.mark.parametrize("network", NETWORKS, ids=str)
def test_networks_are_the_same(network: Network) -> None:
    net, xs, y = built(network)
    assert apart(loaded(to_torch(net, [x.shape[1:] for x in xs])), xs, y) < CLOSE


@pytest.mark.parametrize("case", LAYER_CASES, ids=str)
def test_layers_are_the_same(case: Case) -> None:
    layer, xs = case.build(np.float32), list(case.inputs(np.float32))
    y, _ = layer.forward(*xs, train=False)
    assert apart(loaded(to_torch(layer, [x.shape[1:] for x in xs])), xs, y) < CLOSE


def test_every_layer_has_a_rule() -> None:
    public = [getattr(L, name) for name in L.__all__]
    layers = {x for x in public if isinstance(x, type) and issubclass(x, L.Layer)}
    assert {x.__name__ for x in layers - RULES.keys()} == {"Activation", "Layer"}


def test_an_unknown_layer_is_named() -> None:
    class Strange(L.Identity):
        pass

    with pytest.raises(OptionError, match=r"Strange\(\) has no counterpart in PyTorch"):
        to_torch(L.Sequential(Strange()), [(3,)])


def test_layouts_and_names_are_pytorch_s() -> None:
    net = unet_generator((8, 8, 1), 3, width=3, rng=np.random.default_rng(0))
    module = to_torch(net, [(8, 8, 1)])
    torch_net = loaded(module)
    assert list(torch_net.state_dict()) == list(module.state)
    first = torch_net[0].weight.detach().numpy()
    np.testing.assert_array_equal(first.transpose(2, 3, 1, 0), net.params["0.weight"].data)


def test_only_classes_that_are_used_are_written() -> None:
    rng = np.random.default_rng(0)
    plain = source(to_torch(L.Sequential(L.Dense(2, 3, rng=rng)), [(2,)]), "T.", "f")
    assert not any(f"class {name}(" in plain for name in MODULES)
    packed = source(to_torch(L.Sequential(L.Pack(2)), [(2,)]), "T.", "f")
    assert [name for name in MODULES if f"class {name}(" in packed] == ["Pack"]


def test_a_noisy_network_is_used_in_training_mode() -> None:
    module = to_torch(L.Sequential(L.Dropout(0.5, rng=np.random.default_rng(0))), [(2,)])
    assert "net.train()" in source(module, "T.", "f", noisy=True)
    assert "net.eval()" in source(module, "T.", "f")


def test_what_only_training_uses_is_written_too() -> None:
    """Who trains on needs the share that is dropped, and the momentum of running statistics."""
    rng = np.random.default_rng(0)
    net = L.Sequential(L.BatchNorm(3, momentum=0.3), L.Dropout(0.2, rng=rng))
    text = source(to_torch(net, [(4, 4, 3)]), "T.", "f")
    assert "BatchNorm2d(3, eps=1e-05, momentum=0.3)" in text
    assert "Dropout(0.2)" in text
