"""Extractors: the shipped ones are as good as they say, and any ONNX network can stand for them."""

import subprocess
import sys

import numpy as np
import pytest

from minigan.backend import make_rng
from minigan.data import open_data
from minigan.data.ages import AgedFaces
from minigan.errors import DataError, OptionError, UnknownNameError
from minigan.metrics import shipped_classifier
from minigan.metrics.extractors import OWN, Coordinates, extractor_for, fitted
from minigan.metrics.shipped import SHIPPED
from minigan.metrics.subject import examples
from tests.metrics.onnx_file import network

RNG = np.random.default_rng(0)


def pictures(*shape):
    return RNG.uniform(-1, 1, shape).astype(np.float32)


# --- the shipped classifiers ----------------------------------------------------------------------

# On 1,000 held-out pictures; a scarf hides the mouth of one kitten in eight.
ACCURACY = {
    ("digits", 28): {"digit": 0.975},
    ("digits", 32): {"digit": 0.97},
    ("kittens", 32): {"body": 0.99, "fur": 0.985, "eyes": 0.975, "mouth": 0.82, "accessory": 0.99},
}


@pytest.mark.parametrize(("name", "size"), ACCURACY)
def test_held_out_accuracy(name, size):
    x, labels = examples(open_data(name, size=size, split="test"), 1000, make_rng(0))
    found = (extractor_for(open_data(name)).predict(x) == labels).mean(0)
    for label, share, least in zip(
        SHIPPED[name].label_names, found, ACCURACY[name, size].values(), strict=True
    ):
        assert share >= least, label


def test_the_mouth_is_told_where_it_is_seen():
    x, labels = examples(open_data("kittens", split="test"), 1000, make_rng(1))
    seen = ~np.isin(labels[:, 4], [0, 7])  # the scarves
    assert (shipped_classifier("kittens").predict(x)[seen, 3] == labels[seen, 3]).mean() > 0.92


@pytest.mark.parametrize("name", SHIPPED)
def test_probabilities_and_features(name):
    shipped, x = SHIPPED[name], pictures(3, *SHIPPED[name].shape)
    classifier = shipped_classifier(name)
    p = classifier.probabilities(x)
    assert {label: q.shape for label, q in p.items()} == {
        label: (3, len(classes)) for label, classes in shipped.label_names.items()
    }
    for q in p.values():
        np.testing.assert_allclose(q.sum(1), 1)
    features = classifier.features(x)
    assert features.shape == (3, shipped.hidden)
    assert features.min() >= 0  # they follow a ReLU, as the last layer sees them
    last = classifier.net.layers[-1]
    logits = features @ last.params["weight"].data + last.params["bias"].data
    np.testing.assert_array_equal(
        classifier.predict(x)[:, 0], logits[:, : next(iter(p.values())).shape[1]].argmax(1)
    )


def test_an_unknown_classifier():
    with pytest.raises(UnknownNameError, match="did you mean 'kittens'"):
        shipped_classifier("kitten")


def test_stacked_digits_are_told_channel_by_channel():
    x, labels = open_data("stacked-digits", split="test").draw(300, make_rng(0))
    extractor = extractor_for(open_data("stacked-digits"))
    assert (extractor.predict(x) == labels).mean() > 0.97
    digits = extractor_for(open_data("digits"))
    features = extractor.features(x[:5])
    assert features.shape == (5, 3 * SHIPPED["digits"].hidden)
    np.testing.assert_allclose(features[:, 64:128], digits.features(x[:5, ..., 1:2]), rtol=1e-5)
    assert extractor.probabilities(x[:5]).keys() == {"red", "green", "blue"}


# --- which one ------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", OWN)
def test_data_has_its_own(name):
    assert extractor_for(open_data(name)).name
    other = extractor_for(open_data("kittens", channels=1), name)
    assert other.features(pictures(2, 20, 20, 3 if name == "stacked-digits" else 1)).shape[0] == 2


def test_points_are_their_own_features():
    extractor = extractor_for(open_data("ring"))
    assert isinstance(extractor, Coordinates)
    x = pictures(4, 2)
    assert extractor.features(x) is x
    with pytest.raises(DataError, match="needs pictures"):
        extractor.probabilities(x)


def test_what_there_is_no_extractor_for(tmp_path):
    np.savez(tmp_path / "own.npz", x=RNG.integers(256, size=(4, 8, 8, 3), dtype=np.uint8))
    own = open_data(str(tmp_path / "own.npz"))
    with pytest.raises(DataError, match=r"ships extractors for digits, kittens, faces-ages"):
        extractor_for(own)
    assert extractor_for(own, "kittens").features(pictures(2, 8, 8, 3)).shape == (2, 128)
    with pytest.raises(OptionError, match="--extractor inception: wanted digits"):
        extractor_for(own, "inception")
    with pytest.raises(DataError, match="takes pictures, ring holds points"):
        extractor_for(open_data("ring"), "digits")


