"""Age-cGAN in PyTorch: the conditional game of conditional_twin.py, then the encoders.

z is drawn as the game draws it; what E sees is made by G out of training.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from tests.oracles.conditional_twin import ConditionalTwin, descend
from tests.oracles.torch_twins import channels_first

Array = np.ndarray


@dataclass(kw_only=True)
class AgeTwin(ConditionalTwin):
    E: nn.Module
    E_y: nn.Module
    optimizer_E: torch.optim.Optimizer
    optimizer_E_y: torch.optim.Optimizer
    game_steps: int
    steps: int = 0

    def step(self, x: Array, labels: Array) -> dict[str, float]:
        self.steps += 1
        if self.steps <= self.game_steps:
            return super().step(x, labels)
        z, c = self.noise(len(x)), self.hot(labels)
        self.G.eval()
        with torch.no_grad():
            made = self.G(z, c)
        self.G.train()
        loss_E = (self.E(made) - z).square().mean()
        descend(self.optimizer_E, loss_E)
        loss_E_y = self.misnamed(self.E_y(channels_first(torch.tensor(x))), labels)
        descend(self.optimizer_E_y, loss_E_y)
        return {"loss_E": loss_E.item(), "loss_E_y": loss_E_y.item()}

    def slope(self, z: Array, labels: Array, x: Array, seen: Any) -> tuple[float, Array]:
        """mean (seen(G(z, y)) - seen(x))^2 and its gradient in z, with G out of training."""
        self.G.eval()
        at = torch.tensor(z, requires_grad=True)
        made = seen(self.G(at, self.hot(labels)))
        value = F.mse_loss(made, seen(channels_first(torch.tensor(x))))
        (gradient,) = torch.autograd.grad(value, at)
        self.G.train()
        return value.item(), gradient.numpy()


def recogniser(net: Any) -> Any:
    """FR of minigan's classifier `net`: convolutions, norms out of training, ReLU, dense layers."""

    def tensor(a: Array) -> Tensor:
        return torch.tensor(np.asarray(a, np.float64))

    def seen(x: Tensor) -> Tensor:
        for layer in net.layers:
            kind, own = type(layer).__name__, {k: tensor(p.data) for k, p in layer.params.items()}
            if kind == "Conv2d":
                x = F.conv2d(x, own["weight"].permute(3, 2, 0, 1), stride=2, padding=1)
            elif kind == "BatchNorm":
                running = (tensor(layer.buffers[k]) for k in ("running_mean", "running_var"))
                x = F.batch_norm(x, *running, own["weight"], own["bias"], eps=layer.eps)
            elif kind == "ReLU":
                x = F.relu(x)
            elif kind == "Flatten":
                x = x.permute(0, 2, 3, 1).flatten(1)
            else:
                x = x @ own["weight"] + own["bias"]
        return x

    return seen
