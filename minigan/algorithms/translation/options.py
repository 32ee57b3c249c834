"""Options that the translations share, and the networks that these choose."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, fields
from functools import partial
from typing import Any, ClassVar

import numpy as np

from minigan.algorithms.checks import (
    check_bounded,
    check_clip_norm,
    check_counts,
    check_weights,
)
from minigan.algorithms.options import OptimizerOptions, Streams, Task
from minigan.algorithms.pair_options import PairDataOptions
from minigan.algorithms.settings import Company, Needs, known, option
from minigan.errors import OptionError
from minigan.layers import Identity, Layer, Parallel, Sequential
from minigan.losses import OBJECTIVES, Objective, objectives
from minigan.losses.energy import Energy
from minigan.models import (
    dcgan_discriminator,
    dilated_generator,
    patch_discriminator,
    resnet_generator,
    unet_generator,
)
from minigan.models.dilated import dilated_size
from minigan.models.enlarging import UPSAMPLING
from minigan.models.resnet import resnet_size
from minigan.models.unet import unet_halvings, unet_size
from minigan.optim import Optimizer
from minigan.prior import Prior

Rng = np.random.Generator
Size = tuple[int, int]

# Those that take scores of either sign, which a map of logits is.
SCORED = {name: o for name, o in OBJECTIVES.items() if not issubclass(o, Energy)}
NORMS = ("batch", "instance", "none")
KINDS = ("unet", "encoder-decoder", "resnet", "dilated")  # the second is a U-Net without skips
JUDGES = ("patch", "image")


@dataclass(frozen=True, kw_only=True)
class TranslationOptions(PairDataOptions, OptimizerOptions):
    """The optimiser, the data's direction and augmentation, and both kinds of networks."""

    both_ways: ClassVar[bool] = False  # whether there is an F beside G
    with_reference: ClassVar[bool] = False  # whether G takes a reference beside x
    only_with: ClassVar[Company] = {
        "halvings": Needs(("generator",), ("unet", "encoder-decoder", "dilated")),
        "blocks": Needs(("generator",), ("resnet", "dilated")),
        "patch": Needs(("discriminator",), ("patch",)),
    }

    beta1: float | None = option(0.5, "averaging factor of adam's first moment")
    objective: str = option("non-saturating", "what the players descend", SCORED)
    generator: str = option("unet", "network from pictures to pictures", KINDS)
    width: int = option(64, "channels of the first layer of generators and discriminators")
    halvings: int | None = option(
        None,
        "unet, encoder-decoder: how often pictures are halved (default: while even, 8 at most); "
        "dilated too (default: 1)",
    )
    blocks: int | None = option(
        None, "resnet, dilated: residual blocks (default: 6, or 9 from 256x256; dilated 3)"
    )
    dropout: float = option(0.5, "of the generators: their noise")
    up: str = option(
        "transposed",
        "how pictures are enlarged; transposed convolutions can draw checkerboards, resize cannot",
        UPSAMPLING,
    )
    norm: str = option("batch", "norm of all networks", NORMS)
    discriminator: str = option("patch", "of patches, or of whole pictures", JUDGES)
    patch: int = option(70, "receptive field of patches: 1, 7, 16, 34, 70, 142, 286, ...")
    running_statistics: bool = option(
        False, "translate with batch norm's running statistics and without dropout"
    )

    @property
    def prior(self) -> Prior | None:
        """Of the z that generators take beside a picture; None where they take none."""
        return None

    def check(self, task: Task) -> tuple[Size, tuple[int, int]]:
        """Size and channels of the task's pictures. Raises OptionError for what cannot be."""
        if task.kind != "pairs" or task.channels is None:
            raise OptionError(
                "a translation learns from pairs of pictures: give --data kittens-edges, "
                "kittens-recolour or a folder of pairs"
            )
        names = [f.name for f in fields(self)]
        check_weights(self, *(n for n in names if n.startswith(("weight_", "lambda_", "clip_w"))))
        check_clip_norm(self)
        check_counts(self, "width")
        h, w = task.shape[:2]
        return (h, w), task.channels

    def build_objective(self) -> Objective:
        """Raises UnknownNameError, and OptionError for one that needs D bounded."""
        known("objective", self.objective, SCORED)
        made = objectives.get(self.objective)
        check_bounded(self, made)
        return made

    def build_generator(self, size: Size, cin: int, cout: int, rng: Rng) -> Layer:
        """Pictures (N, H, W, cin) -> (N, H, W, cout). Raises OptionError for a size."""
        known("generator", self.generator, GENERATORS)
        return GENERATORS[self.generator](self, (*size, cin), cout, rng)

    def check_size(self, size: Size, trained: Size) -> None:
        """Raise OptionError unless generators built for `trained` take pictures of `size` too."""
        SIZES[self.generator](self, size, trained)

    def build_generators(self, size: Size, channels: tuple[int, int], rng: Rng) -> dict[str, Layer]:
        """G from x to y, and F from y to x where there is one, by their names."""
        x, y = channels
        made = {"G": self.build_generator(size, x, y, rng)}
        if self.both_ways:
            made["F"] = self.build_generator(size, y, x, rng)
        return made

    def build_translator(
        self, size: Size, channels: tuple[int, int], name: str, rng: Rng
    ) -> tuple[dict[str, Layer], Layer]:
        """Generator `name`, G or F, and the networks by their names that it is made of."""
        x, y = channels if name == "G" else channels[::-1]
        net = self.build_generator(size, x, y, rng)
        return {name: net}, net

    def build_discriminator(self, size: Size, channels: int, beside: int, rng: Rng) -> Layer:
        """Of pictures (N, H, W, channels), with one of `beside` channels in front if not 0."""
        known("discriminator", self.discriminator, DISCRIMINATORS)
        return DISCRIMINATORS[self.discriminator](self, (*size, channels), beside, rng)

    def check_step(self, step: int, steps: int) -> None:
        """Raise OptionError where after `step` of `steps` a part of G has not been trained yet."""

    def build_optimizers(self, task: Task, networks: dict[str, Layer]) -> dict[str, Optimizer]:
        """One for each network, by its name. Raises as `build_optimizer`."""
        return {
            name: self.build_optimizer(net.flat, task, k=self.steps_per_iteration(name))
            for name, net in networks.items()
        }

    def steps_per_iteration(self, name: str) -> int:
        """How many steps a network takes in an iteration."""
        return 1

    def shared(self, task: Task, streams: Streams) -> dict[str, Any]:
        """What every translation is given besides its networks."""
        size, channels = self.check(task)
        return {
            "objective": self.build_objective(),
            "shape": size,
            "channels": channels,
            "noisy": not self.running_statistics,
            "max_grad_norm": math.inf if self.clip_norm is None else self.clip_norm,
            "examples": task.examples,
            "rng": streams.noise,
        }


