"""A user's clips: folders of numbered frames, animations, splits, and what is refused."""

import numpy as np
import pytest
from PIL import Image

from minigan.backend import make_rng
from minigan.data import DataWarning, open_clips
from minigan.data.clip_folder import by_number
from minigan.data.clips import apart
from minigan.errors import DataError, OptionError


def frames(n, seed, size=(6, 8), channels=3):
    shape = (n, *size, channels) if channels == 3 else (n, *size)
    return np.random.default_rng(seed).integers(0, 256, shape, np.uint8)


def write(folder, pixels, name="{:d}.png"):
    folder.mkdir(parents=True, exist_ok=True)
    for t, frame in enumerate(pixels):
        Image.fromarray(frame).save(folder / name.format(t))


def as_float(pixels):
    return pixels.astype(np.float32) / 127.5 - 1


def test_folders_of_frames_become_every_window(tmp_path):
    long, short = frames(12, 0), frames(4, 1)
    write(tmp_path / "a", long)
    write(tmp_path / "deep" / "b", short, "frame {:03d}.png")
    data = open_clips(str(tmp_path), frames=3)
    assert data.shape == (6, 8, 12)
    assert len(data) == (12 - 3) + (4 - 3)
    x, y = data.split(data.take(np.array([0, 8, 9])).x)
    np.testing.assert_array_equal(apart(x, 3)[0], as_float(long[:3]))
    np.testing.assert_array_equal(y[0], as_float(long[3]))
    np.testing.assert_array_equal(y[1], as_float(long[11]))  # 10 and 11 come behind 9
    np.testing.assert_array_equal(apart(x, 3)[2], as_float(short[:3]))
    clips = data.sequences(20, 11, make_rng(0))
    assert clips.shape == (20, 11, 6, 8, 3)
    starts = {next(t for t in range(12) if (as_float(long[t]) == c[0]).all()) for c in clips}
    assert starts == {0, 1}
    with pytest.raises(DataError, match=r"longest clip of .* has 12 frames, and 13 were asked for"):
        data.sequences(1, 13, make_rng(0))


def test_numbers_in_names_count_as_numbers(tmp_path):
    names = ["f10.png", "f9.png", "f2b.png", "f2a.png", "e11.png"]
    found = sorted((tmp_path / name for name in names), key=by_number)
    assert [f.name for f in found] == ["e11.png", "f2a.png", "f2b.png", "f9.png", "f10.png"]


@pytest.mark.parametrize("suffix", ["gif", "png", "webp"])
def test_an_animation_is_a_clip(suffix, tmp_path):
    levels = [np.full((8, 8), level, np.uint8) for level in (0, 60, 120, 180, 240)]
    images = [Image.fromarray(level) for level in levels]
    how = {"lossless": True} if suffix == "webp" else {}
    images[0].save(tmp_path / f"c.{suffix}", save_all=True, append_images=images[1:], **how)
    write(tmp_path / "still", levels[:4])
    data = open_clips(str(tmp_path), frames=3, channels=1)
    assert len(data) == 2 + 1
    x, y = data.split(data.take(np.arange(3)).x)
    np.testing.assert_allclose(apart(x, 1)[:, :, 0, 0, 0][1], as_float(np.array([60, 120, 180])))
    np.testing.assert_allclose(y[:, 0, 0, 0], as_float(np.array([180, 240, 180])))
    alone = open_clips(str(tmp_path / f"c.{suffix}"), frames=4, size=4)
    assert (len(alone), alone.shape[:2]) == (1, (4, 4))


def test_the_split_names_the_folder(tmp_path):
    write(tmp_path / "train" / "a", frames(5, 0))
    write(tmp_path / "test" / "b", frames(6, 1))
    assert len(open_clips(str(tmp_path))) == 1
    assert len(open_clips(str(tmp_path), split="test")) == 2
    with pytest.raises(OptionError, match="holds no separate test split"):
        open_clips(str(tmp_path / "train"), split="test")


def test_short_and_damaged_clips_are_left_out(tmp_path):
    write(tmp_path / "a", frames(5, 0))
    write(tmp_path / "b", frames(3, 1))
    write(tmp_path / "c", frames(6, 2))
    (tmp_path / "c" / "2.png").write_bytes(b"no picture")
    with pytest.warns(DataWarning) as warned:
        data = open_clips(str(tmp_path))
    said = sorted(str(w.message) for w in warned)
    assert len(said) == 2
    assert any("1 of 3 clips cannot be read and are left out: c (" in one for one in said)
    assert any("1 of 2 clips have no 5 frames and are left out: b" in one for one in said)
    assert len(data) == 1
    with pytest.raises(DataError, match="1 of 3 clips cannot be read"):
        open_clips(str(tmp_path), strict=True)


def test_grey_and_coloured_clips_stand_together_in_colour(tmp_path):
    write(tmp_path / "a", frames(5, 0))
    write(tmp_path / "b", frames(5, 1, channels=1))
    assert open_clips(str(tmp_path)).channels == (12, 3)
    assert open_clips(str(tmp_path), channels=1).channels == (4, 1)
    assert open_clips(str(tmp_path / "b")).channels == (4, 1)


def test_what_is_no_clip_is_refused(tmp_path):
    with pytest.raises(DataError, match=r"no clips in .*: put folders of numbered frames into it"):
        open_clips(str(tmp_path))
    write(tmp_path / "a", frames(4, 0))
    with pytest.raises(DataError, match=r"has 4 frames, and 4 tell the next one: .* --frames 3 or"):
        open_clips(str(tmp_path))
    write(tmp_path / "b", frames(6, 0, size=(5, 8)))
    with pytest.raises(DataError, match=r"holds pictures of 2 sizes, .*: give --size"):
        open_clips(str(tmp_path))
    assert open_clips(str(tmp_path), size=4, frames=3).shape[:2] == (4, 4)
    write(tmp_path / "alone", frames(1, 0))
    with pytest.raises(DataError, match=r"no clip of .* has two frames"):
        open_clips(str(tmp_path / "alone"))
