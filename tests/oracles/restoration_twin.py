"""The restorations in PyTorch: modules, autograd and torch.optim, nothing of ours."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from tests.oracles.gan_twin import frozen_statistics
from tests.oracles.translation_twin import (
    ONES,
    ZEROS,
    Added,
    Joined,
    ToRows,
    Twin,
    bce,
    report,
    resnet,
    step,
)

Array = np.ndarray

# --- SRGAN's networks -----------------------------------------------------------------------------


def srresnet(channels: int, scale: int, w: int, blocks: int) -> nn.Sequential:
    def half() -> list[nn.Module]:
        return [nn.Conv2d(w, w, 3, padding=1, bias=False), nn.BatchNorm2d(w)]

    body = [Added(nn.Sequential(*half(), nn.PReLU(w), *half())) for _ in range(blocks)]
    parts = [nn.Conv2d(channels, w, 9, padding=4), nn.PReLU(w)]
    parts.append(Added(nn.Sequential(*body, *half())))
    for _ in range({2: 1, 4: 2}[scale]):
        parts += [nn.Conv2d(w, 4 * w, 3, padding=1), nn.PixelShuffle(2), nn.PReLU(w)]
    return nn.Sequential(*parts, nn.Conv2d(w, channels, 9, padding=4)).double()


class Damped(nn.Module):
    """A fifth of x."""

    def forward(self, x: Tensor) -> Tensor:
        return 0.2 * x


def rrdbnet(channels: int, scale: int, w: int, growth: int, blocks: int) -> nn.Sequential:
    def dense() -> nn.Module:
        parts: list[nn.Module] = []
        for i in range(4):
            conv = nn.Conv2d(w + i * growth, growth, 3, padding=1)
            parts.append(Joined(nn.Sequential(conv, nn.LeakyReLU(0.2))))
        return Added(nn.Sequential(*parts, nn.Conv2d(w + 4 * growth, w, 3, padding=1), Damped()))

    trunk = [Added(nn.Sequential(dense(), dense(), dense(), Damped())) for _ in range(blocks)]
    parts: list[nn.Module] = [nn.Conv2d(channels, w, 3, padding=1)]
    parts.append(Added(nn.Sequential(*trunk, nn.Conv2d(w, w, 3, padding=1))))
    for _ in range({2: 1, 4: 2}[scale]):
        conv = nn.Conv2d(w, w, 3, padding=1)
        parts += [nn.Upsample(scale_factor=2), conv, nn.LeakyReLU(0.2)]
    ends = nn.Conv2d(w, w, 3, padding=1), nn.LeakyReLU(0.2), nn.Conv2d(w, channels, 3, padding=1)
    return nn.Sequential(*parts, *ends).double()


def srgan_discriminator(h: int, w: int, channels: int, width: int) -> nn.Sequential:
    parts: list[nn.Module] = [nn.Conv2d(channels, width, 3, padding=1), nn.LeakyReLU(0.2)]
    cin = width
    for filters, stride in ((1, 2), (2, 1), (2, 2), (4, 1), (4, 2), (8, 1), (8, 2)):
        cout = filters * width
        conv = nn.Conv2d(cin, cout, 3, stride, 1, bias=False)
        parts += [conv, nn.BatchNorm2d(cout), nn.LeakyReLU(0.2)]
        h, w, cin = -(-h // stride), -(-w // stride), cout
    parts += [ToRows(), nn.Linear(h * w * cin, 16 * width), nn.LeakyReLU(0.2)]
    return nn.Sequential(*parts, nn.Linear(16 * width, 1)).double()


def deblurring_generator(channels: int, w: int, blocks: int, norm: str, up: str) -> nn.Sequential:
    R = resnet(channels, channels, w, blocks, norm, up=up)
    return nn.Sequential(Added(R), nn.Hardtanh()).double()


def classifier(channels: int, width: int) -> nn.Sequential:
    """The convolutions of a shipped classifier, evaluating."""
    parts: list[nn.Module] = []
    for cin, cout in ((channels, width), (width, 2 * width), (2 * width, 2 * width)):
        conv = nn.Conv2d(cin, cout, 4, 2, 1, bias=False)
        parts += [conv, nn.BatchNorm2d(cout), nn.ReLU()]
    return nn.Sequential(*parts).double().eval()


# --- the losses, as the papers write them ---------------------------------------------------------


def against_average(r: Tensor, f: Tensor) -> Tensor:
    return bce(r - f.mean(), ONES(r)) + bce(f - r.mean(), ZEROS(f))


# of D, and of G: both take scores of real and of restored pictures
GAMES: dict[str, tuple[Callable[..., Tensor], Callable[..., Tensor]]] = {
    "non-saturating": (
        lambda r, f: bce(r, ONES(r)) + bce(f, ZEROS(f)),
        lambda r, f: bce(f, ONES(f)),
    ),
    "relativistic-average": (against_average, lambda r, f: against_average(f, r)),
    "lsgan": (
        lambda r, f: ((r - 1) ** 2).mean() + (f**2).mean(),
        lambda r, f: ((f - 1) ** 2).mean(),
    ),
    "wasserstein": (lambda r, f: f.mean() - r.mean(), lambda r, f: -f.mean()),
}


@dataclass
class Restoring(Twin):
    """A game of restored pictures, whose discriminator descends its whole loss."""

    def judge(self, real: Tensor, fake: Tensor, seen: tuple[str, str]) -> dict[str, float]:
        D = self.nets["D"]
        D.zero_grad()
        r, f = D(real), D(fake.detach())
        loss = GAMES[self.game][0](r, f)
        penalties = self.penalties(real, fake.detach())
        (loss + sum(penalties.values())).backward()
        norm = step(D, self.optimizers["D"])
        terms = {name: value.item() for name, value in penalties.items()}
        shown = report(self.game, r, f, seen, "")
        return {"loss_D": loss.item(), "grad_norm_D": norm, **shown, **terms}

    def penalties(self, real: Tensor, fake: Tensor) -> dict[str, Tensor]:
        """Further terms of D's loss, by name."""
        return {}

    def opinion(self, real: Tensor, fake: Tensor) -> Tensor:
        D = self.nets["D"]
        with frozen_statistics(D):
            return GAMES[self.game][1](D(real).detach(), D(fake))


