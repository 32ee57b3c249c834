"""PG2 in PyTorch: modules, autograd and torch.optim, nothing of ours.

The networks are written down from the paper and the authors' code, with one module per layer of
minigan's, so that a parameter has the same dotted name on both sides.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from tests.oracles.gan_twin import ToPictures, ToRows
from tests.oracles.torch_twins import channels_first
from tests.oracles.translation_twin import Added, Twin, step

Array = np.ndarray


class Beside(nn.Module):
    """body(x) beside x."""

    def __init__(self, body: nn.Module) -> None:
        super().__init__()
        self.add_module("0", body)
        self.add_module("1", nn.Identity())

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([self.get_submodule("0")(x), x], 1)


def conv(cin: int, cout: int, kernel: int = 3, stride: int = 1) -> list[nn.Module]:
    return [nn.Conv2d(cin, cout, kernel, stride, kernel // 2), nn.ReLU()]


def block(filters: int) -> nn.Module:
    return Added(nn.Sequential(*conv(filters, filters), *conv(filters, filters)))


def integrator(h: int, w: int, cin: int, cout: int, f: int, n: int, numbers: int) -> nn.Module:
    """G1, from its innermost level out."""
    h, w = h >> (n - 1), w >> (n - 1)
    into = nn.Linear(h * w * n * f, numbers), nn.Linear(numbers, h * w * f)
    inner = nn.Sequential(ToRows(), *into, ToPictures(h, w, f))
    wide = (n + 1) * f
    for k in range(n, 1, -1):
        down = conv((k - 1) * f, k * f, 3, 2)
        up = [nn.Upsample(scale_factor=2), *conv(wide, (k - 1) * f, 1)]
        inner = nn.Sequential(*down, block(k * f), Beside(inner), block(wide), *up)
        wide = 2 * (k - 1) * f
    ends = conv(cin, f), nn.Conv2d(wide, cout, 3, 1, 1)
    return nn.Sequential(*ends[0], block(f), Beside(inner), block(wide), ends[1]).double()


def refiner(cin: int, cout: int, f: int, n: int) -> nn.Module:
    """G2, from its innermost level out; n blocks."""
    inner: list[nn.Module] = []
    for k in range(n, 0, -1):
        own = k * f
        first = [*conv(max(1, k - 1) * f, own), *conv(own, own)]
        fed = own if k == n else f
        if k < n:
            below: nn.Module = nn.Sequential(
                *conv(own, own, 3, 2), *inner, nn.Upsample(scale_factor=2)
            )
            first.append(Beside(below) if k > 1 else below)
            fed += own if k > 1 else 0
        inner = [*first, *conv(fed, f), *conv(f, f)]
    return nn.Sequential(*conv(cin, f), *inner, nn.Conv2d(f, cout, 3, 1, 1)).double()


@dataclass
class PG2(Twin):
    first: int
    weight_l1: float
    weight_mask: float
    weight_gan: float
    taken: int = 0

    def step(self, examples: Array) -> dict[str, float]:
        whole = channels_first(torch.tensor(examples))
        x, y, mask = whole.split([*self.channels, 1], 1)
        a = x[:, : self.channels[1]]
        G1, G2 = self.nets["G1"], self.nets["G2"]
        self.taken += 1

        def apart(made: Tensor) -> Tensor:
            return ((made - y) * (1 + self.weight_mask * mask)).abs().mean()

        if self.taken <= self.first:
            G1.zero_grad()
            loss = apart(G1(x))
            loss.backward()
            return {"loss_G1": loss.item(), "grad_norm_G1": step(G1, self.optimizers["G1"])}
        with torch.no_grad():
            rough = G1(x)
        fake = rough + G2(torch.cat([a, rough], 1))
        scalars = self.update_discriminator("D", y, fake, ("y", "G(x)"), a)
        G2.zero_grad()
        fooling, close = self.weight_gan * self.fool("D", fake, a), apart(fake)
        loss = fooling + self.weight_l1 * close
        loss.backward()
        norm = step(G2, self.optimizers["G2"])
        terms = {"GAN_G": fooling.item(), "pose_mask": close.item()}
        return scalars | terms | {"loss_G2": loss.item(), "grad_norm_G2": norm}
