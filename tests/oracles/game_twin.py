"""Algorithm 1 with the objectives and parts of later papers, in PyTorch; see gan_twin.py.

The twin draws its own noise, from a generator in the state of ours and in the order of the papers'
algorithm boxes: z, then what the penalty needs, for each step of D; then z for G.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from minigan.prior import Prior
from tests.oracles import objective_twins as papers
from tests.oracles.gan_twin import frozen_statistics
from tests.oracles.torch_twins import channels_first

Array = np.ndarray


@dataclass
class Game:
    """`objective` and `penalty` are ours, for their settings; BEGAN's k is the twin's own."""

    G: nn.Module
    D: nn.Module
    optimizer_G: torch.optim.Optimizer
    optimizer_D: torch.optim.Optimizer
    objective: Any
    prior: Prior
    rng: np.random.Generator
    penalty: Any = None
    clip: float | None = None
    pull_away: float = 0.0
    k: int = 1

    def __post_init__(self) -> None:
        self.balance = _Balance(self.objective) if self.objective.name == "began" else None

    def step(self, x: Array) -> dict[str, float]:
        """One iteration on k m examples; both losses, without the penalty."""
        settings = self.balance or self.objective
        for minibatch in np.split(x, self.k):
            real = tensor(minibatch)
            with torch.no_grad(), frozen_statistics(self.G):
                fake = self.G(self.noise(len(real)))
            real_scores = self.D(real)
            total = loss_D = papers.discriminator(settings, real_scores, self.D(fake))
            if self.penalty:
                points = self.points(real, fake, minibatch)
                with frozen_statistics(self.D):
                    total = total + papers.penalty(self.penalty, self.D, points)
            descend(self.optimizer_D, total)
            if self.clip:
                with torch.no_grad():
                    for p in self.D.parameters():
                        p.clamp_(-self.clip, self.clip)
        with torch.no_grad(), frozen_statistics(self.D):
            last_real = self.D(real)
        fake = self.G(self.noise(len(real)))
        with frozen_statistics(self.D):
            scores = self.D(fake)
        loss_G = papers.generator(settings, scores, last_real)
        if self.pull_away:
            loss_G = loss_G + self.pull_away * papers.pulling_away(self.D.encoder(fake))
        descend(self.optimizer_G, loss_G)
        if self.balance:
            self.balance.move(real_scores.mean().item(), loss_G.item())
        return {"loss_D": loss_D.item(), "loss_G": loss_G.item()}

    def noise(self, m: int) -> Tensor:
        return torch.tensor(self.prior.draw(m, self.rng))

    def points(self, real: Tensor, fake: Tensor, minibatch: Array) -> Tensor:
        """Where each paper takes the gradient."""
        if self.penalty.name in ("wgan-gp", "wgan-div"):
            epsilon = self.rng.uniform(0, 1, len(real))
            e = torch.tensor(epsilon).reshape(-1, *[1] * (real.ndim - 1))
            return e * real + (1 - e) * fake
        if self.penalty.name == "dragan":
            u = tensor(self.rng.uniform(0, 1, minibatch.shape))
            return real + self.penalty.spread * real.std(correction=0) * u
        return real if self.penalty.name == "r1" else fake


class _Balance:
    """BEGAN's k_t, moved as the paper says."""

    name = "began"

    def __init__(self, objective: Any) -> None:
        self.gamma, self.rate, self.k = objective.gamma, objective.rate, objective.k.tolist()

    def move(self, real: float, fake: float) -> None:
        k = self.k[0] + self.rate * (self.gamma * real - fake)
        self.k[0] = min(max(k, 0.0), 1.0)


def tensor(x: Array) -> Tensor:
    return channels_first(torch.tensor(x)) if x.ndim == 4 else torch.tensor(x)


def descend(optimizer: torch.optim.Optimizer, loss: Tensor) -> None:
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
