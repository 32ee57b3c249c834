"""Small games of MidiNet, here and in PyTorch, with the same weights."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from minigan.algorithms.catalogue import recipe
from minigan.algorithms.options import Streams, Task
from minigan.algorithms.sequence.midinet import MidiNet
from minigan.backend import make_rng
from minigan.prior import Prior
from tests.oracles import midinet_twin as twins

Array = np.ndarray
STEPS, PITCHES = 8, 5  # of a bar
LABEL_NAMES = {
    "root": tuple("abcdefghijkl"),
    "mode": ("major", "minor"),
    **{f"before {i + 1}": (*map(str, range(PITCHES)), "rest") for i in range(STEPS)},
}
SMALL = {"z_dim": 3, "width": 6, "conditioner": 2, "hidden": 7, "lr": 1e-3}


def labels_of(n: int, rng: np.random.Generator) -> Array:
    """Any chord after any bar, or after none."""
    chords = np.stack([rng.integers(12, size=n), rng.integers(2, size=n)], 1)
    before = rng.integers(PITCHES, size=(n, STEPS))
    before[rng.random(n) < 0.3] = PITCHES
    return np.concatenate([chords, before], 1)


@dataclass(frozen=True)
class Case:
    """MidiNet with options, on bars of STEPS x PITCHES."""

    options: dict[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        return " ".join(f"{k}={v}" for k, v in self.options.items()) or "as it is"

    @property
    def chosen(self) -> Any:
        return recipe("midinet").options.of(**SMALL | self.options)

    @property
    def task(self) -> Task:
        shape = (STEPS, PITCHES, 1)
        return Task(shape, "bars", 10, label_names=LABEL_NAMES, labels=labels_of)

    def batch(self, n: int, seed: int, dtype: Any = np.float64) -> tuple[Array, Array]:
        rng = make_rng(seed)
        pitch = rng.integers(PITCHES, size=(n, STEPS))
        x = (pitch[..., None] == np.arange(PITCHES)).astype(dtype)[..., None]
        return x, labels_of(n, rng)

    def ours(self, seed: int = 0, dtype: Any = np.float64) -> MidiNet:
        """As `build` makes it; in another dtype, with what depends on it made again."""
        o, task = self.chosen, self.task
        made: MidiNet = recipe("midinet").build(o, task, Streams(seed))  # type: ignore[assignment]
        for name, net in made.networks.items():
            net.astype(dtype)
            # Weights of 0.02 leave gradients too small to tell a fault from rounding.
            net.flat.load(net.flat.data + 0.2 * make_rng(7, seed).standard_normal(net.flat.size))
            made.optimizers[name] = o.build_optimizer(net.flat, task)  # type: ignore[index]
        made.prior = Prior(o.prior, o.z_dim, dtype)
        made.rng = make_rng(seed, 1)
        return made

    def theirs(self, ours: MidiNet, seed: int = 0) -> twins.TwinMidiNet:
        """With the weights of `ours`."""
        o, shape = self.chosen, (STEPS, PITCHES)
        G = twins.Generator(o.chords, o.z_dim, shape, o.width, o.conditioner, o.hidden).double()
        D = twins.Discriminator(o.chords, shape, o.width // 2, o.hidden).double()
        for net, own in ((G, ours.G), (D, ours.D)):
            twins.load(net, {k: p.data for k, p in own.params.items()} | own.buffers)
        lambdas = (o.lambda_1, o.lambda_2)
        rng = make_rng(seed, 1)
        return twins.TwinMidiNet(G, D, o.lr, lambdas, o.label_smoothing, o.updates_G, o.z_dim, rng)
