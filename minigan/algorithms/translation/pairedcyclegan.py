r"""PairedCycleGAN: the style of a reference put onto a picture, and taken off (Chang et al. 2018).

X are pictures without a style, such as bare faces, Y those with one, such as faces with makeup.
G(x, y^beta) puts the style of a reference y^beta onto x; F(y) takes a style off. CycleGAN's G has
no reference: it can give x the look of some y, not of this one. The two are asymmetric, so a cycle
closes in two ways: F undoes what G did, and the style that G put onto x can be put back onto the
reference without its own:

    for number of training iterations do
        sample x from X, y^beta from Y
        update G and F by descending                            pairedcyclegan.6
        update D_Y, D_X and D_S by ascending half of their      pairedcyclegan.1, .2 and .5
    end for

D_S judges whether two pictures wear one style. What it is shown as such is y^beta beside W(x,
y^beta), the reference bent until its landmarks lie on those of x (data/warp.py) and set into x: a
rough answer, blurred and with parts of another's face, that has the makeup where it belongs. The
data makes it, so that a step has three pictures in each example (data/makeup.py).

Each term is an ablation, by a lambda of 0, which also leaves out the discriminator that it needs:
without L_G makeup comes to lie anywhere; without L_I, F and G hide codes; without L_S it is pale;
without L_P it has no fine edges.

G and F are dilated residual networks (models/dilated.py). Ours make what is added to a picture,
unless told to make all of it: most of a face stays as it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import numpy as np

from minigan.algorithms.base import Scalars
from minigan.algorithms.options import Streams, Task
from minigan.algorithms.settings import option
from minigan.algorithms.translation.base import Translating
from minigan.algorithms.translation.options import KINDS, NORMS, TranslationOptions
from minigan.algorithms.translation.shared_options import Rng, Size
from minigan.backend import Array
from minigan.errors import OptionError, ShapeError
from minigan.layers import Columns, Conv2d, ConvTranspose2d, Identity, Layer, Residual, Sequential
from minigan.losses.distance import mean_absolute_error

PAPER = (
    "Chang et al. 2018, PairedCycleGAN: asymmetric style transfer for applying and removing makeup,"
    " CVPR"
)

EQUATIONS = {
    "pairedcyclegan.1": r"L_G = \mathbb{E}_y[\log D_Y(y)]"
    r" + \mathbb{E}_{x,y^\beta}[\log(1 - D_Y(G(x, y^\beta)))]",
    "pairedcyclegan.2": r"L_F = \mathbb{E}_x[\log D_X(x)]"
    r" + \mathbb{E}_{y^\beta}[\log(1 - D_X(F(y^\beta)))]",
    "pairedcyclegan.3": r"L_I = \mathbb{E}_{x,y^\beta}[\|F(G(x, y^\beta)) - x\|_1]",
    "pairedcyclegan.4": r"L_S = \mathbb{E}_{x,y^\beta}"
    r"[\|G(F(y^\beta), G(x, y^\beta)) - y^\beta\|_1]",
    "pairedcyclegan.5": r"L_P = \mathbb{E}_{x,y^\beta}[\log D_S(y^\beta, W(x, y^\beta))]"
    r" + \mathbb{E}_{x,y^\beta}[\log(1 - D_S(y^\beta, G(x, y^\beta)))]",
    "pairedcyclegan.6": r"\min_{G,F} \max_{D_X,D_Y,D_S}"
    r" \lambda_G L_G + \lambda_F L_F + L_I + L_S + \lambda_P L_P",
}

# The discriminator that each adversarial term needs.
JUDGE_OF = {"G": "D_Y", "F": "D_X", "P": "D_S"}


class Lambdas(NamedTuple):
    """Factors of the terms, by their letters; a term with 0 is not computed."""

    G: float
    F: float
    I: float
    S: float
    P: float


class PairedCycleGAN(Translating):
    """The loop above, for any objective.

    G maps pictures (N, H, W, channels of x + of y), x and its reference, to pictures of y; F maps
    pictures of y to pictures of x. `judges` holds D_X and D_Y, of pictures, and D_S, of a reference
    and a picture: those whose lambda is not 0. Each distance is a mean over the numbers of a
    picture. Raises OptionError for judges that do not fit the lambdas, where a generator has
    nothing to descend, and for L_S where x and y differ in channels.
    """

    def __init__(
        self,
        G: Layer,
        F: Layer,
        judges: Mapping[str, Layer],
        *,
        lambdas: Lambdas,
        **shared: Any,
    ) -> None:
        wanted = {D for term, D in JUDGE_OF.items() if getattr(lambdas, term)}
        if set(judges) != wanted:
            raise OptionError(f"judges {sorted(judges)}: these lambdas want {sorted(wanted)}")
        for name, terms in (("G", "GISP"), ("F", "FIS")):
            if not any(getattr(lambdas, term) for term in terms):
                flags = ", ".join(f"--lambda-{term}" for term in terms)
                raise OptionError(f"{name} has nothing to descend: one of {flags} must be above 0")
        super().__init__({"G": G, "F": F, **judges}, **shared)
        if lambdas.S and self.channels[0] != self.channels[1]:
            raise OptionError(
                f"x has {self.channels[0]} channels and y {self.channels[1]}: G takes both in x's "
                "place for L_S; use --lambda-S 0"
            )
        self.G, self.F = G, F
        self.lambdas = lambdas

    def split(self, pairs: Array) -> tuple[Array, Array]:
        """x and y^beta of examples (x, y^beta, W), each in memory of its own."""
        x, y = self.channels
        return pairs[..., :x].copy(), pairs[..., x : x + y].copy()

    def step(self, examples: Array) -> Scalars:
        """One training iteration on examples (N, H, W, channels of x, of y^beta and of W)."""
        x, y = self.split(examples)
        warped = examples[..., sum(self.channels) :].copy()
        if warped.shape != y.shape:
            raise ShapeError(
                f"examples of shape {examples.shape}: wanted x, y and W of {self.channels[0]}, "
                f"{self.channels[1]} and {self.channels[1]} channels"
            )
        scalars, made, bare = self.update_generators(x, y, warped)
        shown = {
            "D_Y": (y, made, None),  # eq: pairedcyclegan.1
            "D_X": (x, bare, None),  # eq: pairedcyclegan.2
            "D_S": (warped, made, y),  # eq: pairedcyclegan.5
        }
        for name in self.discriminators:
            scalars |= self.update_discriminator(name, *shown[name])
        return scalars

    def update_generators(self, x: Array, y: Array, warped: Array) -> tuple[Scalars, Array, Array]:
        """Descend pairedcyclegan.6 in G and F, the discriminators frozen.

        Each generator is applied twice before its weights move. Also returns G(x, y^beta) and
        F(y^beta).
        """
        G, F, factor = self.G, self.F, self.lambdas
        G.flat.zero_grad()
        F.flat.zero_grad()
        made, G_ctx = G.forward(beside(x, y))
        bare, F_ctx = F.forward(y)
        # What the total loss owes to each of the two, term by term.
        d_made, d_bare = np.zeros_like(made), np.zeros_like(bare)
        terms: Scalars = {}
        if factor.G:
            terms["L_G"], d = self.fool("D_Y", made, y)  # eq: pairedcyclegan.1
            d_made += factor.G * d
        if factor.F:
            terms["L_F"], d = self.fool("D_X", bare, x)  # eq: pairedcyclegan.2
            d_bare += factor.F * d
        if factor.P:
            terms["L_P"], d = self.fool("D_S", made, warped, y)  # eq: pairedcyclegan.5
            d_made += factor.P * d
        if factor.I:
            back, ctx = F.forward(made)
            terms["L_I"], d = mean_absolute_error(back, x)  # eq: pairedcyclegan.3
            d_made += F.backward(factor.I * d, ctx)
        if factor.S:
            again, ctx = G.forward(beside(bare, made))
            terms["L_S"], d = mean_absolute_error(again, y)  # eq: pairedcyclegan.4
            d_both = G.backward(factor.S * d, ctx)
            d_bare += d_both[..., : x.shape[-1]]
            d_made += d_both[..., x.shape[-1] :]
        G.backward(d_made, G_ctx, need_dx=False)
        F.backward(d_bare, F_ctx, need_dx=False)
        weighted = [getattr(factor, name[-1]) * value for name, value in terms.items()]
        loss = sum(weighted[1:], weighted[0])  # eq: pairedcyclegan.6
        norms = self.descend_together({"G": loss, "F": loss})
        return {"loss": loss, **terms, **norms}, made, bare

    def sample(self, n: int, rng: np.random.Generator) -> Array:
        """G(x, y^beta) of n examples of the data, always the same.

        Raises OptionError without examples.
        """
        if self.examples is None:
            raise OptionError("a translation has samples of pictures only: give it examples")
        return self.translate(beside(*self.split(self.examples(n))), rng)


def adding(net: Layer, cin: int, cout: int) -> Layer:
    """x + 2 net(x, y), of x the first of `cin` channels: pictures in [-1, 1] differ by up to 2.

    The network's last convolution starts at 0, so that what it adds is nothing.
    """
    *_, last = (layer for _, layer in net.walk() if isinstance(layer, Conv2d | ConvTranspose2d))
    last.params["weight"].data[...] = 0
    shortcut = Columns(0, cout) if cin > cout else Identity()
    return Residual(Sequential(net, Residual(Identity())), shortcut)


def beside(x: Array, y: Array) -> Array:
    """What G takes: pictures and their references, in the channels of one array."""
    return np.concatenate([x, y], -1)


@dataclass(frozen=True, kw_only=True)
class Options(TranslationOptions):
    """The paper's losses, dilated residual generators, Adam(2e-4, 0.5, 0.999), batches of 1.

    lambda_G, lambda_F and lambda_P are ours: a tenth of L_I and L_S for the first two, and as much
    for L_P: without it references are not told apart (`bench makeup`).
    """

    both_ways: ClassVar[bool] = True
    with_reference: ClassVar[bool] = True

    lambda_G: float = option(0.1, "factor of L_G: is G(x, y) a picture of Y?")
    lambda_F: float = option(0.1, "factor of L_F: is F(y) a picture of X?")
    lambda_I: float = option(1.0, "factor of the identity term L_I: F(G(x, y)) is x")
    lambda_S: float = option(1.0, "factor of the style term L_S: G(F(y), G(x, y)) is y")
    lambda_P: float = option(1.0, "factor of L_P: do y and G(x, y) wear one style?")
    whole: bool = option(False, "generators make whole pictures, not what is added to them")
    generator: str = option("dilated", "network from pictures to pictures", KINDS)
    dropout: float = option(0.0, "of the generators")
    norm: str = option("instance", "norm of all networks", NORMS)

    def build_generators(self, size: Size, channels: tuple[int, int], rng: Rng) -> dict[str, Layer]:
        """G from a picture and its reference, and F. Raises OptionError for a size or channels."""
        x, y = channels
        if x != y and not self.whole:
            raise OptionError(
                f"x has {x} channels and y {y}: nothing can be added to one that makes the other; "
                "use --whole"
            )
        form = (lambda net, cin, cout: net) if self.whole else adding
        return {
            name: form(self.build_generator(size, cin, cout, rng), cin, cout)
            for name, (cin, cout) in {"G": (x + y, y), "F": (y, x)}.items()
        }

    def build_translator(
        self, size: Size, channels: tuple[int, int], name: str, rng: Rng
    ) -> tuple[dict[str, Layer], Layer]:
        net = self.build_generators(size, channels, rng)[name]
        return {name: net}, net


def build(options: Options, task: Task, streams: Streams) -> PairedCycleGAN:
    """Two generators, and the discriminators of the terms that are on. Raises OptionError."""
    size, (cx, cy) = options.check(task)
    if task.shape[2] != cx + 2 * cy:
        raise OptionError(
            "PairedCycleGAN learns from pictures and references: give --data faces-makeup, "
            "kittens-fur or a folder that holds two folders A and B"
        )
    lambdas = Lambdas(*(getattr(options, f"lambda_{term}") for term in Lambdas._fields))
    rng = streams.weights
    networks = options.build_generators(size, (cx, cy), rng)
    shapes = {"D_X": (cx, 0), "D_Y": (cy, 0), "D_S": (cy, cy)}
    judges = {
        shown: options.build_discriminator(size, *shapes[shown], rng)
        for term, shown in JUDGE_OF.items()
        if getattr(lambdas, term)
    }
    return PairedCycleGAN(
        networks["G"],
        networks["F"],
        judges,
        lambdas=lambdas,
        optimizers=options.build_optimizers(task, networks | judges),
        **options.shared(task, streams),
    )
