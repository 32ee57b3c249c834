"""`bench robustness`: random architectures under GAN and under WGAN-GP (Gulrajani et al. 2017).

The paper draws 200 architectures, trains each on 32x32 ImageNet with either objective and counts
how many reach an inception score (section 5.1, table 2). Here they are perceptrons on the ring of 8
and the score is modes captured times the share of high-quality samples, 0 to 8: 1 for a generator
that sits on one mode, 0.05 for uniform noise. An architecture succeeds above THRESHOLD; as in the
paper the counts stand beside those above other scores.

Both objectives of an architecture have the same networks, initial weights, optimiser and number of
steps of G; WGAN-GP takes five steps of D to each, and has its penalty of weight 0.1, which its
authors' published code has for points (10 for pictures).
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from bench.commands import block
from bench.tables import table
from minigan.algorithms.options import AdversarialOptions, Streams, Task
from minigan.backend import make_rng
from minigan.data import Loader, open_data
from minigan.data.mixtures import Mixture
from minigan.errors import MiniganError
from minigan.layers import (
    BatchNorm,
    Dense,
    Identity,
    Layer,
    LayerNorm,
    LeakyReLU,
    ReLU,
    Sequential,
    Tanh,
)
from minigan.metrics.modes import mixture_modes
from minigan.streams import Purpose

OBJECTIVES: dict[str, dict[str, Any]] = {
    "gan": {"objective": "non-saturating"},
    "wgan-gp": {"objective": "wasserstein", "penalty": "wgan-gp", "penalty_weight": 0.1, "k": 5},
}
PUBLISHED = {"only GAN": 0, "only WGAN-GP": 147, "both": 42, "neither": 11}  # of 200, score > 5.0
THRESHOLD = 2.0
THRESHOLDS = (0.25, 0.5, 1.0, THRESHOLD, 4.0)
STEPS, BATCH, SAMPLES, Z = 1500, 64, 2500, 2

ACTIVATIONS = {"relu": ReLU, "leaky-relu": lambda: LeakyReLU(negative_slope=0.2), "tanh": Tanh}
NORMS_G = {"none": lambda n: Identity(), "batch": lambda n: BatchNorm(n)}
NORMS_D = {"none": lambda n: Identity(), "layer": lambda n: LayerNorm((n,))}


@dataclass(frozen=True)
class Architecture:
    """What is drawn; the number gives it, so that a longer sweep begins with a shorter one's."""

    depth_G: int
    depth_D: int
    width_G: int
    width_D: int
    norm_G: str
    norm_D: str
    activation_G: str
    activation_D: str
    lr: float
    beta1: float

    @classmethod
    def drawn(cls, number: int) -> Architecture:
        """Each part uniform among its choices, the rate uniform in its logarithm."""
        rng = make_rng(0, Purpose.ARCHITECTURES, number)

        def one(choices: Iterable[Any]) -> Any:
            choices = list(choices)
            return choices[int(rng.integers(len(choices)))]

        return cls(
            depth_G=one((1, 2, 3, 4)),
            depth_D=one((1, 2, 3, 4)),
            width_G=one((32, 64, 128)),
            width_D=one((32, 64, 128)),
            norm_G=one(NORMS_G),
            norm_D=one(NORMS_D),
            activation_G=one(ACTIVATIONS),
            activation_D=one(ACTIVATIONS),
            lr=float(np.round(10 ** rng.uniform(-3.3, -2.3), 6)),
            beta1=one((0.0, 0.5, 0.9)),
        )

    def __str__(self) -> str:
        return (
            f"G {self.depth_G}x{self.width_G} {self.activation_G} {self.norm_G}, "
            f"D {self.depth_D}x{self.width_D} {self.activation_D} {self.norm_D}, "
            f"lr {self.lr:.2g}, beta1 {self.beta1}"
        )

    def networks(self, rng: np.random.Generator) -> tuple[Sequential, Sequential]:
        """G and D, with weights of rng."""
        parts_G = self.depth_G, self.width_G, ACTIVATIONS[self.activation_G], NORMS_G[self.norm_G]
        parts_D = self.depth_D, self.width_D, ACTIVATIONS[self.activation_D], NORMS_D[self.norm_D]
        return _perceptron(Z, 2, *parts_G, rng), _perceptron(2, 1, *parts_D, rng)


