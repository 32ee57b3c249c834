"""The picture of a face that ages: what comes back of it in each way to find its z, and every age.

A column for x, one for each way to find z, and one for each class of the labels, of the z that
keeps the person. Below each row stands what nobody showed the training, where it is known: x as it
is with these labels.
"""

from __future__ import annotations

import numpy as np

from minigan.algorithms.conditional.age_cgan import IDENTITY, INITIAL, AgeCGAN
from minigan.backend import make_rng
from minigan.data import Dataset
from minigan.data.relabelled import Relabelled
from minigan.streams import Purpose
from minigan.training.generation import in_chunks
from minigan.training.pictures import Sheet, titled
from minigan.training.relabelling import COMPARED, ROWS, classes_shown


def sheet(algorithm: AgeCGAN, dataset: Dataset, *, seed: int) -> Sheet:
    """The sheet above, and translations beside pictures of the data; always of the same ones."""
    data = Relabelled(dataset, tuple(algorithm.label_names))
    rng = make_rng(seed, Purpose.SHOWN)
    (x, labels), parts = data.some(ROWS, rng)
    assert labels is not None
    own = labels[:, data.columns]
    nothing = np.ones_like(x)
    found = {way: algorithm.latent(x, own, way) for way in reversed(algorithm.ways)}
    columns, titles = [[x, nothing]], ["x"]
    for way, z in found.items():
        columns.append([algorithm.generate(z, own), nothing])
        titles.append(way)
    for column, number, title in classes_shown(algorithm.label_names):
        wanted = own.copy()
        wanted[:, column] = number
        made = algorithm.generate(found[IDENTITY], wanted)
        columns.append([made, data.truth(parts, wanted) if data.known else nothing])
        titles.append(title)
    rows = 2 if data.known else 1
    cells = [column[row][i] for i in range(len(x)) for row in range(rows) for column in columns]
    wishes = data.wished(COMPARED, rng)
    aged = in_chunks(lambda x, y: algorithm.relabel(x, y, INITIAL), wishes.x, wishes.wanted)
    return Sheet(titled(np.stack(cells), titles), aged, wishes.y)
