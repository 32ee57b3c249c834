"""Drawn faces at six ages: everybody ages in one way of their own."""

from itertools import pairwise

import numpy as np
import pytest

from minigan.backend import make_rng
from minigan.data import ages, faces, open_data
from minigan.data.ages import AGE, GROUPS, PERSON, PHOTOGRAPH, AgedFaces, Portraits, aged
from minigan.data.relabelled import Relabelled
from minigan.errors import OptionError

WHO = np.arange(1, 4000, 197)
OLDEST = len(GROUPS) - 1


def at(group: int, size: int = 32, photograph: int = 7) -> np.ndarray:
    """The people of WHO at one age, on one photograph."""
    parts = np.stack([np.full_like(WHO, group), WHO, np.full_like(WHO, photograph)], 1)
    return AgedFaces(size).compose(parts)


def test_a_face_is_always_the_same() -> None:
    data = open_data("faces-ages", size=16)
    first, again = (data.draw(5, make_rng(3)) for _ in range(2))
    np.testing.assert_array_equal(first.x, again.x)
    np.testing.assert_array_equal(first.labels, again.labels)
    assert data.label_names == {"age": ("0-18", "19-29", "30-39", "40-49", "50-59", "60+")}
    assert data.shape == (16, 16, 3)
    assert first.x.dtype == np.float32
    assert -1 <= first.x.min() < first.x.max() <= 1
    grey = open_data("faces-ages", size=16, channels=1)
    luminance = first.x @ np.array([0.299, 0.587, 0.114], np.float32)
    np.testing.assert_allclose(grey.draw(5, make_rng(3)).x[..., 0], luminance, atol=1e-6)


def test_the_splits_share_no_person_and_no_photograph() -> None:
    rng = make_rng(0)
    parts = {split: AgedFaces(16, split=split).parts(3000, rng) for split in ("train", "test")}
    for column in (PERSON, PHOTOGRAPH):
        assert (parts["test"][:, column] % 10 == 0).all()
        assert (parts["train"][:, column] % 10 != 0).all()
    shares = np.bincount(parts["train"][:, AGE], minlength=len(GROUPS)) / 3000
    np.testing.assert_allclose(shares, 1 / len(GROUPS), atol=0.03)


def test_the_same_person_is_nearer_than_others_at_every_age() -> None:
    """On one photograph, where the age is the same for all; neighbouring ages are alike."""
    pictures = [at(group) for group in range(len(GROUPS))]
    for group in range(1, OLDEST):
        apart = np.abs(pictures[group][:, None] - pictures[group + 1][None]).mean((2, 3, 4))
        assert (apart.argmin(1) == np.arange(len(WHO))).mean() > 0.6  # of 21 persons
    changes = [np.abs(a - b).mean() for a, b in pairwise(pictures)]
    assert min(changes) > 0.015
    assert np.abs(pictures[0] - pictures[-1]).mean() > max(changes[1:])


def test_what_years_do() -> None:
    """Hair turns grey, the forehead rises, lips and eyes narrow, lines come; a child is smaller."""
    photograph = np.full_like(WHO, 7)
    stages = [aged(np.full_like(WHO, group), WHO, photograph) for group in range(len(GROUPS))]
    (child, cheeks), (young, _), (old, lines) = stages[0], stages[1], stages[OLDEST]

    def grey(hair: np.ndarray) -> np.ndarray:
        return hair.max(1) - hair.min(1)

    assert (grey(old.hair) < 0.05).mean() > 0.7
    assert grey(old.hair).mean() < 0.3 * grey(young.hair).mean()
    assert (old.hair.mean(1) > young.hair.mean(1)).mean() > 0.8
    assert (old.fringe >= young.fringe).all()
    assert (old.fringe > 1.1 * young.fringe).mean() > 0.6
    assert (old.lips < 0.8 * young.lips).all()
    assert (old.eye_open < young.eye_open).all()
    assert (child.scale < young.scale).all()
    assert (child.eye_open > young.eye_open).all()
    assert (child.nose < young.nose).all()
    assert (cheeks.cheeks > 0).all()
    assert (lines.cheeks == 0).all()
    wrinkles = np.stack([marks.wrinkles for _, marks in stages])
    assert (np.diff(wrinkles, axis=0) >= 0).all()
    assert wrinkles[0].max() == 0 < wrinkles[-1].min()
    born = faces.shapes(WHO)
    np.testing.assert_array_equal(old.iris, born.iris)  # nobody's eyes change
    np.testing.assert_array_equal(old.paper, faces.shapes(photograph).paper)


def test_lines_are_on_the_skin_alone() -> None:
    """They darken some of the face, and leave paper and clothes."""
    of, lines = aged(np.full_like(WHO, OLDEST), WHO, np.full_like(WHO, 7))
    smooth, lined = (faces.draw(of, lines=marks, size=64) for marks in (None, lines))
    changed = np.abs(lined - smooth).max(-1) > 0.02
    assert (changed.mean((1, 2)) > 0.005).all()
    assert (changed.mean((1, 2)) < 0.15).all()
    assert (lined[changed].sum(-1) <= smooth[changed].sum(-1) + 1e-5).mean() > 0.99
    assert not changed[:, -4:].any()
    assert not changed[:, :, :6].any()


def test_portraits_say_who_it_is() -> None:
    few = Portraits(5)
    assert [*few.label_names] == ["age", "person"]
    assert few.label_names["person"] == ("1", "2", "3", "4", "5")
    x, labels = few.draw(40, make_rng(1))
    assert labels is not None
    assert set(labels[:, 1]) == set(range(5))
    assert x.shape == (40, 32, 32, 3)
    other = Portraits(5, "test")
    np.testing.assert_array_equal(other.people, few.people)
    assert (other.numbers % 10 == 0).all()


def test_the_truth_of_another_age_is_that_person() -> None:
    data = Relabelled(AgedFaces(16, split="test"), ("age",))
    assert data.known
    found = data.wished(12, make_rng(2))
    parts = found.parts.copy()
    np.testing.assert_array_equal(found.own[:, 0], parts[:, AGE])
    np.testing.assert_array_equal(data.data.compose(parts), found.x)
    parts[:, AGE] = found.wanted[:, 0]
    np.testing.assert_array_equal(data.data.compose(parts), found.y)
    assert found.others.shape == (12, 0)


@pytest.mark.parametrize("size", [15, 257, (32, 16)])
def test_a_size_that_cannot_be(size: int) -> None:
    with pytest.raises(OptionError, match="faces-ages of size"):
        open_data("faces-ages", size=size)


def test_years_are_of_their_groups() -> None:
    assert len(ages.YEARS) == len(GROUPS)
    assert (ages.YEARS[:, 0] < ages.YEARS[:, 1]).all()
    assert (ages.YEARS[1:, 0] > ages.YEARS[:-1, 1]).all()
