"""Metrics by their definitions, in loops over single points."""

import itertools
import math


def distance(a, b):
    return math.sqrt(sum((float(p) - float(q)) ** 2 for p, q in zip(a, b, strict=True)))


def radius(x, i, k):
    """The distance from x_i to its k-th nearest other point."""
    return sorted(distance(x[i], x[j]) for j in range(len(x)) if j != i)[k - 1]


def share_within(x, centres, k):
    """The share of x in any ball that reaches from a centre to its k-th neighbour."""
    radii = [radius(centres, j, k) for j in range(len(centres))]
    inside = [any(distance(p, c) <= r for c, r in zip(centres, radii, strict=True)) for p in x]
    return sum(inside) / len(x)


def density(real, fake, k):
    radii = [radius(real, i, k) for i in range(len(real))]
    pairs = itertools.product(zip(real, radii, strict=True), fake)
    return sum(distance(y, x) <= r for (x, r), y in pairs) / (k * len(fake))


def coverage(real, fake, k):
    radii = [radius(real, i, k) for i in range(len(real))]
    near = [min(distance(x, y) for y in fake) for x in real]
    return sum(d <= r for d, r in zip(near, radii, strict=True)) / len(real)


def mmd(x, y, k):
    """The unbiased estimate as three means over pairs, the cross mean without its diagonal."""
    n = len(x)
    pairs = list(itertools.permutations(range(n), 2))
    return sum(k(x[i], x[j]) + k(y[i], y[j]) - 2 * k(x[i], y[j]) for i, j in pairs) / len(pairs)


def nearest(z):
    return [
        min((j for j in range(len(z)) if j != i), key=lambda j: distance(z[i], z[j]))
        for i in range(len(z))
    ]
