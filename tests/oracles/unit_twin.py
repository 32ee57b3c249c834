"""UNIT in PyTorch: modules, autograd and torch.optim, nothing of ours."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch.nn.functional as F
from torch import Tensor, nn

from tests.oracles.pix2pixhd_twin import entrance, exit_, residual
from tests.oracles.torch_twins import channels_first
from tests.oracles.translation_twin import Twin, step

Array = np.ndarray


class SharedLatent(nn.Module):
    """The same modules stand in both encoders, and others in both decoders."""

    def __init__(
        self,
        channels: tuple[int, int],
        width: int,
        halvings: int,
        blocks: int,
        shared: int,
        norm: str,
        up: str,
    ) -> None:
        super().__init__()
        c = width * 2**halvings

        def some(n: int) -> list[nn.Module]:
            return [residual(c, norm) for _ in range(n)]

        code, start = ([nn.Sequential(*some(shared))] if shared else [] for _ in range(2))
        for domain, channel in zip("XY", channels, strict=True):
            encoder = [*entrance(channel, width, halvings, norm), *some(blocks), *code]
            decoder = [*start, *some(blocks), *exit_(width, halvings, channel, norm, up)]
            self.add_module(f"E_{domain}", nn.Sequential(*encoder))
            self.add_module(f"G_{domain}", nn.Sequential(*decoder))
        self.double()


def divergence(mean: Tensor) -> Tensor:
    """Of N(mean, 1) from N(0, 1), by the density ratio's expectation in closed form."""
    return (0.5 * (mean**2 + 1 - 1 - 0)).mean()


@dataclass
class UNIT(Twin):
    """draw: standard normal numbers of a shape with channels last, in the order of use."""

    weights: dict[str, float]
    draw: Callable[[tuple[int, ...]], Array]

    def code(self, domain: str, x: Tensor) -> tuple[Tensor, Tensor]:
        import torch

        mean = self.nets["VAE"].get_submodule(f"E_{domain}")(x)
        n, c, h, w = mean.shape
        return mean, mean + channels_first(torch.tensor(self.draw((n, h, w, c))))

    def step(self, pairs: Array) -> dict[str, float]:
        x, y = self.split(pairs)
        net, w = self.nets["VAE"], self.weights
        G = {d: net.get_submodule(f"G_{d}") for d in "XY"}
        (mean_x, z_x), (mean_y, z_y) = self.code("X", x), self.code("Y", y)
        xy, yx = G["Y"](z_x), G["X"](z_y)
        scalars = self.update_discriminator("D_X", x, yx, ("x", "F(y)"))
        scalars |= self.update_discriminator("D_Y", y, xy, ("y", "G(x)"))
        net.zero_grad()
        loss = 0.0
        for end, own, other, pictures, mean, z, fake, name in (
            ("x", "X", "Y", x, mean_x, z_x, xy, "G"),
            ("y", "Y", "X", y, mean_y, z_y, yx, "F"),
        ):
            same = G[own](z)
            mean_again, z_again = self.code(other, fake)
            back = G[own](z_again)
            terms = {
                f"KL_{end}": divergence(mean),
                f"reconstruction_{end}": F.l1_loss(same, pictures),
                f"GAN_{name}": w["gan"] * self.fool(f"D_{other}", fake),
                f"cycle_KL_{end}": divergence(mean_again),
                f"cycle_{end}": F.l1_loss(back, pictures),
            }
            vae = (
                w["kl"] * terms[f"KL_{end}"] + w["reconstruction"] * terms[f"reconstruction_{end}"]
            )
            cycle = w["cycle_kl"] * (terms[f"KL_{end}"] + terms[f"cycle_KL_{end}"])
            cycle = cycle + w["cycle"] * terms[f"cycle_{end}"]
            loss = loss + vae + terms[f"GAN_{name}"] + cycle
            scalars |= {key: value.item() for key, value in terms.items()}
        loss.backward()
        norm = step(net, self.optimizers["VAE"])
        return scalars | {"loss_VAE": loss.item(), "grad_norm_VAE": norm}
