"""kernels/loss.cu against minigan/ops/loss.py."""

import re

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from minigan import cuda
from minigan.ops import loss
from tests.emulator import build
from tests.emulator.runtime import EmulatorRuntime
from tests.emulator.twins import assert_same, examples

quick = examples(10)
every_dtype = pytest.mark.parametrize("dtype", [np.float32, np.float64])
numbers = st.floats(-2, 2, width=16)
sizes = st.integers(1, 600) | st.just(20_000)  # the last needs several blocks


def logits(n, dtype, seed):
    """Around the hinges, at 0, and far out."""
    x = np.random.default_rng(seed).standard_normal((n, 1)) * 2
    x[::5] *= 50
    x[::7] = 0
    return x.astype(dtype)


@every_dtype
@pytest.mark.parametrize("f", loss.FUNCTIONS)
@quick
@given(n=sizes, m=sizes, seed=st.integers(0, 99), weight=numbers, p=numbers, linear=numbers)
@example(n=3, m=20_000, seed=0, weight=1.0, p=0.5, linear=0.0)
def test_every_function_alone_and_with_another(f, dtype, n, m, seed, weight, p, linear):
    real, fake = logits(n, dtype, seed), logits(m, dtype, seed + 1)
    term = loss.Term(f, weight, p, linear)
    with cuda.use_runtime(EmulatorRuntime(seed)) as runtime:
        assert_same(loss.mean_loss, fake, term, terms=n)
        assert_same(loss.mean_losses, real, fake, loss.Term("negative"), term, terms=n)
    assert any("loss_sum" in name for name in runtime.launched) == (max(m, n + m) > 8192)


def test_both_tables_have_one_order():
    source = (build.KERNELS / "loss.cu").read_text(encoding="utf-8")
    names = re.findall(r"^    TERM\((\w+),", source, re.MULTILINE)
    assert [name.lower() for name in names] == list(loss.FUNCTIONS)
