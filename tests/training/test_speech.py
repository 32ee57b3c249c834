"""Runs on speech: their sheets and sounds, how they resume, and WAV files through them."""

import shutil
from collections.abc import Callable
from pathlib import Path
from shlex import split

import numpy as np
import pytest
from PIL import Image
from scipy.io import wavfile

from minigan.data.wav import read_wav, wav_bytes
from minigan.training.enhancing import enhanced
from tests.training.support import OFTEN, Finished, assert_same_run, error_line, leave, records

Command = Callable[..., Finished]
SMALL = split("segan --window 256 --width 2 --batch 3 --reference-batch 2 --halvings 3")


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of 4 steps."""
    folder = tmp_path_factory.mktemp("speech") / "run"
    leave("train", *SMALL, *OFTEN, "--steps", 4, "--out", folder)
    return folder


def tone(path: Path, n: int, rate: int = 8000) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(wav_bytes(0.5 * np.sin(0.2 * np.arange(n)), rate))
    return path


def test_a_run(minigan: Command, run: Path, tmp_path: Path) -> None:
    """Pictures, sounds and log; going on in two parts leaves the same."""
    samples = run / "samples"
    steps = [f"step_{step:06d}" for step in (0, 2, 4)]
    assert sorted(p.stem for p in samples.glob("*.png")) == steps
    assert sorted(p.stem for p in samples.glob("*.wav")) == ["clean", "noisy", *steps]
    lengths = {read_wav(file)[1].shape for file in samples.glob("*.wav")}
    assert lengths == {(8 * (256 + 2000),)}
    with Image.open(samples / "step_000004.png") as image:
        assert image.width > 800
    shown = {"loss_D", "loss_G", "L1", "GAN_G", "score(x)", "score(G(z))", "diversity"}
    assert shown <= records(run)[-1].keys()
    shutil.copytree(run, tmp_path / "parts")
    result = minigan("resume", tmp_path / "parts", "--from", 2)
    assert result.code == 0, result.err
    assert_same_run(tmp_path / "parts", run)


def test_files_keep_their_names_lengths_and_rate(
    minigan: Command, run: Path, tmp_path: Path
) -> None:
    for name, n in (("a.wav", 256), ("deep/b.WAV", 1000), ("short.wav", 10)):
        tone(tmp_path / "in" / name, n)
    call = ["translate", run, "--input", tmp_path / "in", "--output"]
    for out, seed in (("one", 0), ("same", 0), ("other", 1)):
        result = minigan(*call, tmp_path / out, "--seed", seed)
        assert result.code == 0, result.err
        assert "3 sounds through G of step 4 of segan" in result.out
    made = {}
    for out in ("one", "same", "other"):
        files = sorted((tmp_path / out).rglob("*.wav"))
        made[out] = {str(f.relative_to(tmp_path / out)): wavfile.read(f) for f in files}
    lengths = {name: len(x) for name, (_, x) in made["one"].items()}
    assert lengths == {"a.wav": 256, "deep/b.wav": 1000, "short.wav": 10}
    for name, (rate, x) in made["one"].items():
        assert (rate, x.dtype) == (8000, np.int16)
        np.testing.assert_array_equal(x, made["same"][name][1])
    assert (made["one"]["a.wav"][1] != made["other"]["a.wav"][1]).any()  # z is its noise


@pytest.mark.parametrize("overlap", [0, 5, 128])
@pytest.mark.parametrize("n", [1, 255, 256, 257, 1000])
def test_windows_are_put_together_without_a_seam(n: int, overlap: int) -> None:
    """A network that gives its input gives any file back, whatever the windows."""

    class Same:
        window, preemphasis = 256, 0.95

        def emphatic(self, x: np.ndarray, rng: np.random.Generator) -> np.ndarray:
            assert x.shape[1:] == (256, 1)
            return x

    x = np.random.default_rng(0).standard_normal(n).astype(np.float32)
    y = enhanced(Same(), x, np.random.default_rng(0), overlap=overlap)  # type: ignore[arg-type]
    np.testing.assert_allclose(y, x, atol=1e-5)


def test_a_file_of_one_window_is_the_algorithm_s_own(
    minigan: Command, run: Path, tmp_path: Path
) -> None:
    from minigan.backend import make_rng
    from minigan.streams import Purpose
    from minigan.training import Trainer

    _, x = read_wav(tone(tmp_path / "x.wav", 256))
    assert minigan("translate", run, "--input", tmp_path / "x.wav", "--output", tmp_path).code == 1
    call = ["translate", run, "--input", tmp_path / "x.wav", "--output", tmp_path / "out"]
    assert minigan(*call).code == 0
    algorithm = Trainer.resume(run).algorithm
    expected = algorithm.enhance(x[None], make_rng(0, Purpose.TRANSLATIONS))[0].clip(-1, 1)
    np.testing.assert_allclose(read_wav(tmp_path / "out/x.wav")[1], expected, atol=1.1 / 32768)


def test_a_run_is_measured_on_what_was_held_out(minigan: Command, run: Path) -> None:
    result = minigan("eval", run, "--n", 10)
    assert result.code == 0, result.err
    assert "snr: si_sdr " in result.out
    assert "split: test; N: 10 samples" in result.out
    assert result.out.count("extractor") == 1  # no other metric takes it


def test_the_best_checkpoint_is_kept(minigan: Command, tmp_path: Path) -> None:
    best = split("--steps 2 --keep-best snr.segmental --eval-every 1 --eval-samples 10")
    result = minigan("train", *SMALL, *best, "--out", tmp_path / "run")
    assert result.code == 0, result.err
    assert (tmp_path / "run/checkpoints/best/best.json").exists()
    assert "snr.segmental" in records(tmp_path / "run")[-1]


REFUSED = {
    "--tile 64": "--tile 64 is of pictures, and segan takes sounds: leave it out",
    "--reverse": "--reverse is of pictures",
    "--size 16": "--size 16 is of pictures",
    "--overlap 256": "--overlap 256: wanted from 0 to 255",
    "--from 3": "no checkpoint of step 3",
}


@pytest.mark.parametrize("words", REFUSED)
def test_refused(minigan: Command, run: Path, tmp_path: Path, words: str) -> None:
    source = tone(tmp_path / "in/a.wav", 300)
    call = ["translate", run, "--input", source, "--output", tmp_path / "out"]
    result = minigan(*call, *split(words))
    assert result.code == 1
    assert REFUSED[words] in error_line(result.err)
    assert not (tmp_path / "out").exists()


def test_files_that_cannot_be_taken_are_refused(
    minigan: Command, run: Path, tmp_path: Path
) -> None:
    def refused(source: Path, out: Path = tmp_path / "out") -> str:
        result = minigan("translate", run, "--input", source, "--output", out)
        assert result.code == 1
        return error_line(result.err)

    file = tone(tmp_path / "in/a.wav", 300, 16000)
    said = refused(file)
    assert "has 16000 samples a second, and the run was trained at 8000: resample it" in said
    assert "there is no such file or folder" in refused(tmp_path / "none")
    (tmp_path / "empty").mkdir()
    assert "no WAV files in" in refused(tmp_path / "empty")
    assert "a.wav; give another folder" in refused(file, tmp_path / "in")
