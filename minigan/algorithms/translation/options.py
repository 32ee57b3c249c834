"""Options that the translations share, and the networks that these choose."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

from minigan.algorithms.pair_options import PairDataOptions
from minigan.algorithms.settings import Company, Needs, known, option
from minigan.algorithms.translation.shared_options import Rng, Size, TranslatingOptions
from minigan.layers import Layer
from minigan.models import (
    dcgan_discriminator,
    dilated_generator,
    patch_discriminator,
    resnet_generator,
    unet_generator,
)
from minigan.models.dcgan import of_pairs
from minigan.models.dilated import dilated_size
from minigan.models.enlarging import UPSAMPLING
from minigan.models.resnet import resnet_size
from minigan.models.unet import unet_halvings, unet_size

NORMS = ("batch", "instance", "none")
KINDS = ("unet", "encoder-decoder", "resnet", "dilated")  # the second is a U-Net without skips
JUDGES = ("patch", "image")


@dataclass(frozen=True, kw_only=True)
class TranslationOptions(PairDataOptions, TranslatingOptions):
    """The optimiser, the data's direction and augmentation, and both kinds of networks."""

    wanted: ClassVar[str] = (
        "pairs of pictures: give --data kittens-edges, kittens-recolour or a folder of pairs"
    )
    way_back: ClassVar[str] = "train it with --direction BtoA, or a cyclegan"
    only_with: ClassVar[Company] = {
        "halvings": Needs(("generator",), ("unet", "encoder-decoder", "dilated")),
        "blocks": Needs(("generator",), ("resnet", "dilated")),
        "patch": Needs(("discriminator",), ("patch",)),
    }

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
    def noisy(self) -> bool:
        return not self.running_statistics

    def build_generator(self, size: Size, cin: int, cout: int, rng: Rng) -> Layer:
        """Pictures (N, H, W, cin) -> (N, H, W, cout). Raises OptionError for a size."""
        known("generator", self.generator, GENERATORS)
        return GENERATORS[self.generator](self, (*size, cin), cout, rng)

    def check_size(self, size: Size, trained: Size) -> None:
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
        x, y = channels if name == "G" else channels[::-1]
        net = self.build_generator(size, x, y, rng)
        return {name: net}, net

    def build_discriminator(self, size: Size, channels: int, beside: int, rng: Rng) -> Layer:
        """Of pictures (N, H, W, channels), with one of `beside` channels in front if not 0."""
        known("discriminator", self.discriminator, DISCRIMINATORS)
        return DISCRIMINATORS[self.discriminator](self, (*size, channels), beside, rng)


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
    return of_pairs(D) if beside else D


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
