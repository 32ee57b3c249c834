"""Our side of a step: Algorithm 1 as `minigan train` builds and runs it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np

from bench.where import CPU, Where
from bench.work import BETA1, DROPOUT, MOMENTUM, PIECES, Z_DIM, Array, Work
from minigan.algorithms import GAN, Streams, Task, recipe
from minigan.backend import (
    DTypeLike,
    device_module,
    keep_freed_memory,
    overwrite,
    to_device,
    to_host,
)
from minigan.cuda import before_each_step, set_precision
from minigan.layers import Dropout
from minigan.parallel import use_threads
from minigan.training.stepper import WARM_UP, Stepper, read

CAPTURED = (1, 3)  # the steps after which both sides are compared


def prepare_process(threads: int, where: Where = CPU) -> None:
    """What a process that trains does once: threads, how it keeps memory, precision on a card."""
    keep_freed_memory()
    use_threads(threads)
    if where.on_card:
        set_precision(where.precision)


def build(work: Work) -> GAN:
    """The algorithm, from the options that its command has."""
    if work.arch == "dcgan":
        given: dict[str, Any] = {"width": work.width, "beta1": BETA1}
    else:
        hidden = (work.width // PIECES,) * 2
        given = {
            "hidden_G": (work.width,) * 2,
            "hidden_D": hidden,
            "pieces": PIECES,
            "dropout": DROPOUT,
            "momentum": MOMENTUM,
        }
    found = recipe({"mlp": "gan"}.get(work.arch, work.arch))
    make: Any = found.options  # its fields are those of its own class
    options = make(lr=work.lr, prior="uniform", z_dim=Z_DIM, **given)
    algorithm = found.build(options, Task(work.shape, "image", 1), Streams(0))
    assert isinstance(algorithm, GAN)
    return algorithm


class OurStep:
    """One step of the algorithm on one batch; on a card captured, unless told otherwise."""

    per_run = 1

    def __init__(self, work: Work, threads: int, where: Where = CPU) -> None:
        prepare_process(threads, where)
        self.work, self.where = work, where
        self.algorithm = build(work).to(where.device)
        self.advance = Stepper(self.algorithm, graph=where.graph)
        self.x = to_device(work.examples(), where.device)
        self.start: dict[str, Array] | None = None  # of every trace that is not given one
        self.notes = {"dropout": [d.p for d in self._dropouts()]}

    def run(self) -> object:
        return self.advance(self.x)

    def weights(self) -> dict[str, Array]:
        """A copy of every parameter, by player and name."""
        return {
            f"{player}.{name}": to_host(p.data).copy()
            for player, net in self.algorithm.networks.items()
            for name, p in net.flat.params.items()
        }

    def trace(self, start: dict[str, Array] | None = None) -> dict[str, Array]:
        """Losses, moments and parameters after the first steps from `start`.

        Unless given, the start is the networks' own, made well conditioned. The optimisers begin
        anew; noise is the work's own; dropout is off, because its masks are each side's own random
        numbers (the rates are compared instead). "0." is the start, "m." and "v." are the moments
        of the optimisers after step 1. A step that is captured is captured before it: what is
        compared is what the graph does.
        """
        algorithm = self.algorithm
        if self.start is None:
            self.start = self._conditioned()
        prior, noise = algorithm.prior, _GivenNoise(self.work, self.where, self.x.dtype)
        algorithm.prior = noise  # type: ignore[assignment]
        rates = [d.p for d in self._dropouts()]
        for d in self._dropouts():
            d.p = 0.0
        advance = Stepper(algorithm, graph=self.where.graph)
        for _ in range(WARM_UP + 1 if self.where.form == "graph" else 0):
            advance(self.x)
        self._begin(start or self.start)
        noise.begin()
        trace = {f"0.{name}": a for name, a in self.weights().items()}
        for step in range(1, CAPTURED[-1] + 1):
            scalars = read(advance(self.x))
            if step in CAPTURED:
                losses = [scalars["loss_D"], scalars["loss_G"]]
                trace[f"{step}.losses"] = np.array(losses, np.float64)
                trace |= {f"{step}.{name}": a for name, a in self.weights().items()}
            if step == 1:
                trace |= self._moments()
        algorithm.prior = prior
        for d, p in zip(self._dropouts(), rates, strict=True):
            d.p = p
        return trace

    @contextmanager
    def computing(self, precision: str) -> Iterator[None]:
        """Compute in another precision inside a `with` block; optimisers begin anew after it."""
        own = self.where.precision
        if precision == own:
            yield
            return
        change = set_precision if self.where.on_card else self._cast
        change(precision)
        try:
            yield
        finally:
            change(own)

    def _cast(self, dtype: str) -> None:
        """Parameters, state and examples in another dtype."""
        if self.start is None:
            self.start = self._conditioned()  # before anything is cast
        for player, net in self.algorithm.networks.items():
            net.astype(dtype)
            optimizer = self.algorithm.optimizers[player]
            optimizer.state = {k: np.zeros_like(net.flat.data) for k in optimizer.state}
        self.x = self.x.astype(dtype)

    def write_trace(self, out: Path, start: Path | None = None) -> None:
        """`trace` from a stored trace's start, into a file."""
        np.savez(out, **self.trace(None if start is None else start_of(start)))  # type: ignore[arg-type]

    def _begin(self, start: dict[str, Array]) -> None:
        for player, net in self.algorithm.networks.items():
            for name, p in net.flat.params.items():
                overwrite(p.data, start[f"{player}.{name}"])
            net.flat.touch()
        for optimizer in self.algorithm.optimizers.values():
            optimizer.load_state_dict(
                {name: np.zeros_like(a) for name, a in optimizer.state_dict().items()}
            )

    def _conditioned(self) -> dict[str, Array]:
        """The weights, a DCGAN's drawn larger for the check: N(0, 0.06^2) for N(0, 0.02^2).

        At 0.02 the first generated pictures are almost constant, and D's batch norm divides their
        small differences, rounding errors among them, by their small size.
        """
        weights = self.weights()
        if self.work.arch != "dcgan":
            return weights
        return {name: 3 * a if a.ndim > 1 and a.shape[-1] > 1 else a for name, a in weights.items()}

    def _moments(self) -> dict[str, Array]:
        """The optimisers' moments of each parameter: after step 1 its gradient, and its square."""
        found = {}
        for player, net in self.algorithm.networks.items():
            state = self.algorithm.optimizers[player].state
            kinds = {"m": state["m"], "v": state["v"]} if "m" in state else {"m": state["v"]}
            for kind, moment in kinds.items():
                for name, place in net.flat.slices.items():
                    a = to_host(moment[place]).reshape(net.flat.params[name].shape)
                    found[f"{kind}.{player}.{name}"] = a.copy()
        return found

    def _dropouts(self) -> list[Dropout]:
        nets = self.algorithm.networks.values()
        return [part for net in nets for _, part in net.walk() if isinstance(part, Dropout)]


class _GivenNoise:
    """A prior whose draws are the work's, one after the other, also in a replayed step."""

    def __init__(self, work: Work, where: Where, dtype: DTypeLike) -> None:
        self._work, self._where, self._dtype = work, where, dtype
        self.begin()

    def begin(self) -> None:
        """The next draw is the first."""
        self._draws = count()

    def draw(self, n: int, rng: Any) -> Array:
        z = device_module(self._where.device).empty((n, Z_DIM), self._dtype)
        before_each_step(lambda: overwrite(z, self._work.noise(next(self._draws))))
        return z


def start_of(path: Path) -> dict[str, Array]:
    """The parameters that a stored trace began with, in the network's order."""
    with np.load(path) as stored:
        return {n.removeprefix("0."): stored[n] for n in stored.files if n.startswith("0.")}
