"""A user's own WAV files: formats, windows, pairs, noise laid over clean speech, refusals."""

import numpy as np
import pytest
from scipy.io import wavfile

from minigan.data import DataWarning, open_sounds
from minigan.data.wav import read_wav, wav_bytes
from minigan.errors import DataError, OptionError


def tone(n, seed=0):
    return 0.5 * np.sin(np.arange(n) * (0.1 + 0.01 * seed)).astype(np.float32)


def write(path, x, rate=8000):
    path.parent.mkdir(parents=True, exist_ok=True)
    wavfile.write(path, rate, x)
    return path


# --- files ----------------------------------------------------------------------------------------

FORMATS = {
    "8 bits": (lambda x: np.rint(x * 128 + 128).clip(0, 255).astype(np.uint8), 1 / 128),
    "16 bits": (lambda x: np.rint(x * 32767).astype(np.int16), 1 / 16384),
    "32 bits": (lambda x: np.rint(x * 2147483647.0).astype(np.int32), 1e-7),
    "floats": (lambda x: x, 0),
    "doubles": (lambda x: x.astype(np.float64), 0),
}


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_is_read_to_its_own_step(name, tmp_path):
    change, step = FORMATS[name]
    x = tone(100)
    rate, found = read_wav(write(tmp_path / "a.wav", change(x), 16000))
    assert (rate, found.dtype) == (16000, np.float32)
    np.testing.assert_allclose(found, x, atol=step + 1e-7)


def test_what_is_written_is_read_and_cut_off_at_full_scale(tmp_path):
    x = np.array([0, 0.25, -0.25, 1.5, -1.5], np.float32)
    (tmp_path / "a.wav").write_bytes(wav_bytes(x, 8000))
    rate, found = read_wav(tmp_path / "a.wav")
    assert rate == 8000
    np.testing.assert_allclose(found, [0, 0.25, -0.25, 32767 / 32768, -1])


BAD = {
    "two channels": (
        lambda p: write(p, np.zeros((9, 2), np.int16)),
        "has 2 channels.*sox a.wav -c 1",
    ),
    "empty": (lambda p: write(p, np.zeros(0, np.int16)), "it has 0 samples"),
    "no WAV": (lambda p: p.write_bytes(b"no sound at all"), "cannot be read as WAV.*PCM"),
    "cut short": (lambda p: p.write_bytes(wav_bytes(tone(9), 8000)[:20]), "cannot be read as WAV"),
    "not finite": (lambda p: write(p, np.full(9, np.nan, np.float32)), "not finite"),
    "missing": (lambda p: None, "there is no such file"),
}


@pytest.mark.parametrize(("spoil", "says"), BAD.values(), ids=BAD)
def test_a_file_that_is_no_sound_of_one_channel_is_refused(spoil, says, tmp_path):
    spoil(tmp_path / "a.wav")
    with pytest.raises(DataError, match=says):
        read_wav(tmp_path / "a.wav")


# --- folders --------------------------------------------------------------------------------------


def test_pairs_of_one_name_are_windows_that_overlap_by_half(tmp_path):
    for i, n in enumerate((70, 40, 10)):
        write(tmp_path / f"clean/{i}.wav", tone(n, i))
        write(tmp_path / f"noisy/{i}.wav", tone(n, i) + np.float32(0.1))
    data = open_sounds(str(tmp_path), window=32)
    assert (len(data), data.rate, data.shape) == (4 + 2 + 1, 8000, (32, 2))
    noisy, clean = data.split(data.take(np.arange(7)).x)
    for row, start in enumerate((0, 16, 32, 38)):
        np.testing.assert_allclose(clean[row], tone(70)[start : start + 32], atol=1e-6)
    np.testing.assert_allclose(clean[5], tone(40, 1)[8:40], atol=1e-6)
    np.testing.assert_allclose(clean[6], np.pad(tone(10, 2), (0, 22)), atol=1e-6)
    np.testing.assert_allclose((noisy - clean)[:6], 0.1, atol=1e-6)


