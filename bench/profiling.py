"""`bench profile`: where the time of our step goes, by family of operation.

Every public function of minigan.ops, every layer's passes, the losses and the optimiser's step are
wrapped for a few steps. A wrapper counts its own time without that of wrapped calls inside it; the
first wrapper around names the family, and inside a convolution the triad's member the direction.
"""

from __future__ import annotations

import functools
import inspect
import pkgutil
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any

from bench.measure import Session
from bench.remote import Worker
from bench.rows import Row
from bench.work import Work

FAMILIES = {
    "Conv2d": "convolution",
    "ConvTranspose2d": "transposed convolution",
    "Dense": "dense",
    "BatchNorm": "norm",
    "Dropout": "dropout",
    "Maxout": "maxout",
}
REST = "everything else"


class Profile:
    """Seconds by family; only the calling thread counts, which waits for any others."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = defaultdict(float)
        self.stack: list[tuple[str, float]] = []
        self.thread = threading.get_ident()

    @contextmanager
    def within(self, family: str) -> Iterator[None]:
        """Count the time inside as `family`'s, and not as that of what is around."""
        now = time.perf_counter()
        self._count(now)
        self.stack.append((family, now))
        try:
            yield
        finally:
            now = time.perf_counter()
            self._count(now)
            self.stack.pop()
            if self.stack:
                self.stack[-1] = (self.stack[-1][0], now)

    def _count(self, now: float) -> None:
        """Give the innermost family the time since it was last looked at."""
        if self.stack:
            family, since = self.stack[-1]
            self.seconds[family] += now - since
            self.stack[-1] = (family, now)

    def wrapped(self, function: Callable[..., Any], name: Callable[..., str]) -> Any:
        """The function under the family name(outer family, arguments)."""

        @functools.wraps(function)
        def call(*args: Any, **kwargs: Any) -> Any:
            if threading.get_ident() != self.thread:
                return function(*args, **kwargs)
            outer = self.stack[-1][0] if self.stack else REST
            with self.within(name(outer, *args)):
                return function(*args, **kwargs)

        return call


def profile(run: Callable[[], object], calls: int) -> dict[str, float]:
    """Milliseconds per call by family, the most expensive first; what is wrapped is put back."""
    run()
    found = Profile()
    with _wrapped(found):
        for _ in range(calls):
            with found.within(REST):
                run()
    ordered = sorted(found.seconds.items(), key=lambda item: -item[1])
    return {family: 1e3 * seconds / calls for family, seconds in ordered}


def measure_profile(session: Session, work: Work, calls: int) -> Row:
    """A row whose detail has the milliseconds of each family."""
    with Worker("ours", session.threads) as ours:
        ours.ask("step", work=work.to_json())
        _, seconds = ours.ask("calibrate", warm=session.warm, sample=session.sample)
        families = ours.ask("profile", calls=calls)
    return session.row(
        "profile",
        work,
        "none",
        ours_ms=1e3 * seconds,
        detail={"families": families, "calls": calls},
    )


@contextmanager
def _wrapped(found: Profile) -> Iterator[None]:
    """minigan with every counted function wrapped."""
    undo: list[tuple[Any, str, Any]] = []

    def put(owner: Any, attribute: str, name: Callable[..., str]) -> None:
        function = owner.__dict__[attribute]
        undo.append((owner, attribute, function))
        setattr(owner, attribute, found.wrapped(function, name))

    try:
        for function in _op_functions():
            name = functools.partial(_op_family, function.__name__)
            for module in _minigan_modules():
                for attribute, value in list(vars(module).items()):
                    if value is function:
                        put(module, attribute, name)
        for cls in _subclasses(import_module("minigan.layers").Layer):
            if cls.__name__ in ("Sequential", "Activation") or "children" in vars(cls):
                continue
            for attribute in ("forward", "backward"):
                if attribute in vars(cls):
                    put(cls, attribute, functools.partial(_layer_family, attribute))
        activation = import_module("minigan.layers").Activation
        for attribute in ("forward", "backward"):
            put(activation, attribute, functools.partial(_layer_family, attribute))
        for cls in [*_subclasses(import_module("minigan.optim").Optimizer)]:
            if "update" in vars(cls):
                put(cls, "update", lambda outer, *args: "optimiser")
        flat = import_module("minigan.layers").FlatParams
        for attribute in ("zero_grad", "grad_norm"):
            put(flat, attribute, lambda outer, *args: "optimiser")
        put(import_module("minigan.prior").Prior, "draw", lambda outer, *args: "noise")
        for cls in _subclasses(import_module("minigan.losses").Objective):
            for attribute in ("discriminator", "generator"):
                if attribute in vars(cls):
                    put(cls, attribute, lambda outer, *args: "loss")
        yield
    finally:
        for owner, attribute, function in reversed(undo):
            setattr(owner, attribute, function)


def _op_family(name: str, outer: str, *args: Any) -> str:
    """Inside a convolution's backward pass dx and dw apart; elsewhere what is around."""
    if not outer.endswith("convolution backward"):
        return outer
    layer = outer.removesuffix(" backward")
    if name.startswith("conv2d_dw"):
        return f"{layer} dw"
    through = "conv2d_dx" if layer == "convolution" else "conv2d"
    return f"{layer} dx" if name == through else outer


def _layer_family(direction: str, outer: str, layer: Any, *args: Any) -> str:
    kinds = [cls.__name__ for cls in type(layer).__mro__]
    named = next((FAMILIES[kind] for kind in kinds if kind in FAMILIES), None)
    if named is None:
        named = "activation" if "Activation" in kinds else "other layers"
    return f"{named} {direction}"


def _op_functions() -> list[Any]:
    package = import_module("minigan.ops")
    modules = [
        import_module(m.name) for m in pkgutil.iter_modules(package.__path__, "minigan.ops.")
    ]
    return [
        value
        for module in modules
        for name, value in vars(module).items()
        if inspect.isfunction(value)
        and value.__module__ == module.__name__
        and not name.startswith("_")
    ]


def _minigan_modules() -> list[Any]:
    return [m for n, m in list(sys.modules.items()) if n.startswith("minigan.") and m is not None]


def _subclasses(cls: type) -> list[type]:
    """The class and all below it, each once."""
    found = [cls]
    child: type
    for child in cls.__subclasses__():
        found += [c for c in _subclasses(child) if c not in found]
    return found
