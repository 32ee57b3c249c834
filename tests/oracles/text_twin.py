"""GAN-CLS and StackGAN in PyTorch: modules, autograd and torch.optim, nothing of ours.

The networks have one module per layer of minigan's, so that a parameter has the same dotted name on
both sides; those of the encoders are put in their places by hand. Noise comes from the caller.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from tests.oracles import gan_twin
from tests.oracles.gan_twin import ToRows, frozen_statistics
from tests.oracles.torch_twins import channels_first

Array = np.ndarray


# --- the encoders ---------------------------------------------------------------------------------


class Recurrent(nn.Module):
    """The GRU's state at each caption's last word, found by packing the captions."""

    def __init__(self, words: int, width: int, size: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(words, width)
        self.gru = nn.GRU(width, size, batch_first=True)

    def forward(self, text: Tensor) -> Tensor:
        packed = nn.utils.rnn.pack_padded_sequence(
            self.embedding(text), (text > 0).sum(1), batch_first=True, enforce_sorted=False
        )
        return self.gru(packed)[1][0]


class Convolutional(nn.Module):
    """One caption after another, without its padding."""

    def __init__(self, words: int, width: int, size: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(words, width)
        self.conv1 = nn.Conv1d(width, size, 3, padding=1)
        self.conv2 = nn.Conv1d(size, size, 3, padding=1)

    def forward(self, text: Tensor) -> Tensor:
        found = []
        for row in text:
            x = self.embedding(row[row > 0]).T[None]
            found.append(self.conv2(self.conv1(x).relu()).relu().amax(2))
        return torch.cat(found)


ENCODERS: dict[str, Callable[[int, int, int], nn.Module]] = {
    "gru": Recurrent,
    "conv": Convolutional,
}


def encoder_arrays(net: nn.Module) -> dict[str, Array]:
    """An encoder's parameters by minigan's names and in its layouts."""
    found = {}
    for name, p in net.state_dict().items():
        a = p.numpy()
        if name.startswith("gru.weight"):
            a = a.T
        elif name.startswith("conv") and a.ndim == 3:
            a = a.transpose(2, 1, 0)[None]
        found[name.removesuffix("_l0")] = a
    return found


def load_encoder(net: nn.Module, named: dict[str, Array]) -> None:
    with torch.no_grad():
        for name, view in encoder_arrays(net).items():
            view[...] = named[name]  # the module's own memory, turned


# --- the networks ---------------------------------------------------------------------------------


class Beside(nn.Module):
    """Part i of input i, joined along channels."""

    def __init__(self, *parts: nn.Module) -> None:
        super().__init__()
        for i, part in enumerate(parts):
            self.add_module(str(i), part)

    def forward(self, *xs: Tensor) -> Tensor:
        return torch.cat([part(x) for part, x in zip(self.children(), xs, strict=True)], 1)


class Chain(nn.Sequential):
    """The first part may take two inputs."""

    def forward(self, *xs: Tensor) -> Tensor:
        first, *others = self
        x = first(*xs)
        for part in others:
            x = part(x)
        return x


class Everywhere(nn.Module):
    """(N, J) -> (N, J, side, side)."""

    def __init__(self, side: int) -> None:
        super().__init__()
        self.side = side

    def forward(self, c: Tensor) -> Tensor:
        return c[:, :, None, None].expand(-1, -1, self.side, self.side)


class Added(nn.Module):
    def __init__(self, body: nn.Module) -> None:
        super().__init__()
        self.body = body

    def forward(self, x: Tensor) -> Tensor:
        return x + self.body(x)


def code(text_dim: int, code_dim: int) -> nn.Sequential:
    return nn.Sequential(nn.Linear(text_dim, code_dim), nn.LeakyReLU(0.2))


def generator(text: nn.Module, numbers: int, side: int, width: int, halvings: int) -> nn.Module:
    body = gan_twin.dcgan_generator(numbers, (side, side, 3), width, halvings)
    return Chain(Beside(text, nn.Identity()), body).double()


class Matched(nn.Module):
    """<a, b> of rows (a, b)."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        a, b = x.chunk(2, 1)
        return torch.einsum("nk,nk->n", a, b)[:, None]


