"""Data: what ships with minigan, the user's own, and the loader that makes batches of it."""

from minigan.data.arrays import from_arrays
from minigan.data.augment import Augmentation
from minigan.data.base import Batch, Dataset, DataWarning, Endless, Finite
from minigan.data.captions import Captioned, open_captions
from minigan.data.catalogue import (
    DATASETS,
    PAIRS,
    READERS,
    REFERENCES,
    UnknownDataError,
    open_data,
    open_pairs,
    open_references,
)
from minigan.data.loader import Loader
from minigan.data.makeup import References
from minigan.data.pairs import Pairs
from minigan.data.tunes import Tunes

__all__ = [
    "DATASETS",
    "PAIRS",
    "READERS",
    "REFERENCES",
    "Augmentation",
    "Batch",
    "Captioned",
    "DataWarning",
    "Dataset",
    "Endless",
    "Finite",
    "Loader",
    "Pairs",
    "References",
    "Tunes",
    "UnknownDataError",
    "from_arrays",
    "open_captions",
    "open_data",
    "open_pairs",
    "open_references",
]
