"""Algorithms: one file per paper, each update rule readable as the paper's algorithm box."""

from minigan.algorithms.base import Algorithm
from minigan.algorithms.catalogue import ALGORITHMS, Recipe, recipe
from minigan.algorithms.gan import GAN
from minigan.algorithms.options import Streams, Task

__all__ = ["ALGORITHMS", "GAN", "Algorithm", "Recipe", "Streams", "Task", "recipe"]
