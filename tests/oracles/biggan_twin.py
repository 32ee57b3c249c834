"""BigGAN's updates in PyTorch: networks as functions of named tensors, autograd for the rest.

Weights keep minigan's names and layouts; pictures are (N, C, H, W) inside. Spectral norm, batch
norm's statistics and attention are written out as their papers have them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from minigan.prior import Prior
from tests.oracles.torch_twins import channels_first

Array = np.ndarray


class Net:
    """Parameters and state by name; `moves` says whether a pass moves the state."""

    def __init__(self, params: dict[str, Array], buffers: dict[str, Array]) -> None:
        self.params = {
            k: torch.tensor(a, dtype=torch.float64, requires_grad=True) for k, a in params.items()
        }
        self.buffers = {k: torch.tensor(a, dtype=torch.float64) for k, a in buffers.items()}
        self.moves = True

    def weight(self, name: str) -> Tensor:
        """W / sigma, sigma by one round of the power method if the state moves."""
        W = self.params[f"{name}.layer.weight"]
        with torch.no_grad():
            matrix, u, v = W.flatten(0, -2), self.buffers[f"{name}.u"], self.buffers[f"{name}.v"]
            if self.moves:
                v = F.normalize(matrix @ u, dim=0, eps=1e-12)
                u = F.normalize(matrix.T @ v, dim=0, eps=1e-12)
                self.buffers[f"{name}.u"], self.buffers[f"{name}.v"] = u, v
        return W / (v @ W.flatten(0, -2) @ u)

    def dense(self, name: str, x: Tensor) -> Tensor:
        y = x @ self.weight(name)
        bias = self.params.get(f"{name}.bias")
        return y if bias is None else y + bias

    def conv(self, name: str, x: Tensor) -> Tensor:
        weight = self.weight(name).permute(3, 2, 0, 1)
        bias = self.params.get(f"{name}.bias")
        return F.conv2d(x, weight, bias, padding=weight.shape[-1] // 2)

    def normed(self, name: str, x: Tensor) -> Tensor:
        mean, var = x.mean((0, 2, 3)), x.var((0, 2, 3), unbiased=False)
        if self.moves:
            count = x.numel() / x.shape[1]
            moments = {"running_mean": mean, "running_var": var * count / (count - 1)}
            for key, moment in moments.items():
                old = self.buffers[f"{name}.{key}"]
                self.buffers[f"{name}.{key}"] = 0.9 * old + 0.1 * moment.detach()
        return (x - mean[:, None, None]) / (var + 1e-5).sqrt()[:, None, None]

    def conditional_norm(self, name: str, x: Tensor, h: Tensor) -> Tensor:
        xhat = self.normed(f"{name}.0", x)
        gain = 1 + self.dense(f"{name}.1.scale", h)
        return gain[..., None, None] * xhat + self.dense(f"{name}.1.shift", h)[..., None, None]

    def attention(self, name: str, x: Tensor) -> Tensor:
        g = self.conv(f"{name}.query", x).flatten(2)
        f = F.max_pool2d(self.conv(f"{name}.key.0", x), 2).flatten(2)
        h = F.max_pool2d(self.conv(f"{name}.value.0", x), 2).flatten(2)
        beta = torch.softmax(f.transpose(1, 2) @ g, 1)  # over the places i of each column j
        o = (h @ beta).unflatten(2, x.shape[2:])
        return self.params[f"{name}.gamma"] * self.conv(f"{name}.out", o) + x


def twice(x: Tensor) -> Tensor:
    return F.interpolate(x, scale_factor=2)


def generator(net: Net, z: Tensor, c: Tensor, base: tuple[int, int, int], chunk: int) -> Tensor:
    e, chunks = c @ net.params["embed.weight"], z.split(chunk, 1)
    x = channels_first(net.dense("net.first.0", chunks[0]).unflatten(1, base))
    used, i = 1, 0
    while True:
        name = f"net.{i}"
        if f"{name}.gamma" in net.params:
            x = net.attention(name, x)
        elif f"{name}.shortcut.0.layer.weight" in net.params:
            h = torch.cat([e, chunks[used]], 1)
            # In the order of minigan's passes, for the power method moves with each of them.
            y = F.relu(net.conditional_norm(f"{name}.body.0", x, h))
            y = net.conv(f"{name}.body.3", twice(y))
            y = F.relu(net.conditional_norm(f"{name}.body.4", y, h))
            x = net.conv(f"{name}.body.6", y) + net.conv(f"{name}.shortcut.0", twice(x))
            used += 1
        else:
            break
        i += 1
    assert used == len(chunks)
    y = net.normed(f"{name}.0", x)
    y = y * net.params[f"{name}.0.weight"][:, None, None]
    y = F.relu(y + net.params[f"{name}.0.bias"][:, None, None])
    return torch.tanh(net.conv(f"{name}.2", y))


def critic(net: Net, x: Tensor, c: Tensor) -> Tensor:
    i = 0
    while True:
        name = f"0.{i}"
        if f"{name}.gamma" in net.params:
            x = net.attention(name, x)
        elif f"{name}.shortcut.1.layer.weight" in net.params:
            first, second = (0, 2) if i == 0 else (1, 3)
            y = x if i == 0 else F.relu(x)
            y = F.relu(net.conv(f"{name}.body.{first}", y))
            y = F.avg_pool2d(net.conv(f"{name}.body.{second}", y), 2)
            x = y + F.avg_pool2d(net.conv(f"{name}.shortcut.1", x), 2)
        else:
            break
        i += 1
    features = F.relu(x).sum((2, 3))
    match = (net.dense("1.embed", c) * features).sum(1, keepdim=True)
    return net.dense("1.score", features) + match


def orthogonal(net: Net, weight: float) -> Tensor:
    """All pairs of filters, less each with itself."""
    total = torch.zeros((), dtype=torch.float64)
    for name, p in net.params.items():
        if p.ndim < 2 or name == "embed.weight":
            continue
        cosines = p.flatten(0, -2).T @ p.flatten(0, -2)
        total = total + weight * (cosines.square().sum() - cosines.diagonal().square().sum())
    return total


@dataclass
class BigTwin:
    """One iteration with noise drawn from a generator in the state of ours."""

    G: Net
    D: Net
    prior: Prior
    rng: np.random.Generator
    base: tuple[int, int, int]
    chunk: int
    k: int
    rates: tuple[float, float]  # of G and of D
    betas: tuple[float, float]
    decay: float
    orthogonal: float

    def __post_init__(self) -> None:
        nets = zip((self.G, self.D), self.rates, strict=True)
        self.opt_G, self.opt_D = (
            torch.optim.Adam(list(net.params.values()), lr=lr, betas=self.betas) for net, lr in nets
        )
        self.average = self.live()

    def live(self) -> dict[str, Tensor]:
        return {k: t.detach().clone() for k, t in (self.G.params | self.G.buffers).items()}

    def generated(self, m: int, c: Tensor) -> Tensor:
        z = torch.tensor(self.prior.draw(m, self.rng))
        return generator(self.G, z, c, self.base, self.chunk)

    def step(self, x: Array, c: Array) -> dict[str, float]:
        m = len(x) // self.k
        for i in range(self.k):
            real = channels_first(torch.tensor(x[i * m : (i + 1) * m]))
            classes = torch.tensor(c[i * m : (i + 1) * m])
            self.G.moves = False
            fake = self.generated(m, classes).detach()
            self.G.moves = True
            loss_D = F.relu(1 - critic(self.D, real, classes)).mean()
            loss_D = loss_D + F.relu(1 + critic(self.D, fake, classes)).mean()
            _descend(self.opt_D, loss_D)
        fake = self.generated(m, classes)
        self.D.moves = False
        loss_G = -critic(self.D, fake, classes).mean()
        self.D.moves = True
        apart = orthogonal(self.G, self.orthogonal)
        _descend(self.opt_G, loss_G + apart)
        for name, t in self.live().items():
            self.average[name] = self.decay * self.average[name] + (1 - self.decay) * t
        scalars = {"loss_D": loss_D, "loss_G": loss_G, "orthogonal_G": apart}
        return {name: t.item() for name, t in scalars.items()}


def _descend(optimizer: torch.optim.Optimizer, loss: Tensor) -> None:
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
