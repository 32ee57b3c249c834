r"""Ways through the latent space: sheets of pictures whose z are chosen, not drawn.

    interpolation   a row goes from one z to another
    traversal       a row changes one number or one code of a z and leaves the rest
    truncation      a row takes the numbers of a z from ever longer pieces of the normal
    arithmetic      z of attributes added and subtracted, as words are
    style mixing    coarse styles of the row's z, fine ones of the column's

Each row has a z of its own and, of a conditional run, labels of its own, which stay fixed.

White 2016, "Sampling generative networks", arXiv:1609.04468 (great circles, attribute vectors);
Radford et al. 2016, arXiv:1511.06434, section 6.3 (arithmetic); Brock et al. 2019,
arXiv:1809.11096, section 3.1 (truncation); Karras et al. 2019, arXiv:1812.04948, section 3.1
(style mixing).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from minigan.errors import OptionError
from minigan.training.latent_tools.attributes import Arithmetic
from minigan.training.latent_tools.base import Sheet, Source, StyleMixing, Tool, source_of
from minigan.training.latent_tools.styles import StyleGrid
from minigan.training.latent_tools.walks import WAYS, Interpolation, Traversal, Truncation

__all__ = [
    "OPTIONS",
    "WAYS",
    "Arithmetic",
    "Interpolation",
    "Sheet",
    "Source",
    "StyleGrid",
    "StyleMixing",
    "Tool",
    "Traversal",
    "Truncation",
    "chosen",
    "source_of",
]


PLAIN = "plain samples"
# Settings of tools, and the tools that have them.
SETTINGS = {
    "--way": ("--interpolate",),
    "--low": ("--traverse", "--arithmetic"),
    "--high": ("--traverse", "--arithmetic"),
    "--columns": ("--traverse", "--arithmetic", "--mix-styles", PLAIN),
}

# The arguments of `chosen`.
OPTIONS = (
    "interpolate",
    "way",
    "traverse",
    "arithmetic",
    "truncate",
    "mix_styles",
    "low",
    "high",
    "columns",
)


def chosen(
    *,
    interpolate: int | None = None,
    way: str | None = None,
    traverse: str | None = None,
    arithmetic: str | None = None,
    truncate: Sequence[float] | None = None,
    mix_styles: int | None = None,
    low: float | None = None,
    high: float | None = None,
    columns: int | None = None,
) -> Tool | None:
    """The tool that these options ask for; None for plain samples.

    Raises OptionError for two tools at once, and for options that the tool does not have.
    """
    tools: dict[str, Any] = {
        "--interpolate": interpolate,
        "--traverse": traverse,
        "--arithmetic": arithmetic,
        "--truncate": truncate,
        "--mix-styles": mix_styles,
    }
    settings = {"--way": way, "--low": low, "--high": high, "--columns": columns}
    asked = [flag for flag, value in tools.items() if value is not None]
    if len(asked) > 1:
        raise OptionError(f"{' and '.join(asked)} are ways of their own: give one of them")
    tool = asked[0] if asked else PLAIN
    for flag, value in settings.items():
        if value is not None and tool not in SETTINGS[flag]:
            of = " and ".join(SETTINGS[flag])
            raise OptionError(f"{flag} is an option of {of}, not of {tool}")
    if interpolate is not None:
        return Interpolation(interpolate, way)
    if traverse is not None:
        return Traversal(traverse, low, high, columns)
    if arithmetic is not None:
        return Arithmetic(arithmetic, low, high, columns)
    if truncate is not None:
        return Truncation(tuple(truncate))
    return None if mix_styles is None else StyleGrid(mix_styles, columns)
