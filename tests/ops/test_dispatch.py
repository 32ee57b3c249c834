"""An operation finds its CUDA version by name, both have one signature, and none is missed."""

import importlib
import inspect
import pkgutil

import numpy as np
import pytest

import minigan.ops
import minigan.ops.cuda
from minigan import backend, optim
from minigan.errors import NoCudaError
from minigan.ops import dispatch

# The update rules, whose CPU versions are methods of minigan/optim.py.
RULES = {rule.card_rule for rule in (optim.SGD, optim.Momentum, optim.RMSProp, optim.Adam)}
OPS_MODULES = {m.name for m in pkgutil.iter_modules(minigan.ops.__path__)}
for _name in OPS_MODULES:
    importlib.import_module(f"minigan.ops.{_name}")
CUDA_MODULES = sorted(
    {m.name for m in pkgutil.iter_modules(minigan.ops.cuda.__path__)} & OPS_MODULES
)


class Elsewhere(np.ndarray):
    """An array that counts as a device's."""


@pytest.fixture
def elsewhere(monkeypatch):
    monkeypatch.setitem(backend._device_arrays, Elsewhere, object())
    return np.ones(3).view(Elsewhere)


def test_both_sides_have_one_signature():
    for family in CUDA_MODULES:
        module = importlib.import_module(f"minigan.ops.cuda.{family}")
        for name, function in inspect.getmembers(module, inspect.isfunction):
            if name.startswith("_") or function.__module__ != module.__name__:
                continue
            if f"{family}.{name}" in RULES:
                continue
            here = dispatch.OPS.get(f"{family}.{name}")
            assert here is not None, f"ops/cuda/{family}.py: {name} answers for no @op"
            assert inspect.signature(function) == inspect.signature(here), f"{family}.{name}"


def test_an_operation_on_the_host_is_the_function_itself(monkeypatch, elsewhere):
    monkeypatch.setattr(dispatch, "OPS", {})

    @dispatch.op
    def double(x, times=2):
        """Twice."""
        return x * times

    assert double(3.0) == 6
    assert double(np.ones(2), times=5).tolist() == [5, 5]
    assert double.__doc__ == "Twice."
    name = f"{__name__.rpartition('.')[2]}.double"
    assert list(dispatch.OPS) == [name]
    with pytest.raises(NoCudaError, match=rf"{name} has no CUDA version.*--device cpu"):
        double(elsewhere)


def test_an_array_elsewhere_goes_to_the_function_of_that_name(monkeypatch, elsewhere):
    monkeypatch.setattr(dispatch, "OPS", {})

    @dispatch.op
    def double(x, times=2):
        raise AssertionError

    class Module:
        @staticmethod
        def double(x, times=2):
            return "there", times

    monkeypatch.setattr(dispatch, "_cuda_module", lambda family: Module)
    assert double(elsewhere, times=7) == ("there", 7)


def test_a_plain_operation_runs_where_its_array_is(monkeypatch, elsewhere):
    monkeypatch.setattr(dispatch, "OPS", {})
    monkeypatch.setattr(dispatch, "PLAIN", set())

    @dispatch.op(plain=True)
    def double(x):
        return x * 2

    assert type(double(elsewhere)) is Elsewhere
    assert set(dispatch.OPS) == dispatch.PLAIN


def test_an_error_inside_a_cuda_module_is_not_taken_for_its_absence(monkeypatch):
    def missing(name):
        raise ModuleNotFoundError("no", name="something_else")

    monkeypatch.setattr(dispatch, "import_module", missing)
    with pytest.raises(ModuleNotFoundError):
        dispatch._cuda_module.__wrapped__("linear")


def test_what_runs_as_plain_cupy_says_so():
    for name in dispatch.PLAIN:
        assert "plain CuPy" in (inspect.getdoc(dispatch.OPS[name]) or ""), name
