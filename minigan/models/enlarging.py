"""How a generator doubles the size of a picture, by name.

A transposed convolution spreads each of its inputs over a square of its outputs. Where the stride
does not divide the kernel, as 2 does not divide CycleGAN's 3, neighbouring outputs get from
different numbers of inputs, and a checkerboard shows in what a generator draws; where it does, as
in pix2pix's 4, weights can still learn one. Repeating pixels and convolving afterwards treats every
output alike (Odena et al. 2016, "Deconvolution and checkerboard artifacts").
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from minigan import init
from minigan.errors import OptionError, UnknownNameError
from minigan.layers import Conv2d, ConvTranspose2d, Layer, ReflectionPad2d, Sequential, Upsample

Rng = np.random.Generator


class Enlarging(NamedTuple):
    """The kernels of both kinds, and what their convolutions are given."""

    kernel_size: int
    resized: int
    given: dict[str, Any]


def doubled(
    up: str,
    cin: int,
    cout: int,
    *,
    kernel_size: int,
    resized: int = 3,
    bias: bool,
    weights: init.Initializer = init.dcgan,
    rng: Rng,
) -> Layer:
    """(N, H, W, cin) -> (N, 2 H, 2 W, cout); weights from N(0, 0.02^2) unless told.

    up: "transposed", a convolution with `kernel_size` 3 or 4, or "resize", nearest neighbours and
    a convolution with the odd kernel `resized` over the mirrored border. Raises UnknownNameError.
    """
    if up not in UPSAMPLING:
        raise UnknownNameError("upsampling", up, UPSAMPLING)
    how = Enlarging(kernel_size, resized, {"bias": bias, "init": weights, "rng": rng})
    return UPSAMPLING[up](cin, cout, how)


def _transposed(cin: int, cout: int, how: Enlarging) -> Layer:
    k = how.kernel_size
    return ConvTranspose2d(cin, cout, k, stride=2, padding=1, output_padding=k % 2, **how.given)


def _resize(cin: int, cout: int, how: Enlarging) -> Layer:
    conv = Conv2d(cin, cout, how.resized, **how.given)
    return Sequential(Upsample(scale_factor=2), ReflectionPad2d(how.resized // 2), conv)


UPSAMPLING: dict[str, Callable[[int, int, Enlarging], Layer]] = {
    "transposed": _transposed,
    "resize": _resize,
}


def halvable(h: int, w: int, halvings: int, *, network: str, least: int = 1) -> None:
    """Raise OptionError, naming the nearest legal sizes, unless both sides halve so often.

    least: pixels that the shorter side has then at least.
    """
    if halvings < 0:
        raise OptionError(f"--halvings {halvings} must be at least 0")
    step = 1 << halvings
    if h % step == w % step == 0 and min(h, w) >= least * step:
        return
    # The two legal sizes with the fewest rows and columns changed; squares for a square.
    near = [sorted({max(least, s // step + d) * step for d in (0, 1)}) for s in (h, w)]
    sizes = [(a, b) for a in near[0] for b in near[1] if h != w or a == b]
    sizes.sort(key=lambda size: abs(size[0] - h) + abs(size[1] - w))
    named = " and ".join(f"{a}x{b}" for a, b in sizes[:2])
    raise OptionError(
        f"{network} halves pictures {halvings} times, so that {h}x{w} cannot be: both sides must "
        f"be multiples of {step}, {least * step} or more; nearest legal sizes: {named} (--size)"
    )
