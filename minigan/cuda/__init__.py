"""Kernels on a CUDA card: launching, compiling, and whole steps as one graph."""

from minigan.cuda.launcher import Runtime, current_runtime, launch, use_runtime
from minigan.cuda.precision import PRECISIONS, precision, set_precision

__all__ = [
    "PRECISIONS",
    "Runtime",
    "current_runtime",
    "launch",
    "precision",
    "set_precision",
    "use_runtime",
]
