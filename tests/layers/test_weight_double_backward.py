"""Derivatives of <ddw, dw>, the parameters' gradients in a random direction, equal PyTorch's.

The table is that of the other layer tests; the directions ddw are random for every parameter.
"""

import numpy as np
import pytest
import torch

from minigan import layers as L
from minigan.errors import NoSecondDerivativeError, StaleContextError
from tests.layers.cases import VARIED
from tests.oracles.torch_twins import Env, each, largest_error, zero_grad

# These stand under no unrolled objective.
REFUSED = (L.ReconstructionError, L.ModulatedConv2d, L.Highway)
TRAINED = [
    c
    for c in VARIED
    if c.second and c.build().flat.size > 0 and not issubclass(c.spec.kind, REFUSED)
]
every_case = pytest.mark.parametrize("case", TRAINED, ids=str)
# As in test_torch.py: 16 digits less what sums of some hundred terms lose.
FLOAT64 = 1e-10


def ready(case, dtype=np.float64):
    """A layer after input_gradient: layer, xs, dy, ddw by name, gctx."""
    layer = case.build(dtype)
    xs = case.inputs(dtype)
    y, ctx = layer.forward(*xs, train=case.train, update_stats=False)
    dy, _ = case.directions(y)
    vector = np.random.default_rng(9).standard_normal(layer.flat.size).astype(dtype)
    _, gctx = layer.input_gradient(dy, ctx)
    return layer, xs, dy, vector, gctx


def own(layer, xs, vector, gctx):
    zero_grad(layer)
    ddy, extra = layer.weight_double_backward(layer.flat.direction(vector), gctx)
    table = {"ddy": ddy} | {f"x_extra {i}": e for i, e in enumerate(each(extra, len(xs)))}
    return table | {f"dP {k}": p.grad.copy() for k, p in layer.params.items()}


def autograd(case, layer, xs, dy, vector):
    def leaf(a):
        return torch.tensor(a, dtype=torch.float64, requires_grad=True)

    params = {k: leaf(p.data) for k, p in layer.params.items()}
    buffers = {
        k: torch.tensor(b, dtype=torch.float64)
        for k, b in layer.buffers.items()
        if b.dtype != np.uint64
    }
    inputs, upstream = [leaf(x) for x in xs], leaf(dy)
    y = case.spec.torch(Env(params, buffers, layer, case.train), *inputs)
    dws = torch.autograd.grad(y, list(params.values()), upstream, create_graph=True)
    ddw = layer.flat.direction(vector.astype(np.float64))
    penalty = sum(
        (dw * torch.tensor(ddw[layer.params[name]])).sum()
        for name, dw in zip(params, dws, strict=True)
    )
    names = ["ddy", *(f"x_extra {i}" for i in range(len(xs))), *(f"dP {k}" for k in params)]
    unknowns = [upstream, *inputs, *params.values()]
    found = torch.autograd.grad(penalty, unknowns, allow_unused=True, materialize_grads=True)
    return {name: t.numpy() for name, t in zip(names, found, strict=True)}


@every_case
def test_float64_equals_pytorch(case):
    layer, xs, dy, vector, gctx = ready(case)
    ours = own(layer, xs, vector, gctx)
    error, name = largest_error(ours, autograd(case, layer, xs, dy, vector))
    assert error < FLOAT64, f"{name}: {error}"


@every_case
def test_float32_stays_float32_and_is_near(case):
    layer, xs, dy, vector, gctx = ready(case, np.float32)
    ours = own(layer, xs, vector, gctx)
    assert {a.dtype for a in ours.values() if a is not None} == {np.dtype(np.float32)}
    error, name = largest_error(ours, autograd(case, layer, xs, dy, vector))
    # A dozen layers of up to some hundred terms each, in second derivatives, at 6e-8.
    assert error < 1e-4, f"{name}: {error}"


@every_case
def test_it_may_run_twice_adds_to_the_gradients_and_writes_to_nothing_else(case):
    layer, xs, dy, vector, gctx = ready(case)
    for a in (*xs, dy, vector):
        a.flags.writeable = False
    once = own(layer, xs, vector, gctx)
    layer.weight_double_backward(layer.flat.direction(vector), gctx)
    for name, p in layer.params.items():
        np.testing.assert_allclose(p.grad, 2 * once[f"dP {name}"], rtol=1e-12, atol=1e-12)
    again = own(layer, xs, vector, gctx)
    for name, a in once.items():
        np.testing.assert_array_equal(a, again[name])


@every_case
def test_a_stale_context_is_refused(case):
    layer, _, _, vector, gctx = ready(case)
    layer.flat.touch()
    with pytest.raises(StaleContextError, match="run forward again"):
        layer.weight_double_backward(layer.flat.direction(vector), gctx)


def test_a_layer_without_parameters_owes_nothing():
    layer = L.Tanh()
    y, ctx = layer.forward(np.ones((2, 3)))
    _, gctx = layer.input_gradient(y, ctx)
    assert layer.weight_double_backward({}, gctx) == (None, None)


def test_the_gradient_of_every_trained_layer_was_compared():
    trained = {c.spec.kind for c in VARIED if c.build().flat.size > 0}
    words = {L.Embedding, L.GRU, L.LSTM, *L.ENCODERS.values()}  # first order alone
    assert trained - {c.spec.kind for c in TRAINED} == {*words, *REFUSED}


def test_a_layer_that_cannot_names_itself():
    class Scale(L.Layer):
        def __init__(self):
            super().__init__()
            self.factor = self.add_param("factor", np.ones(1))

    with pytest.raises(NoSecondDerivativeError, match=r"Scale\(\) .* in an unrolled discriminator"):
        Scale().weight_double_backward({}, None)
