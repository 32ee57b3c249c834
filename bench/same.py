"""The check that both sides compute the same thing, which comes before every time.

Both sides begin with the same weights and take three steps on the same examples and noise.
Compared are

- after step 1 the optimisers' moments, which are then D's and G's gradients (and their squares)
  times a constant of the optimiser, array by array: |ours - peer| / |peer| in the Euclidean norm,
  and the factor |<ours, peer> / <peer, peer> - 1| between the two;
- after steps 1 and 3 the losses, relative to their size;
- after steps 1 and 3 how far each parameter array has moved: the median difference of its numbers,
  relative to their root mean square movement. Relative to the weights themselves a wrong learning
  rate would hide: a step moves a weight by a thousandth.

On the CPU both sides are first held to this in float64, where all of it agrees to 1e-12 (gradients
of both architectures, from width 4 to the papers' own): 1e-8 is asked of gradients and of step 1,
1e-6 of step 3. That is the mathematics of a step, to constants as small as batch norm's eps, and
to the size of a gradient, which Adam's steps do not show. A peer that is compiled is compared there
as it is written.

Then they are compared in float32, which is timed. Both add in another order, so a gradient differs
by about 1e-6 of its size, and by more where a LeakyReLU's input is so near zero that its sign is
rounding, most in a bias, where real and generated examples all but cancel: D's gradient gets 0.03.
Adam divides each number by its own size, so a few weights whose gradient is almost zero take a
whole step the other way. The median does not see these few, and must agree to 1e-3 after one step:
a learning rate 10 % off is 0.1. But G's gradient comes through a D that has them, which moves all
of its numbers a little, and batch norm amplifies them in each further step: 0.15 for G's gradient
and for the movement after three steps, which a wrong beta or a lost term of the loss exceeds.
Most of that has no direction, so the factor between the gradients must be 1 to 0.01 for D's arrays
and to 0.08 for G's: a gradient 10 % too large is found. What was seen is at most half of the 0.15
for G's gradient, and of the other limits a third; 0.0016 and 0.017 of the factors, over 31 drawings
of weights and examples of DCGANs of size 32 to 128. A median in place of the norm would tell no
more of G: one kink of D moves all of its numbers, and the two were seen nearly equal.

On a card both sides are first held to the same in fp32, whatever is then timed: the two do the same
work. Then they are compared in the precision that is timed, which only has to catch a side that
computes in another way: factors of products are rounded to 10 bits of mantissa in tf32 and to 7 in
bf16, and the kinks of the activations make more of that. There all parameters of a player are
taken as one array, for the gradient of a single bias may be a difference of two sums that the
rounding hides. In networks of width 4 to 20, on the pretended card, gradients were up to 0.03 off
in tf32 and 0.25 in bf16; no card has run them yet.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import NamedTuple

import numpy as np

from bench.errors import NotTheSame
from bench.remote import Worker
from bench.steps import CAPTURED
from bench.work import Array


class Tolerances(NamedTuple):
    """How far two sides may be apart that do the same; losses and movements by step."""

    loss: dict[int, float]
    movement: dict[int, float]
    gradient: dict[str, float]
    factor: dict[str, float]
    op: float
    whole: bool = False  # all parameters of a player as one


_SINGLE = Tolerances(
    {1: 1e-3, 3: 1e-2}, {1: 1e-3, 3: 0.15}, {"D": 0.03, "G": 0.15}, {"D": 0.01, "G": 0.08}, 1e-4
)
_ROUNDED = {1: 0.03, 3: 0.15}
# One operation: a sum of rounded products, relative to its largest; PyTorch's bf16 is rounded too.
TOLERANCES = {
    "float64": Tolerances(
        {1: 1e-8, 3: 1e-6},
        {1: 1e-8, 3: 1e-6},
        {"D": 1e-8, "G": 1e-8},
        {"D": 1e-8, "G": 1e-8},
        1e-12,
    ),
    "float32": _SINGLE,
    "fp32": _SINGLE,
    "tf32": Tolerances(
        {1: 2e-3, 3: 1e-2}, _ROUNDED, {"D": 0.1, "G": 0.15}, {"D": 0.1, "G": 0.15}, 5e-3, whole=True
    ),
    "bf16": Tolerances(
        {1: 1e-2, 3: 2e-2}, _ROUNDED, {"D": 0.4, "G": 0.5}, {"D": 0.4, "G": 0.5}, 0.03, whole=True
    ),
}


def check_steps(ours: Worker, peer: Worker, precision: str) -> dict[str, float]:
    """The largest deviations of two steps that were built, in `precision`. Raises NotTheSame."""
    exact = "float64" if precision == "float32" else "fp32"
    found: dict[str, float] = {}
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        files = [str(Path(folder) / name) for name in ("ours.npz", "peer.npz")]
        for held in dict.fromkeys((exact, precision)):
            ours.ask("trace", out=files[0], precision=held)
            peer.ask("trace", out=files[1], start=files[0], precision=held)
            with np.load(files[0]) as a, np.load(files[1]) as b:
                found = compare(dict(a), dict(b), peer.side, held)
    return found


def compare(
    ours: dict[str, Array], peer: dict[str, Array], name: str, precision: str = "float32"
) -> dict[str, float]:
    """The largest deviation of each kind in two traces. Raises NotTheSame."""
    allowed = TOLERANCES[precision]
    if ours.keys() != peer.keys():
        raise NotTheSame(f"ours and {name} have different parameters")
    worst: dict[str, float] = {}
    if allowed.whole:
        ours, peer = _joined(ours), _joined(peer)

    def require(kind: str, error: float, limit: float, what: str) -> None:
        worst[kind] = max(worst.get(kind, 0.0), error)
        if not error <= limit:  # NaN is refused too
            raise NotTheSame(
                f"ours and {name} do not compute the same: {what} differs by {error:.2g}, "
                f"more than {limit:g}; nothing was measured"
            )

    for key in (k for k in ours if k.startswith(("m.", "v."))):
        moment, player, parameter = key.split(".", 2)
        times = 2 if moment == "v" else 1
        what = f"{player}'s moment {moment} of {parameter} after step 1"
        error = relative_error(ours[key], peer[key])
        require(f"gradient_{player}", error, times * allowed.gradient[player], what)
        error = factor_error(ours[key], peer[key])
        limit = times * allowed.factor[player]
        require(f"factor_{player}", error, limit, f"the size of {what}")
    for step in CAPTURED:
        a, b = ours[f"{step}.losses"], peer[f"{step}.losses"]
        error = float(np.max(np.abs(a - b) / np.maximum(np.abs(b), 1)))
        require(f"loss_{step}", error, allowed.loss[step], f"a loss of step {step}, {a} and {b},")
        for key in (k for k in ours if k.startswith("0.")):
            parameter = key.removeprefix("0.")
            error = movement_error(
                ours[f"{step}.{parameter}"], peer[f"{step}.{parameter}"], ours[key]
            )
            what = f"{parameter} after step {step}"
            require(f"movement_{step}", error, allowed.movement[step], what)
    return worst


def _joined(trace: dict[str, Array]) -> dict[str, Array]:
    """The trace with all arrays of one kind and player as one."""
    kinds: dict[str, list[Array]] = {}
    for key, a in trace.items():
        kind, what = key.split(".", 1)
        name = key if what == "losses" else f"{kind}.{what.partition('.')[0]}.parameters"
        kinds.setdefault(name, []).append(a.reshape(-1))
    return {name: np.concatenate(arrays) for name, arrays in kinds.items()}


def relative_error(ours: Array, peer: Array) -> float:
    """|ours - peer| / |peer|, in float64; infinite for a peer of zeros that ours is not."""
    apart = float(np.linalg.norm(ours.astype(np.float64) - peer))
    size = float(np.linalg.norm(peer.astype(np.float64)))
    return apart / size if size else (0.0 if apart == 0 else float("inf"))


def factor_error(ours: Array, peer: Array) -> float:
    """|<ours, peer> / <peer, peer> - 1|, in float64; infinite for a peer of zeros that ours is not.

    Differences without a direction, as rounding's, cancel in it.
    """
    a, b = (x.astype(np.float64).reshape(-1) for x in (ours, peer))
    size = float(np.dot(b, b))
    return abs(float(np.dot(a - b, b))) / size if size else float("inf" if a.any() else 0.0)


def movement_error(ours: Array, peer: Array, start: Array) -> float:
    """median |ours - peer| / rms(peer - start), in float64; infinite if only ours moved."""
    apart = float(np.median(np.abs(ours.astype(np.float64) - peer)))
    moved = float(np.sqrt(np.mean((peer.astype(np.float64) - start) ** 2)))
    return apart / moved if moved else (0.0 if apart == 0 else float("inf"))


def check_outputs(
    ours: dict[str, Array], peer: dict[str, Array], what: str, precision: str = "float32"
) -> float:
    """The largest |ours - peer| / max |peer| of one operation's outputs. Raises NotTheSame.

    Sums of some thousand float32 products in another order differ by about 1e-6.
    """
    if ours.keys() != peer.keys():
        raise NotTheSame(f"{what}: ours returns {[*ours]}, the peer {[*peer]}")
    worst, limit = 0.0, TOLERANCES[precision].op
    for key, a in ours.items():
        b = peer[key]
        if a.shape != b.shape:
            raise NotTheSame(f"{what}: {key} is {a.shape} here and {b.shape} there")
        error = float(np.abs(a - b).max() / max(np.abs(b).max(), 1e-30))
        if not error <= limit:
            raise NotTheSame(
                f"{what}: {key} differs from the peer's by {error:.2g} of its largest number, "
                f"more than {limit:g}"
            )
        worst = max(worst, error)
    return worst


def same_dropout(ours: dict[str, list[float]], peer: dict[str, list[float]], name: str) -> None:
    """Raises NotTheSame unless both sides drop at the same rates."""
    if ours["dropout"] != peer["dropout"]:
        raise NotTheSame(
            f"dropout is {ours['dropout']} here and {peer['dropout']} in {name}: not the same work"
        )
