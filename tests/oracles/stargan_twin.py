"""StarGAN in PyTorch: modules, autograd and torch.optim, nothing of ours.

Noise is drawn by the caller's function, for each minibatch of D by how far labels are moved on and
then, under a penalty, an epsilon for each picture.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from tests.oracles.codes_twin import Heads
from tests.oracles.conditional_twin import Chain, Join
from tests.oracles.gan_twin import ToRows
from tests.oracles.torch_twins import channels_first
from tests.oracles.translation_twin import GAMES, Added, enlarge, report, step

Array = np.ndarray


def generator(channels: int, classes: int, width: int, blocks: int, up: str) -> nn.Module:
    def normed(conv: nn.Module, filters: int) -> list[nn.Module]:
        return [conv, nn.InstanceNorm2d(filters, affine=True), nn.ReLU()]

    def block(c: int) -> nn.Module:
        first, second = (nn.Conv2d(c, c, 3, padding=1, bias=False) for _ in range(2))
        return Added(nn.Sequential(*normed(first, c), second, nn.InstanceNorm2d(c, affine=True)))

    w = width
    parts = normed(nn.Conv2d(channels + classes, w, 7, padding=3, bias=False), w)
    for c in (w, 2 * w):
        parts += normed(nn.Conv2d(c, 2 * c, 4, stride=2, padding=1, bias=False), 2 * c)
    parts += [block(4 * w) for _ in range(blocks)]
    for c in (4 * w, 2 * w):
        parts += normed(enlarge(up, c, c // 2, 4, False), c // 2)
    parts += [nn.Conv2d(w, channels, 7, padding=3), nn.Tanh()]
    return Chain(Join(), nn.Sequential(*parts)).double()


def discriminator(channels: int, classes: int, width: int, n: int, left: tuple[int, int]) -> Heads:
    parts: list[nn.Module] = []
    cin = channels
    for i in range(n):
        parts += [nn.Conv2d(cin, width << i, 4, stride=2, padding=1), nn.LeakyReLU(0.01)]
        cin = width << i
    src = nn.Conv2d(cin, 1, 3, padding=1, bias=False)
    cls = nn.Conv2d(cin, classes, left, bias=False)
    heads = Heads([nn.Sequential(src, ToRows()), nn.Sequential(cls, ToRows())])
    return nn.Sequential(*parts, heads).double()


@dataclass
class StarGAN:
    nets: dict[str, nn.Module]
    optimizers: dict[str, torch.optim.Optimizer]
    game: str
    counts: list[int]
    patches: int
    lambda_cls: float
    lambda_rec: float
    gp: float
    k: int
    uniform: Callable[[tuple[int, ...]], Array]

    def hot(self, labels: Array) -> Tensor:
        columns = zip(labels.T, self.counts, strict=True)
        return torch.cat([F.one_hot(torch.tensor(c), n) for c, n in columns], 1).double()

    def named(self, logits: Tensor, labels: Array) -> Tensor:
        """Cross-entropy, added over the labels."""
        parts = zip(logits.split(self.counts, 1), labels.T, strict=True)
        return sum(F.cross_entropy(part, torch.tensor(column)) for part, column in parts)

    def step(self, x: Array, labels: Array) -> dict[str, float]:
        G, D = self.nets["G"], self.nets["D"]
        for x_part, own in zip(np.split(x, self.k), np.split(labels, self.k), strict=True):
            real, m = channels_first(torch.tensor(x_part)), len(own)
            moved = 1 + int((m - 1) * self.uniform((1,))[0])
            wanted = np.stack([own[(i + moved) % m] for i in range(m)])
            fake = G(real, self.hot(wanted)).detach()
            scalars = self.update_discriminator(real, own, fake)
        G.zero_grad()
        fake = G(real, self.hot(wanted))
        scores, logits = D(fake).split([self.patches, sum(self.counts)], 1)
        adv, cls = GAMES[self.game][1](scores), self.named(logits, wanted)
        loss = adv + self.lambda_cls * cls
        scalars |= {"GAN_G": adv.item(), "cls(G(x, c))": cls.item()}
        if self.lambda_rec:
            rec = (real - G(fake, self.hot(own))).abs().mean()
            loss = loss + self.lambda_rec * rec
            scalars["rec"] = rec.item()
        loss.backward()
        return scalars | {"loss_G": loss.item(), "grad_norm_G": step(G, self.optimizers["G"])}

    def update_discriminator(self, real: Tensor, own: Array, fake: Tensor) -> dict[str, float]:
        D = self.nets["D"]
        D.zero_grad()
        of_real, logits = D(real).split([self.patches, sum(self.counts)], 1)
        of_fake = D(fake)[:, : self.patches]
        cls = self.named(logits, own)
        loss = GAMES[self.game][0](of_real, of_fake) + self.lambda_cls * cls
        scalars = {"loss_D": loss.item(), "cls(x)": cls.item()}
        scalars |= report(self.game, of_real, of_fake, ("x", "G(x, c)"), "")
        if self.gp:
            epsilon = torch.tensor(self.uniform((len(real), 1, 1, 1)))
            between = (epsilon * real + (1 - epsilon) * fake).requires_grad_()
            scores = D(between)[:, : self.patches]
            (g,) = torch.autograd.grad(scores.sum(), between, create_graph=True)
            penalty = self.gp * ((g.flatten(1).norm(dim=1) - 1) ** 2).mean()
            loss = loss + penalty
            scalars["wgan-gp"] = penalty.item()
        loss.backward()
        return scalars | {"grad_norm_D": step(D, self.optimizers["D"])}
