"""Runs of StarGAN: what they leave, how they resume, translate, are measured and exported."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from shlex import split

import numpy as np
import onnxruntime
import pytest
from PIL import Image

from minigan.backend import Array, make_rng
from minigan.data import open_data
from minigan.data.kittens import NAMES, Kittens
from minigan.data.relabelled import Relabelled
from minigan.errors import OptionError
from minigan.metrics import METRICS, measure
from minigan.metrics.relabelling import RelabelSubject
from minigan.training import Trainer
from minigan.training.pictures import to_image
from tests.training.support import OFTEN, Finished, assert_same_run, error_line, leave, records

Command = Callable[..., Finished]
TRAIN = split("stargan --label body --size 16 --width 2 --blocks 1 --batch 4 --k 2")
TWO = ["--label", "body,accessory"]


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Runs of 4 steps, of one label and of two."""
    folder = tmp_path_factory.mktemp("stargan")
    leave("train", *TRAIN, *OFTEN, "--steps", 4, "--out", folder / "one")
    leave("train", *TRAIN, *TWO, *OFTEN, "--steps", 2, "--out", folder / "two")
    return folder


@pytest.fixture
def kitten(tmp_path: Path) -> Path:
    """A folder with two pictures."""
    (tmp_path / "in" / "deep").mkdir(parents=True)
    for name, x in zip(
        ("a", "deep/b"), open_data("kittens", size=16).draw(2, make_rng(0)).x, strict=True
    ):
        to_image(x).save(tmp_path / "in" / f"{name}.png")
    return tmp_path / "in"


def test_a_run(minigan: Command, runs: Path, tmp_path: Path) -> None:
    """Files and log; going on in two parts leaves the same."""
    folder = runs / "one"
    found = sorted(path.name for path in (folder / "samples").glob("*.png"))
    assert found == [f"step_{step:06d}.png" for step in (0, 2, 4)]
    assert {"cls(x)", "cls(G(x, c))", "rec", "wgan-gp", "diversity"} <= records(folder)[-1].keys()
    shutil.copytree(folder, tmp_path / "parts")
    result = minigan("resume", tmp_path / "parts", "--from", 2)
    assert result.code == 0, result.err
    assert_same_run(tmp_path / "parts", folder)


def test_the_sheet_has_a_column_for_each_class(runs: Path) -> None:
    """Each row of translations stands above the truth, which does not change; so do the inputs."""
    sheets = [
        np.asarray(Image.open(runs / "one" / "samples" / f"step_{step:06d}.png")) for step in (0, 4)
    ]
    factor, columns, rows, header = 4, 16, 8, 16
    assert sheets[0].shape == (factor * (18 * rows - 2) + header, factor * (18 * columns - 2), 3)
    same = np.zeros((rows, columns), bool)
    for row in range(rows):
        for column in range(columns):
            top, left = header + factor * 18 * row, factor * 18 * column
            place = np.s_[top : top + 16 * factor, left : left + 16 * factor]
            same[row, column] = np.array_equal(sheets[0][place], sheets[1][place])
    assert same[1::2].all()
    assert same[:, 0].all()
    assert not same[0::2, 1:].any()
    ink = (sheets[0][:header] < 128).any((0, 2))
    for column in range(columns):
        assert ink[factor * 18 * column : factor * 18 * (column + 1)].any(), column
    with Image.open(runs / "two" / "samples" / "step_000002.png") as two:
        assert two.width == factor * (18 * 17 - 2)  # the input, and 8 classes of either label


def as_float(path: Path) -> np.ndarray:
    return np.asarray(Image.open(path))[None].astype(np.float32) / 127.5 - 1


