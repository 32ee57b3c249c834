"""Runs of translations: what they leave, how they resume, and `minigan translate`."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from shlex import split

import numpy as np
import pytest
from PIL import Image

from tests.training.support import OFTEN, Finished, assert_same_run, error_line, leave, records

Command = Callable[..., Finished]

SMALL = "--size 16 --width 2 --patch 16 --batch 2"
RUNS = {
    "pix2pix": split(f"pix2pix {SMALL} --flip --jitter 2"),
    "cyclegan": split(f"cyclegan {SMALL} --blocks 1 --pool 3 --weight-identity 0.5"),
    "discogan": split("discogan --size 16 --width 2 --batch 2"),
    "dualgan": split(f"dualgan {SMALL}"),
    "pix2pixhd": split(f"pix2pixhd {SMALL} --patch 7 --scales 2 --blocks 1 --stage-steps 1"),
    "unit": split(f"unit {SMALL} --blocks 1"),
    "bicyclegan": split(f"bicyclegan {SMALL} --patch 7 --z-dim 3"),
    "pixeldtgan": split("pixeldtgan --size 16 --width 2 --batch 4 --distance l1"),
    "munit": split(f"munit {SMALL} --blocks 1 --patch 7 --scales 2 --z-dim 3 --weight-cycle 1"),
    "pixelda": split("pixelda --size 16 --width 2 --batch 2 --blocks 1 --z-dim 3 --content all"),
}
SHOWN = {
    "pix2pix": {"loss_D", "loss_G", "L1", "GAN_G", "D(y)", "D(G(x))"},
    "cyclegan": {"GAN_G", "GAN_F", "cycle_x", "identity_y", "score(G(x))", "score(F(y))"},
    "discogan": {"GAN_G", "cycle_y", "D(G(x))", "D(F(y))"},
    "dualgan": {"cycle_x", "cycle_y", "wasserstein_X", "wasserstein_Y"},
    "pix2pixhd": {"GAN", "GAN/2", "features", "features/2", "score(y)", "score(G(x)/2)"},
    "bicyclegan": {"L1", "KL", "latent", "GAN_VAE", "GAN_LR", "score(G(x, z)/2)"},
    "pixeldtgan": {"L1", "GAN_D_R", "GAN_D_A", "D(y)", "D(x, G(x))", "D(x, other y)"},
    "munit": {"reconstruction_x", "content_y", "style_x", "cycle_y", "GAN_F", "score(F(y)/2)"},
    "pixelda": {"task(x)", "task(G(x, z))", "task_G", "content", "D(G(x, z))", "accuracy(target)"},
    "unit": {"KL_x", "reconstruction_y", "cycle_x", "cycle_KL_y", "GAN_G", "GAN_F", "D(F(y))"},
}


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of each, of 4 steps."""
    folder = tmp_path_factory.mktemp("translations")
    for name, words in RUNS.items():
        leave("train", *words, *OFTEN, "--steps", 4, "--out", folder / name)
    return folder


@pytest.mark.parametrize("name", RUNS)
def test_a_run(minigan: Command, runs: Path, tmp_path: Path, name: str) -> None:
    """Files and log; going on in two parts leaves the same."""
    folder = runs / name
    found = sorted(path.name for path in (folder / "samples").glob("*.png"))
    assert found == [f"step_{step:06d}.png" for step in (0, 2, 4)]
    assert SHOWN[name] <= records(folder)[-1].keys()
    shutil.copytree(folder, tmp_path / "parts")
    result = minigan("resume", tmp_path / "parts", "--from", 2)
    assert result.code == 0, result.err
    assert_same_run(tmp_path / "parts", folder)


def test_the_sheet_shows_inputs_outputs_and_truths(runs: Path) -> None:
    """8 columns; with a generator each way both directions, 16 pictures of each."""
    for name, rows in (("pix2pix", 2 * 3), ("cyclegan", 2 * 6)):
        with Image.open(runs / name / "samples" / "step_000004.png") as sheet:
            factor = round(512 / (8 * 18 - 2))
            assert sheet.size == (factor * (8 * 18 - 2), factor * (rows * 18 - 2))
    first = np.asarray(Image.open(runs / "pix2pix" / "samples" / "step_000000.png"))
    last = np.asarray(Image.open(runs / "pix2pix" / "samples" / "step_000004.png"))
    for row, same in ((0, True), (1, False), (2, True), (3, True), (4, False), (5, True)):
        part = slice(row * 18 * factor, (row * 18 + 16) * factor)
        assert np.array_equal(first[part], last[part]) == same, row


