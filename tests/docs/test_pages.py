"""The study pages: their code runs, their commands work, and they build without a warning."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
import warnings
from pathlib import Path

import nbformat
import numpy as np
import pytest
from nbclient import NotebookClient
from PIL import Image

from bench.cli import cli as bench
from minigan.algorithms import ALGORITHMS
from minigan.cli import main
from minigan.cli.commands import cli
from tests.docs.commands import commands_in, options_of, unknown_in

DOCS = Path(__file__).parents[2] / "docs"
PAGES = sorted(path for path in DOCS.rglob("*.md") if "_build" not in path.parts)
PYTHON = re.compile(r"^```python\n(.*?)^```", re.DOTALL | re.MULTILINE)
CONSOLE = re.compile(r"^\$ minigan (.*)$", re.MULTILINE)
CODE = re.compile(r"(?<!`)`([^`]+)`(?!`)")
OPTION = re.compile(r"(?<![\w-])--[a-zA-Z][\w-]*")


def name_of(page: Path) -> str:
    return str(page.relative_to(DOCS))


def with_python() -> list[Path]:
    return [page for page in PAGES if PYTHON.search(page.read_text(encoding="utf-8"))]


@pytest.mark.parametrize("page", with_python(), ids=name_of)
def test_code_in_pages_runs(page: Path) -> None:
    """The blocks of a page one after the other, in one scope; line numbers are the page's."""
    text = page.read_text(encoding="utf-8")
    scope: dict[str, object] = {}
    for block in PYTHON.finditer(text):
        above = text[: block.start(1)].count("\n")
        exec(compile("\n" * above + block[1], str(page), "exec"), scope)


def test_the_way_from_a_clone_works(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """docs/start.md, and README, line for line, at a size that takes seconds."""
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    Path("pictures").mkdir()
    for i in range(20):
        Image.fromarray(rng.integers(0, 256, (20, 24, 3), np.uint8)).save(f"pictures/{i}.png")
    lines = CONSOLE.findall((DOCS / "start.md").read_text(encoding="utf-8"))
    assert len(lines) > 8
    assert CONSOLE.findall((DOCS.parent / "README.md").read_text(encoding="utf-8")) == lines
    smaller = {"2000": "3", "500": "2", "32": "8", "64": "4"}
    for line in lines:
        words = [smaller.get(word, word) for word in shlex.split(line)]
        if words[0] == "train":
            words += ["--batch", "4"]
        with pytest.raises(SystemExit) as ended:
            main(words)
        assert not ended.value.code, line
    for made in ("runs/kittens/report.html", "walks.png", "mine.png", "G.onnx", "G.py"):
        assert Path(made).stat().st_size > 0, made
    assert not list(Path("runs/mine/checkpoints").glob("*.unfinished"))


def test_commands_in_pages_exist() -> None:
    """Every command of every page, with its options."""
    for page in PAGES:
        for words in commands_in(page.read_text(encoding="utf-8")):
            assert not unknown_in(words), f"{page}: {words}"


def test_options_in_sentences_exist() -> None:
    """What stands in `code` between two marks: an option of minigan or of its benchmarks."""
    known = options_of(cli) | options_of(bench) | {"--help"}
    assert {"--d-sees", "--divergence", "--wide"} <= known
    for page in PAGES:
        for code in CODE.findall(page.read_text(encoding="utf-8")):
            named = set(OPTION.findall(code))
            assert named <= known, f"{page}: {named - known}"


def test_every_system_has_a_page() -> None:
    """Each algorithm of the catalogue is explained on one of the pages of systems."""
    texts = "".join(page.read_text(encoding="utf-8") for page in (DOCS / "systems").glob("*.md"))
    explained = set(re.findall(r"^\$ minigan train ([\w-]+)", texts, re.MULTILINE))
    assert set(ALGORITHMS) <= explained


def test_the_notebook_runs() -> None:
    """Executed anew, with a tenth of its steps; and it is stored with what it gave."""
    notebook = nbformat.read(DOCS / "fifty-lines.ipynb", as_version=4)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    lines = [line for cell in code for line in cell.source.splitlines() if line.strip()]
    assert len(lines) <= 50
    pictures = [o for cell in code for o in cell.outputs if "image/png" in o.get("data", {})]
    assert len(pictures) == 2
    for cell in code:
        assert not any(o.output_type == "error" for o in cell.outputs)
        cell.source = cell.source.replace("{0, 300, 1000, 3000}", "{0, 30, 100, 300}")
    assert "{0, 30, 100, 300}" in code[-1].source
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the kernel's transport
        NotebookClient(notebook, timeout=900).execute()
    (said,) = [o for o in code[-1].outputs if o.output_type == "stream" and o.name == "stdout"]
    assert re.fullmatch(r"D\(x\) 0\.\d\d, D\(G\(z\)\) 0\.\d\d\n", said.text)


def test_the_pages_build_without_a_warning(tmp_path: Path) -> None:
    """`make docs`: a broken link, an unknown equation or a page outside the tree is an error."""
    command = [sys.executable, "-m", "sphinx", "-W", "--keep-going", "-n", "-q", "-b", "html"]
    source = tmp_path / "docs"
    shutil.copytree(DOCS, source, ignore=shutil.ignore_patterns("_build"))
    built = tmp_path / "html"
    done = subprocess.run(
        [*command, str(source), str(built)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    page = (built / "backward.html").read_text(encoding="utf-8")
    assert "<math" in page
    fetched = re.findall(r'<(?:script|link|img)\b[^>]*\b(?:src|href)="(https?:[^"]+)"', page)
    assert not fetched, "the pages open from disk, without a network"
