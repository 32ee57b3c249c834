#include "conv.cuh"
#include "product_mma.cuh"

CONV_KERNELS(wide_f32, Bf16Wide, float)
CONV_KERNELS(small_f32, Bf16Small, float)
CONV_KERNELS(scalar_f32, Bf16Scalar, float)
