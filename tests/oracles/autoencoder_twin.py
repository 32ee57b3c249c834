"""The autoencoders in PyTorch: modules, autograd, torch.distributions and torch.optim.

Networks have one module per layer of minigan's, so that `gan_twin.load` and `gan_twin.arrays` find
every parameter by its name. Noise is drawn by the caller's functions, in the order that each
algorithm's docstring gives.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.distributions import Independent, Laplace, Normal, kl_divergence

from tests.oracles.gan_twin import (
    ToPictures,
    ToRows,
    dcgan_discriminator,
    dcgan_generator,
    frozen_statistics,
    probability_loss,
)
from tests.oracles.torch_twins import channels_first

Array = np.ndarray
Shape = tuple[int, ...]


# --- the networks ---------------------------------------------------------------------------------


def perceptron(
    features: int,
    outputs: int,
    hidden: Sequence[int],
    rectifier: Callable[[], nn.Module],
    batch_norm: bool = False,
) -> list[nn.Module]:
    parts: list[nn.Module] = []
    for i, units in enumerate(hidden):
        normed = batch_norm and i > 0
        norm = [nn.BatchNorm1d(units, affine=False)] * normed
        parts += [nn.Linear(features, units, bias=not normed), *norm, rectifier()]
        features = units
    return [*parts, nn.Linear(features, outputs)]


def leaky() -> nn.Module:
    return nn.LeakyReLU(0.2)


def mlp_encoder(
    shape: Shape, outputs: int, hidden: Sequence[int], batch_norm: bool
) -> nn.Sequential:
    flat = [ToRows()] * (len(shape) > 1)
    parts = perceptron(math.prod(shape), outputs, hidden, nn.ReLU, batch_norm)
    return nn.Sequential(*flat, *parts).double()


def mlp_decoder(
    z_dim: int, shape: Shape, hidden: Sequence[int], bounded: bool, batch_norm: bool
) -> nn.Sequential:
    parts = perceptron(z_dim, math.prod(shape), hidden, nn.ReLU, batch_norm)
    parts += [nn.Tanh()] * bounded + [ToPictures(*shape)] * (len(shape) > 1)
    return nn.Sequential(*parts).double()


def dense_discriminator(shape: Shape, hidden: Sequence[int]) -> nn.Sequential:
    flat = [ToRows()] * (len(shape) > 1)
    return nn.Sequential(*flat, *perceptron(math.prod(shape), 1, hidden, leaky)).double()


def conv_encoder(shape: Shape, outputs: int, width: int, halvings: int) -> nn.Sequential:
    *parts, end = dcgan_discriminator(shape, width, halvings)
    return nn.Sequential(*parts, nn.Linear(end.in_features, outputs)).double()


def conv_decoder(
    z_dim: int, shape: Shape, width: int, halvings: int, bounded: bool
) -> nn.Sequential:
    G = dcgan_generator(z_dim, shape, width, halvings)
    return G if bounded else G[:-1]


class Join(nn.ModuleList):
    """Each input through its branch, the results side by side."""

    def forward(self, *xs: Tensor) -> Tensor:
        return torch.cat([branch(x) for branch, x in zip(self, xs, strict=True)], 1)


class OfPairs(nn.Sequential):
    def forward(self, *xs: Tensor) -> Tensor:
        first, *rest = self
        y = first(*xs)
        for part in rest:
            y = part(y)
        return y


def mlp_joint_discriminator(
    shape: Shape, z_dim: int, hidden: Sequence[int], batch_norm: bool
) -> nn.Sequential:
    join = Join([ToRows() if len(shape) > 1 else nn.Identity(), nn.Identity()])
    parts = perceptron(math.prod(shape) + z_dim, 1, hidden, leaky, batch_norm)
    return OfPairs(join, *parts).double()


def conv_joint_discriminator(
    shape: Shape, z_dim: int, width: int, halvings: int, units: int
) -> nn.Sequential:
    *features, end = dcgan_discriminator(shape, width, halvings)
    code = nn.Sequential(nn.Linear(z_dim, units), leaky())
    both = nn.Linear(end.in_features + units, units)
    join = Join([nn.Sequential(*features), code])
    return OfPairs(join, both, leaky(), nn.Linear(units, 1)).double()


# --- the algorithms -------------------------------------------------------------------------------


def to_tensor(x: Array) -> Tensor:
    return channels_first(torch.tensor(x)) if x.ndim == 4 else torch.tensor(x)


def per_example(x: Tensor) -> Tensor:
    """The sum over an example's numbers, the mean over examples."""
    return x.flatten(1).sum(1).mean()


