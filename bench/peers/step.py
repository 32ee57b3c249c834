"""Algorithm 1 in PyTorch, as its own examples write it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from bench.errors import Unavailable
from bench.peers import PEERS, Peer
from bench.peers.networks import (
    Layout,
    dcgan_discriminator,
    dcgan_generator,
    mlp_discriminator,
    mlp_generator,
)
from bench.work import BETA1, MOMENTUM, Z_DIM, Array, Work

CAPTURED = (1, 3)  # as on our side

DEFAULTS = {"layout": "channels_last", "optimizer": "fused", "maxout": "max"}


class TorchStep:
    """One step on one batch; `choices` are the measured ones of `choose`."""

    def __init__(
        self, work: Work, peer: str, threads: int, choices: dict[str, str] | None = None
    ) -> None:
        torch.set_num_threads(threads)
        self.work, self.peer = work, PEERS[peer]
        self.choices = DEFAULTS | (choices or {})
        self.layout = Layout(work, self.choices["layout"] == "channels_last")
        self.G, self.D = self._networks()
        self.optimizer_G, self.optimizer_D = self._optimizer(self.G), self._optimizer(self.D)
        self.net_G, self.net_D = _compiled(self.peer, self.G, self.D)
        self.x = self.layout.images(work.examples())
        self.real, self.fake = torch.ones(work.batch, 1), torch.zeros(work.batch, 1)
        self.noise: Callable[[], Tensor] = lambda: torch.empty(work.batch, Z_DIM).uniform_(-1, 1)
        self.notes: dict[str, Any] = {
            "choices": {k: v for k, v in self.choices.items() if k in _relevant(work)},
            "dropout": [d.p for d in self._dropouts()],
        }

    def run(self) -> object:
        return self.step(self.x)

    def step(self, x: Tensor) -> dict[str, float]:
        """One iteration; the losses and mean probabilities that a script prints."""
        G, D = self.net_G, self.net_D

        # D: log D(x) + log(1 - D(G(z)))
        self.optimizer_D.zero_grad(set_to_none=True)
        real_logits = D(x)
        loss_real = F.binary_cross_entropy_with_logits(real_logits, self.real)
        loss_real.backward()
        with torch.no_grad():
            fake = G(self.noise())
        fake_logits = D(fake)
        loss_fake = F.binary_cross_entropy_with_logits(fake_logits, self.fake)
        loss_fake.backward()
        self.optimizer_D.step()

        # G: log D(G(z)), on fresh noise
        if self.peer.frozen:
            self.D.requires_grad_(False)
        self.optimizer_G.zero_grad(set_to_none=True)
        logits = D(G(self.noise()))
        loss_G = F.binary_cross_entropy_with_logits(logits, self.real)
        loss_G.backward()
        self.optimizer_G.step()
        if self.peer.frozen:
            self.D.requires_grad_(True)

        return {
            "loss_D": loss_real.item() + loss_fake.item(),
            "loss_G": loss_G.item(),
            "D(x)": torch.sigmoid(real_logits.detach()).mean().item(),
            "D(G(z))": torch.sigmoid(fake_logits.detach()).mean().item(),
        }

    def trace(self, start: dict[str, Array]) -> dict[str, Array]:
        """Losses, moments and parameters from `start`, as `OurStep.trace`."""
        for net, player in ((self.G, "G"), (self.D, "D")):
            self.layout.load(net, player, start)
        for optimizer in (self.optimizer_G, self.optimizer_D):
            optimizer.state.clear()
        noise, draws = self.noise, iter(range(2 * CAPTURED[-1]))
        self.noise = lambda: torch.from_numpy(self.work.noise(next(draws)))
        rates = [d.p for d in self._dropouts()]
        for d in self._dropouts():
            d.p = 0.0
        trace = {f"0.{name}": a for name, a in self._weights([*start]).items()}
        for step in range(1, CAPTURED[-1] + 1):
            scalars = self.step(self.x)
            if step in CAPTURED:
                trace[f"{step}.losses"] = np.array([scalars["loss_D"], scalars["loss_G"]])
                trace |= {f"{step}.{name}": a for name, a in self._weights([*start]).items()}
            if step == 1:
                trace |= self._moments([*start])
        self.noise = noise
        for d, p in zip(self._dropouts(), rates, strict=True):
            d.p = p
        return trace

    def write_trace(self, out: Path, start: Path) -> None:
        """`trace` from a stored trace's start, into a file."""
        with np.load(start) as stored:
            first = {n.removeprefix("0."): stored[n] for n in stored.files if n.startswith("0.")}
        np.savez(out, **self.trace(first))  # type: ignore[arg-type]

    def _weights(self, names: list[str]) -> dict[str, Array]:
        G: list[Tensor] = [*self.G.parameters()]
        D: list[Tensor] = [*self.D.parameters()]
        return self.layout.arrays(G, "G", names) | self.layout.arrays(D, "D", names)

    def _moments(self, names: list[str]) -> dict[str, Array]:
        found: dict[str, Array] = {}
        kinds = {"exp_avg": "m", "exp_avg_sq": "v", "momentum_buffer": "m"}
        for player, net in (("G", self.G), ("D", self.D)):
            optimizer = self.optimizer_G if player == "G" else self.optimizer_D
            states = [optimizer.state[p] for p in net.parameters()]
            for kind in kinds.keys() & states[0].keys():
                moments = self.layout.arrays([s[kind] for s in states], player, names)
                found |= {f"{kinds[kind]}.{name}": a for name, a in moments.items()}
        return found

    def _networks(self) -> tuple[nn.Sequential, nn.Sequential]:
        last = self.layout.channels_last
        if self.work.arch == "dcgan":
            nets = dcgan_generator(self.work, last), dcgan_discriminator(self.work, last)
        else:
            maxout = self.choices["maxout"]
            nets = mlp_generator(self.work, last), mlp_discriminator(self.work, last, maxout)
        if last:
            network: Any  # torch's stubs do not know memory_format
            for network in nets:
                network.to(memory_format=torch.channels_last)
        return nets

    def _optimizer(self, net: nn.Module) -> torch.optim.Optimizer:
        form: dict[str, Any] = {self.choices["optimizer"]: True}
        if self.work.arch == "dcgan":
            return torch.optim.Adam(net.parameters(), self.work.lr, betas=(BETA1, 0.999), **form)
        return torch.optim.SGD(net.parameters(), self.work.lr, momentum=MOMENTUM, **form)

    def _dropouts(self) -> list[nn.Dropout]:
        return [m for net in (self.G, self.D) for m in net.modules() if isinstance(m, nn.Dropout)]


def _relevant(work: Work) -> tuple[str, ...]:
    return ("layout", "optimizer") if work.arch == "dcgan" else ("optimizer", "maxout")


def _compiled(peer: Peer, *nets: nn.Module) -> list[Callable[[Tensor], Tensor]]:
    """The networks, under torch.compile if the peer is; raises Unavailable if that cannot work."""
    if not peer.compiled:
        return list(nets)
    try:
        torch.compile(lambda x: torch.relu(2 * x))(torch.ones(64))
    except Exception as error:
        line = next((line for line in str(error).splitlines() if line.strip()), repr(error))
        raise Unavailable(f"torch.compile does not work here: {line}") from error
    return [torch.compile(net) for net in nets]
