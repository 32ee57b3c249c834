"""Conditional games in PyTorch, as their papers write them; see gan_twin.py.

Parts have the dotted names of minigan's. The twin draws its own noise from a generator in the state
of ours, in the order of the algorithm box: z, then which label is wrong and by how much, then what
the penalty needs, for D; then z for G.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from minigan.prior import Prior
from tests.oracles import objective_twins as papers
from tests.oracles.gan_twin import Maxout, ToPictures, ToRows, frozen_statistics
from tests.oracles.torch_twins import channels_first

Array = np.ndarray
Shape = tuple[int, ...]


# --- networks of (x, c) ---------------------------------------------------------------------------


class Chain(nn.Module):
    """Parts one after another; those that say so see c too."""

    sees = True

    def __init__(self, *parts: nn.Module) -> None:
        super().__init__()
        for i, part in enumerate(parts):
            self.add_module(str(i), part)

    def forward(self, x: Tensor, c: Tensor) -> Tensor:
        for part in self.children():
            x = part(x, c) if getattr(part, "sees", False) else part(x)
        return x


class Branches(Chain):
    def forward(self, x: Tensor, c: Tensor) -> Tensor:
        parts = self.children()
        ys = [part(x, c) if getattr(part, "sees", False) else part(x) for part in parts]
        return torch.cat(ys, 1)


class Two(nn.Module):
    """One part for x, one for c."""

    sees = True

    def __init__(self, of_x: nn.Module, of_c: nn.Module) -> None:
        super().__init__()
        self.add_module("0", of_x)
        self.add_module("1", of_c)

    def forward(self, x: Tensor, c: Tensor) -> Tensor:
        of_x, of_c = self.children()
        return torch.cat([of_x(x), of_c(c)], 1)


class Join(nn.Module):
    sees = True

    def __init__(self, embed: nn.Module | None = None) -> None:
        super().__init__()
        self.embed = embed

    def forward(self, x: Tensor, c: Tensor) -> Tensor:
        e = c if self.embed is None else self.embed(c)
        if x.ndim == 4:
            e = e[:, :, None, None].repeat(1, 1, *x.shape[2:])
        return torch.cat([x, e], 1)


class Modulated(nn.Module):
    sees = True

    def __init__(self, features: int, size: int) -> None:
        super().__init__()
        self.scale, self.shift = nn.Linear(size, features), nn.Linear(size, features)

    def forward(self, x: Tensor, c: Tensor) -> Tensor:
        s, t = (part(c)[:, :, None, None] for part in (self.scale, self.shift))
        return x + s * x + t


class Product(nn.Module):
    sees = True

    def __init__(self, features: int, size: int) -> None:
        super().__init__()
        self.embed = nn.Linear(size, features, bias=False)
        self.score = nn.Linear(features, 1)

    def forward(self, x: Tensor, c: Tensor) -> Tensor:
        return self.score(x) + torch.einsum("nf,nf->n", self.embed(c), x)[:, None]


def mlp_generator(z_dim: int, size: int, shape: Shape, units: tuple[int, int, int]) -> nn.Module:
    a, b, both = units
    return Chain(
        Two(
            nn.Sequential(nn.Linear(z_dim, a), nn.ReLU()),
            nn.Sequential(nn.Linear(size, b), nn.ReLU()),
        ),
        nn.Linear(a + b, both),
        nn.ReLU(),
        nn.Linear(both, math.prod(shape)),
        nn.Tanh(),
        ToPictures(*shape),
    ).double()


def mlp_discriminator(shape: Shape, size: int, units: tuple[int, int, int]) -> nn.Module:
    a, b, both = units
    return Chain(
        Two(
            nn.Sequential(ToRows(), nn.Linear(math.prod(shape), 5 * a), Maxout(5)),
            nn.Sequential(nn.Linear(size, 5 * b), Maxout(5)),
        ),
        nn.Linear(a + b, 4 * both),
        Maxout(4),
        nn.Linear(both, 1),
    ).double()


def generator(z_dim: int, size: int, shape: Shape, width: int, sees: str) -> nn.Module:
    """One doubling after the base: (h/4, w/4) of 2 width channels, (h/2, w/2) of width."""
    h, w, channels = shape
    base, c = (h // 4, w // 4, 2 * width), 2 * width

    def norm(features: int) -> nn.Module:
        if sees == "input":
            return nn.BatchNorm2d(features)
        plain = nn.BatchNorm2d if sees == "norm" else nn.InstanceNorm2d
        return Chain(plain(features, affine=False), Modulated(features, size))

    first = z_dim + size if sees == "input" else z_dim
    parts = [
        nn.Linear(first, math.prod(base), bias=False),
        ToPictures(*base),
        norm(c),
        nn.ReLU(),
        nn.ConvTranspose2d(c, width, 4, stride=2, padding=1, bias=False),
        norm(width),
        nn.ReLU(),
        nn.ConvTranspose2d(width, channels, 4, stride=2, padding=1),
        nn.Tanh(),
    ]
    if sees == "input":
        return Chain(Join(), nn.Sequential(*parts)).double()
    return Chain(*parts).double()


def discriminator(
    shape: Shape, size: int, width: int, sees: str, *, normed: bool, embed: int | None = None
) -> nn.Module:
    h, w, channels = shape
    c = 2 * width
    features = h // 4 * (w // 4) * c
    joined = embed or size

    def trunk(beside: int = 0, within: int = 0) -> list[nn.Module]:
        between = [nn.BatchNorm2d(c)] if normed else [nn.Identity()]
        return [
            nn.Conv2d(channels + beside, width, 4, stride=2, padding=1),
            nn.LeakyReLU(0.2),
            nn.Conv2d(width + within, c, 4, stride=2, padding=1, bias=not normed),
            *between,
            nn.LeakyReLU(0.2),
        ]

    def join() -> Join:
        return Join(None if embed is None else nn.Linear(size, embed, bias=False))

    def late() -> list[nn.Module]:
        conv = nn.Conv2d(c + joined, c, 1)
        return [
            join(),
            nn.Sequential(conv, nn.LeakyReLU(0.2), ToRows(), nn.Linear(features, 1)),
        ]

    def first() -> nn.Module:
        a, b, *rest = trunk(within=joined)
        end = nn.Sequential(*rest, ToRows(), nn.Linear(features, 1))
        return Chain(nn.Sequential(a, b), join(), end)

    ways = {
        "input": lambda: Chain(
            join(), nn.Sequential(*trunk(joined), ToRows(), nn.Linear(features, 1))
        ),
        "first": first,
        "late": lambda: Chain(nn.Sequential(*trunk()), *late()),
        "two-scores": lambda: Chain(
            nn.Sequential(*trunk()),
            Branches(nn.Sequential(ToRows(), nn.Linear(features, 1)), Chain(*late())),
        ),
        "auxiliary": lambda: Chain(
            nn.Sequential(*trunk(), ToRows(), nn.Linear(features, 1 + size))
        ),
        "projection": lambda: Chain(nn.Sequential(*trunk(), ToRows()), Product(features, size)),
    }
    return ways[sees]().double()


# --- the game -------------------------------------------------------------------------------------


@dataclass
class ConditionalTwin:
    """`objective` and `penalty` are ours, for their settings alone."""

    G: nn.Module
    D: nn.Module
    optimizer_G: torch.optim.Optimizer
    optimizer_D: torch.optim.Optimizer
    objective: Any
    prior: Prior
    rng: np.random.Generator
    counts: list[int]
    sees: str
    wrong_pairs: str
    class_weight: float = 1.0
    of_fakes: bool = True
    penalty: Any = None

    def step(self, x: Array, labels: Array) -> dict[str, float]:
        """One iteration; both losses, without the penalty."""
        real, c = channels_first(torch.tensor(x)), self.hot(labels)
        with torch.no_grad(), frozen_statistics(self.G):
            fake = self.G(self.noise(len(x)), c)
        other = None if self.wrong_pairs == "none" else self.hot(self.wrong(labels))
        scores = [self.D(real, c), self.D(fake, c)]
        if other is not None:
            scores.append(self.D(real, other))
        loss_D = total = self.loss_D(*scores, labels=labels)
        if self.penalty:
            total = total + self.penalised(real, fake, c)
        descend(self.optimizer_D, total)
        fake = self.G(self.noise(len(x)), c)
        with frozen_statistics(self.D):
            of_fake, of_real = self.D(fake, c), self.D(real, c).detach()
        loss_G = self.loss_G(of_fake, of_real, labels)
        descend(self.optimizer_G, loss_G)
        return {"loss_D": loss_D.item(), "loss_G": loss_G.item()}

    def loss_D(self, real: Tensor, fake: Tensor, wrong: Any = None, *, labels: Array) -> Tensor:
        if self.sees == "auxiliary":
            source = papers.discriminator(self.objective, real[:, :1], fake[:, :1])
            named = self.misnamed(real[:, 1:], labels)
            if self.of_fakes:
                named = named + self.misnamed(fake[:, 1:], labels)
            return source + self.class_weight * named
        if self.sees == "two-scores":
            realness = papers.discriminator(self.objective, real[:, :1], fake[:, :1])
            last = None if wrong is None else wrong[:, 1:]
            return realness + self.of_pairs(real[:, 1:], fake[:, 1:], last)
        return self.of_pairs(real, fake, wrong)

    def of_pairs(self, real: Tensor, fake: Tensor, wrong: Tensor | None) -> Tensor:
        loss = papers.discriminator(self.objective, real, fake)
        if wrong is None:
            return loss
        if self.wrong_pairs == "halved":
            return (loss + papers.discriminator(self.objective, real, wrong)) / 2
        third = {
            "non-saturating": lambda s: -F.logsigmoid(-s).mean(),
            "hinge": lambda s: F.relu(1 + s).mean(),
            "lsgan": lambda s: (s - self.objective.a).square().mean() / 2,
        }
        return loss + third[self.objective.name](wrong)

    def loss_G(self, fake: Tensor, real: Tensor, labels: Array) -> Tensor:
        parts = fake.shape[1] if self.sees == "two-scores" else 1
        loss = sum(
            papers.generator(self.objective, fake[:, i : i + 1], real[:, i : i + 1])
            for i in range(parts)
        )
        if self.sees == "auxiliary":
            loss = loss + self.class_weight * self.misnamed(fake[:, 1:], labels)
        return loss

    def misnamed(self, logits: Tensor, labels: Array) -> Tensor:
        """Cross-entropy, label by label."""
        parts = logits.split(self.counts, 1)
        return sum(F.cross_entropy(p, torch.tensor(labels[:, i])) for i, p in enumerate(parts))

    def penalised(self, real: Tensor, fake: Tensor, c: Tensor) -> Tensor:
        points = real.detach().clone()
        if self.penalty.name == "wgan-gp":
            epsilon = torch.tensor(self.rng.uniform(0, 1, (len(real), 1, 1, 1)))
            points = epsilon * real + (1 - epsilon) * fake
        points.requires_grad_()
        with frozen_statistics(self.D):
            total = self.D(points, c)[:, 0].sum()
        (g,) = torch.autograd.grad(total, points, create_graph=True)
        square = g.square().sum((1, 2, 3))
        if self.penalty.name == "wgan-gp":
            return self.penalty.weight * (square.sqrt() - 1).square().mean()
        return self.penalty.weight / 2 * square.mean()

    def hot(self, labels: Array) -> Tensor:
        one = [F.one_hot(torch.tensor(labels[:, i]), n) for i, n in enumerate(self.counts)]
        return torch.cat(one, 1).double()

    def noise(self, m: int) -> Tensor:
        return torch.tensor(self.prior.draw(m, self.rng))

    def wrong(self, labels: Array) -> Array:
        """One label of each row, moved on by 1 to (classes - 1) places."""
        which, far = self.rng.uniform(0, 1, len(labels)), self.rng.uniform(0, 1, len(labels))
        moved = labels.copy()
        for row, a, b in zip(moved, which, far, strict=True):
            i = int(a * len(self.counts))
            others = [k for k in range(self.counts[i]) if k != row[i]]
            row[i] = sorted(others, key=lambda k: (k - row[i]) % self.counts[i])[
                int(b * len(others))
            ]
        return moved


def descend(optimizer: torch.optim.Optimizer, loss: Tensor) -> None:
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
