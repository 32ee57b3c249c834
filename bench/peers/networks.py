"""The networks in PyTorch, and the way of a weight between the two layouts.

minigan keeps channels last and a dense weight as (in, out); PyTorch's are (out, in) and
(out, in, kh, kw), or (in, out, kh, kw) for a transposed convolution. Where a picture becomes a row,
PyTorch's order depends on its memory format; `Layout` knows both.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from bench.work import DROPOUT, PIECES, Z_DIM, Array, Work

MAXOUTS: dict[str, Callable[[Tensor], Tensor]] = {
    "max": lambda x: x.unflatten(-1, (-1, PIECES)).max(-1).values,
    "amax": lambda x: x.unflatten(-1, (-1, PIECES)).amax(-1),
    "max_pool1d": lambda x: F.max_pool1d(x[:, None], PIECES)[:, 0],
}


class Maxout(nn.Module):
    def __init__(self, form: str) -> None:
        super().__init__()
        self.form = MAXOUTS[form]

    def forward(self, x: Tensor) -> Tensor:
        return self.form(x)


class ToPictures(nn.Module):
    """(N, features) -> (N, C, H, W), without a copy in either memory format."""

    def __init__(self, c: int, h: int, w: int, channels_last: bool) -> None:
        super().__init__()
        self.shape, self.channels_last = (c, h, w), channels_last

    def forward(self, x: Tensor) -> Tensor:
        c, h, w = self.shape
        if self.channels_last:
            return x.view(len(x), h, w, c).permute(0, 3, 1, 2)
        return x.view(len(x), c, h, w)


class ToRows(nn.Module):
    """(N, C, H, W) -> (N, features), without a copy in either memory format."""

    def __init__(self, channels_last: bool) -> None:
        super().__init__()
        self.channels_last = channels_last

    def forward(self, x: Tensor) -> Tensor:
        return (x.permute(0, 2, 3, 1) if self.channels_last else x).flatten(1)


def dcgan_generator(work: Work, channels_last: bool) -> nn.Sequential:
    c = work.width << (work.halvings - 1)
    side = work.base
    parts: list[nn.Module] = [
        nn.Linear(Z_DIM, side * side * c, bias=False),
        ToPictures(c, side, side, channels_last),
        nn.BatchNorm2d(c),
        nn.ReLU(inplace=True),
    ]
    for _ in range(work.halvings - 1):
        parts += [
            nn.ConvTranspose2d(c, c // 2, 4, stride=2, padding=1, bias=False),
            nn.BatchNorm2d(c // 2),
            nn.ReLU(inplace=True),
        ]
        c //= 2
    parts += [nn.ConvTranspose2d(c, work.shape[2], 4, stride=2, padding=1), nn.Tanh()]
    return nn.Sequential(*parts)


def dcgan_discriminator(work: Work, channels_last: bool) -> nn.Sequential:
    c = work.width
    parts: list[nn.Module] = [
        nn.Conv2d(work.shape[2], c, 4, stride=2, padding=1),
        nn.LeakyReLU(0.2, inplace=True),
    ]
    for _ in range(work.halvings - 1):
        parts += [
            nn.Conv2d(c, 2 * c, 4, stride=2, padding=1, bias=False),
            nn.BatchNorm2d(2 * c),
            nn.LeakyReLU(0.2, inplace=True),
        ]
        c *= 2
    return nn.Sequential(*parts, ToRows(channels_last), nn.Linear(work.base**2 * c, 1))


def mlp_generator(work: Work, channels_last: bool) -> nn.Sequential:
    h, w, c = work.shape
    return nn.Sequential(
        nn.Linear(Z_DIM, work.width),
        nn.ReLU(inplace=True),
        nn.Linear(work.width, work.width),
        nn.ReLU(inplace=True),
        nn.Linear(work.width, math.prod(work.shape)),
        nn.Tanh(),
        ToPictures(c, h, w, channels_last),
    )


def mlp_discriminator(work: Work, channels_last: bool, maxout: str) -> nn.Sequential:
    units = work.width // PIECES
    return nn.Sequential(
        ToRows(channels_last),
        nn.Linear(math.prod(work.shape), work.width),
        Maxout(maxout),
        nn.Dropout(DROPOUT),
        nn.Linear(units, work.width),
        Maxout(maxout),
        nn.Dropout(DROPOUT),
        nn.Linear(units, 1),
    )


@dataclass(frozen=True)
class Layout:
    """How arrays of minigan's become tensors, and back."""

    work: Work
    channels_last: bool

    def images(self, x: Array) -> Tensor:
        """(N, H, W, C) -> (N, C, H, W) in the memory format."""
        t = torch.from_numpy(x).permute(0, 3, 1, 2)
        return t if self.channels_last else t.contiguous()

    def load(self, net: nn.Module, player: str, named: dict[str, Array]) -> None:
        """Overwrite the parameters, which are taken in their order."""
        mine = [a for name, a in named.items() if name.startswith(f"{player}.")]
        with torch.no_grad():
            for i, (p, a) in enumerate(zip(net.parameters(), mine, strict=True)):
                turned = self._turned(a, player, i, len(mine))
                if turned.shape != p.shape:
                    raise ValueError(f"{turned.shape} given to a parameter of {tuple(p.shape)}")
                p.copy_(torch.from_numpy(np.ascontiguousarray(turned)))

    def arrays(self, tensors: list[Tensor], player: str, names: list[str]) -> dict[str, Array]:
        """One tensor per parameter, in order, under minigan's names and in its layout."""
        mine = [name for name in names if name.startswith(f"{player}.")]
        return {
            name: self._back(t.detach().cpu().numpy(), player, i, len(mine)).copy()
            for i, (name, t) in enumerate(zip(mine, tensors, strict=True))
        }

    def _turned(self, a: Array, player: str, i: int, count: int) -> Array:
        if a.ndim == 4:
            return a.transpose(3, 2, 0, 1)
        if a.ndim != 2:
            return a
        a = a.T
        side = self.work.base
        if self._is_first_of_generator(player, i):
            a = a.reshape(side, side, -1, a.shape[1]).transpose(2, 0, 1, 3).reshape(a.shape)
        elif self._is_last_of_discriminator(player, i, count):
            a = a.reshape(1, side, side, -1).transpose(0, 3, 1, 2).reshape(a.shape)
        return a

    def _back(self, a: Array, player: str, i: int, count: int) -> Array:
        if a.ndim == 4:
            return a.transpose(2, 3, 1, 0)
        if a.ndim != 2:
            return a
        side = self.work.base
        if self._is_first_of_generator(player, i):
            a = a.reshape(-1, side, side, a.shape[1]).transpose(1, 2, 0, 3).reshape(a.shape)
        elif self._is_last_of_discriminator(player, i, count):
            a = a.reshape(1, -1, side, side).transpose(0, 2, 3, 1).reshape(a.shape)
        return a.T

    @property
    def _reorders(self) -> bool:
        return self.work.arch == "dcgan" and not self.channels_last

    def _is_first_of_generator(self, player: str, i: int) -> bool:
        return self._reorders and player == "G" and i == 0

    def _is_last_of_discriminator(self, player: str, i: int, count: int) -> bool:
        return self._reorders and player == "D" and i == count - 2  # its bias comes after it
