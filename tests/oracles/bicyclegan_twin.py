"""BicycleGAN in PyTorch: modules, autograd and torch.optim, nothing of ours."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.distributions import Normal, kl_divergence

from tests.oracles.conditional_twin import Branches, Chain, Join
from tests.oracles.gan_twin import frozen_statistics
from tests.oracles.translation_twin import GAMES, NORMS, Twin, enlarge, report, step

Array = np.ndarray


def unet_of_z(
    cin: int, cout: int, z: int, width: int, n: int, norm: str, *, skips: bool, up: str
) -> nn.Module:
    """z beside what each convolution of the encoder sees."""
    bias = norm == "none"
    c = [width * min(2**i, 8) for i in range(n)]
    inner: nn.Module | None = None
    twice = 1
    for i in reversed(range(n - 1)):  # from the innermost level out
        parts: list[nn.Module] = [nn.LeakyReLU(0.2), Join()]
        parts.append(nn.Conv2d(c[i] + z, c[i + 1], 4, 2, 1, bias=bias or inner is None))
        if inner is not None:
            parts += [NORMS[norm](c[i + 1]), inner]
        parts += [nn.ReLU(), enlarge(up, twice * c[i + 1], c[i], 4, bias), NORMS[norm](c[i])]
        inner = Branches(nn.Identity(), Chain(*parts)) if skips else Chain(*parts)
        twice = 2 if skips else 1
    assert inner is not None
    first, last = nn.Conv2d(cin + z, c[0], 4, 2, 1), enlarge(up, twice * c[0], cout, 4, True)
    return Chain(Join(), first, inner, nn.ReLU(), last, nn.Tanh()).double()


class MeanOverPlaces(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x.mean((2, 3))


class Block(nn.Module):
    def __init__(self, cin: int, cout: int, norm: str) -> None:
        super().__init__()
        self.body = nn.Sequential(
            NORMS[norm](cin),
            nn.LeakyReLU(0.2),
            nn.Conv2d(cin, cin, 3, 1, 1, bias=norm == "none"),
            NORMS[norm](cin),
            nn.LeakyReLU(0.2),
            nn.Conv2d(cin, cout, 3, 1, 1),
            nn.AvgPool2d(2),
        )
        self.shortcut = nn.Sequential(nn.AvgPool2d(2), nn.Conv2d(cin, cout, 1))

    def forward(self, x: Tensor) -> Tensor:
        return self.body(x) + self.shortcut(x)


def ended(features: int, outputs: int) -> list[nn.Module]:
    return [nn.LeakyReLU(0.2), MeanOverPlaces(), nn.Linear(features, outputs)]


def resnet_encoder(cin: int, outputs: int, width: int, n: int, norm: str) -> nn.Module:
    c = [width * min(i + 1, 4) for i in range(n)]
    blocks = [Block(c[i - 1], c[i], norm) for i in range(1, n)]
    return nn.Sequential(nn.Conv2d(cin, c[0], 4, 2, 1), *blocks, *ended(c[-1], outputs)).double()


def conv_encoder(cin: int, outputs: int, width: int, n: int, norm: str) -> nn.Module:
    parts: list[nn.Module] = []
    for i in range(n):
        c = width * min(2**i, 4)
        parts += [nn.LeakyReLU(0.2)] * (i > 0)
        parts.append(nn.Conv2d(cin, c, 4, 2, 1, bias=i == 0 or norm == "none"))
        parts += [NORMS[norm](c)] * (i > 0)
        cin = c
    return nn.Sequential(*parts, *ended(cin, outputs)).double()


ENCODERS = {"resnet": resnet_encoder, "conv": conv_encoder}
SEEN = {
    "D": ("y", "G(x)"),
    "D_VAE": ("y, VAE", "G(x, E(y))"),
    "D_LR": ("y, LR", "G(x, z)"),
}


def pyramid(x: Tensor, n: int) -> list[Tensor]:
    found = [x]
    while len(found) < n:
        found.append(F.avg_pool2d(found[-1], 2))
    return found


@dataclass
class BicycleGAN(Twin):
    """draw: standard normal numbers of a shape, in the order of use."""

    method: str
    judges: list[str]
    scales: int
    pairs: bool
    z_dim: int
    weights: tuple[float, float, float]
    draw: Callable[[tuple[int, int]], Array]

    def step(self, pairs: Array) -> dict[str, float]:
        x, y = self.split(pairs)
        G, E = self.nets["G"], self.nets.get("E")
        l1, latent, kl = self.weights
        made: dict[str, Tensor] = {}
        if self.method in ("bicycle", "cvae-gan"):
            mu, log_var = E(y).chunk(2, 1)
            eps = torch.tensor(self.draw((len(x), self.z_dim)))
            made["D_VAE"] = G(x, mu + (0.5 * log_var).exp() * eps)
        if self.method != "cvae-gan":
            drawn = self.draw((len(x), self.z_dim)).astype(np.float32)
            z = torch.tensor(drawn.astype(np.float64))
            made["D_LR"] = G(x, z)
        scalars: dict[str, float] = {}
        for judge in self.judges:
            fakes = [fake for game, fake in made.items() if judge in (game, "D")]
            scalars |= self.judge(judge, x, y, torch.cat(fakes))
        for name in ("G", "E"):
            if name in self.nets:
                self.nets[name].zero_grad()
        terms, total = {}, 0.0
        if "D_VAE" in made:
            fake = made["D_VAE"]
            divergence = kl_divergence(Normal(mu, (0.5 * log_var).exp()), Normal(0.0, 1.0))
            terms |= {
                "GAN_VAE": self.fooled("D_VAE", x, fake),
                "L1": (fake - y).abs().mean(),
                "KL": divergence.sum(1).mean(),
            }
            total = total + terms["GAN_VAE"] + l1 * terms["L1"] + kl * terms["KL"]
        total_E = total
        if "D_LR" in made:
            fake = made["D_LR"]
            terms["GAN_LR"] = self.fooled("D_LR", x, fake)
            total = total + terms["GAN_LR"]
            if self.method == "noise":
                terms["L1"] = (fake - y).abs().mean()
                total = total + l1 * terms["L1"]
            else:
                with frozen_statistics(E) if self.method == "bicycle" else torch.enable_grad():
                    found = E(fake)[:, : self.z_dim]
                terms["latent"] = (found - z).abs().mean()
                total = total + latent * terms["latent"]
        self.derive(total, total_E)
        scalars |= {name: value.item() for name, value in terms.items()} | {"loss_G": total.item()}
        for name in ("G", "E"):
            if name in self.nets:
                scalars[f"grad_norm_{name}"] = step(self.nets[name], self.optimizers[name])
        return scalars

    def derive(self, total: Tensor, of_vae: Tensor | float) -> None:
        """G's gradient is the total's; E's the first game's alone where both are played."""
        nets = [self.nets[name] for name in ("G", "E") if name in self.nets]
        owners = [p for net in nets for p in net.parameters()]
        grads = torch.autograd.grad(total, owners, retain_graph=True)
        for p, grad in zip(owners, grads, strict=True):
            p.grad = grad
        if self.method == "bicycle":
            own = [*self.nets["E"].parameters()]
            for p, grad in zip(own, torch.autograd.grad(of_vae, own), strict=True):
                p.grad = grad

    def judge(self, judge: str, x: Tensor, y: Tensor, fake: Tensor) -> dict[str, float]:
        times = len(fake) // len(y)
        scalars: dict[str, float] = {}
        pictures = (x.repeat(times, 1, 1, 1), y.repeat(times, 1, 1, 1), fake.detach())
        seen = zip(*(pyramid(p, self.scales) for p in pictures), strict=True)
        for k, (given, real, made) in enumerate(seen, 1):
            name, at = f"{judge}{k}", f"/{2 ** (k - 1)}" if k > 1 else ""
            D = self.nets[name]
            D.zero_grad()
            beside = (given,) if self.pairs else ()
            r, f = D(*beside, real), D(*beside, made)
            loss = GAMES[self.game][0](r, f) / 2
            loss.backward()
            scalars |= {
                f"loss_{name}": loss.item(),
                f"grad_norm_{name}": step(D, self.optimizers[name]),
                **report(self.game, r, f, tuple(s + at for s in SEEN[judge]), name[1:]),
            }
        return scalars

    def fooled(self, game: str, x: Tensor, fake: Tensor) -> Tensor:
        judge = game if game in self.judges else "D"
        total = torch.zeros((), dtype=torch.float64)
        for k, (given, made) in enumerate(
            zip(pyramid(x, self.scales), pyramid(fake, self.scales), strict=True), 1
        ):
            total = total + self.fool(f"{judge}{k}", made, *((given,) if self.pairs else ()))
        return total
