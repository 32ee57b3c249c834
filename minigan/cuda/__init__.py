"""Kernels on a CUDA card: launching, compiling, and whole steps as one graph."""

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
