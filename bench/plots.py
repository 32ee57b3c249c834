"""Plots of the report; the same rows give the same bytes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

from bench.rows import Row
from bench.scaling import fit

COLORS = {"ours": "tab:blue", "torch": "tab:orange"}
STYLES = {1: ("o", "--"), 2: ("s", "-")}


def draw_scaling(rows: Sequence[Row], axis: str, path: Path) -> None:
    """Points and fits of both sides, per number of threads, on logarithmic axes."""
    with mpl.rc_context({"svg.hashsalt": "minigan", "svg.fonttype": "none"}):
        figure = Figure(figsize=(6.4, 4.2), layout="constrained")
        FigureCanvasSVG(figure)
        ax = figure.add_subplot()
        for threads in sorted({r.threads for r in rows}):
            own = sorted((r for r in rows if r.threads == threads), key=lambda r: getattr(r, axis))
            x = [getattr(r, axis) for r in own]
            marker, style = STYLES.get(threads, ("^", ":"))
            for side, color in COLORS.items():
                t = [(r.ours_ms if side == "ours" else r.peer_ms) or np.nan for r in own]
                found = fit(axis, x, t)
                fine = np.geomspace(x[0], x[-1], 100)
                label = f"{'minigan' if side == 'ours' else 'PyTorch'}, {threads} thread"
                ax.plot(x, t, marker, color=color, label=label + "s" * (threads > 1))
                ax.plot(fine, [found.at(v) for v in fine], style, color=color, linewidth=1)
        ax.set_xscale("log", base=2)
        ax.set_yscale("log")
        x = sorted({getattr(r, axis) for r in rows})
        ax.set_xticks(x, [str(v) for v in x])
        ax.set_xlabel(axis)
        ax.set_ylabel("milliseconds per step")
        ax.grid(alpha=0.3)
        ax.legend()
        figure.savefig(path, format="svg", metadata={"Date": None})


def draw_scatter(
    panels: Sequence[tuple[str, np.ndarray]], centres: np.ndarray, path: Path, columns: int = 6
) -> None:
    """Samples in the plane, a panel (title, points (N, 2)) each, over the centres of the modes."""
    columns = min(columns, len(panels))
    rows = -(-len(panels) // columns)
    figure = Figure(figsize=(2 * columns, 2.25 * rows), dpi=80, layout="constrained")
    FigureCanvasAgg(figure)
    limit = 1.35 * float(np.abs(centres).max())
    grid = figure.subplots(rows, columns, squeeze=False).ravel()
    for axes, (title, points) in zip(grid, panels, strict=False):
        axes.plot(*centres.T, "o", color="0.85", markersize=9, zorder=0)
        axes.plot(*points.T, ".", color="tab:red", markersize=1.5, alpha=0.6)
        axes.set(xlim=(-limit, limit), ylim=(-limit, limit), aspect="equal", xticks=[], yticks=[])
        axes.set_title(title, fontsize=8)
    for axes in grid[len(panels) :]:
        axes.set_axis_off()
    figure.savefig(path, format="png", metadata={"Software": None})
