"""What the random numbers of a seed are for: the second number of `make_rng(seed, Purpose.X)`.

Each purpose has a stream of its own, so that what one draws leaves the others as they are. A number
never changes its meaning: trained results and stored runs depend on it. A new purpose takes a new
number.
"""

from enum import IntEnum, unique


@unique
class Purpose(IntEnum):
    """Every stream that is drawn from a run's seed, or from another that users give."""

    # of a training
    WEIGHTS = 1  # first weights of networks
    NOISE = 2  # z, dropout and whatever else a step draws
    DATA = 0xDA7A  # the order of examples, and how they are varied (data/loader.py)
    REFERENCE = 8  # examples that stand for the data: of reference norms, and for translations
    ORACLE = 27  # weights of the oracle that says sentences
    SENTENCES = 28  # sentences of the oracle, and captions, that are a data set
    DEGRADED = 21  # holes in and blurs of the pictures of finite data, from a picture's index
    LABELLED = 12  # the examples whose labels semi-supervised learning sees
    CLASSIFIER_WEIGHTS = 6  # of a classifier of pictures, and its dropout
    CLASSIFIER_SHIFTS = 7  # by how much its batches are moved

    # of what a run shows
    PICTURES = 3  # z of the pictures while it trains, and of samples that benchmarks count
    SHOWN = 4  # examples in or beside these pictures
    LABELS = 14  # of rows of pictures and of samples, where nobody asked for some
    HELD_OUT = 19  # examples that the log's accuracy and purity are of

    # of a trained generator
    SAMPLES = 5  # z of `minigan sample`, and of the report's walk
    TRANSLATIONS = 15  # z and dropout of `minigan translate`
    EXPORT = 16  # inputs on which an exported network is compared

    # of measurements
    STANDING = 30  # z of standing statistics
    MEASURED = 17  # z of the samples that are measured, dropout and z of such translations
    REAL = 9  # examples that they are compared with
    REAL_LABELLED = 13  # examples whose labels or captions are looked for, as in samples
    PARZEN = 10  # held-out examples of the Parzen window
    PERMUTATIONS = 11  # of the two-sample test
    NOVELTY = 18  # kittens that novelty is corrected by
    CROWD = 25  # persons whom an aged face is told from
    ARCHITECTURES = 20  # networks of `python -m bench robustness`
