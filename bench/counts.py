"""`bench counts`: what a step launches, computes and moves on a card, without a card.

Launches are those of one step of the algorithm, on arrays of the true sizes that nobody computes
(bench/recording.py). Operations and bytes are exact formulas of the shapes (bench/shapes.py): the
least that each part must do when it runs alone. None of this is a time.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

from bench.machine import today, versions
from bench.recording import CUPY, Launch, recording
from bench.rows import Row
from bench.shapes import Network, networks, optimizer_bytes, step_bytes, step_flops
from bench.steps import OurStep
from bench.where import Where
from bench.work import Work
from minigan.training.stepper import WARM_UP

MACHINE = "no card: counted"


def count(work: Work, where: Where) -> Row:
    """A row with the launches, by family, and the operations and bytes of each part."""
    step, replay = launches(work, where)
    families = Counter(launch.family for launch in step)
    detail: dict[str, Any] = {
        "launches": len(step),
        "families": dict(families.most_common()),
        "kernels": dict(Counter(_name(launch) for launch in step).most_common()),
        "replay_copies": len(replay),
        "flops": step_flops(work),
        "bytes": step_bytes(work),
        "parts": parts(work),
    }
    return Row(
        bench="counts",
        arch=work.arch,
        size=work.size,
        width=work.width,
        batch=work.batch,
        device=where.device,
        precision=where.precision,
        threads=1,
        peer="none",
        ours_ms=None,
        peer_ms=None,
        ratio=None,
        machine=MACHINE,
        versions=versions(),
        date=today(),
        detail=detail,
    )


def launches(work: Work, where: Where) -> tuple[list[Launch], list[Launch]]:
    """What the captured step holds, and what is launched beside the graph at each replay."""
    with recording() as recorder:
        step = OurStep(work, 1, where)
        for _ in range(WARM_UP):
            step.run()
        recorder.launches.clear()
        step.run()  # captures, and replays once
        both = list(recorder.launches)
        recorder.launches.clear()
        step.run()
        replay = list(recorder.launches)
    return both[: len(both) - len(replay)], replay


def parts(work: Work) -> list[dict[str, Any]]:
    """Each layer's passes and each optimiser, with how often a step does them."""
    G, D = networks(work)
    found = [*_layers("G", G, work, (2, 1)), *_layers("D", D, work, (3, 2))]
    for player, net in (("G", G), ("D", D)):
        moved = optimizer_bytes(work, net.parameters)
        found.append(_part(player, f"optimiser, {net.parameters:,} numbers", "step", 1, 0, moved))
    return found


def _layers(player: str, net: Network, work: Work, times: tuple[int, int]) -> list[dict[str, Any]]:
    """`times`: forward passes of the network in a step, and backward passes with its weights'.

    D's dx is needed once more, for G, and that of its first layer for that alone; that of G's
    first layer would be the noise's.
    """
    forwards, trained = times
    n, found = work.batch, []
    for i, p in enumerate(net.products):
        first = {"G": 0, "D": 1}[player]
        inner = {"G": 1, "D": 3}[player]
        name = f"{p.kind} {p.side}x{p.side}, {p.cin} to {p.cout}"
        dx = first if i == 0 else inner
        for direction, often in (("forward", forwards), ("dx", dx), ("dw", trained)):
            if often:
                found.append(_part(player, name, direction, often, p.flops(n), p.bytes(n)))
    for e in net.elementwise:
        kind = "norm and activation" if e.normed else "activation"
        name = f"{kind}, {e.numbers // e.channels} x {e.channels}"
        backwards = {"G": 1, "D": 3}[player]
        found.append(_part(player, name, "forward", forwards, 0, e.bytes(n, False)))
        found.append(_part(player, name, "backward", backwards, 0, e.bytes(n, True)))
    return found


def _part(player: str, name: str, direction: str, times: int, flops: int, moved: int) -> Any:
    what = {"player": player, "part": name, "pass": direction}
    return what | {"times": times, "flops": flops, "bytes": moved}


def _name(launch: Launch) -> str:
    return (
        f"{launch.family}: {launch.symbol}"
        if launch.family == CUPY
        else (f"{launch.family}.{launch.symbol}")
    )
