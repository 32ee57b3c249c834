"""GANs with codes in PyTorch: modules, autograd, torch.distributions and torch.optim.

Networks have one module per layer of minigan's, so that `gan_twin.load` and `gan_twin.arrays` find
every parameter by its name. Noise is drawn by the caller's functions, in the order that each class
says.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.distributions import Categorical, Normal, Uniform

from tests.oracles.gan_twin import probability_loss
from tests.oracles.torch_twins import channels_first

Array = np.ndarray


# --- the networks ---------------------------------------------------------------------------------


class Heads(nn.ModuleList):
    """What each part makes of the same input, side by side (channels side by side)."""

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([part(x) for part in self], 1)


class Slice(nn.Module):
    """Some columns, or some channels."""

    def __init__(self, start: int, stop: int) -> None:
        super().__init__()
        self.start, self.stop = start, stop

    def forward(self, x: Tensor) -> Tensor:
        return x[:, self.start : self.stop]


class LogSumExp(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return torch.logsumexp(x, 1, keepdim=True)


def classifying(D: nn.Sequential, classes: int) -> nn.Sequential:
    *features, end = D
    C = nn.Sequential(*features, nn.Linear(end.in_features, classes))
    return nn.Sequential(C, LogSumExp()).double()


def recognising(D: nn.Sequential, outputs: int, units: int) -> nn.Sequential:
    *features, end = D
    Q = nn.Sequential(
        nn.Linear(end.in_features, units, bias=False),
        nn.BatchNorm1d(units),
        nn.LeakyReLU(0.1),
        nn.Linear(units, outputs),
    )
    both = nn.Sequential(*features, Heads([end, Q]))
    return nn.Sequential(both, Slice(0, 1)).double()


def coupled_generator(first: nn.Sequential, second: nn.Sequential, cut: int) -> nn.Sequential:
    ends = [nn.Sequential(*net[cut:]) for net in (first, second)]  # numbered from 0
    return nn.Sequential(*first[:cut], Heads(ends)).double()


def coupled_discriminator(
    first: nn.Sequential, second: nn.Sequential, channels: tuple[int, int], cut: int
) -> nn.ModuleList:
    a, b = channels
    return Heads(
        [
            nn.Sequential(Slice(0, a), *first),
            nn.Sequential(Slice(a, a + b), *second[:cut], *first[cut:]),
        ]
    ).double()


@contextmanager
def frozen_statistics(net: nn.Module) -> Iterator[None]:
    """As gan_twin's, for batch norm of rows too."""
    norms = [m for m in net.modules() if isinstance(m, nn.BatchNorm1d | nn.BatchNorm2d)]
    held = [norm.momentum for norm in norms]
    for norm in norms:
        norm.momentum = 0.0
    yield
    for norm, momentum in zip(norms, held, strict=True):
        norm.momentum = momentum


# --- the algorithms -------------------------------------------------------------------------------


def to_tensor(x: Array) -> Tensor:
    return channels_first(torch.tensor(x)) if x.ndim == 4 else torch.tensor(x)


@dataclass
class Twin:
    """normal and uniform draw numbers of a shape, U(0, 1) the latter."""

    nets: dict[str, nn.Module]
    optimizers: dict[str, torch.optim.Optimizer]
    normal: Callable[..., Array]
    uniform: Callable[..., Array]

    def descend(self, loss: Tensor, *names: str) -> dict[str, float]:
        """Move networks along the gradient of one loss."""
        params = {name: list(self.nets[name].parameters()) for name in names}
        gradients = {
            name: torch.autograd.grad(loss, of, retain_graph=True) for name, of in params.items()
        }
        norms = {}
        for name, grads in gradients.items():
            norms[f"grad_norm_{name}"] = math.sqrt(sum(float((g * g).sum()) for g in grads))
            for p, g in zip(params[name], grads, strict=True):
                p.grad = g
            self.optimizers[name].step()
        return norms

    def one_hot(self, n: int, classes: int) -> Tensor:
        chosen = torch.tensor(self.uniform((n, 1)) * classes).long()[:, 0]
        return F.one_hot(chosen, classes).double()

    def fake(self, z: Tensor) -> Tensor:
        """Made by a frozen G."""
        with torch.no_grad(), frozen_statistics(self.nets["G"]):
            return self.nets["G"](z)


