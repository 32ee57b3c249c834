"""Warnings: each once until things get better, and the same after a resume."""

import numpy as np
import pytest

from minigan.algorithms import ALGORITHMS
from minigan.backend import make_rng
from minigan.data import Batch, Dataset
from minigan.training.log import Record
from minigan.training.watch import (
    COLLAPSE_FROM,
    COLLAPSED,
    SATURATED_LINES,
    SATURATED_LOSS,
    Watch,
    calmer,
    small_data,
    young_average,
)

LOW, HIGH = SATURATED_LOSS / 2, 1.0


def lines(losses: list[float]) -> list[Record]:
    return [{"step": step, "loss_D": loss} for step, loss in enumerate(losses, 1)]


def warned_at(records: list[Record], watch: Watch | None = None) -> list[int]:
    watch = watch or Watch([])
    return [record["step"] for record in records for _ in watch.look(record)]


N = SATURATED_LINES
SATURATION = {
    "just long enough": ([LOW] * N, [N]),
    "too short": ([LOW] * (N - 1) + [HIGH], []),
    "once, however long": ([LOW] * (4 * N), [N]),
    "again after it got better": ([LOW] * N + [HIGH] + [LOW] * N, [N, 2 * N + 1]),
    "begun anew": ([LOW] * (N - 1) + [HIGH] + [LOW] * N, [2 * N]),
    "at the bound": ([SATURATED_LOSS] * (2 * N), []),
}


@pytest.mark.parametrize("case", SATURATION)
def test_saturation(case: str) -> None:
    losses, expected = SATURATION[case]
    assert warned_at(lines(losses)) == expected


@pytest.mark.parametrize(
    ("name", "given", "said"),
    [
        ("gan", {}, "--lr 0.005, or --clip-norm 1"),
        ("gan", {"lr": 1e30, "clip_norm": 5.0}, "--lr 0.05, or --clip-norm 0.5"),
        ("dcgan", {"lr_D": 0.1}, "--lr 2e-05 --lr-D 0.01, or --clip-norm 1"),
        ("biggan", {}, "--lr-G 0.0002 --lr-D 5e-05, or --clip-norm 1"),
        ("aae", {}, "--lr 2e-05 --lr-game 1e-05, or --clip-norm 1"),
    ],
)
def test_what_to_try_where_numbers_ran_away(name: str, given: dict[str, float], said: str) -> None:
    assert calmer(ALGORITHMS[name].options(**given)) == said


def drawn(diversity: dict[int, float]) -> list[Record]:
    return [{"step": step, "loss_D": HIGH, "diversity": d} for step, d in diversity.items()]


LATE = COLLAPSE_FROM
LESS, MORE = COLLAPSED / 2, 2 * COLLAPSED
COLLAPSE = {
    "early": ({0: LESS, LATE - 1: LESS}, []),
    "from the first step that counts": ({LATE: LESS}, [LATE]),
    "once, however long": ({LATE: LESS, LATE + 1: LESS, LATE + 2: LESS}, [LATE]),
    "again after it got better": ({LATE: LESS, 400: MORE, 500: LESS}, [LATE, 500]),
    "at the bound": ({LATE: COLLAPSED}, []),
}


@pytest.mark.parametrize("case", COLLAPSE)
def test_collapse(case: str) -> None:
    diversity, expected = COLLAPSE[case]
    assert warned_at(drawn(diversity)) == expected


@pytest.mark.parametrize(
    "records",
    [
        *[lines(losses) for losses, _ in SATURATION.values()],
        *[drawn(diversity) for diversity, _ in COLLAPSE.values()],
    ],
)
def test_a_resumed_run_warns_as_if_it_had_not_stopped(records: list[Record]) -> None:
    for cut in range(len(records)):
        before = [*records[:cut], {"step": cut, "warning": "lines of other kinds are passed over"}]
        last = max((r["step"] for r in records[:cut]), default=-1)
        expected = [step for step in warned_at(records) if step > last]
        assert warned_at(records[cut:], Watch(before)) == expected


def test_warnings_say_what_was_seen_and_what_to_try() -> None:
    watch = Watch([])
    said = [w for record in [*lines([LOW] * N), *drawn({LATE: 0.123})] for w in watch.look(record)]
    assert len(said) == 2
    assert f"below {SATURATED_LOSS} for {SATURATED_LINES} logged lines" in said[0]
    assert "--lr" in said[0]
    assert "0.12 times as much as the data" in said[1]
    assert "--seed" in said[1]


class Sized(Dataset):
    """A data set of any size."""

    def __init__(self, size: int | None) -> None:
        super().__init__("sized", (2,))
        self._size = size

    @property
    def size(self) -> int | None:
        return self._size

    def draw(self, n: int, rng: np.random.Generator) -> Batch:
        return Batch(rng.standard_normal((n, 2)).astype(np.float32), None)


@pytest.mark.parametrize(
    ("size", "batch", "warns"), [(79, 8, True), (80, 8, False), (8, 8, True), (None, 8, False)]
)
def test_few_examples(size: int | None, batch: int, warns: bool) -> None:
    dataset = Sized(size)
    assert dataset.draw(1, make_rng(0)).x.shape == (1, 2)
    warning = small_data(dataset, batch)
    assert (warning is not None) == warns
    if warning:
        assert f"{size} examples make only {size // batch} batches of {batch}" in warning
        assert "smaller --batch" in warning


def test_an_average_that_stays_untrained() -> None:
    """0.999^300 = 0.74 of what samples are drawn from is what G began with."""
    said = young_average(0.999, 300)
    assert said is not None
    assert "74% will be the untrained ones after 300 steps; try --ema 0.985 or less" in said
    assert young_average(0.985, 300) is None
    assert young_average(0.999, 3000) is None
    assert young_average(0.999, 0) is None