def discriminator(
    sees: str, text_dim: int, code_dim: int, side: int, width: int, halvings: int
) -> nn.Module:
    *tower, _, _ = gan_twin.dcgan_discriminator((side, side, 3), width, halvings)
    base, c = side >> halvings, width << (halvings - 1)
    if sees == "projection":
        text = nn.Sequential(code(text_dim, code_dim), nn.Linear(code_dim, base * base * c))
        return Chain(Beside(text, nn.Sequential(*tower, ToRows())), Matched()).double()
    text = nn.Sequential(code(text_dim, code_dim), Everywhere(base))
    head = nn.Sequential(
        nn.Conv2d(code_dim + c, c, 1),
        nn.LeakyReLU(0.2),
        ToRows(),
        nn.Linear(base * base * c, 1),
    )
    return Chain(Beside(text, nn.Sequential(*tower)), head).double()


def refining(code_dim: int, side: int, width: int, blocks: int) -> nn.Module:
    """side: of what comes in."""
    w = width

    def conv(cin: int, cout: int) -> list[nn.Module]:
        return [nn.Conv2d(cin, cout, 3, 1, 1, bias=False), nn.BatchNorm2d(cout)]

    down = nn.Conv2d(w, 2 * w, 4, 2, 1, bias=False)
    seen = nn.Sequential(
        nn.Conv2d(3, w, 3, 1, 1), nn.ReLU(), down, nn.BatchNorm2d(2 * w), nn.ReLU()
    )
    parts: list[nn.Module] = [Beside(Everywhere(side // 2), seen)]
    parts += [*conv(code_dim + 2 * w, 4 * w), nn.ReLU()]
    for _ in range(blocks):
        body = nn.Sequential(*conv(4 * w, 4 * w), nn.ReLU(), *conv(4 * w, 4 * w))
        parts += [Added(body), nn.ReLU()]
    for c in (4 * w, 2 * w):
        up = nn.Sequential(
            nn.Upsample(scale_factor=2), nn.ReflectionPad2d(1), nn.Conv2d(c, c // 2, 3, bias=False)
        )
        parts += [up, nn.BatchNorm2d(c // 2), nn.ReLU()]
    return Chain(*parts, nn.Conv2d(w, 3, 3, 1, 1), nn.Tanh()).double()


# --- the games ------------------------------------------------------------------------------------

ONES, ZEROS = torch.ones_like, torch.zeros_like
bce = F.binary_cross_entropy_with_logits
# J of real and of generated numbers, and G's loss of these
GAMES: dict[str, tuple[Callable[..., Tensor], Callable[..., Tensor]]] = {
    "non-saturating": (
        lambda r, f: bce(r, ONES(r)) + bce(f, ZEROS(f)),
        lambda f, r: bce(f, ONES(f)),
    ),
    "lsgan": (
        lambda r, f: ((r - 1) ** 2).mean() / 2 + (f**2).mean() / 2,
        lambda f, r: ((f - 1) ** 2).mean() / 2,
    ),
    "relativistic": (
        lambda r, f: F.softplus(f - r, threshold=600).mean(),
        lambda f, r: F.softplus(r - f, threshold=600).mean(),
    ),
}


@dataclass
class Twin:
    """Networks by minigan's names, and Adam for each."""

    nets: dict[str, nn.Module]
    optimizers: dict[str, torch.optim.Optimizer]
    game: str
    noise: Callable[[int, int], Array]  # of n rows and so many columns
    z_dim: int

    def descend(self, loss: Tensor, *names: str) -> None:
        """Gradients of the loss into these networks alone."""
        parameters = [p for name in names for p in self.nets[name].parameters()]
        gradients = torch.autograd.grad(loss, parameters)
        for p, g in zip(parameters, gradients, strict=True):
            p.grad = g

    def judged(self, name: str, x: Tensor, fake: Tensor, h: Tensor) -> Tensor:
        """The paper's L_D: real and right, real and wrong, fake and right."""
        D, J = self.nets[name], GAMES[self.game][0]
        wrong = torch.cat([h[-1:], h[:-1]])
        right, mismatched, made = D(h, x), D(wrong, x), D(h, fake.detach())
        self.seen = right, mismatched, made
        if self.game == "non-saturating":  # as the paper writes it
            mistaken = bce(mismatched, ZEROS(right)) + bce(made, ZEROS(right))
            return bce(right, ONES(right)) + mistaken / 2
        return (J(right, made) + J(right, mismatched)) / 2

    def fooled(self, name: str, x: Tensor, fake: Tensor, h: Tensor) -> Tensor:
        D = self.nets[name]
        with frozen_statistics(D):
            made = D(h.detach(), fake)
            real = D(h.detach(), x) if self.game == "relativistic" else made
        return GAMES[self.game][1](made, real.detach())


class GANCLS(Twin):
    def step(self, x: Array, text: Array) -> dict[str, float]:
        real = channels_first(torch.tensor(x))
        h = self.nets["E"](torch.tensor(text))
        fake = self.nets["G"](h.detach(), torch.tensor(self.noise(len(x), self.z_dim)))
        loss_D = self.judged("D", real, fake, h)
        self.descend(loss_D, "D", "E")
        for name in "DE":
            self.optimizers[name].step()
        loss_G = self.fooled("D", real, fake, h)
        self.descend(loss_G, "G")
        self.optimizers["G"].step()
        return {
            "loss_D": loss_D.item(),
            "loss_G": loss_G.item(),
            "score(x, wrong text)": self.seen[1].mean().item(),
        }


@dataclass
class StackGAN(Twin):
    stages: int
    code_dim: int
    kl_weight: float
    trained: Callable[[int], Sequence[int]]  # stages from 0 that iteration i trains

    def __post_init__(self) -> None:
        self.t = 0

    def step(self, x: Array, text: Array) -> dict[str, float]:
        trained = self.trained(self.t)
        self.t += 1
        whole = channels_first(torch.tensor(x))
        h = self.nets["E"](torch.tensor(text))
        below = torch.tensor(self.noise(len(x), self.z_dim))
        fakes, kls = [], []
        for i in range(trained[-1] + 1):
            mu, log_var = self.nets[f"C{i + 1}"](h.detach()).chunk(2, 1)
            epsilon = torch.tensor(self.noise(len(x), self.code_dim))
            own = torch.distributions.Normal(mu, (log_var / 2).exp())
            standard = torch.distributions.Normal(ZEROS(mu), ONES(mu))
            kls.append(torch.distributions.kl_divergence(own, standard).sum(1).mean())
            G = self.nets[f"G{i + 1}"]
            c = mu + (log_var / 2).exp() * epsilon
            if i in trained:
                below = G(c, below)
            else:
                with frozen_statistics(G):
                    below = G(c, below).detach()
            fakes.append(below)
        reals = {i: F.avg_pool2d(whole, 2 ** (self.stages - 1 - i)) for i in trained}
        shown: dict[str, float] = {}
        losses = {i: self.judged(f"D{i + 1}", reals[i], fakes[i], h) for i in trained}
        players = [f"D{i + 1}" for i in trained] + ["E"] * (0 in trained)
        self.descend(sum(losses.values()), *players)
        for name in players:
            self.optimizers[name].step()
        shown |= {f"loss_D{i + 1}": loss.item() for i, loss in losses.items()}
        paid = {
            i: self.fooled(f"D{i + 1}", reals[i], fakes[i], h) + self.kl_weight * kls[i]
            for i in trained
        }
        players = [f"{net}{i + 1}" for i in trained for net in "GC"]
        self.descend(sum(paid.values()), *players)
        for name in players:
            self.optimizers[name].step()
        shown |= {f"loss_G{i + 1}": loss.item() for i, loss in paid.items()}
        return shown | {f"KL {i + 1}": kls[i].item() for i in trained}
