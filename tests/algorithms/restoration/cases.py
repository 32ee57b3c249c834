"""Small restorations of every kind, here and in PyTorch, with the same weights."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F

from minigan.algorithms.catalogue import recipe
from minigan.algorithms.options import Streams, Task
from minigan.algorithms.restoration.content import Features
from minigan.algorithms.translation.base import Translating
from minigan.backend import make_rng
from minigan.data.augment import Augmentation
from minigan.data.degraded import DEGRADATIONS, degraded
from minigan.data.memory import InMemory
from minigan.metrics.shipped import SHIPPED, shipped_classifier
from minigan.models.patchgan import patch_layers
from tests.oracles import gan_twin
from tests.oracles import restoration_twin as twins
from tests.oracles.translation_twin import patch

Array = np.ndarray
SMALL = {
    "srgan": {"width": 2, "blocks": 1, "pretrain": 2, "weight_gan": 0.3},
    "context-encoder": {"width": 2, "weight_gan": 0.3},
    "deblurgan": {"width": 2, "blocks": 1, "patch": 16, "k": 2, "dropout": 0.0, "length": 5.0},
}


@dataclass(frozen=True)
class Case:
    """An algorithm with its options, on pictures of that shape."""

    algorithm: str
    options: dict[str, Any] = field(default_factory=dict)
    shape: tuple[int, int, int] = (20, 20, 3)

    def __str__(self) -> str:
        said = " ".join(f"{k}={v}" for k, v in self.options.items())
        return f"{self.algorithm} {self.shape} {said}"

    @property
    def chosen(self) -> Any:
        return recipe(self.algorithm).options.of(**SMALL[self.algorithm] | self.options)

    @property
    def degradation(self) -> Any:
        return DEGRADATIONS[self.chosen.degradation](**self.chosen.degraded_by)

    @property
    def channels(self) -> tuple[int, int]:
        return self.degradation.channels(self.shape[2]), self.shape[2]

    def examples(self, n: int, seed: int, dtype: Any = np.float64) -> Array:
        """Degraded pictures beside whole ones, unlike from example to example."""
        rng = make_rng(seed)
        pixels = rng.integers(0, 256, (n, *self.shape), np.uint8)
        pictures = InMemory("pictures", pixels)
        pairs = degraded(pictures, self.degradation, Augmentation())
        y = pictures.take(np.arange(n)).x.astype(dtype)
        return np.concatenate([pairs.degradation(y, rng).astype(dtype), y], -1)

    def ours(self, seed: int = 0, dtype: Any = np.float64) -> Translating:
        """As `build` makes it; in another dtype, with what depends on it made again."""
        task = Task(
            (*self.shape[:2], sum(self.channels)),
            "pairs",
            100,
            examples=lambda n: self.examples(n, 5, dtype),
            channels=self.channels,
        )
        made = recipe(self.algorithm).build(self.chosen, task, Streams(seed))
        for name, net in made.networks.items():
            net.astype(dtype)
            rate = made.optimizers[name].schedule(0)
            k = self.chosen.steps_per_iteration(name)
            made.optimizers[name] = self.chosen.build_optimizer(net.flat, task, lr=rate, k=k)
        content = getattr(made, "content", None)
        if isinstance(content, Features):
            content.classifier.astype(dtype)
        made.rng = make_rng(seed, 1)
        return made

    def theirs(self, ours: Translating) -> twins.Restoring:
        """With the weights of `ours`."""
        o = self.chosen
        nets = TWINS[self.algorithm](self)
        for name, net in nets.items():
            own = ours.networks[name]
            gan_twin.load(net, {k: p.data for k, p in own.params.items()} | own.buffers)
        optimizers = {
            name: torch.optim.Adam(
                net.parameters(), lr=ours.optimizers[name].schedule(0), betas=(o.beta1, 0.999)
            )
            for name, net in nets.items()
        }
        shared = (nets, optimizers, o.objective, self.channels)
        if self.algorithm == "srgan":
            content = content_of(o.content, o.content_layer or 3, before=o.content_before)
            weights = o.weight_content, o.weight_gan, o.pretrain_loss, o.weight_l1
            return twins.SRGAN(*shared, o.scale, o.pretrain, content, *weights)
        if self.algorithm == "deblurgan":
            content = content_of(o.content or CLASSIFIERS[self.shape[2]], o.content_layer or 1)
            draws = make_rng(0, 1)  # as `ours` has
            gp = 10.0 if o.penalty == "wgan-gp" else 0.0
            weights = o.weight_content, o.weight_gan, gp
            return twins.DeblurGAN(
                *shared, o.k, content, *weights, lambda shape: draws.uniform(0, 1, shape)
            )
        rim = o.overlap if o.overlap is not None else 1  # 7 of 128 pixels, of 20 or so
        weights = o.overlap_weight, o.weight_rec, o.weight_gan
        return twins.ContextEncoder(*shared, o.hole == "random", rim, *weights)


def enlarging(case: Case) -> dict[str, torch.nn.Module]:
    o, (h, w, c) = case.chosen, case.shape
    makes = {
        "srresnet": lambda: twins.srresnet(c, o.scale, o.width, o.blocks),
        "rrdb": lambda: twins.rrdbnet(c, o.scale, o.width, o.growth, o.blocks),
    }
    return {"G": makes[o.generator](), "D": twins.srgan_discriminator(h, w, c, o.width)}


def deblurring(case: Case) -> dict[str, torch.nn.Module]:
    o, c = case.chosen, case.shape[2]
    nets: dict[str, torch.nn.Module] = {
        "G": twins.deblurring_generator(c, o.width, o.blocks, o.norm_G, o.up)
    }
    if o.weight_gan:
        nets["D"] = patch(c, 0, o.width, patch_layers(o.patch), o.norm_D)
    return nets


def filling(case: Case) -> dict[str, torch.nn.Module]:
    o, (h, w, c) = case.chosen, case.shape
    whole = o.hole == "random"
    nets: dict[str, torch.nn.Module] = {
        "G": twins.context_encoder(h, w, c, o.width, whole),
    }
    if o.weight_gan:
        size = (h, w) if whole else (h // 2, w // 2)
        nets["D"] = twins.dcgan_discriminator(*size, c, o.width)
    return nets


TWINS = {"srgan": enlarging, "context-encoder": filling, "deblurgan": deblurring}
CLASSIFIERS = {3: "kittens", 1: "digits"}  # the classifier of pictures with so many channels


def content_of(name: str, layer: int = 3, *, before: bool = False) -> Any:
    """The distance of pictures in PyTorch; of features, by that convolution, without its ReLU."""
    if name == "mse":
        return F.mse_loss
    net = twins.classifier(SHIPPED[name].shape[2], SHIPPED[name].width)
    net = net[: 3 * layer - before]  # each with norm and ReLU
    own = shipped_classifier(name).net
    arrays = {k: p.data for k, p in own.params.items()} | own.buffers
    convolutions = {k: a for k, a in arrays.items() if int(k.split(".")[0]) < len(net)}
    gan_twin.load(net, {k: np.asarray(a, np.float64) for k, a in convolutions.items()})
    return lambda y, true: F.mse_loss(net(y), net(true))
