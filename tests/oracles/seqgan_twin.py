"""SeqGAN in PyTorch, with torch.nn's layers and autograd; see gan_twin.py.

A roll-out is finished here the slow way: each beginning of each sentence on its own, from START on.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

Array = np.ndarray


class Generator(nn.Module):
    def __init__(self, words: int, embedding: int, hidden: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(words, embedding)
        self.lstm = nn.LSTM(embedding, hidden, batch_first=True)
        self.head = nn.Linear(hidden, words)

    def forward(self, y: Tensor) -> Tensor:
        """log G of every next token: (N, T) -> (N, T, V)."""
        read = torch.cat([torch.zeros_like(y[:, :1]), y[:, :-1]], 1)
        return self.head(self.lstm(self.embedding(read))[0]).log_softmax(2)

    def next(self, y: Tensor) -> Tensor:
        """G of the token behind y (N, t): (N, V)."""
        longer = torch.cat([y, y.new_zeros(len(y), 1)], 1)
        return self(longer)[:, -1].exp()

    def names(self) -> dict[str, str]:
        """minigan's name of each parameter."""
        return {
            "embedding.weight": "0.weight",
            **{f"lstm.{name}_l0": f"1.{name}" for name in LSTM},
            "head.weight": "2.weight",
            "head.bias": "2.bias",
        }


LSTM = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")


class Discriminator(nn.Module):
    def __init__(self, words: int, embedding: int, windows: Any, filters: Any) -> None:
        super().__init__()
        self.embedding = nn.Embedding(words, embedding)
        self.convs = nn.ModuleList(
            [nn.Conv1d(embedding, n, k) for k, n in zip(windows, filters, strict=True)]
        )
        size = sum(filters)
        self.transform, self.gate = nn.Linear(size, size), nn.Linear(size, size)
        self.head = nn.Linear(size, 1)

    def forward(self, y: Tensor) -> Tensor:
        x = self.embedding(y).mT
        x = torch.cat([conv(x).relu().amax(2) for conv in self.convs], 1)
        t = self.gate(x).sigmoid()
        return self.head(t * self.transform(x).relu() + (1 - t) * x)

    def names(self) -> dict[str, str]:
        """minigan's name of each parameter."""
        found = {"embedding": "0", "transform": "2.transform", "gate": "2.gate", "head": "4"}
        found |= {f"convs.{i}": f"1.{i}.0" for i in range(len(self.convs))}
        kinds = ("weight", "bias")
        both = {f"{a}.{kind}": f"{b}.{kind}" for a, b in found.items() for kind in kinds}
        del both["embedding.bias"]
        return both


def turned(name: str, a: Array) -> Array:
    """minigan's array in PyTorch's layout, and back."""
    if name.startswith("embedding") or a.ndim == 1:
        return a
    if name.startswith("convs"):
        return a[0].transpose(2, 1, 0) if a.ndim == 4 else a.transpose(2, 1, 0)[None]
    return a.T


def load(net: Any, named: dict[str, Array]) -> None:
    """Copy minigan's arrays, by name; all of them must find a place."""
    names = net.names()
    assert sorted(names.values()) == sorted(named)
    state = {a: torch.tensor(np.ascontiguousarray(turned(a, named[b]))) for a, b in names.items()}
    net.load_state_dict(state)


def arrays(net: Any) -> dict[str, Array]:
    """Parameters by minigan's names, in its layout."""
    names = net.names()
    return {names[k]: turned(k, t.detach().numpy()) for k, t in net.state_dict().items()}


