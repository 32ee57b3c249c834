"""The matrix products of each network, from shapes alone, with their operations and bytes.

A product does 2 rows inner columns operations in each of its three directions (forward, dx, dw):

    dense           x (N, in)                          rows N,          inner in,    columns out
    convolution     x (N, H, W, in), 4x4, stride 2     rows N H W / 4,  inner 16 in, columns out
    its transpose   x (N, H, W, in), 4x4, stride 2     rows N H W,      inner in,    columns 16 out

The bytes are the least possible: each array of the direction read or written once.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from bench.work import PIECES, Z_DIM, Work

FLOAT = 4  # bytes
KERNEL = 4


@dataclass(frozen=True)
class Product:
    """A layer with weights; side is that of its input picture, 1 for a dense layer."""

    kind: str  # "dense", "conv" or "conv_transpose"
    cin: int
    cout: int
    side: int = 1

    @property
    def taps(self) -> int:
        return 1 if self.kind == "dense" else KERNEL**2

    @property
    def out_side(self) -> int:
        return {"dense": 1, "conv": self.side // 2, "conv_transpose": self.side * 2}[self.kind]

    @property
    def weights(self) -> int:
        return self.taps * self.cin * self.cout

    def flops(self, batch: int) -> int:
        """Operations of one direction."""
        places = min(self.side, self.out_side) ** 2  # those of the smaller picture
        return 2 * batch * places * self.weights

    def bytes(self, batch: int) -> int:
        """Input, output and weights, once."""
        pictures = self.side**2 * self.cin + self.out_side**2 * self.cout
        return FLOAT * (batch * pictures + self.weights)


@dataclass(frozen=True)
class Elementwise:
    """A normalisation with its activation, or an activation: numbers per example, parameters."""

    numbers: int
    normed: bool
    channels: int

    @property
    def weights(self) -> int:
        return 2 * self.channels if self.normed else 0

    def bytes(self, batch: int, backward: bool) -> int:
        """Forward x and y; backward dy, what was saved, and dx."""
        return FLOAT * batch * self.numbers * (3 if backward else 2)


@dataclass(frozen=True)
class Network:
    products: tuple[Product, ...]
    elementwise: tuple[Elementwise, ...]
    biases: int

    @property
    def parameters(self) -> int:
        products = sum(p.weights for p in self.products)
        return self.biases + products + sum(e.weights for e in self.elementwise)


def networks(work: Work) -> tuple[Network, Network]:
    """G and D."""
    return _dcgan(work) if work.arch == "dcgan" else _mlp(work)


def _dcgan(work: Work) -> tuple[Network, Network]:
    n, base, channels = work.halvings, work.base, work.shape[2]
    top = work.width << (n - 1)
    wide = [top >> i for i in range(n)]  # channels of G's hidden pictures, small to large
    sides = [base << i for i in range(n + 1)]
    G = Network(
        (
            Product("dense", Z_DIM, base * base * top),
            *(
                Product("conv_transpose", wide[i], [*wide, channels][i + 1], sides[i])
                for i in range(n)
            ),
        ),
        (
            *(Elementwise(sides[i] ** 2 * wide[i], True, wide[i]) for i in range(n)),
            Elementwise(math.prod(work.shape), False, channels),
        ),
        biases=channels,
    )
    D = Network(
        (
            *(
                Product("conv", [channels, *wide[::-1]][i], wide[n - 1 - i], sides[n - i])
                for i in range(n)
            ),
            Product("dense", base * base * top, 1),
        ),
        tuple(
            Elementwise(sides[n - 1 - i] ** 2 * wide[n - 1 - i], i > 0, wide[n - 1 - i])
            for i in range(n)
        ),
        biases=work.width + 1,
    )
    return G, D


def _mlp(work: Work) -> tuple[Network, Network]:
    w, pixels, units = work.width, math.prod(work.shape), work.width // PIECES
    G = Network(
        (Product("dense", Z_DIM, w), Product("dense", w, w), Product("dense", w, pixels)),
        (
            Elementwise(w, False, w),
            Elementwise(w, False, w),
            Elementwise(pixels, False, pixels),
        ),
        biases=2 * w + pixels,
    )
    D = Network(
        (Product("dense", pixels, w), Product("dense", units, w), Product("dense", units, 1)),
        (Elementwise(w, False, w), Elementwise(w, False, w)),
        biases=2 * w + 1,
    )
    return G, D


def step_flops(work: Work) -> int:
    """Operations of the products of one step, none that nobody reads.

    D's update: G forward; D forward, dw and dx, twice, without the pictures' dx. G's update: G and
    D forward; D's dx; G's dw, and its dx without the noise's.
    """
    G, D = networks(work)
    g, d = ([p.flops(work.batch) for p in net.products] for net in (G, D))
    update_d = sum(g) + 2 * (3 * sum(d) - d[0])
    update_g = sum(g) + sum(d) + sum(d) + 2 * sum(g) - g[0]
    return update_d + update_g


def step_bytes(work: Work) -> int:
    """The least bytes that the parts of one step move when each runs alone."""
    G, D = networks(work)
    n = work.batch
    g, d = ([p.bytes(n) for p in net.products] for net in (G, D))
    total = sum(g) + 2 * (3 * sum(d) - d[0]) + sum(g) + 2 * sum(d) + 2 * sum(g) - g[0]
    for net, forwards, backwards in ((G, 2, 1), (D, 3, 3)):
        for e in net.elementwise:
            total += forwards * e.bytes(n, False) + backwards * e.bytes(n, True)
    return total + sum(optimizer_bytes(work, net.parameters) for net in (G, D))


def optimizer_bytes(work: Work, parameters: int) -> int:
    """theta, g and the moments read; theta and the moments written."""
    return FLOAT * parameters * (7 if work.arch == "dcgan" else 5)
