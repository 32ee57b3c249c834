"""What the environment says of a processor's instructions.

OpenBLAS, NumPy, SciPy and PyTorch find out what a processor can do and use it. Variables hold them
to less, and nothing says so: under OPENBLAS_CORETYPE=Haswell a core with 512-bit units multiplied
matrices at half its rate.
"""

from __future__ import annotations

import os
from collections.abc import Mapping

VARIABLES = (
    "OPENBLAS_CORETYPE",
    "OPENBLAS_L2_SIZE",
    "NPY_DISABLE_CPU_FEATURES",
    "NPY_ENABLE_CPU_FEATURES",
    "MKL_ENABLE_INSTRUCTIONS",
    "ONEDNN_MAX_CPU_ISA",
    "ATEN_CPU_CAPABILITY",
)


def confined(environment: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Those of VARIABLES that are set, with their values."""
    return {name: environment[name] for name in VARIABLES if environment.get(name)}