def test_noise_is_laid_over_clean_speech_alone_and_silence_left_out(tmp_path):
    for folder in ("", "clean/"):
        own = tmp_path / ("a" if folder else "b")
        write(own / f"{folder}deep/x.wav", tone(400))
        write(own / f"{folder}quiet.wav", np.zeros(400, np.float32))
        write(own / f"{folder}.hidden.wav", np.zeros((4, 2), np.int16))
        data = open_sounds(str(own), window=64)
        assert data.size is None
        noisy, clean = data.split(data.draw(20, np.random.default_rng(0)).x)
        ratios = 10 * np.log10(np.square(clean).mean(1) / np.square(noisy - clean).mean(1))
        assert (np.abs(ratios[:, None] - [0, 5, 10, 15]).min(1) < 1e-2).all()


def test_splits_are_folders(tmp_path):
    write(tmp_path / "train/clean/a.wav", tone(99))
    write(tmp_path / "test/clean/b.wav", tone(99, 3))
    train, test = (open_sounds(str(tmp_path), window=99, split=s) for s in ("train", "test"))
    for data, seed in ((train, 0), (test, 3)):
        clean = data.split(data.draw(1, np.random.default_rng(0)).x)[1][0]
        assert np.corrcoef(clean, tone(99, seed))[0, 1] == pytest.approx(1)


def test_a_damaged_file_is_left_out_or_refused(tmp_path):
    write(tmp_path / "a.wav", tone(99))
    (tmp_path / "b.wav").write_bytes(b"no sound")
    with pytest.warns(DataWarning, match=r"b\.wav cannot be read as WAV.*left out"):
        open_sounds(str(tmp_path), window=32)
    with pytest.raises(DataError, match=r"b\.wav cannot be read as WAV"):
        open_sounds(str(tmp_path), window=32, strict=True)


def alone(top):
    write(top / "clean/a.wav", tone(9))
    write(top / "noisy/b.wav", tone(9))


def unlike(top):
    write(top / "clean/a.wav", tone(9))
    write(top / "noisy/a.wav", tone(8))


def rates(top):
    write(top / "clean/a.wav", tone(9))
    write(top / "noisy/a.wav", tone(9), 16000)


def mixed_rates(top):
    write(top / "a.wav", tone(9))
    write(top / "b.wav", tone(9), 16000)


def noisy_alone(top):
    write(top / "noisy/a.wav", tone(9))


def silence(top):
    write(top / "a.wav", np.zeros(99, np.int16))


def train_alone(top):
    write(top / "train/a.wav", tone(9))


FOLDERS = {
    "no files": (lambda top: top.mkdir(exist_ok=True), {}, DataError, "no WAV files in"),
    "no counterpart": (alone, {}, DataError, "1 sounds in .*clean have no counterpart in .*: a;"),
    "lengths": (unlike, {}, DataError, "the pair 'a' has 9 samples in .* and 8 in"),
    "rates": (rates, {}, DataError, "have 8000 samples a second and those in .*noisy 16000"),
    "mixed rates": (mixed_rates, {}, DataError, "has 8000 samples a second and .*b.wav 16000"),
    "noisy alone": (noisy_alone, {}, DataError, "noisy has no counterpart .*clean"),
    "silence": (silence, {}, DataError, "holds silence alone"),
    "no test split": (mixed_rates, {"split": "test"}, OptionError, "holds no test split"),
    "train alone": (train_alone, {"split": "test"}, OptionError, "folders called train and test"),
}


@pytest.mark.parametrize(("make", "how", "error", "says"), FOLDERS.values(), ids=FOLDERS)
def test_what_cannot_be_used_is_refused(make, how, error, says, tmp_path):
    make(tmp_path / "x")
    with pytest.raises(error, match=says):
        open_sounds(str(tmp_path / "x"), window=8, **how)


def test_a_file_is_no_folder(tmp_path):
    path = write(tmp_path / "a.wav", tone(9))
    with pytest.raises(DataError, match="is no folder; speech is read from a folder of WAV"):
        open_sounds(str(path), window=8)
