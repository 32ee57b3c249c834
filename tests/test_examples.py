"""Every example runs as its docstring says, and digits come out as digits."""

import re
import runpy
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from minigan.errors import OptionError

EXAMPLES = Path(__file__).parent.parent / "examples"
NAMES = sorted(path.name for path in EXAMPLES.glob("*.py"))


def run(name: str, *arguments: str) -> str:
    """What the example prints."""
    command = [sys.executable, "-W", "error", str(EXAMPLES / name), *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


@pytest.fixture
def pictures(tmp_path):
    """A folder of 70 pictures of several sizes."""
    folder = tmp_path / "pictures"
    folder.mkdir()
    rng = np.random.default_rng(0)
    for i in range(70):
        shape = (40 + i % 3, 50, 3)
        Image.fromarray(rng.integers(0, 255, shape, np.uint8)).save(folder / f"{i}.png")
    return folder


# name -> extra arguments, and what it leaves below --out
SHORT = {
    "gan_digits.py": (["--steps", "3"], ["neighbours.png", "samples.gif", "curves.png"]),
    "dcgan_kittens.py": (
        ["--steps", "3", "--size", "16", "--width", "4"],
        ["interpolation.png", "samples.gif", "curves.png"],
    ),
    "dcgan_folder.py": (
        ["--steps", "3", "--size", "16x24", "--width", "4", "--batch", "8"],
        ["samples.gif", "curves.png"],
    ),
    "autoencoder_digits.py": (["--steps", "2"], ["samples.gif", "curves.png"]),
    "vae_digits.py": (["--steps", "2"], ["interpolation.png", "samples.gif"]),
    "aae_digits.py": (["--steps", "2"], ["interpolation.png", "samples.gif"]),
    "alpha_gan_digits.py": (
        ["--steps", "2", "--width", "4"],
        ["samples/reconstruction_step_000002.png", "samples.gif"],
    ),
    "bigan_digits.py": (
        ["--steps", "2"],
        ["samples/reconstruction_step_000002.png", "samples.gif"],
    ),
    "cgan_digits.py": (["--steps", "2", "--width", "2"], ["panels.png", "sevens.png"]),
    "cgan_kittens.py": (
        ["--steps", "2", "--width", "2", "--size", "16"],
        ["blue.png", "lime.png", "samples.gif"],
    ),
    "pix2pix_kittens.py": (
        ["--steps", "2", "--width", "2"],
        ["samples/step_000002.png", "samples.gif"],
    ),
    "cyclegan_kittens.py": (
        ["--steps", "2", "--width", "2", "--identity", "0.5"],
        ["samples/step_000002.png", "samples.gif"],
    ),
    "semi_supervised_digits.py": (
        ["--steps", "2"],
        ["semi-supervised-0/samples.gif", "supervised-only-0/curves.png"],
    ),
    "infogan_digits.py": (["--steps", "2", "--width", "4"], ["codes.png", "c3.png"]),
    "clustergan_digits.py": (["--steps", "1", "--width", "4"], ["clusters.png", "samples.gif"]),
    "energies_digits.py": (
        ["--algorithm", "began", "--steps", "2", "--width", "4"],
        ["samples.gif", "curves.png"],
    ),
    "cogan_digits.py": (["--steps", "2", "--width", "4"], ["samples.gif", "curves.png"]),
    "stylegan_kittens.py": (
        ["--steps", "2", "--size", "16", "--width", "2", "--batch", "8"],
        ["mixing.png", "samples.gif", "curves.png"],
    ),
    "biggan_digits.py": (
        ["--steps", "2", "--width", "4", "--batch", "8"],
        ["classes.png", "truncation.png", "samples.gif"],
    ),
    "pix2pixhd_kittens.py": (
        ["--steps", "2", "--width", "2", "--batch", "2"],
        ["samples/step_000002.png", "samples.gif"],
    ),
    "bicyclegan_kittens.py": (
        ["--steps", "2", "--width", "2", "--batch", "2"],
        ["samples/step_000002.png", "samples.gif"],
    ),
    "pixeldtgan_kittens.py": (
        ["--steps", "2", "--width", "2", "--batch", "2"],
        ["samples/step_000002.png", "samples.gif"],
    ),
    "pixelda_digits.py": (
        ["--steps", "2", "--width", "2", "--batch", "2"],
        ["source-only/curves.png", "pixelda/samples.gif"],
    ),
    "munit_kittens.py": (
        ["--steps", "2", "--width", "2", "--batch", "2"],
        ["samples/step_000002.png", "samples.gif", "styles.png"],
    ),
    "pg2_figures.py": (
        ["--steps", "2", "--stage-steps", "1", "--size", "16", "--width", "2"],
        ["posed.png", "samples/step_000002.png", "samples.gif"],
    ),
    "unit_kittens.py": (
        ["--steps", "2", "--width", "2", "--batch", "2"],
        ["samples/step_000002.png", "samples.gif"],
    ),
    "text_to_kitten.py": (
        ["--steps", "2", "--size", "16", "--width", "2", "--samples", "30"],
        ["asked.png", "samples.gif", "curves.png"],
    ),
    "stackgan_kittens.py": (
        ["--stage-steps", "1", "--size", "16", "--width", "2", "--samples", "30"],
        ["asked.png", "samples.gif", "curves.png"],
    ),
    "context_encoder_kittens.py": (
        ["--steps", "2", "--width", "2"],
        ["L2-alone/samples.gif", "L2-and-D/samples/step_000002.png"],
    ),
    "deblurgan_kittens.py": (
        ["--steps", "2", "--width", "2"],
        ["content/samples.gif", "critic/samples/step_000002.png"],
    ),
    "srgan_kittens.py": (
        ["--steps", "6", "--width", "2"],
        ["SRResNet/samples.gif", "SRGAN/samples/step_000006.png"],
    ),
    "pairedcyclegan_faces.py": (
        ["--steps", "2", "--width", "2", "--size", "16", "--without", "P"],
        ["samples/step_000002.png", "samples.gif"],
    ),
    "stargan_kittens.py": (
        ["--steps", "2", "--width", "2", "--size", "16"],
        ["samples/step_000002.png", "samples.gif"],
    ),
    "age_cgan_faces.py": (
        ["--steps", "4", "--width", "2", "--size", "16", "--n", "10"],
        ["samples/step_000004.png", "samples.gif"],
    ),
    "midinet_tunes.py": (
        ["--steps", "2", "--width", "4", "--hidden", "8"],
        ["none.png", "last.png", "all.png", "all/samples.gif"],
    ),
    "seqgan_oracle.py": (
        ["--steps", "4", "--words", "9", "--filters", "3"],
        ["samples/step_000004.png", "samples.gif"],
    ),
    "segan_voices.py": (
        ["--steps", "2", "--window", "256", "--width", "2", "--batch", "2"],
        ["samples/step_000002.png", "samples.gif"],
    ),
    "next_frame_digits.py": (
        ["--steps", "2", "--width", "2"],
        ["corners.png", "with-D/samples.gif", "squares-alone/curves.png"],
    ),
    "vae_beside_gan.py": (["--steps", "2", "--width", "4"], ["beside.png"]),
}


@pytest.mark.parametrize("name", SHORT)
def test_a_short_run_leaves_its_pictures(name, pictures, tmp_path):
    arguments, left = SHORT[name]
    given = [str(pictures)] if name == "dcgan_folder.py" else []
    printed = run(name, *given, *arguments, "--out", str(tmp_path / "run"))
    for file in left:
        with Image.open(tmp_path / "run" / file) as image:
            image.load()
    assert "look at" in printed


@pytest.mark.parametrize("name", NAMES)
def test_each_takes_a_device(name, pictures, tmp_path, monkeypatch):
    """And asks for it before it trains: one that is not there is refused, and nothing is left."""
    given = [str(pictures)] if name == "dcgan_folder.py" else []
    out = tmp_path / "run"
    arguments = [name, *given, "--device", "abacus", "--out", str(out)]
    monkeypatch.setattr(sys, "argv", arguments)
    with pytest.raises(OptionError, match="unknown device 'abacus'; allowed: cpu, cuda, cuda:N"):
        runpy.run_path(str(EXAMPLES / name), run_name="__main__")
    assert not out.exists()


def test_the_ring_is_drawn_beside_the_data(tmp_path):
    printed = run("gan_ring.py", "--steps", "20", "--out", str(tmp_path / "ring.png"))
    assert "step 0: D(x)" in printed
    with Image.open(tmp_path / "ring.png") as image:
        assert image.width > 3 * image.height  # one panel for the data, one for each step shown


def test_a_classifier_finds_every_digit_among_a_thousand_samples(tmp_path):
    """The full example: the classifier must be good, and DCGAN must draw all ten digits."""
    printed = run("dcgan_digits.py", "--out", str(tmp_path / "run"))
    accuracy = float(re.search(r"classifier: ([\d.]+)% of 1996 held-out", printed)[1])
    assert 97 < accuracy <= 100
    counts = {d: int(n) for d, n in re.findall(r"(\d): (\d+)", printed.split("1,000 samples:")[1])}
    assert list(counts) == list("0123456789")
    assert sum(counts.values()) == 1000
    assert min(counts.values()) > 0


def test_examples_are_short_and_all_of_them_are_tested():
    files = {path.name: path for path in EXAMPLES.glob("*.py")}
    assert {*SHORT, "gan_ring.py", "dcgan_digits.py"} == set(files)
    for path in files.values():
        assert len(path.read_text().splitlines()) < 60, path.name
