"""Kernels compiled into CuPy's cache, several at a time, before processes that each need all."""

import os
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

from minigan.cuda.runtime import CupyRuntime
from minigan.errors import MiniganError

PROCESSES = 8


def compile_first(families: Sequence[str]) -> list[str]:
    """What keeps a family from compiling, a line each; a test says so again."""
    processes = min(PROCESSES, len(families), os.cpu_count() or 1)
    with ProcessPoolExecutor(processes, get_context("spawn")) as pool:
        return [said for said in pool.map(_compile, families) if said]


def _compile(family: str) -> str:
    try:
        CupyRuntime().compile(family)
    except MiniganError as error:
        return f"{family}: {error}"
    return ""
