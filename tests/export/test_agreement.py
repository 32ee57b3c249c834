"""A right file is let through whatever its network's condition, and a wrong one is not."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import numpy_helper

from minigan import layers as L
from minigan.errors import CheckpointError
from minigan.export.agreement import FAR, agreement, rounded
from minigan.export.onnx import to_onnx
from tests.export.support import NETWORKS, built
from tests.models.cases import Network

FILE = Path("G.onnx")


def conditioned(bias: float) -> tuple[L.Layer, list[np.ndarray], bytes]:
    """A norm over values around `bias`, whose digits beyond float32's it makes the output of."""
    rng = np.random.default_rng(0)
    net = L.Sequential(
        L.Conv2d(8, 8, 3, padding=1, rng=rng),
        L.InstanceNorm(8),
        L.Conv2d(8, 3, 3, padding=1, rng=rng),
    )
    net.params["0.bias"].data[...] = bias
    net.params["0.weight"].data[...] *= 0.1
    xs = [rng.standard_normal((12, 8, 8, 8)).astype(np.float32)]
    return net, xs, to_onnx(net, {"x": (8, 8, 8)})


def altered(model: bytes, by: float) -> bytes:
    """The file, its output multiplied by 1 + `by`."""
    graph = onnx.load_from_string(model)
    (last,) = (node for node in graph.graph.node if node.name == "output")
    factor = numpy_helper.from_array(np.float32(1 + by), "factor")
    graph.graph.initializer.append(factor)
    last.CopyFrom(onnx.helper.make_node("Mul", [last.input[0], "factor"], ["output"]))
    return bytes(graph.SerializeToString())


def test_a_right_file_of_a_network_in_bad_condition() -> None:
    net, xs, model = conditioned(bias=1000)
    assert FAR < agreement(model, net, xs, FILE, train=False) < 3e-3


@pytest.mark.parametrize(("bias", "by"), [(0, 3e-4), (1000, 0.01)])
def test_a_wrong_file_is_refused(bias: float, by: float) -> None:
    """By three times FAR, and in bad condition by more than rounding does there."""
    net, xs, model = conditioned(bias)
    said = r"by \d\.\de-0\d of its largest .* minigan's own by \d\.\de-0\d; G.onnx was not written"
    with pytest.raises(CheckpointError, match=said):
        agreement(altered(model, by), net, xs, FILE, train=False)


def test_a_network_s_numbers_that_are_not_finite_are_refused() -> None:
    net, xs, model = conditioned(bias=0)
    net.params["2.bias"].data[0] = np.nan
    with pytest.raises(CheckpointError, match="by nan of its largest number"):
        agreement(model, net, xs, FILE, train=False)


@pytest.mark.parametrize("network", NETWORKS, ids=str)
def test_rounding_is_measured_of_every_network(network: Network) -> None:
    """Between none and what no float32 loses, and the network stays as it is."""
    net, xs, y = built(network)
    before = {name: p.data.copy() for name, p in net.params.items()}
    assert 0 < rounded(net, xs, y, train=False) < FAR
    for name, p in net.params.items():
        np.testing.assert_array_equal(p.data, before[name], strict=True)
