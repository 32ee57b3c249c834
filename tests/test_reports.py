"""What list, explain, gradcheck and doctor print."""

import itertools
import re
from collections.abc import Callable
from importlib.metadata import version

import numpy as np
import pytest
from threadpoolctl import threadpool_info

from minigan import reports
from minigan.errors import UnknownNameError
from minigan.explain import PACKAGE, contents, explain
from minigan.gradcheck import GradcheckError, Result, check_layer
from minigan.gradcheck_cases import CASES, Case
from minigan.layers import Tanh
from minigan.version import __version__

Printed = Callable[[], str]


@pytest.fixture
def printed(capsys: pytest.CaptureFixture[str]) -> Printed:
    return lambda: capsys.readouterr().out


# --- explain --------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["gan", "dcgan", "loss"])
def test_an_explanation_leads_to_the_code(printed: Printed, name: str) -> None:
    reports.print_explanation(name)
    lines = printed().splitlines()
    for equation in explain(name):
        assert f"({equation.id})  {equation.latex}" in lines
        assert equation.paper in lines
    places = [
        (match[1], int(match[2]), code.strip())
        for line, code in itertools.pairwise(lines)
        if (match := re.fullmatch(r" +(minigan/\S+\.py):(\d+)", line))
    ]
    assert len(places) == sum(len(e.lines) for e in explain(name))
    for path, number, code in places:
        text = (PACKAGE.parent / path).read_text().splitlines()[number - 1]
        assert code
        assert text.strip().startswith(code)


def test_every_name_is_listed(printed: Printed) -> None:
    reports.print_topics()
    rows = [line.split() for line in printed().splitlines() if line[1:2].strip()]
    found = {row[0]: int(row[1]) for row in rows[1:]}
    assert found == {name: len(equations) for name, equations in contents().items()}
    assert found["dcgan"] == len(explain("dcgan")) > 0


# --- gradcheck ------------------------------------------------------------------------------------


class Wrong(Tanh):
    """Half the gradient."""

    def backward(self, *arguments: object, **options: object) -> np.ndarray:
        return super().backward(*arguments, **options) / 2


def broken(rng: np.random.Generator) -> list[Result]:
    return check_layer(Wrong(), rng.standard_normal((2, 3)), rng=rng)


def test_every_case_is_a_row(printed: Printed) -> None:
    assert reports.print_gradcheck(None, seed=0) == 0
    out = printed()
    for case in CASES:
        row = rf"^ {case.kind} +{re.escape(case.name)} +[12] +\S.* +\d\.\de[-+]\d\d +ok"
        assert re.search(row, out, re.M), case.name
    assert "FAILED" not in out
    assert f"{len(CASES)} of {len(CASES)} within 1e-06 (float64)" in out


@pytest.mark.parametrize(
    ("name", "rows"),
    [
        ("Dense", {"Dense"}),
        ("BatchNorm", {"BatchNorm", "BatchNorm (evaluating)"}),
        ("BatchNorm (evaluating)", {"BatchNorm (evaluating)"}),
        ("minimax", {"minimax"}),
        ("mlp_generator", {"mlp_generator"}),
    ],
)
def test_a_name_chooses(printed: Printed, name: str, rows: set[str]) -> None:
    assert reports.print_gradcheck(name, seed=1) == 0
    out = printed()
    assert {c.name for c in CASES if re.search(rf" {re.escape(c.name)}  ", out)} == rows
    assert f"{len(rows)} of {len(rows)} within" in out


def test_a_name_that_is_none() -> None:
    with pytest.raises(UnknownNameError, match="'Dens'; did you mean 'Dense'"):
        reports.print_gradcheck("Dens", seed=0)


def test_a_wrong_gradient_fails(printed: Printed, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(GradcheckError) as error:
        broken(np.random.default_rng(0))
    good = [case for case in CASES if case.name in ("Tanh", "Dense")]
    monkeypatch.setattr(reports, "CASES", [good[0], Case("layer", "Wrong", broken), good[1]])
    assert reports.print_gradcheck(None, seed=0) == 1
    out = printed()
    assert re.search(r"^ layer +Wrong +.*FAILED", out, re.M)
    assert "2 of 3 within" in out
    assert out.count("ok") == 4  # those before and after it are checked all the same
    assert str(error.value).split()[0] in out
    assert reports.print_gradcheck("Wrong", seed=0) == 1


# --- doctor ---------------------------------------------------------------------------------------


def test_doctor_names_versions_and_threads(printed: Printed) -> None:
    reports.print_doctor()
    out = printed()
    for package in ("numpy", "scipy", "pillow", "safetensors"):
        assert re.search(rf"^ {package} +{re.escape(version(package))} *$", out, re.M)
    assert re.search(rf"^ minigan +{re.escape(__version__)} *$", out, re.M)
    assert re.search(r"^ processors +\d+ usable", out, re.M)
    blas = [pool for pool in threadpool_info() if pool["user_api"] == "blas"]
    assert blas
    for pool in blas:
        assert f"{pool['num_threads']} ({pool['internal_api']} {pool['version']}" in out
    assert re.search(r"^ CUDA driver +(not found|runs CUDA \d)", out, re.M)
    assert re.search(r"^ CuPy +(\d|not usable: CuPy is not installed; pip install)", out, re.M)


def test_doctor_names_what_confines_the_libraries(
    printed: Printed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENBLAS_CORETYPE", "[Haswell]")
    reports.print_doctor()
    assert "OPENBLAS_CORETYPE=[Haswell]: instructions as it says" in printed()
