"""Every operation computes on a card what it computes on the CPU in float64: the whole table.

Errors are relative to the largest number of a result. Sums here have up to some hundred terms:

    float64    rounding, 1e-16 each, in another order               1e-13
    float32    6e-8 each; exp, log and tanh differ in their last bits   1e-5
    tf32       factors are rounded to 10 bits of mantissa, 5e-4 each;
               of products with random signs the errors partly cancel   2e-3
    bf16       to 7 bits, 4e-3 each                                    1.6e-2

Only products and convolutions have a precision; the two below float32 are for float32 arrays.
"""

import importlib
import pkgutil

import numpy as np
import pytest

import minigan.ops
from minigan import cuda
from minigan.backend import on_cuda, to_device, to_host
from minigan.ops import dispatch
from tests.cuda.op_cases import CASES, THROUGH_LAYERS

TOLERANCE = {"fp64": 1e-13, "fp32": 1e-5, "tf32": 2e-3, "bf16": 1.6e-2}
PRODUCTS = ("conv.", "linear.matmul", "linear.add_matmul")
ALL = [
    (name, i, precision)
    for name, cases in CASES.items()
    for i in range(len(cases))
    for precision in TOLERANCE
    if precision in ("fp64", "fp32") or name.startswith(PRODUCTS)
]


def test_every_operation_is_in_the_table():
    for module in pkgutil.iter_modules(minigan.ops.__path__):
        importlib.import_module(f"minigan.ops.{module.name}")
    assert CASES.keys() | THROUGH_LAYERS == dispatch.OPS.keys()


def dispatched(name):
    """The operation as callers see it."""
    family, function = name.split(".")
    return getattr(importlib.import_module(f"minigan.ops.{family}"), function)


def results(name, args, named):
    """What the operation returns, and what it changed in place, on the host."""
    returned = dispatched(name)(*args, **named)
    several = returned if isinstance(returned, tuple) else (returned,)
    arrays = [a for a in (*several, *args) if on_cuda(a) or isinstance(a, np.ndarray | np.generic)]
    return [np.asarray(to_host(a)) for a in arrays]


def wide(value):
    """Float arrays in float64: what the result would be without rounding."""
    if isinstance(value, np.ndarray) and value.dtype == np.float32:
        return value.astype(np.float64)
    return np.float64 if value is np.float32 else value


@pytest.mark.parametrize(("name", "i", "precision"), ALL, ids=str)
def test_an_operation_is_the_cpu_s_in_float64(name, i, precision, device):
    if precision in ("tf32", "bf16"):
        cuda.set_precision(precision)
    dtype = np.float64 if precision == "fp64" else np.float32
    args, named = CASES[name][i](dtype)
    moved = tuple(to_device(a, device) if isinstance(a, np.ndarray) else a for a in args)
    exact = results(name, tuple(wide(a) for a in args), named)
    ours = results(name, moved, named)
    assert len(ours) == len(exact)
    for a, b in zip(ours, exact, strict=True):
        assert a.shape == b.shape
        if b.dtype.kind != "f":
            np.testing.assert_array_equal(a, b)
            continue
        assert a.dtype in (dtype, np.float64)
        error = np.abs(a - b).max(initial=0) / max(np.abs(b).max(initial=0), 1e-30)
        assert error < TOLERANCE[precision], f"relative error {error:.1e}"