@dataclass
class SRGAN(Restoring):
    scale: int
    pretrain: int
    content: Callable[[Tensor, Tensor], Tensor]
    weight_content: float
    weight_gan: float
    alone: str
    weight_l1: float
    done: int = 0

    def step(self, pairs: Array) -> dict[str, float]:
        x, y = self.split(pairs)
        G, s = self.nets["G"], self.scale
        fake = G(x[:, :, ::s, ::s])
        alone = self.done < self.pretrain
        self.done += 1
        scalars = {} if alone else self.judge(y, fake, ("y", "G(x)"))
        G.zero_grad()
        if alone:
            loss = {"mse": F.mse_loss, "l1": F.l1_loss}[self.alone](fake, y)
            scalars["content"] = loss.item()
        else:
            content, fooling = self.content(fake, y), self.weight_gan * self.opinion(y, fake)
            loss = self.weight_content * content + fooling
            scalars |= {"content": content.item(), "GAN_G": fooling.item()}
            if self.weight_l1:
                close = F.l1_loss(fake, y)
                scalars["L1"] = close.item()
                loss = loss + self.weight_l1 * close
        loss.backward()
        norm = step(G, self.optimizers["G"])
        return scalars | {"loss_G": loss.item(), "grad_norm_G": norm}


# --- the context encoder --------------------------------------------------------------------------


class Channelwise(nn.Module):
    """A product of its own for each channel, over the places."""

    def __init__(self, channels: int, places: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(channels, places, places))

    def forward(self, x: Tensor) -> Tensor:
        return torch.einsum("ncp,cpq->ncq", x.flatten(2), self.weight).reshape(x.shape)


