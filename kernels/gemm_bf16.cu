#include "gemm.cuh"
#include "product_mma.cuh"

GEMM_KERNELS(wide_f32, Bf16Wide, float)
GEMM_KERNELS(small_f32, Bf16Small, float)
GEMM_KERNELS(scalar_f32, Bf16Scalar, float)
GEMM_TT_KERNEL(scalar_f32, Bf16Scalar, float)
