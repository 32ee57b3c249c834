"""What RESULTS.md says of a card: what was counted, and what was measured on which."""

from __future__ import annotations

from collections.abc import Sequence

from bench.card_targets import card_verdicts
from bench.recording import CUPY
from bench.rows import Row
from bench.tables import table

_UNMEASURED = """## CUDA: counted, not yet measured

No step, operation or rate on this page was timed on a card yet. What is known of the CUDA side
without one: its kernels give the CPU's results where their sources run on the CPU (the emulator of
`tests/emulator/`), and nvcc and NVRTC compile them (`tests/kernels/`). `make bench-cuda`, on a
machine with a card, tests them there and writes the times into `bench/results/`. Until then the
targets are"""

_COUNTED = """## CUDA: counted

The numbers of this section are counted, not timed; the times on {cards} stand in the sections with
that name."""

_HOW = """`python -m bench counts`

Launches are those of one captured step: kernels of minigan, and what it leaves to CuPy, of which
CuPy may launch more than one kernel each. Operations are those of matrix products, bytes the least
that each part moves when it runs alone, both exact. All of it is launched by replaying one graph;
beside it a replay copies {copies} small arrays."""


def counted(rows: Sequence[Row], cards: Sequence[str]) -> str:
    """The section of the counts; `cards` are those that times were measured on."""
    if cards:
        text = _COUNTED.format(cards=", ".join(cards))
    else:
        lines = [[v.what, f"`{v.peer}`", v.limit, v.word] for v in card_verdicts([])]
        text = f"{_UNMEASURED}\n\n{table(['target', 'against', 'limit', ''], lines)}"
    if not rows:
        return text
    copies = max(r.detail["replay_copies"] for r in rows)
    text += "\n\n" + _HOW.format(copies=copies)
    head = ["step", "precision", "launches", "of minigan's kernels", "CuPy's own"]
    head += ["Gflop", "MB, at least"]
    lines = [
        [
            work_of(r),
            r.precision,
            str(r.detail["launches"]),
            str(r.detail["launches"] - r.detail["families"].get(CUPY, 0)),
            str(r.detail["families"].get(CUPY, 0)),
            f"{r.detail['flops'] / 1e9:,.4g}",
            f"{r.detail['bytes'] / 1e6:,.0f}",
        ]
        for r in rows
    ]
    first = {work_of(r): r for r in reversed(rows)}  # parts are the same in every precision
    return "\n\n".join([text, table(head, lines), *map(_details, reversed(first.values()))])


def _details(row: Row) -> str:
    families = [[name, str(n)] for name, n in row.detail["families"].items()]
    head = ["net", "part", "pass", "times a step", "Gflop", "MB", "flop / byte"]
    lines = [
        [
            p["player"],
            p["part"],
            p["pass"],
            str(p["times"]),
            f"{p['flops'] / 1e9:.4g}" if p["flops"] else "",
            f"{p['bytes'] / 1e6:,.4g}",
            f"{p['flops'] / p['bytes']:,.3g}" if p["flops"] else "",
        ]
        for p in row.detail["parts"]
    ]
    return (
        f"### {work_of(row)}, {row.precision}\n\n{table(['family', 'launches'], families)}\n\n"
        f"Each part once:\n\n{table(head, lines)}"
    )


def work_of(row: Row) -> str:
    """What is trained, and how our step is run where that is not the usual way."""
    eager = ", ours without a graph" if row.detail.get("form") == "eager" else ""
    return f"{row.arch}, size {row.size}, width {row.width}, batch {row.batch}{eager}"
