"""StyleGAN2's two updates in PyTorch: networks as functions of named tensors, and autograd.

Weights keep minigan's names and layouts. A modulated convolution is the paper's: each example has
a kernel of its own. Pictures are (N, C, H, W) inside.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from minigan.prior import Prior
from tests.oracles.torch_twins import channels_first

Array = np.ndarray
Named = dict[str, Tensor]
ROOT = math.sqrt(2)


def leaves(arrays: dict[str, Array]) -> Named:
    return {k: torch.tensor(a, dtype=torch.float64, requires_grad=True) for k, a in arrays.items()}


def dense(p: Named, name: str, x: Tensor, gain: float = 1.0, slow: float = 1.0) -> Tensor:
    weight = p[f"{name}.layer.weight"]
    return x @ (weight * gain * slow / weight.shape[0] ** 0.5) + slow * p[f"{name}.bias"]


def conv(p: Named, name: str, x: Tensor, gain: float) -> Tensor:
    weight = p[f"{name}.layer.weight"].permute(3, 2, 0, 1)
    scale = gain / weight[0].numel() ** 0.5
    return F.conv2d(x, weight * scale, p.get(f"{name}.bias"), padding=weight.shape[-1] // 2)


def leaky(x: Tensor) -> Tensor:
    return F.leaky_relu(x, 0.2)


def mapping(p: Named, z: Tensor) -> Tensor:
    x = z / (z.square().mean(1, keepdim=True) + 1e-8).sqrt()
    for i in range(1, 100, 2):
        if f"mapping.{i}.bias" not in p:
            return x
        x = leaky(dense(p, f"mapping.{i}", x, ROOT, 0.01))
    raise AssertionError


def modulated(p: Named, name: str, x: Tensor, w: Tensor, *, demodulate: bool) -> Tensor:
    s = dense(p, f"{name}.style", w)
    stored = p[f"{name}.conv.weight"].permute(3, 2, 0, 1)
    stored = stored / stored[0].numel() ** 0.5
    ys = []
    for one, style in zip(x, s, strict=True):
        kernel = stored * style[None, :, None, None]
        if demodulate:
            kernel = ROOT * kernel / (kernel.square().sum((1, 2, 3), keepdim=True) + 1e-8).sqrt()
        ys.append(F.conv2d(one[None], kernel, padding=kernel.shape[-1] // 2))
    return torch.cat(ys) + p[f"{name}.conv.bias"][:, None, None]


def up(x: Tensor) -> Tensor:
    return F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)


def synthesis(p: Named, ws: Tensor, noise: Tensor) -> Tensor:
    const = p["synthesis.const"].movedim(-1, 0)
    x, rgb = const.expand(len(ws), *const.shape), None
    style = place = b = 0
    while f"synthesis.rgb{b}.conv.weight" in p:
        rgb = up(rgb) if b else rgb
        for i in range(2 if b else 1):
            name = f"synthesis.conv{b}.{i}"
            a = modulated(p, f"{name}.styled", x, ws[:, style], demodulate=True)
            a = up(a) if b and i == 0 else a
            h, w = a.shape[2:]
            n = noise[:, place : place + h * w].reshape(-1, 1, h, w)
            x = leaky(a + p[f"{name}.noise.strength"] * n)
            style, place = style + 1, place + h * w
        colours = modulated(p, f"synthesis.rgb{b}", x, ws[:, style], demodulate=False)
        rgb = colours if rgb is None else rgb + colours
        b += 1
    return rgb


def critic(p: Named, x: Tensor, group: int) -> Tensor:
    x, i = leaky(conv(p, "0", x, ROOT)), 2
    while f"{i}.body.0.bias" in p:
        y = leaky(conv(p, f"{i}.body.0", x, ROOT))
        y = leaky(conv(p, f"{i}.body.3", F.avg_pool2d(y, 2), 1.0))
        x = y + conv(p, f"{i}.shortcut.1", F.avg_pool2d(x, 2), 1 / ROOT)
        i += 1
    if group:
        groups = len(x) // min(group, len(x))
        extra = torch.empty(len(x), 1, *x.shape[2:], dtype=x.dtype)
        for first in range(groups):
            deviation = (x[first::groups].var(0, unbiased=False) + 1e-8).sqrt()
            extra[first::groups] = deviation.mean()
        x, i = torch.cat([x, extra], 1), i + 1
    x = leaky(conv(p, str(i), x, ROOT))
    x = leaky(dense(p, str(i + 3), x.movedim(1, -1).flatten(1), ROOT))
    return dense(p, str(i + 5), x)


@dataclass
class StyleTwin:
    """One training iteration with noise drawn from a generator in the state of ours."""

    G: Named
    D: Named
    prior: Prior
    rng: np.random.Generator
    styles: int
    pixels: int
    lr: float
    betas: tuple[float, float]
    decay: float
    mixing: float
    gamma: float  # 0: no R1
    r1_every: int
    path_weight: float
    path_every: int
    path_decay: float
    group: int
    t: int = 0
    path_mean: float = 0.0
    w_avg: Tensor = field(default_factory=lambda: torch.zeros(()))

    def __post_init__(self) -> None:
        self.opt = {
            name: torch.optim.Adam(list(p.values()), lr=self.lr, betas=self.betas)
            for name, p in (("G", self.G), ("D", self.D))
        }
        self.average = {k: t.detach().clone() for k, t in self.G.items()}

    def generated(self, m: int) -> tuple[Tensor, Tensor, Tensor]:
        """Pictures, styles and the first w, from z drawn before the call."""
        z = torch.tensor(self.prior.draw(m, self.rng))
        w, other = (
            mapping(self.G, z),
            mapping(self.G, torch.tensor(self.prior.draw(m, self.rng))),
        )
        u = self.rng.uniform(0, 1, (m, 2))
        rows = []
        for i in range(m):
            crossover = self.styles
            if u[i, 0] < self.mixing:
                crossover = 1 + int(u[i, 1] * (self.styles - 1))
            rows.append(
                torch.stack([w[i] if k < crossover else other[i] for k in range(self.styles)])
            )
        ws = torch.stack(rows)
        noise = torch.tensor(self.rng.standard_normal((m, self.pixels)))
        return synthesis(self.G, ws, noise), ws, w

    def step(self, x: Array) -> dict[str, float]:
        real, m = channels_first(torch.tensor(x)), len(x)
        fake = self.generated(m)[0].detach()
        real.requires_grad_(True)
        r, f = critic(self.D, real, self.group), critic(self.D, fake, self.group)
        loss_D = F.softplus(-r).mean() + F.softplus(f).mean()
        scalars = {"loss_D": loss_D.item()}
        total = loss_D
        if self.gamma and self.t % self.r1_every == 0:
            (g,) = torch.autograd.grad(r.sum(), real, create_graph=True)
            penalty = self.r1_every * self.gamma / 2 * g.square().sum((1, 2, 3)).mean()
            total, scalars["r1"] = total + penalty, penalty.item()
        self.descend("D", total)

        fake, ws, w = self.generated(m)
        with torch.no_grad():
            self.w_avg = self.w_avg + 0.005 * (w.mean(0) - self.w_avg)
        loss_G = F.softplus(-critic(self.D, fake, self.group)).mean()
        total, scalars["loss_G"] = loss_G, loss_G.item()
        if self.path_weight and self.t % self.path_every == 0:
            n, c, height, width = fake.shape
            y = self.rng.standard_normal((n, height, width, c)) / math.sqrt(height * width)
            (g,) = torch.autograd.grad(
                (fake * channels_first(torch.tensor(y))).sum(), ws, create_graph=True
            )
            length = g.square().sum(2).mean(1).sqrt()
            self.path_mean += self.path_decay * (length.mean().item() - self.path_mean)
            term = (length - self.path_mean).square().mean()
            term = self.path_every * self.path_weight * term
            total, scalars["path_length"] = total + term, term.item()
        self.descend("G", total)
        self.t += 1
        for k, p in self.G.items():
            self.average[k] = self.decay * self.average[k] + (1 - self.decay) * p.detach()
        return scalars

    def descend(self, name: str, loss: Tensor) -> None:
        named = {"G": self.G, "D": self.D}[name]
        gradients = torch.autograd.grad(loss, list(named.values()), allow_unused=True)
        for p, g in zip(named.values(), gradients, strict=True):
            p.grad = torch.zeros_like(p) if g is None else g
        self.opt[name].step()
