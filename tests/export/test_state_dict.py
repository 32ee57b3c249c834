"""State dicts of PyTorch networks, written there as their authors write them, come in whole."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from minigan import layers as L
from minigan.errors import DataError
from minigan.export.onnx import CLOSE, channels_first
from minigan.export.state_dict import load_state_dict
from minigan.export.torch import named, to_torch
from minigan.models import dcgan_discriminator, dcgan_generator, unet_generator
from tests.export.support import NETWORKS, built
from tests.models.cases import Network

Array = np.ndarray


class Generator(nn.Module):
    """DCGAN's G as PyTorch's example has it: a transposed convolution from 1x1, no biases."""

    def __init__(self, z: int, width: int, channels: int) -> None:
        super().__init__()
        self.main = nn.Sequential(
            nn.ConvTranspose2d(z, 2 * width, 4, 1, 0, bias=False),
            nn.BatchNorm2d(2 * width),
            nn.ReLU(True),
            nn.ConvTranspose2d(2 * width, width, 4, 2, 1, bias=False),
            nn.BatchNorm2d(width),
            nn.ReLU(True),
            nn.ConvTranspose2d(width, channels, 4, 2, 1, bias=False),
            nn.Tanh(),
        )

    def forward(self, z: torch.Tensor) -> torch.Tensor:
        return self.main(z[:, :, None, None])


class Discriminator(nn.Module):
    """DCGAN's D there: a convolution to 1x1, no biases; without its sigmoid."""

    def __init__(self, width: int, channels: int) -> None:
        super().__init__()
        self.main = nn.Sequential(
            nn.Conv2d(channels, width, 4, 2, 1, bias=False),
            nn.LeakyReLU(0.2, inplace=True),
            nn.Conv2d(width, 2 * width, 4, 2, 1, bias=False),
            nn.BatchNorm2d(2 * width),
            nn.LeakyReLU(0.2, inplace=True),
            nn.Conv2d(2 * width, 1, 4, 1, 0, bias=False),
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.main(x).flatten(1)


class Skip(nn.Module):
    """One level of pix2pix's U-Net as its authors' PyTorch code nests them."""

    def __init__(self, outer: int, inner: int, below: nn.Module | None, joined: int) -> None:
        super().__init__()
        self.model = nn.Sequential(
            nn.LeakyReLU(0.2),
            nn.Conv2d(outer, inner, 4, 2, 1, bias=False),
            *([] if below is None else [nn.BatchNorm2d(inner), below]),
            nn.ReLU(),
            nn.ConvTranspose2d(joined, outer, 4, 2, 1, bias=False),
            nn.BatchNorm2d(outer),
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.cat([x, self.model(x)], 1)


class UNet(nn.Module):
    def __init__(self, cin: int, cout: int, width: int) -> None:
        super().__init__()
        deepest = Skip(2 * width, 4 * width, None, 4 * width)
        middle = Skip(width, 2 * width, deepest, 4 * width)
        self.model = nn.Sequential(
            nn.Conv2d(cin, width, 4, 2, 1, bias=False),
            middle,
            nn.ReLU(),
            nn.ConvTranspose2d(2 * width, cout, 4, 2, 1),
            nn.Tanh(),
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.model(x)


RNG = np.random.default_rng(0)
PAIRS = {
    "generator": (
        Generator(5, 4, 3),
        dcgan_generator(5, (16, 16, 3), width=4, rng=RNG),
        (3, 5),
    ),
    "discriminator": (
        Discriminator(4, 3),
        dcgan_discriminator((16, 16, 3), width=4, rng=RNG),
        (3, 16, 16, 3),
    ),
    "u-net": (
        UNet(1, 3, 2),
        unet_generator((8, 8, 1), 3, width=2, halvings=3, dropout=0.0, rng=RNG),
        (3, 8, 8, 1),
    ),
}


def state_of(net: nn.Module) -> dict[str, Array]:
    """A state dict with nothing at its first value; in the order of an unordered file."""
    rng = np.random.default_rng(1)
    state = {}
    for name, tensor in sorted(net.state_dict().items()):
        drawn = rng.uniform(0.2, 1, tensor.shape)
        sign = 1 if name.endswith("running_var") else rng.choice([-1, 1], tensor.shape)
        state[name] = np.asarray(drawn * sign * 0.5, np.float32)
    net.load_state_dict({k: torch.as_tensor(a) for k, a in state.items()})
    return state


@pytest.mark.parametrize("name", PAIRS)
def test_networks_of_others_come_in(name: str) -> None:
    theirs, ours, shape = PAIRS[name]
    load_state_dict(ours, state_of(theirs))
    x = np.random.default_rng(2).standard_normal(shape).astype(np.float32)
    y, _ = ours.forward(x, train=False)
    with torch.no_grad():
        wanted = theirs.eval()(torch.from_numpy(channels_first(x))).numpy()
    assert np.abs(channels_first(y) - wanted).max() < CLOSE * np.abs(wanted).max()


def fillable(network: Network) -> bool:
    """Whether the network is of the layers that a state dict can fill."""
    kinds = (L.Dense, L.Conv2d, L.ConvTranspose2d, L.BatchNorm, L.InstanceNorm)
    layers = [layer for _, layer in network.build(np.random.default_rng(0)).walk()]
    numbered = (L.Sequential, L.Concat, L.Parallel, L.Residual)  # names that sort in their order
    in_order = all(type(layer) in numbered for layer in layers if layer.children)
    return in_order and all(type(layer) in kinds for layer in layers if layer.own_params)


@pytest.mark.parametrize("network", [n for n in NETWORKS if fillable(n)], ids=str)
def test_what_goes_out_comes_in(network: Network) -> None:
    net, xs, y = built(network)
    state = dict(named(to_torch(net, [x.shape[1:] for x in xs])))
    other = network.build(np.random.default_rng(7))
    load_state_dict(other, {name: state[name] for name in sorted(state)})
    np.testing.assert_array_equal(other.forward(*xs, train=False)[0], y)


def test_the_tenth_layer_comes_after_the_ninth() -> None:
    rng = np.random.default_rng(0)
    net = L.Sequential(*(L.Dense(2, 2, rng=rng) for _ in range(12)))
    given = {f"{i}.weight": np.full((2, 2), i, np.float32) for i in range(12)}
    load_state_dict(net, {name: given[name] for name in sorted(given)})
    assert [layer.weight.data[0, 0] for layer in net.layers] == list(range(12))


def test_a_wrong_shape_changes_nothing() -> None:
    net = dcgan_generator(5, (16, 16, 3), width=4, rng=np.random.default_rng(0))
    before = net.flat.data.copy()
    with pytest.raises(DataError, match=r"main\.0\.weight is \(5, 12, 4, 4\).*\(5, 128\)"):
        load_state_dict(net, state_of(Generator(5, 6, 3)))
    np.testing.assert_array_equal(net.flat.data, before)


def test_another_number_of_layers() -> None:
    net = dcgan_generator(5, (16, 16, 3), width=4, rng=np.random.default_rng(0))
    with pytest.raises(DataError, match="4 modules with weights and the network 5 layers"):
        load_state_dict(net, state_of(Discriminator(4, 3)))


def test_missing_statistics() -> None:
    net = dcgan_generator(5, (16, 16, 3), width=4, rng=np.random.default_rng(0))
    state = state_of(Generator(5, 4, 3))
    del state["main.1.running_var"]
    with pytest.raises(DataError, match=r"main\.1\.running_var is missing"):
        load_state_dict(net, state)


def test_a_layer_that_cannot_be_filled() -> None:
    net = L.Sequential(L.LayerNorm(3))
    with pytest.raises(DataError, match=r"LayerNorm\(3\) at 0\. cannot be filled"):
        load_state_dict(net, {"0.weight": np.ones(3, np.float32)})
