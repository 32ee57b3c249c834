"""What the training loop asks of every algorithm."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Hashable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any, Self

import numpy as np

from minigan.backend import Array, device_module, on_cuda, overwrite, to_host
from minigan.ema import EMA
from minigan.errors import CheckpointError, NonFiniteError, OptionError
from minigan.layers import Layer
from minigan.noise import Stream
from minigan.optim import Optimizer, clip_grad_norm

Scalars = dict[str, Any]  # floats; of a step on a card, arrays of one number that stay there


class Algorithm(ABC):
    """Owns its networks, losses and optimisers; `step` reads as the paper's algorithm box.

    networks: by the paper's names, e.g. {"G": ..., "D": ...}; optimizers: of the same names.
    averages: moving averages of some networks, by name.
    minibatches: how many minibatches of the loader's size one step consumes.
    stage_starts: how many steps there were before each stage of training, from 0 on.
    """

    networks: Mapping[str, Layer]
    optimizers: Mapping[str, Optimizer]
    averages: Mapping[str, EMA]
    minibatches: int = 1
    stage_starts: Sequence[int] = (0,)
    _health: dict[str, Array]
    max_grad_norm: float = math.inf
    rng: Any  # noise.Stream, or NumPy's Generator on the CPU
    device: str = "cpu"

    @abstractmethod
    def step(self, x: Array) -> Scalars:
        """One iteration on examples x; returns what a log shows."""

    @property
    def step_kind(self) -> Hashable:
        """What the next step decides in Python: steps of one kind do the same operations.

        A step that is captured on a card serves all of its kind. None: there is one kind only.
        """
        return None

    def skip_to(self, step: int) -> None:  # noqa: B027  # where there is one stage
        """Make the next step one of the stage that starts after `step` others; weights stay.

        For whoever looks at what stages do: counts of steps no longer agree with the weights.
        """

    @abstractmethod
    def sample(self, n: int, rng: np.random.Generator) -> Array:
        """n generated examples; a function of the weights and of rng alone."""

    def notes(self) -> list[str]:
        """What a run says of the algorithm when it starts, a line each."""
        return []

    def to(self, device: str) -> Self:
        """Go on from here on `device`: networks, state of optimisers, averages and noise move.

        Raises DeviceError where it is not there, OptionError for noise that cannot move.
        """
        if device_module(device) is not np and not isinstance(self.rng, Stream):
            raise OptionError("the noise of a run on a card is drawn there: give a noise.Stream")
        for net in self.networks.values():
            net.to(device)
        for optimizer in self.optimizers.values():
            optimizer.to(device)
        for average in self.averages.values():
            average.to(device)
        if isinstance(self.rng, Stream):
            self.rng.to(device)
        self.device = device
        zeros = device_module(device).zeros
        self._health = {name: zeros((), np.float64) for name in self.networks}
        return self

    def descend(self, name: str, loss: Any, *, optimizer: str | None = None) -> Any:
        """One step of network `name` along the gradient it has; returns the gradient's norm.

        optimizer: the name of the optimiser that takes it, where it is not the network's own.
        Raises NonFiniteError, before anything moves, if the loss or the gradient is not finite. A
        card is not waited for: there `check_health` raises it later.
        """
        norm = self._checked_norm(name, loss)
        self._move(name, optimizer or name)
        return norm

    def descend_together(self, losses: Mapping[str, Any]) -> Scalars:
        """One step of several networks, each along the gradient that it has of its own loss.

        Returns the gradients' norms as a log names them. Raises as `descend`, before any of the
        networks moves.
        """
        norms = {f"grad_norm_{name}": self._checked_norm(name, losses[name]) for name in losses}
        for name in losses:
            self._move(name, name)
        return norms

    def check_health(self) -> None:
        """Raise NonFiniteError if a loss or gradient on the card was not finite since `to`."""
        if self.device == "cpu":
            return
        for name, health in self._health.items():
            if not np.isfinite(to_host(health)):
                raise NonFiniteError(
                    f"the loss or the gradient of {name} has not been finite; "
                    "resumed with --device cpu, the run names the layer"
                )

    @contextmanager
    def sampling(self) -> Iterator[None]:
        """Within the block networks hold their averages, where these are kept, and overflow is
        silent: what has run away is met by `finite`."""
        with ExitStack() as stack:
            stack.enter_context(np.errstate(over="ignore", divide="ignore", invalid="ignore"))
            for average in self.averages.values():
                stack.enter_context(average.applied())
            yield

    def finite(self, x: Array, what: str) -> Array:
        """x on the host. Raises NonFiniteError, naming `what`, where the weights have run away."""
        x = to_host(x)
        if not np.isfinite(x).all():
            raise NonFiniteError(f"{what} is not finite; {self._largest_weight()}")
        return x

    def _checked_norm(self, name: str, loss: Any) -> Any:
        """The norm of a network's gradient before it is clipped, once it is known to be finite."""
        net = self.networks[name]
        if not on_cuda(net.flat.grad):
            return self._finite_norm(name, net, loss)
        norm = clip_grad_norm(net.flat, self.max_grad_norm)
        self._health[name] += 0 * (loss + norm)  # 0 times a number that is not finite is NaN
        return norm

    def _move(self, name: str, optimizer: str) -> None:
        self.optimizers[optimizer].step()
        if name in self.averages:
            self.averages[name].update()

    def _finite_norm(self, name: str, net: Layer, loss: float) -> float:
        """The gradient's norm before it is clipped, on the CPU. Raises NonFiniteError."""
        if not math.isfinite(loss):
            raise NonFiniteError(f"the loss of {name} is {loss}; {self._largest_weight()}")
        norm = clip_grad_norm(net.flat, self.max_grad_norm)
        if not math.isfinite(norm) and (parameter := net.flat.first_nonfinite()):
            raise NonFiniteError(f"the gradient of {_place(name, net, parameter)}, is not finite")
        return float(norm)

    def state_dict(self) -> dict[str, Array]:
        """Every array that a resumed run needs, by name. The random state is `rng`'s own."""
        arrays: dict[str, Array] = {}
        for name, net in self.networks.items():
            arrays |= {f"{name}.{k}": p.data for k, p in net.flat.params.items()}
            arrays |= {f"{name}.{k}": b for k, b in net.buffers.items()}
        for name, optimizer in self.optimizers.items():
            arrays |= {f"optimizer.{name}.{k}": a for k, a in optimizer.state_dict().items()}
        for name, ema in self.averages.items():
            arrays |= {f"average.{name}.{k}": a for k, a in ema.average.items()}
        return arrays

    def load_state_dict(self, state: Mapping[str, Array]) -> None:
        """Put back what `state_dict` returned; nothing is changed unless all of it fits.

        Raises CheckpointError naming the first array that is missing, left over or of another
        shape.
        """
        mine = self.state_dict()
        for name in [*mine, *state]:
            stored, wanted = _outline(state.get(name)), _outline(mine.get(name))
            if stored != wanted:
                raise CheckpointError(
                    f"{name} is {stored} in the checkpoint and {wanted} here: "
                    "the checkpoint belongs to another architecture or version"
                )
        for name, optimizer in self.optimizers.items():
            optimizer.load_state_dict(_below(state, f"optimizer.{name}."))
        for name, array in mine.items():
            if not name.startswith("optimizer."):
                overwrite(array, state[name])
        for net in self.networks.values():
            net.flat.touch()

    def _largest_weight(self) -> str:
        """Which weight has grown most, for a message about numbers that ran away."""
        sizes = {
            _place(name, net, parameter): float(np.abs(to_host(p.data)).max(initial=0))
            for name, net in self.networks.items()
            for parameter, p in net.flat.params.items()
        }
        largest = max(sizes, key=lambda place: np.nan_to_num(sizes[place], nan=math.inf))
        return f"the largest weight is {sizes[largest]:.3g}, of {largest}"


def _place(name: str, net: Layer, parameter: str) -> str:
    path = parameter.rpartition(".")[0]
    layer = dict(net.walk())[f"{path}." if path else ""]
    return f"{name}'s parameter {parameter}, in {layer!r}"


def _outline(array: Array | None) -> str:
    return "missing" if array is None else f"{array.dtype} {array.shape}"


def _below(state: Mapping[str, Array], prefix: str) -> dict[str, Array]:
    return {k.removeprefix(prefix): a for k, a in state.items() if k.startswith(prefix)}
