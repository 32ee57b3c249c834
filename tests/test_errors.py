"""Errors that a user can act on: their family, and what they say."""

import inspect

import pytest

from minigan import errors
from minigan.errors import MiniganError, ShapeError, UnknownNameError

ALL = [
    cls
    for cls in vars(errors).values()
    if inspect.isclass(cls) and issubclass(cls, Exception) and cls.__module__ == errors.__name__
]

# What a caller who knows only Python catches.
BUILTIN = {
    "MiniganError": Exception,
    "ShapeError": ValueError,
    "OptionError": ValueError,
    "UnknownNameError": KeyError,
    "DataError": ValueError,
    "CheckpointError": Exception,
    "StaleContextError": RuntimeError,
    "NoSecondDerivativeError": NotImplementedError,
    "NonFiniteError": ArithmeticError,
    "DeviceError": RuntimeError,
    "KernelError": RuntimeError,
    "CaptureError": RuntimeError,
    "NoCudaError": NotImplementedError,
}


@pytest.mark.parametrize("cls", ALL, ids=lambda cls: cls.__name__)
def test_every_error_is_one_of_minigan_and_of_python(cls: type[Exception]) -> None:
    assert issubclass(cls, MiniganError)
    assert issubclass(cls, BUILTIN[cls.__name__])


def test_a_shape_error_gets_its_path() -> None:
    error = ShapeError("Dense(2, 3) wanted (N, 2)").within("1").within("Sequential")
    assert type(error) is ShapeError
    assert str(error) == "Sequential > 1 > Dense(2, 3) wanted (N, 2)"


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ("adm", "unknown rule 'adm'; did you mean 'adam'? known: adam, rmsprop, sgd"),
        ("xyz", "unknown rule 'xyz'; known: adam, rmsprop, sgd"),
        ("", "unknown rule ''; known: adam, rmsprop, sgd"),
    ],
)
def test_an_unknown_name_is_answered_with_the_nearest(given: str, text: str) -> None:
    assert str(UnknownNameError("rule", given, {"sgd": 0, "adam": 1, "rmsprop": 2})) == text


def test_at_most_two_are_offered() -> None:
    text = str(UnknownNameError("rule", "adam", ["adam1", "adam2", "adam3", "sgd"]))
    offered = text.split("did you mean ")[1].split("?")[0]
    assert offered.count("'adam") == 2
