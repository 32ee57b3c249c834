"""Algorithm 1 in PyTorch, as its own examples write it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import cycle
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from bench.errors import Unavailable
from bench.peers import PEERS, Peer
from bench.peers.card import captured, set_precision
from bench.peers.networks import (
    Layout,
    dcgan_discriminator,
    dcgan_generator,
    mlp_discriminator,
    mlp_generator,
)
from bench.where import CPU, Where
from bench.work import BETA1, MOMENTUM, Z_DIM, Array, Work

CAPTURED = (1, 3)  # as on our side

DEFAULTS = {"layout": "channels_last", "optimizer": "fused", "maxout": "max"}


class TorchStep:
    """One step on one batch; `choices` are the measured ones of `choose`, a peer's own on a card.

    Raises Unavailable where PyTorch cannot do it.
    """

    per_run = 1

    def __init__(
        self,
        work: Work,
        peer: str,
        threads: int,
        choices: dict[str, str] | None = None,
        where: Where = CPU,
    ) -> None:
        torch.set_num_threads(threads)
        self.work, self.peer, self.where = work, PEERS[peer], where
        self.choices = (
            DEFAULTS | (dict(self.peer.on_card) if where.on_card else {}) | (choices or {})
        )
        self.autocast = set_precision(where)
        torch.backends.cudnn.benchmark = self.choices["layout"] == "channels_last"
        self.layout = Layout(work, self.choices["layout"] == "channels_last")
        self.G, self.D = self._networks()
        self.optimizer_G, self.optimizer_D = self._optimizer(self.G), self._optimizer(self.D)
        self.net_G, self.net_D = _compiled(self.peer, self.G, self.D)
        device = where.device
        self.x = self.layout.images(work.examples()).to(device)
        self.real = torch.ones(work.batch, 1, device=device)
        self.fake = torch.zeros(work.batch, 1, device=device)
        self.noise: Callable[[], Tensor] = lambda: torch.empty(
            work.batch, Z_DIM, device=device
        ).uniform_(-1, 1)
        self._replayed: Callable[[], dict[str, Tensor]] | None = None
        self.notes: dict[str, Any] = {
            "choices": {k: v for k, v in self.choices.items() if k in _relevant(work)},
            "dropout": [d.p for d in self._dropouts()],
        }

    def run(self) -> object:
        if self._replayed is None:
            self._replayed = self._advance()
        scalars = self._replayed()
        if self.peer.reads or not self.where.on_card:
            return read(scalars)
        return scalars

    def _advance(self) -> Callable[[], dict[str, Tensor]]:
        """What does a step: the graph of it, where the peer is one."""
        return captured(lambda: self.step(self.x)) if self.peer.graphed else self._eagerly

    def _eagerly(self) -> dict[str, Tensor]:
        return self.step(self.x)

    def step(self, x: Tensor) -> dict[str, Tensor]:
        """One iteration; the losses and mean probabilities that a script prints."""
        G, D = self.net_G, self.net_D

        # D: log D(x) + log(1 - D(G(z)))
        self.optimizer_D.zero_grad(set_to_none=True)
        with self.autocast():
            real_logits = D(x)
            loss_real = F.binary_cross_entropy_with_logits(real_logits, self.real)
        loss_real.backward()
        with torch.no_grad(), self.autocast():
            fake = G(self.noise())
        with self.autocast():
            fake_logits = D(fake)
            loss_fake = F.binary_cross_entropy_with_logits(fake_logits, self.fake)
        loss_fake.backward()
        self.optimizer_D.step()

        # G: log D(G(z)), on fresh noise
        if self.peer.frozen:
            self.D.requires_grad_(False)
        self.optimizer_G.zero_grad(set_to_none=True)
        with self.autocast():
            logits = D(G(self.noise()))
            loss_G = F.binary_cross_entropy_with_logits(logits, self.real)
        loss_G.backward()
        self.optimizer_G.step()
        if self.peer.frozen:
            self.D.requires_grad_(True)

        return {
            "loss_real": loss_real.detach(),
            "loss_fake": loss_fake.detach(),
            "loss_G": loss_G.detach(),
            "D(x)": torch.sigmoid(real_logits.detach()).mean(),
            "D(G(z))": torch.sigmoid(fake_logits.detach()).mean(),
        }

    def trace(self, start: dict[str, Array]) -> dict[str, Array]:
        """Losses, moments and parameters from `start`, as `OurStep.trace`.

        A peer that is a graph is captured anew, with the noise of the check in its two buffers.
        """
        z = torch.zeros(len(self.x), Z_DIM, dtype=self.x.dtype, device=self.where.device)
        buffers = [z, torch.zeros_like(z)]
        noise, turns = self.noise, cycle(buffers)
        self.noise = lambda: next(turns)
        rates = [d.p for d in self._dropouts()]
        for d in self._dropouts():
            d.p = 0.0
        advance = self._advance()
        self._begin(start)
        trace = {f"0.{name}": a for name, a in self._weights([*start]).items()}
        for step in range(1, CAPTURED[-1] + 1):
            for i, buffer in enumerate(buffers):
                buffer.copy_(torch.from_numpy(self.work.noise(2 * (step - 1) + i)))
            scalars = read(advance())
            if step in CAPTURED:
                losses = [scalars["loss_real"] + scalars["loss_fake"], scalars["loss_G"]]
                trace[f"{step}.losses"] = np.array(losses)
                trace |= {f"{step}.{name}": a for name, a in self._weights([*start]).items()}
            if step == 1:
                trace |= self._moments([*start])
        self.noise = noise
        for d, p in zip(self._dropouts(), rates, strict=True):
            d.p = p
        return trace

    @contextmanager
    def computing(self, precision: str) -> Iterator[None]:
        """Compute in another precision inside a `with` block; optimisers begin anew after it.

        In float64 a compiled peer runs as it is written: it is compiled for what is timed.
        """
        if precision == "float64":
            nets = self.net_G, self.net_D
            self.net_G, self.net_D = self.G, self.D
            self._cast(torch.float64)
            try:
                yield
            finally:
                self.net_G, self.net_D = nets
                self._cast(torch.float32)
            return
        self.autocast = set_precision(self.where._replace(precision=precision))
        try:
            yield
        finally:
            self.autocast = set_precision(self.where)

    def _cast(self, dtype: torch.dtype) -> None:
        """Parameters, examples and labels in another dtype; the optimisers forget their state."""
        for net, optimizer in ((self.G, self.optimizer_G), (self.D, self.optimizer_D)):
            net.to(dtype)
            optimizer.state.clear()
        self.x, self.real, self.fake = (t.to(dtype) for t in (self.x, self.real, self.fake))

    def write_trace(self, out: Path, start: Path) -> None:
        """`trace` from a stored trace's start, into a file."""
        with np.load(start) as stored:
            first = {n.removeprefix("0."): stored[n] for n in stored.files if n.startswith("0.")}
        np.savez(out, **self.trace(first))  # type: ignore[arg-type]

    def _begin(self, start: dict[str, Array]) -> None:
        """Parameters as in `start`, optimisers as if new; in place, where a graph has them."""
        for net, player in ((self.G, "G"), (self.D, "D")):
            self.layout.load(net, player, start)
        for optimizer in (self.optimizer_G, self.optimizer_D):
            for state in optimizer.state.values():
                for t in state.values():
                    if isinstance(t, Tensor):
                        t.zero_()

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
        network: Any  # torch's stubs do not know memory_format
        for network in nets:
            network.to(self.where.device)
            if last:
                network.to(memory_format=torch.channels_last)
        return nets

    def _optimizer(self, net: nn.Module) -> torch.optim.Optimizer:
        form: dict[str, Any] = {}
        if self.choices["optimizer"] != "default":
            form[self.choices["optimizer"]] = True
        if self.peer.graphed and self.work.arch == "dcgan":
            form["capturable"] = True  # Adam's step count lies on the card
        if self.work.arch == "dcgan":
            return torch.optim.Adam(net.parameters(), self.work.lr, betas=(BETA1, 0.999), **form)
        return torch.optim.SGD(net.parameters(), self.work.lr, momentum=MOMENTUM, **form)

    def _dropouts(self) -> list[nn.Dropout]:
        return [m for net in (self.G, self.D) for m in net.modules() if isinstance(m, nn.Dropout)]


def read(scalars: dict[str, Tensor]) -> dict[str, float]:
    """The scalars on the host, one after the other as a script prints them."""
    return {name: t.item() for name, t in scalars.items()}


def _relevant(work: Work) -> tuple[str, ...]:
    return ("layout", "optimizer") if work.arch == "dcgan" else ("optimizer", "maxout")


def _compiled(peer: Peer, *nets: nn.Module) -> list[Callable[[Tensor], Tensor]]:
    """The networks, under torch.compile if the peer is; raises Unavailable if that cannot work."""
    if not peer.compiled:
        return list(nets)
    try:
        device = next(nets[0].parameters()).device
        torch.compile(lambda x: torch.relu(2 * x))(torch.ones(64, device=device))
    except Exception as error:
        line = next((line for line in str(error).splitlines() if line.strip()), repr(error))
        raise Unavailable(f"torch.compile does not work here: {line}") from error
    return [torch.compile(net) for net in nets]
