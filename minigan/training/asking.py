"""Samples that are asked for by their labels: --class 7, --attr body=blue, and the three panels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from PIL import Image

from minigan.algorithms.catalogue import ALGORITHMS
from minigan.algorithms.conditional.base import (
    Conditional,
    LabelNames,
    Relabelling,
    VectorConditional,
    class_number,
)
from minigan.algorithms.conditional.options import ConditionalOptions
from minigan.algorithms.latent import Latent
from minigan.backend import Array, make_rng
from minigan.errors import OptionError, UnknownNameError
from minigan.streams import Purpose
from minigan.training.labels import COLUMNS, panel_labels
from minigan.training.pictures import beside, grid


class Wish(NamedTuple):
    """What the command line asks for: a class of one of the labels, classes of some, or panels."""

    name: str | None = None
    attributes: Sequence[str] = ()
    panels: bool = False

    @property
    def flag(self) -> str | None:
        """The option that asks for something; None where none does."""
        named = (("--class", self.name), ("--attr", self.attributes), ("--panels", self.panels))
        return next((flag for flag, given in named if given), None)


def check_wish(wish: Wish, algorithm: Latent | object, name: str) -> None:
    """Raise OptionError where something is asked of an algorithm, called `name`, without labels."""
    wanted = VectorConditional if wish.panels else Conditional
    if wish.flag is None or isinstance(algorithm, wanted):
        return
    if isinstance(algorithm, Relabelling):
        raise OptionError(
            f"{wish.flag} asks for samples by their labels, and {name} makes pictures of pictures: "
            "`minigan translate` takes some, and with --to the labels that they shall have"
        )
    able = ", ".join(n for n, r in ALGORITHMS.items() if issubclass(r.options, ConditionalOptions))
    raise OptionError(
        f"{wish.flag} asks for samples by their labels, and this run of {name} knows none of its "
        f"samples; leave it out, or train one of {able}"
    )


def asked_labels(
    algorithm: Conditional, wish: Wish, n: int, rng: np.random.Generator
) -> Array | None:
    """Labels (n, L) as the data has them, but for those that are asked for; None for no wish.

    Raises OptionError and UnknownNameError, which names the nearest known ones, for a label or a
    class that is not there.
    """
    if wish.flag is None:
        return None
    names = algorithm.label_names
    asked = [_attribute(names, text) for text in wish.attributes]
    asked += [] if wish.name is None else [_class(names, wish.name)]
    chosen = _once_each(names, asked)
    every = len(chosen) == len(names)  # then nothing is left for the data to say
    labels = np.zeros((n, len(names)), np.int64) if every else algorithm.draw_labels(n, rng)
    for column, number in chosen.items():
        labels[:, column] = number
    return labels


def target_classes(names: LabelNames, asked: Sequence[str]) -> dict[int, int]:
    """Column -> class of what --to asks for: LABEL=CLASS, or CLASS where one label alone has it.

    Raises OptionError for nothing, and for two classes of one label; UnknownNameError.
    """
    if not asked:
        listed = "; ".join(f"{label}: {', '.join(classes)}" for label, classes in names.items())
        raise OptionError(f"say with --to which class pictures shall have; there are {listed}")
    parts = [_attribute if "=" in text else _class for text in asked]
    return _once_each(names, [f(names, text, "--to") for f, text in zip(parts, asked, strict=True)])


def _once_each(names: LabelNames, asked: Sequence[tuple[int, int]]) -> dict[int, int]:
    """Column -> class. Raises OptionError for two classes of one label."""
    chosen: dict[int, int] = {}
    for column, number in asked:
        if chosen.setdefault(column, number) != number:
            label, classes = list(names.items())[column]
            both = f"{classes[chosen[column]]} and {classes[number]}"
            raise OptionError(f"{label!r} is not {both} at once: ask for one")
    return chosen


def _class(names: LabelNames, name: str, flag: str = "--class") -> tuple[int, int]:
    """The column and the number of a class that only one of the labels has."""
    has = [label for label, classes in names.items() if name in classes]
    if len(has) == 1:
        return class_number(names, has[0], name)
    if len(has) > 1:
        by_label = "--attr" if flag == "--class" else flag
        ways = " or ".join(f"{by_label} {_quoted(f'{label}={name}')}" for label in has)
        raise OptionError(f"{flag} {name} is a class of {len(has)} labels; say which: {ways}")
    if len(names) == 1:
        (label,) = names
        return _in_label(names, label, name)
    known = [one for classes in names.values() for one in classes]
    raise UnknownNameError(f"class of {', '.join(names)}:", name, known)


def _attribute(names: LabelNames, text: str, flag: str = "--attr") -> tuple[int, int]:
    """The column and the number of LABEL=CLASS."""
    label, equals, name = (part.strip() for part in text.partition("="))
    if not equals or not label or not name:
        some, classes = next(iter(names.items()))
        raise OptionError(f"{flag} {text!r}: wanted LABEL=CLASS, e.g. {some}={classes[0]}")
    return _in_label(names, label, name)


def _in_label(names: LabelNames, label: str, name: str) -> tuple[int, int]:
    """`class_number`, which says of a number outside that it is outside."""
    classes = names.get(label, ())
    if _is_number(name) and classes and all(map(_is_number, classes)) and name not in classes:
        raise OptionError(
            f"class {name} of label {label!r} is out of range: it has {len(classes)} classes, "
            f"{classes[0]} to {classes[-1]}"
        )
    return class_number(names, label, name)


def _is_number(word: str) -> bool:
    return word.removeprefix("-").isdigit()


def _quoted(text: str) -> str:
    return f"'{text}'" if " " in text else text


# --- the three panels -----------------------------------------------------------------------------


def three_panels(algorithm: VectorConditional, *, seed: int, columns: int | None) -> Image.Image:
    """Three panels: noise and label, label alone (noise 0), noise alone (label 0).

    One label along each row, one noise down each column, the same in all three.
    """
    columns = columns or COLUMNS
    labels = np.repeat(panel_labels(algorithm, seed=seed), columns, axis=0)
    rows = len(labels) // columns
    z = np.tile(algorithm.prior.draw(columns, make_rng(seed, Purpose.PICTURES)), (rows, 1))
    c = algorithm.encode(labels, z)
    panels = {
        "noise and label": (z, c),
        "label alone: noise 0": (np.zeros_like(z), c),
        "noise alone: label 0": (z, np.zeros_like(c)),
    }
    return beside(
        {
            title: grid(algorithm.generate_for(*given), columns=columns)
            for title, given in panels.items()
        }
    )
