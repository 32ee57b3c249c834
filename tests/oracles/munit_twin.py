"""MUNIT in PyTorch: modules, autograd and torch.optim, nothing of ours."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from tests.oracles.bicyclegan_twin import MeanOverPlaces, pyramid
from tests.oracles.conditional_twin import Chain
from tests.oracles.translation_twin import GAMES, Added, Twin, report, step

Array = np.ndarray


def content_encoder(cin: int, width: int, halvings: int, blocks: int) -> nn.Module:
    """Instance norms without gains."""

    def block(c: int) -> nn.Module:
        def half() -> list[nn.Module]:
            return [nn.ReflectionPad2d(1), nn.Conv2d(c, c, 3, bias=False), nn.InstanceNorm2d(c)]

        return Added(nn.Sequential(*half(), nn.ReLU(), *half()))

    parts: list[nn.Module] = [nn.ReflectionPad2d(3), nn.Conv2d(cin, width, 7, bias=False)]
    parts += [nn.InstanceNorm2d(width), nn.ReLU()]
    for i in range(halvings):
        c = width * 2**i
        parts += [nn.Conv2d(c, 2 * c, 4, 2, 1, bias=False), nn.InstanceNorm2d(2 * c), nn.ReLU()]
    return nn.Sequential(*parts, *(block(width * 2**halvings) for _ in range(blocks)))


def style_encoder(cin: int, style: int, width: int, n: int) -> nn.Module:
    """An identity where the others have a norm."""
    parts: list[nn.Module] = [nn.ReflectionPad2d(3), nn.Conv2d(cin, width, 7), nn.Identity()]
    parts.append(nn.ReLU())
    c = width
    for i in range(n):
        wide = 2 * c if i < 2 else c
        parts += [nn.Conv2d(c, wide, 4, 2, 1), nn.Identity(), nn.ReLU()]
        c = wide
    return nn.Sequential(*parts, MeanOverPlaces(), nn.Linear(c, style))


class Statistics(nn.Module):
    """Gains and shifts by two linear maps of what the perceptron says: 1 + scale and shift."""

    sees = True

    def __init__(self, c: int, features: int) -> None:
        super().__init__()
        self.scale, self.shift = nn.Linear(features, c), nn.Linear(features, c)

    def forward(self, x: Tensor, s: Tensor) -> Tensor:
        gain, shift = ((t[:, :, None, None]) for t in (1 + self.scale(s), self.shift(s)))
        return gain * x + shift


class Block(nn.Module):
    sees = True

    def __init__(self, c: int, features: int) -> None:
        super().__init__()

        def half() -> list[nn.Module]:
            adain = Chain(nn.InstanceNorm2d(c), Statistics(c, features))
            return [nn.ReflectionPad2d(1), nn.Conv2d(c, c, 3, bias=False), adain]

        self.body = Chain(*half(), nn.ReLU(), *half())

    def forward(self, x: Tensor, s: Tensor) -> Tensor:
        return x + self.body(x, s)


class Decoder(nn.Module):
    sees = True

    def __init__(
        self, cout: int, style: int, width: int, halvings: int, blocks: int, mlp: int, up: str
    ) -> None:
        super().__init__()
        self.embed = nn.Sequential(nn.Linear(style, mlp), nn.ReLU(), nn.Linear(mlp, mlp), nn.ReLU())
        rest: list[nn.Module] = []
        for i in reversed(range(halvings)):
            c = width * 2**i
            if up == "transposed":
                enlarge: nn.Module = nn.ConvTranspose2d(2 * c, c, 4, 2, 1, bias=False)
            else:
                conv = nn.Conv2d(2 * c, c, 5, bias=False)
                enlarge = nn.Sequential(nn.Upsample(scale_factor=2), nn.ReflectionPad2d(2), conv)
            rest += [enlarge, nn.GroupNorm(1, c), nn.ReLU()]
        last = [nn.ReflectionPad2d(3), nn.Conv2d(width, cout, 7), nn.Tanh()]
        some = [Block(width * 2**halvings, mlp) for _ in range(blocks)]
        self.net = Chain(*some, nn.Sequential(*rest, *last))

    def forward(self, c: Tensor, s: Tensor) -> Tensor:
        return self.net(c, self.embed(s))


class AutoEncoders(nn.Module):
    def __init__(
        self,
        channels: tuple[int, int],
        style: int,
        width: int,
        halvings: int,
        blocks: int,
        mlp: int,
        up: str,
        style_halvings: int,
    ) -> None:
        super().__init__()
        for d, c in zip("XY", channels, strict=True):
            self.add_module(f"Ec_{d}", content_encoder(c, width, halvings, blocks))
            self.add_module(f"Es_{d}", style_encoder(c, style, width, style_halvings))
            self.add_module(f"G_{d}", Decoder(c, style, width, halvings, blocks, mlp, up))
        self.double()


SEEN = {"D_X": ("x", "F(y)"), "D_Y": ("y", "G(x)")}


@dataclass
class MUNIT(Twin):
    """draw: standard normal numbers of a shape, in the order of use."""

    scales: int
    z_dim: int
    weights: dict[str, float]
    draw: Callable[[tuple[int, int]], Array]

    def style(self, n: int) -> Tensor:
        return torch.tensor(self.draw((n, self.z_dim)).astype(np.float32).astype(np.float64))

    def step(self, pairs: Array) -> dict[str, float]:
        x, y = self.split(pairs)
        net, w = self.nets["AE"], self.weights
        part = net.get_submodule
        c = {d: part(f"Ec_{d}")(pictures) for d, pictures in (("X", x), ("Y", y))}
        own_style = {d: part(f"Es_{d}")(pictures) for d, pictures in (("X", x), ("Y", y))}
        s = {"Y": self.style(len(x)), "X": self.style(len(x))}
        fake = {"Y": part("G_Y")(c["X"], s["Y"]), "X": part("G_X")(c["Y"], s["X"])}
        scalars = self.judge("D_X", x, fake["X"]) | self.judge("D_Y", y, fake["Y"])
        net.zero_grad()
        loss = 0.0
        for end, own, other, pictures, name in (("x", "X", "Y", x, "G"), ("y", "Y", "X", y, "F")):
            again = part(f"Ec_{other}")(fake[other])
            terms = {
                f"reconstruction_{end}": F.l1_loss(
                    part(f"G_{own}")(c[own], own_style[own]), pictures
                ),
                f"content_{end}": (again - c[own]).abs().mean(),
                f"style_{end}": (part(f"Es_{other}")(fake[other]) - s[other]).abs().mean(),
            }
            loss = loss + w["reconstruction"] * terms[f"reconstruction_{end}"]
            loss = (
                loss + w["content"] * terms[f"content_{end}"] + w["style"] * terms[f"style_{end}"]
            )
            if w["cycle"]:
                back = part(f"G_{own}")(again, own_style[own])
                terms[f"cycle_{end}"] = F.l1_loss(back, pictures)
                loss = loss + w["cycle"] * terms[f"cycle_{end}"]
            terms[f"GAN_{name}"] = w["gan"] * self.fooled(f"D_{other}", fake[other])
            loss = loss + terms[f"GAN_{name}"]
            scalars |= {key: value.item() for key, value in terms.items()}
        loss.backward()
        norm = step(net, self.optimizers["AE"])
        return scalars | {"loss_AE": loss.item(), "grad_norm_AE": norm}

    def judge(self, judge: str, real: Tensor, fake: Tensor) -> dict[str, float]:
        scalars: dict[str, float] = {}
        both = (pyramid(p, self.scales) for p in (real, fake.detach()))
        for k, (r, f) in enumerate(zip(*both, strict=True), 1):
            name, at = f"{judge}{k}", f"/{2 ** (k - 1)}" if k > 1 else ""
            D = self.nets[name]
            D.zero_grad()
            of_r, of_f = D(r), D(f)
            loss = GAMES[self.game][0](of_r, of_f)
            loss.backward()
            scalars |= {
                f"loss_{name}": loss.item(),
                f"grad_norm_{name}": step(D, self.optimizers[name]),
                **report(self.game, of_r, of_f, tuple(s + at for s in SEEN[judge]), name[1:]),
            }
        return scalars

    def fooled(self, judge: str, fake: Tensor) -> Tensor:
        total = torch.zeros((), dtype=torch.float64)
        for k, made in enumerate(pyramid(fake, self.scales), 1):
            total = total + self.fool(f"{judge}{k}", made)
        return total
