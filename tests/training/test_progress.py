"""What a person sees: lines where there is no terminal, a live bar where there is one."""

import io
import re

import pytest
from rich.console import Console

from minigan.training import progress
from minigan.training.progress import SECONDS_BETWEEN_LINES, ProgressReport, scalars

RECORD = {"step": 1, "loss_D": 1.25, "loss_G": 0.5, "D(x)": 0.75, "D(G(z))": 0.125, "other": 9.0}
SHOWN = "loss_D 1.250  loss_G 0.500  D(x) 0.750  D(G(z)) 0.125"


class Clock:
    """Seconds that pass when told."""

    def __init__(self) -> None:
        self.now = 100.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(progress, "time", clock)
    return clock


@pytest.mark.parametrize(
    ("record", "shown"),
    [
        (
            {"GAN_G": 1, "cycle_x": 2, "grad_norm_G": 8, "loss_D_X": 3, "loss_D_Y": 4, "score": 5},
            "GAN_G 1.000  cycle_x 2.000  loss_D_X 3.000  loss_D_Y 4.000",
        ),
        ({"ELBO": -2, "reconstruction": 1, "KL": 1}, "ELBO -2.000  reconstruction 1.000"),
        ({f"loss_G{i}": i for i in range(9)}, "  ".join(f"loss_G{i} {i}.000" for i in range(5))),
    ],
)
def test_every_algorithm_has_numbers_to_show(record: dict[str, float], shown: str) -> None:
    assert scalars({"step": 1, **record}) == shown


def test_lines_now_and_then_without_a_terminal(clock: Clock) -> None:
    out = io.StringIO()
    with ProgressReport(40, 100, Console(file=out)) as report:
        for step in range(41, 101):
            clock.now += 0.5
            report.update(step, RECORD if step % 3 == 0 else None)
    lines = out.getvalue().splitlines()
    # The first logged step after every 10 seconds, 20 steps; at 0.5 seconds a step.
    assert lines == [
        f"step 60/100  {SHOWN}  20 s left",
        f"step 81/100  {SHOWN}  10 s left",
    ]


def test_the_last_step_has_its_line(clock: Clock) -> None:
    out = io.StringIO()
    with ProgressReport(0, 2, Console(file=out)) as report:
        report.update(1, RECORD)
        report.update(2, RECORD)
    assert out.getvalue() == f"step 2/2  {SHOWN}  0 s left\n"


def test_no_line_is_broken_or_read_as_markup(clock: Clock) -> None:
    out = io.StringIO()
    with ProgressReport(0, 2, Console(file=out, width=20)) as report:
        report.say("warning: [bold]a long line of text, longer than the console is wide")
    assert out.getvalue().splitlines() == [
        "warning: [bold]a long line of text, longer than the console is wide"
    ]


def visible(text: str) -> str:
    """Without the codes that move and colour."""
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", text)


def test_a_terminal_shows_everything() -> None:
    out = io.StringIO()
    console = Console(file=out, force_terminal=True, width=140)
    with ProgressReport(0, 50, console) as report:
        for step in range(1, 26):
            report.update(step, RECORD if step == 25 else None)
        report.say("warning: D is saturated")
    shown = visible(out.getvalue())
    assert "warning: D is saturated" in shown
    last = [line for line in shown.splitlines() if "25/50" in line][-1]
    assert SHOWN in last
    assert re.search(r"0:00:\d\d left (--:--|\d\d:\d\d)", last)
    assert SECONDS_BETWEEN_LINES > 1
    assert "step 25/50" not in shown  # no lines beside the bar