def test_the_sheet_of_many_answers_has_one_z_in_a_column(runs: Path) -> None:
    """x, y and six answers in a row: beside the same z another picture, and the other way round."""
    from minigan.backend import make_rng
    from minigan.streams import Purpose
    from minigan.training import Trainer
    from minigan.training.pictures import to_image
    from minigan.training.translating import sheet

    trainer = Trainer.resume(runs / "bicyclegan")
    algorithm, pairs = trainer.algorithm, trainer.dataset
    picture, made, real, _ = sheet(algorithm, pairs, seed=trainer.config.run.seed)
    with Image.open(runs / "bicyclegan" / "samples" / "step_000004.png") as stored:
        np.testing.assert_array_equal(np.asarray(stored), np.asarray(picture))
    factor = round(512 / (8 * 18 - 2))
    assert picture.size == (factor * (8 * 18 - 2), factor * (8 * 18 - 2))
    seed = trainer.config.run.seed
    x, y = pairs.split(pairs.matched(8, make_rng(seed, Purpose.SHOWN)).x)
    np.testing.assert_array_equal(real, y)
    rng = make_rng(seed, Purpose.PICTURES)
    zs = algorithm.prior.draw(6, rng)
    pixels = np.asarray(picture)

    def shown(row, column):
        top, left = row * 18 * factor, column * 18 * factor
        return pixels[top : top + 16 * factor : factor, left : left + 16 * factor : factor]

    for row, column in ((0, 0), (3, 4), (7, 5)):
        z = zs[column][None]
        expected = to_image(algorithm.translate(x[row][None], rng, z=z)[0])
        np.testing.assert_array_equal(shown(row, column + 2), np.asarray(expected))
    np.testing.assert_array_equal(shown(5, 1), np.asarray(to_image(y[5])))
    np.testing.assert_array_equal(made, algorithm.translate(x, rng, z=np.repeat(zs[:1], 8, 0)))


def test_a_run_says_which_patches_are_judged_and_takes_the_papers_batch(
    minigan: Command, tmp_path: Path
) -> None:
    train = split("train pix2pix --size 16 --width 2 --patch 34 --steps 1")
    result = minigan(*train, "--out", tmp_path / "run")
    assert result.code == 0
    assert "D judges patches of 34x34 pixels in pictures of 16x16" in result.out + result.err
    assert json.loads((tmp_path / "run/config.json").read_text())["run"]["batch"] == 1


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """Two domains of a user: six pictures and four, of several sizes."""
    rng = np.random.default_rng(0)
    for name, n in (("A", 6), ("B", 4)):
        (tmp_path / "own" / name).mkdir(parents=True)
        for i in range(n):
            pixels = rng.integers(0, 255, (20 + i, 24, 3), np.uint8)
            Image.fromarray(pixels).save(tmp_path / "own" / name / f"p{i}.png")
    return tmp_path / "own"


def test_a_folder_of_the_user_s_own(minigan: Command, own: Path, tmp_path: Path) -> None:
    train = ["train", *RUNS["cyclegan"], "--data", own, "--steps", 1]
    result = minigan(*train, "--x-channels", 1, "--weight-identity", 0, "--out", tmp_path / "run")
    assert result.code == 0, result.err
    refused = minigan("train", *RUNS["pix2pix"], "--data", own, "--out", tmp_path / "no")
    assert "2 pictures in" in error_line(refused.err)
    assert "p4, p5" in error_line(refused.err)


