#include "conv.cuh"
#include "product_wgmma.cuh"

CONV_KERNELS(wide_f32, WgmmaProduct, float)
