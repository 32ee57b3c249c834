"""PyTorch's side of one operation: what its autograd would call, in its faster memory format."""

from __future__ import annotations

import statistics
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from bench.ops import CONVOLUTIONS, Case, thinned
from bench.peers.card import captured, set_precision
from bench.timing import timer_for
from bench.where import CPU, Where
from bench.work import BETA1, Array

LR = 2e-4

Make = Callable[..., "TorchOp"]


class TorchOp:
    """run: the operation, `per_run` times. outputs: what one computes, in minigan's layout."""

    per_run = 1

    def __init__(
        self, run: Callable[[], Any], outputs: Callable[[], dict[str, Array]], chosen: str = ""
    ) -> None:
        self.run, self.outputs = run, outputs
        self.notes: dict[str, Any] = {"choices": {"form": chosen} if chosen else {}}

    def write_outputs(self, out: Path) -> None:
        np.savez(out, **thinned(self.outputs()))  # type: ignore[arg-type]


def build(case: Case, threads: int, where: Where = CPU) -> TorchOp:
    """The operation in the form that a quick measurement finds the fastest."""
    torch.set_num_threads(threads)
    set_precision(where)
    torch.backends.cudnn.benchmark = True
    if case.op == "loss":
        return _placed(case, where, _loss, "")
    make, names = (
        (_adam, ("fused", "foreach"))
        if case.op == "adam"
        else (
            _conv if case.op in CONVOLUTIONS else _norm,
            ("channels_last", "contiguous"),
        )
    )
    forms = {name: _placed(case, where, make, name) for name in names}
    timer = timer_for(where, "torch")
    times: dict[str, list[float]] = {name: [] for name in names}
    for op in forms.values():
        timer.seconds(op.run)
    for _ in range(5):
        for name, op in forms.items():
            times[name].append(timer.seconds(op.run))
    return forms[min(times, key=lambda name: statistics.median(times[name]))]


def _placed(case: Case, where: Where, make: Make, form: str) -> TorchOp:
    """The operation where it is measured; on a card all its copies in one graph."""
    if not where.on_card:
        return make(case, form, where)
    aside = torch.cuda.Stream()
    with torch.cuda.stream(aside):
        ops = [make(case, form, where) for _ in range(case.copies)]
    torch.cuda.synchronize()
    rotated = TorchOp(captured(lambda: [op.run() for op in ops], aside), ops[0].outputs, form)
    rotated.per_run = len(ops)
    return rotated


def _conv(case: Case, form: str, where: Where = CPU) -> TorchOp:
    x, dy = (
        _images(case.numbers(s, i), form, where) for i, s in ((1, case.x_shape), (2, case.y_shape))
    )
    w = torch.from_numpy(case.numbers(case.w_shape, 3)).permute(3, 2, 0, 1)
    w = _rounded(_formatted(w, form), where)
    transposed = case.op == "conv_transpose"
    forward = F.conv_transpose2d if transposed else F.conv2d

    def backward(mask: list[bool]) -> tuple[Tensor | None, ...]:
        return torch.ops.aten.convolution_backward(
            dy, x, w, None, [2, 2], [1, 1], [1, 1], transposed, [0, 0], 1, mask
        )

    def run() -> Tensor:
        if case.direction == "forward":
            return forward(x, w, stride=2, padding=1)
        wanted = backward([case.direction == "dx", case.direction == "dw", False])
        found = wanted[0 if case.direction == "dx" else 1]
        assert found is not None
        return found

    def outputs() -> dict[str, Array]:
        a = _host(run())
        if case.direction == "dw":
            return {"weight": np.ascontiguousarray(a.transpose(2, 3, 1, 0))}
        name = "y" if case.direction == "forward" else "dx"
        return {name: np.ascontiguousarray(a.transpose(0, 2, 3, 1))}

    return TorchOp(run, outputs, form)


def _norm(case: Case, form: str, where: Where = CPU) -> TorchOp:
    x, dy = (_images(case.numbers(case.x_shape, i), form, where) for i in (1, 2))
    x.requires_grad_(case.direction == "dx")
    leaky = case.op == "norm_leaky_relu"
    activation = nn.LeakyReLU(0.2, inplace=True) if leaky else nn.ReLU(inplace=True)
    norm = nn.BatchNorm2d(case.cin)
    net = nn.Sequential(norm, activation).to(where.device)
    net.requires_grad_(case.direction != "dx")
    y = net(x)
    wanted = [x] if case.direction == "dx" else [norm.weight, norm.bias]

    def run() -> Any:
        if case.direction == "forward":
            return net(x)
        return torch.autograd.grad(y, wanted, dy, retain_graph=True)

    def outputs() -> dict[str, Array]:
        found = run()
        if case.direction == "dw":
            return {"weight": _host(found[0]), "bias": _host(found[1])}
        name, a = ("y", found.detach()) if case.direction == "forward" else ("dx", found[0])
        return {name: np.ascontiguousarray(_host(a).transpose(0, 2, 3, 1))}

    return TorchOp(run, outputs, form)


def _loss(case: Case, form: str = "", where: Where = CPU) -> TorchOp:
    real, fake = (
        torch.from_numpy(case.numbers((case.batch, 1), i)).to(where.device).requires_grad_()
        for i in (1, 2)
    )
    ones, zeros = torch.ones_like(real).detach(), torch.zeros_like(real).detach()
    bce = F.binary_cross_entropy_with_logits

    def run() -> tuple[Tensor, ...]:
        loss_D = bce(real, ones) + bce(fake, zeros)
        d_real, d_fake = torch.autograd.grad(loss_D, [real, fake])
        loss_G = bce(fake, ones)
        (d_logits,) = torch.autograd.grad(loss_G, fake)
        return torch.stack([loss_D.detach(), loss_G.detach()]), d_real, d_fake, d_logits

    def outputs() -> dict[str, Array]:
        names = ("losses", "d_real", "d_fake", "d_logits")
        return {name: _host(t) for name, t in zip(names, run(), strict=True)}

    return TorchOp(run, outputs)


def _adam(case: Case, form: str, where: Where = CPU) -> TorchOp:
    theta = nn.Parameter(torch.zeros(case.cin, device=where.device))
    theta.grad = torch.from_numpy(case.numbers((case.cin,), 1)).to(where.device)
    how: dict[str, Any] = {form: True, "capturable": where.on_card}
    optimizer = torch.optim.Adam([theta], LR, betas=(BETA1, 0.999), **how)

    def outputs() -> dict[str, Array]:
        with torch.no_grad():
            for t in (theta, *optimizer.state[theta].values()):
                t.zero_()
        for _ in range(3):
            optimizer.step()
        return {"theta": _host(theta).copy()}

    return TorchOp(optimizer.step, outputs, form)


def _images(a: Array, form: str, where: Where) -> Tensor:
    return _rounded(_formatted(torch.from_numpy(a).permute(0, 3, 1, 2), form), where)


def _rounded(t: Tensor, where: Where) -> Tensor:
    """On the device, and what autocast makes of it there."""
    return t.to(where.device, torch.bfloat16 if where.precision == "bf16" else torch.float32)


def _host(t: Tensor) -> Array:
    array: Array = t.detach().float().cpu().numpy()
    return array


def _formatted(t: Tensor, form: str) -> Tensor:
    if form == "channels_last":
        return t.contiguous(memory_format=torch.channels_last)
    return t.contiguous()
