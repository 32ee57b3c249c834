r"""Context encoders: what a hole in a picture held, from what is around it (Pathak et al. 2016).

F, here G, sees a picture without its missing region; what it makes of it is held close to the
truth, and a discriminator D says whether it looks like a picture:

    for a number of iterations do
        update D by ascending, with G frozen                                context.2
        update G by descending lambda_rec L_rec + lambda_adv L_adv          context.3
    end for

L_rec alone is blurry: there are many ways to fill a hole, and their mean is smooth. D is shown all
that G makes and not what is around it (section 3.2). For a hole in the centre that is the central
half of the picture; the hole is smaller by `overlap` pixels on each side, so that G also makes a
rim that it can see, which counts ten times in L_rec and ties the region to its surroundings. Holes
anywhere are rectangles that cover a quarter of the picture at most (section 3.3); G makes the whole
picture, and their rims lie around them.

G learns ten times as fast as D. What is missing is 0, the middle of the range, where the paper has
the mean of its data; lambdas, overlap and rates are the paper's and its published code's.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from minigan.algorithms.base import Scalars
from minigan.algorithms.checks import check_counts, check_weights
from minigan.algorithms.options import Streams, Task
from minigan.algorithms.restoration.options import RestorationOptions
from minigan.algorithms.settings import known, option
from minigan.algorithms.translation.base import Translating
from minigan.algorithms.translation.shared_options import Rng, Size
from minigan.backend import Array
from minigan.errors import DataError, OptionError
from minigan.layers import Layer, MaxPool2d
from minigan.losses.distance import weighted_squared_error
from minigan.models import context_encoder, dcgan_discriminator

PAPER = (
    "Pathak et al. 2016, Context encoders: feature learning by inpainting, arXiv:1604.07379,"
    " section 3"
)

EQUATIONS = {
    "context.1": r"\mathcal{L}_{rec}(x) = \| \hat{M} \odot"
    r" (x - F((1 - \hat{M}) \odot x)) \|_2^2",
    "context.2": r"\mathcal{L}_{adv} = \max_D \mathbb{E}_{x \in \mathcal{X}}[\log(D(x))"
    r" + \log(1 - D(F((1 - \hat{M}) \odot x)))]",
    "context.3": r"\mathcal{L} = \lambda_{rec} \mathcal{L}_{rec}"
    r" + \lambda_{adv} \mathcal{L}_{adv}",
}

HOLES = {
    "center": "the centre of every picture",
    "random": "rectangles anywhere",
}
RIM = 7 / 128  # of the shorter side: the paper's overlap of 7 pixels, of pictures of 128x128
FASTER = 10  # times D's learning rate: G's
LEAST = 16  # pixels of a side, for D to judge the central half


class ContextEncoder(Translating):
    """One update of D and one of G for each minibatch of pictures with holes.

    x holds a picture whose missing pixels are 0, and behind its channels 1 where they are missing.
    G maps the picture to what is missing: the central half, or a whole picture. Without a D there
    is L_rec alone. `weight_rec` is lambda_rec, `overlap_weight` that of the rim.
    """

    share_D: ClassVar[float] = 1.0

    def __init__(
        self,
        G: Layer,
        D: Layer | None,
        *,
        hole: str,
        overlap: int,
        weight_rec: float,
        overlap_weight: float,
        **shared: Any,
    ) -> None:
        super().__init__({"G": G} | ({} if D is None else {"D": D}), **shared)
        self.G, self.D = G, D
        self.hole = hole
        self.weight_rec, self.overlap_weight = weight_rec, overlap_weight
        self.widened = MaxPool2d(2 * overlap + 1, stride=1, padding=overlap)

    def step(self, pairs: Array) -> Scalars:
        """One training iteration on pictures with holes beside whole ones."""
        x, y = self.split(pairs)
        picture, missing = x[..., :-1].copy(), x[..., -1:].copy()
        made, G_ctx = self.G.forward(picture)
        true = self.region(y)
        scalars: Scalars = {}
        if self.D is not None:
            scalars |= self.update_discriminator("D", true, made)  # eq: context.2
        return scalars | self.update_generator(true, made, self.weights(missing), G_ctx)

    def update_generator(self, true: Array, made: Array, weights: Array, G_ctx: Any) -> Scalars:
        """Descend context.3 in G's parameters; D is frozen."""
        G = self.G
        G.flat.zero_grad()
        rec, drec = weighted_squared_error(made, true, weights)  # eq: context.1
        loss, dmade = self.weight_rec * rec, self.weight_rec * drec
        terms: Scalars = {"L_rec": rec}
        if self.D is not None:
            fooling, dfooling = self.fool("D", made, true)
            terms["GAN_G"] = fooling
            loss, dmade = loss + fooling, dmade + dfooling  # eq: context.3
        G.backward(dmade, G_ctx, need_dx=False)
        norm = self.descend("G", loss)
        return {"loss_G": loss, **terms, "grad_norm_G": norm}

    def weights(self, missing: Array) -> Array:
        """How much each pixel of what G makes counts: 1 in the hole, more around it, 0 beyond."""
        widened, _ = self.widened.forward(missing)
        return self.region(missing + self.overlap_weight * (widened - missing))

    def region(self, picture: Array) -> Array:
        """That of pictures which G makes."""
        return _REGIONS[self.hole](picture)

    def translate(
        self, x: Array, rng: np.random.Generator, *, name: str = "G", z: Array | None = None
    ) -> Array:
        """The pictures with their holes filled; what was there stays as it is."""
        return completed(x, super().translate(x[..., :-1], rng, name=name, z=z))

    def notes(self) -> list[str]:
        """What G fills, and what of it D sees."""
        h, w, _, c = (int(side) for side in self.sides)
        made = self.region(np.empty((1, h, w, c))).shape
        judged = "D judges all of it" if self.D is not None else "no D judges it"
        return [f"G makes {made[1]}x{made[2]} of pictures of {h}x{w}; {judged}"]


