"""Caption accuracy counts what is named, and nothing else."""

import numpy as np
import pytest

from minigan.data import open_captions, open_data
from minigan.data.kittens import Kittens
from minigan.errors import DataError
from minigan.metrics import METRICS, measure
from minigan.metrics.caption_accuracy import named_shares
from minigan.metrics.subject import Asked, Subject
from minigan.text import KITTENS


def test_only_named_labels_count() -> None:
    probabilities = {
        "body": np.array([[0.9, 0.1], [0.2, 0.8], [0.6, 0.4]]),
        "eyes": np.array([[0.1, 0.9], [0.7, 0.3], [0.3, 0.7]]),
        "mouth": np.ones((3, 2)),
    }
    named = [{"body": 0}, {"body": 0, "eyes": 0}, {"eyes": 1}]
    assert named_shares(probabilities, named) == {"body": 0.5, "eyes": 1.0}


def kitten_of(captions: np.ndarray, rng: np.random.Generator, wrong: bool = False) -> np.ndarray:
    """Kittens that show what their captions name, or in no label that; the rest at random."""
    kittens = Kittens(32)
    labels = kittens.labels(rng.integers(324_000, size=len(captions)))
    for row, caption in zip(labels, KITTENS.vocabulary.decode(captions), strict=True):
        for label, number in KITTENS.parse(caption).items():
            j = KITTENS.labels.index(label)
            row[j] = (number + wrong) % len(KITTENS.phrases[label])
    return kittens.compose(labels)


@pytest.mark.parametrize("wrong", [False, True])
def test_a_generator_that_does_as_it_is_told_and_one_that_does_not(wrong: bool) -> None:
    data = open_captions("kittens", split="test")

    def draw(n: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        captions = data.draw(n, rng).labels
        assert captions is not None
        return kitten_of(captions, rng, wrong), captions

    asked = Asked(data.label_names, draw, lambda captions, rng: kitten_of(captions, rng, wrong))
    subject = Subject(lambda n, rng: draw(n, rng)[0], data, split="test", asked=asked)
    found = measure("caption-accuracy", subject, 300)
    assert (found.n_fake, found.n_real, found.split) == (300, 300, "test")
    # Labels that nothing hides; a scarf hides the mouth.
    for label in ("body", "fur", "eyes", "accessory"):
        assert found.values[f"{label} (real)"] > 0.85
        assert (found.values[label] > 0.85) != wrong
        assert (found.values[label] < 0.1) == wrong
    labels = [found.values[label] for label in KITTENS.labels]
    assert found.values["accuracy"] == pytest.approx(np.mean(labels))


def test_samples_that_nobody_asked_for_are_refused() -> None:
    data = open_captions("kittens")
    subject = Subject(lambda n, rng: data.draw(n, rng).x, data, split="train")
    with pytest.raises(DataError, match="asked for by captions"):
        measure("caption-accuracy", subject, 10)
    plain = open_data("kittens")
    with pytest.raises(DataError):
        measure("caption-accuracy", Subject(lambda n, rng: plain.draw(n, rng).x, plain, split="x"))


def test_label_accuracy_does_not_read_captions() -> None:
    captioned = open_captions("kittens")
    assert not METRICS["label-accuracy"].takes(captioned)
    assert METRICS["caption-accuracy"].takes(captioned)
    assert not METRICS["caption-accuracy"].takes(open_data("kittens"))
