"""Ways through z, on generators whose pictures say which z they are made of."""

import math
from collections.abc import Callable
from pathlib import Path
from shlex import split

import numpy as np
import pytest
from scipy import stats

from minigan.algorithms.codes.prior import CodePrior
from minigan.backend import make_rng
from minigan.data import open_data
from minigan.data.kittens import NAMES
from minigan.errors import OptionError, UnknownNameError
from minigan.prior import Prior
from minigan.training import latent_tools
from minigan.training.latent_tools import (
    Arithmetic,
    Interpolation,
    Source,
    StyleGrid,
    Traversal,
    Truncation,
)
from minigan.training.latent_tools.attributes import parse
from minigan.training.latent_tools.walks import truncated
from tests.training.support import Finished, error_line

Command = Callable[..., Finished]
RNG = make_rng(0)


class Plain:
    """Its samples are z itself."""

    def __init__(self, prior):
        self.prior = prior

    def generate(self, z):
        return z


class Labelled(Plain):
    """Its samples are z and the labels."""

    label_names = {"a": ("x", "y", "w")}  # noqa: RUF012

    def generate(self, z, labels):
        return np.concatenate([z, labels], 1)

    def draw_labels(self, n, rng):
        return rng.integers(3, size=(n, 1))


class Painter(Plain):
    """Kittens with a black hat where z_1 > 0 and glasses where z_2 > 0, all else alike."""

    def generate(self, z):
        labels = np.zeros((len(z), 5), int)
        labels[:, 2] = np.where(z[:, 2] > 0, NAMES["eyes"].index("glasses"), 0)
        hat, none = (NAMES["accessory"].index(name) for name in ("black hat", "none"))
        labels[:, 4] = np.where(z[:, 1] > 0, hat, none)
        return KITTENS.compose(labels)


KITTENS = open_data("kittens")
NORMAL = Prior("normal", 4, np.float64)
CODES = CodePrior(Prior("normal", 3, np.float64), categorical=(4,), continuous=1, scale=0.5)


def source(prior=NORMAL, kind=Plain, labels=None):
    return Source(kind(prior), open_data("ring"), labels)


def cube(sheet, rows):
    return sheet.x.reshape(rows, sheet.columns, -1)


def test_a_straight_way_when_asked_for():
    straight = cube(Interpolation(5, "linear").sheet(source(), 3, make_rng(1)), 3)
    a, b, t = straight[:, :1], straight[:, -1:], np.linspace(0, 1, 5)[:, None]
    np.testing.assert_allclose(straight, (1 - t) * a + t * b, atol=1e-12)
    great = cube(Interpolation(5).sheet(source(), 3, make_rng(1)), 3)
    np.testing.assert_allclose(great[:, [0, -1]], straight[:, [0, -1]], atol=1e-12)
    assert np.abs(great - straight).max() > 0.01
    uniform = source(Prior("uniform", 4, np.float64))
    lengths = Interpolation(3, "spherical").sheet(uniform, 2, make_rng(1))
    assert np.abs(cube(lengths, 2) - cube(Interpolation(3).sheet(uniform, 2, make_rng(1)), 2)).any()


def test_codes_go_straight_between_noise_on_a_circle():
    rows = cube(Interpolation(3).sheet(source(CODES), 6, make_rng(2)), 6)
    middle = (rows[:, 0] + rows[:, 2]) / 2
    np.testing.assert_allclose(rows[:, 1, 3:], middle[:, 3:], atol=1e-6)
    assert np.abs(rows[:, 1, :3] - middle[:, :3]).max() > 0.01


def test_one_number_moves_and_the_rest_stays():
    rows = cube(Traversal("2", -1.5, 3.0, 4).sheet(source(), 3, make_rng(0)), 3)
    np.testing.assert_allclose(rows[:, :, 2], np.tile([-1.5, 0, 1.5, 3], (3, 1)))
    rest = np.delete(rows, 2, axis=2)
    np.testing.assert_array_equal(rest, np.repeat(rest[:, :1], 4, axis=1))
    assert len(np.unique(rest[:, 0, 0])) == 3
    usual = cube(Traversal("0").sheet(source(), 1, make_rng(0)), 1)
    assert (usual[0, 0, 0], usual[0, -1, 0], usual.shape[1]) == (-2, 2, 8)


def test_a_categorical_code_shows_every_class():
    rows = cube(Traversal("c1").sheet(source(CODES), 2, make_rng(0)), 2)
    np.testing.assert_array_equal(rows[:, :, 3:7], [np.eye(4)] * 2)
    rest = np.delete(rows, range(3, 7), axis=2)
    np.testing.assert_array_equal(rest, np.repeat(rest[:, :1], 4, axis=1))