def test_a_translation_is_the_algorithm_s_own(
    minigan: Command, runs: Path, kitten: Path, tmp_path: Path
) -> None:
    call = ["translate", runs / "one", "--input", kitten, "--output"]
    for wish in ("blue", "body=blue"):
        result = minigan(*call, tmp_path / wish, "--to", wish)
        assert result.code == 0, result.err
        assert "2 pictures with body 'blue' through G of step 4 of stargan" in result.out
    made = {p.relative_to(tmp_path / "blue").as_posix() for p in (tmp_path / "blue").rglob("*.png")}
    assert made == {"a.png", "deep/b.png"}
    algorithm = Trainer.resume(runs / "one").algorithm
    for name in made:
        expected = algorithm.relabel(
            as_float(kitten / name), np.array([[NAMES["body"].index("blue")]])
        )
        for wish in ("blue", "body=blue"):
            found = np.asarray(Image.open(tmp_path / wish / name))
            np.testing.assert_array_equal(found, np.asarray(to_image(expected[0])))


def test_labels_that_nobody_names_are_those_that_d_sees(
    minigan: Command, runs: Path, kitten: Path, tmp_path: Path
) -> None:
    call = ["translate", runs / "two", "--input", kitten / "a.png", "--output", tmp_path / "out"]
    assert minigan(*call, "--to", "blue").code == 0
    algorithm, x = Trainer.resume(runs / "two").algorithm, as_float(kitten / "a.png")
    labels = algorithm.named(x)
    labels[:, 0] = NAMES["body"].index("blue")
    expected = np.asarray(to_image(algorithm.relabel(x, labels)[0]))
    np.testing.assert_array_equal(np.asarray(Image.open(tmp_path / "out" / "a.png")), expected)
    result = minigan(*call, "--to", "blue", "--size", 24)
    assert "D, which names the labels that stay (accessory), takes pictures of 16x16 alone" in (
        error_line(result.err)
    )
    larger = minigan(*call, "--to", "blue", "--to", "bell", "--size", "24x20")
    assert larger.code == 0, larger.err
    with Image.open(tmp_path / "out" / "a.png") as made:
        assert made.size == (20, 24)


REFUSED = {
    "": "say with --to which class pictures shall have; there are body: maroon, lime",
    "--to bleu": "unknown class of label 'body': 'bleu'; did you mean 'blue'",
    "--to fur=plain": "unknown label 'fur'",
    "--to body=": "--to 'body=': wanted LABEL=CLASS, e.g. body=maroon",
    "--to blue --to lime": "'body' is not blue and lime at once: ask for one",
    "--to blue --reverse": "stargan has one generator for all ways; say with --to where to go",
    "--to blue --reference x.png": "only G of pairedcyclegan, and munit, take one",
    "--to blue --n 2": "--n 2: stargan has one answer to a picture and a class; leave it out",
    "--to blue --size 18": "nearest legal sizes: 16x16 and 20x20",
    "--to blue --tile 18": "--tile 18: the residual generator halves",
    "--to blue --from 3": "no checkpoint of step 3",
}


@pytest.mark.parametrize("words", REFUSED)
def test_refused(minigan: Command, runs: Path, kitten: Path, tmp_path: Path, words: str) -> None:
    call = ["translate", runs / "one", "--input", kitten, "--output", tmp_path / "out"]
    result = minigan(*call, *split(words))
    assert result.code == 1
    assert REFUSED[words] in error_line(result.err)
    assert not (tmp_path / "out").exists()


def test_it_has_no_samples_of_noise(minigan: Command, runs: Path, tmp_path: Path) -> None:
    call = ["sample", runs / "one", "--out", tmp_path / "x.png"]
    assert "stargan has no latent z to sample from; `minigan translate` takes" in (
        error_line(minigan(*call).err)
    )
    assert "`minigan translate` takes some, and with --to the labels" in (
        error_line(minigan(*call, "--attr", "body=blue").err)
    )


def test_others_are_told_no_class(minigan: Command, tmp_path: Path, kitten: Path) -> None:
    leave(
        "train",
        *split("unit --size 16 --width 2 --patch 16 --blocks 1"),
        "--steps",
        1,
        "--out",
        tmp_path / "run",
    )
    call = ["translate", tmp_path / "run", "--input", kitten, "--output", tmp_path / "out"]
    message = error_line(minigan(*call, "--to", "blue").err)
    assert "--to blue: only age-cgan and stargan are told where pictures go" in message


