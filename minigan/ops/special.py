"""Special functions of one variable."""

from __future__ import annotations

from scipy import special

from minigan.backend import Array
from minigan.ops.dispatch import op


@op
def lambertw_exp(x: Array) -> Array:
    """W(e^x) for real x, W the principal branch of Lambert's function: the w with w + log w = x.

    SciPy's Wright omega function: its lambertw is the same, but wants e^x itself, which overflows
    from x = 710 on in float64 and from 89 on in float32.
    """
    return special.wrightomega(x)
