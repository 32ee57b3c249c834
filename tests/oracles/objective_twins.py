"""Objectives, divergences and gradient penalties in PyTorch, as their papers write them.

Nothing of ours is called: settings are read off the objective, formulas are not. Conjugates are
those of the lecture's tables, applied to T = g_f(v) without any of the shortcuts of the library.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

torch.set_num_threads(1)


def log_sigmoid(t: Tensor) -> Tensor:
    return F.logsigmoid(t)


def omega(x: Tensor) -> Tensor:
    """W(e^x): Newton's method on y + e^y = x for y = log W, its last step differentiable."""
    target = x.detach()
    y = torch.where(target > 1, torch.log(target.clamp(min=1)), target)
    for _ in range(60):
        y = y - (y + y.exp() - target) / (1 + y.exp())
    y = y - (y + y.exp() - x) / (1 + y.exp())
    return y.exp()


# name: g_f(v), f*(t)
CONJUGATES: dict[str, tuple[Callable[[Tensor], Tensor], Callable[[Tensor], Tensor]]] = {
    "total-variation": (lambda v: 0.5 * torch.tanh(v), lambda t: t),
    "kl": (lambda v: v, lambda t: torch.exp(t - 1)),
    "reverse-kl": (lambda v: -torch.exp(-v), lambda t: -1 - torch.log(-t)),
    "pearson": (lambda v: v, lambda t: t**2 / 4 + t),
    "neyman": (lambda v: 1 - torch.exp(-v), lambda t: 2 - 2 * torch.sqrt(1 - t)),
    "squared-hellinger": (lambda v: 1 - torch.exp(-v), lambda t: t / (1 - t)),
    "jeffrey": (lambda v: v, lambda t: omega(1 - t) + 1 / omega(1 - t) + t - 2),
    "jensen-shannon": (
        lambda v: math.log(2) - torch.log(1 + torch.exp(-v)),
        lambda t: -torch.log(2 - torch.exp(t)),
    ),
    "gan": (lambda v: -torch.log(1 + torch.exp(-v)), lambda t: -torch.log(1 - torch.exp(t))),
}


def weighted(
    pi: float,
) -> tuple[Callable[[Tensor], Tensor], Callable[[Tensor], Tensor]]:
    return (
        lambda v: -pi * math.log(pi) - torch.log(1 + torch.exp(-v)),
        lambda t: (1 - pi) * torch.log((1 - pi) / (1 - pi * torch.exp(t / pi))),
    )


def f_gan(name: str, pi: float) -> tuple[Callable[[Tensor], Tensor], Callable[[Tensor], Tensor]]:
    return weighted(pi) if name == "weighted-jensen-shannon" else CONJUGATES[name]


def discriminator(o: Any, r: Tensor, f: Tensor) -> Tensor:
    """What D descends, of its numbers on real (r) and generated (f) examples."""
    return DISCRIMINATORS[o.name](o, r, f)


def generator(o: Any, f: Tensor, r: Tensor) -> Tensor:
    """What G descends."""
    return GENERATORS[o.name](o, f, r)


def _original(o: Any, r: Tensor, f: Tensor) -> Tensor:
    target = torch.full_like(r, 1 - o.label_smoothing)
    real = F.binary_cross_entropy_with_logits(r, target)
    return real + F.binary_cross_entropy_with_logits(f, torch.zeros_like(f))


def _divergence(o: Any, r: Tensor, f: Tensor) -> Tensor:
    g, conjugate = f_gan(o.divergence.name, o.pi)
    return -(g(r).mean() - conjugate(g(f)).mean())


def _divergence_of_g(o: Any, f: Tensor, r: Tensor) -> Tensor:
    g, conjugate = f_gan(o.divergence.name, o.pi)
    return -g(f).mean() if o.trick else -conjugate(g(f)).mean()


def _average(o: Any, r: Tensor, f: Tensor) -> Tensor:
    return -log_sigmoid(r - f.mean()).mean() - torch.log(1 - torch.sigmoid(f - r.mean())).mean()


