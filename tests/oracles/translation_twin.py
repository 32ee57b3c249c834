"""pix2pix and CycleGAN's loop in PyTorch: modules, autograd and torch.optim, nothing of ours.

The networks are written down from the papers, with one module per layer of minigan's, so that a
parameter has the same dotted name on both sides.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from tests.oracles.gan_twin import frozen_statistics
from tests.oracles.torch_twins import channels_first, channels_last

Array = np.ndarray


# --- the networks ---------------------------------------------------------------------------------


class Joined(nn.Module):
    """x beside body(x): a skip of a U-Net."""

    def __init__(self, body: nn.Module) -> None:
        super().__init__()
        self.add_module("0", nn.Identity())
        self.add_module("1", body)

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([x, self.get_submodule("1")(x)], 1)


class Added(nn.Module):
    """x + body(x)."""

    def __init__(self, body: nn.Module) -> None:
        super().__init__()
        self.body = body

    def forward(self, x: Tensor) -> Tensor:
        return x + self.body(x)


class BesideEachOther(nn.Module):
    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        return torch.cat([x, y], 1)


class ToRows(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return channels_last(x).flatten(1)


class Chain(nn.Sequential):
    """The first part may take two inputs."""

    def forward(self, *xs: Tensor) -> Tensor:
        first, *others = self
        x = first(*xs)
        for part in others:
            x = part(x)
        return x


NORMS: dict[str, Callable[[int], nn.Module]] = {
    "batch": nn.BatchNorm2d,
    "instance": lambda c: nn.InstanceNorm2d(c, affine=True),
    "none": lambda c: nn.Identity(),
}


def enlarge(up: str, cin: int, cout: int, kernel: int, bias: bool) -> nn.Module:
    if up == "transposed":
        return nn.ConvTranspose2d(cin, cout, kernel, 2, 1, output_padding=kernel % 2, bias=bias)
    conv = nn.Conv2d(cin, cout, 3, bias=bias)
    return nn.Sequential(nn.Upsample(scale_factor=2), nn.ReflectionPad2d(1), conv)


def unet(
    cin: int, cout: int, width: int, n: int, norm: str, *, skips: bool = True, up: str
) -> nn.Module:
    bias = norm == "none"
    c = [width * min(2**i, 8) for i in range(n)]
    inner: nn.Module | None = None
    twice = 1
    for i in reversed(range(n - 1)):  # from the innermost level out
        parts: list[nn.Module] = [nn.LeakyReLU(0.2)]
        parts.append(nn.Conv2d(c[i], c[i + 1], 4, 2, 1, bias=bias or inner is None))
        if inner is not None:
            parts += [NORMS[norm](c[i + 1]), inner]
        parts += [nn.ReLU(), enlarge(up, twice * c[i + 1], c[i], 4, bias), NORMS[norm](c[i])]
        body = nn.Sequential(*parts)
        inner = Joined(body) if skips else body
        twice = 2 if skips else 1
    ends = nn.Conv2d(cin, c[0], 4, 2, 1), enlarge(up, twice * c[0], cout, 4, True)
    return nn.Sequential(ends[0], inner, nn.ReLU(), ends[1], nn.Tanh()).double()


def resnet(cin: int, cout: int, width: int, blocks: int, norm: str, *, up: str) -> nn.Module:
    bias = norm == "none"
    w = width

    def block() -> nn.Module:
        half = [nn.ReflectionPad2d(1), nn.Conv2d(4 * w, 4 * w, 3, bias=bias), NORMS[norm](4 * w)]
        other = [nn.ReflectionPad2d(1), nn.Conv2d(4 * w, 4 * w, 3, bias=bias), NORMS[norm](4 * w)]
        return Added(nn.Sequential(*half, nn.ReLU(), *other))

    parts: list[nn.Module] = [nn.ReflectionPad2d(3), nn.Conv2d(cin, w, 7, bias=bias)]
    parts += [NORMS[norm](w), nn.ReLU()]
    for c in (w, 2 * w):
        parts += [nn.Conv2d(c, 2 * c, 3, 2, 1, bias=bias), NORMS[norm](2 * c), nn.ReLU()]
    parts += [block() for _ in range(blocks)]
    for c in (4 * w, 2 * w):
        parts += [enlarge(up, c, c // 2, 3, bias), NORMS[norm](c // 2), nn.ReLU()]
    return nn.Sequential(*parts, nn.ReflectionPad2d(3), nn.Conv2d(w, cout, 7), nn.Tanh()).double()


def patch(channels: int, beside: int, width: int, n: int, norm: str) -> nn.Module:
    """n layers of stride 2, one of stride 1, and one to a number."""
    parts: list[nn.Module] = [BesideEachOther()] if beside else []
    cin = channels + beside
    for i in range(n + 1):
        cout = width * min(2**i, 8)
        bias = i == 0 or norm == "none"
        parts.append(nn.Conv2d(cin, cout, 4, 2 if i < n else 1, 1, bias=bias))
        parts += [NORMS[norm](cout)] * (i > 0) + [nn.LeakyReLU(0.2)]
        cin = cout
    return Chain(*parts, nn.Conv2d(cin, 1, 4, 1, 1)).double()


def image(channels: int, beside: int, width: int, side: int) -> nn.Module:
    """DCGAN's discriminator of two layers, beside another picture."""
    parts: list[nn.Module] = [BesideEachOther()] if beside else []
    parts += [nn.Conv2d(channels + beside, width, 4, 2, 1), nn.LeakyReLU(0.2)]
    parts += [nn.Conv2d(width, 2 * width, 4, 2, 1, bias=False), nn.BatchNorm2d(2 * width)]
    parts += [nn.LeakyReLU(0.2), ToRows(), nn.Linear((side // 4) ** 2 * 2 * width, 1)]
    return Chain(*parts).double()


# --- the losses, as the papers write them ---------------------------------------------------------

ONES, ZEROS = torch.ones_like, torch.zeros_like
bce = F.binary_cross_entropy_with_logits
# of D on real and generated pictures, and of a generator
GAMES: dict[str, tuple[Callable[..., Tensor], Callable[..., Tensor]]] = {
    "non-saturating": (
        lambda r, f: bce(r, ONES(r)) + bce(f, ZEROS(f)),
        lambda f: bce(f, ONES(f)),
    ),
    "lsgan": (
        lambda r, f: ((r - 1) ** 2).mean() + (f**2).mean(),
        lambda f: ((f - 1) ** 2).mean(),
    ),
    "wasserstein": (lambda r, f: f.mean() - r.mean(), lambda f: -f.mean()),
}
DISTANCES = {"l1": F.l1_loss, "l2": F.mse_loss}


def report(game: str, real: Tensor, fake: Tensor, seen: tuple[str, str], end: str) -> dict:
    if game == "non-saturating":
        shown = [torch.sigmoid(t).mean().item() for t in (real, fake)]
        return {f"D({s})": v for s, v in zip(seen, shown, strict=True)}
    scores = {f"score({s})": t.mean().item() for s, t in zip(seen, (real, fake), strict=True)}
    if game == "wasserstein":
        scores[f"wasserstein{end}"] = (real.mean() - fake.mean()).item()
    return scores


Optimizers = dict[str, torch.optim.Optimizer]


def step(net: nn.Module, optimizer: torch.optim.Optimizer) -> float:
    """Moves a network along the gradient it has; the gradient's norm."""
    squares = [float((p.grad**2).sum()) for p in net.parameters()]
    optimizer.step()
    return float(np.sqrt(sum(squares)))


@dataclass
class Twin:
    nets: dict[str, nn.Module]
    optimizers: Optimizers
    game: str
    channels: tuple[int, int]

    def split(self, pairs: Array) -> tuple[Tensor, Tensor]:
        whole = channels_first(torch.tensor(pairs))
        return whole[:, : self.channels[0]], whole[:, self.channels[0] :]

    def update_discriminator(
        self, name: str, real: Tensor, fake: Tensor, seen: tuple[str, str], *given: Tensor
    ) -> dict[str, float]:
        D = self.nets[name]
        D.zero_grad()
        r, f = D(*given, real), D(*given, fake.detach())
        loss = GAMES[self.game][0](r, f) / 2
        loss.backward()
        norm = step(D, self.optimizers[name])
        shown = report(self.game, r, f, seen, name[1:])
        return {f"loss_{name}": loss.item(), f"grad_norm_{name}": norm, **shown}

    def fool(self, name: str, fake: Tensor, *given: Tensor) -> Tensor:
        with frozen_statistics(self.nets[name]):
            return GAMES[self.game][1](self.nets[name](*given, fake))


@dataclass
class Pix2Pix(Twin):
    judge: str
    weight_l1: float

    def step(self, pairs: Array) -> dict[str, float]:
        x, y = self.split(pairs)
        given = (x,) if self.judge == "pair" else ()
        G = self.nets["G"]
        fake = G(x)
        scalars = {}
        if self.judge != "none":
            scalars |= self.update_discriminator("D", y, fake, ("y", "G(x)"), *given)
        G.zero_grad()
        close = (fake - y).abs().mean()
        loss = self.weight_l1 * close
        if self.judge != "none":
            fooling = self.fool("D", fake, *given)
            loss = loss + fooling
            scalars["GAN_G"] = fooling.item()
        loss.backward()
        norm = step(G, self.optimizers["G"])
        return scalars | {"loss_G": loss.item(), "L1": close.item(), "grad_norm_G": norm}


@dataclass
class Pool:
    """A list of pictures, as the paper tells it."""

    size: int
    kept: list[Tensor] = field(default_factory=list)

    def __call__(self, fake: Tensor, draws: Array) -> Tensor:
        shown = []
        for picture, (keep, place) in zip(fake, draws, strict=True):
            if len(self.kept) < self.size:
                self.kept.append(picture)
                shown.append(picture)
            elif keep < 0.5:
                at = int(place * self.size)
                shown.append(self.kept[at])
                self.kept[at] = picture
            else:
                shown.append(picture)
        return torch.stack(shown)


@dataclass
class CycleGAN(Twin):
    forward: float
    backward: float
    identity: float
    distance: str
    pool: int
    draw: Callable[[int], Array]
    k: int = 1
    clip: float | None = None

    def __post_init__(self) -> None:
        self.pools = {"X": Pool(self.pool), "Y": Pool(self.pool)}

    def step(self, pairs: Array) -> dict[str, float]:
        parts = np.split(pairs, self.k)
        G, F_ = self.nets["G"], self.nets["F"]
        for part in parts[:-1]:
            x, y = self.split(part)
            with torch.no_grad(), frozen_statistics(G), frozen_statistics(F_):
                fake_y, fake_x = G(x), F_(y)
            self.update_discriminators(x, y, fake_x, fake_y)
        x, y = self.split(parts[-1])
        d = DISTANCES[self.distance]
        G.zero_grad()
        F_.zero_grad()
        fake_y, fake_x = G(x), F_(y)
        terms = {"GAN_G": self.fool("D_Y", fake_y), "GAN_F": self.fool("D_X", fake_x)}
        loss = terms["GAN_G"] + terms["GAN_F"]
        if self.forward:
            terms["cycle_x"] = d(F_(fake_y), x)
            loss = loss + self.forward * terms["cycle_x"]
        if self.backward:
            terms["cycle_y"] = d(G(fake_x), y)
            loss = loss + self.backward * terms["cycle_y"]
        if self.identity:
            terms["identity_y"], terms["identity_x"] = d(G(y), y), d(F_(x), x)
            loss = loss + self.identity * (terms["identity_y"] + terms["identity_x"])
        loss.backward()
        scalars = {name: value.item() for name, value in terms.items()}
        for name in "GF":
            scalars[f"grad_norm_{name}"] = step(self.nets[name], self.optimizers[name])
        return scalars | self.update_discriminators(x, y, fake_x, fake_y)

    def update_discriminators(
        self, x: Tensor, y: Tensor, fake_x: Tensor, fake_y: Tensor
    ) -> dict[str, float]:
        scalars = {}
        for side, real, fake, seen in (
            ("X", x, fake_x, ("x", "F(y)")),
            ("Y", y, fake_y, ("y", "G(x)")),
        ):
            shown = fake.detach()
            if self.pool:
                shown = self.pools[side](shown, self.draw(len(fake)))
            scalars |= self.update_discriminator(f"D_{side}", real, shown, seen)
            if self.clip:
                with torch.no_grad():
                    for p in self.nets[f"D_{side}"].parameters():
                        p.clamp_(-self.clip, self.clip)
        return scalars
