// The convolution triad on tensor cores in bf16: version 4 of conv.cu, and the twin of conv_wgmma.cu.
// Layouts, phases and launch: conv.cuh. A block's work and its shared memory: product_mma.cuh. Bytes and
// operations: conv.cu and gemm_bf16.cu. From sm_80 on, as gemm_bf16.cu.
//
// Occupancy on sm_90, from nvcc's counts: wide 169 to 182 registers, 68 KB of shared memory: 1 block of 8 warps
// on a multiprocessor; small 121 to 134, 20 KB: 3 blocks.
#include "conv.cuh"
#include "product_mma.cuh"

CONV_KERNELS(wide_f32, Bf16Wide, float)
CONV_KERNELS(small_f32, Bf16Small, float)
CONV_KERNELS(scalar_f32, Bf16Scalar, float)
