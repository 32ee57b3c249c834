"""Standing statistics: a trained network's batch norms measured anew, at the weights as they are.

The running statistics that training leaves are those of the last few batches, each at the weights
of its own step. What they are off by is no part of what the network has learned, and it shows where
samples must be exact: on the grid of 25 Gaussians it took up to one sample in twenty away from its
mode (docs/systems/pacgan.md). BigGAN's authors call the statistics of many batches at fixed weights
standing ones in their published code.
"""

from __future__ import annotations

from collections.abc import Iterable

from minigan.backend import Array
from minigan.layers.base import Layer
from minigan.layers.norm import BatchNorm


def standing_statistics(net: Layer, batches: Iterable[Array]) -> None:
    """Set the running statistics of every BatchNorm in `net` to their mean over `batches`.

    batches: inputs of `net`, (N, ...) each, as many examples in each; one at least, or nothing
    changes. Weights stay as they are. Raises what a forward pass in training raises.
    """
    norms = [layer for _, layer in net.walk() if isinstance(layer, BatchNorm)]
    momenta = [norm.momentum for norm in norms]
    try:
        for i, x in enumerate(batches):
            for norm in norms:
                norm.momentum = 1 / (i + 1)  # the mean of all so far
            net.forward(x, train=True)
    finally:
        for norm, momentum in zip(norms, momenta, strict=True):
            norm.momentum = momentum
