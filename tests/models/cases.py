"""Every network of minigan.models, small: the one table that the tests of networks run over."""

from __future__ import annotations

import inspect
import typing
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from minigan import models
from minigan.layers import Layer

Shape = tuple[int, ...]
Rng = np.random.Generator


@dataclass(frozen=True)
class Network:
    """How a network is built, and the shapes of four examples that go in and come out."""

    function: str
    build: Callable[[Rng], Layer]
    takes: Shape
    gives: Shape
    label: str = ""

    def __str__(self) -> str:
        return f"{self.function} {self.label}".strip()


NETWORKS = [
    Network(
        "mlp_generator",
        lambda r: models.mlp_generator(5, (4, 3, 1), hidden=(8, 7), rng=r),
        (4, 5),
        (4, 4, 3, 1),
        "of pictures",
    ),
    Network(
        "mlp_generator",
        lambda r: models.mlp_generator(5, (2,), hidden=(8,), bounded=False, rng=r),
        (4, 5),
        (4, 2),
        "of points",
    ),
    Network(
        "mlp_discriminator",
        lambda r: models.mlp_discriminator((4, 3, 1), hidden=(6, 5), num_pieces=3, rng=r),
        (4, 4, 3, 1),
        (4, 1),
        "of pictures",
    ),
    Network(
        "mlp_discriminator",
        lambda r: models.mlp_discriminator((2,), hidden=(8, 5), dropout=0.4, rng=r),
        (4, 2),
        (4, 1),
        "of points, with dropout",
    ),
    Network(
        "dcgan_generator",
        lambda r: models.dcgan_generator(6, (16, 24, 3), width=4, rng=r),
        (4, 6),
        (4, 16, 24, 3),
    ),
    Network(
        "dcgan_discriminator",
        lambda r: models.dcgan_discriminator((16, 24, 3), width=4, rng=r),
        (4, 16, 24, 3),
        (4, 1),
    ),
]


def makes_a_network(thing: object) -> bool:
    """Whether it is a function whose result is annotated as a layer."""
    if not inspect.isfunction(thing):
        return False
    made = typing.get_type_hints(thing).get("return")
    return isinstance(made, type) and issubclass(made, Layer)


def exported_networks() -> set[str]:
    """The names of the network functions that minigan.models exports."""
    return {name for name in models.__all__ if makes_a_network(getattr(models, name))}
