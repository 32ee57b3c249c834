"""How far a restored picture is from the true one, other than pixel by pixel: in features.

Ledig et al. 2017 compare what a convolution of VGG19 makes of both, after its activation. minigan
ships classifiers in its place (metrics/shipped.py), of kittens, digits and faces, of three
convolutions, each of which halves a picture; features are what one of them gives, after norm and
ReLU. ESRGAN takes them before the activation, behind which many are 0 and say nothing (Wang et al.
2018, section 3.3). Every conv runs at a picture's own size.
"""

from __future__ import annotations

from typing import Any, Protocol

from minigan.backend import Array
from minigan.errors import OptionError, UnknownNameError
from minigan.layers import Conv2d, Dropout, Flatten, Sequential
from minigan.losses.distance import mean_squared_error
from minigan.metrics.shipped import SHIPPED, fresh_classifier

LEAST = 8  # pixels of a side, which the classifiers halve three times


class Content(Protocol):
    """A distance of pictures y from true ones: its value, and its gradient with respect to y."""

    def __call__(self, y: Array, true: Array) -> tuple[Any, Array]:
        """Of pictures (N, H, W, C)."""

    def to(self, device: str) -> None:
        """Follow the networks to `device`."""


class Pixels(Content):
    """The mean squared error."""

    def __call__(self, y: Array, true: Array) -> tuple[Any, Array]:
        return mean_squared_error(y, true)

    def to(self, device: str) -> None:
        """There is nothing to move."""


class Features(Content):
    """The mean squared error of features: what the convolutions of a classifier make of pictures.

    classifier: moves and is cast as a whole, and is never trained; `net` is its lower part, up to
    convolution `layer`, from 1 on, the last unless told, with its activation or without. Raises
    OptionError for another.
    """

    def __init__(
        self, classifier: Sequential, layer: int | None = None, *, activated: bool = True
    ) -> None:
        self.classifier = classifier
        layers = classifier.layers
        ends = [i for i, part in enumerate(layers) if isinstance(part, Conv2d | Flatten)][1:]
        if layer is not None and not 1 <= layer <= len(ends):
            raise OptionError(
                f"--content-layer {layer}: the classifier has convolutions 1 to {len(ends)}"
            )
        end = ends[-1 if layer is None else layer - 1]
        self.net = Sequential(*layers[: end if activated else end - 1])

    def __call__(self, y: Array, true: Array) -> tuple[Any, Array]:
        wanted, _ = self.net.forward(true, train=False, update_stats=False)
        made, ctx = self.net.forward(y, train=False, update_stats=False)
        value, dmade = mean_squared_error(made, wanted)
        return value, self.net.backward(dmade, ctx, need_dw=False)

    def to(self, device: str) -> None:
        self.classifier.to(device)


class Embedding(Features):
    """The mean squared error of what enters a classifier's last layer, its few `features`.

    classifier: as Features has it; pictures have the shape that it was trained on.
    """

    def __init__(self, classifier: Sequential) -> None:
        self.classifier = classifier
        kept = [part for part in classifier.layers[:-1] if not isinstance(part, Dropout)]
        self.net = Sequential(*kept)


CONTENTS = ("mse", *SHIPPED)


def fitting(shape: tuple[int, ...]) -> str:
    """The name of a classifier that looks at pictures (H, W, C), "mse" where there is none."""
    return next((name for name in SHIPPED if _looks_at(name, shape)), "mse")


def recogniser_of(name: str | None, shape: tuple[int, ...]) -> Content:
    """How far pictures (H, W, C) are apart to the shipped classifier of that name.

    None: the last that looks at them, which of colour is that of faces. It gives its features of
    pictures of the shape it was trained on, of others what its last convolution makes. Raises
    UnknownNameError, and OptionError where none can look at them.
    """
    if name is not None and name not in SHIPPED:
        raise UnknownNameError("recogniser", name, SHIPPED)
    able = [n for n in SHIPPED if _looks_at(n, shape)]
    if name not in (None, *able) or not able:
        given = "x".join(map(str, shape))
        raise OptionError(
            f"--recogniser {name or 'of the default'}: no shipped classifier of that name looks at "
            f"pictures of {given}; for these there are {', '.join(able) or 'none'} (they take "
            f"{LEAST}x{LEAST} or more, --size)"
        )
    chosen = name or able[-1]
    if shape == SHIPPED[chosen].shape:
        return Embedding(fresh_classifier(chosen).net)
    return Features(fresh_classifier(chosen).net)


def _looks_at(name: str, shape: tuple[int, ...]) -> bool:
    return shape[-1] == SHIPPED[name].shape[-1] and min(shape[:2]) >= LEAST


def content_of(
    name: str, shape: tuple[int, ...], layer: int | None = None, *, activated: bool = True
) -> Content:
    """The distance of that name, of pictures (H, W, C); `layer` and `activated` as in Features.

    Raises OptionError where a classifier cannot look at them.
    """
    if name == "mse":
        return Pixels()
    channels = SHIPPED[name].shape[-1]
    if not _looks_at(name, shape):
        raise OptionError(
            f"--content {name}: that classifier looks at pictures of {LEAST}x{LEAST} or more with "
            f"{channels} channels, and these are {'x'.join(map(str, shape))}; give --content mse"
        )
    return Features(fresh_classifier(name).net, layer, activated=activated)
