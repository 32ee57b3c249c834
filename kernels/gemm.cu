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
