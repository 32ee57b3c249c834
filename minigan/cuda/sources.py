"""The CUDA sources in kernels/, as text: installed as minigan.kernels, read in a checkout too."""

from __future__ import annotations

import re
from functools import cache
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path

import minigan
from minigan.errors import KernelError

_INCLUDE = re.compile(r'^#include "(\w+\.cuh)"$', re.MULTILINE)
_ONCE = re.compile(r"^#pragma once$", re.MULTILINE)


def folder() -> Traversable:
    """Where the sources are. Raises KernelError for an installation without them."""
    try:
        return resources.files("minigan.kernels")
    except ModuleNotFoundError:
        beside = Path(minigan.__file__).parents[1] / "kernels"
        if (beside / "common.cuh").is_file():  # and not another project's folder of that name
            return beside
    raise KernelError(
        "this installation of minigan has no CUDA sources (minigan.kernels); install it again"
    )


def families() -> list[str]:
    """The name of every kernel file, without its ending."""
    names = (file.name for file in folder().iterdir())
    return sorted(name.removesuffix(".cu") for name in names if name.endswith(".cu"))


@cache
def source(family: str) -> str:
    """kernels/FAMILY.cu with its headers in their places.

    A compiler's cache of compiled kernels knows the text that it was given, not what that includes:
    with headers inside, a changed header is a changed kernel. Raises KernelError for an unknown
    family or header.
    """
    known = families()
    if family not in known:
        raise KernelError(f"no kernels/{family}.cu; there are: {', '.join(known)}")
    return _with_headers(f"{family}.cu", set())


def _with_headers(name: str, seen: set[str]) -> str:
    """The text of a file, each header in place of the first line that includes it."""
    seen.add(name)
    file = folder() / name
    if not file.is_file():
        raise KernelError(f"kernels/{name} is missing; install minigan again")
    lines = file.read_text(encoding="utf-8")

    def header(match: re.Match[str]) -> str:
        if match[1] in seen:
            return ""
        after = lines.count("\n", 0, match.end()) + 2
        return f'{_with_headers(match[1], seen)}\n#line {after} "{name}"'

    return f'#line 1 "{name}"\n' + _ONCE.sub("", _INCLUDE.sub(header, lines))
