"""PairedCycleGAN: gradients of its total loss, PyTorch's five steps, its options and refusals."""

from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np
import pytest

from minigan import layers as L
from minigan.algorithms.catalogue import recipe
from minigan.algorithms.options import Streams, Task
from minigan.algorithms.translation.pairedcyclegan import JUDGE_OF, Lambdas, PairedCycleGAN, beside
from minigan.backend import make_rng
from minigan.errors import OptionError, ShapeError
from minigan.gradcheck import check_loss
from tests.algorithms.translation.cases import optimizer_of, still
from tests.oracles import gan_twin, paired_twin
from tests.oracles import translation_twin as twins

STEPS = 5
TOLERANCE = 1e-10
NOTHING = 0.1  # what has no gradient but rounding is held to what a number of this size would be


@dataclass(frozen=True)
class Case:
    """Small networks with the options given, on pictures of `side` with `channels`."""

    options: dict[str, Any] = field(default_factory=dict)
    channels: tuple[int, int] = (3, 3)
    side: int = 8

    def __str__(self) -> str:
        return " ".join([str(self.channels), *(f"{k}={v}" for k, v in self.options.items())])

    @property
    def chosen(self) -> Any:
        small = {"width": 2, "patch": 7, "blocks": 2, "halvings": 1}
        return recipe("pairedcyclegan").options.of(**small | self.options)

    @property
    def shape(self) -> tuple[int, ...]:
        return (self.side, self.side, self.channels[0] + 2 * self.channels[1])

    def examples(self, n: int, seed: int, dtype: Any = np.float64) -> np.ndarray:
        return np.tanh(make_rng(seed).standard_normal((n, *self.shape)) + 0.3).astype(dtype)

    def ours(self, dtype: Any = np.float64) -> PairedCycleGAN:
        task = Task(self.shape, "pairs", 100, channels=self.channels)
        task = task._replace(examples=lambda n: self.examples(n, 5, dtype))
        made = recipe("pairedcyclegan").build(self.chosen, task, Streams(0))
        for name, net in made.networks.items():
            net.astype(dtype)
            made.optimizers[name] = self.chosen.build_optimizer(net.flat, task)
        return made

    def theirs(self, ours: PairedCycleGAN) -> paired_twin.PairedCycleGAN:
        """With the weights of `ours`."""
        o, (cx, cy) = self.chosen, self.channels
        nets = {"G": self.generator(cx + cy, cy), "F": self.generator(cy, cx)}
        for name, shape in {"D_Y": (cy, 0), "D_X": (cx, 0), "D_S": (cy, cy)}.items():
            if name in ours.networks:
                nets[name] = twins.patch(*shape, o.width, 0, o.norm)
        for name, net in nets.items():
            own = ours.networks[name]
            gan_twin.load(net, {k: p.data for k, p in own.params.items()} | own.buffers)
        lambdas = {term: getattr(o, f"lambda_{term}") for term in Lambdas._fields}
        optimizers = {name: optimizer_of(o, net) for name, net in nets.items()}
        return paired_twin.PairedCycleGAN(nets, optimizers, o.objective, self.channels, lambdas)

    def generator(self, cin: int, cout: int) -> Any:
        o = self.chosen
        if o.generator == "unet":
            net = twins.unet(cin, cout, o.width, o.halvings, o.norm, up=o.up)
        else:
            net = paired_twin.dilated(cin, cout, o.width, o.halvings, o.blocks, o.norm, up=o.up)
        return net if o.whole else paired_twin.Adding(net, cout)


CASES = [
    Case(),
    Case({"lambda_G": 0.7, "lambda_F": 0.4, "lambda_I": 2.0, "lambda_S": 1.5, "lambda_P": 0.3}),
    Case({"whole": True, "generator": "unet", "halvings": 2, "objective": "lsgan"}, (1, 1)),
    Case({"whole": True, "lambda_S": 0.0, "norm": "none"}, (1, 3)),
    *(Case({f"lambda_{term}": 0.0}, (1, 1)) for term in Lambdas._fields),
]


