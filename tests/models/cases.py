"""Every network of minigan.models, small: the one table that the tests of networks run over."""

from __future__ import annotations

import inspect
import typing
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from minigan import models
from minigan.layers import Layer
from minigan.models.remedies import Remedies

Shape = tuple[int, ...]
Rng = np.random.Generator


@dataclass(frozen=True)
class Network:
    """How a network is built, and the shapes of four examples that go in and come out.

    `also` is the shape of a second input. words: how many tokens there are, of a network that takes
    these.
    """

    function: str
    build: Callable[[Rng], Layer]
    takes: Shape
    gives: Shape
    label: str = ""
    also: Shape | None = None
    words: int | None = None

    @property
    def inputs(self) -> tuple[Shape, ...]:
        return (self.takes,) if self.also is None else (self.takes, self.also)

    def drawn(self, rng: Rng, dtype: typing.Any) -> tuple[np.ndarray, ...]:
        """Inputs of these shapes: numbers of `dtype`, or tokens."""
        if self.words is not None:
            return tuple(rng.integers(self.words, size=shape) for shape in self.inputs)
        return tuple(rng.standard_normal(shape).astype(dtype) for shape in self.inputs)

    def __str__(self) -> str:
        return f"{self.function} {self.label}".strip()


def _drawn(*shape: int) -> np.ndarray:
    """A reference batch."""
    return np.random.default_rng(9).standard_normal(shape).astype(np.float32)


