"""curves.png: a run's log as curves over steps."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
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
    (
        "terms of a translation",
        ("L1", "L2", "GAN_", "cycle_", "identity_", "cls(", "rec", "latent"),
        "linear",
    ),
    ("gradient norms", ("grad_norm_",), "log"),
)


NOT_CURVES = ("step", "seconds", "warning")  # seconds differ between two runs of the same bits
TITLES = {"diversity": "diversity of the samples, as a multiple of the data's"}


@dataclass(frozen=True, slots=True)
class Panel:
    """Curves that share an axis."""

    title: str
    names: tuple[str, ...]
    scale: str  # linear or log


def panels(names: Iterable[str], *, apart: bool = False) -> list[Panel]:
    """The names in the groups of PANELS; what is in no group, on its own.

    apart: every quantity on its own, for curves of several runs.
    """
    left = dict.fromkeys(names)
    found = []
    for title, prefixes, scale in PANELS:
        own = tuple(name for name in left if name.startswith(prefixes))
        left = dict.fromkeys(name for name in left if name not in own)
        if apart:
            found += [Panel(name, (name,), scale) for name in own]
        elif own:
            found.append(Panel(title, own, scale))
    return found + [Panel(TITLES.get(name, name), (name,), "linear") for name in left]


def write_curves(records: list[Record], path: Path) -> None:
    """A panel for each group of what was logged at any step; warnings as vertical lines."""
    logged = [r for r in records if "warning" not in r]
    found = panels(dict.fromkeys(k for r in logged for k in r if k not in NOT_CURVES))
    if not found:
        return
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 3 * len(found)), dpi=100, layout="constrained")
    rows = figure.subplots(len(found), sharex=True, squeeze=False)[:, 0]
    for axes, panel in zip(rows, found, strict=True):
        for name in panel.names:
            at = [r for r in logged if name in r]
            axes.plot([r["step"] for r in at], [r[name] for r in at], linewidth=1, label=name)
        for r in records:
            if "warning" in r:
                axes.axvline(r["step"], color="C3", linewidth=0.8, linestyle=":")
        axes.set(title=panel.title, yscale=panel.scale)
        axes.legend(loc="best")
    axes.set_xlabel("step")
    write_png(render(figure), path)
