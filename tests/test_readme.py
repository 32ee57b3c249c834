"""What README shows is what happens."""

import re
from pathlib import Path

import pytest

from minigan.explain import equations
from tests.docs.commands import commands_in, unknown_in

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


@pytest.mark.parametrize("words", commands_in(README), ids=" ".join)
def test_commands_shown_exist(words):
    """With their options, as on the study pages."""
    assert not unknown_in(words)


def test_every_line_that_shows_a_command_is_looked_at():
    lines = [line for line in README.splitlines() if re.match(r"\$ |\.venv/bin/minigan", line)]
    assert len(commands_in(README)) == len(lines) > 30
    assert sum(line.startswith("$ .venv/bin/") for line in lines) > 3


@pytest.mark.parametrize(
    ("line", "unknown"),
    [
        ("$ minigan train dcgan --with 3", ["--with"]),
        ("$ .venv/bin/minigan train dcgan --width 3 --no-such", ["--no-such"]),
        (".venv/bin/minigan tran dcgan", ["tran"]),
        (".venv/bin/minigan train dcgam", ["dcgam"]),
        ("$ minigan report runs/mine --serv=9000", ["--serv"]),
        ("$ minigan report runs/mine --serve=9000  # --serv", []),
    ],
)
def test_a_wrong_command_would_be_seen(line, unknown):
    (words,) = commands_in(f"Text.\n{line}\nminigan report --more\n")
    assert unknown_in(words) == unknown
