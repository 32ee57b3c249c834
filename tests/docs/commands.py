"""Command lines as pages show them: which there are, and whether `minigan` knows their options."""

from __future__ import annotations

import re
import shlex

import click

from minigan.cli.commands import cli

# Behind a prompt, of the installation in .venv, or both.
SHOWN = re.compile(r"^(?:\$ (?:\.venv/bin/)?|\.venv/bin/)minigan (.+)$", re.MULTILINE)


def commands_in(text: str) -> list[list[str]]:
    """The words after `minigan` of every line that shows a command; comments are left out."""
    return [shlex.split(line, comments=True) for line in SHOWN.findall(text)]


def unknown_in(words: list[str]) -> list[str]:
    """What `minigan` does not know of a command: its name, or options."""
    command: click.Command = cli
    ctx = click.Context(command)
    rest = list(words)
    while isinstance(command, click.Group):
        name = rest.pop(0) if rest else ""
        below = command.get_command(ctx, name)
        if below is None:
            return [name]
        command, ctx = below, click.Context(below, parent=ctx)
    known = options_of(command) | {"--help"}
    named = (word.partition("=")[0] for word in rest if word.startswith("--"))
    return [name for name in named if name not in known]


def options_of(command: click.Command, above: click.Context | None = None) -> set[str]:
    """The options of a command and of all below it, --help aside."""
    ctx = click.Context(command, parent=above)
    found = {name for p in command.params for name in (*p.opts, *p.secondary_opts)}
    if isinstance(command, click.Group):
        below = (command.get_command(ctx, name) for name in command.list_commands(ctx))
        found |= set().union(*(options_of(own, ctx) for own in below if own is not None))
    return found
