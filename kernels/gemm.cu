// Matrix products in float32 and float64: C = act(alpha op(A) op(B) + bias + C), the CUDA side of
// minigan/ops/linear.py in precision "fp32" and for float64 arrays.
//
// Layouts and launch: gemm.cuh. A block's work: product_simt.cuh.
//
// Bytes and operations: 2 M N K operations; at least 4 (M K + K N + M N) bytes in float32. A block reads its
// tile's rows and columns once per step of k, so that from the L2 cache come
//     wide   128 x 64    2 * 128 * 64 / (4 * 192) = 21 operations a byte
//     small   64 x 64    16 operations a byte
// An H200 needs about 60e12 / 4.3e12 = 14 operations a byte of its memory: bound by operations where neighbouring
// tiles meet in the L2 cache, as the order of blocks in gemm.cuh arranges.
//
// Occupancy on sm_90, from nvcc's counts: wide 95 to 111 registers, 26 KB of shared memory: 2 blocks of 8
// warps on a multiprocessor. small and scalar 79 to 89, 17 KB: 2 to 3 blocks. float64 122 to 140: 1 block; it
// is for tests, and no faster version is planned.
//
// Versions  1  gemm_naive: one thread an output. The twin and oracle of all others on a card.
//           2  gemm_{nn,nt,tn}_wide, _small; gemm_{nn,nt,tn,tt}_scalar: tiles
//           3  gemm_tf32.cu     4  gemm_bf16.cu     5  gemm_wgmma.cu
#include "gemm.cuh"
#include "product_simt.cuh"

// Version 1: one thread an output, k in its order.
template <class T>
__device__ __forceinline__ void gemm_naive_kernel(GEMM_PARAMETERS(T), int transpose_a, int transpose_b) {
    const Index i = thread_number();
    if (i >= Index(m) * n) return;
    const int row = i / n, column = i % n;
    T sum = 0;
    for (int p = 0; p < k; ++p) {
        const T left = transpose_a ? a[Index(p) * m + row] : a[Index(row) * k + p];
        const T right = transpose_b ? b[Index(column) * k + p] : b[Index(p) * n + column];
        sum += left * right;
    }
    c[i] = Finish<T>{bias, alpha, slope, activation, accumulate}(sum, column, c + i);
}
TYPED(gemm_naive, (GEMM_PARAMETERS(T), int transpose_a, int transpose_b),
      (a, b, bias, c, m, n, k, splits, alpha, slope, activation, accumulate, transpose_a, transpose_b))

// Version 2: tiles.
GEMM_KERNELS(wide_f32, SimtWide, float)
GEMM_KERNELS(small_f32, SimtSmall, float)
GEMM_KERNELS(scalar_f32, SimtScalar<float>, float)
GEMM_TT_KERNEL(scalar_f32, SimtScalar<float>, float)
GEMM_KERNELS(scalar_f64, SimtScalar<double>, double)
GEMM_TT_KERNEL(scalar_f64, SimtScalar<double>, double)