def through(net: L.Layer, *xs: np.ndarray) -> np.ndarray:
    return net.forward(*xs, update_stats=False)[0]


def total_loss(made: PairedCycleGAN, o: Any, x: Any, y: Any) -> float:
    """pairedcyclegan.6 from forward passes alone."""

    def pays(logits: np.ndarray) -> float:
        if o.objective == "lsgan":
            return ((logits - 1) ** 2).mean()
        return np.log1p(np.exp(-logits)).mean()

    net = made.networks
    applied, bare = through(net["G"], beside(x, y)), through(net["F"], y)
    loss = 0.0
    if o.lambda_G:
        loss += o.lambda_G * pays(through(net["D_Y"], applied))
    if o.lambda_F:
        loss += o.lambda_F * pays(through(net["D_X"], bare))
    if o.lambda_P:
        loss += o.lambda_P * pays(through(net["D_S"], y, applied))
    if o.lambda_I:
        loss += o.lambda_I * np.abs(through(net["F"], applied) - x).mean()
    if o.lambda_S:
        loss += o.lambda_S * np.abs(through(net["G"], beside(bare, applied)) - y).mean()
    return loss


def moved(made: PairedCycleGAN) -> PairedCycleGAN:
    """Weights away from zeros and ones, which hide mistakes; optimisers that move nothing."""
    for i, net in enumerate(made.networks.values()):
        rng = make_rng(i)
        net.flat.load(net.flat.data + 0.2 * rng.standard_normal(net.flat.size))
    return still(made)


@pytest.mark.parametrize("name", ["G", "F"])
@pytest.mark.parametrize("case", CASES, ids=str)
def test_generators_descend_the_total_loss(case: Case, name: str) -> None:
    made = moved(case.ours())
    examples = case.examples(2, 3)
    x, y = made.split(examples)
    warped = examples[..., sum(case.channels) :]
    net = made.networks[name]

    def loss(weights: np.ndarray) -> tuple[float, np.ndarray]:
        net.flat.load(weights)
        scalars, _, _ = made.update_generators(x, y, warped)
        expected = total_loss(made, case.chosen, x, y)
        assert scalars["loss"] == pytest.approx(expected, rel=1e-12)
        return expected, net.flat.grad.copy()

    check_loss(loss, net.flat.data.copy(), rng=make_rng(1), exhaustive=False)


@pytest.mark.parametrize("name", JUDGE_OF.values())
def test_each_discriminator_descends_half_of_its_loss(name: str) -> None:
    """On what the lecture shows it: D_S a reference beside W, and beside G(x, y)."""
    case = Case()
    made = moved(case.ours())
    examples = case.examples(2, 3)
    x, y, warped = np.split(examples, [3, 6], -1)
    applied, bare = through(made.G, beside(x, y)), through(made.F, y)
    real, fake = {
        "D_Y": ((y,), (applied,)),
        "D_X": ((x,), (bare,)),
        "D_S": ((y, warped), (y, applied)),
    }[name]
    D = made.networks[name]

    def loss(weights: np.ndarray) -> tuple[float, np.ndarray]:
        D.flat.load(weights)
        scalars = made.step(examples)
        r, f = through(D, *real), through(D, *fake)
        total = (np.log1p(np.exp(-r)).mean() + np.log1p(np.exp(f)).mean()) / 2
        assert scalars[f"loss_{name}"] == pytest.approx(total, rel=1e-12)
        return total, D.flat.grad.copy()

    check_loss(loss, D.flat.data.copy(), rng=make_rng(1), exhaustive=False)


def assert_close(ours: dict, theirs: dict, what: str) -> None:
    assert ours.keys() == theirs.keys()
    for name, a in ours.items():
        b = np.asarray(theirs[name])
        assert np.abs(a - b).max() <= TOLERANCE * max(np.abs(b).max(), NOTHING), f"{what} {name}"


