#include "gemm.cuh"
#include "product_wgmma.cuh"

GEMM_KERNELS(wide_f32, WgmmaProduct, float)
