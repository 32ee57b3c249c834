"""`minigan data make` on tiny archives with the layout of the real ones; nothing is downloaded."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from minigan.data import open_pairs, open_references, open_sounds
from minigan.data.captions import open_captions
from minigan.data.make import RECIPES, avatars, make, packages, robots
from minigan.data.make.emoji import GOOGLE, TONES
from minigan.data.make.packages import Package, files_of
from minigan.data.wav import wav_bytes
from minigan.errors import DataError, MiniganError, OptionError, UnknownNameError

RED, BLUE = (200, 20, 20, 255), (20, 20, 200, 255)


def png(image: Image.Image) -> bytes:
    stream = io.BytesIO()
    image.save(stream, "PNG")
    return stream.getvalue()


def tgz(path: Path, files: dict[str, bytes]) -> Path:
    """As npm packs: below a folder called package."""
    with tarfile.open(path, "w:gz") as tar:
        for name, data in files.items():
            member = tarfile.TarInfo(f"package/{name}")
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    return path


def wheel(path: Path, files: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return path


def emoji_package(path: Path, vendor: str, colour: tuple[int, ...], left_out: str = "") -> Path:
    """A wave in all tones, a handshake in one and in two, a sun; each a square of its own size."""
    listed, place = [], 0
    sheet = Image.new("RGBA", (66 * 4, 66 * 4))

    def cell() -> dict[str, int]:
        nonlocal place
        column, row = divmod(place, 4)
        side = 20 + 2 * place
        square = Image.new("RGBA", (side, side), (*colour[:3], 255))
        sheet.paste(square, (66 * column + 1 + 10, 66 * row + 1 + 5))
        place += 1
        return {"sheet_x": column, "sheet_y": row}

    for name, tones in (
        ("waving_hand", list(TONES)),
        ("handshake", ["1F3FC", "1F3FD-1F3FB"]),
        ("sun", []),
    ):
        here = {f"has_img_{vendor}": name != left_out}
        toned = {code: {**cell(), **here} for code in tones}
        listed.append({"short_name": name, **cell(), **here, "skin_variations": toned})
    files = {"emoji.json": json.dumps(listed).encode(), f"img/{vendor}/sheets/64.png": png(sheet)}
    return tgz(path, files)


def test_emoji_of_two_vendors_are_pairs_with_captions(tmp_path: Path) -> None:
    google = emoji_package(tmp_path / "g.tgz", "google", RED)
    twitter = emoji_package(tmp_path / "t.tgz", "twitter", BLUE, left_out="sun")
    said = make("emoji", tmp_path / "out", size=32, places=[google, twitter])
    assert "1 picture in testA, 1 picture in testB, 8 pictures in trainA" in said
    pairs = open_pairs(str(tmp_path / "out"), aligned=True)
    assert len(pairs) == 8
    x, y = pairs.split(pairs.take(np.arange(8)).x)
    coloured = (x.min(-1) < 0) | (y.min(-1) < 0)
    assert coloured.any((1, 2)).all()
    assert ((x[..., 0] > x[..., 2]) == (y[..., 0] < y[..., 2]))[coloured].mean() > 0.9
    captions = json.loads((tmp_path / "out/captions.json").read_text())
    assert captions["trainA/waving_hand--medium-dark.png"] == "waving hand medium dark skin"
    assert captions["trainB/handshake--medium--light.png"] == "handshake medium and light skin"
    assert "trainA/handshake--medium-light.png" in captions
    assert len(open_captions(str(tmp_path / "out"))) == 16
    notice = (tmp_path / "out/NOTICE").read_text()
    assert "Apache License 2.0" in notice
    assert "CC-BY 4.0" in notice


def deb(path: Path, files: dict[str, bytes]) -> Path:
    """As dpkg packs: an ar archive of a version, and a tar from the root on."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:xz") as tar:
        for name, data in files.items():
            member = tarfile.TarInfo(f"./{name}")
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    parts = [b"!<arch>\n"]
    for name, data in (("debian-binary", b"2.0"), ("data.tar.xz", stream.getvalue())):
        header = f"{name:<16}{0:<12}{0:<6}{0:<6}{100644:<8}{len(data):<10}`\n"
        parts += [header.encode(), data, b"\n" * (len(data) % 2)]
    path.write_bytes(b"".join(parts))
    return path


