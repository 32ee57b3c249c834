"""minigan: generative adversarial networks from scratch, every gradient by hand.

    import minigan as mg

The names below are the library's stable ones. Layers, networks, losses and data sets are in
`mg.layers`, `mg.models`, `mg.losses` and `mg.data`; what else a module holds may change with any
version.
"""

from minigan import algorithms, data, layers, losses, metrics, models, optim, training
from minigan.algorithms import ALGORITHMS, GAN, Algorithm, Streams, Task
from minigan.backend import asarray, make_rng
from minigan.data import Batch, Dataset, Loader, open_data, open_pairs
from minigan.ema import EMA
from minigan.errors import MiniganError
from minigan.gradcheck import check_layer, check_loss
from minigan.layers import Layer, Param
from minigan.losses import OBJECTIVES, PENALTIES, Objective
from minigan.optim import SGD, Adam, AdamW, Momentum, Nesterov, Optimizer, RMSProp
from minigan.prior import Prior
from minigan.training import Config, RunOptions, Trainer
from minigan.training.runs import Run, open_run
from minigan.version import __version__

__all__ = [
    "ALGORITHMS",
    "EMA",
    "GAN",
    "OBJECTIVES",
    "PENALTIES",
    "SGD",
    "Adam",
    "AdamW",
    "Algorithm",
    "Batch",
    "Config",
    "Dataset",
    "Layer",
    "Loader",
    "MiniganError",
    "Momentum",
    "Nesterov",
    "Objective",
    "Optimizer",
    "Param",
    "Prior",
    "RMSProp",
    "Run",
    "RunOptions",
    "Streams",
    "Task",
    "Trainer",
    "__version__",
    "algorithms",
    "asarray",
    "check_layer",
    "check_loss",
    "data",
    "layers",
    "losses",
    "make_rng",
    "metrics",
    "models",
    "open_data",
    "open_pairs",
    "open_run",
    "optim",
    "training",
]
