"""The sheet of a run that translates between the classes of labels.

It is that of the paper's figures: pictures of the data in its first column, and in each
further one the same pictures with one label changed to the class that stands above. Where it is
known what they should become, each row has the truth below it.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from minigan.algorithms.conditional.base import LabelNames, Relabelling
from minigan.backend import make_rng
from minigan.data import Dataset
from minigan.data.relabelled import Relabelled
from minigan.streams import Purpose
from minigan.training.generation import in_chunks
from minigan.training.pictures import Sheet, titled

ROWS = 4  # pictures that are shown
MOST = 16  # classes that are shown, of all labels together
COMPARED = 64  # translations to labels as the data has them, for their diversity


def sheet(algorithm: Relabelling, dataset: Dataset, *, seed: int) -> Sheet:
    """The sheet above, and translations beside pictures of the data; always of the same ones."""
    data = Relabelled(dataset, tuple(algorithm.label_names))
    rng = make_rng(seed, Purpose.SHOWN)
    (x, labels), parts = data.some(ROWS, rng)
    assert labels is not None
    own = labels[:, data.columns]
    columns, titles = [[x, np.ones_like(x)]], ["x"]
    for column, number, title in classes_shown(algorithm.label_names):
        wanted = own.copy()
        wanted[:, column] = number
        made = algorithm.relabel(x, wanted)
        columns.append([made, data.truth(parts, wanted)] if data.known else [made])
        titles.append(title)
    rows = 2 if data.known else 1
    cells = [column[row][i] for i in range(len(x)) for row in range(rows) for column in columns]
    found = data.wished(COMPARED, rng)
    made = in_chunks(algorithm.relabel, found.x, found.wanted)
    return Sheet(titled(np.stack(cells), titles), made, found.y)


def classes_shown(names: LabelNames) -> Iterator[tuple[int, int, str]]:
    """Column, number and title of the classes that a sheet shows: as many of each label."""
    each = max(1, MOST // len(names))
    for column, (label, classes) in enumerate(names.items()):
        for number, name in enumerate(classes[:each]):
            yield column, number, name if len(names) == 1 else f"{label} {name}"