def test_a_continuous_code_goes_through_its_range():
    rows = cube(Traversal("c2", columns=5).sheet(source(CODES), 1, make_rng(0)), 1)
    np.testing.assert_allclose(rows[0, :, 7], np.linspace(-1, 1, 5))
    same = cube(Traversal("7", columns=5).sheet(source(CODES), 1, make_rng(0)), 1)
    np.testing.assert_array_equal(same, rows)


class Pulled(Plain):
    """Truncates in a space of its own."""

    def truncate(self, z, psi):
        return psi * z


def test_a_space_of_its_own_is_truncated_there():
    rows = cube(Truncation((0.5, 1.0, 0.0001)).sheet(source(kind=Pulled), 4, make_rng(0)), 4)
    np.testing.assert_allclose(rows[:, 0], rows[:, 1] / 2)
    np.testing.assert_allclose(rows[:, 2], rows[:, 1] / 10000)
    assert len(np.unique(rows[:, 1, 0])) == 4


@pytest.mark.parametrize(
    ("tool", "says"),
    [
        (Traversal("4"), "--traverse 4: z has the numbers 0 to 3"),
        (Traversal("1", 2.0, 1.0), "from --low 2.0 to --high 1.0: wanted low below high"),
        (Traversal("1", math.nan), "wanted low below high"),
        (Truncation((1.0, 0.0)), "wanted thresholds above 0"),
        (StyleGrid(2), "--mix-styles takes a generator with styles"),
    ],
)
def test_refused(tool, says):
    with pytest.raises(OptionError, match=says):
        tool.sheet(source(), 2, make_rng(0))


def test_parts_of_z_that_are_not_there():
    with pytest.raises(UnknownNameError, match=r"unknown part of z to traverse 'c3'.*c1"):
        Traversal("c3").sheet(source(CODES), 2, make_rng(0))
    with pytest.raises(OptionError, match="categorical code c1; give --traverse c1"):
        Traversal("5").sheet(source(CODES), 2, make_rng(0))
    with pytest.raises(OptionError, match="shows the 4 classes of a code, which has no --low"):
        Traversal("c1", low=0.0).sheet(source(CODES), 2, make_rng(0))


def test_truncated_numbers_have_the_truncated_distribution():
    u = np.linspace(0.001, 0.999, 25)
    for t in (0.1, 1.0, 3.0):
        np.testing.assert_allclose(truncated(u, t), stats.truncnorm(-t, t).ppf(u), atol=1e-9)


def test_a_truncation_sweep():
    sheet = Truncation((0.2, 1.0, 4.0)).sheet(source(), 50, make_rng(0))
    rows = cube(sheet, 50)
    for column, t in enumerate((0.2, 1.0, 4.0)):
        assert 0.5 * min(t, 2) < np.abs(rows[:, column]).max() <= t
    assert (np.sign(rows[:, 0]) == np.sign(rows[:, 2])).all()  # the same quantile of each
    coded = cube(Truncation((0.5, 2.0)).sheet(source(CODES), 9, make_rng(0)), 9)
    assert np.abs(coded[:, 1, :3]).max() <= 0.5 * 2  # in units of the noise's scale
    np.testing.assert_array_equal(coded[:, 0, 3:], coded[:, 1, 3:])


def test_uniform_numbers_are_cut_off_too():
    uniform = source(Prior("uniform", 4, np.float64))
    rows = cube(Truncation((0.25, 1.0, 3.0)).sheet(uniform, 99, make_rng(0)), 99)
    assert 0.24 < np.abs(rows[:, 0]).max() <= 0.25
    np.testing.assert_allclose(rows[:, 0], rows[:, 1] / 4, atol=1e-12)
    np.testing.assert_array_equal(rows[:, 1], rows[:, 2])  # there is nothing beyond 1


def test_labels_stay_fixed_along_a_row():
    labels = np.array([[2], [0], [1]])
    tools = Traversal("1", columns=4), Interpolation(4), Truncation((0.5, 1.0, 2.0, 3.0))
    for tool in tools:
        rows = cube(tool.sheet(source(kind=Labelled, labels=labels), 3, make_rng(0)), 3)
        np.testing.assert_array_equal(rows[:, :, -1], np.repeat(labels, 4, axis=1))
    rows = cube(Traversal("1", columns=2).sheet(source(kind=Labelled, labels=labels), 5, RNG), 5)
    np.testing.assert_array_equal(rows[:, 0, -1], [2, 0, 1, 2, 0])  # fewer labels come again


