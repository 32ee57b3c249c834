"""Makes classifier_digits, classifier_kittens and classifier_faces-ages in minigan/data/embedded.

    OPENBLAS_NUM_THREADS=1 python tools/make_classifiers.py

Each is trained by minigan itself on the training split that ships with it, from seed 0, and stored
in half precision. Prints the accuracy on the test split, as stored. A rerun on another machine
gives other bits and about the same accuracy: matrix products add in another order.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from safetensors.numpy import save

from minigan.backend import make_rng
from minigan.data import Dataset, ages, open_data
from minigan.data.ages import Portraits
from minigan.data.options import Split
from minigan.metrics.classifier import train_classifier
from minigan.metrics.shipped import PEOPLE, SHIPPED, arrays, restored
from minigan.metrics.subject import examples

STEPS = {"digits": 4000, "kittens": 8000, "faces-ages": 8000}
HELD_OUT = 1996  # the test digits; as many test kittens and faces


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path("minigan/data/embedded"))
    parser.add_argument("names", nargs="*", default=[*SHIPPED], help="which (default: all)")
    arguments = parser.parse_args()

    for name in arguments.names:
        shipped = SHIPPED[name]
        trained = train_classifier(
            opened(name),
            *shipped.label_names,
            steps=STEPS[name],
            width=shipped.width,
            hidden=shipped.hidden,
            dropout=shipped.dropout,
        )
        data = save({key: array.astype(np.float16) for key, array in arrays(trained.net).items()})
        (arguments.out / f"classifier_{name}.safetensors").write_bytes(data)
        x, labels = examples(opened(name, "test"), HELD_OUT, make_rng(0))
        assert labels is not None  # the data sets with a classifier have labels
        for label, accuracy in restored(name, data).accuracy(x, labels).items():
            print(f"{name}: {label} {accuracy:.2%} of {HELD_OUT} held-out pictures")


def opened(name: str, split: Split = "train") -> Dataset:
    """The data of that name; of faces that which says who they are."""
    return Portraits(PEOPLE, split) if name == ages.NAME else open_data(name, split=split)


if __name__ == "__main__":
    main()