@dataclass
class Twin:
    """What they share. `normal` and `prior` draw (n, z_dim) numbers."""

    nets: dict[str, nn.Module]
    optimizers: dict[str, torch.optim.Optimizer]
    normal: Callable[[int], Array]
    prior: Callable[[int], Array]

    def descend(self, *moves: tuple[str, Tensor], by: str = "") -> dict[str, float]:
        """Move networks along the gradients of their losses, all taken before any of them moves."""
        norms = {}
        gradients = []
        for name, loss in moves:
            params = list(self.nets[name].parameters())
            gradients.append(torch.autograd.grad(loss, params, retain_graph=True))
            norms[f"grad_norm_{by or name}"] = math.sqrt(
                sum(float((g * g).sum()) for g in gradients[-1])
            )
        for (name, _), grads in zip(moves, gradients, strict=True):
            for p, g in zip(self.nets[name].parameters(), grads, strict=True):
                p.grad = g
            self.optimizers[by or name].step()
        return norms

    def code(self, h: Tensor, gaussian: bool) -> Tensor:
        """A draw of the posterior."""
        if not gaussian:
            return h
        mu, log_var = h.chunk(2, 1)
        return mu + torch.exp(log_var / 2) * torch.tensor(self.normal(len(h)))

    def draw(self, n: int) -> Tensor:
        return torch.tensor(self.prior(n))


class Autoencoder(Twin):
    def step(self, x: Array) -> dict[str, float]:
        E, G = self.nets["E"], self.nets["G"]
        examples = to_tensor(x)
        loss = per_example((G(E(examples)) - examples) ** 2)
        return {"reconstruction": loss.item()} | self.descend(("E", loss), ("G", loss))


@dataclass
class VAE(Twin):
    """Noise: one normal draw."""

    likelihood: str
    scale: float
    beta: float

    def step(self, x: Array) -> dict[str, float]:
        E, G = self.nets["E"], self.nets["G"]
        examples = to_tensor(x)
        h = E(examples)
        mu, log_var = h.chunk(2, 1)
        posterior = Normal(mu, torch.exp(log_var / 2))
        y = G(self.code(h, True))
        if self.likelihood == "bernoulli":
            t = (examples + 1) / 2
            nll = per_example(F.binary_cross_entropy_with_logits(y, t, reduction="none"))
        else:
            kind = {"gaussian": Normal, "laplace": Laplace}[self.likelihood]
            p = Independent(kind(y.flatten(1), self.scale), 1)
            nll = -p.log_prob(examples.flatten(1)).mean()
        standard = Normal(torch.zeros_like(mu), torch.ones_like(mu))
        kl = kl_divergence(posterior, standard).sum(1).mean()
        loss = nll + self.beta * kl
        scalars = {"ELBO": -(nll + kl).item(), "reconstruction": nll.item(), "KL": kl.item()}
        return scalars | self.descend(("E", loss), ("G", loss))


def fooling(logits: Tensor, objective: str) -> Tensor:
    """What a generator descends."""
    losses = {
        "minimax": -probability_loss(logits, False),
        "non-saturating": probability_loss(logits, True),
    }
    losses["density-ratio"] = losses["minimax"] + losses["non-saturating"]
    return losses[objective]


def probability(logits: Tensor) -> float:
    return torch.sigmoid(logits).mean().item()


