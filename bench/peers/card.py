"""PyTorch on a card: its precision, and its graphs."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from typing import TypeVar

import torch

from bench.where import Where

WARM_UP = 3  # calls before a capture, as PyTorch's manual has it

Result = TypeVar("Result")


def set_precision(where: Where) -> Callable[[], AbstractContextManager[object]]:
    """Let this process compute in a precision; the context that its forward passes need.

    tf32: convolutions and products, of which PyTorch's own default is the convolutions alone.
    """
    tf32 = where.precision == "tf32"
    torch.backends.cuda.matmul.allow_tf32 = tf32
    torch.backends.cudnn.allow_tf32 = tf32
    if where.precision == "bf16":
        return partial(torch.autocast, where.device, dtype=torch.bfloat16)
    return nullcontext


def captured(
    call: Callable[[], Result], aside: torch.cuda.Stream | None = None
) -> Callable[[], Result]:
    """`call` in a CUDA graph, by the recipe of PyTorch's manual: warm up aside, then record.

    The result of a call is that of the recorded one, which each replay overwrites. `aside` is the
    stream that what `call` differentiates was made on, for there autograd runs it backwards.
    """
    aside = aside or torch.cuda.Stream()
    aside.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(aside):
        for _ in range(WARM_UP):
            call()
    torch.cuda.current_stream().wait_stream(aside)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph, stream=aside):
        result = call()

    def replay() -> Result:
        graph.replay()
        return result

    return replay
