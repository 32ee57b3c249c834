"""Is it the same person? Measured on translations whose quality is known."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from minigan.data.ages import PERSON, AgedFaces
from minigan.data.kittens import Kittens
from minigan.data.relabelled import Relabelled
from minigan.errors import DataError
from minigan.metrics import METRICS, measure
from minigan.metrics.persons import CROWD
from minigan.metrics.relabelling import RelabelSubject

N = 12
DATA = Relabelled(AgedFaces(32, split="test"), ("age",))


def subject(**made: Any) -> RelabelSubject:
    return RelabelSubject(made, DATA, split="test")


def truth(x: Any, wanted: Any) -> Any:
    """The true faces: those of the subject's wish, or of x where x's own age is wanted."""
    wished = subject(G=truth).wished(N)
    assert np.array_equal(x, wished.x)
    return DATA.truth(wished.parts, wanted)


def stranger(x: Any, wanted: Any) -> Any:
    """Somebody else of that age."""
    parts = subject(G=truth).wished(N).parts.copy()
    parts[:, PERSON] = np.roll(parts[:, PERSON], 1)
    return DATA.truth(parts, wanted)


def unchanged(x: Any, wanted: Any) -> Any:
    return x


def test_the_truth_is_found_and_a_stranger_is_not() -> None:
    """Each way has its values; the first has no name behind them."""
    result = measure("persons", subject(G=truth, stranger=stranger, unchanged=unchanged), N)
    of = result.values
    assert of["own"] == 0 < of["others"]
    assert of["found"] == of["recognised"] == of["returned"] == 1
    assert of["as asked"] >= 0.8
    assert of["found (stranger)"] < 0.5
    assert of["recognised (stranger)"] < 0.5
    assert of["own (stranger)"] > 0.5 * of["others (stranger)"]
    assert of["as asked (stranger)"] >= 0.8
    assert of["returned (unchanged)"] == 1
    assert of["as asked (unchanged)"] <= 0.5
    assert of["own (unchanged)"] < of["own (stranger)"] + of["others (stranger)"]
    assert result.n_fake == N
    assert result.n_real == N * CROWD
    assert "faces-ages" in result.extractor


def test_others_are_other_persons_of_that_age_on_that_photograph() -> None:
    """What is measured of a stranger does not depend on which ways stand beside it."""
    alone = measure("persons", subject(G=stranger), N).values
    beside = measure("persons", subject(G=truth, other=stranger), N).values
    assert {f"{key} (other)": value for key, value in alone.items()}.items() <= beside.items()


def test_other_measures_see_every_way() -> None:
    found = measure("l1", subject(G=truth, unchanged=unchanged), N).values
    assert found["error"] == 0
    assert found["error (unchanged)"] == pytest.approx(found["untranslated"])


def test_only_faces_have_persons() -> None:
    kittens = Relabelled(Kittens(32), ("body",))
    assert not METRICS["persons"].takes(kittens)
    assert not METRICS["persons"].takes(AgedFaces(32))
    with pytest.raises(DataError, match="metric 'persons' needs faces-ages"):
        measure("persons", RelabelSubject({"G": unchanged}, kittens, split="train"), N)
