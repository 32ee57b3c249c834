"""MidiNet in PyTorch, layer by layer as the authors' code has it; see gan_twin.py.

The modules have names of their own: `names` says which of minigan's each one is. Channels of a
layer of G stand in minigan's order: the conditioner's, G's, the chord's.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from tests.oracles.gan_twin import _turned_back, turned

Array = np.ndarray
CHORD = 13


def planes(y: Tensor, x: Tensor) -> Tensor:
    """A vector at every place of x."""
    return y[:, :, None, None].expand(-1, -1, *x.shape[2:])


class Generator(nn.Module):
    def __init__(
        self, chords: str, z_dim: int, shape: tuple[int, int], width: int, c: int, hidden: int
    ) -> None:
        super().__init__()
        self.everywhere, self.at_the_end = chords == "all", chords != "none"
        steps, pitches = shape
        more, last = CHORD * self.everywhere, CHORD * self.at_the_end
        self.width, self.first = width, steps // 8
        self.conv0 = nn.Conv2d(1, c, (1, pitches), bias=False)
        self.norm0 = nn.BatchNorm2d(c)
        for i in (1, 2, 3):
            setattr(self, f"conv{i}", nn.Conv2d(c, c, (2, 1), stride=(2, 1), bias=False))
            setattr(self, f"norm{i}", nn.BatchNorm2d(c))
            up = nn.ConvTranspose2d(width + c + more, width, (2, 1), stride=(2, 1), bias=False)
            setattr(self, f"up{i}", up)
            setattr(self, f"upnorm{i}", nn.BatchNorm2d(width))
        self.dense0 = nn.Linear(z_dim + more, hidden, bias=False)
        self.densenorm0 = nn.BatchNorm1d(hidden)
        self.dense1 = nn.Linear(hidden + more, self.first * width, bias=False)
        self.densenorm1 = nn.BatchNorm1d(self.first * width)
        self.end = nn.ConvTranspose2d(width + c + last, 1, (1, pitches))

    def forward(self, before: Tensor, z: Tensor, y: Tensor) -> Tensor:
        p, ps = before, []
        for i in range(4):
            p = F.leaky_relu(getattr(self, f"norm{i}")(getattr(self, f"conv{i}")(p)), 0.2)
            ps.append(p)
        also = [y] if self.everywhere else []
        h = F.relu(self.densenorm0(self.dense0(torch.cat([z, *also], 1))))
        h = F.relu(self.densenorm1(self.dense1(torch.cat([h, *also], 1))))
        h = h.view(len(h), self.first, 1, self.width).permute(0, 3, 1, 2)
        for i in (1, 2, 3):
            p = ps[4 - i]
            joined = [p, h, *(planes(v, p) for v in also)]
            h = F.relu(getattr(self, f"upnorm{i}")(getattr(self, f"up{i}")(torch.cat(joined, 1))))
        joined = [ps[0], h] + ([planes(y, h)] if self.at_the_end else [])
        return torch.sigmoid(self.end(torch.cat(joined, 1)))

    def names(self) -> dict[str, str]:
        """minigan's prefix of each module."""
        level = ["1" + ".1.1" * i for i in range(4)]
        up = 3 if self.everywhere else 2
        inner = f"{level[3]}.embed"
        first = f"{inner}.1.0" if self.everywhere else f"{inner}.1"
        found = {
            "conv0": "0.0",
            "norm0": "0.1",
            "dense0": f"{first}.0",
            "densenorm0": f"{first}.1",
            "dense1": f"{inner}.2",
            "densenorm1": f"{inner}.3",
            "end": f"{3 if self.at_the_end else 2}.0",
        }
        for i in (1, 2, 3):
            found[f"conv{i}"], found[f"norm{i}"] = (f"{level[i - 1]}.1.0.{j}" for j in (0, 1))
            found[f"up{i}"], found[f"upnorm{i}"] = (f"{level[3 - i]}.1.{up}.{j}" for j in (0, 1))
        return found


