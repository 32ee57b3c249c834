"""Algorithm 1 of the original paper in PyTorch: modules, autograd and torch.optim, nothing of ours.

The networks are `nn.Sequential`s with one module per layer of minigan's, so that a parameter has
the same dotted name on both sides; `load` and `arrays` change between the two layouts. Noise and
data come from the caller.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from tests.oracles.torch_twins import channels_first, channels_last

torch.set_num_threads(1)

Array = np.ndarray
Shape = tuple[int, ...]


# --- the networks ---------------------------------------------------------------------------------


class ToPictures(nn.Module):
    """(N, H W C) -> (N, C, H, W), the numbers in minigan's order."""

    def __init__(self, *shape: int) -> None:
        super().__init__()
        self.shape = shape

    def forward(self, x: Tensor) -> Tensor:
        return channels_first(x.reshape(len(x), *self.shape))


class ToRows(nn.Module):
    """(N, C, H, W) -> (N, H W C)."""

    def forward(self, x: Tensor) -> Tensor:
        return channels_last(x).flatten(1)


class Maxout(nn.Module):
    def __init__(self, pieces: int) -> None:
        super().__init__()
        self.pieces = pieces

    def forward(self, x: Tensor) -> Tensor:
        return F.max_pool1d(x[:, None], self.pieces)[:, 0]


def mlp_generator(z_dim: int, shape: Shape, hidden: Sequence[int], bounded: bool) -> nn.Sequential:
    parts: list[nn.Module] = []
    sizes = [z_dim, *hidden]
    for a, b in zip(sizes, hidden, strict=False):
        parts += [nn.Linear(a, b), nn.ReLU()]
    parts.append(nn.Linear(sizes[-1], math.prod(shape)))
    parts += [nn.Tanh()] * bounded + [ToPictures(*shape)] * (len(shape) > 1)
    return nn.Sequential(*parts).double()


def mlp_discriminator(shape: Shape, hidden: Sequence[int], pieces: int) -> nn.Sequential:
    parts: list[nn.Module] = [ToRows()] * (len(shape) > 1)
    sizes = [math.prod(shape), *hidden]
    for a, b in zip(sizes, hidden, strict=False):
        parts += [nn.Linear(a, b * pieces), Maxout(pieces)]
    return nn.Sequential(*parts, nn.Linear(sizes[-1], 1)).double()


