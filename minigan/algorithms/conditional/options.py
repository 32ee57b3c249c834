"""Options of conditional games, and how they are built."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from minigan.algorithms.conditional.base import LabelOptions, check_classes, draw_labels
from minigan.algorithms.conditional.game import ConditionalGAN
from minigan.algorithms.options import AdversarialOptions, Streams, Task
from minigan.algorithms.settings import known, option
from minigan.errors import OptionError
from minigan.layers import Layer
from minigan.losses import OBJECTIVES
from minigan.losses.conditional import WRONG_PAIRS, Judge, weighs_whole
from minigan.losses.objective import Objective


@dataclass(frozen=True, kw_only=True)
class ConditionalOptions(LabelOptions, AdversarialOptions):
    """The game's options, the labels it is about, and D's third term."""

    wrong_pairs: str | None = option(
        None,
        "real examples with a wrong label as a third term of D's loss: at its whole weight, both "
        "negatives halved as Reed et al., or none (default: whole, halved where D's loss balances "
        "both sides, none where only a penalty bounds D, for it bounds D in x alone)",
        WRONG_PAIRS,
    )

    def third_term(self) -> str:
        """How wrong pairs count. Raises OptionError for a way that the objective does not have."""
        known("objective", self.objective, OBJECTIVES)
        objective = self.build_objective()
        if self.wrong_pairs is None and not (objective.has_lower_bound or self.clip_weights):
            return "none"
        if self.wrong_pairs is None:
            return "whole" if weighs_whole(objective) else "halved"
        known("way to count wrong pairs:", self.wrong_pairs, WRONG_PAIRS)
        if self.wrong_pairs == "whole" and not weighs_whole(objective):
            raise OptionError(
                f"--wrong-pairs whole adds a third term to D's loss, and objective "
                f"{self.objective!r} holds real and other examples in balance; use halved"
            )
        return self.wrong_pairs

    def build_conditional(
        self,
        G: Layer,
        D: Layer,
        task: Task,
        streams: Streams,
        judge: Callable[[Objective], Judge],
        *,
        wrong_pairs: str,
        game: type[ConditionalGAN] = ConditionalGAN,
        **parts: Any,
    ) -> ConditionalGAN:
        """The game over the two networks, or the `game` that is made of it, with its `parts`.

        Raises OptionError for values that cannot be.
        """
        built = self.build_game(
            G,
            D,
            task,
            streams,
            game=game,
            judge=judge,
            label_names=task.label_names,
            draw_labels=partial(draw_labels, task),
            wrong_pairs=wrong_pairs,
            **parts,
        )
        assert isinstance(built, ConditionalGAN)
        return built


def condition_size(task: Task) -> int:
    """Numbers of the condition: the classes of all labels. Raises OptionError without labels."""
    check_classes(task.label_names)
    return sum(map(len, task.label_names.values()))
