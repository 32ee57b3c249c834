"""Every layer equals PyTorch: output, every gradient, every second derivative.

PyTorch's autograd differentiates the twin; the second derivatives are those of P = sum <v, dx> for
random v with respect to dy, the inputs and the parameters.
"""

import numpy as np
import pytest
import torch

from minigan import layers as L
from tests.layers.cases import CASES, Case
from tests.oracles.torch_twins import (
    TWINS,
    largest_error,
    own_derivatives,
    torch_derivatives,
)

# float64 carries 16 digits; sums of at most a few hundred terms leave more than ten of them.
FLOAT64 = 1e-10
# float32 has a rounding unit of 6e-8; the sums here have up to some hundred terms, the networks a
# dozen layers: 1e-5 is what that adds up to, and far below any error of the mathematics.
FLOAT32 = 1e-5


def both(case: Case, dtype, *, second: bool, torch_dtype=torch.float64):
    layer = case.build(dtype)
    xs = case.inputs(dtype)
    y, _ = layer.forward(*xs, train=case.train, update_stats=False)
    dy, vs = case.directions(y)
    ours = own_derivatives(layer, xs, dy, vs, train=case.train, second=second)
    theirs = torch_derivatives(
        case.spec, layer, xs, dy, vs, train=case.train, second=second, dtype=torch_dtype
    )
    return ours, theirs


def test_every_public_layer_is_in_the_table():
    public = {
        kind for kind in vars(L).values() if isinstance(kind, type) and issubclass(kind, L.Layer)
    } - {L.Layer, L.Activation}
    assert public == {case.spec.kind for case in CASES}
    assert public == set(TWINS)
    assert all(kind.__name__ in L.__all__ for kind in public)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_float64_equals_pytorch_to_the_second_order(case):
    error, name = largest_error(*both(case, np.float64, second=case.second))
    assert error < FLOAT64, f"{name}: {error}"


@pytest.mark.parametrize("reference", [torch.float32, torch.float64], ids=str)
@pytest.mark.parametrize("case", CASES, ids=str)
def test_float32_equals_pytorch(case, reference):
    """Against PyTorch in float32, and against float64 on the same float32 numbers."""
    error, name = largest_error(*both(case, np.float32, second=False, torch_dtype=reference))
    assert error < FLOAT32, f"{name}: {error}"
