"""Discriminators of several scales: of pictures as they are, halved, halved twice, ...

Each sees patches of one size in pixels, which show texture in whole pictures and composition in
small ones (Wang et al. 2018, section 3.2). D1 sees pictures as they are, D2 halved ones, and so on;
where several judges have their scales, each has a name in front, as D_LR1, D_LR2.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self

from minigan.algorithms.base import Scalars
from minigan.algorithms.checks import check_counts
from minigan.algorithms.settings import Company, option
from minigan.algorithms.translation.base import Translating, scale_of
from minigan.algorithms.translation.options import NORMS, TranslationOptions
from minigan.algorithms.translation.shared_options import SCORED, Rng, Size
from minigan.backend import Array
from minigan.errors import OptionError
from minigan.layers import AvgPool2d, Layer
from minigan.models.patchgan import largest_patch, smallest_side

POOL = AvgPool2d(2)
SMALLEST_PATCH = 7  # that the smallest scale is given unless told: one pixel shows no texture


def halved(x: Array) -> Array:
    """Means over 2x2 pixels."""
    return POOL.forward(x)[0]


def pyramid(x: Array, n: int) -> list[Array]:
    """A picture, and it halved once, twice, ..., n of them."""
    found = [x]
    while len(found) < n:
        found.append(halved(found[-1]))
    return found


def down(dpictures: list[Array]) -> Array:
    """The gradient of a picture from those of its pyramid."""
    *finer, total = dpictures
    for dpicture in reversed(finer):
        total = dpicture + POOL.backward(total, dpicture.shape)
    return total


class Scaled(Translating):
    """A translation whose discriminators see pictures of several sizes."""

    def judged_size(self, name: str) -> Size:
        h, w = super().judged_size(name)
        k = scale_of(name)
        return h >> k, w >> k

    def update_scales(
        self, judge: str, real: Array, fake: Array, given: Array | None = None
    ) -> Scalars:
        """One step of each discriminator of `judge`, e.g. of D_LR1 and D_LR2 of D_LR."""
        scalars: Scalars = {}
        for name, *seen in self._seen(judge, real, fake, given):
            scalars |= self.update_discriminator(name, *seen)
        return scalars

    def fool_scales(
        self, judge: str, fake: Array, real: Array, given: Array | None = None
    ) -> tuple[Any, Array]:
        """As `fool`, of all discriminators of `judge` together."""
        total: Any = 0.0
        slopes = []
        for name, fake_k, real_k, given_k in self._seen(judge, fake, real, given):
            value, slope = self.fool(name, fake_k, real_k, given_k)
            total = total + value
            slopes.append(slope)
        return total, down(slopes)

    def _seen(self, judge: str, *pictures: Array | None) -> Iterable[tuple[Any, ...]]:
        """Each discriminator of `judge`, and what it sees of the pictures."""
        names = [name for name in self.discriminators if name.rstrip("0123456789") == judge]
        n = len(names)
        pyramids = ([None] * n if x is None else pyramid(x, n) for x in pictures)
        return zip(names, *pyramids, strict=True)


@dataclass(frozen=True, kw_only=True)
class ScaleOptions(TranslationOptions):
    """Discriminators of several scales, and what their papers have in common: least squares,
    instance norm, no dropout."""

    only_with: ClassVar[Company] = {"patch": TranslationOptions.only_with["patch"]}

    objective: str = option("lsgan", "what the players descend", SCORED)
    dropout: float = option(0.0, "of the generators")
    norm: str = option("instance", "norm of all networks", NORMS)
    patch: int = option(0, "receptive field of patches (0: 70, or what fits the smallest scale)")
    scales: int = option(3, "discriminators, each of pictures half as large")

    def build_scales(self, size: Size, channels: int, beside: int, rng: Rng) -> list[Layer]:
        """Of pictures, of them halved, ... Raises OptionError for more than the pictures have."""
        check_counts(self, "scales")
        h, w = size
        own = self._with_patch(h, w) if self.discriminator == "patch" else self
        judges = []
        for k in range(self.scales):
            try:
                judges.append(own.build_discriminator((h >> k, w >> k), channels, beside, rng))
            except OptionError as error:
                fewer = f", or --scales {k} or less" if k else ""
                raise OptionError(f"--scales {self.scales}: {error}{fewer}") from None
        return judges

    def _with_patch(self, h: int, w: int) -> Self:
        """These with a patch that fits the smallest scale of pictures of h x w.

        Raises OptionError where there is none.
        """
        patch, halvings = self.patch or SMALLEST_PATCH, self.scales - 1
        side = smallest_side(patch)
        most = (min(h, w) // side).bit_length()  # min(h, w) >> (most - 1) >= side
        if self.scales > most:
            fewer = [f"--scales {most} or less"] if most else []
            smaller = [f"a --patch below {patch}"] if self.patch > 1 else []
            *others, last = [*fewer, *smaller, "larger pictures (--size)"]
            what = f"{', '.join(others)}, or {last}" if others else last
            raise OptionError(
                f"--scales {self.scales}: pictures of {h}x{w}, halved for each scale but the first,"
                f" end at {h >> halvings}x{w >> halvings}, and patches of {patch}x{patch} need "
                f"{side}x{side}; give {what}"
            )
        if self.patch:
            return self
        return replace(self, patch=largest_patch(h >> halvings, w >> halvings))


def named(judge: str, scales: list[Layer]) -> dict[str, Layer]:
    """The discriminators of one judge by their names: D1, D2, ... of D."""
    return {f"{judge}{k}": D for k, D in enumerate(scales, 1)}
