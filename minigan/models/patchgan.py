r"""PatchGAN: a discriminator that judges every patch of a picture, and so its texture.

It is a chain of convolutions whose logits (N, h, w, 1) each see one patch; averaged over all of
them, the loss takes pixels further apart than a patch for independent (Isola et al. 2017, sections
3.2.2 and 6.1.2). With Ck a 4x4 convolution of k filters with stride 2, norm and LeakyReLU 0.2:

    70x70    C64-C128-C256-C512, the last with stride 1, and a convolution to one number
    16x16    C64-C128
    286x286  C64-C128-C256-C512-C512-C512
    1x1      C64-C128 of 1x1 convolutions: "PixelGAN"

The receptive field r and the distance j of neighbouring logits, in pixels, grow layer by layer from
r = j = 1 by

    r <- r + (kernel - 1) dilation j,    j <- stride j

so that n layers of stride 2 and two of stride 1 make r = 9 2^n - 2.
"""

from __future__ import annotations

import numpy as np

from minigan import init
from minigan.errors import OptionError
from minigan.layers import Conv2d, Dense, Identity, Layer, LeakyReLU, Parallel, Sequential
from minigan.models.dcgan import GAMMA
from minigan.models.norms import Norms
from minigan.ops.patches import conv_output_size

WIDEST = 8  # times `width`
LARGEST = 10  # layers of stride 2, more than any picture needs


def receptive_field(net: Layer) -> int | None:
    """Pixels on a side that one output of a chain of square convolutions depends on.

    None where a dense layer looks at the whole picture.
    """
    field, jump = 1, 1
    for _, layer in net.walk():
        if isinstance(layer, Dense):
            return None
        if isinstance(layer, Conv2d):
            field += (layer.kernel_size[0] - 1) * layer.dilation[0] * jump
            jump *= layer.stride[0]
    return field


def patch_layers(patch: int) -> int | None:
    """How many layers of stride 2 make a receptive field of `patch`; None for the PixelGAN's 1.

    Raises OptionError, naming the nearest possible ones, for another.
    """
    if patch == 1:
        return None
    fields = [9 * 2**n - 2 for n in range(LARGEST)]
    if patch in fields:
        return fields.index(patch)
    near = sorted([1, *fields], key=lambda field: abs(field - patch))[:2]
    raise OptionError(
        f"no PatchGAN has a receptive field of {patch}: 4x4 convolutions make 1, "
        f"{', '.join(map(str, fields[:6]))}, ...; nearest: {near[0]} and {near[1]} (--patch)"
    )


def largest_patch(h: int, w: int, most: int = 70) -> int:
    """The largest receptive field, `most` at most, whose PatchGAN takes pictures of h x w.

    Raises OptionError for pictures that not even the PixelGAN takes.
    """
    fields = [1, *(9 * 2**n - 2 for n in range(LARGEST))]
    fitting = [f for f in fields if f <= most and smallest_side(f) <= min(h, w)]
    if not fitting:
        least = smallest_side(1)
        raise OptionError(
            f"pictures of {h}x{w} are too small for a PatchGAN: use {least}x{least} or larger "
            "(--size)"
        )
    return max(fitting)


def smallest_side(patch: int) -> int:
    """Of pictures for patches of `patch`: every norm has several places, and a logit is left.

    Raises as `patch_layers`.
    """
    n = patch_layers(patch)
    return 2 if n is None else 3 << n


def patch_discriminator(
    shape: tuple[int, ...],
    *,
    beside: int = 0,
    patch: int = 70,
    width: int = 64,
    norm: str = "batch",
    rng: np.random.Generator,
) -> Sequential:
    """D: pictures y (N, H, W, C) -> a map of logits (N, h, w, 1), one for each patch.

    With `beside` channels it takes a picture x (N, H, W, beside) first and judges both together.
    `patch` is the receptive field: 1, or 9 2^n - 2. Raises OptionError for a picture too small.
    """
    h, w, channels = shape
    n = patch_layers(patch)
    if min(h, w) < smallest_side(patch):
        largest = largest_patch(h, w, patch)
        raise OptionError(
            f"pictures of {h}x{w} are too small for patches of {patch}x{patch}: after {n} halvings "
            f"no map of logits is left; use --patch {largest} or larger pictures (--size)"
        )
    norms = Norms(norm, init=GAMMA, rng=rng)
    kernel, padding = (1, 0) if n is None else (4, 1)
    strides = [1, 1] if n is None else [2] * n + [1]

    def conv(cin: int, cout: int, stride: int, bias: bool) -> Conv2d:
        how = {"stride": stride, "padding": padding}
        return Conv2d(cin, cout, kernel, bias=bias, init=init.dcgan, rng=rng, **how)

    cin = channels + beside
    layers: list[Layer] = [Parallel(Identity(), Identity())] if beside else []
    for i, stride in enumerate(strides):
        cout = min(width << i, WIDEST * width)
        layers.append(conv(cin, cout, stride, bias=i == 0 or norms.bias))
        h, w = (conv_output_size(side, kernel, stride, padding, 1) for side in (h, w))
        if i > 0:
            layers.append(norms.after(h, w, cout))
        layers.append(LeakyReLU(negative_slope=0.2))
        cin = cout
    return Sequential(*layers, conv(cin, 1, 1, bias=True))
