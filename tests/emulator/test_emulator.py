"""The emulator itself: warp operations, asynchronous copies, orders of threads, what it refuses."""

import numpy as np
import pytest

from minigan.errors import KernelError
from tests.emulator import build
from tests.emulator.arrays import emulated
from tests.emulator.runtime import EmulatorRuntime

pytestmark = pytest.mark.skipif(build.COMPILER is None, reason="needs a C++ compiler")
OWN = build.HERE / "kernels_of_its_own.cu"
LANES = np.arange(32)


def launch(symbol, *args, grid=(1,), block=(32,), shared=0, seed=0, flags=()):
    EmulatorRuntime(seed, sources={"own": OWN}, flags=flags).launch(
        "own", symbol, grid, block, args, shared
    )


@pytest.fixture(params=[(), ("-DEMULATOR_UCONTEXT",)], ids=["by hand", "ucontext"])
def flags(request):
    """Both ways of switching fibers; the second is for other processors."""
    return request.param


def test_warp_operations(flags):
    outs = [emulated.empty(32, np.float32) for _ in range(4)] + [emulated.empty(32, np.uint32)]
    launch("shuffles", *outs, flags=flags)
    down, up, swapped, first, votes = (o.get() for o in outs)
    np.testing.assert_array_equal(down, np.where(LANES < 29, LANES + 3, LANES))
    np.testing.assert_array_equal(up, np.where(LANES >= 3, LANES - 3, LANES))
    np.testing.assert_array_equal(swapped, LANES ^ 5)
    np.testing.assert_array_equal(first, LANES // 8 * 8)
    assert (votes == sum(1 << i for i in range(0, 32, 3))).all()


@pytest.mark.parametrize(("wait", "sync"), [(1, 1), (0, 1), (1, 0)])
def test_a_missing_wait_and_a_missing_barrier_are_seen(wait, sync, flags):
    x, y = emulated.asarray(np.arange(96, dtype=np.float32)), emulated.empty(96, np.float32)
    settings = (np.int32(wait), np.int32(sync))
    launch("reversed", x, y, *settings, block=(96,), shared=4 * 96, flags=flags)
    right = np.array_equal(y.get(), x.get()[::-1])
    assert right == (wait and sync)
    assert np.isnan(y.get()).any() != right


@pytest.mark.parametrize(("bf16", "bits"), [(0, 13), (1, 16)])
def test_products_of_a_warp_round_their_factors(bf16, bits):
    rng = np.random.default_rng(0)
    a = rng.standard_normal((16, 8 + 8 * bf16)).astype(np.float32)
    b = rng.standard_normal((8 + 8 * bf16, 8)).astype(np.float32)
    c = emulated.empty((16, 8), np.float32)
    launch("product", emulated.asarray(a), emulated.asarray(b), c, np.int32(bf16))

    def rounded(x):
        unit = np.float32(2.0) ** (np.floor(np.log2(abs(x))) - 23 + bits)
        return np.round(x.astype(np.float64) / unit) * unit

    np.testing.assert_allclose(c.get(), rounded(a) @ rounded(b), rtol=1e-5, atol=1e-6)
    assert abs(c.get() - a @ b).max() > 1e-5


def test_a_seed_decides_the_order_of_threads_and_blocks():
    orders = []
    for seed in (0, 0, 1):
        when = emulated.empty(4 * 32, np.int32)
        launch("order", emulated.zeros(1, np.int32), when, grid=(4,), seed=seed)
        orders.append(when.tolist())
        assert sorted(when.tolist()) == list(range(128))
    assert orders[0] == orders[1] != orders[2]


def test_what_a_card_would_do_wrong_in_silence_is_refused():
    y = emulated.zeros(32, np.float32)
    with pytest.raises(KernelError, match=r"thread .* waits for its warp .* has left the kernel"):
        launch("some_lanes", y)
    with pytest.raises(KernelError, match="16 bytes off its boundary"):
        launch("vectors", y, emulated.zeros(32, np.float32))
    with pytest.raises(KernelError, match=r"takes \(\*float32, \*float32\), got \(\*float32\)"):
        launch("vectors", y)
    with pytest.raises(KernelError, match=r"got \(\*float32, \*float64\)"):
        launch("vectors", y, emulated.zeros(32))
    with pytest.raises(KernelError, match="more than 1024 threads"):
        launch("some_lanes", y, block=(2048,))
    with pytest.raises(KernelError, match=r"no kernel own\.nothing"):
        launch("nothing", y)
