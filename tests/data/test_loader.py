"""The loader: batches as a pure function of position, and a thread that never hangs or leaks."""

import gc
import subprocess
import sys
import threading
import traceback
import weakref
from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minigan.data import Batch, Dataset, Endless, Loader, open_data
from minigan.data.memory import InMemory
from minigan.data.mixtures import gaussian1d
from minigan.errors import OptionError


def numbers(n: int) -> InMemory:
    """Finite data: the points 0, 1, ..., n - 1, each labelled with itself."""
    x = np.arange(n, dtype=np.float32)[:, None]
    return InMemory("numbers", x, np.arange(n)[:, None], {"number": tuple(map(str, range(n)))})


class Failing(Endless):
    """Endless data that fails while `broken`, and counts its draws."""

    def __init__(self) -> None:
        super().__init__("failing", (1,))
        self.draws = 0
        self.broken = False
        self.drawn = threading.Semaphore(0)

    def draw(self, n: int, rng: np.random.Generator) -> Batch:
        if self.broken:
            raise RuntimeError("the disk is on fire")
        self.draws += 1
        self.drawn.release()
        return Batch(rng.standard_normal((n, 1)).astype(np.float32), None)


def threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "minigan-loader"]


@pytest.fixture(autouse=True)
def no_thread_survives() -> Iterator[None]:
    yield
    for thread in threads():
        thread.join(timeout=30)
    assert not threads()


def assert_same(a: Batch, b: Batch) -> None:
    np.testing.assert_array_equal(a.x, b.x)
    np.testing.assert_array_equal(a.labels, b.labels)


@pytest.mark.parametrize("name", ["kittens", "digits", "ring", "gaussian1d"])
def test_iteration_gives_the_batches_of_their_positions(name: str) -> None:
    data = open_data(name)
    with Loader(data, 5, seed=3, start=2) as loader:
        for i in range(2, 9):
            assert loader.position == i
            assert_same(next(loader), Loader(open_data(name), 5, seed=3).batch(i))
        assert loader.position == 9
        resumed = Loader(data, 5, seed=3, start=loader.position, prefetch=1)
        with resumed:
            assert_same(next(resumed), next(loader))


@given(st.integers(1, 30), st.integers(1, 30), st.integers(0, 2**40), st.integers(0, 3))
def test_an_epoch_shows_each_example_once_but_for_the_partial_batch(
    n: int, batch_size: int, seed: int, epoch: int
) -> None:
    batch_size = min(n, batch_size)
    loader = Loader(numbers(n), batch_size, seed=seed)
    per_epoch = loader.batches_per_epoch
    assert per_epoch == n // batch_size
    batches = [loader.batch(epoch * per_epoch + k) for k in range(per_epoch)]
    seen = np.concatenate([b.labels[:, 0] for b in batches])
    assert all(len(b.x) == batch_size for b in batches)
    assert len(set(seen.tolist())) == len(seen) == per_epoch * batch_size
    np.testing.assert_array_equal(np.concatenate([b.x[:, 0] for b in batches]), seen)


@given(st.lists(st.integers(0, 25), min_size=1))
def test_a_batch_does_not_depend_on_those_asked_for_before(positions: list[int]) -> None:
    used = Loader(numbers(7), 3, seed=1)
    for i in positions:
        assert_same(used.batch(i), Loader(numbers(7), 3, seed=1).batch(i))


def test_epochs_and_seeds_shuffle_differently() -> None:
    orders = {
        tuple(Loader(numbers(20), 20, seed=seed).batch(epoch).labels[:, 0])
        for seed in range(5)
        for epoch in range(5)
    }
    assert len(orders) == 25


def test_every_order_of_an_epoch_is_as_likely() -> None:
    orders = [tuple(Loader(numbers(3), 3, seed=7).batch(e).labels[:, 0]) for e in range(1200)]
    counts = [orders.count(order) for order in set(orders)]
    assert len(counts) == 6
    # 200 each on average, standard deviation 13
    assert 140 < min(counts) <= max(counts) < 260


def test_endless_batches_differ_by_position_and_seed() -> None:
    ring = open_data("ring")
    batches = {Loader(ring, 4, seed=s).batch(i).x.tobytes() for s in range(5) for i in range(5)}
    assert len(batches) == 25


def test_endless_batches_share_no_random_numbers() -> None:
    loader = Loader(open_data("gaussian1d"), 500, seed=0)
    drawn = np.concatenate([loader.batch(i).x[:, 0] for i in range(4)])
    # Overlapping streams would repeat hundreds; float32 leaves a few chance repetitions.
    assert len(np.unique(drawn)) > len(drawn) - 20


class Varied(InMemory):
    """Every batch with a number of its own added."""

    def vary(self, batch: Batch, rng: np.random.Generator) -> Batch:
        return batch._replace(x=np.full_like(batch.x, rng.standard_normal()))


def test_variations_differ_by_position_and_seed_and_share_nothing_with_draws() -> None:
    def first(data: Dataset, scale: float = 1.0, shift: float = 0.0) -> set[float]:
        numbers = [Loader(data, 1, seed=s).batch(i).x[0, 0] for s in range(4) for i in range(6)]
        return {round((float(x) - shift) / scale, 3) for x in numbers}

    seen = first(Varied("varied", np.zeros((8, 1), np.float32)))
    assert len(seen) == 24
    assert not seen & first(gaussian1d(mu=4.0, sigma=1.25), 1.25, 4.0)