def test_fitting_leaves_what_fits_and_goes_through_bytes_else():
    x = pictures(2, 28, 28, 1)
    assert fitted(x, (28, 28, 1)) is x
    small = fitted(np.full((1, 56, 56, 3), 0.5, np.float32), (28, 28, 1))
    assert small.shape == (1, 28, 28, 1)
    np.testing.assert_allclose(small, 0.5, atol=1 / 255)


# --- ONNX -----------------------------------------------------------------------------------------


@pytest.fixture
def runtime():
    return pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")


@pytest.fixture
def file(tmp_path, runtime):
    def write(shape, **how):
        path = tmp_path / "net.onnx"
        path.write_bytes(network(shape, **how))
        return str(path)

    return write


def pooled(x):
    """Of pictures (N, H, W, C): the maxima of 2 x 2 cells, channels first, flattened."""
    n, h, w, c = x.shape
    cells = x.reshape(n, h // 2, 2, w // 2, 2, c).max((2, 4))
    return cells.transpose(0, 3, 1, 2).reshape(n, -1)


@pytest.mark.parametrize("shape", [["N", 3, "H", "W"], ["N", 3, 6, 6], [4, 3, 6, 6]])
def test_an_onnx_network_gives_its_output(file, shape):
    extractor = extractor_for(open_data("kittens"), file(shape))
    x = pictures(7, 6, 6, 3)
    np.testing.assert_array_equal(extractor.features(x), pooled(x))
    assert extractor.name.startswith("net.onnx (sha256 ")
    with pytest.raises(DataError, match="gives no class probabilities"):
        extractor.probabilities(x)


def test_pictures_are_resized_for_it(file):
    extractor = extractor_for(open_data("kittens"), file(["N", 1, 4, 4]))
    assert extractor.features(pictures(2, 9, 9, 3)).shape == (2, 4)
    grey = np.full((1, 9, 9, 3), -0.2, np.float32)
    np.testing.assert_allclose(extractor.features(grey), -0.2, atol=1 / 255)


def test_a_softmax_gives_probabilities(file):
    extractor = extractor_for(open_data("kittens"), file(["N", 3, 4, 4], softmax=True))
    x = pictures(5, 4, 4, 3)
    logits = pooled(x).astype(np.float64)
    wanted = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    np.testing.assert_allclose(extractor.probabilities(x)["class"], wanted, rtol=1e-5)


def test_files_that_are_no_networks_of_pictures(file, tmp_path):
    with pytest.raises(DataError, match=r"missing\.onnx cannot be read: No such file"):
        extractor_for(open_data("kittens"), str(tmp_path / "missing.onnx"))
    (tmp_path / "text.onnx").write_text("no network")
    with pytest.raises(DataError, match=r"text\.onnx is no ONNX network"):
        extractor_for(open_data("kittens"), str(tmp_path / "text.onnx"))
    with pytest.raises(DataError, match=r"is tensor\(double\).*wanted float pictures"):
        extractor_for(open_data("kittens"), file(["N", 3, 4, 4], kind=11))
    with pytest.raises(DataError, match=r"has 2 inputs \('x', 'y'\); wanted one, for pictures"):
        extractor_for(open_data("kittens"), file(["N", 3, 4, 4], others=("y",)))
    one = extractor_for(open_data("kittens"), file(["N", 3, 4, 4], end="ReduceMax"))
    with pytest.raises(DataError, match=r"no features of pictures \(3, 3, 4, 4\): "):
        one.features(pictures(3, 4, 4, 3))


def test_without_onnxruntime_the_fix_is_said():
    program = (
        "import sys; sys.modules['onnxruntime'] = None\n"
        "from minigan.data import open_data\n"
        "from minigan.metrics.extractors import extractor_for\n"
        "try: extractor_for(open_data('kittens'), 'x.onnx')\n"
        "except Exception as error: print(type(error).__name__, error)"
    )
    out = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    ).stdout
    assert out.startswith("OptionError an ONNX extractor needs onnxruntime")
    assert "pip install 'minigan[onnx]'" in out


def test_faces_are_recognised_that_the_classifier_has_not_seen():
    """Held-out persons on two photographs, at two neighbouring ages, among 50 of them."""
    data = AgedFaces(32, split="test")
    who, classifier = data.numbers[:50], shipped_classifier("faces-ages")
    features = []
    for group, photograph in ((2, 30), (3, 70)):
        parts = np.stack([np.full(50, group), who, data.numbers[photograph : photograph + 50]], 1)
        features.append(classifier.features(data.compose(parts)))
        named = classifier.predict(data.compose(parts))[:, 0]
        assert (named == group).mean() > 0.85
    apart = ((features[0][:, None] - features[1][None]) ** 2).sum(-1)
    assert (apart.argmin(1) == np.arange(50)).mean() > 0.6
