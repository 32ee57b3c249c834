r"""Semi-supervised GAN: a classifier that also learns from examples without labels.

The classifier has K classes for examples and one more, K + 1, for generated ones. The logit of that
class can be fixed at 0 without loss, for a softmax does not change when a number is taken off all
logits. With Z(x) = sum_k exp(l_k(x)) over the other K,

    D(x) = 1 - p(y = K + 1 | x) = Z(x) / (Z(x) + 1) = sigmoid(log Z(x))        semi.d

is a discriminator, and the loss has two parts (Salimans et al. 2016, section 5):

    L_supervised   = -E log p(y | x, y < K + 1), over examples with a label    semi.supervised
    L_unsupervised = -E log D(x) - E log(1 - D(G(z))), over all examples       semi.unsupervised

G matches the features that D has below its logits (section 3.1, which the paper found to work
better here than fooling D: --generator-loss objective, as Odena 2016, arXiv:1606.01583).

Which examples have a label is decided once, by the seed: as many of each class. The labels of all
others are never looked at. With `supervised_only` the same network learns from these alone, the
baseline to compare with.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple, Self

import numpy as np

from minigan.algorithms.base import Scalars
from minigan.algorithms.checks import check_weights
from minigan.algorithms.codes.options import NETWORKS, PLAIN_NORMS, CodeOptions
from minigan.algorithms.gan import GAN
from minigan.algorithms.options import Streams, Task
from minigan.algorithms.settings import Company, Needs, known, option
from minigan.backend import Array, scalar, to_device, to_host
from minigan.errors import OptionError
from minigan.layers import Dropout, Layer, Sequential
from minigan.losses import FeatureMatching
from minigan.losses.categorical import categorical_nll
from minigan.models import classifying_discriminator, mlp_discriminator
from minigan.ops.embedding import take_rows
from minigan.prior import PRIORS

PAPER = "Salimans et al. 2016, Improved techniques for training GANs, arXiv:1606.03498, section 5"

EQUATIONS = {
    "semi.d": r"D(x) = \frac{Z(x)}{Z(x) + 1}, \quad Z(x) = \sum_{k=1}^K \exp(l_k(x))",
    "semi.supervised": r"L_{supervised} = -\mathbb{E}_{x, y \sim p_{data}(x, y)}"
    r"[\log p_{model}(y|x, y < K + 1)]",
    "semi.unsupervised": r"L_{unsupervised} = -\{\mathbb{E}_{x \sim p_{data}(x)}[\log D(x)]"
    r" + \mathbb{E}_{z \sim noise}[\log(1 - D(G(z)))]\}",
}


class Labelled(NamedTuple):
    """The examples whose class is known, (n, ...), and their classes, one-hot (n, K)."""

    x: Array
    classes: Array

    def draw(self, m: int, rng: Any) -> tuple[Array, Array]:
        """m of them, drawn with replacement where the state of rng lives."""
        n = len(self.x)
        chosen = np.floor(n * rng.uniform(0, 1, (m,))).astype(np.int64)
        x = take_rows(self.x.reshape(n, -1), chosen).reshape(m, *self.x.shape[1:])
        return x, take_rows(self.classes, chosen)


class SemiSupervisedGAN(GAN):
    """D is a `classifying_discriminator`: its first layer C gives the logits of the K classes.

    labelled: the examples whose class is known; label: what of the data it is. weight: of the
    supervised loss. supervised_only: neither G nor an example without a label is used.
    """

    D: Sequential

    def __init__(
        self,
        G: Layer,
        D: Sequential,
        *,
        labelled: Labelled,
        label: str,
        weight: float = 1.0,
        supervised_only: bool = False,
        **shared: Any,
    ) -> None:
        super().__init__(G, D, **shared)
        self.C = D.layers[0]
        self.labelled = labelled
        self.label = label
        self.weight = weight
        self.supervised_only = supervised_only

    def step(self, x: Array, labels: Array | None = None) -> Scalars:
        """One iteration on k m examples, whose `labels` are not looked at."""
        if self.supervised_only:
            return self.update_classifier(len(x))
        return super().step(x)

    def update_discriminator(self, x: Array, z: Array) -> Scalars:
        """Descend L_supervised + L_unsupervised, with G frozen."""
        G, D = self.G, self.D
        D.flat.zero_grad()
        supervised = self.supervise(len(x))
        fake = G.forward(z, update_stats=False)[0]
        x, fake = self.shown(x), self.shown(fake)
        real_scores, real_ctx = D.forward(x)  # eq: semi.d
        # C is asked for the classes of real examples alone, so its statistics are of these alone.
        fake_scores, fake_ctx = D.forward(fake, update_stats=False)  # eq: semi.d
        losses = self.objective.discriminator
        loss, d_real, d_fake = losses(real_scores, fake_scores)  # eq: semi.unsupervised
        D.backward(d_real, real_ctx, need_dx=False)
        D.backward(d_fake, fake_ctx, need_dx=False)
        said = {**supervised, **self.objective.report(real_scores, fake_scores)}
        total = loss + self.weight * supervised["supervised"]
        return {"loss_D": loss, **said, **self.move_discriminator(total, x, fake)}

    @property
    def iteration(self) -> int:
        return self.optimizers["D"].t if self.supervised_only else super().iteration

    def update_classifier(self, m: int) -> Scalars:
        """Descend L_supervised alone: the baseline."""
        self.D.flat.zero_grad()
        supervised = self.supervise(m)
        norm = self.descend("D", self.weight * supervised["supervised"])
        return {**supervised, "grad_norm_D": norm}

    def supervise(self, m: int) -> Scalars:
        """Add the gradient of `weight` L_supervised of m labelled examples to C's parameters.

        Returns it, without its weight, and the share of them that C names right.
        """
        x, classes = self.labelled.draw(m, self.rng)
        logits, ctx = self.C.forward(self.shown(x))
        loss, d_logits = categorical_nll(logits, classes)  # eq: semi.supervised
        self.C.backward(self.weight * d_logits, ctx, need_dx=False)
        right = (logits.argmax(1) == classes.argmax(1)).mean()
        return {"supervised": loss, "accuracy(labelled)": scalar(right)}

    def classify(self, x: Array) -> Array:
        """The likeliest class of each example of the host, int (N,), by running statistics."""
        logits, _ = self.C.forward(to_device(x, self.device), train=False)
        return to_host(logits).argmax(1)

    def state_dict(self) -> dict[str, Array]:
        """And the labelled examples."""
        return super().state_dict() | {
            "labelled.x": self.labelled.x,
            "labelled.classes": self.labelled.classes,
        }

    def to(self, device: str) -> Self:
        """As its base's; the labelled examples move too."""
        self.labelled = Labelled(*(to_device(array, device) for array in self.labelled))
        return super().to(device)


