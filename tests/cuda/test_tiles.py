"""Every tile of the products and convolutions by its name, split and whole, against exact sums.

What the other tests multiply is small, so that the wide tiles, their memory beyond 48 KiB and the
sums of splits would first be met in a benchmark. On a card the sums are as long as DCGAN's.
"""

import pytest

from minigan.backend import array_module, to_device, to_host
from minigan.ops import conv
from minigan.ops.cuda import products
from tests.emulator.rounded import Choice, check_product
from tests.emulator.test_conv import arrays, every_tile, only
from tests.emulator.test_gemm import every_kernel, factors, oracle


@pytest.fixture
def on_a_card(request):
    """Whether the test's device is a real one, which has time for more."""
    return request.node.callspec.params["device"] == "card"


@every_kernel
@pytest.mark.parametrize("splits", [1, 3])
def test_a_product(precision, layout, tile, splits, device, on_a_card):
    sizes = m, n, k = (300, 260, 4096) if on_a_card else (68, 12, 72)
    with Choice(precision) as choice:
        a, b = factors(sizes, layout, choice.dtype, seed=1)
        grid = (-(-m // tile.m) * -(-n // tile.n), splits)
        plan = products.Plan(tile.file, tile.name, grid, (tile.threads,), tile.shared, splits)
        left, right = to_device(a, device), to_device(b, device)
        out = array_module(left).empty((m, n), a.dtype)
        ours = products.run("gemm", f"gemm_{layout}", plan, (left, right), out, sizes)
    check_product(to_host(ours), oracle(layout), a, b, precision, k)


@every_tile
def test_a_convolution_and_its_derivatives(precision, tile, device, on_a_card):
    """Of DCGAN's kind, 4x4 with stride 2. As planned, with splits where the sums are long."""
    geometry = (32 if on_a_card else 2, (16, 16) if on_a_card else (6, 6), (4, 4), (2, 2), (1, 1))
    channels = (128, 256) if on_a_card else (4, 8)
    with only(precision, tile), Choice(precision) as choice:
        x, w, dy, options = arrays((*geometry, (1, 1)), channels, choice.dtype, 2)
        card_x, card_w, card_dy = (to_device(a, device) for a in (x, w, dy))
        y = to_host(conv.conv2d(card_x, card_w, **options))
        dx = to_host(conv.conv2d_dx(card_dy, card_w, x.shape, **options))
        dw = to_host(conv.conv2d_dw(card_x, card_dy, (4, 4), **options))
    name, terms = precision, (w[..., 0].size, w[..., 0, :].size, dy[..., 0].size)
    check_product(y, lambda a, b: conv.conv2d(a, b, **options), x, w, name, terms[0])
    check_product(dx, lambda a, b: conv.conv2d_dx(a, b, x.shape, **options), dy, w, name, terms[1])
    check_product(dw, lambda a, b: conv.conv2d_dw(a, b, (4, 4), **options), x, dy, name, terms[2])