def probability(scores: Tensor) -> float:
    return torch.sigmoid(scores).mean().item()


@dataclass
class SemiSupervised(Twin):
    """Noise: z; for each labelled example a uniform number; z for G. All z uniform on (-1, 1)."""

    x: Tensor
    classes: Tensor
    z_dim: int
    matching: bool
    weight: float
    supervised_only: bool

    def z(self, n: int) -> Tensor:
        return torch.tensor(2 * self.uniform((n, self.z_dim)) - 1)

    def supervised(self, n: int) -> tuple[Tensor, dict[str, float]]:
        chosen = torch.tensor(self.uniform((n,)) * len(self.x)).long()
        logits, truth = self.nets["D"][0](self.x[chosen]), self.classes[chosen]
        loss = F.cross_entropy(logits, truth)
        right = (logits.argmax(1) == truth).double().mean().item()
        return loss, {"supervised": loss.item(), "accuracy(labelled)": right}

    def step(self, x: Array) -> dict[str, float]:
        n, D, G = len(x), self.nets["D"], self.nets["G"]
        if self.supervised_only:
            loss, scalars = self.supervised(n)
            return scalars | self.descend(self.weight * loss, "D")
        examples, z = to_tensor(x), self.z(n)
        supervised, scalars = self.supervised(n)
        fake = self.fake(z)
        # The K + 1 classes as the paper first states them, the last logit 0.
        real_logits = D[0](examples)
        with frozen_statistics(D):
            fake_logits = D[0](fake)
        real, generated = (
            F.log_softmax(torch.cat([l, torch.zeros(n, 1)], 1), 1)
            for l in (real_logits, fake_logits)
        )
        loss = -torch.logsumexp(real[:, :-1], 1).mean() - generated[:, -1].mean()
        scalars |= {"loss_D": loss.item(), "D(x)": (1 - real[:, -1].exp()).mean().item()}
        scalars |= {"D(G(z))": (1 - generated[:, -1].exp()).mean().item()}
        scalars |= self.descend(loss + self.weight * supervised, "D")

        fake = G(self.z(n))
        with frozen_statistics(D):
            if self.matching:
                features = D[0][:-1]
                apart = features(examples).mean(0) - features(fake).mean(0)
                loss = (apart * apart).sum()
            else:
                loss = probability_loss(D(fake), True)
        return scalars | {"loss_G": loss.item()} | self.descend(loss, "G")


@dataclass
class InfoGAN(Twin):
    """Noise: of each z uniform noise, then of each code in turn."""

    z_dim: int
    categorical: Sequence[int]
    continuous: int
    weight: float
    learned_spread: bool

    def z(self, n: int) -> tuple[Tensor, list[Tensor]]:
        noise = torch.tensor(2 * self.uniform((n, self.z_dim)) - 1)
        codes = [self.one_hot(n, classes) for classes in self.categorical]
        codes += [torch.tensor(2 * self.uniform((n, 1)) - 1) for _ in range(self.continuous)]
        return torch.cat([noise, *codes], 1), codes

    def information(self, q: Tensor, codes: list[Tensor]) -> list[Tensor]:
        """L_I of each code."""
        found = []
        for code in codes:
            if code.shape[1] > 1:
                said, q = q[:, : code.shape[1]], q[:, code.shape[1] :]
                prior = Categorical(probs=torch.ones(code.shape[1]).double())
                log_q = Categorical(logits=said).log_prob(code.argmax(1))
            else:
                size = 1 + self.learned_spread
                said, q = q[:, :size], q[:, size:]
                sigma = torch.exp(said[:, 1] / 2) if self.learned_spread else 1.0
                prior = Uniform(torch.tensor(-1.0).double(), torch.tensor(1.0).double())
                log_q = Normal(said[:, 0], sigma).log_prob(code[:, 0])
            found.append(log_q.mean() + prior.entropy().double())
        return found

    def step(self, x: Array) -> dict[str, float]:
        n, D, G = len(x), self.nets["D"], self.nets["G"]
        examples = to_tensor(x)
        z, codes = self.z(n)
        fake = self.fake(z)
        real, said = D(examples), D[0](fake)
        information = self.information(said[:, 1:], codes)
        loss = probability_loss(real, True) + probability_loss(said[:, :1], False)
        loss = loss - self.weight * sum(information)
        scalars = {"loss_D": loss.item(), "D(x)": probability(real)}
        scalars["D(G(z))"] = probability(said[:, :1])
        scalars |= {f"L_I(c{i})": value.item() for i, value in enumerate(information, 1)}
        scalars |= self.descend(loss, "D")

        z, codes = self.z(n)
        with frozen_statistics(D):
            said = D[0](G(z))
        loss = probability_loss(said[:, :1], True)
        loss = loss - self.weight * sum(self.information(said[:, 1:], codes))
        return scalars | {"loss_G": loss.item()} | self.descend(loss, "G")