def test_the_data_is_no_function_of_noise_from_the_same_seed() -> None:
    line = open_data("gaussian1d")
    x = Loader(line, 500, seed=11).batch(0).x[:, 0]
    for generator in (np.random.Philox(key=11), np.random.PCG64(11), np.random.Philox(11)):
        z = np.random.Generator(generator).standard_normal(500)
        assert abs(np.corrcoef(x, z)[0, 1]) < 0.2  # standard deviation 0.045 if independent


def test_batch_moves_nothing_and_may_be_asked_while_iterating() -> None:
    with Loader(numbers(50), 4, seed=0) as loader:
        expected = [loader.batch(i) for i in range(40)]
        for i, batch in zip(range(40), loader, strict=False):
            loader.batch(39 - i)
            assert_same(batch, expected[i])


def test_at_most_prefetch_batches_wait() -> None:
    data = Failing()
    with Loader(data, 1, seed=0, prefetch=3) as loader:
        next(loader)
        for _ in range(4):  # the one that was taken and three that wait
            assert data.drawn.acquire(timeout=30)
        assert not data.drawn.acquire(timeout=0.2)
        next(loader)
        assert data.drawn.acquire(timeout=30)
    assert data.draws == 5


def test_an_error_in_the_thread_reaches_the_consumer_with_its_traceback() -> None:
    data = Failing()
    data.broken = True
    loader = Loader(data, 2, seed=0, start=4)
    with pytest.raises(RuntimeError, match="on fire") as caught:
        next(loader)
    assert "draw" in [frame.name for frame in traceback.extract_tb(caught.value.__traceback__)]
    assert loader.position == 4
    assert not threads()
    data.broken = False  # and the same position works once the fault is gone
    assert_same(next(loader), loader.batch(4))
    loader.close()


def test_batches_made_before_an_error_still_arrive() -> None:
    data = Failing()
    with Loader(data, 2, seed=0, prefetch=2) as loader:
        next(loader)
        for _ in range(3):
            assert data.drawn.acquire(timeout=30)
        data.broken = True
        assert_same(next(loader), Loader(Failing(), 2, seed=0).batch(1))
        assert_same(next(loader), Loader(Failing(), 2, seed=0).batch(2))
        with pytest.raises(RuntimeError, match="on fire"):
            next(loader)


def test_closing_stops_the_thread_and_the_iteration() -> None:
    loader = Loader(numbers(5), 1, seed=0)
    next(loader)
    assert len(threads()) == 1
    loader.close()
    loader.close()
    assert not threads()
    with pytest.raises(OptionError, match="closed; make another with start=position"):
        next(loader)
    assert len(loader.batch(0).x) == 1


def test_a_loader_that_never_iterated_starts_no_thread() -> None:
    with Loader(numbers(5), 1, seed=0):
        assert not threads()


def test_leaving_a_loop_early_by_an_error_closes() -> None:
    loader = Loader(numbers(5), 1, seed=0)

    def consume() -> None:
        with loader:
            for _ in loader:
                raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        consume()
    assert not threads()


def test_a_forgotten_loader_is_collected_with_its_thread() -> None:
    loader = Loader(numbers(5), 1, seed=0)
    next(loader)
    (thread,) = threads()
    gone = weakref.ref(loader)
    del loader
    gc.collect()
    assert gone() is None
    thread.join(timeout=30)
    assert not thread.is_alive()


def test_an_open_loader_does_not_hold_up_the_interpreter() -> None:
    script = (
        "from minigan.data import Loader, open_data\n"
        "loader = Loader(open_data('kittens'), 64, seed=0)\n"
        "print(next(loader).x.shape)\n"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", script], capture_output=True, text=True, timeout=120
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "(64, 32, 32, 3)\n", "")


def test_a_batch_larger_than_the_data_is_refused() -> None:
    with pytest.raises(OptionError, match=r"batch size 6 is more than the 5 examples of numbers; "):
        Loader(numbers(5), 6, seed=0)
    assert Loader(numbers(5), 5, seed=0).batches_per_epoch == 1
    assert Loader(open_data("ring"), 6, seed=0).batches_per_epoch is None


@pytest.mark.parametrize("given", ["ring", np.zeros((5, 2), np.float32)])
def test_what_is_no_data_set_is_refused(given: object) -> None:
    with pytest.raises(OptionError, match=f"a data set, not {type(given).__name__}: minigan.open_"):
        Loader(given, 1, seed=0)


@pytest.mark.parametrize(
    ("option", "value"), [("batch_size", 0), ("seed", -1), ("start", -1), ("prefetch", 0)]
)
def test_impossible_numbers_are_refused(option: str, value: int) -> None:
    options = {"batch_size": 1, "seed": 0} | {option: value}
    with pytest.raises(OptionError, match=f"{option.replace('_', ' ')} {value}: give a whole"):
        Loader(numbers(5), **options)