class Discriminator(nn.Module):
    def __init__(self, chords: str, shape: tuple[int, int], width: int, hidden: int) -> None:
        super().__init__()
        self.sees = chords != "none"
        more = CHORD * self.sees
        steps, pitches = shape
        self.conv0 = nn.Conv2d(1 + more, 1 + more, (2, pitches), stride=(2, 1))
        self.conv1 = nn.Conv2d(1 + 2 * more, width + more, (4, 1), stride=(2, 1), bias=False)
        self.norm1 = nn.BatchNorm2d(width + more)
        flat = (steps // 4 - 1) * (width + more)
        self.dense0 = nn.Linear(flat + more, hidden, bias=False)
        self.norm2 = nn.BatchNorm1d(hidden)
        self.dense1 = nn.Linear(hidden + more, 1)

    def features(self, x: Tensor, y: Tensor) -> Tensor:
        return F.leaky_relu(self.conv0(self.beside(x, y)), 0.2)

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        h = self.features(x, y)
        h = F.leaky_relu(self.norm1(self.conv1(self.beside(h, y))), 0.2)
        h = h.permute(0, 2, 3, 1).flatten(1)
        h = F.leaky_relu(self.norm2(self.dense0(self.beside(h, y))), 0.2)
        return self.dense1(self.beside(h, y))

    def beside(self, x: Tensor, y: Tensor) -> Tensor:
        if not self.sees:
            return x
        return torch.cat([x, planes(y, x) if x.ndim == 4 else y], 1)

    def names(self) -> dict[str, str]:
        """minigan's prefix of each module."""
        theirs = ("conv0", "conv1", "norm1", "dense0", "norm2", "dense1")
        joined = ("0.1.0", "1.1.0", "1.1.1", "1.4.0", "1.4.1", "1.6")
        alone = ("0.0.0", "1.0.0", "1.0.1", "1.2.0", "1.2.1", "1.3")
        return dict(zip(theirs, joined if self.sees else alone, strict=True))


def load(net: Any, named: dict[str, Array]) -> None:
    """Copy minigan's arrays, by name; all of them must find a place."""
    ours = {
        f"{module}.{key.removeprefix(f'{prefix}.')}": torch.tensor(np.ascontiguousarray(turned(a)))
        for module, prefix in net.names().items()
        for key, a in named.items()
        if key.startswith(f"{prefix}.") and "." not in key.removeprefix(f"{prefix}.")
    }
    assert len(ours) == len(named)
    missing = net.load_state_dict(ours, strict=False)
    assert not missing.unexpected_keys
    assert all(name.endswith("num_batches_tracked") for name in missing.missing_keys)


def arrays(net: Any) -> dict[str, Array]:
    """Parameters and running statistics by minigan's names, in its layout."""
    names = net.names()
    return {
        f"{names[name.split('.')[0]]}.{name.split('.')[1]}": _turned_back(t.detach().numpy())
        for name, t in net.state_dict().items()
        if not name.endswith("num_batches_tracked")
    }


@contextmanager
def frozen_statistics(net: nn.Module) -> Iterator[None]:
    """Batch statistics are used within, and leave no trace in the running ones."""
    kinds = (nn.BatchNorm1d, nn.BatchNorm2d)
    norms = [(part, part.momentum) for part in net.modules() if isinstance(part, kinds)]
    for part, _ in norms:
        part.momentum = 0.0
    yield
    for part, momentum in norms:
        part.momentum = momentum


class TwinMidiNet:
    """One step of D and `updates` of G on one minibatch."""

    def __init__(
        self,
        G: Generator,
        D: Discriminator,
        lr: float,
        lambdas: tuple[float, float],
        smoothing: float,
        updates: int,
        z_dim: int,
        rng: np.random.Generator,
    ) -> None:
        self.G, self.D = G, D
        self.optimizers = [
            torch.optim.Adam(net.parameters(), lr=lr, betas=(0.5, 0.999)) for net in (G, D)
        ]
        self.lambdas, self.smoothing, self.updates = lambdas, smoothing, updates
        self.z_dim, self.rng = z_dim, rng

    def step(self, x: Array, labels: Array) -> dict[str, float]:
        steps, pitches = x.shape[1:3]
        real = torch.tensor(x).permute(0, 3, 1, 2)
        y = torch.zeros(len(x), CHORD, dtype=torch.float64)
        before = torch.zeros(len(x), 1, steps, pitches, dtype=torch.float64)
        for i, (root, mode, *pitch) in enumerate(labels):
            y[i, root], y[i, 12] = 1, float(mode)
            for t, number in enumerate(pitch):
                if number < pitches:
                    before[i, 0, t, number] = 1
        optimizer_G, optimizer_D = self.optimizers
        with torch.no_grad(), frozen_statistics(self.G):
            fake = self.G(before, self.noise(len(x)), y)
        right, wrong = self.D(real, y), self.D(fake, y)
        smooth, zero = torch.full_like(right, 1 - self.smoothing), torch.zeros_like(wrong)
        entropy = F.binary_cross_entropy_with_logits
        loss_D = entropy(right, smooth) + entropy(wrong, zero)
        descend(optimizer_D, loss_D)
        for _ in range(self.updates):
            fake = self.G(before, self.noise(len(x)), y)
            with frozen_statistics(self.D):
                scores = self.D(fake, y)
            fooling = entropy(scores, torch.ones_like(scores))
            of_x = (real.mean(0) - fake.mean(0)).square().sum()
            apart = self.D.features(real, y).mean(0) - self.D.features(fake, y).mean(0)
            of_f = apart.square().sum()
            loss_G = fooling + self.lambdas[0] * of_x + self.lambdas[1] * of_f
            descend(optimizer_G, loss_G)
        return {
            "loss_D": loss_D.item(),
            "loss_G": loss_G.item(),
            "GAN_G": fooling.item(),
            "match(x)": of_x.item(),
            "match(f)": of_f.item(),
        }

    def noise(self, m: int) -> Tensor:
        return torch.tensor(self.rng.standard_normal((m, self.z_dim)))


def descend(optimizer: torch.optim.Optimizer, loss: Tensor) -> None:
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
