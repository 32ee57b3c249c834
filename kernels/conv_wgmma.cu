// The convolution triad by Hopper's warpgroup instruction in bf16: version 5 of conv.cu. sm_90a only, and not
// chosen by the host yet: see gemm_wgmma.cu.
// Layouts, phases and launch: conv.cuh. A block's work: product_wgmma.cuh. Bytes and operations: conv.cu.
//
// Occupancy, from nvcc's counts: 138 to 150 registers, 68 KB of shared memory: 1 block of 8 warps on a
// multiprocessor.
#include "conv.cuh"
#include "product_wgmma.cuh"

CONV_KERNELS(wide_f32, WgmmaProduct, float)
