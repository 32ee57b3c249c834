"""curves.png: a run's log as curves over steps."""

from __future__ import annotations

from pathlib import Path

from minigan.losses import PENALTIES
from minigan.training.log import Record
from minigan.training.pictures import render, write_png

PANELS: tuple[tuple[str, tuple[str, ...], str], ...] = (  # what belongs together, and its scale
    ("bound and reconstruction", ("ELBO", "reconstruction", "KL"), "linear"),
    ("losses", ("loss_",), "linear"),
    ("mean probability that a discriminator gives", ("D(", "C("), "linear"),
    ("mean score that a critic gives", ("score(", "wasserstein", "T(", "bound"), "linear"),
    ("mean energy", ("energy(", "convergence"), "linear"),
    ("terms of D's loss", (*PENALTIES, "ranking"), "linear"),
    ("terms of a translation", ("L1", "GAN_", "cycle_", "identity_"), "linear"),
    ("gradient norms", ("grad_norm_",), "log"),
)


def write_curves(records: list[Record], path: Path) -> None:
    """A panel for each group of what was logged; warnings as vertical lines."""
    logged = [r for r in records if "warning" not in r]
    if not logged:
        return
    found = [(*panel, [k for k in logged[-1] if k.startswith(panel[1])]) for panel in PANELS]
    found = [panel for panel in found if panel[-1]]
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 3 * len(found)), dpi=100, layout="constrained")
    panels = figure.subplots(len(found), sharex=True, squeeze=False)[:, 0]
    for axes, (title, _, scale, names) in zip(panels, found, strict=True):
        for name in names:
            at = [r for r in logged if name in r]
            axes.plot([r["step"] for r in at], [r[name] for r in at], linewidth=1, label=name)
        for r in records:
            if "warning" in r:
                axes.axvline(r["step"], color="C3", linewidth=0.8, linestyle=":")
        axes.set(title=title, yscale=scale)
        axes.legend(loc="best")
    axes.set_xlabel("step")
    write_png(render(figure), path)
