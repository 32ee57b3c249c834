// Matrix products by Hopper's warpgroup instruction in bf16, version 5 of gemm.cu. sm_90a only: for any other
// target it compiles to kernels that trap.
//
// Layouts and launch: gemm.cuh. A block's work: product_wgmma.cuh. The instruction: wgmma.cuh.
//
// Bytes and operations: as gemm_bf16.cu, but no fragment is read into registers: each warpgroup's 64 x 128
// tile is fed to the tensor cores from shared memory directly.
//
// Launch and occupancy, from nvcc's counts: 256 threads, 138 to 157 registers, 68 KB of shared memory: 1 block
// of 8 warps on a multiprocessor.
//
// The tests run this source on the CPU with a twin of the instruction, so tiles, layouts and ends are
// checked; the instruction itself has not run yet. The host does not choose these kernels before it has
// (minigan/ops/cuda/products.py, WGMMA).
#include "gemm.cuh"
#include "product_wgmma.cuh"

GEMM_KERNELS(wide_f32, WgmmaProduct, float)