# --- translate ------------------------------------------------------------------------------------


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Three grey pictures, one of them deeper."""
    rng = np.random.default_rng(1)
    for name in ("a.png", "b.jpg", "deep/a.bmp"):
        file = tmp_path / "photos" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(rng.integers(0, 255, (20, 30), np.uint8)).save(file)
    return tmp_path / "photos"


def translated(folder: Path) -> dict[str, np.ndarray]:
    return {
        str(path.relative_to(folder)): np.asarray(Image.open(path))
        for path in sorted(folder.rglob("*.*"))
    }


def test_pictures_keep_their_names(
    minigan: Command, runs: Path, photos: Path, tmp_path: Path
) -> None:
    call = ["translate", runs / "pix2pix", "--input", photos, "--output"]
    for name, seed in (("one", 0), ("same", 0), ("other", 1)):
        result = minigan(*call, tmp_path / name, "--seed", seed)
        assert result.code == 0, result.err
        assert "3 pictures through G of step 4 of pix2pix" in result.out
    one, same, other = (translated(tmp_path / name) for name in ("one", "same", "other"))
    assert set(one) == {"a.png", "b.png", "deep/a.png"}
    assert all(y.shape == (16, 16, 3) for y in one.values())
    for name, y in one.items():
        np.testing.assert_array_equal(y, same[name])
        assert (y != other[name]).any()  # dropout is its noise


def test_a_single_picture_equals_the_algorithm_s_own_translation(
    minigan: Command, runs: Path, tmp_path: Path
) -> None:
    """CycleGAN has no noise, so a sheet's pictures can be made again, in both directions."""
    from minigan.backend import make_rng
    from minigan.training import Trainer
    from minigan.training.pictures import to_image

    trainer = Trainer.resume(runs / "cyclegan")
    x, _ = trainer.algorithm.split(trainer.dataset.draw(1, make_rng(0)).x)
    to_image(x[0]).save(tmp_path / "x.png")
    x = np.asarray(Image.open(tmp_path / "x.png"))[None].astype(np.float32) / 127.5 - 1
    for name, words in (("G", []), ("F", ["--reverse"])):
        call = ["translate", runs / "cyclegan", "--input", tmp_path / "x.png", *words]
        assert minigan(*call, "--output", tmp_path / name).code == 0
        expected = to_image(trainer.algorithm.translate(x, make_rng(0), name=name)[0])
        np.testing.assert_array_equal(translated(tmp_path / name)["x.png"], np.asarray(expected))


@pytest.mark.parametrize(("name", "ways"), [("pix2pixhd", ["G"]), ("unit", ["G", "F"])])
def test_generators_of_several_networks_are_put_together(
    minigan: Command, runs: Path, tmp_path: Path, name: str, ways: list[str]
) -> None:
    """What `minigan translate` loads is what the run's own algorithm translates with."""
    from minigan.backend import make_rng
    from minigan.training import Trainer
    from minigan.training.pictures import to_image

    trainer = Trainer.resume(runs / name)
    parts = trainer.algorithm.split(trainer.dataset.draw(1, make_rng(0)).x)
    for way, x in zip(ways, parts, strict=False):
        to_image(x[0]).save(tmp_path / "x.png")
        pixels = np.asarray(Image.open(tmp_path / "x.png")).reshape(x.shape)
        x = pixels.astype(np.float32) / 127.5 - 1
        call = ["translate", runs / name, "--input", tmp_path / "x.png"]
        reverse = ["--reverse"] if way == "F" else []
        result = minigan(*call, *reverse, "--output", tmp_path / way)
        assert f"1 picture through {way} of step 4 of {name}" in result.out
        expected = to_image(trainer.algorithm.translate(x, make_rng(0), name=way)[0])
        np.testing.assert_array_equal(translated(tmp_path / way)["x.png"], np.asarray(expected))