@dataclass
class AAE(Twin):
    """Noise: for Gaussian codes a normal draw in either phase, then the prior's for D."""

    objective: str
    gaussian: bool

    def step(self, x: Array) -> dict[str, float]:
        E, G, D = (self.nets[name] for name in "EGD")
        examples = to_tensor(x)
        y = G(self.code(E(examples), self.gaussian))
        error = per_example((y - examples) ** 2)
        scalars = {"reconstruction": error.item()} | self.descend(("E", error), ("G", error))

        with frozen_statistics(E):
            code = self.code(E(examples), self.gaussian)
        real, fake = D(self.draw(len(x))), D(code.detach())
        loss_D = probability_loss(real, True) + probability_loss(fake, False)
        scalars |= {"loss_D": loss_D.item(), "D(z)": probability(real)}
        scalars |= {"D(E(x))": probability(fake)} | self.descend(("D", loss_D))
        loss_E = fooling(D(code), self.objective)
        return scalars | {"loss_E": loss_E.item()} | self.descend(("E", loss_E), by="E_game")


@dataclass
class AlphaGAN(Twin):
    """Noise: for Gaussian codes two normal draws; then the prior's for G, D and C."""

    objective: str
    gaussian: bool
    lambda_: float

    def step(self, x: Array) -> dict[str, float]:
        E, G, D, C = (self.nets[name] for name in "EGDC")
        examples = to_tensor(x)

        code = self.code(E(examples), self.gaussian)
        with frozen_statistics(G):
            error = (G(code) - examples).abs().mean() * examples[0].numel()
        loss_E = self.lambda_ * (error / examples[0].numel()) + fooling(C(code), self.objective)
        scalars = {"reconstruction": error.item(), "loss_E": loss_E.item()}
        scalars |= self.descend(("E", loss_E))

        with torch.no_grad(), frozen_statistics(E):
            code = self.code(E(examples), self.gaussian)
        y, fake = G(code), G(self.draw(len(x)))
        with frozen_statistics(D):
            judged = fooling(D(y), self.objective) + fooling(D(fake), self.objective)
        loss_G = self.lambda_ * (y - examples).abs().mean() + judged
        scalars |= {"loss_G": loss_G.item()} | self.descend(("G", loss_G))

        with torch.no_grad(), frozen_statistics(G):
            y, fake = G(code), G(self.draw(len(x)))
        on_x, on_y, on_fake = D(examples), D(y), D(fake)
        loss_D = 2 * probability_loss(on_x, True)
        loss_D = loss_D + probability_loss(on_y, False) + probability_loss(on_fake, False)
        scalars |= {"loss_D": loss_D.item(), "D(x)": probability(on_x)}
        scalars |= {"D(G(E(x)))": probability(on_y), "D(G(z))": probability(on_fake)}
        scalars |= self.descend(("D", loss_D))

        on_z, on_code = C(self.draw(len(x))), C(code)
        loss_C = probability_loss(on_z, True) + probability_loss(on_code, False)
        scalars |= {"loss_C": loss_C.item(), "C(z)": probability(on_z)}
        return scalars | {"C(E(x))": probability(on_code)} | self.descend(("C", loss_C))


@dataclass
class BiGAN(Twin):
    """Noise: the prior's, then for Gaussian codes a normal draw."""

    objective: str
    gaussian: bool

    def step(self, x: Array) -> dict[str, float]:
        E, G, D = (self.nets[name] for name in "EGD")
        examples, z = to_tensor(x), self.draw(len(x))
        on_real = D(examples, self.code(E(examples), self.gaussian))
        on_fake = D(G(z), z)
        loss_D = probability_loss(on_real, True) + probability_loss(on_fake, False)
        if self.objective == "minimax":  # E and G descend V itself
            loss_E, loss_G = -probability_loss(on_real, True), -probability_loss(on_fake, False)
        else:
            loss_E, loss_G = probability_loss(on_real, False), probability_loss(on_fake, True)
        scalars = {"loss_D": loss_D.item(), "loss_E": loss_E.item(), "loss_G": loss_G.item()}
        scalars |= {"D(x, E(x))": probability(on_real), "D(G(z), z)": probability(on_fake)}
        return scalars | self.descend(("D", loss_D), ("E", loss_E), ("G", loss_G))
