"""PyTorch's side of the work, written as a good PyTorch user writes it."""

from __future__ import annotations

from typing import NamedTuple


class Peer(NamedTuple):
    """A way of running the same step in PyTorch."""

    frozen: bool
    compiled: bool
    says: str


PEERS = {
    "torch": Peer(
        frozen=False,
        compiled=False,
        says="eager PyTorch, the usual script: the generator's loss is backpropagated through D, "
        "whose weight gradients are computed there and thrown away",
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
        says="the usual script with both networks under torch.compile",
    ),
}
