"""A labelled source domain and a target: digits over patches, and folders of a user's own."""

import numpy as np
import pytest
from PIL import Image

from minigan.data import (
    DataWarning,
    LabelledDomains,
    open_data,
    open_labelled_domains,
    open_pairs,
)
from minigan.errors import DataError, OptionError, UnknownNameError

rng = np.random.default_rng


def digits_m(**how):
    return open_labelled_domains("digits-m", **how)


def opened_bytes(x):
    return {picture.tobytes() for picture in np.rint((x + 1) * 127.5).astype(np.uint8)}


# --- digits-m -------------------------------------------------------------------------------------


@pytest.mark.parametrize("split", ["train", "test"])
def test_an_example_is_a_digit_and_another_over_a_patch_and_its_label_the_first_one_s(split):
    data = digits_m(split=split)
    assert (data.shape, data.channels, data.kind) == ((28, 28, 6), (3, 3), "pairs")
    assert data.label_names == {"digit": tuple("0123456789")}
    assert data.target_known
    assert data.matched(2, rng(0)) is None
    first, again, other = (data.draw(64, rng(seed)) for seed in (5, 5, 6))
    for a, b in zip(first, again, strict=True):
        np.testing.assert_array_equal(a, b)
    assert (first.x != other.x).any()
    assert first.x.dtype == np.float32
    assert first.labels.dtype == np.int64
    assert np.abs(first.x).max() <= 1
    x, y = data.split(first.x)
    plain = open_data("digits", split=split)
    every = plain.take(np.arange(len(plain)))
    known = dict(zip((p.tobytes() for p in every.x), every.labels[:, 0], strict=True))
    assert [known[p[..., :1].tobytes()] for p in x] == first.labels[:, 0].tolist()
    np.testing.assert_array_equal(x[..., 0], x[..., 2])
    assert (np.ptp(y, axis=-1) > 0.1).mean() > 0.3  # in colour
    assert y.mean() > x.mean() + 0.5  # patches are bright


def test_a_blended_digit_is_the_absolute_difference_to_its_patch():
    target = digits_m().target
    n, seed = 20, 3
    batch = target.draw(n, rng(seed))
    r = rng(seed)
    chosen = r.integers(len(target._pixels), size=n)
    patch = (target._patches(n, r) + 1) / 2
    digit = target._pixels[chosen] / 255
    for i in range(n):
        np.testing.assert_allclose((batch.x[i] + 1) / 2, np.abs(digit[i] - patch[i]), atol=1e-6)
    np.testing.assert_array_equal(batch.labels, target._digits[chosen])


def test_patches_are_parts_of_kittens_mirrored_or_not():
    target = digits_m().target
    patches = target._patches(40, rng(1))
    kittens = target._kittens.draw(40, rng(1)).x
    ways = []
    for patch, kitten in zip(patches, kittens, strict=True):
        parts = [
            (top, left, turned)
            for top in range(37)
            for left in range(37)
            for turned in (False, True)
            if np.array_equal(
                patch[:, ::-1] if turned else patch, kitten[top : top + 28, left : left + 28]
            )
        ]
        assert parts
        ways.append(parts[0][2])
    assert 5 < sum(ways) < 35


def test_no_digit_is_in_both_domains_or_both_splits():
    found = []
    for split in ("train", "test"):
        data = digits_m(split=split)
        source = data.source.take(np.arange(len(data.source))).x[..., 0]
        found += [opened_bytes(source), opened_bytes(data.target._pixels[..., 0] / 127.5 - 1)]
    assert [len(one) for one in found] == [4004, 4000, 999, 997]
    assert sum(map(len, found)) == len(set.union(*found))


def test_the_target_s_labels_are_handed_out_by_judged_alone():
    data = digits_m(split="test")
    judged = data.judged(2000, rng(0))
    assert {name: len(batch.x) for name, batch in judged.items()} == {"source": 999, "target": 2000}
    assert len(opened_bytes(judged["source"].x)) == 999  # each once
    r = rng(2)
    drawn, source, target = (
        data.draw(500, rng(2)),
        data.source.draw(500, r),
        data.target.draw(500, r),
    )
    np.testing.assert_array_equal(data.split(drawn.x)[1], target.x)
    np.testing.assert_array_equal(drawn.labels, source.labels)
    assert (drawn.labels != target.labels).mean() > 0.8


def test_the_other_direction_takes_the_labels_of_the_other_domain():
    back = digits_m(direction="BtoA")
    x, y = back.split(back.draw(9, rng(0)).x)
    assert np.ptp(x, axis=-1).max() > 0.1
    assert np.ptp(y, axis=-1).max() == 0
    judged = back.judged(50, rng(1))
    assert np.ptp(judged["source"].x, axis=-1).max() > 0.1


