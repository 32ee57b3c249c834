"""Padding: what it refuses."""

import pytest

from minigan.errors import OptionError
from minigan.layers import ReflectionPad2d


@pytest.mark.parametrize("padding", [-1, (1, 2), (1, 1, 1, -1), (1, 1, 1, 0.5)])
def test_a_padding_that_cannot_be_is_refused(padding):
    with pytest.raises(OptionError, match=r"wanted an int or \(left, right, top, bottom\)"):
        ReflectionPad2d(padding)


def test_it_says_its_sides():
    assert repr(ReflectionPad2d(3)) == "ReflectionPad2d(3)"
    assert repr(ReflectionPad2d((1, 2, 3, 4))) == "ReflectionPad2d((1, 2, 3, 4))"
