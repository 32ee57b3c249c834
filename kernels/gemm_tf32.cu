// Matrix products on tensor cores in TF32, version 3 of gemm.cu: factors rounded to 10 bits of mantissa, sums
// in float32. From sm_80 on; compiled for sm_75 the kernels trap, and the host must not choose them there.
//
// Layouts and launch: gemm.cuh. A block's work and its shared memory: product_mma.cuh.
//
// Bytes and operations: 2 M N K operations; from the L2 cache a wide tile reads a byte for 32 operations, a
// small one for 16. From shared memory a warp of a wide tile reads 64 + 64 words for 64 * 64 multiply-adds.
//
// Launch and occupancy on sm_90, from nvcc's counts: wide 128 threads, 180 to 194 registers, 80 KB of shared
// memory: 2 blocks of 4 warps on a multiprocessor, by registers and by memory alike; 1 where a multiprocessor
// has 100 KB (sm_86, sm_89). small 128 threads, below 90 registers, 40 KB: 5 blocks.
#include "gemm.cuh"
#include "product_mma.cuh"

GEMM_KERNELS(wide_f32, Tf32Wide, float)
GEMM_KERNELS(small_f32, Tf32Small, float)
GEMM_KERNELS(scalar_f32, Tf32Scalar, float)
GEMM_TT_KERNEL(scalar_f32, Tf32Scalar, float)
