"""Networks by family, built from layers."""

from minigan.models.dcgan import dcgan_discriminator, dcgan_generator
from minigan.models.features import LinearSVM, discriminator_features, linear_svm
from minigan.models.mlp import mlp_discriminator, mlp_generator

__all__ = [
    "LinearSVM",
    "dcgan_discriminator",
    "dcgan_generator",
    "discriminator_features",
    "linear_svm",
    "mlp_discriminator",
    "mlp_generator",
]
