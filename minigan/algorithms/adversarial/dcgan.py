"""DCGAN: Algorithm 1 on convolutional networks (Radford, Metz, Chintala 2016, arXiv:1511.06434).

Adam at 2e-4 with beta1 = 0.5, z of 100 uniform numbers, weights from N(0, 0.02^2): section 4. The
networks and their guidelines are in models/dcgan.py.
"""

from __future__ import annotations

from dataclasses import dataclass

from minigan.algorithms.checks import check_counts
from minigan.algorithms.gan import GAN
from minigan.algorithms.options import Streams, Task
from minigan.algorithms.remedies import RemedyOptions
from minigan.algorithms.settings import option
from minigan.errors import OptionError
from minigan.layers import Layer
from minigan.models import dcgan_discriminator, dcgan_generator
from minigan.models.norms import NORMS
from minigan.prior import PRIORS


@dataclass(frozen=True, kw_only=True)
class DCGANOptions(RemedyOptions):
    """The game's options with the paper's settings, and the networks' width."""

    beta1: float | None = option(0.5, "averaging factor of adam's first moment")
    prior: str = option("uniform", "distribution of the noise z", PRIORS)
    norm_G: str = option("batch", "norm in G", NORMS)
    norm_D: str | None = option(
        None, "norm in D (default: batch, none with --spectral-norm); penalties refuse batch", NORMS
    )
    width: int = option(64, "channels next to the picture; doubled by every halving of its size")


def networks(options: DCGANOptions, task: Task, streams: Streams) -> tuple[Layer, Layer]:
    """The pair of convolutional networks. Raises OptionError for points and illegal sizes."""
    if task.kind != "image":
        raise OptionError(
            f"dcgan makes pictures, the data has points of shape {task.shape}; use gan for these"
        )
    check_counts(options, "width")
    norm_D = options.norm_D or ("none" if options.spectral_norm else "batch")
    G = dcgan_generator(
        options.z_dim,
        task.shape,
        width=options.width,
        norm=options.norm_G,
        reference=options.reference_z(options.norm_G, streams),
        rng=streams.weights,
    )
    D = dcgan_discriminator(
        task.shape,
        width=options.width,
        norm=norm_D,
        reference=options.reference_x(norm_D, task),
        remedies=options.remedies(task),
        rng=streams.weights,
    )
    return G, D


def build(options: DCGANOptions, task: Task, streams: Streams) -> GAN:
    """Algorithm 1 on the pair of networks. Raises OptionError for values that cannot be."""
    return options.build_game(*networks(options, task, streams), task, streams)
