"""One step of training after another, on the device that the run is for.

On a card the first steps run one operation at a time, which compiles every kernel and moves what
has to be there; then the step is captured as a graph (minigan/cuda/graph.py) and replayed. Both
compute the same to the bit.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable
from typing import Any

from minigan.algorithms import Algorithm
from minigan.algorithms.base import Scalars
from minigan.backend import Array, to_device, to_host
from minigan.cuda import StepGraph

WARM_UP = 2  # steps of a kind before its capture: optimisers and averages have all run then


class Stepper:
    """Calls `algorithm.step` with arrays of the host: examples, and labels where it takes some.

    `graph` says whether a card may capture.
    """

    def __init__(self, algorithm: Algorithm, *, graph: bool = True) -> None:
        self.algorithm = algorithm
        self._captures = graph and algorithm.device != "cpu"
        self._seen: Counter[Hashable] = Counter()
        self._graphs: dict[Hashable, StepGraph] = {}

    def __call__(self, *arrays: Array) -> Scalars:
        """One step; its scalars are read by `read`, and overwritten by the next step.

        Raises CaptureError where the step cannot be captured.
        """
        arrays = tuple(to_device(array, self.algorithm.device) for array in arrays)
        if not self._captures:
            return self.algorithm.step(*arrays)
        kind = self.algorithm.step_kind
        if kind in self._graphs:
            return self._graphs[kind](*arrays)
        self._seen[kind] += 1
        if self._seen[kind] <= WARM_UP:
            return self.algorithm.step(*arrays)
        graph = StepGraph(self.algorithm.step, *arrays, constants=kind is not None)
        self._graphs[kind] = graph
        return graph(*arrays)

    @property
    def captured(self) -> int:
        """How many kinds of steps are graphs by now."""
        return len(self._graphs)


def read(scalars: Scalars) -> dict[str, Any]:
    """The scalars of a step as numbers of the host. On a card this waits for the step to end."""
    return {name: float(to_host(value)) for name, value in scalars.items()}
