"""PairedCycleGAN in PyTorch: modules, autograd and torch.optim, nothing of ours."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from tests.oracles.torch_twins import channels_first
from tests.oracles.translation_twin import NORMS, Added, Twin, enlarge, step


def dilated(
    cin: int, cout: int, width: int, halvings: int, blocks: int, norm: str, *, up: str
) -> nn.Module:
    bias = norm == "none"

    def conv(c: int, d: int) -> list[nn.Module]:
        return [nn.Conv2d(c, c, 3, padding=d, dilation=d, bias=bias), NORMS[norm](c)]

    parts: list[nn.Module] = [nn.ReflectionPad2d(3), nn.Conv2d(cin, width, 7, bias=bias)]
    parts += [NORMS[norm](width), nn.ReLU()]
    c = width
    for _ in range(halvings):
        parts += [nn.Conv2d(c, 2 * c, 3, 2, 1, bias=bias), NORMS[norm](2 * c), nn.ReLU()]
        c *= 2
    for d in [2**i for i in range(blocks)]:
        parts.append(Added(nn.Sequential(*conv(c, d), nn.ReLU(), *conv(c, d))))
    for d in [2**i for i in range(blocks - 1)][::-1]:
        parts += [*conv(c, d), nn.ReLU()]
    for _ in range(halvings):
        parts += [enlarge(up, c, c // 2, 3, bias), NORMS[norm](c // 2), nn.ReLU()]
        c //= 2
    return nn.Sequential(*parts, nn.ReflectionPad2d(3), nn.Conv2d(c, cout, 7), nn.Tanh()).double()


class Adding(nn.Module):
    """The picture, first in its channels, and twice what the network makes of all of them."""

    def __init__(self, net: nn.Module, cout: int) -> None:
        super().__init__()
        self.body = nn.Sequential(net)
        self.cout = cout

    def forward(self, x: Tensor) -> Tensor:
        return x[:, : self.cout] + 2 * self.body(x)


@dataclass
class PairedCycleGAN(Twin):
    lambdas: dict[str, float]

    def step(self, examples: np.ndarray) -> dict[str, float]:
        whole = channels_first(torch.tensor(examples))
        cx, cy = self.channels
        x, y, warped = whole[:, :cx], whole[:, cx : cx + cy], whole[:, cx + cy :]
        G, remove = self.nets["G"], self.nets["F"]
        G.zero_grad()
        remove.zero_grad()
        made, bare = G(torch.cat([x, y], 1)), remove(y)
        terms = {}
        if self.lambdas["G"]:
            terms["G"] = self.fool("D_Y", made)
        if self.lambdas["F"]:
            terms["F"] = self.fool("D_X", bare)
        if self.lambdas["P"]:
            terms["P"] = self.fool("D_S", made, y)
        if self.lambdas["I"]:
            terms["I"] = F.l1_loss(remove(made), x)
        if self.lambdas["S"]:
            terms["S"] = F.l1_loss(G(torch.cat([bare, made], 1)), y)
        loss = sum(self.lambdas[name] * term for name, term in terms.items())
        loss.backward()
        scalars = {f"L_{name}": term.item() for name, term in terms.items()}
        scalars["loss"] = loss.item()
        for name in "GF":
            scalars[f"grad_norm_{name}"] = step(self.nets[name], self.optimizers[name])
        for name, real, fake, seen, given in (
            ("D_Y", y, made, ("y", "G(x)"), ()),
            ("D_X", x, bare, ("x", "F(y)"), ()),
            ("D_S", warped, made, ("y, W", "y, G"), (y,)),
        ):
            if name in self.nets:
                scalars |= self.update_discriminator(name, real, fake, seen, *given)
        return scalars
