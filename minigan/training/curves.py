"""curves.png: a run's log as curves over steps."""

from __future__ import annotations

from pathlib import Path

from matplotlib.figure import Figure

from minigan.training.log import Record
from minigan.training.pictures import render, write_png

PANELS = (  # what belongs together, and the scale it is read on
    ("losses", "loss_", "linear"),
    ("mean probability that D gives", "D(", "linear"),
    ("gradient norms", "grad_norm_", "log"),
)


def write_curves(records: list[Record], path: Path) -> None:
    """Losses, D(x) and D(G(z)), and gradient norms; warnings as vertical lines."""
    logged = [r for r in records if "warning" not in r]
    if not logged:
        return
    figure = Figure(figsize=(8, 9), dpi=100, layout="constrained")
    panels = figure.subplots(len(PANELS), sharex=True)
    for axes, (title, prefix, scale) in zip(panels, PANELS, strict=True):
        for name in [k for k in logged[-1] if k.startswith(prefix)]:
            at = [r for r in logged if name in r]
            axes.plot([r["step"] for r in at], [r[name] for r in at], linewidth=1, label=name)
        for r in records:
            if "warning" in r:
                axes.axvline(r["step"], color="C3", linewidth=0.8, linestyle=":")
        axes.set(title=title, yscale=scale)
        axes.legend(loc="upper right")
    axes.set_xlabel("step")
    write_png(render(figure), path)