NETWORKS = [
    *(
        Network(
            "conditional_dcgan_generator",
            lambda r, sees=sees: models.conditional_dcgan_generator(
                3, 5, (16, 8, 3), width=3, sees=sees, rng=r
            ),
            (4, 3),
            (4, 16, 8, 3),
            sees,
            (4, 5),
        )
        for sees in models.conditional.GENERATORS
    ),
    *(
        Network(
            "conditional_dcgan_discriminator",
            lambda r, sees=sees, embed=embed: models.conditional_dcgan_discriminator(
                (16, 8, 3), 5, width=3, sees=sees, spectral_norm=bool(embed), embed=embed, rng=r
            ),
            (4, 16, 8, 3),
            (4, {"two-scores": 2, "auxiliary": 6}.get(sees, 1)),
            f"{sees}, embedded" if embed else sees,
            (4, 5),
        )
        for sees, embed in (
            *((name, None) for name in models.conditional.DISCRIMINATORS),
            ("late", 2),
        )
    ),
    Network(
        "conditional_mlp_generator",
        lambda r: models.conditional_mlp_generator(3, 5, (4, 3, 1), units=(4, 5), hidden=6, rng=r),
        (4, 3),
        (4, 4, 3, 1),
        also=(4, 5),
    ),
    Network(
        "conditional_mlp_discriminator",
        lambda r: models.conditional_mlp_discriminator(
            (4, 3, 1), 5, units=(4, 3), hidden=5, dropout=0.3, rng=r
        ),
        (4, 4, 3, 1),
        (4, 1),
        also=(4, 5),
    ),
    Network(
        "conditional_mlp_discriminator",
        lambda r: models.conditional_mlp_discriminator((2,), 5, units=(4, 3), hidden=5, rng=r),
        (4, 2),
        (4, 1),
        "on points",
        (4, 5),
    ),
    *(
        Network(
            "midinet_generator",
            lambda r, chords=chords: models.midinet_generator(
                3, (8, 5, 1), chords=chords, width=4, conditioner=2, hidden=5, rng=r
            ),
            (4, 8, 5, 1),
            (4, 8, 5, 1),
            chords,
            (4, 16),
        )
        for chords in models.midinet.CHORDS
    ),
    *(
        Network(
            "midinet_discriminator",
            lambda r, chords=chords: models.midinet_discriminator(
                (8, 5, 1), chords=chords, width=3, hidden=5, rng=r
            ),
            (4, 8, 5, 1),
            (4, 1),
            chords,
            (4, 13),
        )
        for chords in models.midinet.CHORDS
    ),
    Network("text_code", lambda r: models.text_code(5, 3, rng=r), (4, 5), (4, 3)),
    Network(
        "text_generator",
        lambda r: models.text_generator(2, 5, (16, 8, 3), width=3, rng=r),
        (4, 2),
        (4, 16, 8, 3),
        also=(4, 5),
    ),
    Network(
        "text_generator",
        lambda r: models.text_generator(6, 5, (8, 8, 1), code_dim=2, width=3, norm="none", rng=r),
        (4, 6),
        (4, 8, 8, 1),
        "with a code, without norm",
        (4, 5),
    ),
    Network(
        "text_discriminator",
        lambda r: models.text_discriminator(5, (16, 8, 3), width=3, code_dim=2, rng=r),
        (4, 5),
        (4, 1),
        also=(4, 16, 8, 3),
    ),
    Network(
        "text_discriminator",
        lambda r: models.text_discriminator(5, (8, 8, 1), width=3, norm="none", rng=r),
        (4, 5),
        (4, 1),
        "without norm",
        (4, 8, 8, 1),
    ),
    Network(
        "text_discriminator",
        lambda r: models.text_discriminator(5, (16, 8, 3), width=3, sees="projection", rng=r),
        (4, 5),
        (4, 1),
        "a projection",
        (4, 16, 8, 3),
    ),
    Network(
        "conditioning_augmentation",
        lambda r: models.conditioning_augmentation(5, 3, rng=r),
        (4, 5),
        (4, 6),
    ),
    Network(
        "refining_generator",
        lambda r: models.refining_generator(2, (6, 4, 3), width=2, blocks=1, rng=r),
        (4, 2),
        (4, 12, 8, 3),
        also=(4, 6, 4, 3),
    ),
    Network(
        "refining_generator",
        lambda r: models.refining_generator(
            2, (4, 4, 1), width=2, blocks=0, norm="none", up="transposed", rng=r
        ),
        (4, 2),
        (4, 8, 8, 1),
        "without blocks and norm",
        (4, 4, 4, 1),
    ),
    Network(
        "mlp_generator",
        lambda r: models.mlp_generator(5, (4, 3, 1), hidden=(8, 7), rng=r),
        (4, 5),
        (4, 4, 3, 1),
        "of pictures",
    ),
    Network(
        "mlp_generator",
        lambda r: models.mlp_generator(5, (2,), hidden=(8,), bounded=False, rng=r),
        (4, 5),
        (4, 2),
        "of points",
    ),
    Network(
        "mlp_discriminator",
        lambda r: models.mlp_discriminator((4, 3, 1), hidden=(6, 5), num_pieces=3, rng=r),
        (4, 4, 3, 1),
        (4, 1),
        "of pictures",
    ),
    Network(
        "mlp_discriminator",
        lambda r: models.mlp_discriminator((2,), hidden=(8, 5), dropout=0.4, rng=r),
        (4, 2),
        (4, 1),
        "of points, with dropout",
    ),
    Network(
        "began_encoder",
        lambda r: models.began_encoder((16, 8, 1), 3, width=2, rng=r),
        (4, 16, 8, 1),
        (4, 3),
    ),
    Network(
        "began_decoder",
        lambda r: models.began_decoder(3, (16, 8, 1), width=2, rng=r),
        (4, 3),
        (4, 16, 8, 1),
    ),
    Network(
        "mlp_generator",
        lambda r: models.mlp_generator(
            5, (2,), hidden=(8, 7), bounded=False, norm="virtual", reference=_drawn(6, 5), rng=r
        ),
        (4, 5),
        (4, 2),
        "of points, with virtual batch norm",
    ),
    Network(
        "mlp_discriminator",
        lambda r: models.mlp_discriminator(
            (2,), hidden=(8, 5), norm="layer", remedies=Remedies(spectral_norm=True), rng=r
        ),
        (4, 2),
        (4, 1),
        "of points, with spectral and layer norm",
    ),
    Network(
        "dcgan_discriminator",
        lambda r: models.dcgan_discriminator(
            (16, 24, 3),
            width=4,
            norm="reference",
            reference=_drawn(5, 16, 24, 3),
            remedies=Remedies(spectral_norm=True),
            rng=r,
        ),
        (4, 16, 24, 3),
        (4, 1),
        "with spectral and reference batch norm",
    ),
    Network(
        "dcgan_generator",
        lambda r: models.dcgan_generator(6, (16, 24, 3), width=4, rng=r),
        (4, 6),
        (4, 16, 24, 3),
    ),
    Network(
        "dcgan_discriminator",
        lambda r: models.dcgan_discriminator((16, 24, 3), width=4, rng=r),
        (4, 16, 24, 3),
        (4, 1),
    ),
    Network(
        "mlp_encoder",
        lambda r: models.mlp_encoder((4, 3, 1), 6, hidden=(8, 7), rng=r),
        (4, 4, 3, 1),
        (4, 6),
        "of pictures",
    ),
    Network(
        "mlp_encoder",
        lambda r: models.mlp_encoder((2,), 1, hidden=(), rng=r),
        (4, 2),
        (4, 1),
        "of points, linear",
    ),
    Network(
        "mlp_encoder",
        lambda r: models.mlp_encoder((4, 3, 1), 6, hidden=(8, 7), batch_norm=True, rng=r),
        (4, 4, 3, 1),
        (4, 6),
        "with batch norm",
    ),
    Network(
        "sentence_generator",
        lambda r: models.sentence_generator(6, embedding=3, hidden=4, rng=r),
        (4, 5),
        (4, 5, 6),
        words=6,
    ),
    Network(
        "sentence_discriminator",
        lambda r: models.sentence_discriminator(
            6, 5, embedding=3, windows=(1, 2, 4, 9), filters=(2, 1, 3, 9), rng=r
        ),
        (4, 5),
        (4, 1),
        words=6,
    ),
    Network(
        "mlp_decoder",
        lambda r: models.mlp_decoder(5, (4, 3, 1), hidden=(8, 7), batch_norm=True, rng=r),
        (4, 5),
        (4, 4, 3, 1),
        "of pictures, with batch norm",
    ),
    Network(
        "mlp_decoder",
        lambda r: models.mlp_decoder(5, (2,), hidden=(), bounded=False, rng=r),
        (4, 5),
        (4, 2),
        "of points, linear",
    ),
    Network(
        "mlp_joint_discriminator",
        lambda r: models.mlp_joint_discriminator(
            (4, 3, 1), 5, hidden=(8, 7), batch_norm=True, rng=r
        ),
        (4, 4, 3, 1),
        (4, 1),
        "with batch norm",
        (4, 5),
    ),
    Network(
        "dense_discriminator",
        lambda r: models.dense_discriminator((5,), hidden=(8, 7), rng=r),
        (4, 5),
        (4, 1),
        "of codes",
    ),
    Network(
        "dense_discriminator",
        lambda r: models.dense_discriminator((4, 3, 1), hidden=(8,), rng=r),
        (4, 4, 3, 1),
        (4, 1),
        "of pictures",
    ),
    Network(
        "mlp_joint_discriminator",
        lambda r: models.mlp_joint_discriminator((4, 3, 1), 5, hidden=(8, 7), rng=r),
        (4, 4, 3, 1),
        (4, 1),
        "of pictures",
        (4, 5),
    ),
    Network(
        "mlp_joint_discriminator",
        lambda r: models.mlp_joint_discriminator((2,), 1, hidden=(8,), rng=r),
        (4, 2),
        (4, 1),
        "of points",
        (4, 1),
    ),
    Network(
        "conv_encoder",
        lambda r: models.conv_encoder((16, 24, 3), 6, width=4, rng=r),
        (4, 16, 24, 3),
        (4, 6),
    ),
    Network(
        "conv_decoder",
        lambda r: models.conv_decoder(6, (16, 24, 3), width=4, rng=r),
        (4, 6),
        (4, 16, 24, 3),
        "of pictures",
    ),
    Network(
        "conv_decoder",
        lambda r: models.conv_decoder(6, (8, 8, 1), width=4, bounded=False, rng=r),
        (4, 6),
        (4, 8, 8, 1),
        "of logits",
    ),
    Network(
        "conv_joint_discriminator",
        lambda r: models.conv_joint_discriminator((16, 24, 3), 5, width=4, units=6, rng=r),
        (4, 16, 24, 3),
        (4, 1),
        "",
        (4, 5),
    ),
    Network(
        "classifying_discriminator",
        lambda r: models.classifying_discriminator(
            models.dcgan_discriminator((16, 24, 3), width=4, rng=r), 3, rng=r
        ),
        (4, 16, 24, 3),
        (4, 1),
    ),
    Network(
        "recognising_discriminator",
        lambda r: models.recognising_discriminator(
            models.dense_discriminator((4, 3, 1), hidden=(8, 7), rng=r), 5, units=6, rng=r
        ).layers[0],
        (4, 4, 3, 1),
        (4, 6),
        "both heads",
    ),
    Network(
        "coupled_generator",
        lambda r: models.coupled_generator(
            models.dcgan_generator(5, (16, 8, 1), width=3, rng=r),
            models.dcgan_generator(5, (16, 8, 3), width=3, rng=r),
            own=1,
        ),
        (4, 5),
        (4, 16, 8, 4),
    ),
    Network(
        "coupled_discriminator",
        lambda r: models.coupled_discriminator(
            models.dcgan_discriminator((16, 8, 1), width=3, rng=r),
            models.dcgan_discriminator((16, 8, 3), width=3, rng=r),
            (1, 3),
            own=1,
        ),
        (4, 16, 8, 4),
        (4, 2),
    ),
    Network(
        "segan_generator",
        lambda r: models.segan_generator(16, width=2, halvings=3, rng=r),
        (4, 16, 1),
        (4, 16, 1),
        also=(4, 8),
    ),
    Network(
        "segan_discriminator",
        lambda r: models.segan_discriminator(
            16, width=2, halvings=2, reference=_drawn(3, 16, 2), rng=r
        ),
        (4, 16, 1),
        (4, 1),
        also=(4, 16, 1),
    ),
    Network(
        "segan_discriminator",
        lambda r: models.segan_discriminator(8, width=1, halvings=1, norm="none", rng=r),
        (4, 8, 1),
        (4, 1),
        "norm none",
        (4, 8, 1),
    ),
    Network(
        "unet_generator",
        lambda r: models.unet_generator((8, 16, 1), 3, width=3, rng=r),
        (4, 8, 16, 1),
        (4, 8, 16, 3),
        "grey to colour",
    ),
    Network(
        "unet_generator",
        lambda r: models.unet_generator(
            (8, 8, 3), 1, width=2, halvings=2, norm="instance", skips=False, up="resize", rng=r
        ),
        (4, 8, 8, 3),
        (4, 8, 8, 1),
        "without skips, resized",
    ),
    Network(
        "unet_generator_of_z",
        lambda r: models.unet_generator_of_z((8, 16, 1), 3, 2, width=3, rng=r),
        (4, 8, 16, 1),
        (4, 8, 16, 3),
        also=(4, 2),
    ),
    Network(
        "unet_generator_of_z",
        lambda r: models.unet_generator_of_z(
            (8, 8, 3), 1, 3, width=2, halvings=2, norm="instance", skips=False, up="resize", rng=r
        ),
        (4, 8, 8, 3),
        (4, 8, 8, 1),
        "without skips, resized",
        (4, 3),
    ),
    Network(
        "residual_encoder",
        lambda r: models.residual_encoder((24, 36, 3), 4, width=2, rng=r),
        (4, 24, 36, 3),
        (4, 4),
    ),
    Network(
        "strided_encoder",
        lambda r: models.strided_encoder((24, 36, 3), 4, width=2, norm="batch", rng=r),
        (4, 24, 36, 3),
        (4, 4),
        "with batch norm",
    ),
    Network(
        "dilated_generator",
        lambda r: models.dilated_generator((8, 12, 6), 3, width=2, rng=r),
        (4, 8, 12, 6),
        (4, 8, 12, 3),
        "two pictures to one",
    ),
    Network(
        "dilated_generator",
        lambda r: models.dilated_generator(
            (7, 5, 1), 3, width=2, blocks=2, halvings=0, norm="batch", dropout=0.4, rng=r
        ),
        (4, 7, 5, 1),
        (4, 7, 5, 3),
        "with dropout, not halved",
    ),
    Network(
        "resnet_generator",
        lambda r: models.resnet_generator((8, 12, 3), 1, width=2, blocks=2, rng=r),
        (4, 8, 12, 3),
        (4, 8, 12, 1),
        "colour to grey",
    ),
    Network(
        "resnet_generator",
        lambda r: models.resnet_generator(
            (8, 8, 1), 3, width=2, blocks=1, norm="batch", dropout=0.4, up="resize", rng=r
        ),
        (4, 8, 8, 1),
        (4, 8, 8, 3),
        "with dropout, resized",
    ),
    Network(
        "stargan_generator",
        lambda r: models.stargan_generator((8, 12, 3), 5, width=2, blocks=2, rng=r),
        (4, 8, 12, 3),
        (4, 8, 12, 3),
        also=(4, 5),
    ),
    Network(
        "stargan_generator",
        lambda r: models.stargan_generator((8, 8, 1), 3, width=2, blocks=1, up="resize", rng=r),
        (4, 8, 8, 1),
        (4, 8, 8, 1),
        "grey, resized",
        (4, 3),
    ),
    Network(
        "stargan_discriminator",
        lambda r: models.stargan_discriminator((16, 8, 3), 5, width=2, rng=r),
        (4, 16, 8, 3),
        (4, 13),
        "4x2 patches",
    ),
    Network(
        "stargan_discriminator",
        lambda r: models.stargan_discriminator((9, 11, 1), 2, width=2, halvings=3, rng=r),
        (4, 9, 11, 1),
        (4, 3),
        "one patch",
    ),
    Network(
        "local_enhancer",
        lambda r: models.local_enhancer((8, 12, 1), 3, width=4, blocks=1, rng=r),
        (4, 8, 12, 1),
        (4, 8, 12, 3),
        also=(4, 4, 6, 4),
    ),
    Network(
        "pose_integrator",
        lambda r: models.pose_integrator((8, 12, 5), 3, width=2, blocks=3, bottleneck=4, rng=r),
        (4, 8, 12, 5),
        (4, 8, 12, 3),
    ),
    Network(
        "pose_integrator",
        lambda r: models.pose_integrator((8, 4, 2), 1, width=3, bottleneck=2, rng=r),
        (4, 8, 4, 2),
        (4, 8, 4, 1),
        "of one block",
    ),
    Network(
        "refiner",
        lambda r: models.refiner((16, 32, 2), 1, width=2, blocks=5, rng=r),
        (4, 16, 32, 2),
        (4, 16, 32, 1),
        "of three blocks",
    ),
    Network(
        "refiner",
        lambda r: models.refiner((8, 5, 6), 3, width=2, blocks=1, rng=r),
        (4, 8, 5, 6),
        (4, 8, 5, 3),
        "of one block",
    ),
    Network(
        "pg2_generator",
        lambda r: models.pg2_generator(
            models.pose_integrator((8, 12, 5), 3, width=2, blocks=2, bottleneck=4, rng=r),
            models.refiner((8, 12, 6), 3, width=2, blocks=2, rng=r),
            3,
        ),
        (4, 8, 12, 5),
        (4, 8, 12, 3),
        "of both",
    ),
    Network(
        "pg2_generator",
        lambda r: models.pg2_generator(
            models.pose_integrator((8, 8, 4), 1, width=2, blocks=2, bottleneck=4, rng=r), None, 1
        ),
        (4, 8, 8, 4),
        (4, 8, 8, 1),
        "of the first stage",
    ),
    Network(
        "frame_pyramid",
        lambda r: models.frame_pyramid((8, 12, 6), 3, width=2, rng=r),
        (4, 8, 12, 6),
        (4, 8, 12, 3),
        "of two scales",
    ),
    Network(
        "frame_pyramid",
        lambda r: models.frame_pyramid((5, 4, 1), 1, width=2, rng=r),
        (4, 5, 4, 1),
        (4, 5, 4, 1),
        "of one scale",
    ),
    Network(
        "frame_discriminator",
        lambda r: models.frame_discriminator((9, 8, 2), beside=4, k=1, width=2, rng=r),
        (4, 9, 8, 4),
        (4, 1),
        "of the second scale",
        (4, 9, 8, 2),
    ),
    Network(
        "frame_discriminator",
        lambda r: models.frame_discriminator((22, 23, 1), beside=1, k=3, width=2, rng=r),
        (4, 22, 23, 1),
        (4, 1),
        "with a maximum",
        (4, 22, 23, 1),
    ),
    Network(
        "unit_encoder",
        lambda r: models.unit_encoder((8, 12, 3), width=2, blocks=1, rng=r),
        (4, 8, 12, 3),
        (4, 2, 3, 8),
    ),
    Network(
        "unit_decoder",
        lambda r: models.unit_decoder(
            (8, 12, 1), width=2, blocks=1, halvings=1, norm="batch", rng=r
        ),
        (4, 4, 6, 4),
        (4, 8, 12, 1),
        "halved once",
    ),
    Network(
        "munit_content_encoder",
        lambda r: models.munit_content_encoder((8, 12, 3), width=2, blocks=1, rng=r),
        (4, 8, 12, 3),
        (4, 2, 3, 8),
    ),
    Network(
        "munit_style_encoder",
        lambda r: models.munit_style_encoder((16, 24, 1), 3, width=2, rng=r),
        (4, 16, 24, 1),
        (4, 3),
    ),
    Network(
        "munit_decoder",
        lambda r: models.munit_decoder((8, 12, 3), 3, width=2, blocks=2, mlp_width=5, rng=r),
        (4, 2, 3, 8),
        (4, 8, 12, 3),
        also=(4, 3),
    ),
    Network(
        "munit_decoder",
        lambda r: models.munit_decoder(
            (8, 8, 1), 2, width=2, halvings=1, blocks=1, mlp_width=4, up="transposed", rng=r
        ),
        (4, 4, 4, 4),
        (4, 8, 8, 1),
        "halved once, transposed",
        (4, 2),
    ),
    Network(
        "biggan_generator",
        lambda r: models.biggan_generator(6, 3, (8, 12, 3), width=4, embed_dim=3, rng=r),
        (4, 6),
        (4, 8, 12, 3),
        "with attention",
        (4, 3),
    ),
    Network(
        "biggan_discriminator",
        lambda r: models.biggan_discriminator((16, 16, 1), 3, width=2, attention=4, rng=r),
        (4, 16, 16, 1),
        (4, 1),
        "with attention",
        (4, 3),
    ),
    Network(
        "stylegan_generator",
        lambda r: models.stylegan_generator(
            5, (8, 12, 3), width=2, w_dim=4, mapping_layers=2, rng=r
        ),
        (4, 5),
        (4, 8, 12, 3),
        "with noise",
        (4, 216),
    ),
    Network(
        "stylegan_discriminator",
        lambda r: models.stylegan_discriminator((8, 12, 3), width=3, group_size=None, rng=r),
        (4, 8, 12, 3),
        (4, 1),
    ),
    Network(
        "context_encoder",
        lambda r: models.context_encoder((16, 24, 3), (16, 24, 3), width=2, norm="instance", rng=r),
        (4, 16, 24, 3),
        (4, 16, 24, 3),
        "of whole pictures",
    ),
    Network(
        "context_encoder",
        lambda r: models.context_encoder((28, 28, 1), (14, 14, 1), width=2, rng=r),
        (4, 28, 28, 1),
        (4, 14, 14, 1),
        "of the centre",
    ),
    Network(
        "converter",
        lambda r: models.converter((16, 24, 3), 1, code_dim=5, width=2, rng=r),
        (4, 16, 24, 3),
        (4, 16, 24, 1),
    ),
    Network(
        "dcgan_pair_discriminator",
        lambda r: models.dcgan_pair_discriminator((16, 24, 3), 1, width=2, rng=r),
        (4, 16, 24, 1),
        (4, 1),
        "",
        (4, 16, 24, 3),
    ),
    Network(
        "deblurring_generator",
        lambda r: models.deblurring_generator((8, 12, 3), width=2, blocks=2, rng=r),
        (4, 8, 12, 3),
        (4, 8, 12, 3),
    ),
    Network(
        "srresnet",
        lambda r: models.srresnet(3, width=2, blocks=2, rng=r),
        (4, 3, 5, 3),
        (4, 12, 20, 3),
    ),
    Network(
        "srresnet",
        lambda r: models.srresnet(1, scale=2, width=3, blocks=1, rng=r),
        (4, 4, 3, 1),
        (4, 8, 6, 1),
        "twice",
    ),
    Network(
        "pixelda_generator",
        lambda r: models.pixelda_generator((6, 5, 3), 3, 4, width=3, blocks=2, rng=r),
        (4, 6, 5, 3),
        (4, 6, 5, 3),
        also=(4, 4),
    ),
    Network(
        "pixelda_discriminator",
        lambda r: models.pixelda_discriminator((14, 9, 3), width=2, dropout=0.0, noise=0.0, rng=r),
        (4, 14, 9, 3),
        (4, 1),
        "undisturbed",
    ),
    Network(
        "pixelda_discriminator",
        lambda r: models.pixelda_discriminator((4, 3, 1), width=2, rng=r),
        (4, 4, 3, 1),
        (4, 1),
        "never halved",
    ),
    Network(
        "task_classifier",
        lambda r: models.task_classifier((9, 6, 1), 3, rng=r),
        (4, 9, 6, 1),
        (4, 3),
    ),
    Network(
        "rrdbnet",
        lambda r: models.rrdbnet(3, width=3, growth=2, blocks=2, rng=r),
        (4, 3, 5, 3),
        (4, 12, 20, 3),
    ),
    Network(
        "rrdbnet",
        lambda r: models.rrdbnet(1, scale=2, width=2, growth=1, blocks=1, rng=r),
        (4, 4, 3, 1),
        (4, 8, 6, 1),
        "twice",
    ),
    Network(
        "srgan_discriminator",
        lambda r: models.srgan_discriminator((18, 9, 3), width=2, rng=r),
        (4, 18, 9, 3),
        (4, 1),
    ),
    Network(
        "patch_discriminator",
        lambda r: models.patch_discriminator((9, 11, 2), beside=1, patch=16, width=3, rng=r),
        (4, 9, 11, 1),
        (4, 2, 3, 1),
        "of pairs",
        (4, 9, 11, 2),
    ),
    Network(
        "patch_discriminator",
        lambda r: models.patch_discriminator((5, 3, 3), patch=1, width=3, norm="instance", rng=r),
        (4, 5, 3, 3),
        (4, 5, 3, 1),
        "of pixels",
    ),
]


def makes_a_network(thing: object) -> bool:
    """Whether it is a function whose result is annotated as a layer."""
    if not inspect.isfunction(thing):
        return False
    made = typing.get_type_hints(thing).get("return")
    return isinstance(made, type) and issubclass(made, Layer)


def exported_networks() -> set[str]:
    """The names of the network functions that minigan.models exports."""
    return {name for name in models.__all__ if makes_a_network(getattr(models, name))}
