"""Batches in an order that the seed alone decides, prepared ahead by one thread.

Batch i is a pure function of the data set, the batch size, the seed and i. A run that knows its
position therefore resumes exactly, without a generator's state to save.
"""

from __future__ import annotations

import threading
import weakref
from collections import deque
from collections.abc import Callable
from types import TracebackType

import numpy as np

from minigan.data.base import Batch, Dataset, Finite
from minigan.errors import OptionError
from minigan.streams import Purpose


class Loader:
    """Iterates over batches of `dataset` without end.

    Finite data is shuffled anew in each epoch and a last, partial batch is dropped; endless data
    is drawn afresh.

    batch_size  examples in a batch, at most as many as the data has
    seed        0 or more
    start       position of the first batch
    prefetch    batches that wait ready at most
    position    number of the batch that comes next

    Use it as a context manager, or `close` it; a forgotten one stops its thread when it is
    collected. Raises OptionError when finite data is smaller than one batch.
    """

    def __init__(
        self, dataset: Dataset, batch_size: int, *, seed: int, start: int = 0, prefetch: int = 2
    ) -> None:
        if not isinstance(dataset, Dataset):
            raise OptionError(
                f"a loader takes a data set, not {type(dataset).__name__}: minigan.open_data(NAME) "
                "opens one, minigan.data.memory.InMemory makes one of arrays"
            )
        for name, value, least in (
            ("batch size", batch_size, 1),
            ("seed", seed, 0),
            ("start", start, 0),
            ("prefetch", prefetch, 1),
        ):
            if value < least:
                raise OptionError(f"{name} {value}: give a whole number of {least} or more")
        self.dataset = dataset
        self.batch_size = batch_size
        self.position = start
        self._batches = _batches(dataset, batch_size, seed)
        self._prefetch = prefetch
        self._ahead: _Ahead | None = None
        self._closed = False

    def batch(self, i: int) -> Batch:
        """Batch `i`, from 0; moves nothing."""
        return self._batches(i)

    @property
    def batches_per_epoch(self) -> int | None:
        """How many batches go over finite data once; None for endless data."""
        size = self.dataset.size
        return None if size is None else size // self.batch_size

    def __iter__(self) -> Loader:
        return self

    def __next__(self) -> Batch:
        """The batch at `position`. An error met while preparing it is raised here."""
        if self._closed:
            raise OptionError("this loader is closed; make another with start=position")
        if self._ahead is None:
            self._ahead = _Ahead(self._batches, self.position, self._prefetch)
            # The thread knows the _Ahead and not the Loader, so that a Loader can be collected.
            self._collected = weakref.finalize(self, self._ahead.stop)
        try:
            batch = self._ahead.take()
        except BaseException:
            self._stop()  # the next call starts over from the same position
            raise
        self.position += 1
        return batch

    def close(self) -> None:
        """Stops the thread, waiting at most for the batch that it is making. Harmless twice."""
        self._closed = True
        self._stop()

    def _stop(self) -> None:
        if self._ahead is not None:
            self._collected()  # calls stop, and lets go of it
            self._ahead.join()
            self._ahead = None

    def __enter__(self) -> Loader:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


def _generator(seed: int, i: int, use: int = 0) -> np.random.Generator:
    """A generator for batch or epoch `i`, another one for each use.

    Philox is counter-based (Salmon et al., 2011): the key comes from the seed, and i, placed in
    the upper half of the 256-bit counter, leaves each generator 2^128 numbers of its own, and each
    use of it 2^64.
    """
    key = np.random.SeedSequence([seed, Purpose.DATA]).generate_state(2, np.uint64)
    return np.random.Generator(np.random.Philox(key=key, counter=[0, use, i, 0]))


def _batches(dataset: Dataset, batch_size: int, seed: int) -> Callable[[int], Batch]:
    """The pure function from a position to its batch."""
    found: Callable[[int], Batch]
    if isinstance(dataset, Finite):
        found = _Shuffled(dataset, batch_size, seed)
    else:
        found = lambda i: dataset.draw(batch_size, _generator(seed, i))  # noqa: E731
    return lambda i: dataset.vary(found(i), _generator(seed, i, use=1))


class _Shuffled:
    """Batches of finite data: epoch e goes through the permutation that (seed, e) gives."""

    def __init__(self, dataset: Finite, batch_size: int, seed: int) -> None:
        if batch_size > len(dataset):
            raise OptionError(
                f"batch size {batch_size} is more than the {len(dataset)} examples of "
                f"{dataset.name}; give a batch size of {len(dataset)} or less, or more data"
            )
        self._dataset = dataset
        self._batch_size = batch_size
        self._seed = seed
        # Only spares work; replaced as a whole, for both threads may call.
        self._latest: tuple[int, np.ndarray] | None = None

    def __call__(self, i: int) -> Batch:
        epoch, k = divmod(i, len(self._dataset) // self._batch_size)
        latest = self._latest
        if latest is None or latest[0] != epoch:
            latest = epoch, _generator(self._seed, epoch).permutation(len(self._dataset))
            self._latest = latest
        return self._dataset.take(latest[1][k * self._batch_size : (k + 1) * self._batch_size])


class _Ahead:
    """A thread that makes batches start, start + 1, ... and keeps at most `limit` of them ready."""

    def __init__(self, batches: Callable[[int], Batch], start: int, limit: int) -> None:
        self._batches = batches
        self._limit = limit
        self._ready: deque[Batch] = deque()
        self._error: BaseException | None = None
        self._stopped = False
        self._changed = threading.Condition()
        # A daemon: a consumer that just ends must not keep the interpreter alive.
        self._thread = threading.Thread(
            target=self._run, args=(start,), name="minigan-loader", daemon=True
        )
        self._thread.start()

    def take(self) -> Batch:
        """The next batch, or the error that kept it from being made."""
        with self._changed:
            self._changed.wait_for(lambda: self._ready or self._error)
            if self._ready:
                self._changed.notify_all()
                return self._ready.popleft()
            assert self._error is not None
            raise self._error  # with the thread's own traceback

    def stop(self) -> None:
        with self._changed:
            self._stopped = True
            self._ready.clear()
            self._changed.notify_all()

    def join(self) -> None:
        self._thread.join()

    def _run(self, i: int) -> None:
        try:
            while True:
                with self._changed:
                    self._changed.wait_for(lambda: self._stopped or len(self._ready) < self._limit)
                    if self._stopped:
                        return
                batch = self._batches(i)  # made unlocked: this is the work that runs ahead
                with self._changed:
                    if not self._stopped:
                        self._ready.append(batch)
                        self._changed.notify_all()
                i += 1
        except BaseException as error:
            with self._changed:
                self._error = error
                self._changed.notify_all()
