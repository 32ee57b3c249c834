"""Options of what two players descend: the objective, the penalty, and the settings of both.

A setting of an objective or penalty is an option here and an argument of its constructor; which
belongs to which is read off the constructors, and one that the chosen objective lacks is refused.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any, Self

from minigan.algorithms.checks import check_bounded
from minigan.algorithms.parts import CriticTerm
from minigan.algorithms.presets import PRESETS
from minigan.algorithms.settings import known, option, settings_for
from minigan.errors import OptionError
from minigan.losses import OBJECTIVES, PENALTIES, Objective, objectives, penalties
from minigan.losses.fdivergence import DIVERGENCES

# Options, and the arguments of objectives and of penalties that they set.
OBJECTIVE_SETTINGS = {
    name: name
    for name in (
        "scale",
        "label_smoothing",
        "divergence",
        "pi",
        "trick",
        "a",
        "b",
        "c",
        "epsilon",
        "margin",
        "gamma",
        "rate",
    )
}
PENALTY_SETTINGS = {f"penalty_{name}": name for name in ("weight", "target", "power", "spread")}


@dataclass(frozen=True, kw_only=True)
class ObjectiveOptions:
    """What the players descend. An option left out is the objective's or penalty's own default."""

    objective: str = option(
        "non-saturating",
        "what the players descend; " + ", ".join(PRESETS) + " also set what their papers do",
        [*OBJECTIVES, *PRESETS],
    )
    scale: float | None = option(None, "non-saturating: factor of G's loss; 1/2 in the tutorial")
    label_smoothing: float | None = option(None, "logits: D's target on real examples is 1 - this")
    divergence: str | None = option(None, "f-gan: which divergence", DIVERGENCES)
    pi: float | None = option(None, "f-gan: weight of the data in weighted-jensen-shannon")
    trick: bool | None = option(None, "f-gan: G's loss that does not saturate (section 3.2)")
    a: float | None = option(None, "lsgan: D's target for generated examples")
    b: float | None = option(None, "lsgan: D's target for real examples")
    c: float | None = option(None, "lsgan: what G wants D to say")
    epsilon: float | None = option(None, "margin: of real above generated scores")
    margin: float | None = option(None, "ebgan: energy up to which D raises generated examples")
    gamma: float | None = option(None, "began: diversity ratio")
    rate: float | None = option(None, "began: rate of the control of k_t")
    penalty: str = option("none", "gradient penalty on D", ["none", *PENALTIES])
    penalty_weight: float | None = option(None, "its factor (default: its paper's)")
    penalty_target: float | None = option(None, "wgan-gp, dragan: the norm asked for")
    penalty_power: float | None = option(None, "wgan-div: p")
    penalty_spread: float | None = option(None, "dragan: noise, in standard deviations of a batch")

    def __post_init__(self) -> None:
        if self.objective in PRESETS:
            raise OptionError(
                f"{self.objective!r} stands for several options: make them with "
                f"{type(self).__name__}.of(objective={self.objective!r}, ...)"
            )

    @classmethod
    def of(cls, **given: Any) -> Self:
        """The options with those that were given; a preset as objective gives its row of them."""
        preset = PRESETS.get(given.get("objective", ""), {})
        own = {f.name for f in fields(cls)}
        of_preset = {name: value for name, value in preset.items() if name in own}
        objective = {name: of_preset[name] for name in ("objective",) if name in of_preset}
        return cls(**of_preset | given | objective)

    def build_objective(self) -> Objective:
        """Raises OptionError for an option that the chosen objective does not have, and for an
        objective that needs D bounded where nothing bounds it."""
        known("objective", self.objective, OBJECTIVES)
        chosen = OBJECTIVES[self.objective]
        said = f"--objective {self.objective}"
        settings = settings_for(self, chosen, OBJECTIVE_SETTINGS, said)
        made = objectives.get(self.objective, **settings)
        check_bounded(self, made)
        return made

    def build_terms(self) -> list[CriticTerm]:
        """The penalty if there is one. Raises OptionError for an option that it does not have."""
        if self.penalty == "none":
            settings_for(self, _NoPenalty, PENALTY_SETTINGS, "--penalty none")
            return []
        known("penalty", self.penalty, PENALTIES)
        chosen = PENALTIES[self.penalty]
        settings = settings_for(self, chosen, PENALTY_SETTINGS, f"--penalty {self.penalty}")
        return [penalties.get(self.penalty, **settings)]


class _NoPenalty:
    """Has no settings."""

    def __init__(self) -> None:
        pass