def _softmax(o: Any, r: Tensor, f: Tensor) -> Tensor:
    log_p = torch.log_softmax(torch.cat([r, f]).flatten(), 0)
    return -log_p[: len(r)].mean()


def _softmax_of_g(o: Any, f: Tensor, r: Tensor) -> Tensor:
    return -torch.log_softmax(torch.cat([r, f]).flatten(), 0).mean()


DISCRIMINATORS: dict[str, Callable[[Any, Tensor, Tensor], Tensor]] = {
    "minimax": _original,
    "non-saturating": _original,
    "bgan": _original,
    "f-gan": _divergence,
    "lsgan": lambda o, r, f: 0.5 * ((r - o.b) ** 2).mean() + 0.5 * ((f - o.a) ** 2).mean(),
    "hinge": lambda o, r, f: F.relu(1 - r).mean() + F.relu(1 + f).mean(),
    "wasserstein": lambda o, r, f: -(r.mean() - f.mean()),
    "margin": lambda o, r, f: F.relu(f + o.epsilon - r).mean(),
    "relativistic": lambda o, r, f: -log_sigmoid(r - f).mean(),
    "relativistic-average": _average,
    "softmax": _softmax,
    "ebgan": lambda o, r, f: r.mean() + F.relu(o.margin - f).mean(),
    "began": lambda o, r, f: r.mean() - float(o.k[0]) * f.mean(),
}
GENERATORS: dict[str, Callable[[Any, Tensor, Tensor], Tensor]] = {
    "minimax": lambda o, f, r: F.logsigmoid(-f).mean(),
    "non-saturating": lambda o, f, r: -o.scale * log_sigmoid(f).mean(),
    "bgan": lambda o, f, r: 0.5 * ((log_sigmoid(f) - F.logsigmoid(-f)) ** 2).mean(),
    "f-gan": _divergence_of_g,
    "lsgan": lambda o, f, r: 0.5 * ((f - o.c) ** 2).mean(),
    "hinge": lambda o, f, r: -f.mean(),
    "wasserstein": lambda o, f, r: -f.mean(),
    "margin": lambda o, f, r: -f.mean(),
    "relativistic": lambda o, f, r: -log_sigmoid(f - r).mean(),
    "relativistic-average": lambda o, f, r: _average(o, f, r),
    "softmax": _softmax_of_g,
    "ebgan": lambda o, f, r: f.mean(),
    "began": lambda o, f, r: f.mean(),
}


def pulling_away(codes: Tensor) -> Tensor:
    """EBGAN's f_PT, term by term."""
    s = codes.flatten(1)
    n = len(s)
    total = torch.zeros((), dtype=s.dtype)
    for i in range(n):
        for j in range(n):
            if i != j:
                total = total + (s[i] @ s[j] / (s[i].norm() * s[j].norm())) ** 2
    return total / (n * (n - 1))


def penalty(p: Any, D: Callable[[Tensor], Tensor], points: Tensor) -> Tensor:
    """A gradient penalty at `points`, ready for a second backward pass."""
    x = points.detach().clone().requires_grad_(True)
    (g,) = torch.autograd.grad(D(x).sum(), x, create_graph=True)
    norm = g.flatten(1).norm(dim=1)
    return p.weight * PENALTIES[p.name](p, norm).mean()


PENALTIES: dict[str, Callable[[Any, Tensor], Tensor]] = {
    "wgan-gp": lambda p, norm: (norm - p.target) ** 2,
    "dragan": lambda p, norm: (norm - p.target) ** 2,
    "wgan-div": lambda p, norm: norm**p.power,
    "r1": lambda p, norm: norm**2 / 2,
    "r2": lambda p, norm: norm**2 / 2,
}


class Energy(nn.Module):
    """An auto-encoder as D: the mean |decode(encode(x)) - x|^power of each example."""

    def __init__(self, encoder: nn.Module, decoder: nn.Module, power: int) -> None:
        super().__init__()
        self.encoder, self.decoder, self.power = encoder, decoder, power

    def forward(self, x: Tensor) -> Tensor:
        difference = self.decoder(self.encoder(x)) - x
        return (difference.abs() ** self.power).flatten(1).mean(1, keepdim=True)
