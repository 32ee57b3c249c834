"""Where both sides compute, and how exactly: a device and its precision."""

from __future__ import annotations

from typing import NamedTuple

from bench.errors import BenchError
from minigan.cuda import PRECISIONS

ALLOWED = {"cpu": ("float32",), "cuda": PRECISIONS}  # the first is a device's own


class Where(NamedTuple):
    """A device; the precision of products there; whether our step is captured as a graph."""

    device: str = "cpu"
    precision: str = "float32"
    graph: bool = True

    @classmethod
    def of(cls, device: str, precision: str | None = None, graph: bool = True) -> Where:
        """The device's own precision unless given. Raises BenchError for what cannot be."""
        if device not in ALLOWED:
            raise BenchError(
                f"unknown device {device!r}; known: {', '.join(ALLOWED)}; "
                "which card that is says CUDA_VISIBLE_DEVICES"
            )
        allowed = ALLOWED[device]
        if precision is not None and precision not in allowed:
            raise BenchError(
                f"--precision {precision} of --device {device}: allowed there: {', '.join(allowed)}"
            )
        if not graph and device == "cpu":
            raise BenchError("--no-graph is for --device cuda: on the CPU nothing is captured")
        return cls(device, precision or allowed[0], graph)

    @property
    def on_card(self) -> bool:
        return self.device != "cpu"

    @property
    def form(self) -> str:
        """How our step is run, as rows tell it."""
        if not self.on_card:
            return ""
        return "graph" if self.graph else "eager"


CPU = Where()
