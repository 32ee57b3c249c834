"""Every network of every algorithm leaves as a file, or an error says why it does not."""

from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest

from minigan.algorithms import ALGORITHMS
from minigan.errors import OptionError
from minigan.export.onnx import channels_first
from minigan.layers import Layer
from minigan.training import Config, RunOptions, best, checkpoint
from minigan.training.building import build_algorithm, dataset_of
from minigan.training.exporting import export
from minigan.training.feeding import AsNew, networks, step

BATCH = 4
# Small networks, by the names that options have.
SMALL: dict[str, Any] = {
    "patch": 16,
    "blocks": 1,
    "z_dim": 3,
    "width": 2,
    "code_dim": 3,
    "embedding_dim": 4,
    "text_dim": 5,
    "scales": 2,
    "local_blocks": 1,
    "shared_blocks": 1,
    "mlp_width": 5,
    "w_dim": 4,
    "mapping_layers": 2,
    "conditioner": 2,
    "hidden": 5,
    **dict.fromkeys(("hidden_E", "hidden_G", "hidden_D", "hidden_C"), (5,)),
}
# Options and size where these do not do, and what cannot leave, with what is said of it.
OWN: dict[str, dict[str, Any]] = {
    "biggan": {"attention": 0},
    "cgan": {"hidden_G": (5, 5, 5), "hidden_D": (2, 3, 4)},
    "segan": {"window": 64, "halvings": 2, "reference_batch": 2},
    "seqgan": {
        **{"words": 9, "length": 5, "windows": (2, 3), "filters": (3, 2), "rollouts": 2},
        **{"pretrain_G": 1, "pretrain_D": 1},
    },
}
SIZES = {"pix2pixhd": 32}
REFUSED = {
    ("unit", "VAE"): "neither a sample nor a step of unit",
    ("munit", "AE"): "neither a sample nor a step of munit",
    ("seqgan", "rollout"): "neither a sample nor a step of seqgan",  # G, a little later
}


def made(
    folder: Path, name: str, *, size: int = 16, steps: int = 0, **options: Any
) -> dict[str, Layer]:
    """A run of `steps` in `folder`, of 3 that were planned; returns its networks."""
    recipe = ALGORITHMS[name]
    known = {f.name for f in fields(recipe.options)}
    small = {k: v for k, v in SMALL.items() if k in known} | OWN.get(name, {}) | options
    unsized = recipe.data.startswith("digits") or recipe.takes in ("bars", "sounds", "sentences")
    sized = None if unsized else str(size)
    run = RunOptions(size=sized, batch=BATCH, steps=3, threads=1)
    config = Config.create(name, replace(recipe.options(), **small), run)
    data = dataset_of(config)
    config.save(folder / "config.json")
    algorithm = build_algorithm(config, data)
    for _ in range(steps):
        step(AsNew(config, data, algorithm))
    checkpoint.save(folder / "checkpoints", steps, algorithm, keep=1)
    return networks(algorithm)


def left(folder: Path, network: str, *, torch: bool = False) -> None:
    """The run in `folder` leaves a network as G.onnx, ... in it, and for PyTorch too if asked."""
    file = folder / network
    weights = file.with_suffix(".safetensors") if torch else None
    said = [
        *export(folder, onnx_file=file.with_suffix(".onnx"), torch_file=weights, network=network)
    ]
    assert len(said) == 1 + torch


@pytest.mark.parametrize("name", ALGORITHMS)
def test_every_network_leaves_or_is_refused(name: str, tmp_path: Path) -> None:
    for network in made(tmp_path, name, size=SIZES.get(name, 16)):
        refused = REFUSED.get((name, network))
        if refused:
            with pytest.raises(OptionError, match=refused):
                left(tmp_path, network, torch=True)
        else:
            left(tmp_path, network, torch=True)
        files = {file.suffix for file in tmp_path.glob(f"{network}.*")}
        assert files == (set() if refused else {".onnx", ".py", ".safetensors"})


# A staged training, and of what it has after each of some numbers of steps the networks that no
# step has run yet.
STAGED: dict[str, tuple[str, dict[str, Any], dict[int, str]]] = {
    "one after another": (
        "stackgan",
        {"stages": 3, "size": 32},
        {1: "C2 G2 D2 C3 G3 D3", 3: ""},
    ),
    "added": ("stackgan", {"training": "added"}, {1: "C2 G2 D2", 3: ""}),
    "jointly": ("stackgan", {"training": "jointly"}, {1: ""}),
    "coarse to fine": ("pix2pixhd", {"size": 32}, {1: "G2 D1", 3: ""}),
    "inverted": ("age-cgan", {"encoder_steps": 1}, {1: "E E_y", 3: ""}),
    "ranked": ("gogan", {"stage_steps": 2}, {2: "earlier_G earlier_D", 3: ""}),
}


@pytest.mark.parametrize("kind", STAGED)
def test_a_network_leaves_in_every_stage_since_its_first(kind: str, tmp_path: Path) -> None:
    name, options, idle = STAGED[kind]
    for steps, names in idle.items():
        for network in made(tmp_path / str(steps), name, steps=steps, **options):
            if network in names.split():
                with pytest.raises(
                    OptionError, match=f"after step {steps} {network} has its first weights: it tak"
                ):
                    left(tmp_path / str(steps), network)
            else:
                left(tmp_path / str(steps), network)


def test_the_weights_are_the_checkpoint_s(tmp_path: Path) -> None:
    """Steps that were made to see the inputs leave no trace."""
    made(tmp_path, "stackgan", steps=3, training="added")
    left(tmp_path, "G2")
    config = Config.load(tmp_path / "config.json")
    algorithm = build_algorithm(config, dataset_of(config))
    best.load(tmp_path / "checkpoints").restore(algorithm)
    rng = np.random.default_rng(0)
    xs = [rng.standard_normal((2, *shape)).astype(np.float32) for shape in ((3,), (8, 8, 3))]
    y, _ = algorithm.networks["G2"].forward(*xs, train=False)
    given = {f"input_{i}": channels_first(x) for i, x in enumerate(xs)}
    (found,) = onnxruntime.InferenceSession(tmp_path / "G2.onnx").run(None, given)
    np.testing.assert_allclose(found, channels_first(y), atol=1e-5 * np.abs(y).max())


def test_a_network_that_is_never_run_whole(tmp_path: Path) -> None:
    """Trained together, G1's last convolution has no part in what G makes."""
    made(tmp_path, "pix2pixhd", size=32, joint=True)
    with pytest.raises(OptionError, match="as it was trained runs G1 whole, so it cannot be exp"):
        left(tmp_path, "G1")