def dcgan_generator(z_dim: int, shape: Shape, width: int, halvings: int) -> nn.Sequential:
    h, w, channels = shape
    c = width * 2 ** (halvings - 1)
    h, w = h // 2**halvings, w // 2**halvings
    parts: list[nn.Module] = [nn.Linear(z_dim, h * w * c, bias=False), ToPictures(h, w, c)]
    for _ in range(halvings - 1):
        parts += [nn.BatchNorm2d(c), nn.ReLU()]
        parts.append(nn.ConvTranspose2d(c, c // 2, 4, stride=2, padding=1, bias=False))
        c //= 2
    parts += [nn.BatchNorm2d(c), nn.ReLU()]
    parts += [nn.ConvTranspose2d(c, channels, 4, stride=2, padding=1), nn.Tanh()]
    return nn.Sequential(*parts).double()


def dcgan_discriminator(shape: Shape, width: int, halvings: int) -> nn.Sequential:
    h, w, channels = shape
    parts: list[nn.Module] = [
        nn.Conv2d(channels, width, 4, stride=2, padding=1),
        nn.LeakyReLU(0.2),
    ]
    c = width
    for _ in range(halvings - 1):
        parts.append(nn.Conv2d(c, 2 * c, 4, stride=2, padding=1, bias=False))
        parts += [nn.BatchNorm2d(2 * c), nn.LeakyReLU(0.2)]
        c *= 2
    places = (h // 2**halvings) * (w // 2**halvings)
    return nn.Sequential(*parts, ToRows(), nn.Linear(places * c, 1)).double()


# --- between the layouts --------------------------------------------------------------------------


def turned(a: Array) -> Array:
    """minigan's (in, out) and (kh, kw, a, b) are PyTorch's (out, in) and (b, a, kh, kw)."""
    return a.T if a.ndim == 2 else a.transpose(3, 2, 0, 1) if a.ndim == 4 else a


def _turned_back(a: Array) -> Array:
    return a.T if a.ndim == 2 else a.transpose(2, 3, 1, 0) if a.ndim == 4 else a


def load(net: nn.Sequential, named: dict[str, Array]) -> None:
    """Copy minigan's parameters and running statistics, by name; all of them must find a place."""
    tensors = {k: torch.tensor(np.ascontiguousarray(turned(a))) for k, a in named.items()}
    missing = net.load_state_dict(tensors, strict=False)
    assert not missing.unexpected_keys
    assert all(name.endswith("num_batches_tracked") for name in missing.missing_keys)


def arrays(net: nn.Sequential) -> dict[str, Array]:
    """Parameters and running statistics in minigan's layout."""
    return {
        name: _turned_back(t.detach().numpy())
        for name, t in net.state_dict().items()
        if not name.endswith("num_batches_tracked")
    }


# --- the algorithm --------------------------------------------------------------------------------


@contextmanager
def frozen_statistics(net: nn.Module) -> Iterator[None]:
    """Batch statistics are used within, and leave no trace in the running ones."""
    norms = [(part, part.momentum) for part in net.modules() if isinstance(part, nn.BatchNorm2d)]
    for part, _ in norms:
        part.momentum = 0.0
    yield
    for part, momentum in norms:
        part.momentum = momentum


def probability_loss(logits: Tensor, real: bool) -> Tensor:
    """-log D for `real`, else -log(1 - D)."""
    return F.binary_cross_entropy_with_logits(logits, torch.full_like(logits, float(real)))


@dataclass
class TwinGAN:
    """objective: "minimax" or "non-saturating", the latter times `scale`."""

    G: nn.Sequential
    D: nn.Sequential
    optimizer_G: torch.optim.Optimizer
    optimizer_D: torch.optim.Optimizer
    objective: str
    scale: float = 1.0
    k: int = 1
    decay: float = 0.0
    max_grad_norm: float = math.inf

    def __post_init__(self) -> None:
        self.average = {name: a.copy() for name, a in arrays(self.G).items()}

    def step(self, x: Array, zs: Sequence[Array]) -> dict[str, float]:
        """One iteration on k m examples, k times m noise vectors for D, and m for G."""
        examples = channels_first(torch.tensor(x)) if x.ndim == 4 else torch.tensor(x)
        noise = [torch.tensor(z) for z in zs]
        assert len(noise) == self.k + 1
        scalars = {}
        for part, z in zip(examples.chunk(self.k), noise, strict=False):
            with torch.no_grad(), frozen_statistics(self.G):
                fake = self.G(z)
            real_logits, fake_logits = self.D(part), self.D(fake)
            loss = probability_loss(real_logits, True) + probability_loss(fake_logits, False)
            norm = self._descend(self.D, self.optimizer_D, loss)
            scalars = {
                "loss_D": loss.item(),
                "D(x)": torch.sigmoid(real_logits).mean().item(),
                "D(G(z))": torch.sigmoid(fake_logits).mean().item(),
                "grad_norm_D": norm,
            }
        fake = self.G(noise[-1])
        with frozen_statistics(self.D):
            logits = self.D(fake)
        if self.objective == "minimax":
            loss = -probability_loss(logits, False)
        else:
            loss = self.scale * probability_loss(logits, True)
        norm = self._descend(self.G, self.optimizer_G, loss)
        for name, a in arrays(self.G).items():
            self.average[name] = self.decay * self.average[name] + (1 - self.decay) * a
        return scalars | {"loss_G": loss.item(), "grad_norm_G": norm}

    def _descend(self, net: nn.Module, optimizer: torch.optim.Optimizer, loss: Tensor) -> float:
        optimizer.zero_grad()
        loss.backward()
        gradients = [p.grad for p in net.parameters()]
        norm = math.sqrt(sum(float((g * g).sum()) for g in gradients))
        for g in gradients:
            g *= min(1.0, self.max_grad_norm / norm)
        optimizer.step()
        return norm