def test_many_answers_of_one_z_each(
    minigan: Command, runs: Path, photos: Path, tmp_path: Path
) -> None:
    """Folder k holds the answers of the k-th z of the seed, the same for every picture."""
    from minigan.backend import make_rng
    from minigan.streams import Purpose
    from minigan.training import Trainer
    from minigan.training.pictures import to_image

    call = ["translate", runs / "bicyclegan", "--input", photos, "--output"]
    result = minigan(*call, tmp_path / "many", "--n", 3, "--seed", 4)
    assert result.code == 0, result.err
    assert "9 pictures through G of step 4 of bicyclegan" in result.out
    found = translated(tmp_path / "many")
    assert set(found) == {f"{k}/{name}.png" for k in (1, 2, 3) for name in ("a", "b", "deep/a")}
    algorithm = Trainer.resume(runs / "bicyclegan").algorithm
    pixels = np.random.default_rng(2).integers(0, 255, (16, 16), np.uint8)
    Image.fromarray(pixels).save(tmp_path / "x.png")
    x = pixels[None, ..., None].astype(np.float32) / 127.5 - 1
    result = minigan(*call[:3], tmp_path / "x.png", "--output", tmp_path / "own", "--n", 3)
    assert result.code == 0, result.err
    rng = make_rng(0, Purpose.TRANSLATIONS)
    for k in (1, 2, 3):
        expected = to_image(algorithm.translate(x, rng, z=algorithm.prior.draw(1, rng))[0])
        made = translated(tmp_path / "own")[f"{k}/x.png"]
        np.testing.assert_array_equal(made, np.asarray(expected))
    assert minigan(*call, tmp_path / "one", "--seed", 4).code == 0
    np.testing.assert_array_equal(translated(tmp_path / "one")["b.png"], found["1/b.png"])


def test_answers_on_the_way_from_one_z_to_another(
    minigan: Command, runs: Path, photos: Path, tmp_path: Path
) -> None:
    """The first and the last are those of the seed's first two z."""
    call = ["translate", runs / "bicyclegan", "--input", photos / "a.png", "--output"]
    assert minigan(*call, tmp_path / "way", "--interpolate", 3).code == 0
    assert minigan(*call, tmp_path / "ends", "--n", 2).code == 0
    way, ends = translated(tmp_path / "way"), translated(tmp_path / "ends")
    assert len(way) == 3
    np.testing.assert_array_equal(way["1/a.png"], ends["1/a.png"])
    np.testing.assert_array_equal(way["3/a.png"], ends["2/a.png"])
    assert (way["2/a.png"] != way["1/a.png"]).any()


@pytest.mark.parametrize(("way", "reverse"), [("G", []), ("F", ["--reverse"])])
def test_munit_takes_the_style_of_a_picture_or_draws_some(
    minigan: Command, runs: Path, tmp_path: Path, way: str, reverse: list[str]
) -> None:
    """Each way has styles of its goal, which are read off pictures of the run's size."""
    from minigan.backend import make_rng
    from minigan.training import Trainer
    from minigan.training.pictures import to_image

    algorithm = Trainer.resume(runs / "munit").algorithm
    rng = np.random.default_rng(2)
    channels = {"G": (1, 3), "F": (3, 1)}[way]
    goal = "YX"[way == "F"]

    def picture(name: str, c: int) -> np.ndarray:
        pixels = rng.integers(0, 255, (16, 16, c), np.uint8)
        Image.fromarray(pixels[..., 0] if c == 1 else pixels).save(tmp_path / name)
        return pixels[None].astype(np.float32) / 127.5 - 1

    (tmp_path / "styles").mkdir()
    x = picture("x.png", channels[0])
    styles = {f"s{k}": picture(f"styles/s{k}.png", channels[1]) for k in range(2)}
    call = ["translate", runs / "munit", "--input", tmp_path / "x.png", *reverse, "--output"]
    result = minigan(*call, tmp_path / "out", "--reference", tmp_path / "styles")
    assert f"2 pictures through {way} of step 4 of munit" in result.out, result.err
    found = translated(tmp_path / "out")
    for name, style in styles.items():
        z, _ = algorithm.AE.style[goal].forward(style)
        expected = to_image(algorithm.translate(x, make_rng(0), name=way, z=z)[0])
        np.testing.assert_array_equal(found[f"{name}/x.png"], np.asarray(expected))
    result = minigan(*call, tmp_path / "one", "--reference", tmp_path / "styles/s1.png")
    assert result.code == 0, result.err
    np.testing.assert_array_equal(translated(tmp_path / "one")["x.png"], found["s1/x.png"])
    assert minigan(*call, tmp_path / "many", "--n", 3).code == 0
    assert len({a.tobytes() for a in translated(tmp_path / "many").values()}) == 3


