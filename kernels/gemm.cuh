// Matrix products by tiles, whatever computes a tile: C = act(alpha op(A) op(B) + bias + C).
//
//     op(A) (M, K) is A (M, K), or A (K, M) transposed;  op(B) (K, N) is B (K, N), or B (N, K) transposed
//     a dense layer:  y = x W (nn)    dx = dy W^T (nt)    dW = x^T dy (tn)
//
// Launch: x counts tiles, those of a row of tiles in turn, so that blocks which run together read the
// same rows of A from the L2 cache; y counts splits of k. With splits > 1, c is a workspace of
// (splits, M, N), which split_sum.cu adds up.
#pragma once

#include "operand.cuh"

#define GEMM_PARAMETERS(T)                                                                          \
    const T *a, const T *b, const T *bias, T *c, int m, int n, int k, int splits, T alpha, T slope, \
        int activation, int accumulate

template <class Product, bool TRANSPOSE_A, bool TRANSPOSE_B, class T>
__device__ __forceinline__ void gemm_tile(GEMM_PARAMETERS(T)) {
    const int across = (n + Product::BN - 1) / Product::BN;
    const int m0 = blockIdx.x / across * Product::BM, n0 = blockIdx.x % across * Product::BN;
    const int split = blockIdx.y;
    const Output<T, DenseRows> out{
        c + Index(split) * m * n, n, {m, n}, {bias, alpha, slope, activation, accumulate}, splits > 1};
    const Run run = run_of_split(k, Product::BK, split, splits);
    if constexpr (TRANSPOSE_A && TRANSPOSE_B) {
        Product::run(MnMajor<T>{a, m, m}, KMajor<T>{b, n, k}, out, m0, n0, run);
    } else if constexpr (TRANSPOSE_A) {
        Product::run(MnMajor<T>{a, m, m}, MnMajor<T>{b, n, n}, out, m0, n0, run);
    } else if constexpr (TRANSPOSE_B) {
        Product::run(KMajor<T>{a, m, k}, KMajor<T>{b, n, k}, out, m0, n0, run);
    } else {
        Product::run(KMajor<T>{a, m, k}, MnMajor<T>{b, n, n}, out, m0, n0, run);
    }
}

#define GEMM_KERNEL(name, Product, transpose_a, transpose_b, T)                                       \
    extern "C" __global__ void __launch_bounds__(Product::THREADS, Product::BLOCKS)                   \
        name(GEMM_PARAMETERS(T)) {                                                                    \
        gemm_tile<Product, transpose_a, transpose_b, T>(a, b, bias, c, m, n, k, splits, alpha, slope, \
                                                        activation, accumulate);                      \
    }

// The kernels gemm_nn_SUFFIX, gemm_nt_SUFFIX and gemm_tn_SUFFIX, which dense layers use.
#define GEMM_KERNELS(suffix, Product, T)                    \
    GEMM_KERNEL(gemm_nn_##suffix, Product, false, false, T) \
    GEMM_KERNEL(gemm_nt_##suffix, Product, false, true, T)  \
    GEMM_KERNEL(gemm_tn_##suffix, Product, true, false, T)

// The fourth, which is rare: the host takes the scalar kernel for it.
#define GEMM_TT_KERNEL(suffix, Product, T) GEMM_KERNEL(gemm_tt_##suffix, Product, true, true, T)
