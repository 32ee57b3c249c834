"""Networks by family, built from layers."""

from minigan.models.autoencoder import (
    conv_decoder,
    conv_encoder,
    conv_joint_discriminator,
    dense_discriminator,
    mlp_decoder,
    mlp_encoder,
    mlp_joint_discriminator,
)
from minigan.models.began import began_decoder, began_encoder
from minigan.models.biggan import biggan_discriminator, biggan_generator
from minigan.models.conditional import (
    conditional_dcgan_discriminator,
    conditional_dcgan_generator,
    conditional_mlp_discriminator,
    conditional_mlp_generator,
)
from minigan.models.context_encoder import context_encoder
from minigan.models.converter import converter
from minigan.models.dcgan import (
    dcgan_discriminator,
    dcgan_generator,
    dcgan_pair_discriminator,
)
from minigan.models.deblurgan import deblurring_generator
from minigan.models.dilated import dilated_generator
from minigan.models.encoders import residual_encoder, strided_encoder
from minigan.models.features import LinearSVM, discriminator_features, linear_svm
from minigan.models.frames import frame_discriminator, frame_pyramid
from minigan.models.heads import (
    classifying_discriminator,
    coupled_discriminator,
    coupled_generator,
    recognising_discriminator,
)
from minigan.models.midinet import midinet_discriminator, midinet_generator
from minigan.models.mlp import mlp_discriminator, mlp_generator
from minigan.models.munit import munit_content_encoder, munit_decoder, munit_style_encoder
from minigan.models.patchgan import patch_discriminator, receptive_field
from minigan.models.pg2 import pg2_generator, pose_integrator, refiner
from minigan.models.pix2pixhd import local_enhancer
from minigan.models.pixelda import pixelda_discriminator, pixelda_generator, task_classifier
from minigan.models.resnet import resnet_generator
from minigan.models.rrdb import rrdbnet
from minigan.models.segan import segan_discriminator, segan_generator
from minigan.models.seqgan import sentence_discriminator, sentence_generator
from minigan.models.srgan import srgan_discriminator, srresnet
from minigan.models.stackgan import conditioning_augmentation, refining_generator
from minigan.models.stargan import stargan_discriminator, stargan_generator
from minigan.models.stylegan import stylegan_discriminator, stylegan_generator
from minigan.models.text_to_image import (
    TEXT_DISCRIMINATORS,
    TextDiscriminator,
    text_code,
    text_discriminator,
    text_generator,
)
from minigan.models.unet import unet_generator, unet_generator_of_z
from minigan.models.unit import unit_decoder, unit_encoder

__all__ = [
    "TEXT_DISCRIMINATORS",
    "LinearSVM",
    "TextDiscriminator",
    "began_decoder",
    "began_encoder",
    "biggan_discriminator",
    "biggan_generator",
    "classifying_discriminator",
    "conditional_dcgan_discriminator",
    "conditional_dcgan_generator",
    "conditional_mlp_discriminator",
    "conditional_mlp_generator",
    "conditioning_augmentation",
    "context_encoder",
    "conv_decoder",
    "conv_encoder",
    "conv_joint_discriminator",
    "converter",
    "coupled_discriminator",
    "coupled_generator",
    "dcgan_discriminator",
    "dcgan_generator",
    "dcgan_pair_discriminator",
    "deblurring_generator",
    "dense_discriminator",
    "dilated_generator",
    "discriminator_features",
    "frame_discriminator",
    "frame_pyramid",
    "linear_svm",
    "local_enhancer",
    "midinet_discriminator",
    "midinet_generator",
    "mlp_decoder",
    "mlp_discriminator",
    "mlp_encoder",
    "mlp_generator",
    "mlp_joint_discriminator",
    "munit_content_encoder",
    "munit_decoder",
    "munit_style_encoder",
    "patch_discriminator",
    "pg2_generator",
    "pixelda_discriminator",
    "pixelda_generator",
    "pose_integrator",
    "receptive_field",
    "recognising_discriminator",
    "refiner",
    "refining_generator",
    "residual_encoder",
    "resnet_generator",
    "rrdbnet",
    "segan_discriminator",
    "segan_generator",
    "sentence_discriminator",
    "sentence_generator",
    "srgan_discriminator",
    "srresnet",
    "stargan_discriminator",
    "stargan_generator",
    "strided_encoder",
    "stylegan_discriminator",
    "stylegan_generator",
    "task_classifier",
    "text_code",
    "text_discriminator",
    "text_generator",
    "unet_generator",
    "unet_generator_of_z",
    "unit_decoder",
    "unit_encoder",
]