class TwinSeqGAN:
    """The three stages; `o` are the options, rng gives the same uniform numbers as minigan's."""

    def __init__(
        self,
        G: Generator,
        D: Discriminator,
        beta: Generator,
        o: Any,
        length: int,
        ends: bool,
        rng: np.random.Generator,
    ) -> None:
        self.G, self.D, self.beta = G, D, beta
        self.o, self.length, self.ends, self.rng = o, length, ends, rng
        lr_policy = o.lr if o.lr_policy is None else o.lr_policy
        self.likelihood = torch.optim.Adam(G.parameters(), lr=o.lr)
        self.policy = torch.optim.Adam(G.parameters(), lr=lr_policy)
        self.judge = torch.optim.Adam(D.parameters(), lr=o.lr_D)
        self.taken = 0

    def step(self, y: Array) -> dict[str, float]:
        o = self.o
        minibatches = torch.tensor(y).reshape(o.d_steps, -1, self.length)
        self.taken += 1
        if self.taken <= o.pretrain_G:
            for part in minibatches:
                log_p, going = self.spoken(part)
                loss = -(log_p * going).sum() / going.sum()
                self.descend(self.likelihood, loss)
            return {"NLL": loss.item()}
        found = {}
        if self.taken <= o.pretrain_G + o.pretrain_D:
            self.beta.load_state_dict(self.G.state_dict())
        else:
            for _ in range(o.g_steps):
                found |= self.reinforce(minibatches.shape[1])
        for part in minibatches:
            negative = self.finished(self.G, part[:, :0], self.uniform(len(part)))
            for _ in range(o.k):
                found |= self.update_D(part, negative)
        if self.taken > o.pretrain_G + o.pretrain_D:
            with torch.no_grad():
                for b, t in zip(self.beta.parameters(), self.G.parameters(), strict=True):
                    b.copy_(o.rollout_lag * b + (1 - o.rollout_lag) * t)
        return found

    def reinforce(self, m: int) -> dict[str, float]:
        y = self.finished(self.G, torch.zeros(m, 0, dtype=torch.long), self.uniform(m))
        Q = torch.zeros(m, self.length, dtype=torch.float64)
        with torch.no_grad():
            Q[:, -1] = self.D(y)[:, 0].sigmoid()
            for _ in range(self.o.rollouts):
                u = {s: self.rng.uniform(0, 1, s * m) for s in range(1, self.length)}
                for t in range(1, self.length):
                    own = {s: u[s][(t - 1) * m : t * m] for s in range(t, self.length)}
                    done = self.finished(self.beta, y[:, :t], own)
                    Q[:, t - 1] += self.D(done)[:, 0].sigmoid() / self.o.rollouts
        log_p, going = self.spoken(y)
        loss = -(Q * going * log_p).sum(1).mean()
        self.descend(self.policy, loss)
        return {"loss_G": loss.item(), "reward": Q[:, -1].mean().item()}

    def update_D(self, positive: Tensor, negative: Tensor) -> dict[str, float]:
        real, fake = self.D(positive), self.D(negative)
        entropy = F.binary_cross_entropy_with_logits
        loss = entropy(real, torch.ones_like(real)) + entropy(fake, torch.zeros_like(fake))
        squares = sum(p.square().sum() for p in self.D.head.parameters())
        loss = loss + self.o.l2 / 2 * squares
        self.descend(self.judge, loss)
        means = {"D(x)": real.sigmoid().mean().item(), "D(G(z))": fake.sigmoid().mean().item()}
        return {"loss_D": loss.item(), **means}

    def spoken(self, y: Tensor) -> tuple[Tensor, Tensor]:
        """log G of each token, and 1 where it was said."""
        log_p = self.G(y).gather(2, y[..., None])[..., 0]
        going = torch.ones_like(log_p)
        if self.ends:
            for row, said in zip(y, going, strict=True):
                ended = (row == 0).nonzero()
                if len(ended):
                    said[int(ended[0]) + 1 :] = 0
        return log_p, going

    def finished(self, G: Generator, y: Tensor, u: dict[int, Array]) -> Tensor:
        """Sentences that begin with y (N, t), place s drawn by u[s] (N,)."""
        with torch.no_grad():
            for s in range(y.shape[1], self.length):
                below = G.next(y).cumsum(1)
                drawn = (below <= torch.tensor(u[s])[:, None] * below[:, -1:]).sum(1)
                if self.ends and s:
                    drawn = torch.where(y[:, -1] == 0, torch.zeros_like(drawn), drawn)
                y = torch.cat([y, drawn[:, None]], 1)
        return y

    def uniform(self, n: int) -> dict[int, Array]:
        return {s: self.rng.uniform(0, 1, n) for s in range(self.length)}

    def descend(self, optimizer: torch.optim.Optimizer, loss: Tensor) -> None:
        optimizer.zero_grad()
        loss.backward()
        net = self.D if optimizer is self.judge else self.G
        gradients = [p.grad for p in net.parameters() if p.grad is not None]
        norm = torch.stack([g.norm() for g in gradients]).norm()
        for g in gradients:  # PyTorch's own adds 1e-6 to the norm
            g *= min(1.0, self.o.clip_norm / norm.item())
        optimizer.step()
