r"""Blur as a shaken camera makes it: a random path drawn as a kernel (Kupyn et al. 2018).

    I_B = k(M) * I_S                                                  without noise N

A particle goes L = 60 pixels in M = 2000 steps of one length, from an angle of its own. What turns
it, at each step, is relative to its speed L / (M - 1):

    an impulse, with probability p_b p_s    about twice its velocity, backwards
    a push, of deviation p_s p_g            normal in either direction
    a pull, p_s I x                         back to where it began

with p_b ~ U(0, 0.2), p_g ~ U(0, 10), I ~ U(0, 0.7) and p_s, the anxiety of the hand, one of eight
values for each path. That is the paper's Algorithm 1 as the authors' published code has it
(motion_blur in KupynOrest/DeblurGAN), after Boracchi and Foi 2012.

The path is then made to its length in pixels, the middle of its box put into the middle of the
kernel, and each of its points shared out among the four pixels around it. Borders of pictures are
mirrored.
"""

from __future__ import annotations

import math

import numpy as np

PAPER = (
    "Kupyn et al. 2018, DeblurGAN: blind motion deblurring using conditional adversarial networks,"
    " arXiv:1711.07064, section 4"
)

EQUATIONS = {
    "deblurgan.1": r"I_B = k(M) * I_S + N",
    "deblurgan.alg1.7": r"nextDir \leftarrow 2 v\, e^{i (\pi + (randn - 0.5))}",
    "deblurgan.alg1.10": r"dv \leftarrow nextDir + p_s (p_g (randn + i\, randn) - I x_t)"
    r" \frac{L_{max}}{M - 1}",
    "deblurgan.alg1.12": r"v \leftarrow \frac{v + dv}{|v + dv|} \frac{L_{max}}{M - 1}",
    "deblurgan.alg1.13": r"x_{t+1} \leftarrow x_t + v",
}

LENGTH = 60.0  # L, of pictures of SIDE x SIDE
SIDE = 256
POINTS = 2000  # M
ANXIETIES = (0.01, 0.009, 0.008, 0.007, 0.005, 0.003, 0.002, 0.001)  # p_s


def trajectory(rng: np.random.Generator) -> np.ndarray:
    """A path (M,) of complex numbers from 0, of length L = 60.

    Python's own numbers are used: one step needs the last, and there is nothing to do at once.
    """
    p_b, p_g, inertia = rng.uniform(0, (0.2, 10.0, 0.7))
    p_s = rng.choice(ANXIETIES)
    v = complex(np.exp(1j * rng.uniform(0, 2 * math.pi)))
    speed = LENGTH / (POINTS - 1)
    back = 2 * np.exp(1j * (math.pi + rng.uniform(-0.5, 0.5, POINTS - 1)))  # eq: deblurgan.alg1.7
    impulses = np.where(rng.uniform(size=POINTS - 1) < p_b * p_s, back, 0)
    pushes = p_s * p_g * speed * (rng.standard_normal((POINTS - 1, 2)) @ (1, 1j))
    pull = p_s * inertia * speed
    v, x = v * speed, 0j
    path = [x]
    for impulse, push in zip(impulses.tolist(), pushes.tolist(), strict=True):
        v += impulse * v + push - pull * x  # eq: deblurgan.alg1.10
        v *= speed / abs(v)  # eq: deblurgan.alg1.12
        x += v  # eq: deblurgan.alg1.13
        path.append(x)
    return np.array(path)


def kernel(length: float, rng: np.random.Generator) -> np.ndarray:
    """k(M) of a random path `length` pixels long: (K, K) with K odd, of sum 1."""
    path = trajectory(rng) * (length / LENGTH)
    across, down = path.real, path.imag
    middle = math.ceil(length / 2) + 1
    side = 2 * middle + 1
    across = across - (across.min() + across.max()) / 2 + middle
    down = down - (down.min() + down.max()) / 2 + middle
    left, top = np.floor(across).astype(int), np.floor(down).astype(int)
    right_share, low_share = across - left, down - top
    drawn = np.zeros(side * side)
    for i, rows in ((0, 1 - low_share), (1, low_share)):
        for j, columns in ((0, 1 - right_share), (1, right_share)):
            places = (top + i) * side + left + j
            drawn += np.bincount(places, rows * columns, minlength=side * side)
    return drawn.reshape(side, side) / len(path)


def blurred(y: np.ndarray, k: np.ndarray) -> np.ndarray:
    """A picture y (H, W, C) through a kernel (K, K) with K odd; borders are mirrored."""
    from scipy.signal import fftconvolve  # takes a while to import, and few runs blur

    around = len(k) // 2
    wider = np.pad(y, [(around, around), (around, around), (0, 0)], "symmetric")
    x = fftconvolve(wider, k[..., None].astype(y.dtype), "valid", axes=(0, 1))  # eq: deblurgan.1
    return np.clip(x, y.min(), y.max())  # which rounding may leave
