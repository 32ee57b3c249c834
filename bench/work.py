"""The work that both sides do: one training iteration of Algorithm 1 on given shapes.

Examples, noise and hyperparameters are functions of this description alone, so that two processes
which share nothing else start from the same numbers.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

import numpy as np

from bench.errors import BenchError

Array = np.ndarray

PIECES = 5  # linear pieces of a maxout unit
DROPOUT = 0.5
Z_DIM = 100
BETA1 = 0.5  # Adam, for dcgan
MOMENTUM = 0.5  # for mlp


class Arch(NamedTuple):
    """What an architecture has unless told; the values are those of its paper."""

    channels: int
    size: int
    width: int
    lr: float
    width_means: str


ARCHS = {
    "dcgan": Arch(3, 64, 64, 2e-4, "channels next to the picture"),
    "mlp": Arch(1, 28, 1200, 0.1, "units of each hidden layer, before maxout in D"),
}


@dataclass(frozen=True, kw_only=True)
class Work:
    """One step: an architecture, its size and width, the batch, the learning rate."""

    arch: str
    size: int
    width: int
    batch: int
    lr: float

    @classmethod
    def of(
        cls, arch: str, size: int | None = None, width: int | None = None, batch: int = 64
    ) -> Work:
        """The work, with the architecture's defaults. Raises BenchError for what cannot be."""
        if arch not in ARCHS:
            raise BenchError(f"unknown architecture {arch!r}; known: {', '.join(ARCHS)}")
        default = ARCHS[arch]
        work = cls(
            arch=arch,
            size=default.size if size is None else size,
            width=default.width if width is None else width,
            batch=batch,
            lr=default.lr,
        )
        work.check()
        return work

    def check(self) -> None:
        if min(self.size, self.width) < 1 or self.batch < 1:
            raise BenchError("--size, --width and --batch must be at least 1")
        if self.arch == "dcgan" and (self.halvings < 1 or self.base << self.halvings != self.size):
            raise BenchError(
                f"--size {self.size}: dcgan halves a picture down to 4 to 7 pixels; "
                "use 16, 32, 64 or 128"
            )
        if self.arch == "mlp" and self.width % PIECES:
            raise BenchError(f"--width {self.width} of mlp must be a multiple of {PIECES}")

    @classmethod
    def from_json(cls, fields: dict[str, Any]) -> Work:
        return cls(**fields)

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    def __str__(self) -> str:
        return f"{self.arch}, size {self.size}, width {self.width}, batch {self.batch}"

    @property
    def shape(self) -> tuple[int, int, int]:
        """(H, W, C) of one example."""
        return self.size, self.size, ARCHS[self.arch].channels

    @property
    def halvings(self) -> int:
        """How often a DCGAN halves its picture until at most 7 pixels are left."""
        n, side = 0, self.size
        while side > 7:
            side, n = side // 2, n + 1
        return n

    @property
    def base(self) -> int:
        """Pixels of the smallest picture within a DCGAN."""
        return self.size >> self.halvings

    def examples(self) -> Array:
        """One batch (N, H, W, C) in [-1, 1]."""
        rng = np.random.default_rng([1, self.batch, self.size])
        return rng.uniform(-1, 1, (self.batch, *self.shape)).astype(np.float32)

    def noise(self, draw: int) -> Array:
        """z (N, 100) of the given draw, for the check that both sides compute the same."""
        rng = np.random.default_rng([2, self.batch, draw])
        return rng.uniform(-1, 1, (self.batch, Z_DIM)).astype(np.float32)
