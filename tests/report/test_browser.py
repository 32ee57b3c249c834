"""The report in a real browser: what a person sees, presses and reads."""

import base64
import re
from itertools import pairwise
from pathlib import Path

import pytest
from playwright.sync_api import expect

from minigan.report import write_report
from minigan.report.page import page
from minigan.report.run import read
from tests.report.conftest import PATIENCE, Open, Opened
from tests.report.support import write_run

PHONE = {"width": 360, "height": 740}
EACH = 300  # milliseconds that a playing report of five steps shows each of them
EVIL = "<img src=x onerror=alert(1)>"


@pytest.fixture(scope="module")
def single(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report of one run."""
    folder = write_run(tmp_path_factory.mktemp("single") / "run", reconstructions=True)
    return write_report([folder])


@pytest.fixture(scope="module")
def double(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report of two runs, one of them with a name that would like to be markup."""
    place = tmp_path_factory.mktemp("double")
    first = write_run(place / EVIL, warnings=[(20, EVIL)])
    second = write_run(place / "second", steps=60, drawn=[0, 15, 60], options={"lr": 0.1})
    return write_report([first, second], place / "both.html")


def step(opened: Opened) -> str:
    return str(opened("document.getElementById('now').textContent"))


def reach(opened: Opened, wanted: str) -> None:
    """Wait for the player to come to a step and stay there."""
    expect(opened.page.locator("#now")).to_have_text(wanted, timeout=PATIENCE)


def values(opened: Opened, chart: int = 0) -> str:
    """Where a chart is read, and what its legend says."""
    caption = opened(
        f"document.querySelectorAll('.chart figcaption')[{chart}].lastChild.textContent"
    )
    legend = opened(f"document.querySelectorAll('.legend')[{chart}].innerText")
    return f"{caption}: {' '.join(legend.split())}"


@pytest.mark.parametrize("which", ["single", "double"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_is_fetched_and_nothing_goes_wrong(
    request: pytest.FixtureRequest, open_page: Open, which: str, scheme: str
) -> None:
    path = request.getfixturevalue(which)
    opened = open_page(path, color_scheme=scheme)
    opened.page.click("#play")
    opened.page.click("summary >> nth=0")
    opened.page.hover(".plot >> nth=1")
    reach(opened, "step 40" if which == "single" else "step 60")  # through to the end
    assert [url for url in opened.requests if not url.startswith("data:")] == [path.as_uri()]
    assert opened.said == []
    assert opened("document.querySelectorAll('[onerror]').length") == 0
    assert opened("document.querySelectorAll('math').length") > 3
    broken = "[...document.images].filter((i) => i.complete && !i.naturalWidth).length"
    assert opened(broken) == 0


def test_the_slider_changes_the_picture(single: Path, open_page: Open) -> None:
    opened = open_page(single)
    assert step(opened) == "step 40"
    pictures = {opened.picture}
    for wanted in (30, 20, 10, 0):
        opened.page.focus("#step")
        opened.page.keyboard.press("ArrowLeft")
        assert step(opened) == f"step {wanted}"
        assert values(opened).startswith(f"step {max(wanted, 0)}")
        pictures.add(opened.picture)
    assert len(pictures) == 5
    own = read(single.parent).frames[0].pictures["samples"].read_bytes()
    assert base64.b64decode(opened.picture.partition(",")[2]) == own
    alternatives = opened("[...document.querySelectorAll('.pictures img')].map((i) => i.alt)")
    assert alternatives == [
        "dcgan on kittens: samples at step 0",
        "dcgan on kittens: reconstruction at step 0",
    ]
    opened.page.keyboard.press("End")
    assert step(opened) == "step 40"


@pytest.mark.parametrize("press", ["button", "space on the slider", "space on the page"])
def test_play_goes_through_to_the_end(single: Path, open_page: Open, press: str) -> None:
    opened = open_page(single, stopped=True)
    label = "document.getElementById('play').ariaLabel"
    if press == "button":
        opened.page.click("#play")
    else:
        if press == "space on the slider":
            opened.page.focus("#step")
        opened.page.keyboard.press(" ")
    shown = []
    while opened(label) == "Pause":
        shown.append(step(opened))
        opened.wait(EACH)
    assert [*shown, step(opened)] == [f"step {s}" for s in (0, 10, 20, 30, 40)]
    opened.wait(10 * EACH)
    assert (step(opened), opened(label)) == ("step 40", "Play")


def test_play_is_stopped_where_it_is(single: Path, open_page: Open) -> None:
    opened = open_page(single, stopped=True)
    opened.page.click("#play")
    opened.wait(EACH)
    assert step(opened) == "step 10"
    opened.page.keyboard.press("Enter")  # the button has the focus
    opened.wait(10 * EACH)
    assert step(opened) == "step 10"


def test_everything_is_reached_by_the_tab_key(single: Path, open_page: Open) -> None:
    opened = open_page(single)
    reached = []
    for _ in range(40):
        opened.page.keyboard.press("Tab")
        reached.append(
            opened(
                "(({ariaLabel, innerText, tagName}) => ariaLabel || innerText || tagName)"
                "(document.activeElement)"
            )
        )
        if reached[-1] == "BODY":
            break
    order = ["Skip to the samples", "Samples", "Curves", "Configuration", "Equations", "Play"]
    assert reached[: len(order) + 1] == [*order, "Training step"]
    assert reached[7].startswith("Film of the fixed z")
    assert reached[8] == "step 20"  # the warning
    assert reached[9] == "losses: values at a step"
    assert any(words.startswith("Equation gan.1") for words in reached)


def test_values_at_the_pointer(single: Path, open_page: Open) -> None:
    opened = open_page(single)
    assert values(opened) == "step 40: loss_D 1 loss_G 1.1"
    box = opened.page.locator(".plot").nth(0).bounding_box()
    assert box is not None
    inside = box["x"] + 46 + (box["width"] - 56) * 0.51  # step 20.4 of 40
    opened.page.mouse.move(inside, box["y"] + 50)
    assert values(opened) == "step 20: loss_D 1.2 loss_G 0.9"
    assert values(opened, 1).startswith("step 20: D(x) 0.6 D(G(z)) 0.4")
    opened.page.mouse.move(5, 5)
    assert values(opened) == "step 40: loss_D 1 loss_G 1.1"
    opened.page.mouse.click(inside, box["y"] + 50)
    assert step(opened) == "step 20"


def test_values_by_the_keyboard(single: Path, open_page: Open) -> None:
    opened = open_page(single)
    plot = opened.page.locator(".plot").nth(0)
    plot.focus()
    opened.page.keyboard.press("ArrowLeft")
    assert values(opened) == "step 35: loss_D 1.05 loss_G 1.05"
    assert plot.get_attribute("aria-valuetext") == "step 35: loss_D 1.05, loss_G 1.05"
    assert plot.get_attribute("aria-valuenow") == "35"
    opened.page.keyboard.press("Home")
    assert values(opened).startswith("step 5:")
    opened.page.keyboard.press("Tab")
    assert values(opened).startswith("step 40:")


def test_curves_lie_where_their_values_are(single: Path, open_page: Open) -> None:
    opened = open_page(single)
    paths = opened(
        "[...document.querySelectorAll('.chart')[0].querySelectorAll('.plot .curve')]"
        ".map((p) => p.getAttribute('d'))"
    )
    (falling, rising) = (
        [tuple(map(float, point.split())) for point in re.split("[ML]", d)[1:]] for d in paths
    )
    assert len(falling) == len(rising) == 8
    for curve, values_ in (
        (falling, [1.4 - s / 100 for s in range(5, 41, 5)]),
        (rising, [0.7 + s / 100 for s in range(5, 41, 5)]),
    ):
        # x and y are linear in step and value, y downwards.
        for (x, y), s, v in zip(curve, range(5, 41, 5), values_, strict=True):
            assert x == pytest.approx(
                falling[0][0] + (s - 5) * (falling[7][0] - falling[0][0]) / 35, abs=0.2
            )
            share = (v - 0.75) / (1.35 - 0.75)
            assert y == pytest.approx(
                rising[0][1] + share * (falling[0][1] - rising[0][1]), abs=0.2
            )
    assert falling[0][1] < rising[0][1]
    norms = opened(
        "document.querySelectorAll('.chart')[2].querySelector('.plot .curve').getAttribute('d')"
    )
    heights = [float(point.split()[1]) for point in re.split("[ML]", norms)[1:]]
    steps = [b - a for a, b in pairwise(heights)]
    assert 10 < max(steps) < min(steps) + 0.3  # powers of ten are evenly spread on a log scale


def test_warnings_stand_where_they_happened(single: Path, open_page: Open) -> None:
    opened = open_page(single)
    for chart in range(4):
        at = opened(
            f"document.querySelectorAll('.plot')[{chart}].querySelector('.warned').getAttribute('x1')"
        )
        width = opened(f"document.querySelectorAll('.plot')[{chart}].clientWidth")
        assert float(at) == pytest.approx(46 + (width - 56) / 2, abs=1)  # step 20 of 40
    assert "D is saturated; try a lower --lr" in opened(
        "document.getElementById('warnings').innerText"
    )
    opened.page.click(".warnings button")
    assert step(opened) == "step 20"


def test_two_runs_move_together(double: Path, open_page: Open) -> None:
    opened = open_page(double)
    pictures = "[...document.querySelectorAll('.reel')].map((r) => r.querySelector('img').alt)"
    shown = []
    for _ in range(7):
        shown.append([int(alt.rpartition(" ")[2]) for alt in opened(pictures)])
        opened.page.focus("#step")
        opened.page.keyboard.press("ArrowLeft")
    assert shown == [[40, 60], [40, 15], [30, 15], [20, 15], [10, 15], [10, 0], [0, 0]]
    opened.page.keyboard.press("End")
    assert values(opened) == f"step 60: A: {EVIL} 1 B: second 0.8"
    assert opened.page.locator(".chart >> nth=0").locator(".plot .curve").count() == 2
    assert EVIL in opened("document.body.innerText")


@pytest.mark.parametrize("which", ["single", "double"])
def test_a_phone_does_not_scroll_sideways(
    request: pytest.FixtureRequest, open_page: Open, which: str
) -> None:
    opened = open_page(request.getfixturevalue(which), viewport=PHONE, has_touch=True)
    assert opened("document.documentElement.scrollWidth") <= 360
    beyond = """[...document.querySelectorAll("main img, .plot, .controls, h1, h2, #step")]
        .filter((e) => e.offsetParent && e.getBoundingClientRect().right > 360).length"""
    assert opened(beyond) == 0
    for size in opened("['#play', '#step'].map((s) => document.querySelector(s).clientHeight)"):
        assert size >= 32  # a finger's


COLOURS = """(() => {
  const body = getComputedStyle(document.body);
  const rgb = (c) => c.match(/[\\d.]+/g).slice(0, 3).map(Number);
  const all = ["a", ".facts", "h1", ".legend b", ".settings th", ".id", ".place",
               ".warnings button", ".plot text"];
  const curves = [...document.querySelectorAll(".plot .curve")];
  return {
    ground: rgb(body.backgroundColor),
    text: Object.fromEntries(all.map((s) => {
      const style = getComputedStyle(document.querySelector(s));
      return [s, rgb(s === ".plot text" ? style.fill : style.color)];
    })),
    curves: curves.map((curve) => rgb(getComputedStyle(curve).stroke)),
  };
})()"""


def luminance(rgb: list[float]) -> float:
    """WCAG 2.2, relative luminance."""
    linear = [
        c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in (v / 255 for v in rgb)
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(a: list[float], b: list[float]) -> float:
    high, low = sorted((luminance(a), luminance(b)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def test_light_and_dark_can_be_read(single: Path, open_page: Open) -> None:
    grounds = []
    for scheme in ("light", "dark"):
        colours = open_page(single, color_scheme=scheme)(COLOURS)
        ground = colours["ground"]
        grounds.append(luminance(ground))
        for what, colour in colours["text"].items():
            assert contrast(colour, ground) >= 4.5, (scheme, what)
        for colour in colours["curves"]:
            assert contrast(colour, ground) >= 3, scheme
    assert grounds[0] > 0.9
    assert grounds[1] < 0.02


def test_reduced_motion(single: Path, open_page: Open) -> None:
    opened = open_page(single, stopped=True, reduced_motion="reduce")
    assert opened("getComputedStyle(document.documentElement).scrollBehavior") == "auto"
    opened.page.click("#play")  # asked for, so it plays, and slowly
    opened.wait(999)
    assert step(opened) == "step 0"
    opened.wait(1)
    assert step(opened) == "step 10"
    assert opened("document.querySelector('details.film').open") is False


def test_a_run_without_pictures_or_lines(tmp_path: Path, open_page: Open) -> None:
    folder = write_run(tmp_path / "run", drawn=[], steps=0, warnings=[])
    (folder / "log.jsonl").unlink()
    path = tmp_path / "page.html"
    path.write_text(page([read(folder)]))
    opened = open_page(path)
    assert opened.said == []
    assert opened("['no-samples', 'no-curves'].map((i) => document.getElementById(i).hidden)") == [
        False,
        False,
    ]
    assert opened("document.querySelector('.controls').hidden")


def test_without_a_script_there_is_the_rest(single: Path, open_page: Open) -> None:
    opened = open_page(single, java_script_enabled=False)
    text = opened.page.inner_text("body")
    assert "drawn by this page's own script" in text
    assert "beta1" in text
