"""What each network of a run is given: the shape and dtype of its inputs, which no layer declares.

A network is watched while samples are drawn, and then in a step of training. An algorithm that
trains in stages runs some networks in some stages only, so a step of each is looked at, until one
is found that runs the network.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from minigan.algorithms import Algorithm
from minigan.algorithms.conditional.base import Conditional, Relabelling, uniform_labels
from minigan.algorithms.latent import Latent
from minigan.algorithms.translation.base import Translating
from minigan.backend import Array, make_rng
from minigan.data import Dataset, Loader
from minigan.errors import OptionError
from minigan.layers import Layer
from minigan.models.stylegan import StyleGenerator
from minigan.training.config import Config
from minigan.training.labels import conditions
from minigan.training.labels import inputs as inputs_of

Input = tuple[tuple[int, ...], np.dtype[Any]]  # shape without the batch, and dtype
Inputs = dict[str, Input]
FLOAT = np.dtype(np.float32)


class AsNew(NamedTuple):
    """A run whose networks are built and untrained, on the CPU."""

    config: Config
    dataset: Dataset
    algorithm: Algorithm


class Fed(NamedTuple):
    """A network's inputs by their names, and after how many steps it first takes part in one."""

    inputs: Inputs
    start: int


def networks(algorithm: Algorithm) -> dict[str, Layer]:
    """The networks by name, and the ways from picture to picture that are made of several."""
    ways = algorithm.translators if isinstance(algorithm, Translating) else {}
    return {**algorithm.networks, **ways}


def fed(run: AsNew, network: str) -> Fed:
    """What a network is given: as it says itself, or as samples or a training step give it.

    Steps may be made and skipped, so weights and counts move: `run` is to be restored afterwards.
    Raises OptionError for a network that nothing runs whole, DataError for one that only a step
    runs and data that is gone.
    """
    algorithm = run.algorithm
    net = networks(algorithm)[network]
    if isinstance(net, StyleGenerator):
        sizes = {"z": (algorithm.prior.dim,), "noise": (net.synthesis.pixels,)}  # type: ignore[attr-defined]
        return Fed({name: (size, FLOAT) for name, size in sizes.items()}, 0)
    if isinstance(algorithm, Translating) and (
        network in algorithm.translators
        and (algorithm.prior is not None or network not in algorithm.networks)
    ):
        return Fed(_of_way(algorithm, network), 0)
    asked = isinstance(algorithm, Conditional)  # then G takes a z
    if isinstance(algorithm, Relabelling) and network == "G" and not asked:
        classes = sum(map(len, algorithm.label_names.values()))
        return Fed({"x": (run.dataset.shape, FLOAT), "c": ((classes,), FLOAT)}, 0)
    seen, start = _recorded(run, net)
    if not seen and network == "D":  # its parts are run one by one
        seen = [(run.dataset.shape, FLOAT)]
    if not seen:
        others = sorted({*networks(algorithm)} - {network})
        raise OptionError(
            f"neither a sample nor a step of {run.config.algorithm} as it was trained runs "
            f"{network} whole, so it cannot be exported; its other networks are {', '.join(others)}"
        )
    if len(seen) > 1:
        return Fed({f"input_{i}": one for i, one in enumerate(seen)}, start)
    of_z = network.removeprefix("earlier_") == "G" and isinstance(algorithm, Latent)
    return Fed({"z" if of_z else "x": seen[0]}, start)


def _of_way(algorithm: Translating, network: str) -> Inputs:
    """What a generator of pictures takes: a picture, and a z where there is one."""
    h, w, *channels = (int(side) for side in algorithm.sides)
    given: Inputs = {"x": ((h, w, channels[network == "F"]), FLOAT)}
    return given if algorithm.prior is None else given | {"z": ((algorithm.prior.dim,), FLOAT)}


def _recorded(run: AsNew, net: Layer) -> tuple[list[Input], int]:
    """What `net` first gets, and after how many steps; nothing if no stage runs it."""
    seen: list[Input] = []
    forward = net.forward

    def recording(*xs: Array, **how: Any) -> Any:
        if not seen:
            seen.extend((x.shape[1:], x.dtype) for x in xs)
        return forward(*xs, **how)

    net.forward = recording  # type: ignore[method-assign]  # of this object, and in this function
    try:
        _sample(run.algorithm)
        if seen:
            return seen, 0
        for start in run.algorithm.stage_starts:
            run.algorithm.skip_to(start)
            step(run)
            if seen:
                return seen, start
    finally:
        del net.forward
    return [], 0


def _sample(algorithm: Algorithm) -> None:
    """Two samples, of any classes, which take no data; nothing where there is no latent z."""
    rng = make_rng(0)
    if isinstance(algorithm, Conditional):
        z = algorithm.prior.draw(2, rng)
        algorithm.generate(z, uniform_labels(algorithm.label_names, 2, rng))
    elif isinstance(algorithm, Latent):
        algorithm.sample(2, rng)


def step(run: AsNew) -> None:
    """A step of training on the run's data."""
    batch = run.config.run.batch * run.algorithm.minibatches
    with Loader(run.dataset, batch, seed=0) as loader:
        run.algorithm.step(*inputs_of(loader.batch(0), conditions(run.config, run.dataset)))
