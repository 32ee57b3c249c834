"""SEGAN in PyTorch: modules, autograd and torch.optim, nothing of ours.

The networks are written down from the paper, with one module per layer of minigan's, so that a
parameter has the same dotted name on both sides. z comes from the caller.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

Array = np.ndarray
FILTERS = (16, 32, 32, 64, 64, 128, 128, 256, 256, 512, 1024)  # the paper's, of 11 layers


class WithNoise(nn.Module):
    """h beside z, which has its shape."""

    def forward(self, h: Tensor, z: Tensor) -> Tensor:
        n, c, t = h.shape
        return torch.cat([h, z.reshape(n, t, c).mT], 1)


class Taking(nn.Module):
    """Parts by number, of which some see z too."""

    def __init__(self, *parts: nn.Module) -> None:
        super().__init__()
        for i, part in enumerate(parts):
            self.add_module(str(i), part)

    def forward(self, h: Tensor, z: Tensor) -> Tensor:
        for part in self.children():
            h = part(h, z) if isinstance(part, Taking | Skip | WithNoise) else part(h)
        return h


class Skip(nn.Module):
    """What lies below, and the input itself."""

    def __init__(self, body: nn.Module) -> None:
        super().__init__()
        self.add_module("0", body)

    def forward(self, h: Tensor, z: Tensor) -> Tensor:
        return torch.cat([self.get_submodule("0")(h, z), h], 1)


def down(cin: int, cout: int, bias: bool = True) -> nn.Module:
    return nn.Conv1d(cin, cout, 31, 2, 15, bias=bias)


def up(cin: int, cout: int) -> nn.Module:
    return nn.ConvTranspose1d(cin, cout, 31, 2, 15, output_padding=1)


def generator(width: int, n: int) -> nn.Module:
    c = [f * width // 16 for f in FILTERS[:n]]
    inner: list[nn.Module] = [nn.PReLU(c[-1]), WithNoise()]
    for i in reversed(range(n - 1)):
        body = [nn.PReLU(c[i]), down(c[i], c[i + 1]), *inner, up(2 * c[i + 1], c[i])]
        inner = [Skip(Taking(*body, nn.PReLU(c[i])))]
    return Taking(down(1, c[0]), *inner, up(2 * c[0], 1), nn.Tanh()).double()


class VirtualNorm(nn.Module):
    """Each example over the first r rows and itself; these over themselves."""

    def __init__(self, c: int, r: int) -> None:
        super().__init__()
        self.weight, self.bias = nn.Parameter(torch.ones(c)), nn.Parameter(torch.zeros(c))
        self.r = r

    def forward(self, h: Tensor) -> Tensor:
        reference = h[: self.r]
        rows = [self.over(reference, reference)]
        for i in range(self.r, len(h)):
            own = h[i : i + 1]
            rows.append(self.over(own, torch.cat([reference, own])))
        return torch.cat(rows) * self.weight[:, None] + self.bias[:, None]

    @staticmethod
    def over(h: Tensor, seen: Tensor) -> Tensor:
        mean = seen.mean((0, 2), keepdim=True)
        var = seen.var((0, 2), unbiased=False, keepdim=True)
        return (h - mean) / (var + 1e-5).sqrt()


class Behind(nn.Module):
    """A network that runs a reference in front of each batch and drops it after."""

    def __init__(self, net: nn.Module, reference: Array) -> None:
        super().__init__()
        self.net = net
        self.reference = torch.tensor(reference).mT

    def forward(self, h: Tensor) -> Tensor:
        return self.net(torch.cat([self.reference, h]))[len(self.reference) :]


class Joined(nn.Module):
    def forward(self, a: Tensor, b: Tensor) -> Tensor:
        return torch.cat([a, b], 1)


class Discriminator(nn.Module):
    def __init__(self, window: int, width: int, n: int, reference: Array | None) -> None:
        super().__init__()
        parts: list[nn.Module] = []
        cin = 2
        for f in FILTERS[:n]:
            c = f * width // 16
            norm = nn.Identity() if reference is None else VirtualNorm(c, len(reference))
            parts += [down(cin, c, bias=reference is None), norm, nn.LeakyReLU(0.3)]
            cin = c
        parts += [nn.Conv1d(cin, 1, 1), nn.Flatten(), nn.Linear(window >> n, 1)]
        self.add_module("0", Joined())
        if reference is None:
            for i, part in enumerate(parts, 1):
                self.add_module(str(i), part)
        else:
            self.add_module("1", Behind(nn.Sequential(*parts), reference))
        self.double()

    def forward(self, noisy: Tensor, other: Tensor) -> Tensor:
        first, *rest = self.children()
        h = first(noisy, other)
        for part in rest:
            h = part(h)
        return h


def emphasized(x: Tensor, c: float) -> Tensor:
    """Sounds (N, C, T): x_t - c x_{t-1}, as a convolution."""
    n, k, t = x.shape
    kernel = torch.tensor([[[-c, 1.0]]], dtype=x.dtype)
    return F.conv1d(F.pad(x, (1, 0)).reshape(n * k, 1, t + 1), kernel).reshape(n, k, t)


def norm_of(net: nn.Module) -> float:
    return float(sum(float((p.grad**2).sum()) for p in net.parameters()) ** 0.5)


class SEGAN:
    """The training, term by term as the paper writes it."""

    def __init__(
        self,
        G: nn.Module,
        D: nn.Module | None,
        draw: Callable[[int], Array],
        *,
        lr: float,
        weight_l1: float,
        weight_gan: float,
        preemphasis: float,
    ) -> None:
        self.G, self.D, self.draw = G, D, draw
        self.weights = weight_gan, weight_l1
        self.preemphasis = preemphasis
        self.optimizers = {
            net: torch.optim.RMSprop(net.parameters(), lr=lr, alpha=0.99, eps=1e-8)
            for net in (G, D)
            if net is not None
        }

    def step(self, pairs: Array) -> dict[str, float]:
        noisy, clean = emphasized(torch.tensor(pairs).mT, self.preemphasis).split(1, 1)
        enhanced = self.G(noisy, torch.tensor(self.draw(len(pairs))))
        said = {}
        if self.D is not None:
            self.D.zero_grad()
            real, fake = self.D(noisy, clean), self.D(noisy, enhanced.detach())
            loss = ((real - 1) ** 2).mean() / 2 + (fake**2).mean() / 2
            loss.backward()
            said |= {"loss_D": loss.item(), "grad_norm_D": norm_of(self.D)}
            said |= {"score(x)": real.mean().item(), "score(G(z))": fake.mean().item()}
            self.optimizers[self.D].step()
        self.G.zero_grad()
        close = (enhanced - clean).abs().mean()
        total = self.weights[1] * close
        if self.D is not None:
            fooling = ((self.D(noisy, enhanced) - 1) ** 2).mean() / 2
            total = total + self.weights[0] * fooling
            said["GAN_G"] = fooling.item()
        total.backward()
        said |= {"loss_G": total.item(), "L1": close.item(), "grad_norm_G": norm_of(self.G)}
        self.optimizers[self.G].step()
        return said


def load(net: nn.Module, named: dict[str, Array]) -> None:
    """Fill a network from minigan's arrays: kernels (1, k, C, O), or (1, k, out, in) transposed."""
    net.load_state_dict({k: torch.tensor(_there(a).copy()) for k, a in named.items()})


def arrays(net: nn.Module) -> dict[str, Array]:
    """A network's parameters in minigan's layouts."""
    return {k: _back(p.detach().numpy()) for k, p in net.named_parameters()}


def _there(a: Array) -> Array:
    return a[0].transpose(2, 1, 0) if a.ndim == 4 else a.T


def _back(a: Array) -> Array:
    return a.transpose(2, 1, 0)[None] if a.ndim == 3 else a.T
