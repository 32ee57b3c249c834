#include "conv.cuh"
#include "product_mma.cuh"

CONV_KERNELS(wide_f32, Tf32Wide, float)
CONV_KERNELS(small_f32, Tf32Small, float)
CONV_KERNELS(scalar_f32, Tf32Scalar, float)