def test_prompts_are_clean_speech_without_those_of_silence(tmp_path: Path) -> None:
    top, x = "usr/share/asterisk/sounds/en_US", np.sin(np.arange(300) / 5)
    prompts = {f"{top}/digits/{i}.wav": wav_bytes(0.1 * i * x, 8000) for i in range(1, 10)}
    silence = {f"{top}/silence/1.wav": wav_bytes(0 * x, 8000)}
    package = deb(tmp_path / "p.deb", {**prompts, **silence, f"{top}/notes.txt": b"words"})
    said = make("speech", tmp_path / "out", places=[package])
    assert said.endswith(
        "1 held out, 8 prompts to train with; minigan train segan --data " + str(tmp_path / "out")
    )
    found = {p.relative_to(tmp_path / "out").as_posix() for p in tmp_path.glob("out/*/*/*.wav")}
    assert found == {
        "test/clean/digits-1.wav",
        *(f"train/clean/digits-{i}.wav" for i in range(2, 10)),
    }
    stored = (tmp_path / "out/train/clean/digits-7.wav").read_bytes()
    assert stored == prompts[f"{top}/digits/7.wav"]
    assert "CC-BY-SA 3.0" in (tmp_path / "out/NOTICE").read_text()
    data = open_sounds(str(tmp_path / "out"), window=64, split="test")
    assert data.draw(2, np.random.default_rng(0)).x.shape == (2, 64, 2)


def test_what_is_no_debian_package_with_prompts_is_refused(tmp_path: Path) -> None:
    empty = deb(tmp_path / "empty.deb", {"usr/share/doc/readme": b"words"})
    with pytest.raises(DataError, match=r"asterisk-core-sounds-en-wav=1\.6\.1-1 holds no prompts"):
        make("speech", tmp_path / "out", places=[empty])
    (tmp_path / "other.deb").write_bytes(b"no archive")
    with pytest.raises(DataError, match=r"other\.deb is no Debian package: it holds no data\.tar"):
        make("speech", tmp_path / "out", places=[tmp_path / "other.deb"])


def test_a_cell_of_the_sheet_is_cut_out_exactly(tmp_path: Path) -> None:
    """Its border is left out; the last emoji's square is 20 + 2 k wide, 10 from the left."""
    google = emoji_package(tmp_path / "g.tgz", "google", RED)
    twitter = emoji_package(tmp_path / "t.tgz", "twitter", BLUE)
    make("emoji", tmp_path / "out", size=64, places=[google, twitter])
    sun = np.asarray(Image.open(tmp_path / "out/trainA/sun.png"))
    ys, xs = np.nonzero(sun[..., 1] < 255)
    assert (xs.min(), ys.min()) == (10, 5)
    assert xs.max() - xs.min() + 1 == ys.max() - ys.min() + 1 == 20 + 2 * 9


def test_skin_tones_are_styles_with_landmarks(tmp_path: Path) -> None:
    """Of what comes in all five tones alone."""
    google = emoji_package(tmp_path / "g.tgz", "google", RED)
    said = make("emoji-tones", tmp_path / "out", size=64, places=[google])
    assert "1 picture in testA, 5 pictures in testB" in said
    assert {p.name for p in (tmp_path / "out/testB").iterdir()} == set(TONES.values())
    marks = json.loads((tmp_path / "out/landmarks.json").read_text())
    assert len(marks) == 6
    first = np.array(marks["testB/light/waving_hand.png"]) * 64  # the first square, 20 wide
    assert first.min(0).tolist() == [10, 5]
    assert first.max(0).tolist() == [30, 25]
    assert len(first) == 8
    assert open_references(str(tmp_path / "out"), split="test").draw(2, np.random.default_rng(0))


