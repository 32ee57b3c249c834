"""How the fields of an options class become options of the command line and arguments of parts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import Any, NamedTuple

from minigan.errors import OptionError, UnknownNameError
from minigan.losses.objectives import settings_of


def option(default: Any, help: str, choices: Any = None) -> Any:
    """A dataclass field with what the command line shows of it."""
    return field(default=default, metadata={"help": help, "choices": choices and tuple(choices)})


def flag(name: str) -> str:
    """How the command line writes the option of that field."""
    return "--" + name.replace("_", "-")


class Needs(NamedTuple):
    """What gives an option something to do: one of `values` for one of the other `options`."""

    options: tuple[str, ...]
    values: tuple[str, ...]


Company = Mapping[str, Needs]  # what an option, by its name, needs beside it


def refuse_idle(options: type, given: Mapping[str, Any]) -> None:
    """Raise OptionError for an option among those `given` that would be passed over.

    The options' class lists in `only_with` what its options need beside them.
    """
    for name, needs in getattr(options, "only_with", {}).items():
        chosen = {other: given.get(other, getattr(options, other)) for other in needs.options}
        if name in given and not set(chosen.values()) & set(needs.values):
            found = " and ".join(f"{flag(o)} {v}" for o, v in chosen.items() if v is not None)
            wanted = f"{' or '.join(map(flag, needs.options))} {' or '.join(needs.values)}"
            raise OptionError(f"{flag(name)} does nothing with {found}; it is for {wanted}")


def known(kind: str, name: str, table: Mapping[str, Any]) -> None:
    """Raise UnknownNameError unless `name` stands in the table."""
    if name not in table:
        raise UnknownNameError(kind, name, table)


def settings_for(
    options: Any,
    chosen: type,
    names: Mapping[str, str],
    said: str,
    *,
    besides: tuple[str, ...] = (),
) -> dict[str, Any]:
    """Those of `options` that were given for the part `chosen`, by its constructor's arguments.

    names: each option's field, and the argument that it sets; `said` is what chose the part;
    `besides` are arguments that no option sets. Raises OptionError for an option that the part does
    not have; one that is only a default of the options' class is passed over.
    """
    own = [name for name in settings_of(chosen) if name not in besides]
    flags = {argument: flag(name) for name, argument in names.items()}
    given = {name: getattr(options, name) for name in names}
    given = {name: value for name, value in given.items() if value is not None}
    for name, value in given.items():
        if names[name] not in own and value != getattr(type(options), name):
            has = ", ".join(flags.get(argument, argument) for argument in own) or "none"
            raise OptionError(f"{flag(name)} is no option of {said}, which has: {has}")
    return {names[name]: value for name, value in given.items() if names[name] in own}
