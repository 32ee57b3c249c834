"""The metrics by name: their protocols, what data they need, and which values say "better"."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from minigan.data import Dataset, LabelledDomains
from minigan.data.ages import AgedFaces
from minigan.data.captions import Captioned, CaptionedKittens
from minigan.data.kittens import Kittens
from minigan.data.moving_digits import MovingDigits
from minigan.data.oracle import Oracle
from minigan.data.poses import Poses
from minigan.data.relabelled import Relabelled
from minigan.data.stacked import StackedDigits
from minigan.errors import DataError, OptionError, UnknownNameError
from minigan.metrics.adaptation import target_accuracy
from minigan.metrics.answers import INPUTS, answers_diversity
from minigan.metrics.caption_accuracy import caption_accuracy
from minigan.metrics.d_features import d_features
from minigan.metrics.density_coverage import density_coverage
from minigan.metrics.extractors import OWN
from minigan.metrics.frechet import frechet_distance
from minigan.metrics.kernel import kernel_distance
from minigan.metrics.label_accuracy import label_accuracy
from minigan.metrics.measures import (
    MODES,
    as_values,
    at_corners,
    classifier_score,
    likelihood,
    modes_captured,
    new_kittens,
    on_features,
    two_sample_values,
)
from minigan.metrics.melody import melody
from minigan.metrics.persons import persons
from minigan.metrics.precision_recall import precision_recall
from minigan.metrics.relabelling import kept_labels
from minigan.metrics.result import Result
from minigan.metrics.retrieval import retrievals
from minigan.metrics.sentences import nll_oracle, nll_test, sentences
from minigan.metrics.speech import enhancement
from minigan.metrics.subject import Subject
from minigan.metrics.translations import (
    cycle_errors,
    decibels,
    each_way,
    edges,
    errors,
    has_truth,
    is_pairs,
    masked_similarities,
    sharpnesses,
    similarities,
)

Rank = Callable[[float], float]
RANKS: dict[str, Rank] = {
    "nearer to 1": lambda value: -abs(value - 1),
    "higher": lambda value: value,
    "lower": lambda value: -value,
    "nearer to 1/2": lambda value: -abs(value - 0.5),
}


@dataclass(frozen=True)
class Metric:
    """A metric that a name can choose.

    needs   what data it takes, in words; `takes` says whether a data set is such
    n       how many samples of a data set's generator it takes unless told
    better  for each value that can rank checkpoints a key of RANKS; the first is the main one
    features  whether an extractor makes features of the examples
    """

    summary: str
    needs: str
    takes: Callable[[Dataset], bool]
    n: Callable[[Dataset], int]
    better: dict[str, str]
    measure: Callable[[Subject, int], Result]
    features: bool = False


def _featured(dataset: Dataset) -> bool:
    return dataset.kind in ("image", "points", "pairs")


def _singly(dataset: Dataset) -> bool:
    return dataset.kind in ("image", "points")


def _features_n(dataset: Dataset) -> int:
    """Enough for 192 features, and a few seconds on one core: pictures are translated singly."""
    return 500 if dataset.kind == "pairs" else 2000


def _pairs_n(dataset: Dataset) -> int:
    """As many as the features of the same translations are made of."""
    return 500


def _pictures(dataset: Dataset) -> bool:
    return dataset.kind == "image"


METRICS: dict[str, Metric] = {
    "modes": Metric(
        "modes captured, high-quality share and reverse KL",
        "data whose modes are known (ring, grid, stacked-digits)",
        lambda data: type(data) in MODES,
        lambda data: 26_000 if isinstance(data, StackedDigits) else 2500,  # PacGAN's
        {"modes": "higher", "reverse_kl": "lower", "high_quality": "higher"},
        modes_captured,
    ),
    "fid": Metric(
        "Fréchet distance of features",
        "pictures or points, alone or in pairs",
        _featured,
        _features_n,
        {"distance": "lower"},
        on_features(
            "fid",
            "Fréchet distance of Gaussians fitted to features (Heusel et al. 2017, with another "
            "extractor); biased upwards, compare equal N only",
            lambda real, fake, _: {"distance": frechet_distance(real, fake)},
        ),
        features=True,
    ),
    "kid": Metric(
        "kernel distance of features, with its error",
        "pictures or points, alone or in pairs",
        _featured,
        _features_n,
        {"value": "lower"},
        on_features(
            "kid",
            "unbiased MMD² (Gretton et al. 2012, lemma 6) under the kernel (<x, y> / F + 1)³, of "
            "one set, no subsets, jackknife error (Binkowski et al. 2018, with another extractor)",
            lambda real, fake, _: as_values(kernel_distance(real, fake)),
        ),
        features=True,
    ),
    "is": Metric(
        "inception score",
        "pictures",
        _pictures,
        _features_n,
        {"score": "higher"},
        classifier_score,
    ),
    "label-accuracy": Metric(
        "share of samples of the class that was asked for",
        "pictures with labels that a classifier ships for (" + ", ".join(OWN) + ")",
        lambda data: (
            (data.kind == "image" or isinstance(data, Relabelled))
            and data.name in OWN
            and not isinstance(data, Captioned)
        ),
        lambda data: 1000,
        {},  # data alone, with which a run's choice of checkpoints is tried, asks for nothing
        label_accuracy,
    ),
    "kept-labels": Metric(
        "share of labels that nobody asked to change which translations keep",
        "translations between some labels of pictures that a classifier ships for ("
        + ", ".join(OWN)
        + "), and others that stay",
        lambda data: isinstance(data, Relabelled) and data.name in OWN and bool(data.others),
        lambda data: 1000,
        {"kept": "higher"},
        kept_labels,
    ),
    "target-accuracy": Metric(
        "share of pictures of a target domain that a classifier adapted to it names right",
        "a labelled source domain and a target whose labels are known (digits-m)",
        lambda data: isinstance(data, LabelledDomains) and data.target_known,
        lambda data: 2000,
        {},  # what chose a checkpoint by the target's labels would have seen them
        target_accuracy,
    ),
    "persons": Metric(
        "whether faces at another age still show the same person, and that age",
        "faces-ages, translated between ages",
        lambda data: isinstance(data, Relabelled) and isinstance(data.data, AgedFaces),
        lambda data: 100,  # each is sought for in two or three ways
        {},  # the truth chooses no checkpoint: training must not see it
        persons,
    ),
    "caption-accuracy": Metric(
        "share of what captions name that samples show",
        "captioned kittens",
        lambda data: isinstance(data, CaptionedKittens),
        lambda data: 1000,
        {},  # as above
        caption_accuracy,
    ),
    "d-features": Metric(
        "what D has learned: accuracy of a linear SVM on its features, where asked for",
        "pictures with labels and a test split",
        lambda data: data.kind == "image" and bool(data.label_names),
        lambda data: 1000,  # labelled examples, the paper's
        {},  # as of parzen
        d_features,
    ),
    "precision-recall": Metric(
        "improved precision and recall of features",
        "pictures or points, alone or in pairs",
        _featured,
        _features_n,
        {"recall": "higher", "precision": "higher"},
        on_features(
            "precision-recall",
            "k = 3 nearest neighbours (Kynkäänniemi et al. 2019, with another extractor)",
            lambda real, fake, _: as_values(precision_recall(real, fake)),
        ),
        features=True,
    ),
    "density-coverage": Metric(
        "density and coverage of features",
        "pictures or points, alone or in pairs",
        _featured,
        _features_n,
        {"coverage": "higher", "density": "higher"},
        on_features(
            "density-coverage",
            "k = 5 nearest neighbours (Naeem et al. 2020, with another extractor)",
            lambda real, fake, _: as_values(density_coverage(real, fake)),
        ),
        features=True,
    ),
    "parzen": Metric(
        "log-likelihood under a Parzen window",
        "single pictures or points with a test split",
        _singly,
        lambda data: 10_000,  # that of the papers on MNIST
        {},  # it needs held-out data, and what chose a checkpoint is not held out
        likelihood,
    ),
    "two-sample": Metric(
        "nearest-neighbour two-sample test of features",
        "pictures or points, alone or in pairs",
        _featured,
        _features_n,
        {"accuracy": "nearer to 1/2"},
        on_features(
            "two-sample",
            "leave-one-out 1-NN accuracy, 0.5 where samples and data are alike; p by 1,000 "
            "permutations (Lopez-Paz and Oquab 2017)",
            two_sample_values,
        ),
        features=True,
    ),
    "novelty": Metric(
        "share of kittens whose combination of parts is new",
        "kittens, whose parts are known",
        lambda data: isinstance(data, Kittens),
        _features_n,
        {"corrected": "higher", "new": "higher", "distinct": "higher"},
        new_kittens,
    ),
    "melody": Metric(
        "pitches, note lengths and chord tones of bars, beside held-out ones",
        "bars of melodies",
        lambda data: data.kind == "bars",
        lambda data: 1000,
        {},  # data alone, with which a run's choice of checkpoints is tried, asks for nothing
        melody,
    ),
    "snr": Metric(
        "signal-to-noise ratios of enhanced speech, and of the noisy speech",
        "speech in noise and the same speech without",
        lambda data: data.kind == "sounds",
        lambda data: 200,
        {"si_sdr": "higher", "segmental": "higher"},
        enhancement,
    ),
    "nll-oracle": Metric(
        "how likely generated sentences are under the oracle that the data is of",
        "sentences of an oracle",
        lambda data: isinstance(data, Oracle),
        lambda data: 2000,
        {"nll": "lower"},
        nll_oracle,
    ),
    "nll-test": Metric(
        "how likely sentences of the data are under the generator",
        "sentences",
        lambda data: data.kind == "sentences",
        lambda data: 2000,
        {},  # what chose a checkpoint is not held out
        nll_test,
    ),
    "sentences": Metric(
        "shares of generated sentences that are different, new, and captions",
        "sentences",
        lambda data: data.kind == "sentences",
        lambda data: 2000,
        {"distinct": "higher"},
        sentences,
    ),
    "l1": Metric(
        "mean absolute error of translations",
        "pairs of pictures that are known to belong together",
        has_truth,
        _pairs_n,
        {"error": "lower"},
        each_way("l1", "mean |made - true|, pictures in [-1, 1]", errors),
    ),
    "psnr": Metric(
        "peak signal to noise of translations",
        "pairs of pictures that are known to belong together",
        has_truth,
        _pairs_n,
        {"decibels": "higher"},
        each_way("psnr", "10 log10(L² / MSE) of each picture, L = 2, their mean in dB", decibels),
    ),
    "ssim": Metric(
        "structural similarity of translations",
        "pairs of pictures that are known to belong together",
        has_truth,
        _pairs_n,
        {"similarity": "higher"},
        each_way(
            "ssim",
            "11x11 Gaussian window, sigma 1.5, K1 0.01, K2 0.03, mean over channels "
            "(Wang et al. 2004)",
            similarities,
        ),
    ),
    "retrieval": Metric(
        "share of translations that are nearer to their own truth than to any other's",
        "pairs of pictures that are known to belong together",
        has_truth,
        _pairs_n,
        {"own": "higher"},
        each_way(
            "retrieval",
            "the nearest of the N true pictures, by squares of pixels, is the own one",
            retrievals,
        ),
    ),
    "mask-ssim": Metric(
        "structural similarity of persons in another pose, over their bodies",
        "persons in two poses",
        lambda data: isinstance(data, Poses),
        _pairs_n,
        {"similarity": "higher"},
        each_way(
            "mask-ssim",
            "ssim of pictures that are black outside of the true pose's mask (mask-SSIM, Ma et "
            "al. 2017)",
            masked_similarities,
        ),
    ),
    "cycle": Metric(
        "how far translations that are taken back are from where they began",
        "pairs of pictures or two domains, and a generator each way",
        is_pairs,
        _pairs_n,
        {"error": "lower"},
        each_way("cycle", None, cycle_errors),
    ),
    "sharpness": Metric(
        "gradient energy of translations beside that of true pictures",
        "pairs of pictures or two domains",
        is_pairs,
        _pairs_n,
        {"ratio": "nearer to 1"},
        each_way(
            "sharpness", "mean squared difference of neighbours, the ratio made / true", sharpnesses
        ),
    ),
    "sharpness-difference": Metric(
        "how like the edges of translations are to true ones",
        "pairs of pictures that are known to belong together",
        has_truth,
        _pairs_n,
        {"decibels": "higher"},
        each_way(
            "sharpness-difference",
            "10 log10(L² / mean |edges made - true|) of each picture, L = 2, their mean in dB "
            "(Mathieu et al. 2016, section 4)",
            edges,
        ),
    ),
    "corners": Metric(
        "share of predictions that decide where a digit may turn left or right",
        "moving-digits",
        lambda data: isinstance(data, MovingDigits),
        _pairs_n,
        {"decided": "higher", "split": "lower"},
        at_corners,
    ),
    "diversity": Metric(
        "how far answers to one and the same picture are apart",
        "pairs of pictures or two domains",
        lambda data: is_pairs(data) and not isinstance(data, Relabelled),
        lambda data: INPUTS,
        {},  # noise without sense is diverse too
        answers_diversity,
        features=True,
    ),
}


def metric(name: str) -> Metric:
    """The metric of that name. Raises UnknownNameError."""
    if name not in METRICS:
        raise UnknownNameError("metric", name, METRICS)
    return METRICS[name]


def checked(names: Iterable[str], dataset: Dataset) -> list[str]:
    """The names, each a metric's that takes the data. Raises UnknownNameError, DataError."""
    names = list(names)
    for name in names:
        found = metric(name)
        if not found.takes(dataset):
            raise DataError(
                f"metric {name!r} needs {found.needs}; the data here is {dataset.name}, "
                f"{dataset.kind} of shape {dataset.shape}"
            )
    return names


def measure(name: str, subject: Subject, n: int | None = None) -> Result:
    """A metric of a subject, with n samples or as many as it takes by itself.

    Raises UnknownNameError, DataError where the data is not what it needs, and OptionError for n.
    """
    checked([name], subject.data)
    if n is not None and n < 10:
        raise OptionError(f"{n} samples say nothing; give 10 or more")
    return metric(name).measure(subject, n or metric(name).n(subject.data))


def ranking(wanted: str) -> tuple[str, str, Rank]:
    """Of METRIC or METRIC.VALUE the metric, the value, and a number that is higher for better.

    Raises UnknownNameError, and OptionError for a metric that ranks nothing.
    """
    name, dot, value = wanted.partition(".")
    better = metric(name).better
    if not better:
        others = ", ".join(n for n, m in METRICS.items() if m.better)
        raise OptionError(f"metric {name!r} cannot choose a checkpoint; these can: {others}")
    value = value if dot else next(iter(better))
    if value not in better:
        raise UnknownNameError(f"value of metric {name}", value, better)
    return name, value, RANKS[better[value]]
