"""`minigan export` and `minigan import`: networks of stored runs, out to other tools and back."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from pathlib import Path

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load as load_tensors
from safetensors.numpy import save as save_tensors

from minigan.algorithms.translation.base import Translating
from minigan.backend import Array, make_rng
from minigan.errors import DataError, OptionError, UnknownNameError
from minigan.export import onnx, torch
from minigan.export.agreement import agreement
from minigan.export.state_dict import load_state_dict
from minigan.layers import Dropout, Layer, MinibatchStdDev, Pack
from minigan.streams import Purpose
from minigan.training import best, checkpoint
from minigan.training.building import build_algorithm, recalled
from minigan.training.config import Config
from minigan.training.feeding import AsNew, Inputs, fed, networks
from minigan.training.files import locked, write_atomically

CHECKED = 12  # examples, or a few more, that the two runtimes are compared on


def export(
    folder: Path,
    *,
    onnx_file: Path | None = None,
    torch_file: Path | None = None,
    network: str = "G",
    step: int | str | None = None,
    any_size: bool = False,
) -> Iterator[str]:
    """Write one network of the run in `folder` to the files asked for; yields a line on each.

    A moving average of the network, where the run keeps one, is what is written. Raises OptionError
    for no file, a wrong suffix, a layer without counterpart, a missing package, and a network that
    no step has run yet or that none runs whole, UnknownNameError for one that the run does not
    have, DataError where only a step tells a network's inputs and the data is gone, and
    CheckpointError.
    """
    if onnx_file is None and torch_file is None:
        raise OptionError("nothing to write: give --onnx FILE or --torch FILE.safetensors")
    if onnx_file is not None and onnx_file.suffix != ".onnx":
        raise OptionError(f"--onnx {onnx_file}: wanted a .onnx file")
    if onnx_file is None and any_size:
        raise OptionError(
            "--any-size says how --onnx writes: give --onnx FILE.onnx too, or neither"
        )
    if torch_file is not None and torch_file.suffix != ".safetensors":
        raise OptionError(
            f"--torch {torch_file}: wanted a .safetensors file, which PyTorch loads with "
            "safetensors.torch.load_file; a .pt file could run code when it is opened"
        )
    run = _as_new(folder, network)
    config, algorithm = run.config, run.algorithm
    stored = best.load(folder / "checkpoints", step)
    inputs, start = fed(run, network)
    if 0 < stored.step <= start:
        raise OptionError(
            f"after step {stored.step} {network} has its first weights: it takes part from step "
            f"{start + 1} on; go on with `minigan resume`, or take a later checkpoint with --from"
        )
    stored.restore(algorithm)
    noisy = isinstance(algorithm, Translating) and algorithm.noisy and network in ("G", "F")
    title = f"{network} of {folder.name}, a {config.algorithm}, after step {stored.step}."
    average = algorithm.averages.get(network)
    with average.applied() if average else nullcontext():
        net = networks(algorithm)[network]
        if onnx_file is not None:
            yield _write_onnx(net, inputs, onnx_file, noisy=noisy, any_size=any_size)
        if torch_file is not None:
            yield _write_torch(net, inputs, torch_file, title=title, noisy=noisy)


def import_weights(folder: Path, file: Path, *, network: str = "G") -> str:
    """Fill one network of an untrained run from a state dict in PyTorch's layouts.

    The run's checkpoint of step 0 is written anew. Returns what was done. Raises DataError for a
    file that is no state dict of this network, OptionError for a run that has been trained or is
    being trained.
    """
    run = _as_new(folder, network)
    algorithm, checkpoints = run.algorithm, folder / "checkpoints"
    with locked(folder):
        if checkpoint.steps(checkpoints) != [0]:
            raise OptionError(
                f"{folder} has been trained, and what it learned would be lost: start another run "
                "with `minigan train ... --steps 0` and import into that"
            )
        checkpoint.load(checkpoints).restore(algorithm)
        net = networks(algorithm)[network]
        count = load_state_dict(net, _tensors(file))
        if network in algorithm.averages:
            algorithm.averages[network].restart()
        checkpoint.save(checkpoints, 0, algorithm, keep=run.config.run.keep)
    use = "`minigan sample` draws from it; " if network == "G" else ""
    return (
        f"{count} layers of {network} from {file}: {folder}; "
        f"{use}`minigan resume {folder} --steps N` trains on"
    )


def _as_new(folder: Path, network: str) -> AsNew:
    """The run in `folder`. Raises UnknownNameError for a network it lacks."""
    config = Config.load(folder / "config.json").on("cpu").in_force()
    dataset = recalled(config)
    algorithm = build_algorithm(config, dataset)
    known = networks(algorithm)
    if network not in known:
        raise UnknownNameError(f"network of {config.algorithm}", network, known)
    return AsNew(config, dataset, algorithm)


def _tensors(file: Path) -> Mapping[str, Array]:
    """The tensors of a file. Raises DataError."""
    if file.suffix != ".safetensors":
        raise DataError(
            f"{file}: wanted a .safetensors file; PyTorch writes one with "
            "safetensors.torch.save_file(torch.load(FILE, weights_only=True), 'FILE.safetensors')"
        )
    try:
        return load_tensors(file.read_bytes())
    except FileNotFoundError:
        raise DataError(f"{file}: there is no such file") from None
    except (OSError, SafetensorError) as error:
        raise DataError(f"{file} cannot be read as tensors: {error}") from error
    except (KeyError, TypeError) as error:  # dtypes that NumPy has not
        raise DataError(
            f"{file} holds numbers of the type {error.args[0]}: write it again with .float() on "
            "each tensor"
        ) from error


def _write_onnx(net: Layer, inputs: Inputs, file: Path, *, noisy: bool, any_size: bool) -> str:
    shapes = {name: shape for name, (shape, _) in inputs.items()}
    words = {name for name, (_, dtype) in inputs.items() if np.issubdtype(dtype, np.integer)}
    name = file.stem.encode(errors="backslashreplace").decode()  # a path may be no UTF-8
    model = onnx.to_onnx(net, shapes, name=name, words=words, noisy=noisy, any_size=any_size)
    rng = make_rng(0, Purpose.EXPORT)
    n = 1 if noisy else _whole_groups(net)  # batch norms of a noisy generator look at one picture
    xs: list[Array] = []
    for name, shape in shapes.items():
        floats = rng.standard_normal((n, *shape)).astype(np.float32)
        xs.append(rng.integers(1, 3, (n, *shape)) if name in words else floats)
    with _without_dropout(net):
        apart = agreement(model, net, xs, file, train=noisy)
    write_atomically(file, model)
    noise = noisy and any(isinstance(layer, Dropout) for _, layer in net.walk())
    said = f"; dropout, its noise, is left out of {file.name}" if noise else ""
    return f"{_signature(inputs)}, as onnxruntime computes it to {apart:.0e}: {file}{said}"


def _whole_groups(net: Layer) -> int:
    """CHECKED examples, or the next number that the network's packs and groups divide."""
    packs = [layer.m for _, layer in net.walk() if isinstance(layer, Pack)]
    groups = [layer.group_size for _, layer in net.walk() if isinstance(layer, MinibatchStdDev)]
    each = math.prod(packs) * math.lcm(*(size for size in groups if size))
    return -(-CHECKED // each) * each


def _write_torch(net: Layer, inputs: Inputs, file: Path, *, title: str, noisy: bool) -> str:
    module = torch.to_torch(net, [shape for shape, _ in inputs.values()])
    script = file.with_suffix(".py")
    if script.exists() and torch.LOADS not in script.read_text(encoding="utf-8"):
        raise OptionError(f"{script} exists already and is no file of this command; choose another")
    write_atomically(file, save_tensors(dict(torch.named(module))))
    write_atomically(script, torch.source(module, title, file.name, noisy=noisy).encode())
    return f"{_signature(inputs)} for PyTorch: {file}, and {script}, whose load() builds it"


def _signature(inputs: Inputs) -> str:
    """The inputs as the files have them: channels first."""
    return ", ".join(
        f"{name} ({', '.join(map(str, ('N', *shape[-1:], *shape[:-1])))})"
        for name, (shape, _) in inputs.items()
    )


@contextmanager
def _without_dropout(net: Layer) -> Iterator[None]:
    """Within the block dropout layers let everything through."""
    layers = [layer for _, layer in net.walk() if isinstance(layer, Dropout)]
    held = [layer.p for layer in layers]
    for layer in layers:
        layer.p = 0.0
    try:
        yield
    finally:
        for layer, p in zip(layers, held, strict=True):
            layer.p = p