def _unet(
    o: TranslationOptions, shape: tuple[int, ...], out: int, rng: Rng, skips: bool = True
) -> Layer:
    return unet_generator(
        shape,
        out,
        width=o.width,
        halvings=o.halvings,
        norm=o.norm,
        dropout=o.dropout,
        skips=skips,
        up=o.up,
        rng=rng,
    )


def _resnet(o: TranslationOptions, shape: tuple[int, ...], out: int, rng: Rng) -> Layer:
    return resnet_generator(
        shape,
        out,
        width=o.width,
        blocks=o.blocks,
        norm=o.norm,
        dropout=o.dropout,
        up=o.up,
        rng=rng,
    )


def _dilated(o: TranslationOptions, shape: tuple[int, ...], out: int, rng: Rng) -> Layer:
    return dilated_generator(
        shape,
        out,
        width=o.width,
        halvings=o.halvings,
        blocks=o.blocks,
        norm=o.norm,
        dropout=o.dropout,
        up=o.up,
        rng=rng,
    )


def _patch(o: TranslationOptions, shape: tuple[int, ...], beside: int, rng: Rng) -> Layer:
    return patch_discriminator(
        shape, beside=beside, patch=o.patch, width=o.width, norm=o.norm, rng=rng
    )


def _image(o: TranslationOptions, shape: tuple[int, ...], beside: int, rng: Rng) -> Layer:
    """DCGAN's discriminator."""
    joined = (*shape[:2], shape[2] + beside)
    D = dcgan_discriminator(joined, width=o.width, norm=o.norm, rng=rng)
    return Sequential(Parallel(Identity(), Identity()), *D.layers) if beside else D


GENERATORS: dict[str, Callable[..., Layer]] = {
    "unet": _unet,
    "encoder-decoder": partial(_unet, skips=False),
    "resnet": _resnet,
    "dilated": _dilated,
}


def _unet_sizes(o: TranslationOptions, size: Size, trained: Size) -> None:
    unet_size(*size, unet_halvings(trained, o.halvings))


# Raise OptionError unless a network built for pictures of the second size takes those of the first.
SIZES: dict[str, Callable[[TranslationOptions, Size, Size], None]] = {
    "unet": _unet_sizes,
    "encoder-decoder": _unet_sizes,
    "resnet": lambda o, size, trained: resnet_size(*size),
    "dilated": lambda o, size, trained: dilated_size(*size, o.halvings),
}
DISCRIMINATORS: dict[str, Callable[..., Layer]] = {"patch": _patch, "image": _image}