def test_size_and_channels_are_as_asked():
    data = digits_m(size=(20, 16), channels=(1, 1))
    assert (data.shape, data.channels) == ((20, 16, 2), (1, 1))
    assert digits_m(size=48).shape == (48, 48, 6)
    with pytest.raises(OptionError, match="digits-m of size 49x49: sides go up to 48"):
        digits_m(size=49)


def test_translations_of_two_domains_take_it_and_those_of_pairs_do_not():
    data = open_pairs("digits-m", aligned=False)
    assert isinstance(data, LabelledDomains)
    with pytest.raises(DataError, match="digits-m holds no pairs that belong together"):
        open_pairs("digits-m", aligned=True)


# --- a user's own ---------------------------------------------------------------------------------


def write(path, shade, size=(5, 4)):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, (shade,) * 3).save(path)


def shades(x):
    return np.rint((x[:, 0, 0, 0] + 1) * 127.5).astype(int)


@pytest.fixture
def own(tmp_path):
    """Source pictures of shades 0 to 5 in two classes, target pictures of 100 to 103."""
    for i in range(6):
        write(tmp_path / "A" / ("cat", "dog")[i % 2] / f"{i}.png", i)
    for i in range(4):
        write(tmp_path / "B" / f"{i}.png", 100 + i)
    return tmp_path


def test_class_folders_of_a_are_the_labels(own):
    data = open_labelled_domains(str(own))
    assert (data.shape, data.label_names) == ((4, 5, 6), {"class": ("cat", "dog")})
    assert not data.target_known
    batch = data.draw(60, rng(0))
    x, y = data.split(batch.x)
    np.testing.assert_array_equal(shades(x) % 2, batch.labels[:, 0])
    assert set(shades(x)) == set(range(6))
    assert set(shades(y)) == set(range(100, 104))
    assert data.judged(9, rng(0)).keys() == {"source"}


def test_a_target_in_the_same_class_folders_can_be_measured(own):
    for i in range(4):
        (own / "B" / ("dog", "cat")[i % 2]).mkdir(exist_ok=True)
        (own / "B" / f"{i}.png").rename(own / "B" / ("dog", "cat")[i % 2] / f"{i}.png")
    data = open_labelled_domains(str(own))
    assert data.target_known
    target = data.judged(9, rng(0))["target"]
    assert sorted(shades(target.x)) == [100, 101, 102, 103]
    np.testing.assert_array_equal(shades(target.x) % 2, 1 - target.labels[:, 0])
    np.testing.assert_array_equal(
        open_labelled_domains(str(own), direction="BtoA").source.take(np.arange(4)).labels[:, 0],
        [0, 0, 1, 1],
    )


def test_other_classes_of_the_target_cannot_be_measured(own):
    for i in range(4):
        (own / "B" / "cow").mkdir(exist_ok=True)
        (own / "B" / f"{i}.png").rename(own / "B" / "cow" / f"{i}.png")
    with pytest.warns(DataWarning, match="cannot be measured; give its class folders the same"):
        data = open_labelled_domains(str(own))
    assert not data.target_known


def test_splits_are_folders(own):
    for name in "AB":
        (own / name).rename(own / f"train{name}")
    with pytest.raises(OptionError, match="holds pictures to train with but none of the split"):
        open_labelled_domains(str(own), split="test")
    write(own / "testA" / "cat" / "x.png", 50)
    write(own / "testA" / "dog" / "x.png", 51)
    write(own / "testB" / "x.png", 52)
    data = open_labelled_domains(str(own), split="test")
    assert set(shades(data.draw(20, rng(0)).x)) == {50, 51}


REFUSED = {
    "no labels": (lambda own: own / "none", "has no labels, and the source domain needs some"),
    "no two folders": (lambda own: own / "A", "holds no two folders A and B"),
    "a file": (lambda own: own / "B" / "0.png", "holds no two folders A and B"),
    "unlike sizes": (lambda own: own / "sizes", "are 5x4, those of .* 6x4: give --size"),
    "one folder": (lambda own: own / "one", "has no counterpart"),
    "an empty one": (lambda own: own / "empty", "no pictures in"),
}


@pytest.mark.parametrize(("place", "says"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_is_refused(own, place, says):
    for name in ("none/A/0", "none/B/0", "sizes/A/cat/0", "one/A/cat/0", "empty/A/cat/0"):
        write(own / f"{name}.png", 1)
    write(own / "sizes/B/0.png", 1, (6, 4))
    (own / "empty/B").mkdir()
    with pytest.raises(DataError, match=says):
        open_labelled_domains(str(place(own)))


def test_names_of_other_kinds_are_refused_and_unknown_ones_offered():
    for name, says in {
        "digits": "digits holds no two domains of which one has labels; digits-m does",
        "digits-edges": "digits-edges holds no two domains",
        "captions": "holds sentences",
        "moving-digits": "holds clips",
    }.items():
        with pytest.raises(DataError, match=says):
            open_labelled_domains(name)
    with pytest.raises(UnknownNameError, match="did you mean 'digits-m'"):
        open_labelled_domains("digitsm")
