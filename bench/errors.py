"""Errors that end a benchmark with one line and a code above 0."""

from __future__ import annotations

import click


class BenchError(click.ClickException):
    """What was asked for cannot be measured."""


class NotTheSame(BenchError):
    """The two sides do not compute the same thing: no time of theirs means anything."""


class TimeUp(Exception):
    """The time of a measurement is over; what it has so far counts."""


class Unavailable(BenchError):
    """A peer cannot run here; the others still can."""
