r"""Pre-emphasis: high frequencies of speech are made louder before a network, and softer after it.

    y_t = x_t - c x_{t-1}        and back        x_t = y_t + c x_{t-1}

The voice's spectrum falls with frequency; without this filter an error is nearly all of the low
frequencies, and so is what a network learns from it.
"""

from __future__ import annotations

import numpy as np

from minigan.backend import Array


def emphasized(x: Array, c: float) -> Array:
    """Sounds (N, T, C) filtered along T; before the first sample lies silence."""
    y = x.copy()
    y[:, 1:] -= x.dtype.type(c) * x[:, :-1]
    return y


def deemphasized(y: np.ndarray, c: float) -> np.ndarray:
    """What `emphasized` made y of, on the host."""
    from scipy.signal import lfilter  # slow to import, and seldom used

    return lfilter([1.0], [1.0, -c], y, axis=1).astype(y.dtype)