def central(picture: Array) -> Array:
    """The central half of pictures (N, H, W, C), from H // 4 and W // 4 on."""
    h, w = picture.shape[1:3]
    return picture[:, h // 4 : h // 4 + h // 2, w // 4 : w // 4 + w // 2].copy()


_REGIONS: dict[str, Callable[[Array], Array]] = {"center": central, "random": lambda x: x}


def completed(x: Array, made: Array) -> Array:
    """Pictures of which x (N, H, W, C + 1) shows a part, with what G made in their holes."""
    picture, missing = x[..., :-1], x[..., -1:]
    whole = made
    if made.shape != picture.shape:
        whole = picture.copy()
        h, w = picture.shape[1:3]
        whole[:, h // 4 : h // 4 + h // 2, w // 4 : w // 4 + w // 2] = made
    return np.where(missing > 0, whole, picture)


@dataclass(frozen=True, kw_only=True)
class Options(RestorationOptions):
    """The paper's: lambdas 0.999 and 0.001, the rim ten times, Adam, G ten times as fast as D."""

    degradation: ClassVar[str] = "holed"
    fills: ClassVar[bool] = True

    lr: float = option(2e-4, "learning rate of D")
    lr_G: float | None = option(None, "learning rate of G (default: ten times D's)")
    hole: str = option("center", "where holes are", HOLES)
    overlap: int | None = option(
        None, "pixels of the rim around a hole (default: 7 of 128, as the paper's)"
    )
    overlap_weight: float = option(10.0, "how much the rim counts beside the hole")
    width: int = option(64, "channels of the first convolution of G and D")
    weight_rec: float = option(0.999, "lambda of the reconstruction loss")
    weight_gan: float = option(0.001, "lambda of the adversarial loss; 0: no D")

    @property
    def degraded_by(self) -> dict[str, Any]:
        check_counts(self, "overlap", least=0)
        return {"hole": self.hole, "overlap": self.overlap}

    def check_size(self, size: Size, trained: Size) -> None:
        if size != trained:
            raise OptionError(
                f"a context encoder takes pictures of the size it was trained on, "
                f"{trained[0]}x{trained[1]}, and not {size[0]}x{size[1]}: leave out --size, or "
                "train another"
            )

    def check_tiles(self) -> None:
        if self.hole == "center":
            raise OptionError(
                "this run fills the centre of whole pictures, which tiles do not have; leave out "
                "--tile, or train with --hole random"
            )

    def given(self, picture: Array, missing: Array | None) -> Array:
        """The picture without its hole, and where that is.

        Raises DataError where nothing is missing, or what this run has not learned to fill.
        """
        hole = _GIVEN[self.hole](picture, missing, rim(picture.shape[1:3], self.overlap))
        hole = hole.astype(picture.dtype)
        return np.concatenate([picture * (1 - hole), hole], -1)

    def through(self, make: Callable[[Array], Array], x: Array) -> Array:
        return completed(x, make(x[..., :-1]))

    def build_translator(
        self, size: Size, channels: tuple[int, int], name: str, rng: Rng
    ) -> tuple[dict[str, Layer], Layer]:
        shape = (*size, channels[1])
        G = context_encoder(shape, made_shape(self.hole, shape), width=self.width, rng=rng)
        return {"G": G}, G


def rim(size: tuple[int, ...], overlap: int | None) -> int:
    """Its width in pixels, of pictures (H, W)."""
    return max(1, round(RIM * min(size))) if overlap is None else overlap


def made_shape(hole: str, shape: tuple[int, ...]) -> tuple[int, ...]:
    """What G makes of pictures of `shape` with such holes."""
    h, w, c = shape
    if hole == "random":
        return shape
    if min(h, w) < LEAST:
        raise OptionError(
            f"pictures of {h}x{w}: their central half is too small for D; give --size {LEAST} or "
            "larger, or --hole random"
        )
    return h // 2, w // 2, c


def _in_the_centre(picture: Array, missing: Array | None, rim: int) -> Array:
    """The hole that every picture has; what is transparent must lie in it."""
    h, w = picture.shape[1:3]
    hole = np.zeros_like(picture[..., :1])
    hole[:, h // 4 + rim : h // 4 + h // 2 - rim, w // 4 + rim : w // 4 + w // 2 - rim] = 1
    if missing is not None and (missing > hole).any():
        raise DataError(
            "it is transparent outside its centre, where this run fills a hole; train one with "
            "--hole random"
        )
    return hole


def _anywhere(picture: Array, missing: Array | None, rim: int) -> Array:
    """What is transparent."""
    if missing is None or not missing.any():
        raise DataError("no pixel of it is transparent; make transparent what is to be filled")
    return missing


_GIVEN: dict[str, Callable[[Array, Array | None, int], Array]] = {
    "center": _in_the_centre,
    "random": _anywhere,
}


def build(options: Options, task: Task, streams: Streams) -> ContextEncoder:
    """The networks that the options choose. Raises OptionError, for sizes too."""
    size, channels = options.check(task)
    known("hole", options.hole, HOLES)
    check_weights(options, "overlap_weight")
    if not (options.weight_rec or options.weight_gan):
        raise OptionError("--weight-rec 0 and --weight-gan 0 leave G nothing to descend")
    shape = (*size, channels[1])
    _, G = options.build_translator(size, channels, "G", streams.weights)
    D = None
    if options.weight_gan:
        judged = made_shape(options.hole, shape)
        D = dcgan_discriminator(judged, width=options.width, rng=streams.weights)
    lr_G = FASTER * options.lr if options.lr_G is None else options.lr_G
    optimizers = {"G": options.build_optimizer(G.flat, task, lr=lr_G)}
    if D is not None:
        optimizers["D"] = options.build_optimizer(D.flat, task)
    return ContextEncoder(
        G,
        D,
        hole=options.hole,
        overlap=rim(size, options.overlap),
        weight_rec=options.weight_rec,
        overlap_weight=options.overlap_weight,
        weight_gan=options.weight_gan,
        optimizers=optimizers,
        **options.shared(task, streams),
    )
