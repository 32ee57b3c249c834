"""Data: what ships with minigan, the user's own, and the loader that makes batches of it."""

from minigan.data.adaptation import LabelledDomains
from minigan.data.arrays import from_arrays
from minigan.data.augment import Augmentation
from minigan.data.base import Batch, Dataset, DataWarning, Endless, Finite
from minigan.data.captions import Captioned, open_captions
from minigan.data.catalogue import (
    CLIPS,
    DATASETS,
    NAMED,
    PAIRS,
    POSES,
    READERS,
    REFERENCES,
    SENTENCES,
    SOUNDS,
    UnknownDataError,
    open_clips,
    open_data,
    open_degraded,
    open_labelled_domains,
    open_pairs,
    open_poses,
    open_references,
    open_sentences,
    open_sounds,
)
from minigan.data.clips import Clips
from minigan.data.degraded import DEGRADATIONS, Degraded
from minigan.data.loader import Loader
from minigan.data.makeup import References
from minigan.data.pairs import Pairs
from minigan.data.poses import Poses
from minigan.data.sentences import Sentences
from minigan.data.sounds import Sounds
from minigan.data.tunes import Tunes

__all__ = [
    "CLIPS",
    "DATASETS",
    "DEGRADATIONS",
    "NAMED",
    "PAIRS",
    "POSES",
    "READERS",
    "REFERENCES",
    "SENTENCES",
    "SOUNDS",
    "Augmentation",
    "Batch",
    "Captioned",
    "Clips",
    "DataWarning",
    "Dataset",
    "Degraded",
    "Endless",
    "Finite",
    "LabelledDomains",
    "Loader",
    "Pairs",
    "Poses",
    "References",
    "Sentences",
    "Sounds",
    "Tunes",
    "UnknownDataError",
    "from_arrays",
    "open_captions",
    "open_clips",
    "open_data",
    "open_degraded",
    "open_labelled_domains",
    "open_pairs",
    "open_poses",
    "open_references",
    "open_sentences",
    "open_sounds",
]