def halvings(side: int) -> int:
    return 0 if side < 8 else 1 + halvings(side // 2)


def shrinking(h: int, w: int, channels: int, width: int) -> list[nn.Module]:
    parts: list[nn.Module] = [nn.Conv2d(channels, width, 4, 2, 1), nn.LeakyReLU(0.2)]
    for i in range(halvings(min(h, w)) - 1):
        c = width * 2**i
        parts += [nn.Conv2d(c, 2 * c, 4, 2, 1, bias=False), nn.BatchNorm2d(2 * c)]
        parts.append(nn.LeakyReLU(0.2))
    return parts


def context_encoder(h: int, w: int, channels: int, width: int, whole: bool) -> nn.Sequential:
    n = halvings(min(h, w))
    m = n if whole else n - 1
    c, narrower = width * 2 ** (n - 1), width * 2 ** (m - 1)
    parts = shrinking(h, w, channels, width)
    parts.append(Channelwise(c, (h >> n) * (w >> n)))
    parts += [nn.Conv2d(c, narrower, 1, bias=False), nn.BatchNorm2d(narrower), nn.ReLU()]
    for i in reversed(range(m - 1)):
        c = width * 2**i
        parts += [nn.ConvTranspose2d(2 * c, c, 4, 2, 1, bias=False), nn.BatchNorm2d(c), nn.ReLU()]
    return nn.Sequential(*parts, nn.ConvTranspose2d(width, channels, 4, 2, 1), nn.Tanh()).double()


def dcgan_discriminator(h: int, w: int, channels: int, width: int) -> nn.Sequential:
    n = halvings(min(h, w))
    features = (h >> n) * (w >> n) * width * 2 ** (n - 1)
    parts = shrinking(h, w, channels, width)
    return nn.Sequential(*parts, ToRows(), nn.Linear(features, 1)).double()


@dataclass
class ContextEncoder(Restoring):
    """whole: whether G makes whole pictures."""

    whole: bool
    overlap: int
    overlap_weight: float
    weight_rec: float
    weight_gan: float

    def region(self, picture: Tensor) -> Tensor:
        if self.whole:
            return picture
        h, w = picture.shape[2:]
        return picture[:, :, h // 4 : h // 4 + h // 2, w // 4 : w // 4 + w // 2]

    def step(self, pairs: Array) -> dict[str, float]:
        x, y = self.split(pairs)
        hole, true = x[:, -1:], self.region(y)
        G, k = self.nets["G"], self.overlap
        made = G(x[:, :-1])
        scalars = self.judge(true, made, ("y", "G(x)")) if self.weight_gan else {}
        G.zero_grad()
        near = F.conv2d(hole, torch.ones(1, 1, 2 * k + 1, 2 * k + 1).double(), padding=k) > 0
        rim = near & (hole == 0)
        weights = self.region(hole + self.overlap_weight * rim)
        apart = (weights * (made - true) ** 2).sum()
        rec = apart / (self.region(near.double()).sum() * true.shape[1])
        loss = self.weight_rec * rec
        scalars["L_rec"] = rec.item()
        if self.weight_gan:
            fooling = self.weight_gan * self.opinion(true, made)
            scalars["GAN_G"] = fooling.item()
            loss = loss + fooling
        loss.backward()
        norm = step(G, self.optimizers["G"])
        return scalars | {"loss_G": loss.item(), "grad_norm_G": norm}


# --- DeblurGAN ------------------------------------------------------------------------------------


@dataclass
class DeblurGAN(Restoring):
    """gp: the penalty's weight; draw: numbers of U(0, 1), as the penalty draws them."""

    k: int
    content: Callable[[Tensor, Tensor], Tensor]
    weight_content: float
    weight_gan: float
    gp: float
    draw: Callable[[tuple[int, ...]], Array]

    def penalties(self, real: Tensor, fake: Tensor) -> dict[str, Tensor]:
        if not self.gp:
            return {}
        epsilon = torch.tensor(self.draw((len(real), 1, 1, 1)))
        between = (epsilon * real + (1 - epsilon) * fake).requires_grad_()
        score = self.nets["D"](between).sum()
        (g,) = torch.autograd.grad(score, between, create_graph=True)
        return {"wgan-gp": self.gp * ((g.flatten(1).norm(dim=1) - 1) ** 2).mean()}

    def step(self, pairs: Array) -> dict[str, float]:
        x, y = self.split(pairs)
        G = self.nets["G"]
        restored = G(x)
        scalars: dict[str, float] = {}
        for _ in range(self.k if self.weight_gan else 0):
            scalars |= self.judge(y, restored, ("y", "G(x)"))
        G.zero_grad()
        content = self.content(restored, y)
        scalars["content"] = content.item()
        loss = self.weight_content * content
        if self.weight_gan:
            fooling = self.weight_gan * self.opinion(y, restored)
            scalars["GAN_G"] = fooling.item()
            loss = loss + fooling
        loss.backward()
        norm = step(G, self.optimizers["G"])
        return scalars | {"loss_G": loss.item(), "grad_norm_G": norm}
