"""Next-frame prediction in PyTorch: modules, autograd and torch.optim, nothing of ours."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from tests.oracles.translation_twin import (
    GAMES,
    BesideEachOther,
    Chain,
    ToRows,
    Twin,
    report,
    step,
)

Array = np.ndarray

# By size, the coarsest first: of G and of D the maps, in shares of the width, and the kernels.
MAPS_G = [(1, 2, 1), (1, 2, 1), (1, 2, 4, 2, 1), (1, 2, 4, 2, 1)]
KERNELS_G = [(3, 3, 3, 3), (5, 3, 3, 5), (5, 3, 3, 3, 3, 5), (7, 5, 5, 5, 5, 7)]
MAPS_D = [(0.5,), (0.5, 1, 1), (1, 2, 2), (1, 2, 4, 1)]
KERNELS_D = [(3,), (3, 3, 3), (5, 5, 5), (7, 7, 5, 5)]
UNITS_D = [(4, 2), (8, 4), (8, 4), (8, 4)]


class Pyramid(nn.Sequential):
    """The predictions of all sizes, the coarsest first."""

    def __init__(self, cin: int, cout: int, width: int, scales: int) -> None:
        parts = []
        for k in range(scales):
            layers: list[nn.Module] = []
            c = cin + (cout if k else 0)
            maps = [share * width for share in MAPS_G[k]] + [cout]
            for m, kernel in zip(maps, KERNELS_G[k], strict=True):
                layers += [nn.Conv2d(c, m, kernel, padding=kernel // 2), nn.ReLU()]
                c = m
            parts.append(nn.Sequential(*layers[:-1]))
        super().__init__(*parts)
        self.double()

    def forward(self, x: Tensor) -> list[Tensor]:
        n = len(self)
        found: list[Tensor] = []
        for k, part in enumerate(self):
            own = F.avg_pool2d(x, 2 ** (n - 1 - k))
            if k == 0:
                found.append(torch.tanh(part(own)))
            else:
                guess = F.interpolate(found[-1], scale_factor=2, mode="nearest")
                found.append(torch.tanh(guess + part(torch.cat([own, guess], 1))))
        return found


class Judge(Chain):
    """D_k, k from 0 on, of square frames."""

    def __init__(self, cin: int, width: int, k: int, side: int) -> None:
        layers: list[nn.Module] = [BesideEachOther()]
        for share, kernel in zip(MAPS_D[k], KERNELS_D[k], strict=True):
            layers += [nn.Conv2d(cin, int(share * width), kernel), nn.ReLU()]
            cin, side = int(share * width), side - kernel + 1
        if k == 3:
            layers.append(nn.MaxPool2d(2))
            side //= 2
        layers.append(ToRows())
        features = cin * side * side
        for share in UNITS_D[k]:
            layers += [nn.Linear(features, share * width), nn.ReLU()]
            features = share * width
        super().__init__(*layers, nn.Linear(features, 1))
        self.double()


def edges_apart(y: Tensor, x: Tensor, alpha: int) -> Tensor:
    """The gradient difference loss."""
    apart = [x.diff(dim=axis).abs() - y.diff(dim=axis).abs() for axis in (2, 3)]
    return sum((part.abs() ** alpha).mean() for part in apart)


@dataclass
class NextFrame(Twin):
    """Networks G, D1, D2, ...; weights of the adversarial, the close and the edges' term."""

    p: int
    alpha: int
    adv: float
    lp: float
    gdl: float

    def step(self, pairs: Array) -> dict[str, float]:
        G, judges = self.nets["G"], [name for name in self.nets if name[0] == "D"]
        n = len(G)
        ends = [f"/{2 ** (n - 1 - k)}" if k < n - 1 else "" for k in range(n)]
        scalars: dict[str, float] = {}
        if judges:
            first, pairs = np.split(pairs, 2)
            x, y = self.split(first)
            for k, name in enumerate(judges):
                own, true = (F.avg_pool2d(t, 2 ** (n - 1 - k)) for t in (x, y))
                D = self.nets[name]
                D.zero_grad()
                with torch.no_grad():
                    made = G(x)[k]
                r, f = D(own, true), D(own, made)
                loss = GAMES[self.game][0](r, f)
                loss.backward()
                norm = step(D, self.optimizers[name])
                scalars |= {f"loss_{name}": loss.item(), f"grad_norm_{name}": norm}
                scalars |= report(self.game, r, f, (f"y{ends[k]}", f"G(x){ends[k]}"), name[1:])
        x, y = self.split(pairs)
        G.zero_grad()
        total = torch.zeros((), dtype=torch.float64)
        for k, made in enumerate(G(x)):
            own, true = (F.avg_pool2d(t, 2 ** (n - 1 - k)) for t in (x, y))
            close = ((made - true).abs() ** self.p).mean()
            edges = edges_apart(made, true, self.alpha)
            total = total + self.lp * close + self.gdl * edges
            scalars |= {f"L{self.p}{ends[k]}": close.item(), f"GDL{ends[k]}": edges.item()}
            if judges:
                fooling = self.adv * GAMES[self.game][1](self.nets[judges[k]](own, made))
                total = total + fooling
                scalars[f"adv{ends[k]}"] = fooling.item()
        total.backward()
        norm = step(G, self.optimizers["G"])
        return scalars | {"loss_G": total.item(), "grad_norm_G": norm}
