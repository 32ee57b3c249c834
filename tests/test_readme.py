"""What README shows is what happens."""

import re
from pathlib import Path

import pytest

from minigan.cli import main
from minigan.explain import equations

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_explanation_shown_is_the_real_one():
    shown = re.findall(r"^ {4}(minigan/\S+\.py):(\d+)\n {8}(.+)$", README, re.MULTILINE)
    assert shown
    real = {
        (str(line.path), str(line.number), line.code)
        for e in equations().values()
        for line in e.lines
    }
    assert set(shown) <= real


def test_the_library_example_runs():
    code = re.search(r"```python\n(.*?)```", README, re.DOTALL)[1]
    short = code.replace("range(2000)", "range(3)")
    assert short != code
    names = {}
    exec(compile(short, "README.md", "exec"), names)
    assert {"loss_D", "loss_G", "D(x)", "D(G(z))"} <= names["scalars"].keys()


@pytest.mark.parametrize("link", sorted(set(re.findall(r"\]\(([^)#:]+)\)", README))))
def test_links_lead_to_files(link):
    assert (ROOT / link).exists()


@pytest.mark.parametrize(
    "line", re.findall(r"^\.venv/bin/minigan (\w+ ?\w*).*$", README, re.MULTILINE)
)
def test_commands_shown_exist(line, capsys):
    command = line.split()
    with pytest.raises(SystemExit) as end:
        main([*(command if command[0] == "train" else command[:1]), "--help"])
    assert end.value.code == 0
    assert "Usage" in capsys.readouterr().out
