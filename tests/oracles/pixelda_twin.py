"""PixelDA in PyTorch: modules, autograd and torch.optim, nothing of ours."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from tests.oracles.gan_twin import ToPictures, ToRows
from tests.oracles.translation_twin import GAMES, Added, Chain, Twin, report, step

Array = np.ndarray
EPS = 1e-3


class Beside(nn.Module):
    """x, and z as one more channel of it."""

    def __init__(self, z_dim: int, h: int, w: int) -> None:
        super().__init__()
        self.add_module("0", nn.Identity())
        norm = nn.BatchNorm1d(h * w, eps=EPS)
        dense = nn.Linear(z_dim, h * w, bias=False)
        self.add_module("1", nn.Sequential(dense, norm, nn.ReLU(), ToPictures(h, w, 1)))

    def forward(self, x: Tensor, z: Tensor) -> Tensor:
        return torch.cat([x, self.get_submodule("1")(z)], 1)


def generator(c: int, side: int, z_dim: int, width: int, blocks: int) -> nn.Module:
    def block() -> nn.Module:
        def half() -> list[nn.Module]:
            conv = nn.Conv2d(width, width, 3, padding=1, bias=False)
            return [conv, nn.BatchNorm2d(width, eps=EPS)]

        return Added(nn.Sequential(*half(), nn.ReLU(), *half()))

    first = [Beside(z_dim, side, side), nn.Conv2d(c + 1, width, 3, padding=1), nn.ReLU()]
    last = [nn.Conv2d(width, c, 1), nn.Tanh()]
    return Chain(*first, *(block() for _ in range(blocks)), *last).double()


def discriminator(c: int, side: int, width: int) -> nn.Module:
    parts: list[nn.Module] = [nn.Conv2d(c, width, 3, padding=1), nn.LeakyReLU(0.2)]
    while side > 4:
        parts.append(nn.Conv2d(width, 2 * width, 3, 2, 1, bias=False))
        parts += [nn.BatchNorm2d(2 * width, eps=EPS), nn.LeakyReLU(0.2)]
        width, side = 2 * width, (side + 1) // 2
    return nn.Sequential(*parts, ToRows(), nn.Linear(side * side * width, 1)).double()


def classifier(c: int, side: int, classes: int) -> nn.Module:
    parts: list[nn.Module] = []
    for filters in (32, 48):
        parts += [nn.Conv2d(c, filters, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2)]
        c, side = filters, side // 2
    parts += [ToRows(), nn.Linear(side * side * c, 100), nn.ReLU(), nn.Linear(100, 100), nn.ReLU()]
    return nn.Sequential(*parts, nn.Linear(100, classes)).double()


def content(fake: Tensor, x: Tensor, foreground: str) -> Tensor:
    """Equation 5, picture by picture."""
    total = torch.zeros((), dtype=torch.float64)
    for g, s in zip(fake, x, strict=True):
        m = torch.ones_like(s)
        if foreground == "not-black":
            m = (s.amax(0) > -0.95).double().expand_as(s)
        if foreground == "not-white":
            m = (s.amin(0) < 0.95).double().expand_as(s)
        d, k = (s - g).flatten(), s.numel()
        m = m.flatten()
        total = total + ((d * m) ** 2).sum() / k - (d @ m) ** 2 / k**2
    return total / len(x)


@dataclass
class PixelDA(Twin):
    """draw: numbers of U(-1, 1) of a shape, in the order of use."""

    z_dim: int
    alpha: float
    beta: float
    gamma: float
    foreground: str
    draw: Callable[[tuple[int, int]], Array]

    def z(self, n: int) -> Tensor:
        return torch.tensor(self.draw((n, self.z_dim)).astype(np.float32).astype(np.float64))

    def step(self, pairs: Array, labels: Array) -> dict[str, float]:
        names = torch.tensor(labels[:, 0])
        half = len(pairs) // 2
        scalars = self.judges(pairs[:half], names[:half])
        return scalars | (self.update_generator(pairs[half:], names[half:]) if self.adapts else {})

    @property
    def adapts(self) -> bool:
        return "G" in self.nets

    def judges(self, pairs: Array, names: Array) -> dict[str, float]:
        x, y = self.split(pairs)
        T = self.nets["T"]
        T.zero_grad()
        terms = {"task(x)": F.cross_entropy(T(x), names)}
        scalars = {}
        if self.adapts:
            G, D = self.nets["G"], self.nets["D"]
            stored = {k: b.clone() for k, b in G.named_buffers()}
            fake = G(x, self.z(len(x))).detach()
            for k, b in G.named_buffers():
                b.copy_(stored[k])
            D.zero_grad()
            r, f = D(y), D(fake)
            loss = GAMES[self.game][0](r, f)
            loss.backward()
            scalars = {"loss_D": loss.item(), **report(self.game, r, f, ("y", "G(x, z)"), "")}
            scalars["grad_norm_D"] = step(D, self.optimizers["D"])
            terms["task(G(x, z))"] = F.cross_entropy(T(fake), names)
        loss = sum(terms.values())
        loss.backward()
        scalars |= {key: term.item() for key, term in terms.items()}
        norm = step(T, self.optimizers["T"])
        return scalars | {"loss_T": loss.item(), "grad_norm_T": norm}

    def update_generator(self, pairs: Array, names: Array) -> dict[str, float]:
        x, _ = self.split(pairs)
        G = self.nets["G"]
        G.zero_grad()
        fake = G(x, self.z(len(x)))
        terms = {
            "GAN_G": self.alpha * self.fool("D", fake),
            "task_G": F.cross_entropy(self.nets["T"](fake), names),
        }
        loss = terms["GAN_G"] + self.beta * terms["task_G"]
        if self.foreground != "none":
            terms["content"] = content(fake, x, self.foreground)
            loss = loss + self.gamma * terms["content"]
        loss.backward()
        norm = step(G, self.optimizers["G"])
        shown = {key: term.item() for key, term in terms.items()}
        return shown | {"loss_G": loss.item(), "grad_norm_G": norm}
