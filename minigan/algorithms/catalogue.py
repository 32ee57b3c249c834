"""The table of algorithms that a name can choose."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from minigan.algorithms.adversarial import dcgan, mlp
from minigan.algorithms.base import Algorithm
from minigan.algorithms.options import Streams, Task
from minigan.errors import UnknownNameError


@dataclass(frozen=True)
class Recipe:
    """An algorithm by name: its options, how it is built, and what it trains on unless told.

    explains: the topics of `minigan explain` that belong to it.
    """

    summary: str
    paper: str
    options: type
    build: Callable[[Any, Task, Streams], Algorithm]
    data: str
    explains: tuple[str, ...]


ALGORITHMS: dict[str, Recipe] = {
    "gan": Recipe(
        summary="Algorithm 1 on perceptrons, for pictures and points",
        paper="Goodfellow et al. 2014, arXiv:1406.2661",
        options=mlp.MLPOptions,
        build=mlp.build,
        data="digits",
        explains=("gan", "loss"),
    ),
    "dcgan": Recipe(
        summary="Algorithm 1 on convolutional networks, for pictures",
        paper="Radford et al. 2016, arXiv:1511.06434",
        options=dcgan.DCGANOptions,
        build=dcgan.build,
        data="kittens",
        explains=("gan", "loss"),
    ),
}


def recipe(name: str) -> Recipe:
    """The recipe of that name. Raises UnknownNameError."""
    if name not in ALGORITHMS:
        raise UnknownNameError("algorithm", name, ALGORITHMS)
    return ALGORITHMS[name]
