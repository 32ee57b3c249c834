"""Layers, by family: one file each."""

from minigan.layers.activation import (
    ELU,
    Activation,
    Hardtanh,
    LeakyReLU,
    Maxout,
    ReLU,
    Sigmoid,
    Softplus,
    Tanh,
)
from minigan.layers.attention import SelfAttention
from minigan.layers.base import GradContext, Layer
from minigan.layers.channelwise import ChannelwiseDense
from minigan.layers.columns import Columns
from minigan.layers.compose import Concat, Parallel, Residual, Sequential
from minigan.layers.conditional import (
    AdaIN,
    ConditionalBatchNorm,
    JoinCondition,
    Modulation,
    Projection,
)
from minigan.layers.conv import Conv1d, Conv2d, ConvTranspose1d, ConvTranspose2d
from minigan.layers.dense import Dense, Embedding
from minigan.layers.dropout import Dropout
from minigan.layers.energy import ReconstructionError
from minigan.layers.equalized import EqualizedLR
from minigan.layers.evidence import LogSumExp
from minigan.layers.gaussian_noise import GaussianNoise
from minigan.layers.given import (
    ConditionalConcat,
    ConditionalSequential,
    Embedded,
)
from minigan.layers.group import GroupNorm
from minigan.layers.highway import Highway
from minigan.layers.inner_product import InnerProduct
from minigan.layers.lstm import LSTM
from minigan.layers.minibatch import MinibatchDiscrimination, MinibatchStdDev
from minigan.layers.modulated import ModulatedConv2d
from minigan.layers.noise import AddNoise
from minigan.layers.norm import BatchNorm, InstanceNorm, LayerNorm
from minigan.layers.pack import Pack
from minigan.layers.pad import ReflectionPad2d
from minigan.layers.params import Directions, FlatParams, Param
from minigan.layers.pixel_norm import PixelNorm
from minigan.layers.pool import AvgPool2d, GlobalAvgPool, GlobalMaxPool, GlobalSumPool, MaxPool2d
from minigan.layers.prefix import prefix
from minigan.layers.prelu import PReLU
from minigan.layers.recurrent import GRU
from minigan.layers.reference import ReferenceBatch, VirtualBatchNorm
from minigan.layers.shape import Flatten, Identity, PixelShuffle, Reshape, Scale, Upsample
from minigan.layers.spectral import SpectralNorm
from minigan.layers.standing import standing_statistics
from minigan.layers.text import ENCODERS, ConvolutionalEncoder, RecurrentEncoder

__all__ = [
    "ELU",
    "ENCODERS",
    "GRU",
    "LSTM",
    "Activation",
    "AdaIN",
    "AddNoise",
    "AvgPool2d",
    "BatchNorm",
    "ChannelwiseDense",
    "Columns",
    "Concat",
    "ConditionalBatchNorm",
    "ConditionalConcat",
    "ConditionalSequential",
    "Conv1d",
    "Conv2d",
    "ConvTranspose1d",
    "ConvTranspose2d",
    "ConvolutionalEncoder",
    "Dense",
    "Directions",
    "Dropout",
    "Embedded",
    "Embedding",
    "EqualizedLR",
    "FlatParams",
    "Flatten",
    "GaussianNoise",
    "GlobalAvgPool",
    "GlobalMaxPool",
    "GlobalSumPool",
    "GradContext",
    "GroupNorm",
    "Hardtanh",
    "Highway",
    "Identity",
    "InnerProduct",
    "InstanceNorm",
    "JoinCondition",
    "Layer",
    "LayerNorm",
    "LeakyReLU",
    "LogSumExp",
    "MaxPool2d",
    "Maxout",
    "MinibatchDiscrimination",
    "MinibatchStdDev",
    "ModulatedConv2d",
    "Modulation",
    "PReLU",
    "Pack",
    "Parallel",
    "Param",
    "PixelNorm",
    "PixelShuffle",
    "Projection",
    "ReLU",
    "ReconstructionError",
    "RecurrentEncoder",
    "ReferenceBatch",
    "ReflectionPad2d",
    "Reshape",
    "Residual",
    "Scale",
    "SelfAttention",
    "Sequential",
    "Sigmoid",
    "Softplus",
    "SpectralNorm",
    "Tanh",
    "Upsample",
    "VirtualBatchNorm",
    "prefix",
    "standing_statistics",
]
