"""Groups of commands, and what options take: lists, checkpoints, fields of dataclasses."""

from __future__ import annotations

from dataclasses import Field, fields
from typing import Any, get_args, get_type_hints

import click

from minigan.errors import UnknownNameError


class Commands(click.Group):
    """A group that names the nearest commands when it does not know one, and helps without one."""

    kind = "command"

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """As click's; without a command it prints the help and exits with code 2."""
        if not args:
            click.echo(ctx.get_help(), err=True)
            ctx.exit(2)
        return super().parse_args(ctx, args)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """As click's. Raises UnknownNameError for a command that the group does not have."""
        if args and not args[0].startswith("-") and self.get_command(ctx, args[0]) is None:
            raise UnknownNameError(self.kind, args[0], self.list_commands(ctx))
        return super().resolve_command(ctx, args)


class Integers(click.ParamType):
    """Integers with commas between: 128,128; none of them is an empty word."""

    name = "int,int,..."

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[int, ...]:
        """A tuple of what the word lists; click.BadParameter for another word."""
        if isinstance(value, tuple):
            return value
        try:
            return tuple(int(part) for part in value.split(",")) if value else ()
        except ValueError:
            self.fail(f"{value!r} is not a list of whole numbers such as 128,128", param, ctx)


class Numbers(click.ParamType):
    """Numbers with commas between: 0.2,0.5,1."""

    name = "number,number,..."

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[float, ...]:
        """A tuple of what the word lists; click.BadParameter for another word."""
        if isinstance(value, tuple):
            return value
        try:
            return tuple(float(part) for part in value.split(","))
        except ValueError:
            self.fail(f"{value!r} is not a list of numbers such as 0.2,0.5,1", param, ctx)


class StepOrBest(click.ParamType):
    """A checkpoint: a number of steps, or the word best."""

    name = "step|best"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> int | str:
        """The number, or "best"; click.BadParameter for another word."""
        if value == "best" or isinstance(value, int):
            return value
        try:
            return int(value)
        except ValueError:
            self.fail(f"{value!r} is neither a number of steps nor 'best'", param, ctx)


class Port(click.ParamType):
    """A port number; an option without one has its default."""

    name = "port"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """The number; click.BadParameter for another word."""
        try:
            return int(value)
        except ValueError:
            self.fail(f"{value!r} is not a number; write --serve=PORT, or --serve last", param, ctx)


def options_of(cls: type) -> list[click.Option]:
    """One command-line option for each field of an options dataclass."""
    hints = get_type_hints(cls)
    return [_option(f, hints[f.name]) for f in fields(cls)]


def _option(field: Field[Any], hint: Any) -> click.Option:
    flag = "--" + field.name.replace("_", "-")
    optional = type(None) in get_args(hint)
    kind = next(t for t in get_args(hint) if t is not type(None)) if optional else hint
    choices = field.metadata["choices"]
    if kind is bool:
        return click.Option([flag, field.name], is_flag=True, help=field.metadata["help"])
    default = field.default
    if isinstance(default, tuple):
        default = ",".join(map(str, default))
    scalars = {int: int, float: float, str: str}
    return click.Option(
        [flag, field.name],
        type=click.Choice(choices) if choices else scalars.get(kind) or Integers(),
        default=default,
        show_default=default is not None,
        help=field.metadata["help"],
    )
