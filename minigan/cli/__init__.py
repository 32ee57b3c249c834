"""The command line of minigan."""

from minigan.cli.commands import cli, main
from minigan.cli.parameters import Commands

__all__ = ["Commands", "cli", "main"]
