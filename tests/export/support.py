"""Networks as the tests of exports take them: moved away from their first values."""

from __future__ import annotations

import numpy as np

from minigan import layers as L
from tests.layers.cases import CASES, Case
from tests.models.cases import NETWORKS, Network

Array = np.ndarray
# The table of layers, without constant inputs and without those that take numbers of rows.
LAYER_CASES: list[Case] = [case for case in CASES if not case.constant and not case.integers]


def built(network: Network, seed: int = 0) -> tuple[L.Layer, list[Array], Array]:
    """A network with random weights and moved statistics, inputs, and what it makes of them."""
    rng = np.random.default_rng(seed)
    net = network.build(rng)
    net.flat.data[...] += 0.1 * rng.standard_normal(net.flat.size).astype(np.float32)
    net.flat.touch()
    xs = [*network.drawn(rng, np.float32)]
    for _ in range(3):
        net.forward(*xs)
    return net, xs, net.forward(*xs, train=False)[0]


__all__ = ["LAYER_CASES", "NETWORKS", "built"]
