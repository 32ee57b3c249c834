"""Our side of one operation: the layers, losses and optimisers that the networks are made of."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from bench.ops import CONVOLUTIONS, Case, thinned
from bench.steps import prepare_process
from bench.work import BETA1, Array
from minigan import layers
from minigan.backend import make_rng
from minigan.losses.adversarial import NonSaturating
from minigan.optim import Adam

LR = 2e-4


class OurOp:
    """run: the operation. outputs: what one run computes."""

    def __init__(self, run: Callable[[], Any], outputs: Callable[[], dict[str, Array]]) -> None:
        self.run, self.outputs = run, outputs
        self.notes: dict[str, Any] = {"choices": {}}

    def write_outputs(self, out: Path) -> None:
        np.savez(out, **thinned(self.outputs()))  # type: ignore[arg-type]


def build(case: Case, threads: int) -> OurOp:
    prepare_process(threads)
    if case.op == "loss":
        return _loss(case)
    if case.op == "adam":
        return _adam(case)
    return _layer(case)


def _layer(case: Case) -> OurOp:
    net = _net(case)
    x, dy = case.numbers(case.x_shape, 1), case.numbers(case.y_shape, 2)
    _, ctx = net.forward(x)
    params = net.flat.params

    def forward() -> dict[str, Array]:
        return {"y": net.forward(x)[0]}

    def dx() -> dict[str, Array]:
        return {"dx": net.backward(dy, ctx, need_dw=False)}

    def dw() -> dict[str, Array]:
        net.flat.zero_grad()
        net.backward(dy, ctx, need_dx=False)
        return {name.rpartition(".")[2]: p.grad for name, p in params.items()}

    runs: dict[str, Callable[[], Any]] = {
        "forward": lambda: net.forward(x),
        "dx": lambda: net.backward(dy, ctx, need_dw=False),
        "dw": lambda: net.backward(dy, ctx, need_dx=False),
    }
    outputs = {"forward": forward, "dx": dx, "dw": dw}
    return OurOp(runs[case.direction], outputs[case.direction])


def _net(case: Case) -> layers.Sequential:
    rng = make_rng(0)
    if case.op in CONVOLUTIONS:
        kind = layers.Conv2d if case.op == "conv" else layers.ConvTranspose2d
        conv = kind(case.cin, case.cout, 4, stride=2, padding=1, bias=False, rng=rng)
        conv.weight.data[...] = case.numbers(case.w_shape, 3)
        return layers.Sequential(conv)
    if case.op == "norm_relu":
        return layers.Sequential(layers.BatchNorm(case.cin), layers.ReLU())
    return layers.Sequential(layers.BatchNorm(case.cin), layers.LeakyReLU(negative_slope=0.2))


def _loss(case: Case) -> OurOp:
    """Both players' losses and gradients."""
    objective = NonSaturating()
    real, fake = (case.numbers((case.batch, 1), stream) for stream in (1, 2))

    def run() -> dict[str, Array]:
        loss_D, d_real, d_fake = objective.discriminator(real, fake)
        loss_G, d_logits = objective.generator(fake)
        return {
            "losses": np.array([loss_D, loss_G]),
            "d_real": d_real,
            "d_fake": d_fake,
            "d_logits": d_logits,
        }

    return OurOp(run, run)


def _adam(case: Case) -> OurOp:
    param = layers.Param(np.zeros(case.cin, np.float32))
    flat = layers.FlatParams({"theta": param})
    optimizer = Adam(flat, LR, beta1=BETA1)
    flat.grad[...] = case.numbers((case.cin,), 1)

    def outputs() -> dict[str, Array]:
        """Three steps from zero."""
        for a in (flat.data, *optimizer.state.values()):
            a[...] = 0
        optimizer.t = 0
        for _ in range(3):
            optimizer.step()
        return {"theta": flat.data.copy()}

    return OurOp(optimizer.step, outputs)
