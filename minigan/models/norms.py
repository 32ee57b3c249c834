"""The norms that a network can be built with, by name."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from minigan import init as initializers
from minigan.backend import Array
from minigan.errors import OptionError, UnknownNameError
from minigan.layers import (
    BatchNorm,
    Identity,
    InstanceNorm,
    Layer,
    LayerNorm,
    Pack,
    ReferenceBatch,
    Sequential,
    VirtualBatchNorm,
)

Shape = tuple[int, ...]


class Norms:
    """Makes the norm layers of one network, all of the kind `name`, and the network around them.

    reference: the examples of "reference" and "virtual" (layers/reference.py), which the other
    kinds do not look at. `pac` of the network's examples are joined before its first layer, those
    of the reference too. `init` draws the scales of norms over a batch. Raises UnknownNameError,
    and OptionError for a reference that is missing or that `pac` does not divide.
    """

    def __init__(
        self,
        name: str,
        *,
        reference: Array | None = None,
        pac: int = 1,
        init: str | initializers.Initializer = "ones",
        rng: np.random.Generator,
    ) -> None:
        if name not in NORMS:
            raise UnknownNameError("norm", name, NORMS)
        self.name, self.init, self.rng = name, init, rng
        self.packing: list[Layer] = [Pack(pac)] if pac > 1 else []
        self.reference: Array | None = None
        if name in WITH_REFERENCE:
            if reference is None:
                raise OptionError(f"norm {name!r} needs a reference batch: give reference=examples")
            if len(reference) % pac or len(reference) < 2 * pac:
                raise OptionError(
                    f"a reference batch of {len(reference)} examples cannot be split into 2 or "
                    f"more packs of {pac} (--reference-batch)"
                )
            self.reference, _ = Sequential(*self.packing).forward(reference)

    @property
    def bias(self) -> bool:
        """Whether the layer below needs a bias: a norm takes it out, and has its own."""
        return self.name == "none"

    def after(self, *shape: int) -> Layer:
        """The norm of outputs (N, *shape). Raises OptionError for a kind that they cannot have."""
        if self.name == "instance" and len(shape) == 1:
            raise OptionError(
                "instance norm is over the places of a picture; dense units have none"
            )
        return NORMS[self.name](self, shape)

    def network(self, *layers: Layer) -> Sequential:
        """The layers as a network, with the reference in front of each minibatch if it has one."""
        if self.reference is None:
            return Sequential(*self.packing, *layers)
        return Sequential(*self.packing, ReferenceBatch(Sequential(*layers), self.reference))


def _batch(norms: Norms, shape: Shape) -> Layer:
    return BatchNorm(shape[-1], init=norms.init, rng=norms.rng)


def _virtual(norms: Norms, shape: Shape) -> Layer:
    assert norms.reference is not None
    return VirtualBatchNorm(shape[-1], len(norms.reference), init=norms.init, rng=norms.rng)


NORMS: dict[str, Callable[[Norms, Shape], Layer]] = {
    "batch": _batch,
    "reference": _batch,
    "virtual": _virtual,
    "instance": lambda norms, shape: InstanceNorm(shape[-1], affine=True),
    "layer": lambda norms, shape: LayerNorm(shape),
    "none": lambda norms, shape: Identity(),
}
WITH_REFERENCE = ("reference", "virtual")
