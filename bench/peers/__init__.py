"""PyTorch's side of the work, written as a good PyTorch user writes it."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

# The ways of `choose`, fixed: what a script does without a thought, and what PyTorch advises.
PLAIN = MappingProxyType({"layout": "contiguous", "optimizer": "default"})
TUNED = MappingProxyType({"layout": "channels_last", "optimizer": "fused"})


class Peer(NamedTuple):
    """A way of running the same step in PyTorch."""

    frozen: bool  # D, while G is updated
    compiled: bool
    says: str
    devices: tuple[str, ...] = ("cpu",)
    on_card: Mapping[str, str] = TUNED  # its ways there; on the CPU they are measured
    graphed: bool = False
    reads: bool = True  # the losses, after every step on a card; on the CPU they are there


PEERS = {
    "torch": Peer(
        frozen=False,
        compiled=False,
        devices=("cpu", "cuda"),
        on_card=PLAIN,
        says="eager PyTorch, the usual script: the generator's loss is backpropagated through D, "
        "whose weight gradients are computed there and thrown away. On a card with its defaults: "
        "contiguous, the default optimiser, losses read after every step",
    ),
    "torch-frozen": Peer(
        frozen=True,
        compiled=False,
        says="eager PyTorch, tuned: D.requires_grad_(False) during the generator's update, so "
        "that no gradient is computed which nobody reads",
    ),
    "torch-compile": Peer(
        frozen=False,
        compiled=True,
        devices=("cpu", "cuda"),
        reads=False,
        says="the usual script with both networks under torch.compile; on a card channels last, "
        "with `cudnn.benchmark` and the fused optimiser, losses left there",
    ),
    "torch-tuned": Peer(
        frozen=True,
        compiled=False,
        devices=("cuda",),
        reads=False,
        says="on a card: channels last, `cudnn.benchmark`, the fused optimiser, D frozen during "
        "the generator's update, losses left on the card",
    ),
    "torch-graph": Peer(
        frozen=True,
        compiled=False,
        devices=("cuda",),
        graphed=True,
        reads=False,
        says="`torch-tuned`, the whole step with its noise in one CUDA graph of PyTorch's",
    ),
}
