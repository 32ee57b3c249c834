"""The source distribution, and the wheel made of it.

The wheel is tried in a fresh environment with nothing but the core dependencies."""

import os
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import tomllib
import venv
import zipfile
from pathlib import Path

import pytest

from minigan.version import __version__

ROOT = Path(__file__).parents[1]
# Not part of the source: environments, results, and what earlier builds left, which would get in.
OTHERS = (".*", "runs", "build", "dist", "_build", "*.egg-info", "__pycache__")
LITTER = (
    "tests/__pycache__/test_wheel.cpython-311.pyc",
    "docs/_build/html/index.html",
    "docs/.ipynb_checkpoints/fifty-lines.ipynb",
    "bench/.cache/rows.json",
    "runs/demo/config.json",
    ".ci/run",
)
LICENCE = "MIT AND CC-BY-4.0"
ALONE = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "PYTHONHOME")}


def execute(*command: object, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(c) for c in command], cwd=cwd, env=ALONE, capture_output=True, text=True
    )


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with `source`, a copy in use, and `dist`, what the build system makes of it.

    The wheel is built from the source distribution, so that this one is complete enough for it.
    """
    place = tmp_path_factory.mktemp("wheel")
    index = execute(
        *(sys.executable, "-m", "pip", "download", "--no-deps", "--retries", "1"),
        *("--quiet", "--dest", place / "probe", "setuptools>=77"),
        cwd=place,
    )
    if index.returncode:
        pytest.skip(f"pip reaches no package index: {index.stderr.strip().splitlines()[-1]}")
    shutil.copytree(ROOT, place / "source", ignore=shutil.ignore_patterns(*OTHERS))
    for name in LITTER:
        (place / "source" / name).parent.mkdir(parents=True, exist_ok=True)
        (place / "source" / name).write_text("{}")
    build = execute(
        *(sys.executable, "-m", "build", "--outdir", place / "dist", "."), cwd=place / "source"
    )
    assert build.returncode == 0, build.stdout + build.stderr
    return place


@pytest.fixture(scope="module")
def wheel(built: Path) -> Path:
    (found,) = (built / "dist").glob("*.whl")
    return found


@pytest.fixture(scope="module")
def fresh(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The commands of an environment that holds the wheel and what it depends on."""
    place = tmp_path_factory.mktemp("fresh") / "env"
    venv.create(place, with_pip=True)
    install = execute(place / "bin/pip", "install", "--quiet", wheel, cwd=place)
    assert install.returncode == 0, install.stderr
    return place / "bin"


def test_what_is_in_the_source_distribution(built: Path) -> None:
    """All that is kept of the project but what only its repository needs: the tests run there."""
    name = f"minigan-{__version__}"
    with tarfile.open(built / "dist" / f"{name}.tar.gz") as archive:
        names = {m.name.removeprefix(f"{name}/") for m in archive.getmembers() if m.isfile()}
    source = {
        str(path.relative_to(built / "source"))
        for path in (built / "source").rglob("*")
        if path.is_file() and "minigan.egg-info" not in path.parts
    }
    assert set(LITTER) < source
    for needed in ("tests/conftest.py", "tests/oracles/gan_twin.py", "bench/RESULTS.md", "NOTICE"):
        assert needed in source
    added = {"PKG-INFO", "setup.cfg"}  # by setuptools
    found = {n for n in names if not n.startswith("minigan.egg-info/")}
    assert found - added == source - added - set(LITTER)


