"""The table of algorithms that a name can choose."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from minigan.algorithms.adversarial import dcgan, energy, gogan, mlp, stylegan
from minigan.algorithms.autoencoding import aae, alpha_gan, autoencoder, bigan, vae
from minigan.algorithms.base import Algorithm
from minigan.algorithms.codes import clustergan, cogan, infogan, semi
from minigan.algorithms.conditional import age_cgan, biggan, cdcgan, cgan
from minigan.algorithms.options import OptimizerOptions, Streams, Task
from minigan.algorithms.restoration import context_encoder, deblurgan, srgan
from minigan.algorithms.sequence import midinet, next_frame, segan, seqgan
from minigan.algorithms.text import gan_cls, stackgan
from minigan.algorithms.translation import (
    bicyclegan,
    cyclegan,
    discogan,
    dualgan,
    munit,
    pairedcyclegan,
    pg2,
    pix2pix,
    pix2pixhd,
    pixelda,
    pixeldtgan,
    stargan,
    unit,
)
from minigan.errors import UnknownNameError

Takes = Literal[
    "examples",
    "labelled",
    "captions",
    "pairs",
    "domains",
    "labelled-domains",
    "references",
    "degraded",
    "bars",
    "sounds",
    "clips",
    "poses",
    "sentences",
]


@dataclass(frozen=True)
class Recipe:
    """An algorithm by name: its options, how it is built, and what it trains on unless told.

    explains: the topics of `minigan explain` that belong to it. takes: single examples, examples
    with their labels (its options then have `label`), pictures with captions, aligned pairs of
    pictures, pictures of two domains, the same with labels of the first, pictures and references
    whose style they shall take, pictures that it degrades itself to restore them, bars of melodies,
    sounds: speech in noise and the same speech without (its options then have `window`), frames of
    clips and the next (its options then have `frames`), persons in two poses, or sentences (its
    options then have `words` and `length`).
    batch: the paper's, where the command line takes it unless told.
    """

    summary: str
    paper: str
    options: type[OptimizerOptions]
    build: Callable[[Any, Task, Streams], Algorithm]
    data: str
    explains: tuple[str, ...]
    takes: Takes = "examples"
    batch: int | None = None

    @property
    def translates(self) -> bool:
        """Whether it makes pictures of pictures, from data that has two in each example."""
        pairs = ("pairs", "domains", "labelled-domains", "references", "degraded", "clips", "poses")
        return self.takes in pairs


ALGORITHMS: dict[str, Recipe] = {
    "gan": Recipe(
        summary="Algorithm 1 on perceptrons, for pictures and points",
        paper="Goodfellow et al. 2014, arXiv:1406.2661",
        options=mlp.MLPOptions,
        build=mlp.build,
        data="digits",
        explains=("gan", "loss"),
    ),
    "dcgan": Recipe(
        summary="Algorithm 1 on convolutional networks, for pictures",
        paper="Radford et al. 2016, arXiv:1511.06434",
        options=dcgan.DCGANOptions,
        build=dcgan.build,
        data="kittens",
        explains=("gan", "loss"),
    ),
    "ebgan": Recipe(
        summary="Algorithm 1 on energies: D is an auto-encoder, G's codes are pulled apart",
        paper="Zhao et al. 2017, arXiv:1609.03126",
        options=energy.EBGANOptions,
        build=energy.build_ebgan,
        data="digits",
        explains=("gan", "ebgan"),
    ),
    "began": Recipe(
        summary="Algorithm 1 on energies in equilibrium: k_t weighs D's two terms",
        paper="Berthelot et al. 2017, arXiv:1703.10717",
        options=energy.BEGANOptions,
        build=energy.build_began,
        data="digits",
        explains=("gan", "began"),
    ),
    "gogan": Recipe(
        summary="GANs one after another, each ranked above the one before; perceptrons",
        paper="Juefei-Xu et al. 2017, arXiv:1704.04865",
        options=gogan.PerceptronOptions,
        build=gogan.build_perceptrons,
        data="digits",
        explains=("gan", "gogan", "wgan"),
    ),
    "gogan-dcgan": Recipe(
        summary="GANs one after another, each ranked above the one before; convolutions",
        paper="Juefei-Xu et al. 2017, arXiv:1704.04865",
        options=gogan.ConvolutionOptions,
        build=gogan.build_convolutions,
        data="kittens",
        explains=("gan", "gogan", "wgan"),
    ),
    "stylegan": Recipe(
        summary="a generator of styles: modulated convolutions, mixing, R1 and path length",
        paper="Karras et al. 2020, arXiv:1912.04958; 2019, arXiv:1812.04948",
        options=stylegan.StyleGANOptions,
        build=stylegan.build,
        data="kittens",
        explains=(
            *("gan", "stylegan", "modulated", "equalized", "pixelnorm"),
            *("pathlength", "minibatch", "loss"),
        ),
    ),
    "biggan": Recipe(
        summary="residual networks with self-attention, skip-z and one embedding of the labels",
        paper="Brock et al. 2019, arXiv:1809.11096; Zhang et al. 2019, arXiv:1805.08318",
        options=biggan.BigGANOptions,
        build=biggan.build,
        data="digits",
        explains=(
            *("cgan", "projection", "condition", "attention", "spectral"),
            *("orthogonal", "gan", "hinge", "wgan"),
        ),
        takes="labelled",
    ),
    "autoencoder": Recipe(
        summary="examples through a code to themselves: three dense layers",
        paper="Hinton and Salakhutdinov 2006, Science 313",
        options=autoencoder.Options,
        build=autoencoder.build,
        data="digits",
        explains=("autoencoder", "reconstruction"),
    ),
    "vae": Recipe(
        summary="variational autoencoder: the evidence lower bound, reparameterised",
        paper="Kingma and Welling 2014, arXiv:1312.6114",
        options=vae.Options,
        build=vae.build,
        data="digits",
        explains=("vae", "posterior", "gaussian", "likelihood"),
    ),
    "aae": Recipe(
        summary="adversarial autoencoder: a discriminator shapes the codes",
        paper="Makhzani et al. 2016, arXiv:1511.05644",
        options=aae.Options,
        build=aae.build,
        data="digits",
        explains=("aae", "posterior", "reconstruction", "loss"),
    ),
    "alpha-gan": Recipe(
        summary="autoencoder and GAN in one: examples and codes are both judged",
        paper="Rosca et al. 2017, arXiv:1706.04987",
        options=alpha_gan.Options,
        build=alpha_gan.build,
        data="digits",
        explains=("alphagan", "ratio", "posterior", "reconstruction", "loss"),
    ),
    "bigan": Recipe(
        summary="bidirectional GAN (ALI): D judges pairs of an example and its code",
        paper="Donahue et al. 2017, arXiv:1605.09782; Dumoulin et al. 2017, arXiv:1606.00704",
        options=bigan.Options,
        build=bigan.build,
        data="digits",
        explains=("bigan", "posterior", "loss"),
    ),
    "semi-supervised": Recipe(
        summary="a classifier of few labels that learns from G and unlabelled examples too",
        paper="Salimans et al. 2016, arXiv:1606.03498; Odena 2016, arXiv:1606.01583",
        options=semi.Options,
        build=semi.build,
        data="digits",
        explains=("gan", "semi", "matching", "loss"),
        takes="labelled",
    ),
    "infogan": Recipe(
        summary="codes in z that tell what G makes, by a bound on their information",
        paper="Chen et al. 2016, arXiv:1606.03657",
        options=infogan.Options,
        build=infogan.build,
        data="digits",
        explains=("gan", "infogan", "loss"),
    ),
    "clustergan": Recipe(
        summary="z is a cluster and a place in it; an encoder sorts examples by it",
        paper="Mukherjee et al. 2019, arXiv:1809.03627",
        options=clustergan.Options,
        build=clustergan.build,
        data="digits",
        explains=("gan", "clustergan", "wgan", "penalty"),
    ),
    "cogan": Recipe(
        summary="pairs of two domains without pairs: two GANs that share layers",
        paper="Liu and Tuzel 2016, arXiv:1606.07536",
        options=cogan.Options,
        build=cogan.build,
        data="digits-negative",
        explains=("gan", "cogan", "loss"),
        takes="domains",
    ),
    "gan-cls": Recipe(
        summary="pictures of captions; D also sees real pictures beside wrong captions",
        paper="Reed et al. 2016, arXiv:1605.05396",
        options=gan_cls.Options,
        build=gan_cls.build,
        data="kittens",
        explains=("gancls", "cgan", "loss"),
        takes="captions",
    ),
    "stackgan": Recipe(
        summary="pictures of captions in stages: a small one first, then larger ones of it",
        paper="Zhang et al. 2017, arXiv:1612.03242",
        options=stackgan.Options,
        build=stackgan.build,
        data="kittens",
        explains=("stackgan", "cgan", "posterior", "gaussian", "loss"),
        takes="captions",
    ),
    "cgan": Recipe(
        summary="conditional GAN on perceptrons: samples are asked for by their labels",
        paper="Mirza and Osindero 2014, arXiv:1411.1784",
        options=cgan.CGANOptions,
        build=cgan.build,
        data="digits",
        explains=("cgan", "gan", "loss"),
        takes="labelled",
    ),
    "cdcgan": Recipe(
        summary="conditional GAN on convolutional networks: every way to see the condition",
        paper="Reed et al. 2016, arXiv:1605.05396; Miyato and Koyama 2018, arXiv:1802.05637",
        options=cdcgan.CDCGANOptions,
        build=cdcgan.build,
        data="digits",
        explains=("cgan", "acgan", "projection", "condition", "gan", "loss"),
        takes="labelled",
    ),
    "acgan": Recipe(
        summary="auxiliary classifier GAN: D names the class of what it sees; cdcgan's networks",
        paper="Odena et al. 2017, arXiv:1610.09585",
        options=cdcgan.ACGANOptions,
        build=cdcgan.build,
        data="digits",
        explains=("acgan", "cgan", "gan", "loss"),
        takes="labelled",
    ),
    "age-cgan": Recipe(
        summary="face ageing: a conditional GAN of ages, and the z of a face that keeps the person",
        paper="Antipov et al. 2017, arXiv:1702.01983; Perarnau et al. 2016, arXiv:1611.06355",
        options=age_cgan.Options,
        build=age_cgan.build,
        data="faces-ages",
        explains=("agecgan", "cgan", "gan", "loss"),
        takes="labelled",
    ),
    "pix2pix": Recipe(
        summary="pictures from pictures, learned from aligned pairs",
        paper="Isola et al. 2017, arXiv:1611.07004",
        options=pix2pix.Options,
        build=pix2pix.build,
        data="kittens-edges",
        explains=("pix2pix", "loss"),
        takes="pairs",
        batch=1,
    ),
    "pix2pixhd": Recipe(
        summary="large pictures from pictures: coarse to fine, D of several scales, their features",
        paper="Wang et al. 2018, arXiv:1711.11585",
        options=pix2pixhd.Options,
        build=pix2pixhd.build,
        data="kittens-edges",
        explains=("pix2pixhd", "lsgan"),
        takes="pairs",
        batch=1,
    ),
    "bicyclegan": Recipe(
        summary="many answers to one picture, learned from aligned pairs: each is of a code z",
        paper="Zhu et al. 2017, arXiv:1711.11586",
        options=bicyclegan.Options,
        build=bicyclegan.build,
        data="kittens-edges",
        explains=("bicyclegan", "posterior", "gaussian", "lsgan"),
        takes="pairs",
        batch=1,
    ),
    "pixeldtgan": Recipe(
        summary="pictures of another domain with another geometry; D also judges what belongs",
        paper="Yoo et al. 2016, arXiv:1603.07442",
        options=pixeldtgan.Options,
        build=pixeldtgan.build,
        data="kittens-worn",
        explains=("pixeldtgan", "loss"),
        takes="pairs",
        batch=128,
    ),
    "cyclegan": Recipe(
        summary="pictures between two domains, without pairs: what goes there comes back",
        paper="Zhu et al. 2017, arXiv:1703.10593",
        options=cyclegan.Options,
        build=cyclegan.build,
        data="kittens-recolour",
        explains=("cyclegan", "lsgan"),
        takes="domains",
        batch=1,
    ),
    "unit": Recipe(
        summary="pictures between two domains through codes of one common space",
        paper="Liu et al. 2017, arXiv:1703.00848",
        options=unit.Options,
        build=unit.build,
        data="kittens-recolour",
        explains=("unit", "gaussian", "loss"),
        takes="domains",
        batch=1,
    ),
    "munit": Recipe(
        summary="pictures between two domains, without pairs: one content, many styles",
        paper="Huang et al. 2018, arXiv:1804.04732",
        options=munit.Options,
        build=munit.build,
        data="kittens-edges",
        explains=("munit", "condition", "lsgan"),
        takes="domains",
        batch=1,
    ),
    "discogan": Recipe(
        summary="CycleGAN's loop with the original loss and encoder-decoders",
        paper="Kim et al. 2017, arXiv:1703.05192",
        options=discogan.Options,
        build=cyclegan.build,
        data="kittens-recolour",
        explains=("discogan", "cyclegan", "loss"),
        takes="domains",
        batch=200,
    ),
    "dualgan": Recipe(
        summary="CycleGAN's loop as a Wasserstein GAN with clipped critics",
        paper="Yi et al. 2017, arXiv:1704.02510",
        options=dualgan.Options,
        build=cyclegan.build,
        data="kittens-recolour",
        explains=("dualgan", "cyclegan", "wgan"),
        takes="domains",
        batch=1,
    ),
    "stargan": Recipe(
        summary="one generator between all classes of a label: the picture and where it shall go",
        paper="Choi et al. 2018, arXiv:1711.09020",
        options=stargan.Options,
        build=stargan.build,
        data="kittens",
        explains=("stargan", "cyclegan", "wgan", "penalty"),
        takes="labelled",
        batch=16,
    ),
    "pixelda": Recipe(
        summary="a classifier for a domain without labels, from pictures made to look like it",
        paper="Bousmalis et al. 2017, arXiv:1612.05424",
        options=pixelda.Options,
        build=pixelda.build,
        data="digits-m",
        explains=("pixelda", "loss"),
        takes="labelled-domains",
        batch=32,
    ),
    "pairedcyclegan": Recipe(
        summary="the style of a reference onto a picture, and off: makeup on another's face",
        paper="Chang et al. 2018, CVPR",
        options=pairedcyclegan.Options,
        build=pairedcyclegan.build,
        data="faces-makeup",
        explains=("pairedcyclegan", "loss"),
        takes="references",
        batch=1,
    ),
    "pg2": Recipe(
        summary="a person in another pose: roughly first, then refined against D",
        paper="Ma et al. 2017, arXiv:1705.09368",
        options=pg2.Options,
        build=pg2.build,
        data="figures",
        explains=("pg2", "loss"),
        takes="poses",
        batch=16,
    ),
    "srgan": Recipe(
        summary="super-resolution: pictures 2 or 4 times larger, with detail that D believes",
        paper="Ledig et al. 2017, arXiv:1609.04802",
        options=srgan.Options,
        build=srgan.build,
        data="kittens",
        explains=("srgan", "esrgan", "loss"),
        takes="degraded",
        batch=16,
    ),
    "deblurgan": Recipe(
        summary="deblurring: pictures of a camera that moved, sharp again by content and a critic",
        paper="Kupyn et al. 2018, arXiv:1711.07064",
        options=deblurgan.Options,
        build=deblurgan.build,
        data="kittens",
        explains=("deblurgan", "wgan", "penalty"),
        takes="degraded",
        batch=1,
    ),
    "context-encoder": Recipe(
        summary="inpainting: what a hole in a picture held, from what is around it",
        paper="Pathak et al. 2016, arXiv:1604.07379",
        options=context_encoder.Options,
        build=context_encoder.build,
        data="kittens",
        explains=("context", "channelwise", "loss"),
        takes="degraded",
    ),
    "midinet": Recipe(
        summary="melodies bar by bar: the bar before through a conditioner, and a chord",
        paper="Yang et al. 2017, arXiv:1703.10847",
        options=midinet.Options,
        build=midinet.build,
        data="tunes",
        explains=("midinet", "gan", "matching", "loss"),
        takes="bars",
        batch=72,
    ),
    "segan": Recipe(
        summary="speech without the noise over it: D judges the pair of noisy and clean",
        paper="Pascual et al. 2017, arXiv:1703.09452",
        options=segan.Options,
        build=segan.build,
        data="voices",
        explains=("segan", "lsgan", "reference"),
        takes="sounds",
        batch=400,
    ),
    "seqgan": Recipe(
        summary="sentences word by word: G is a policy, D's judgement of roll-outs its reward",
        paper="Yu et al. 2017, arXiv:1609.05473",
        options=seqgan.Options,
        build=seqgan.build,
        data="oracle",
        explains=("seqgan", "loss"),
        takes="sentences",
        batch=64,
    ),
    "next-frame": Recipe(
        summary="the next frame of a clip from the last ones, at several sizes, without a ghost",
        paper="Mathieu et al. 2016, arXiv:1511.05440",
        options=next_frame.Options,
        build=next_frame.build,
        data="moving-digits",
        explains=("nextframe", "gdl", "loss"),
        takes="clips",
        batch=8,
    ),
}


def recipe(name: str) -> Recipe:
    """The recipe of that name. Raises UnknownNameError."""
    if name not in ALGORITHMS:
        raise UnknownNameError("algorithm", name, ALGORITHMS)
    return ALGORITHMS[name]