GENERATOR_LOSSES = ("feature-matching", "objective")


@dataclass(frozen=True, kw_only=True)
class Options(CodeOptions):
    """100 labels, feature matching, uniform noise and a rate of 3e-3, as the paper has for digits.

    Its D has noise on every layer and weight normalisation; here these are dropout and layer norm,
    on the maxout units of the original GAN.
    """

    only_with: ClassVar[Company] = {
        **CodeOptions.only_with,
        "scale": Needs(("generator_loss",), ("objective",)),
        "pieces": Needs(("network",), ("mlp",)),
    }
    lr: float = option(3e-3, "learning rate")
    prior: str = option("uniform", "distribution of the noise z", PRIORS)
    network: str = option("mlp", "networks: DCGAN's for pictures, or perceptrons", NETWORKS)
    hidden_D: tuple[int, ...] = option((240, 240), "units of D's hidden layers (mlp)")
    pieces: int = option(2, "linear pieces of each maxout unit of D (mlp)")
    norm_D: str = option("layer", "norm in D", PLAIN_NORMS)
    dropout: float = option(
        0.5,
        "share of D's features that a pass leaves out: of each layer (mlp) or of the last (conv)",
    )
    label: str | None = option(None, "the label to learn, where the data has several")
    labels: int = option(100, "how many examples have a label: as many of each class")
    supervised_only: bool = option(False, "learn from the labelled examples alone: the baseline")
    supervised_weight: float = option(1.0, "weight of the supervised loss")
    generator_loss: str = option(
        "feature-matching",
        "what G descends: means of D's features, or the objective",
        GENERATOR_LOSSES,
    )


def build(options: Options, task: Task, streams: Streams) -> GAN:
    """Raises OptionError for values that cannot be and data whose labels cannot serve."""
    options.check(task)
    known("generator loss", options.generator_loss, dict.fromkeys(GENERATOR_LOSSES))
    check_weights(options, "supervised_weight")
    if len(task.label_names) != 1:
        raise OptionError(
            f"semi-supervised learning is of one label and the data has "
            f"{', '.join(task.label_names) or 'none'}; choose one with --label"
        )
    ((label, names),) = task.label_names.items()
    D = classifying_discriminator(
        _discriminator(options, task, streams), len(names), rng=streams.weights
    )
    parts: dict[str, Any] = {}
    if options.generator_loss == "feature-matching":
        parts["generator_loss"] = FeatureMatching(_last_features(D))
    return options.build_game(
        options.generator(options.z_dim, task.shape, streams),
        D,
        task,
        streams,
        game=SemiSupervisedGAN,
        labelled=_labelled(options, task, label, names),
        label=label,
        weight=options.supervised_weight,
        supervised_only=options.supervised_only,
        **parts,
    )


def _discriminator(options: Options, task: Task, streams: Streams) -> Sequential:
    """D with dropout, its last layer dense."""
    if options.network == "mlp":
        return mlp_discriminator(
            task.shape,
            hidden=options.hidden_D,
            num_pieces=options.pieces,
            dropout=options.dropout,
            norm=options.norm_D,
            rng=streams.weights,
        )
    *features, end = options.discriminator(task.shape, streams).layers
    drop = [Dropout(options.dropout, rng=streams.weights)] if options.dropout else []
    return Sequential(*features, *drop, end)


def _last_features(D: Sequential) -> str:
    """The name in D of the last layer below C's logits, leaving out dropout."""
    C = D.layers[0]
    assert isinstance(C, Sequential)
    below = [i for i, layer in enumerate(C.layers[:-1]) if not isinstance(layer, Dropout)]
    return f"0.{below[-1]}"


def _labelled(options: Options, task: Task, label: str, names: tuple[str, ...]) -> Labelled:
    """The examples that have a label. Raises OptionError for a number that cannot be."""
    n, classes = options.labels, len(names)
    if n < classes or n % classes:
        raise OptionError(
            f"--labels {n}: wanted a multiple of the {classes} classes of {label}, for as many of "
            "each have a label"
        )
    if task.balanced is None:
        raise OptionError("semi-supervised learning needs a data set with labels")
    x, found = task.balanced(n)
    return Labelled(x, np.eye(classes, dtype=x.dtype)[found[:, 0]])