@dataclass(frozen=True)
class RobustnessCase:
    """One architecture under one objective."""

    number: int
    objective: str
    steps: int = STEPS

    @property
    def key(self) -> str:
        return f"{self.number:03d}-{self.objective}-{self.steps}"

    def play(self) -> dict[str, Any]:
        """Train and score; numbers that run away score 0."""
        architecture = Architecture.drawn(self.number)
        ring = open_data("ring")
        assert isinstance(ring, Mixture)
        streams = Streams(self.number)
        G, D = architecture.networks(streams.weights)
        options = AdversarialOptions.of(
            **OBJECTIVES[self.objective], lr=architecture.lr, beta1=architecture.beta1, z_dim=Z
        )
        gan = options.build_game(G, D, Task((2,), "points", self.steps), streams)
        before, error, score = time.process_time(), None, 0.0
        try:
            with (
                Loader(ring, BATCH * gan.minibatches, seed=self.number) as loader,
                np.errstate(all="ignore"),
            ):
                for step in range(self.steps):
                    gan.step(loader.batch(step).x)
            x = gan.sample(SAMPLES, make_rng(self.number, Purpose.PICTURES))
            counted = mixture_modes(x, ring.centres, ring.sigma)
            score = counted.modes * counted.high_quality
        except MiniganError as runaway:
            error = str(runaway)
        return {
            "number": self.number,
            "objective": self.objective,
            "steps": self.steps,
            "architecture": asdict(architecture),
            "score": score,
            "error": error,
            "seconds": time.process_time() - before,
        }


def _perceptron(
    fan_in: int, fan_out: int, depth: int, width: int, activation: Any, norm: Any, rng: Any
) -> Sequential:
    layers: list[Layer] = []
    for _ in range(depth):
        layers += [Dense(fan_in, width, rng=rng), norm(width), activation()]
        fan_in = width
    return Sequential(*layers, Dense(fan_in, fan_out, init="glorot_uniform", rng=rng))


def counts(scores: dict[int, dict[str, float]], threshold: float = THRESHOLD) -> dict[str, int]:
    """The paper's four counts, of scores by architecture and objective."""
    found = dict.fromkeys(PUBLISHED, 0)
    names = {
        (True, False): "only GAN",
        (False, True): "only WGAN-GP",
        (True, True): "both",
        (False, False): "neither",
    }
    for own in scores.values():
        found[names[own["gan"] > threshold, own["wgan-gp"] > threshold]] += 1
    return found


def section(results: Iterable[dict[str, Any]], out: Path) -> str:
    """The section of RESULTS.md."""
    results = list(results)
    text = f"""## Robustness

Protocol: the docstring of `bench/robustness.py`. Random architectures trained as GAN and as
WGAN-GP, each from one seed; success is a score above {THRESHOLD:g}. Beside ours stand the paper's
counts, of 200 architectures on pictures with another score: compare the order, not the numbers."""
    for steps in sorted({r["steps"] for r in results}):
        scores: dict[int, dict[str, float]] = {}
        for r in (r for r in results if r["steps"] == steps):
            scores.setdefault(r["number"], {})[r["objective"]] = r["score"]
        whole = {n: own for n, own in scores.items() if own.keys() == OBJECTIVES.keys()}
        if not whole:
            continue
        total = sum(PUBLISHED.values())
        found = {threshold: counts(whole, threshold) for threshold in THRESHOLDS}
        lines = [
            [
                name,
                *(str(found[threshold][name]) for threshold in THRESHOLDS),
                f"{published} of {total}",
            ]
            for name, published in PUBLISHED.items()
        ]
        head = ["succeeded", *(f"above {threshold:g}" for threshold in THRESHOLDS), "published"]
        text += f"\n\n### {len(whole)} architectures, {steps:,} steps of G\n\n"
        text += block([f"robustness --n {max(whole) + 1} --steps {steps}"]) + "\n\n"
        text += table(head, lines) + "\n\n" + _verdict(found[THRESHOLD])
        each = [
            [str(n), str(Architecture.drawn(n)), f"{own['gan']:.2f}", f"{own['wgan-gp']:.2f}"]
            for n, own in sorted(whole.items())
        ]
        text += "\n\n" + table(["", "architecture", "GAN's score", "WGAN-GP's"], each)
    return text


def _verdict(found: dict[str, int]) -> str:
    alone, other = found["only WGAN-GP"], found["only GAN"]
    if alone > other:
        return (
            f"As in the paper, more architectures succeed only with WGAN-GP than only with GAN: "
            f"above {THRESHOLD:g}, {alone} and {other}, from one seed each."
        )
    return (
        f"Differs from the paper above {THRESHOLD:g}: {other} architectures succeed with GAN alone "
        f"and {alone} with WGAN-GP alone; there it was 0 and 147."
    )