@pytest.mark.parametrize("case", CASES, ids=str)
def test_five_steps_equal_pytorch(case: Case) -> None:
    ours = case.ours()
    theirs = case.theirs(ours)
    for step in range(STEPS):
        examples = case.examples(2, 100 + step)
        kept = examples.copy()
        scalars = ours.step(examples)
        np.testing.assert_array_equal(examples, kept)
        expected = theirs.step(examples)
        assert_close({k: np.float64(v) for k, v in scalars.items()}, expected, f"step {step}:")
    for name, net in ours.networks.items():
        trained = {k: p.data for k, p in net.params.items()} | net.buffers
        assert_close(trained, gan_twin.arrays(theirs.nets[name]), name)


# --- options --------------------------------------------------------------------------------------


def test_a_term_that_is_off_has_no_discriminator_and_no_value() -> None:
    for term in Lambdas._fields:
        made = Case({f"lambda_{term}": 0.0}).ours()
        assert JUDGE_OF.get(term) not in made.networks
        assert len(made.networks) == (4 if term in JUDGE_OF else 5)
        scalars = made.step(Case().examples(1, 0))
        assert {k for k in scalars if k.startswith("L_")} == {
            f"L_{other}" for other in Lambdas._fields if other != term
        }


def test_the_lecture_s_networks() -> None:
    made = Case().ours()
    dilations = {layer.dilation[0] for _, layer in made.G.walk() if isinstance(layer, L.Conv2d)}
    assert dilations == {1, 2}
    assert {"lambda_G", "lambda_F", "lambda_I", "lambda_S", "lambda_P"} <= {
        f.name for f in fields(recipe("pairedcyclegan").options)
    }


@pytest.mark.parametrize("generator", ["dilated", "unet", "resnet"])
def test_a_new_generator_leaves_a_picture_as_it_is(generator: str) -> None:
    made = Case({"generator": generator}).ours()
    x, y = made.split(Case().examples(2, 0))
    np.testing.assert_array_equal(through(made.G, beside(x, y)), x)
    np.testing.assert_array_equal(through(made.F, y), y)
    assert np.abs(through(moved(made).G, beside(x, y)) - x).min() > 0
    whole = Case({"generator": generator, "whole": True}).ours()
    assert np.abs(through(whole.G, beside(x, y)) - x).min() > 0


def test_samples_are_of_examples_and_their_references() -> None:
    made = moved(Case().ours())
    x, y = made.split(Case().examples(3, 5))
    expected = made.translate(beside(x, y), make_rng(0))
    np.testing.assert_array_equal(made.sample(3, make_rng(0)), expected)
    assert np.abs(made.translate(beside(x, y[::-1]), make_rng(0)) - expected).max() > 0


REFUSED = {
    "nothing for G": (
        {f"lambda_{t}": 0.0 for t in "GISP"},
        {},
        "G has nothing to descend: one of --lambda-G, --lambda-I, --lambda-S, --lambda-P",
    ),
    "nothing for F": ({f"lambda_{t}": 0.0 for t in "FIS"}, {}, "F has nothing to descend"),
    "a lambda": ({"lambda_S": -1.0}, {}, "--lambda-S -1.0 must be at least 0"),
    "pairs": ({}, {"shape": (8, 8, 6)}, "give --data faces-makeup"),
    "grey to colour": ({}, {"channels": (1, 3), "shape": (8, 8, 7)}, "use --whole"),
    "style of grey": (
        {"whole": True},
        {"channels": (1, 3), "shape": (8, 8, 7)},
        "use --lambda-S 0",
    ),
    "a size": ({}, {"shape": (9, 8, 9)}, "nearest legal sizes: 8x8 and 10x8"),
}


@pytest.mark.parametrize(("options", "task", "says"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_is_refused(options: dict, task: dict, says: str) -> None:
    shape, channels = task.get("shape", (8, 8, 9)), task.get("channels", (3, 3))
    with pytest.raises(OptionError, match=says):
        recipe("pairedcyclegan").build(
            Case(options).chosen, Task(shape, "pairs", 10, channels=channels), Streams(0)
        )


def test_examples_without_a_warped_reference_are_refused() -> None:
    with pytest.raises(ShapeError, match="wanted x, y and W of 3, 3 and 3 channels"):
        Case().ours().step(Case().examples(1, 0)[..., :6])