@dataclass
class ClusterGAN(Twin):
    """Noise: of each z normal noise, then the cluster; with a critic an epsilon for each example
    after that."""

    z_dim: int
    clusters: int
    sigma: float
    beta_n: float
    beta_c: float
    k: int
    critic: bool

    def z(self, n: int) -> Tensor:
        noise = self.sigma * torch.tensor(self.normal((n, self.z_dim)))
        return torch.cat([noise, self.one_hot(n, self.clusters)], 1)

    def step(self, x: Array) -> dict[str, float]:
        D, G, E = (self.nets[name] for name in "DGE")
        scalars = {}
        for examples in to_tensor(x).chunk(self.k):
            n = len(examples)
            fake = self.fake(self.z(n))
            real_scores, fake_scores = D(examples), D(fake)
            if self.critic:
                loss = fake_scores.mean() - real_scores.mean()
                epsilon = torch.tensor(self.uniform((n, *[1] * (examples.ndim - 1))))
                between = (epsilon * examples + (1 - epsilon) * fake).requires_grad_()
                (g,) = torch.autograd.grad(D(between).sum(), between, create_graph=True)
                penalty = 10 * ((g.flatten(1).norm(dim=1) - 1) ** 2).mean()
                scalars = {"score(x)": real_scores.mean().item()}
                scalars |= {"score(G(z))": fake_scores.mean().item(), "wasserstein": -loss.item()}
                scalars |= {"wgan-gp": penalty.item()}
            else:
                loss = probability_loss(real_scores, True) + probability_loss(fake_scores, False)
                scalars = {"D(x)": probability(real_scores), "D(G(z))": probability(fake_scores)}
                penalty = 0.0
            scalars |= {"loss_D": loss.item()} | self.descend(loss + penalty, "D")
        z = self.z(n)
        fake = G(z)
        with frozen_statistics(D):
            scores = D(fake)
        loss = -scores.mean() if self.critic else probability_loss(scores, True)
        h = E(fake)
        noise = F.mse_loss(h[:, : self.z_dim], z[:, : self.z_dim])
        cluster = F.cross_entropy(h[:, self.z_dim :], z[:, self.z_dim :].argmax(1))
        scalars |= {"loss_G": loss.item(), "noise": noise.item(), "cluster": cluster.item()}
        total = loss + self.beta_n * noise + self.beta_c * cluster
        return scalars | self.descend(total, "G", "E")


@dataclass
class CoGAN(Twin):
    """Noise: normal z for D, then for G. Each domain is judged by itself."""

    z_dim: int
    channels: tuple[int, int]

    def z(self, n: int) -> Tensor:
        return torch.tensor(self.normal((n, self.z_dim)))

    def step(self, x: Array) -> dict[str, float]:
        n, (D_1, D_2), G = len(x), self.nets["D"], self.nets["G"]
        examples, fake = to_tensor(x), self.fake(self.z(n))
        real = [D_1(examples), D_2(examples)]
        generated = [D_1(fake), D_2(fake)]
        loss = sum(probability_loss(scores, True) for scores in real)
        loss = loss + sum(probability_loss(scores, False) for scores in generated)
        scalars = {"loss_D": loss.item()}
        for i in range(2):
            scalars[f"D(x) {i + 1}"] = probability(real[i])
            scalars[f"D(G(z)) {i + 1}"] = probability(generated[i])
        scalars |= self.descend(loss, "D")
        fake = G(self.z(n))
        with frozen_statistics(self.nets["D"]):
            loss = probability_loss(D_1(fake), True) + probability_loss(D_2(fake), True)
        return scalars | {"loss_G": loss.item()} | self.descend(loss, "G")