def test_the_source_of_a_conditional_run_draws_its_labels():
    data = open_data("ring")
    assert latent_tools.source_of(object(), data, None, 3, make_rng(0)) is None
    assert latent_tools.source_of(Plain(NORMAL), data, None, 3, make_rng(0)).labels is None
    drawn = latent_tools.source_of(Labelled(NORMAL), data, None, 3, make_rng(0)).labels
    assert drawn.shape == (3, 1)
    given = latent_tools.source_of(Labelled(NORMAL), data, np.array([[1]]), 3, make_rng(0))
    np.testing.assert_array_equal(given.labels, [[1]])


# --- arithmetic -----------------------------------------------------------------------------------


def kittens():
    return Source(Painter(Prior("normal", 4)), KITTENS)


def test_terms():
    assert parse("accessory=black hat - accessory=none + eyes=glasses") == [
        (1, "accessory", "black hat"),
        (-1, "accessory", "none"),
        (1, "eyes", "glasses"),
    ]
    assert parse("- a=b-c") == [(-1, "a", "b-c")]
    for wrong in ("", "hat", "a= - b=c", "a=b -", "a=b + - c=d"):
        with pytest.raises(OptionError, match="is no attribute; give"):
            parse(wrong)


def test_a_direction_is_the_difference_of_means(monkeypatch):
    """z_1 > 0 is a hat: the means of both halves are sqrt(2 / pi) from 0, all else is alike."""
    source, seen = kittens(), []
    make = source.make
    monkeypatch.setattr(source, "make", lambda z, **how: seen.append(z) or make(z, **how))
    tool = Arithmetic("accessory=black hat - accessory=none", 0.0, 3.0, 4)
    sheet = tool.sheet(source, 2, make_rng(0))
    assert (sheet.x.shape, sheet.columns) == ((8, 32, 32, 3), 4)
    rows = seen[-1].reshape(2, 4, 4)
    steps = np.diff(rows, axis=1)
    expected = np.array([0, 2 * math.sqrt(2 / math.pi), 0, 0])
    # 4,096 draws: five standard errors of a difference of means, 2 / sqrt(4096) each.
    np.testing.assert_allclose(steps, np.tile(expected, (2, 3, 1)), atol=5 * 2 / math.sqrt(4096))
    assert seen[0].shape == (4096, 4)


def test_a_sum_is_a_place_beside_its_terms(monkeypatch):
    """glasses - round + black hat: with both."""
    source, seen = kittens(), []
    make = source.make
    monkeypatch.setattr(source, "make", lambda z, **how: seen.append(z) or make(z, **how))
    tool = Arithmetic("accessory=black hat - eyes=round + eyes=glasses")
    sheet = tool.sheet(source, 3, make_rng(0))
    rows = seen[-1].reshape(3, 4, 4)
    assert sheet.columns == 4
    assert (rows[:, 0, 1] > 0).all()
    assert (rows[:, 1, 2] <= 0).all()
    assert (rows[:, 2, 2] > 0).all()
    first, others = rows[0, 3], rows[1:, 3]
    assert first[1] > 0.5
    assert first[2] > 1
    assert 0 < np.abs(others - first).max() <= 0.25 + 1e-6


@pytest.mark.parametrize(
    ("expression", "says"),
    [
        ("accessory=none + eyes=round", "adds up to 2"),
        ("- accessory=none", "adds up to -1"),
        ("accessory=none + eyes=round - fur=plain", "is a place.*no --low, --high or --columns"),
        ("accessory=red hat - accessory=none", "0 of 4096 samples show accessory=red hat"),
    ],
)
def test_arithmetic_refused(expression, says):
    with pytest.raises(OptionError, match=says):
        Arithmetic(expression, columns=3).sheet(kittens(), 2, make_rng(0))


def test_attributes_that_nobody_knows():
    with pytest.raises(UnknownNameError, match="did you mean 'black hat'"):
        Arithmetic("accessory=blck hat - accessory=none").sheet(kittens(), 2, make_rng(0))
    with pytest.raises(UnknownNameError, match="unknown label 'accesory'"):
        Arithmetic("accesory=none - eyes=round").sheet(kittens(), 2, make_rng(0))


def test_an_attribute_that_is_the_condition():
    painter = Painter(Prior("normal", 4))
    painter.label_names = {"accessory": NAMES["accessory"]}
    with pytest.raises(OptionError, match="takes as a condition: ask for it with --attr accessory"):
        Arithmetic("accessory=none - eyes=round").sheet(Source(painter, KITTENS), 2, RNG)


