"""pix2pixHD in PyTorch: modules, autograd and torch.optim, nothing of ours."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from tests.oracles.gan_twin import frozen_statistics
from tests.oracles.translation_twin import GAMES, NORMS, Added, Twin, enlarge, report, step

Array = np.ndarray


def residual(c: int, norm: str) -> nn.Module:
    def half() -> list[nn.Module]:
        conv = nn.Conv2d(c, c, 3, bias=norm == "none")
        return [nn.ReflectionPad2d(1), conv, NORMS[norm](c)]

    return Added(nn.Sequential(*half(), nn.ReLU(), *half()))


def entrance(cin: int, width: int, halvings: int, norm: str) -> list[nn.Module]:
    bias = norm == "none"
    parts: list[nn.Module] = [nn.ReflectionPad2d(3), nn.Conv2d(cin, width, 7, bias=bias)]
    parts += [NORMS[norm](width), nn.ReLU()]
    for i in range(halvings):
        c = width * 2**i
        parts += [nn.Conv2d(c, 2 * c, 3, 2, 1, bias=bias), NORMS[norm](2 * c), nn.ReLU()]
    return parts


def exit_(width: int, halvings: int, cout: int, norm: str, up: str) -> list[nn.Module]:
    parts: list[nn.Module] = []
    for i in reversed(range(halvings)):
        c = width * 2**i
        parts += [enlarge(up, 2 * c, c, 3, norm == "none"), NORMS[norm](c), nn.ReLU()]
    return [*parts, nn.ReflectionPad2d(3), nn.Conv2d(width, cout, 7), nn.Tanh()]


def global_generator(
    cin: int, cout: int, width: int, halvings: int, blocks: int, norm: str, up: str
) -> nn.Sequential:
    return nn.Sequential(
        *entrance(cin, width, halvings, norm),
        *(residual(width * 2**halvings, norm) for _ in range(blocks)),
        *exit_(width, halvings, cout, norm, up),
    ).double()


class Enhancer(nn.Module):
    def __init__(self, cin: int, cout: int, width: int, blocks: int, norm: str, up: str) -> None:
        super().__init__()
        self.front = nn.Sequential(*entrance(cin, width // 2, 1, norm))
        middle = [residual(width, norm) for _ in range(blocks)]
        self.back = nn.Sequential(*middle, *exit_(width // 2, 1, cout, norm, up))
        self.double()

    def forward(self, x: Tensor, coarse: Tensor) -> Tensor:
        return self.back(self.front(x) + coarse)


def features(D: nn.Sequential, *xs: Tensor) -> list[Tensor]:
    """What comes out of every activation, and the logits."""
    found = []
    for part in D:
        y = part(*xs)
        xs = (y,)
        if isinstance(part, nn.LeakyReLU):
            found.append(y)
    return [*found, y]


@dataclass
class Pix2PixHD(Twin):
    """coarse, fine: steps of G1 and of G2 alone."""

    weight_features: float
    coarse: int
    fine: int
    done: int = 0

    def stage(self) -> str:
        self.done += 1
        if self.done <= self.coarse:
            return "coarse"
        return "fine" if self.done <= self.coarse + self.fine else "both"

    def step(self, pairs: Array) -> dict[str, float]:
        stage = self.stage()
        x, y = self.split(pairs)
        G1, G2 = self.nets["G1"], self.nets.get("G2")
        judges = [name for name in self.nets if name[0] == "D"]
        if G2 is None:
            fake, trained = G1(x), ["G1"]
        elif stage == "coarse":
            x, y, judges = F.avg_pool2d(x, 2), F.avg_pool2d(y, 2), judges[1:]
            fake, trained = G1(x), ["G1"]
        elif stage == "fine":
            with torch.no_grad(), frozen_statistics(G1):
                coarse = G1[:-3](F.avg_pool2d(x, 2))
            fake, trained = G2(x, coarse), ["G2"]
        else:
            fake, trained = G2(x, G1[:-3](F.avg_pool2d(x, 2))), ["G1", "G2"]
        scalars: dict[str, float] = {}
        seen = {}
        real, made, given = y, fake, x
        for name in judges:
            seen[name] = (given, real, made)
            given, real, made = (F.avg_pool2d(p, 2) for p in (given, real, made))
        for name, (given, real, made) in seen.items():
            scalars |= self.judge(name, given, real, made)
        for name in trained:
            self.nets[name].zero_grad()
        total = torch.zeros((), dtype=torch.float64)
        for name, (given, real, made) in seen.items():
            D = self.nets[name]
            with frozen_statistics(D):
                true = [t.detach() for t in features(D, given, real)]
                found = features(D, given, made)
            gan = GAMES[self.game][1](found[-1])
            matched = sum(F.l1_loss(a, b) for a, b in zip(found[:-1], true[:-1], strict=True))
            total = total + gan + self.weight_features * matched
            end = f"/{2 ** (int(name[1:]) - 1)}" if name != "D1" else ""
            scalars |= {f"GAN{end}": gan.item(), f"features{end}": matched.item()}
        total.backward()
        for name in trained:  # beside G2 the last convolution of G1 takes no part
            for p in self.nets[name].parameters():
                p.grad = torch.zeros_like(p) if p.grad is None else p.grad
        norms = {
            f"grad_norm_{name}": step(self.nets[name], self.optimizers[name]) for name in trained
        }
        return scalars | {"loss_G": total.item()} | norms

    def judge(self, name: str, given: Tensor, real: Tensor, made: Tensor) -> dict[str, float]:
        D = self.nets[name]
        D.zero_grad()
        r, f = D(given, real), D(given, made.detach())
        loss = GAMES[self.game][0](r, f) / 2
        loss.backward()
        norm = step(D, self.optimizers[name])
        k = int(name[1:]) - 1
        end = f"/{2**k}" if k else ""
        shown = report(self.game, r, f, (f"y{end}", f"G(x){end}"), name[1:])
        return {f"loss_{name}": loss.item(), f"grad_norm_{name}": norm, **shown}
