"""The page as text: what is in it, what cannot be in it, and that it says the same twice."""

import base64
import hashlib
import html
import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from minigan.report.page import names, page
from minigan.report.run import read
from tests.report.support import write_picture, write_run

EVIL = "<img src=x onerror=alert(1)>"


class Tags(HTMLParser):
    """The start tags of a page with their attributes, and the text of its scripts."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.scripts: list[str] = []
        self.inside = False
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self.inside = tag == "script"
        self.scripts += [""] if self.inside else []

    def handle_endtag(self, tag: str) -> None:
        self.inside = False

    def handle_data(self, data: str) -> None:
        if self.inside:
            self.scripts[-1] += data  # it may come in parts


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_run(tmp_path / "run")


def data_of(text: str) -> dict[str, Any]:
    found = json.loads(Tags(text).scripts[0])
    assert isinstance(found, dict)
    return found


def test_it_is_self_contained(folder: Path) -> None:
    text = page([read(folder)], walks=[b"a picture"])
    for tag, attributes in Tags(text).tags:
        for name in ("src", "href", "srcset", "action", "data", "poster"):
            value = attributes.get(name)
            assert value is None or value.startswith(("data:", "#")), (tag, value)
    style = re.search(r"<style>(.*?)</style>", text, re.DOTALL)[1]
    assert "url(" not in style
    assert "@import" not in style
    script = Tags(text).scripts[1]
    addresses = set(re.findall(r"\w+://[^\"]*", script))
    assert addresses == {"http://www.w3.org/2000/svg"}  # a name, not a place


def test_only_its_own_script_may_run(folder: Path) -> None:
    text = page([read(folder)])
    tags = Tags(text)
    policy = next(a["content"] for t, a in tags.tags if "http-equiv" in a)
    style = re.search(r"<style>(.*?)</style>", text, re.DOTALL)[1]
    digests = [
        f"'sha256-{base64.b64encode(hashlib.sha256(part.encode()).digest()).decode()}'"
        for part in (style, tags.scripts[1])
    ]
    assert policy == (
        f"default-src 'none'; style-src {digests[0]}; script-src {digests[1]}; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )
    assert not any(name.startswith("on") for _, attributes in tags.tags for name in attributes)
    assert not any("style" in attributes for _, attributes in tags.tags)


def test_the_data_are_those_of_the_run(folder: Path) -> None:
    found = data_of(page([read(folder)]))
    (run,) = found["runs"]
    assert (run["done"], run["steps"], run["title"]) == (40, 40, "dcgan on kittens")
    assert [frame["step"] for frame in run["frames"]] == [0, 10, 20, 30, 40]
    for frame in run["frames"]:
        picture = base64.b64decode(frame["pictures"]["samples"].partition(",")[2])
        assert picture == (folder / f"samples/step_{frame['step']:06d}.png").read_bytes()
    assert run["curves"]["loss_G"] == [[step, 0.7 + step / 100] for step in range(5, 41, 5)]
    assert run["curves"]["diversity"] == [[step, step / 50] for step in (10, 20, 30, 40)]
    assert run["warnings"] == [{"step": 20, "text": "D is saturated; try a lower --lr"}]
    assert "seconds" not in run["curves"]


def test_what_is_said_of_a_run(folder: Path) -> None:
    (folder / "eval.json").write_text(
        json.dumps(
            [{"metric": "kid", "values": {"value": 0.123456789}, "protocol": "unbiased", "seed": 3}]
        )
    )
    text = html.unescape(page([read(folder)], walks=[b"a picture"]))
    for words in (
        "<h1>dcgan on kittens</h1>",
        "40 of 40 steps",
        "batch 64 · seed 0 · cpu",
        "value <b>0.123457</b>",
        "unbiased",
        "Latent walk",
        base64.b64encode(b"a picture").decode(),
        "Goodfellow et al. 2014",
        "minigan/algorithms/gan.py:",
        "<math",
        "beta1",
        "Not set: momentum",
    ):
        assert words in text


def test_nothing_depends_on_where_or_when(folder: Path, tmp_path: Path) -> None:
    first = page([read(folder)])
    moved = folder.rename(tmp_path / "another name")
    lines = (moved / "log.jsonl").read_text()
    (moved / "log.jsonl").write_text(re.sub(r'"seconds": [\d.]+', '"seconds": 9.9', lines))
    assert page([read(moved)]) == first


def test_what_a_user_named_is_text(tmp_path: Path) -> None:
    run = read(
        write_run(
            tmp_path / EVIL,
            data=f"/{EVIL}",
            warnings=[(20, f"</script><script>alert(1)</script>{EVIL}")],
        )
    )
    other = read(write_run(tmp_path / "other"))
    (run.folder / "eval.json").write_text(
        json.dumps([{"metric": EVIL, "values": {EVIL: EVIL}, "protocol": EVIL}])
    )
    for text in (page([run], notes=[EVIL]), page([read(run.folder), other])):
        tags = Tags(text)
        assert "onerror" not in {name for _, attributes in tags.tags for name in attributes}
        assert len([t for t, _ in tags.tags if t == "script"]) == 2
        assert "<img src=x" not in text
        assert EVIL in html.unescape(text)
        said = data_of(text)["runs"][0]["warnings"][0]["text"]
        assert said == f"</script><script>alert(1)</script>{EVIL}"


def test_two_runs(folder: Path, tmp_path: Path) -> None:
    other = write_run(tmp_path / "other", steps=20, drawn=[0, 20], options={"lr": 0.5}, seed=4)
    runs = [read(folder), read(other)]
    assert names(runs) == ["A: run", "B: other"]
    text = page(runs, walks=[b"one", None])
    found = data_of(text)
    assert [run["name"] for run in found["runs"]] == ["A: run", "B: other"]
    assert [run["done"] for run in found["runs"]] == [40, 20]
    assert all(len(panel["names"]) == 1 for panel in found["panels"])
    differing = re.findall(r'<tr class="differs">\s*<th scope="row">(\w+)', text)
    assert differing == ["lr", "steps", "seed", "sample_every", "checkpoint_every"]


def test_two_folders_of_one_name_are_told_apart(tmp_path: Path) -> None:
    runs = [read(write_run(tmp_path / place / "run")) for place in "xy"]
    assert names(runs) == [f"A: {tmp_path}/x/run", f"B: {tmp_path}/y/run"]


def test_a_schedule_s_length_is_said_where_there_is_one(tmp_path: Path) -> None:
    constant, linear = (
        page([read(write_run(tmp_path / name, options={"schedule": name}))])
        for name in ("constant", "linear")
    )
    assert "schedule_steps" not in constant
    assert "schedule_steps" in linear


@pytest.mark.parametrize("left", ["config.json", "log.jsonl", "samples"])
def test_a_run_of_which_one_thing_is_left(folder: Path, left: str) -> None:
    for path in [*folder.glob("*.*"), *folder.glob("samples/*")]:
        if left not in path.parts[-2:]:
            path.unlink()
    run = read(folder)
    text = html.unescape(page([run]))
    assert ("config.json is missing" in text) == (left != "config.json")
    assert len(data_of(text.replace("&", ""))["runs"][0]["frames"]) == 5 * (left == "samples")


def test_a_large_film_stays_where_it_is(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_picture(folder / "samples.gif", shade=3)
    assert "data:image/gif" in page([read(folder)])
    monkeypatch.setattr("minigan.report.page.FILM_BYTES", 10)
    text = page([read(folder)])
    assert "data:image/gif" not in text
    assert "Too large for this page; it lies in the run's folder." in text


def test_source_that_is_being_edited(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(config: dict[str, Any]) -> None:
        raise ValueError("equation gan.1 is declared twice")

    monkeypatch.setattr("minigan.report.equations.of_run", fail)
    text = page([read(folder)])
    assert "the equations cannot be read from the source: equation gan.1 is declared twice" in text
    assert "<math" not in text
