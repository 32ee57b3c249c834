"""What an algorithm says of examples that it has not seen, beside what they are: logged as it goes.

Of an algorithm that names classes the accuracy, of a source and of a target domain each for itself;
of one that sorts examples into clusters, their purity and normalised mutual information with the
data's first label.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable

from minigan.algorithms.base import Algorithm
from minigan.algorithms.latent import Classifying, Clustering
from minigan.backend import Array, make_rng
from minigan.data import Batch, Dataset, DataWarning, LabelledDomains
from minigan.errors import DataError, OptionError
from minigan.metrics.classifier import in_chunks
from minigan.metrics.clustering import mutual_information, purity
from minigan.metrics.subject import examples
from minigan.streams import Purpose

N = 2000  # examples that are looked at


Examples = tuple[Array, dict[str, Array]]  # x, and the column of each label


class HeldOut:
    """Labelled examples of the test split; of the training data where it has none that fits.

    open_test: opens the test split. Examples are read when first looked at; a split whose pictures
    or classes are not those of `train` is left alone, with a DataWarning.
    """

    def __init__(self, open_test: Callable[[], Dataset], train: Dataset, *, seed: int) -> None:
        self._open, self._train, self._seed = open_test, train, seed
        self._examples: dict[str, Examples] | None = None

    def look(self, algorithm: Algorithm) -> dict[str, float]:
        """Values for the log; none of an algorithm that says nothing of examples."""
        if isinstance(algorithm, Classifying):
            return {
                f"accuracy{of}": float(
                    (in_chunks(algorithm.classify, x) == labels[algorithm.label]).mean()
                )
                for of, (x, labels) in self._read().items()
            }
        if isinstance(algorithm, Clustering) and algorithm.clusters:
            x, labels = self._read()[""]
            if not labels:
                return {}
            found, truth = in_chunks(algorithm.cluster, x), next(iter(labels.values()))
            return {"purity": purity(found, truth), "NMI": mutual_information(found, truth)}
        return {}

    def _read(self) -> dict[str, Examples]:
        """Examples by what a log puts behind the names of their values; "" where all are of one
        kind."""
        if self._examples is None:
            data, rng = self._fitting() or self._train, make_rng(self._seed, Purpose.HELD_OUT)
            if isinstance(data, LabelledDomains):
                found = {f"({name})": batch for name, batch in data.judged(N, rng).items()}
            else:
                found = {"": examples(data, N, rng)}
            self._examples = {of: _by_label(batch, data) for of, batch in found.items()}
        return self._examples

    def _fitting(self) -> Dataset | None:
        """The test split, if there is one that networks of this run can look at."""
        try:
            data = self._open()
        except OptionError:  # the user's own data may know no split
            return None
        except DataError as error:
            warnings.warn(f"no held-out examples: {error}", DataWarning, stacklevel=2)
            return None
        if (data.shape, data.label_names) == (self._train.shape, self._train.label_names):
            return data
        warnings.warn(
            f"the test split of {data.name} has pictures or classes of its own; training examples "
            "stand in for held-out ones in the log",
            DataWarning,
            stacklevel=2,
        )
        return None


def _by_label(batch: Batch, data: Dataset) -> Examples:
    columns = [] if batch.labels is None else list(batch.labels.T)
    return batch.x, dict(zip(data.label_names, columns, strict=False))