# --- style mixing ---------------------------------------------------------------------------------


class Styled(Plain):
    """Six layers; a sample says which z each layer had."""

    def generate(self, z, *labels):
        return self.mix(z, z, 0, *labels)

    def mix(self, z_a, z_b, crossover_layer, *labels):
        layers = [z_a if i < crossover_layer else z_b for i in range(6)]
        return np.stack([layer[:, 0] for layer in layers], 1).reshape(-1, 1, 6, 1)


def test_coarse_styles_of_the_row_and_fine_ones_of_the_column():
    sheet = StyleGrid(2, columns=3).sheet(source(kind=Styled), 4, make_rng(0))
    grid = sheet.x.reshape(5, 4, 6)
    assert sheet.columns == 4
    np.testing.assert_array_equal(grid[0, 0], 1)  # white
    for i in range(1, 5):
        for j in range(1, 4):
            np.testing.assert_array_equal(grid[i, j, :2], grid[i, 0, :2])
            np.testing.assert_array_equal(grid[i, j, 2:], grid[0, j, 2:])
    assert len(np.unique(grid[1:, 0, 0])) == 4


# --- the command line -----------------------------------------------------------------------------


def test_the_options_choose_a_tool():
    assert latent_tools.chosen() is None
    assert latent_tools.chosen(columns=3) is None
    assert latent_tools.chosen(interpolate=4, way="linear") == Interpolation(4, "linear")
    assert latent_tools.chosen(traverse="c1") == Traversal("c1")
    given = {"low": 0.0, "high": 1.0, "columns": 3}
    assert latent_tools.chosen(traverse="2", **given) == Traversal("2", 0.0, 1.0, 3)
    assert latent_tools.chosen(arithmetic="a=b", **given) == Arithmetic("a=b", 0.0, 1.0, 3)
    assert latent_tools.chosen(truncate=(1.0, 2.0)) == Truncation((1.0, 2.0))
    assert latent_tools.chosen(mix_styles=0, columns=2) == StyleGrid(0, 2)


REFUSED = {
    "--interpolate 3 --traverse 1": "--interpolate and --traverse are ways of their own",
    "--way linear": "--way is an option of --interpolate, not of plain samples",
    "--truncate 1 --low 2": "--low is an option of --traverse and --arithmetic, not of --truncate",
    "--interpolate 3 --high 2": "--high is an option of --traverse and --arithmetic",
    "--interpolate 3 --columns 4": "--columns is an option of --traverse and --arithmetic and --m",
    "--truncate 1 --columns 4": "and plain samples, not of --truncate",
    "--columns 4": "--columns arranges a grid in one .png: leave it out",
    "--single": "--single writes a folder of pictures, and --out",
    "--traverse c1": "unknown part of z to traverse 'c1'",
    "--traverse 4": "--traverse 4: z has the numbers 0 to 3",
    "--mix-styles 2": "--mix-styles takes a generator with styles",
    "--arithmetic a=b": "unknown label 'a'",
}


@pytest.mark.parametrize("options", REFUSED)
def test_refused_on_the_command_line(
    minigan: Command, perceptrons: Path, tmp_path, options
) -> None:
    out = tmp_path / "x.npz"
    result = minigan("sample", perceptrons, *split(options), "--n", 2, "--out", out)
    assert result.code == 1
    assert REFUSED[options] in error_line(result.err)
    assert not out.exists()


@pytest.mark.parametrize(
    ("options", "columns"),
    [
        ("--interpolate 3 --way spherical", 3),
        ("--traverse 1 --low -1 --high 2 --columns 5", 5),
        ("--truncate 0.5,1", 2),
    ],
)
def test_a_run_is_walked_through(minigan: Command, perceptrons, tmp_path, options, columns) -> None:
    out = tmp_path / "x.npz"
    result = minigan("sample", perceptrons, *split(options), "--n", 2, "--out", out)
    assert result.code == 0, result.err
    with np.load(out, allow_pickle=False) as archive:
        assert archive["x"].shape == (2 * columns, 8, 8, 1)


def test_numbers_that_are_none(minigan: Command, perceptrons: Path, tmp_path: Path) -> None:
    result = minigan("sample", perceptrons, "--truncate", "1;2", "--out", tmp_path / "x.npz")
    assert result.code == 2
    assert "'1;2' is not a list of numbers such as 0.2,0.5,1" in error_line(result.err)
