"""minigan/ops/loss.py on a card: kernels/loss.cu."""

from __future__ import annotations

import numpy as np

from minigan.backend import Array, array_module
from minigan.cuda.launcher import launch
from minigan.cuda.shapes import THREADS, ceil_div, suffix
from minigan.ops.loss import FUNCTIONS, Term

_KINDS = {name: np.int32(i) for i, name in enumerate(FUNCTIONS)}
PER_BLOCK = 32 * THREADS  # logits up to which one block does it all
MOST_BLOCKS = 256
_NOTHING = Term("zero")


def mean_loss(logits: Array, term: Term) -> tuple[Array, Array]:
    value, _, gradient = _launched(None, logits, _NOTHING, term)
    return value, gradient


def mean_losses(
    real: Array, fake: Array, term_real: Term, term_fake: Term
) -> tuple[Array, Array, Array]:
    value, d_real, d_fake = _launched(real, fake, term_real, term_fake)
    assert d_real is not None
    return value, d_real, d_fake


def _launched(
    real: Array | None, fake: Array, term_real: Term, term_fake: Term
) -> tuple[Array, Array | None, Array]:
    """Both terms at once; without real examples the second alone."""
    xp, of = array_module(fake), fake.dtype.type
    terms = (term_real, term_fake)
    fake = xp.ascontiguousarray(fake)
    real = None if real is None else xp.ascontiguousarray(real)
    d_real = None if real is None else xp.empty(real.shape, real.dtype)
    d_fake, value = xp.empty(fake.shape, fake.dtype), xp.empty((), fake.dtype)
    n = 0 if real is None else real.size
    blocks = max(1, min(ceil_div(n + fake.size, PER_BLOCK), MOST_BLOCKS))
    partial = xp.empty(blocks, np.float64) if blocks > 1 else None
    launch(
        f"loss.loss{suffix(fake)}",
        (blocks,),
        (THREADS,),
        *(real, fake, partial, value, d_real, d_fake, np.int64(n), np.int64(fake.size)),
        *(_KINDS[term.f] for term in terms),
        *(np.float64(term.weight) for term in terms),
        *(np.float64(term.linear) for term in terms),
        *(of(term.parameter) for term in terms),
    )
    if partial is not None:
        kernel = f"loss.loss_sum{suffix(fake)}"
        launch(kernel, (1,), (THREADS,), partial, value, np.int32(blocks))
    return value, d_real, d_fake