def test_what_is_in_the_wheel(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    info = f"minigan-{__version__}.dist-info"
    assert {f"{info}/licenses/LICENSE", f"{info}/licenses/NOTICE"} <= names
    source = {
        str(path.relative_to(ROOT))
        for path in (ROOT / "minigan").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    source |= {f"minigan/kernels/{path.name}" for path in (ROOT / "kernels").glob("*.*")}
    assert "minigan/py.typed" in source
    assert any(name.startswith("minigan/data/embedded/") for name in source)
    assert {name for name in names if not name.startswith(info)} == source


def test_its_licence_is_the_code_s_and_the_pictures(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        said = archive.read(f"minigan-{__version__}.dist-info/METADATA").decode().splitlines()
    assert f"License-Expression: {LICENCE}" in said
    assert {"License-File: LICENSE", "License-File: NOTICE"} < set(said)


def test_the_licence_is_told_alike_everywhere() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["license"] == LICENCE
    for file in ("README.md", "NOTICE"):
        assert LICENCE in (ROOT / file).read_text(encoding="utf-8"), file
    assert "CC-BY-4.0" in (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    assert (ROOT / "LICENSE").read_text(encoding="utf-8").startswith("MIT License\n")


def test_only_the_core_is_there(fresh: Path, tmp_path: Path) -> None:
    for package in ("torch", "pytest", "hypothesis", "ruff", "cupy"):
        result = execute(fresh / "python", "-c", f"import {package}", cwd=tmp_path)
        assert f"No module named '{package}'" in result.stderr
    where = execute(fresh / "python", "-c", "import minigan; print(minigan.__file__)", cwd=tmp_path)
    assert Path(where.stdout.strip()).is_relative_to(fresh.parent)


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("train dcgan --size 16 --width 4 --batch 8 --steps 3 --out run", "3 steps done"),
        ("train gan --data digits --hidden-G 8 --hidden-D 8 --steps 2 --out b", "2 steps done"),
        ("gradcheck Dense", "1 of 1 within"),
        ("explain gan", "minigan/algorithms/gan.py:"),
        ("doctor", "blas threads"),
        ("list", "kittens"),
    ],
)
def test_it_works_from_anywhere(fresh: Path, tmp_path: Path, command: str, words: str) -> None:
    result = execute(fresh / "minigan", *command.split(), cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    assert words in result.stdout
    assert "Traceback" not in result.stderr


EVAL = "eval run --metrics kid --n 10"  # with a classifier of the package


def test_a_run_is_resumed_sampled_and_measured(fresh: Path, tmp_path: Path) -> None:
    train = "train dcgan --size 8 --width 2 --batch 4 --steps 2 --out run"
    for command in (train, "resume run --steps 1", "sample run --n 4 --out s.png", EVAL):
        result = execute(fresh / "minigan", *command.split(), cwd=tmp_path)
        assert result.returncode == 0, result.stderr
    assert (tmp_path / "s.png").stat().st_size > 100


# What a package without its dependencies can do: minigan itself imports none.
READ = """
from importlib import resources
text = (resources.files("minigan.kernels") / "activation.cu").read_text(encoding="utf-8")
assert '#include "common.cuh"' in text
"""
EXPAND = """
from minigan.cuda import sources
assert "activation" in sources.families()
assert "#include" not in sources.source("activation")
print(sources.folder() / "activation.cu")
"""


def test_a_kernel_is_loaded_from_the_wheel(fresh: Path, tmp_path: Path) -> None:
    result = execute(fresh / "python", "-c", READ + EXPAND, cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    assert Path(result.stdout.strip()).is_relative_to(fresh.parent)


def test_a_kernel_is_loaded_from_an_editable_installation(built: Path, tmp_path: Path) -> None:
    source = built / "source"
    venv.create(tmp_path / "env", with_pip=True)
    pip = ("install", "--quiet", "--no-deps", "--editable", source)
    install = execute(tmp_path / "env/bin/pip", *pip, cwd=tmp_path)
    assert install.returncode == 0, install.stderr
    (site,) = (tmp_path / "env/lib").glob("python*/site-packages")
    here = sysconfig.get_path("purelib")  # what minigan depends on; not where minigan is
    (site / "dependencies.pth").write_text(f"{here}\n")
    result = execute(tmp_path / "env/bin/python", "-c", READ, cwd=tmp_path)
    assert result.returncode == 0, result.stderr
