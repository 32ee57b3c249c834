"""Our side of one operation: the layers, losses and optimisers that the networks are made of."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from bench.ops import CONVOLUTIONS, Case, thinned
from bench.steps import prepare_process
from bench.where import CPU, Where
from bench.work import BETA1, Array
from minigan import layers
from minigan.backend import make_rng, to_device, to_host
from minigan.cuda import current_runtime
from minigan.losses.adversarial import NonSaturating
from minigan.ops.dispatch import cuda_version
from minigan.optim import Adam

LR = 2e-4


class OurOp:
    """run: the operation, `per_run` times. outputs: what one operation computes."""

    per_run = 1

    def __init__(self, run: Callable[[], Any], outputs: Callable[[], dict[str, Array]]) -> None:
        self.run, self.outputs = run, outputs
        self.notes: dict[str, Any] = {"choices": {}}

    def write_outputs(self, out: Path) -> None:
        found = {name: to_host(a) for name, a in self.outputs().items()}
        np.savez(out, **thinned(found))  # type: ignore[arg-type]


def build(case: Case, threads: int, where: Where = CPU) -> OurOp:
    prepare_process(threads, where)
    make = {"loss": _loss, "adam": _adam}.get(case.op, _layer)
    if not where.on_card:
        return make(case, where)
    return _rotated([make(case, where) for _ in range(case.copies)])


def _rotated(ops: list[OurOp]) -> OurOp:
    """All of them in one graph, their results kept so that each writes its own memory."""
    for op in ops:
        op.run()
    with current_runtime().capture() as graph:
        results = [op.run() for op in ops]

    def run() -> object:
        graph.replay()
        return results

    rotated = OurOp(run, ops[0].outputs)
    rotated.per_run = len(ops)
    return rotated


def _layer(case: Case, where: Where) -> OurOp:
    net = _net(case).to(where.device)
    x, dy = (
        to_device(_rounded(case.numbers(shape, i), where), where.device)
        for shape, i in ((case.x_shape, 1), (case.y_shape, 2))
    )
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


def _rounded(a: Array, where: Where) -> Array:
    """In bf16 the numbers that PyTorch's side starts from, to the nearest and even at a tie: a
    norm's mean taken of others would have another sign of (x - mean) here and there."""
    if where.precision != "bf16":
        return a
    bits = a.view(np.uint32)
    bits = (bits + 0x7FFF + ((bits >> 16) & 1)) & np.uint32(0xFFFF0000)
    return bits.astype(np.uint32).view(np.float32)


def _loss(case: Case, where: Where) -> OurOp:
    """Both players' losses and gradients."""
    objective = NonSaturating()
    real, fake = (to_device(case.numbers((case.batch, 1), i), where.device) for i in (1, 2))

    def run() -> tuple[Any, ...]:
        return *objective.discriminator(real, fake), *objective.generator(fake)

    def outputs() -> dict[str, Array]:
        loss_D, d_real, d_fake, loss_G, d_logits = run()
        losses = np.array([float(to_host(loss)) for loss in (loss_D, loss_G)])
        return {"losses": losses, "d_real": d_real, "d_fake": d_fake, "d_logits": d_logits}

    return OurOp(run, outputs)


def _adam(case: Case, where: Where) -> OurOp:
    param = layers.Param(np.zeros(case.cin, np.float32))
    flat = layers.FlatParams({"theta": param})
    optimizer = Adam(flat, LR, beta1=BETA1)
    flat.grad[...] = case.numbers((case.cin,), 1)
    flat.to(where.device)
    optimizer.to(where.device)

    def outputs() -> dict[str, Array]:
        """Three steps from zero."""
        for a in (flat.data, *optimizer.state.values()):
            a[...] = 0
        optimizer.t = 0
        for _ in range(3):
            optimizer.step()
        return {"theta": flat.data.copy()}

    if where.device == "cpu":
        return OurOp(optimizer.step, outputs)
    optimizer.t = 1
    rates = to_device(np.array(optimizer.rates(LR)), where.device)
    rule = cuda_version(optimizer.card_rule)

    def run() -> None:
        """The kernel alone: the rates come to the card before a step."""
        rule(flat.data, flat.grad, *optimizer.state.values(), rates, **optimizer.settings())

    return OurOp(run, outputs)
