"""`minigan translate`: the user's files through a stored run, pictures or sounds."""

from __future__ import annotations

from collections.abc import Callable
from inspect import signature
from pathlib import Path
from typing import Any

from minigan.algorithms.catalogue import recipe
from minigan.algorithms.settings import flag
from minigan.errors import OptionError
from minigan.training.config import Config
from minigan.training.enhancing import enhance_files
from minigan.training.translate import translate_pictures

# What a run does with files, by what its algorithm takes; the others translate pictures.
WAYS: dict[str, Callable[..., str]] = {"sounds": enhance_files}


def translate_files(folder: Path, source: Path, out: Path, **how: Any) -> str:
    """Send the file or folder `source` through the run in `folder`; returns what was done.

    `how` is what `translate_pictures` takes. Raises OptionError for a setting of pictures where the
    run takes others, and what the run's own way raises.
    """
    algorithm = Config.load(folder / "config.json").algorithm
    way = WAYS.get(recipe(algorithm).takes, translate_pictures)
    of_pictures = signature(translate_pictures).parameters
    own = signature(way).parameters
    for name, given in how.items():
        if name not in own and given != of_pictures[name].default:
            value = "" if given is True else f" {given}"
            raise OptionError(
                f"{flag(name)}{value} is of pictures, and {algorithm} takes sounds: leave it out"
            )
    return way(folder, source, out, **{name: v for name, v in how.items() if name in own})
