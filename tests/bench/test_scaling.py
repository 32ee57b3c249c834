"""Fits that find the law behind exact times, and never a negative cost."""

import pytest

from bench.errors import BenchError
from bench.scaling import SWEEPS, Sweep, fit
from bench.work import Work


@pytest.mark.parametrize(
    ("axis", "law", "coefficients"),
    [
        ("batch", lambda n: 3 + 0.5 * n, (3, 0.5)),
        ("size", lambda s: 1 + 0.01 * s * s, (1, 0.01)),
        ("width", lambda w: 2 + 0.1 * w + 0.03 * w * w, (2, 0.1, 0.03)),
    ],
)
def test_an_exact_law_is_found(axis, law, coefficients):
    values = [8, 16, 32, 64, 128]
    found = fit(axis, values, [law(v) for v in values])
    assert found.coefficients == pytest.approx(coefficients)
    assert found.worst < 1e-9
    assert found.at(100) == pytest.approx(law(100))


def test_small_points_count_as_large_ones():
    found = fit("batch", [1, 2, 256], [1.0, 1.1, 30.0])
    assert found.worst < 0.1


def test_no_cost_is_negative():
    found = fit("batch", [1, 10], [1.0, 20.0])
    assert min(found.coefficients) == 0
    assert str(found).startswith("t = 0 + ")


def test_the_sweeps_cover_what_they_should():
    ends = {s.axis: (s.values[0], s.values[-1]) for s in SWEEPS}
    assert ends["batch"] == (1, 256)
    assert ends["size"] == (16, 128)
    assert all(work.arch == "dcgan" for s in SWEEPS for work in s.works())


def test_an_illegal_value_is_refused():
    with pytest.raises(BenchError, match="--size 50"):
        Sweep("size", (32, 50), Work.of("dcgan", 32, 8, 8)).works()
