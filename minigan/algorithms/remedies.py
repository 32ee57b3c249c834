"""Options of both games on what stands against mode collapse and instability.

Each is a part that the networks or Algorithm 1 take; this file only names them. Two learning rates
(Heusel et al. 2017) are --lr-G and --lr-D.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from minigan.algorithms.adversarial.unrolled import UnrolledGAN
from minigan.algorithms.gan import GAN
from minigan.algorithms.options import AdversarialOptions, Streams, Task
from minigan.algorithms.settings import Company, Needs, option
from minigan.backend import Array
from minigan.errors import OptionError
from minigan.layers import Layer
from minigan.losses.history import HistoricalAveraging
from minigan.losses.matching import FeatureMatching
from minigan.models.norms import WITH_REFERENCE
from minigan.models.remedies import Remedies
from minigan.prior import Prior


@dataclass(frozen=True, kw_only=True)
class RemedyOptions(AdversarialOptions):
    """Parts of D, of what G descends, and of both players' losses; all are off unless asked for."""

    only_with: ClassVar[Company] = {
        "reference_batch": Needs(("norm_G", "norm_D"), tuple(WITH_REFERENCE))
    }

    pac: int = option(1, "examples that D judges together (PacGAN); must divide --batch")
    spectral_norm: bool = option(False, "divide each weight of D by its largest singular value")
    minibatch_stddev: bool = option(False, "show D how much the examples of a batch differ")
    minibatch_discrimination: int = option(
        0, "kernels in D that compare a batch's examples; 0: none"
    )
    reference_batch: int = option(64, "examples of the batch of norms reference and virtual")
    unroll: int = option(0, "steps of D that G looks ahead (unrolled GAN); 0: none")
    feature_matching: bool = option(False, "G matches mean features of D in place of fooling it")
    feature_layer: str | None = option(None, "D's layer of these features (default: last but one)")
    historical_averaging: float = option(0.0, "weight of each player's distance to its past mean")

    def remedies(self, task: Task) -> Remedies:
        """Those within D. Raises OptionError for values that cannot be."""
        made = Remedies(
            pac=self.pac,
            spectral_norm=self.spectral_norm,
            minibatch_stddev=self.minibatch_stddev,
            minibatch_discrimination=self.minibatch_discrimination,
        )
        norm = getattr(self, "norm_D", None)
        if norm in WITH_REFERENCE and (made.minibatch_stddev or made.minibatch_discrimination):
            raise OptionError(
                f"--norm-D {norm} puts examples of the data into D's batch, and --minibatch-stddev "
                "and --minibatch-discrimination would compare G's with those; give another norm"
            )
        if task.batch and task.batch % made.pac:
            raise OptionError(
                f"--pac {made.pac} does not divide --batch {task.batch}: D judges whole packs"
            )
        return made

    def reference_z(self, norm: str, streams: Streams) -> Array | None:
        """G's reference batch, for a norm that has one: draws of the prior."""
        if not self._has_reference(norm):
            return None
        return Prior(self.prior, self.z_dim).draw(self.reference_batch, streams.weights)

    def reference_x(self, norm: str, task: Task) -> Array | None:
        """D's reference batch, for a norm that has one: examples of the training set."""
        if not self._has_reference(norm):
            return None
        if task.examples is None:
            raise OptionError(f"--norm-D {norm} needs a data set to take its reference batch from")
        return task.examples(self.reference_batch)

    def build_game(self, G: Layer, D: Layer, task: Task, streams: Streams, **parts: Any) -> GAN:
        """Algorithm 1 with these parts. Raises OptionError for values that cannot be."""
        if self.unroll < 0 or not self.historical_averaging >= 0:
            raise OptionError(
                f"--unroll {self.unroll} and --historical-averaging {self.historical_averaging} "
                "must be at least 0"
            )
        if self.feature_layer is not None and not self.feature_matching:
            raise OptionError("--feature-layer is an option of --feature-matching; give both")
        if self.unroll:
            parts |= {"game": UnrolledGAN, "unroll": self.unroll}
        if self.feature_matching:
            loss = FeatureMatching(self.feature_layer)
            loss.check(D)
            parts |= {"generator_loss": loss}
        if weight := self.historical_averaging:
            nets = {"G": G, "D": D}
            parts |= {
                "regularizers": {p: [HistoricalAveraging(net, weight)] for p, net in nets.items()}
            }
        return super().build_game(G, D, task, streams, **parts)

    def _has_reference(self, norm: str) -> bool:
        if norm in WITH_REFERENCE and self.reference_batch < 2:
            raise OptionError(
                f"--reference-batch {self.reference_batch}: wanted at least 2 examples"
            )
        return norm in WITH_REFERENCE