# --- measures -------------------------------------------------------------------------------------


def test_the_truth_of_a_kitten_is_the_kitten_with_the_other_part() -> None:
    data = Relabelled(Kittens(16, 3, "test"), ("body", "accessory"))
    found = data.wished(20, make_rng(0))
    labels = np.empty((20, 5), int)
    labels[:, [0, 4]], labels[:, [1, 2, 3]] = found.own, found.others
    np.testing.assert_array_equal(data.data.compose(labels), found.x)
    labels[:, [0, 4]] = found.wanted
    np.testing.assert_array_equal(data.data.compose(labels), found.y)
    assert data.matched(2, make_rng(0)) is not None
    unknown = Relabelled(open_data("digits"), ("digit",))
    assert unknown.matched(2, make_rng(0)) is None
    other = unknown.wished(30, make_rng(1))
    assert (other.own != other.wanted).any()
    assert other.others.shape == (30, 0)
    with pytest.raises(OptionError, match="kittens has labels"):
        Relabelled(Kittens(16), ("tail",))


def subject(relabel: Callable, labels: tuple[str, ...] = ("body",)) -> RelabelSubject:
    return RelabelSubject({"G": relabel}, Relabelled(Kittens(32, 3, "test"), labels), split="test")


def test_a_perfect_generator_and_one_that_does_nothing() -> None:
    nothing = subject(lambda x, labels: x)
    perfect = subject(lambda x, labels: x)
    truth = {x.tobytes(): y for x, y in zip(*perfect.sides(60).values(), strict=True)}
    perfect = perfect.redrawn(
        {"G": lambda x, labels: np.stack([truth[one.tobytes()] for one in x])}
    )

    def values(of: RelabelSubject, name: str) -> dict[str, float]:
        return measure(name, of, 60).values

    assert values(perfect, "l1")["error"] == 0
    assert values(nothing, "l1")["error"] == values(nothing, "l1")["untranslated"] > 0.1
    assert values(nothing, "cycle")["error"] == 0

    def painter(x: Array, labels: Array) -> Array:
        """Pictures that hold nothing but their labels: the way back ends where x's own say."""
        return np.ones_like(x) * labels.mean(axis=1)[:, None, None, None]

    painted, asked = subject(painter), nothing.wished(60)
    back = np.abs(painter(asked.x, asked.own) - asked.x).mean()
    assert values(painted, "cycle")["error"] == pytest.approx(back)
    assert back != pytest.approx(np.abs(painter(asked.x, asked.wanted) - asked.x).mean())
    assert values(perfect, "label-accuracy")["accuracy"] > 0.9
    share = (asked.own == asked.wanted).mean()
    assert abs(values(nothing, "label-accuracy")["accuracy"] - share) < 0.05
    assert values(perfect, "kept-labels")["kept"] > 0.9
    empty = subject(lambda x, labels: np.ones_like(x))
    assert values(empty, "kept-labels")["kept"] < 0.3
    kept = measure("kept-labels", nothing, 60).values
    assert kept["kept"] == kept["untranslated"]
    assert {"fur", "eyes", "mouth", "accessory"} < set(kept)
    every = Relabelled(Kittens(32, 3), tuple(NAMES))
    assert not METRICS["kept-labels"].takes(every)


def test_eval_measures_a_run(minigan: Command, runs: Path, tmp_path: Path) -> None:
    out = tmp_path / "found.json"
    result = minigan("eval", runs / "one", "--n", 20, "--json", out)
    assert result.code == 0, result.err
    found = {r["metric"]: r for r in json.loads(out.read_text())}
    assert {"l1", "psnr", "ssim", "label-accuracy", "kept-labels", "cycle", "fid"} <= set(found)
    assert found["l1"]["split"] == "test"
    assert "G(x, c) against the true picture" in found["l1"]["protocol"]
    assert "G(G(x, c), c')" in found["cycle"]["protocol"]
    assert set(found["l1"]["values"]) == {"error", "untranslated"}
    assert "diversity" not in found
    refused = minigan("eval", runs / "one", "--metrics", "diversity")
    assert "metric 'diversity' needs pairs of pictures or two domains" in error_line(refused.err)


