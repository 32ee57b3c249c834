"""PixelDTGAN in PyTorch, kind of target by kind: modules, autograd and torch.optim, not ours."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from tests.oracles.gan_twin import ToRows, dcgan_generator, frozen_statistics
from tests.oracles.restoration_twin import halvings, shrinking
from tests.oracles.translation_twin import BesideEachOther, Chain, Twin, step

Array = np.ndarray
ONES, ZEROS = torch.ones_like, torch.zeros_like
bce = F.binary_cross_entropy_with_logits
# The loss of a discriminator whose target is associated, or real; of another; of C.
GAMES = {
    "non-saturating": (
        lambda s: bce(s, ONES(s)),
        lambda s: bce(s, ZEROS(s)),
        lambda s: bce(s, ONES(s)),
    ),
    "lsgan": (
        lambda s: ((s - 1) ** 2).mean(),
        lambda s: (s**2).mean(),
        lambda s: ((s - 1) ** 2).mean(),
    ),
    "hinge": (lambda s: F.relu(1 - s).mean(), lambda s: F.relu(1 + s).mean(), lambda s: -s.mean()),
}
CLOSE = {"l1": F.l1_loss, "l2": F.mse_loss}
SEEN = {"D_R": ("y", "G(x)"), "D_A": ("x, y", "x, G(x)", "x, other y")}


def converter(h: int, w: int, cin: int, cout: int, width: int, code: int) -> nn.Module:
    n = halvings(min(h, w))
    features = (h >> n) * (w >> n) * width * 2 ** (n - 1)
    to_code = [ToRows(), nn.Linear(features, code, bias=False), nn.BatchNorm1d(code)]
    decoder = dcgan_generator(code, (h, w, cout), width, n)
    return Chain(
        *shrinking(h, w, cin, width), *to_code, nn.LeakyReLU(0.2), *decoder.children()
    ).double()


def judge(h: int, w: int, channels: int, beside: int, width: int) -> nn.Module:
    n = halvings(min(h, w))
    features = (h >> n) * (w >> n) * width * 2 ** (n - 1)
    parts: list[nn.Module] = [BesideEachOther()] if beside else []
    parts += shrinking(h, w, channels + beside, width)
    return Chain(*parts, ToRows(), nn.Linear(features, 1)).double()


@dataclass
class PixelDTGAN(Twin):
    """irrelevant: whether discriminators see such targets; close: the weight of `distance`."""

    irrelevant: bool
    weight_gan: float
    close: float
    distance: str

    def step(self, pairs: Array) -> dict[str, float]:
        x, y = self.split(pairs)
        other = torch.cat([y[-1:], y[:-1]])
        made = self.nets["G"](x)
        scalars: dict[str, float] = {}
        real, fake, of_C = GAMES[self.game]
        if "D_R" in self.nets:
            kinds = [(real, (y,)), (fake, (made.detach(),))] + [(real, (other,))] * self.irrelevant
            scalars |= self.update("D_R", kinds)
        if "D_A" in self.nets:
            kinds = [(real, (x, y)), (fake, (x, made.detach()))]
            scalars |= self.update("D_A", kinds + [(fake, (x, other))] * self.irrelevant)
        self.nets["G"].zero_grad()
        judges = [name for name in ("D_R", "D_A") if name in self.nets]
        loss = torch.zeros((), dtype=x.dtype)
        for name in judges:
            shown = (made,) if name == "D_R" else (x, made)
            with frozen_statistics(self.nets[name]):
                term = self.weight_gan * of_C(self.nets[name](*shown))
            scalars[f"GAN_{name}"] = term.item()
            loss = loss + term / len(judges)
        if self.distance in CLOSE:
            term = CLOSE[self.distance](made, y)
            scalars[self.distance.upper()] = term.item()
            loss = loss + self.close * term
        loss.backward()
        norm = step(self.nets["G"], self.optimizers["G"])
        return scalars | {"loss_G": loss.item(), "grad_norm_G": norm}

    def update(self, name: str, kinds: list) -> dict[str, float]:
        """Down the mean over kinds; those of y shown again leave no trace in running statistics."""
        D = self.nets[name]
        D.zero_grad()
        scores = [D(*shown) for _, shown in kinds[:2]]
        for _, shown in kinds[2:]:
            if name == "D_R":
                with frozen_statistics(D):
                    scores.append(D(*shown))
            else:
                scores.append(D(*shown))
        losses = [loss_of(s) for (loss_of, _), s in zip(kinds, scores, strict=True)]
        loss = torch.stack(losses).mean()
        loss.backward()
        norm = step(D, self.optimizers[name])
        shown = dict(zip(SEEN[name], scores, strict=False))
        return {f"loss_{name}": loss.item(), f"grad_norm_{name}": norm, **self.report(shown)}

    def report(self, shown: dict[str, Tensor]) -> dict[str, float]:
        if self.game == "non-saturating":
            return {f"D({seen})": torch.sigmoid(s).mean().item() for seen, s in shown.items()}
        return {f"score({seen})": s.mean().item() for seen, s in shown.items()}
