// The convolution triad on tensor cores in TF32: version 3 of conv.cu.
// Layouts, phases and launch: conv.cuh. A block's work and its shared memory: product_mma.cuh. Bytes and
// operations: conv.cu and gemm_tf32.cu. From sm_80 on, as gemm_tf32.cu.
//
// Occupancy on sm_90, from nvcc's counts: wide 182 to 196 registers, 80 KB of shared memory: 2 blocks of 4 warps
// on a multiprocessor; small below 90, 40 KB: 5 blocks. Patches arrive by cp.async, 16 bytes of
// channels each; where a patch lies in the padding, the copy writes zeros and reads nothing.
#include "conv.cuh"
#include "product_mma.cuh"

CONV_KERNELS(wide_f32, Tf32Wide, float)
CONV_KERNELS(small_f32, Tf32Small, float)
CONV_KERNELS(scalar_f32, Tf32Scalar, float)