def robot_files(colours: tuple[str, ...] = robots.COLOURS) -> dict[str, bytes]:
    """Each part a bar at its own height, as wide as its kind; files are numbered otherwise."""
    files = {}
    for colour in colours:
        paint = BLUE if colour == "blue" else RED
        for row, part in enumerate(robots.PARTS):
            for kind in range(10):
                image = Image.new("RGBA", (300, 300))
                image.paste(Image.new("RGBA", (30 + 20 * kind, 40), paint), (0, 60 * row))
                name = f"{part}/{9 - kind:03d}#{colour}_part-{kind + 1:02d}.png"
                files[f"robohash/sets/set1/{colour}/{name}"] = png(image)
    return files


def test_robots_of_one_name_have_one_shape_in_both_colours(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(robots, "ROBOTS", 30)
    package = wheel(tmp_path / "robohash-2.0-py3-none-any.whl", robot_files())
    said = make("robots", tmp_path / "out", size=30, places=[package])
    assert "27 pictures in trainA, 27 pictures in trainB" in said
    for file in sorted((tmp_path / "out/trainA").iterdir()):
        a, b = (
            np.asarray(Image.open(tmp_path / "out" / side / file.name)).astype(int)
            for side in ("trainA", "trainB")
        )
        there = a.min(-1) < 128
        np.testing.assert_array_equal(there, b.min(-1) < 128)
        assert (a[there, 2] > a[there, 0]).all()
        assert (b[there, 0] > b[there, 2]).all()
        number = [int(d) for d in file.stem]  # the kinds of body, face, accessory, eyes, mouth
        widths = [int(there[6 * row + 2].sum()) for row in range(5)]
        assert widths == [3 + 2 * kind for kind in number]
    pairs = open_pairs(str(tmp_path / "out"), aligned=False)
    assert pairs.matched(3, np.random.default_rng(0)) is not None


def test_robots_that_lack_a_part_are_refused(tmp_path: Path) -> None:
    files = robot_files()
    del files["robohash/sets/set1/orange/001#Eyes/006#orange_part-04.png"]
    package = wheel(tmp_path / "r.whl", files)
    with pytest.raises(DataError, match=r"orange robots lack \('001#Eyes', 3\), 1 parts in all"):
        make("robots", tmp_path / "out", places=[package])


@pytest.fixture
def resvg(monkeypatch: pytest.MonkeyPatch) -> None:
    """Draws the colour that an SVG names, all over."""

    def svg_to_bytes(*, svg_string: str, width: int, height: int) -> list[int]:
        return list(png(Image.new("RGBA", (width, height), svg_string)))

    monkeypatch.setitem(sys.modules, "resvg_py", SimpleNamespace(svg_to_bytes=svg_to_bytes))


@pytest.mark.usefixtures("resvg")
def test_sketches_are_grey_beside_colour(tmp_path: Path) -> None:
    files = {f"black/svg/{i}.svg": b"#808080" for i in range(12)}
    files |= {f"color/svg/{i}.svg": b"#ff0000" for i in range(11)} | {"color/svg/x.svg": b"red"}
    package = tgz(tmp_path / "o.tgz", files)
    assert "9 pictures in trainA" in make("sketch", tmp_path / "out", size=8, places=[package])
    pairs = open_pairs(str(tmp_path / "out"), aligned=True)
    assert pairs.channels == (1, 3)
    x, y = pairs.split(pairs.take(np.arange(9)).x)
    assert np.unique(x).size == 1
    assert np.unique(y.reshape(-1, 3), axis=0).tolist() == [[1, -1, -1]]
    assert "CC-BY-SA 4.0" in (tmp_path / "out/NOTICE").read_text()
    with pytest.raises(DataError, match="no pictures in both"):
        make("sketch", tmp_path / "other", places=[tgz(tmp_path / "e.tgz", {"x": b""})])


@pytest.mark.usefixtures("resvg")
def test_faces_of_one_seed_differ_by_their_style_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DiceBear is asked for the same face in every style, and for the same styles for each."""
    asked = []

    class Avatar:
        def __init__(self, style: dict, options: dict) -> None:
            assert style == {"a": "style"}
            asked.append(options)

        def to_string(self) -> str:
            return "#" + asked[-1]["lipsColor"][0]

    dicebear = SimpleNamespace(Avatar=Avatar, Style=lambda definition: definition)
    monkeypatch.setitem(sys.modules, "dicebear", dicebear)
    monkeypatch.setattr(avatars, "FACES", 20)
    package = wheel(tmp_path / "d.whl", {"dicebear_styles/adventurer.json": b'{"a": "style"}'})
    make("makeup", tmp_path / "out", size=8, places=[package])
    assert len(asked) == 20 * (1 + avatars.STYLES)
    worn = (
        "lipsColor",
        "detailsProbability",
        "detailsVariant",
        *(k for k in asked[1] if "ear" in k),
    )
    faces = [json.dumps({k: v for k, v in o.items() if k not in worn}) for o in asked]
    assert len(set(faces)) == 20
    styles = [json.dumps({k: o.get(k) for k in worn}) for o in asked]
    assert len(set(styles)) == 1 + avatars.STYLES
    assert styles[: 1 + avatars.STYLES] * 20 == styles
    data = open_references(str(tmp_path / "out"))
    assert data.known(4, np.random.default_rng(0)) is not None
    assert (tmp_path / "out/testB/style-03/010.png").exists()


# --- packages -------------------------------------------------------------------------------------


@pytest.fixture
def nothing_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache/minigan/packages"


def client(
    monkeypatch: pytest.MonkeyPatch, does: Callable[[Path], int], said: str = ""
) -> list[list[str]]:
    """In the place of pip and npm: what they were asked."""
    calls: list[list[str]] = []

    def run(command: list[str], *, cwd: Path, **how: object) -> SimpleNamespace:
        calls.append(command)
        return SimpleNamespace(returncode=does(cwd), stdout="", stderr=said)

    monkeypatch.setattr(subprocess, "run", run)
    return calls


def test_a_package_is_downloaded_once_and_that_is_said(
    nothing_installed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package, said = Package("npm", "some-thing", "1.2.3", "free"), []

    def pack(folder: Path) -> int:
        tgz(folder / "some-thing-1.2.3.tgz", {"a/b.txt": b"here"})
        return 0

    calls = client(monkeypatch, pack)
    for _ in range(2):
        files = files_of(package, None, say=said.append)
        assert (list(files.names()), files.read("a/b.txt")) == (["a/b.txt"], b"here")
    assert calls == [["npm", "pack", "--loglevel=error", "some-thing@1.2.3"]]
    assert len(said) == 1
    assert str(nothing_installed) in said[0]


def test_python_s_packages_are_asked_of_pip_without_others(
    nothing_installed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def download(folder: Path) -> int:
        wheel(folder / "some_thing-1.0-py3-none-any.whl", {"some_thing/x.txt": b"x"})
        return 0

    calls = client(monkeypatch, download)
    files = files_of(Package("pypi", "some-thing", "1.0", "free"), None, say=lambda _: None)
    assert files.read("some_thing/x.txt") == b"x"
    ((python, *rest),) = calls
    assert python == sys.executable
    assert rest[-3:] == ["--no-deps", "--quiet", "some-thing==1.0"]


def test_an_installed_package_of_that_version_is_taken(nothing_installed: Path) -> None:
    version = packages.metadata.version("pillow")
    found = files_of(Package("pypi", "pillow", version, "free"), None)
    assert b"Pillow" in found.read("PIL/__init__.py")


@pytest.mark.parametrize(
    ("does", "says"),
    [
        (
            lambda folder: 1,
            "cannot be downloaded: it failed; fetch a@1 on a machine that is online",
        ),
        (lambda folder: 0, r"left no a-1\* in"),
    ],
)
def test_a_download_that_fails_says_what_to_do(
    nothing_installed: Path, monkeypatch: pytest.MonkeyPatch, does: Callable, says: str
) -> None:
    client(monkeypatch, does, "one\nit failed\n")
    with pytest.raises(DataError, match=says):
        files_of(Package("npm", "a", "1", "free"), None, say=lambda _: None)


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (FileNotFoundError(), "npm is not installed; install it, or fetch a@1"),
        (subprocess.TimeoutExpired("npm", 600), "did not come within 600 seconds"),
    ],
)
def test_a_client_that_is_missing_or_hangs_is_named(
    nothing_installed: Path, monkeypatch: pytest.MonkeyPatch, error: Exception, says: str
) -> None:
    def run(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(subprocess, "run", run)
    with pytest.raises(DataError, match=says):
        files_of(Package("npm", "a", "1", "free"), None, say=lambda _: None)


def test_an_unpacked_folder_serves_as_its_archive(tmp_path: Path) -> None:
    for top in (tmp_path / "plain", tmp_path / "npm/package"):
        (top / "a").mkdir(parents=True)
        (top / "a/b.txt").write_text("x")
    for top in (tmp_path / "plain", tmp_path / "npm"):
        files = files_of(GOOGLE, top)
        assert (list(files.names()), files.read("a/b.txt")) == (["a/b.txt"], b"x")


def test_what_cannot_be_made_is_refused(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("no archive")
    (tmp_path / "full").mkdir()
    (tmp_path / "full/file").write_text("")
    refused: list[tuple[type[MiniganError], str, dict]] = [
        (UnknownNameError, "known: chorales, emoji, emoji-tones, makeup", {"name": "emojis"}),
        (OptionError, "--size 4: give 8 to 1024", {"size": 4}),
        (OptionError, "exists already", {"out": tmp_path / "full"}),
        (
            OptionError,
            "2 times --from: robots is made of robohash==2.0",
            {"places": [tmp_path] * 2},
        ),
        (DataError, "there is no such file or folder", {"places": [tmp_path / "nowhere"]}),
        (DataError, "is no archive of robohash==2.0", {"places": [tmp_path / "text"]}),
    ]
    for kind, says, given in refused:
        with pytest.raises(kind, match=says):
            make(**{"name": "robots", "out": tmp_path / "out", **given})
    assert not (tmp_path / "out").exists()


def test_a_recipe_without_its_renderer_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before it looks for its pictures."""
    monkeypatch.setitem(sys.modules, "resvg_py", None)
    with pytest.raises(DataError, match="pip install resvg-py"):
        make("sketch", tmp_path / "out", places=[tmp_path / "nowhere"])


def test_packages_in_another_order_are_named(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    for place in (
        tmp_path / "folder",
        tgz(tmp_path / "a.tgz", {"b": b""}),
        wheel(tmp_path / "a.whl", {"b": b""}),
    ):
        says = rf"{place.name} holds no .*: give the package's archive, or the folder"
        with pytest.raises(DataError, match=says):
            make("emoji", tmp_path / "out", places=[place] * 2)


def test_the_command_lists_and_runs_recipes(minigan: Callable, tmp_path: Path) -> None:
    listed = minigan("data", "make", "--help").out
    assert all(name in listed for name in RECIPES)
    google = emoji_package(tmp_path / "g.tgz", "google", RED)
    result = minigan("data", "make", "emoji-tones", "--out", tmp_path / "o", "--from", google)
    assert result.code == 0, result.err
    assert "minigan train pairedcyclegan --data" in result.out
    wrong = minigan("data", "make", "emojis")
    assert "did you mean 'emoji'" in wrong.err
