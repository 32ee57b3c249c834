"""Data: what ships with minigan, the user's own, and the loader that makes batches of it."""

from minigan.data.base import Batch, Dataset, DataWarning, Endless, Finite
from minigan.data.catalogue import DATASETS, READERS, UnknownDataError, open_data
from minigan.data.loader import Loader

__all__ = [
    "DATASETS",
    "READERS",
    "Batch",
    "DataWarning",
    "Dataset",
    "Endless",
    "Finite",
    "Loader",
    "UnknownDataError",
    "open_data",
]
