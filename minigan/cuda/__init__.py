"""Kernels on a CUDA card: launching, compiling, and whole steps as one graph.

What is deterministic: everything, on one kind of card. Each kernel adds in an order that depends on
sizes alone, none uses atomic additions, noise is a function of a counter, and a captured step does
what the eager one does: a run leaves the same bits each time, so there is no switch to set. What is
left to plain CuPy (sums over axes of small arrays, element-wise arithmetic) is as deterministic,
but its order of addition may change with the card or with CuPy's version. A card and the CPU differ
by rounding, which training multiplies.
"""

from minigan.cuda.graph import StepGraph, before_each_step, step_value
from minigan.cuda.launcher import Runtime, current_runtime, launch, use_runtime
from minigan.cuda.precision import PRECISIONS, precision, set_precision

__all__ = [
    "PRECISIONS",
    "Runtime",
    "StepGraph",
    "before_each_step",
    "current_runtime",
    "launch",
    "precision",
    "set_precision",
    "step_value",
    "use_runtime",
]