def test_the_best_checkpoint_is_kept(minigan: Command, tmp_path: Path) -> None:
    call = ["train", *TRAIN, "--steps", 2, "--eval-samples", 20, "--out", tmp_path / "run"]
    result = minigan(*call, "--keep-best", "cycle", "--eval-every", 1)
    assert result.code == 0, result.err
    assert (tmp_path / "run/checkpoints/best/best.json").exists()
    refused = minigan(*call[:-1], tmp_path / "no", "--keep-best", "l1")
    assert "hidden pairs" in error_line(refused.err)


def test_a_user_s_own_classes(minigan: Command, tmp_path: Path) -> None:
    """A folder of folders: no truth is known, and none is shown."""
    rng = np.random.default_rng(0)
    for name in ("cats", "dogs", "owls"):
        (tmp_path / "own" / name).mkdir(parents=True)
        for i in range(6):
            pixels = rng.integers(0, 255, (16, 16, 3), np.uint8)
            Image.fromarray(pixels).save(tmp_path / "own" / name / f"{i}.png")
    run = tmp_path / "run"
    train = split("train stargan --size 16 --width 2 --blocks 1 --batch 4 --k 1 --steps 1")
    result = minigan(*train, "--data", tmp_path / "own", "--out", run)
    assert result.code == 0, result.err
    with Image.open(run / "samples" / "step_000001.png") as sheet:
        factor = round(512 / (4 * 18 - 2))
        assert sheet.size == (factor * (4 * 18 - 2), factor * (4 * 18 - 2) + 16)
    shutil.rmtree(tmp_path / "own" / "dogs")
    picture = tmp_path / "own" / "cats" / "0.png"
    call = ["translate", run, "--input", picture, "--output", tmp_path / "out", "--to", "dogs"]
    result = minigan(*call)  # the run remembers its classes
    assert result.code == 0, result.err


def test_attributes_that_are_there_or_not(minigan: Command, tmp_path: Path) -> None:
    """A user's archive with several labels of two classes, as CelebA has them."""
    rng = np.random.default_rng(0)
    x, labels = rng.integers(0, 256, (12, 16, 16, 3), np.uint8), rng.integers(0, 2, (12, 3))
    names = np.array(["hat", "smile", "young"])
    np.savez(tmp_path / "own.npz", x=x, labels=labels, label_names=names)
    run, train = tmp_path / "run", split("train stargan --width 2 --blocks 1 --batch 4 --k 1")
    call = [*train, "--steps", 1, "--data", tmp_path / "own.npz", "--label", "hat,young"]
    result = minigan(*call, "--out", run)
    assert result.code == 0, result.err
    Image.fromarray(x[0]).save(tmp_path / "x.png")
    call = ["translate", run, "--input", tmp_path / "x.png", "--output", tmp_path / "out", "--to"]
    result = minigan(*call, "young=0")
    assert "1 picture with young '0' through G" in result.out
    said = error_line(minigan(*call, "1").err)
    assert "--to 1 is a class of 2 labels; say which: --to hat=1 or --to young=1" in said


def test_an_onnx_file_has_two_inputs(minigan: Command, runs: Path, tmp_path: Path) -> None:
    result = minigan("export", runs / "one", "--onnx", tmp_path / "G.onnx")
    assert "x (N, 3, 16, 16), c (N, 15)" in result.out
    session = onnxruntime.InferenceSession(tmp_path / "G.onnx")
    assert [i.name for i in session.get_inputs()] == ["x", "c"]
    algorithm = Trainer.resume(runs / "one").algorithm
    x, labels = open_data("kittens", size=16).draw(3, make_rng(1))
    c = np.eye(15, dtype=np.float32)[labels[:, 0]]
    (found,) = session.run(None, {"x": np.moveaxis(x, -1, 1), "c": c})
    expected = algorithm.relabel(x, labels[:, :1])
    np.testing.assert_allclose(np.moveaxis(found, 1, -1), expected, atol=1e-5)