def test_dropout_gives_many_answers_too(
    minigan: Command, runs: Path, photos: Path, tmp_path: Path
) -> None:
    call = ["translate", runs / "pix2pix", "--input", photos / "a.png", "--output"]
    assert minigan(*call, tmp_path / "many", "--n", 2).code == 0
    found = translated(tmp_path / "many")
    assert (found["1/a.png"] != found["2/a.png"]).any()


def test_tiles_of_a_picture_have_one_z(
    minigan: Command, runs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from minigan.training import translate

    drawn = []
    through = translate.translated

    def watched(net, x, rng, *, z, noisy):
        drawn.append(z.tobytes())
        return through(net, x, rng, z=z, noisy=noisy)

    monkeypatch.setattr(translate, "translated", watched)
    Image.fromarray(np.zeros((40, 40), np.uint8)).save(tmp_path / "x.png")
    translate.translate_pictures(
        runs / "bicyclegan", tmp_path / "x.png", tmp_path / "out", tile=16, n=2
    )
    assert len(set(drawn)) == 2
    assert len(drawn) > 8


def test_other_sizes_and_channels_if_asked_for(
    minigan: Command, runs: Path, photos: Path, tmp_path: Path
) -> None:
    call = ["translate", runs / "cyclegan", "--input", photos / "a.png", "--size", "12x20"]
    result = minigan(*call, "--convert", "--output", tmp_path / "out")
    assert result.code == 0, result.err
    assert translated(tmp_path / "out")["a.png"].shape == (12, 20, 3)


def test_a_damaged_picture_is_left_out(
    minigan: Command, runs: Path, photos: Path, tmp_path: Path
) -> None:
    (photos / "b.jpg").write_bytes(b"damaged")
    call = ["translate", runs / "pix2pix", "--output", tmp_path / "out", "--input"]
    result = minigan(*call, photos)
    assert result.code == 0
    assert "warning: " in result.err
    assert "b.jpg cannot be read and is left out" in result.err
    assert set(translated(tmp_path / "out")) == {"a.png", "deep/a.png"}
    alone = minigan(*call, photos / "b.jpg")
    assert "no picture of" in error_line(alone.err)


REFUSED = {
    ("cyclegan", ""): "a.png is a grey picture and the run was trained on colour ones: convert it",
    ("pix2pix", "--reverse"): "pix2pix has no generator from y to x; train it with --direction",
    ("pix2pix", "--size 24"): "nearest legal sizes: 16x16 and 32x32",
    ("cyclegan", "--size 18"): "nearest legal sizes: 16x16 and 20x20",
    ("pix2pix", "--size big"): "--size big: wanted N or HxW",
    ("pix2pix", "--from 3"): "no checkpoint of step 3",
    ("pix2pixhd", "--reverse"): "pix2pixhd has no generator from y to x",
    ("pix2pixhd", "--from 0"): "after step 0 G2 has learned nothing yet: it trains from step 2 on",
    ("pix2pixhd", "--size 18"): "nearest legal sizes: 16x16 and 24x24",
    ("bicyclegan", "--size 24"): "nearest legal sizes: 16x16 and 32x32",
    ("bicyclegan", "--n 2 --interpolate 3"): "--n 2 and --interpolate 3: give one of them",
    ("bicyclegan", "--reverse"): "bicyclegan has no generator from y to x",
    ("pixeldtgan", "--size 32"): "trained on, 16x16, and not 32x32: leave out --size",
    ("pixeldtgan", "--tile 16"): "of the whole of another, which tiles are not; leave out --tile",
    ("pixeldtgan", "--reverse"): "pixeldtgan has no generator from y to x; train it with",
    ("pixeldtgan", "--n 2"): "--n 2: G of pixeldtgan has one answer to a picture; leave it out",
    ("munit", "--size 18"): "nearest legal sizes: 16x16 and 20x20",
    ("munit", "--reference no"): "--reference no: there is no such file or folder",
    ("munit", "--reference . --n 2"): "--n 2 draws styles, and --reference . tells them; give one",
    ("munit", "--reference . --interpolate 3"): "--interpolate 3 draws styles, and --reference .",
    ("unit", "--reference ."): "--reference .: only G of pairedcyclegan, and munit, take one",
    ("cyclegan", "--n 2"): "--n 2: G of cyclegan has one answer to a picture; leave it out",
    ("pix2pix", "--interpolate 3"): "and G of pix2pix takes none; bicyclegan and munit do",
    ("pixelda", "--size 24"): "this G takes pictures of 16x16 alone",
    ("pixelda", "--tile 16"): "pixelda adapts whole pictures, for z is one of each",
    ("pixelda", "--reverse"): "pixelda has no generator from y to x; G adapts to the target alone",
    ("unit", "--size 18"): "nearest legal sizes: 16x16 and 20x20",
}


@pytest.mark.parametrize(("name", "words"), REFUSED, ids=str)
def test_refused(
    minigan: Command, runs: Path, photos: Path, tmp_path: Path, name: str, words: str
) -> None:
    call = ["translate", runs / name, "--input", photos, "--output", tmp_path / "out"]
    result = minigan(*call, *split(words))
    assert result.code == 1
    assert REFUSED[name, words] in error_line(result.err)
    assert not (tmp_path / "out").exists()


def test_what_is_no_picture_or_no_translation_is_refused(
    minigan: Command, runs: Path, photos: Path, unbroken: Path, tmp_path: Path
) -> None:
    def refused(run: Path, source: Path, out: Path = tmp_path / "out") -> str:
        result = minigan("translate", run, "--input", source, "--output", out)
        assert result.code == 1
        return error_line(result.err)

    said = refused(unbroken, photos)
    assert "is a run of dcgan, which translates no pictures; runs of age-cgan, pix2pix" in said
    assert "there is no such file or folder" in refused(runs / "pix2pix", tmp_path / "none")
    assert "a.png is a file; give a folder" in refused(runs / "pix2pix", photos, photos / "a.png")
    (tmp_path / "empty").mkdir()
    assert "no pictures in" in refused(runs / "pix2pix", tmp_path / "empty")
    assert "a.png; give another folder" in refused(runs / "pix2pix", photos, photos)
    shutil.copy(photos / "a.png", photos / "b.png")
    assert "two pictures of" in refused(runs / "pix2pix", photos)
    assert "holds no run" in refused(tmp_path / "empty", photos)


def test_a_checkpoint_of_another_algorithm_is_refused(
    minigan: Command, runs: Path, photos: Path, unbroken: Path, tmp_path: Path
) -> None:
    run = tmp_path / "run"
    shutil.copytree(runs / "pix2pix", run)
    shutil.copy(runs / "cyclegan" / "config.json", run)
    call = ["translate", run, "--input", photos, "--convert", "--output", tmp_path / "out"]
    message = error_line(minigan(*call).err)
    assert "in the checkpoint and" in message
    assert "G.1.weight is " in message
    strange = Path(shutil.copytree(unbroken, tmp_path / "strange"))
    shutil.copy(runs / "cyclegan" / "config.json", strange)
    result = minigan("translate", strange, *call[2:])
    assert "is no checkpoint of a translation" in error_line(result.err)
    resumed = minigan("resume", run)
    assert "belongs to another architecture" in error_line(resumed.err)


def test_a_run_without_z_says_what_to_do(minigan: Command, runs: Path, tmp_path: Path) -> None:
    result = minigan("sample", runs / "pix2pix", "--out", tmp_path / "x.png")
    message = error_line(result.err)
    assert "pix2pix has no latent z to sample from; `minigan translate` takes" in message


def test_data_that_is_no_pairs_is_refused(minigan: Command, tmp_path: Path) -> None:
    for data, says in (("digits", "digits holds single examples"), ("rings", "unknown data")):
        result = minigan("train", "cyclegan", "--data", data, "--out", tmp_path / "run")
        assert result.code == 1
        assert says in error_line(result.err)
    result = minigan("train", "dcgan", "--data", "kittens-edges", "--out", tmp_path / "run")
    assert "kittens-edges holds pairs of pictures" in error_line(result.err)
