// Matrix products on tensor cores in bf16, version 4 of gemm.cu: float32 arrays, factors rounded to 7 bits of
// mantissa on their way to shared memory, sums in float32. From sm_80 on, as gemm_tf32.cu. The twin of
// gemm_wgmma.cu.
//
// Layouts and launch: gemm.cuh. A block's work and its shared memory: product_mma.cuh.
//
// Bytes and operations: memory is read as float32, so bytes are those of gemm_tf32.cu; shared memory holds, and
// fragments read, half as many, and one mma does twice the operations.
//
// Launch and occupancy on sm_90, from nvcc's counts: wide 256 threads, 165 to 172 registers (a tile of next
// factors is among them), 68 KB of shared memory: 1 block of 8 warps on a multiprocessor. small 128 threads,
// about 130 registers, 20 KB: 3 blocks.
#include "gemm.cuh"
#include "product_mma.cuh"

GEMM_KERNELS(wide_f32, Bf16Wide, float)
GEMM_KERNELS(small_f32, Bf16Small, float)
GEMM_KERNELS(scalar_f32, Bf16Scalar, float)
GEMM_TT_KERNEL(scalar_f32, Bf16Scalar, float)
