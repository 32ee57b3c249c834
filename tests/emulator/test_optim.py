"""kernels/optim.cu against the rules of minigan/optim.py, block for block."""

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from minigan import cuda, optim
from minigan.ops import optim as ops
from minigan.ops.dispatch import cuda_version
from tests.emulator.arrays import emulated
from tests.emulator.runtime import EmulatorRuntime
from tests.emulator.twins import assert_close, assert_same, examples, on_card

quick = examples(15)
every_dtype = pytest.mark.parametrize("dtype", [np.float32, np.float64])
sizes = st.integers(1, 9) | st.integers(1020, 1030)

RULES = {
    "sgd": optim.SGD,
    "momentum": optim.Momentum,
    "nesterov": optim.Nesterov,
    "rmsprop": optim.RMSProp,
    "adam": optim.Adam,
    "adamw": lambda params, lr: optim.AdamW(params, lr, weight_decay=0.1),
}


class Flat:
    """The part of FlatParams that an optimiser's rule needs."""

    def __init__(self, data: np.ndarray) -> None:
        self.data = data


@every_dtype
@pytest.mark.parametrize("name", RULES)
@quick
@given(n=sizes, seed=st.integers(0, 99), offset=st.integers(0, 1))
def test_three_steps_of_every_rule(name, dtype, n, seed, offset):
    """An offset of one number takes the buffer off a vector's boundary."""
    rng = np.random.default_rng(seed)
    theta = rng.standard_normal(n).astype(dtype)
    rule = RULES[name](Flat(theta), 0.01)
    buffer = emulated.empty(n + offset, dtype)
    buffer[offset:] = on_card(theta)
    ours = buffer[offset:]
    state = [emulated.zeros(n, dtype) for _ in rule.state]
    with cuda.use_runtime(EmulatorRuntime(seed)):
        for step in range(3):
            g = rng.standard_normal(n).astype(dtype)
            rule.t = step + 1
            rule.update(theta, g, rule.state, 0.01)
            rates = on_card(np.array(rule.rates(0.01)))
            cuda_version(rule.card_rule)(ours, on_card(g), *state, rates, **rule.settings())
    assert_close(ours.get(), theta)
    for a, b in zip(state, rule.state.values(), strict=True):
        assert_close(a.get(), b)


@every_dtype
@quick
@given(n=sizes, seed=st.integers(0, 99))
def test_moving_average(dtype, n, seed):
    average, value = np.random.default_rng(seed).standard_normal((2, n)).astype(dtype)
    ours = on_card(average)
    with cuda.use_runtime(EmulatorRuntime(seed)):
        ops.moving_average(ours, on_card(value), 0.9)
    ops.moving_average(average, value, 0.9)
    assert_close(ours.get(), average)


@every_dtype
@quick
@given(n=sizes | st.just(70_000), seed=st.integers(0, 99), scale=st.sampled_from([1.0, 1e25]))
@example(n=70_000, seed=0, scale=1.0)
def test_sum_of_squares(dtype, n, seed, scale):
    """Finite beyond the square root of float32's largest number."""
    x = (np.random.default_rng(seed).standard_normal(n) * scale).astype(dtype)
    with cuda.use_runtime(EmulatorRuntime(seed)):
        assert_same(ops.sum_of_squares, x)
