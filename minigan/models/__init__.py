"""Networks by family, built from layers."""

from minigan.models.dcgan import dcgan_discriminator, dcgan_generator
from minigan.models.mlp import mlp_discriminator, mlp_generator

__all__ = ["dcgan_discriminator", "dcgan_generator", "mlp_discriminator", "mlp_generator"]
