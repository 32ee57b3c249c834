// Lambert's W of e^x for real x: the CUDA side of minigan/ops/special.py.
//
//     the w > 0 with w + log w = x
//
// by the iteration of Fritsch, Shafer and Crowley (1973, CACM algorithm 443), of fourth order: from a first
// guess of a few per cent, three rounds reach the last bits of float64. Far below 0, w = e^x (1 - e^x + ...).
//
// Layout       flat arrays of n numbers
// Launch       blocks of 256 threads, a vector of 16 bytes to a thread, in strides of the grid
// Bytes        2 n sizeof(T); three logarithms and about 60 operations a number: near the balance of both
// Versions     1: this one
#include "common.cuh"

template <class T>
__device__ __forceinline__ T lambertw_exp(T x) {
    if (x < -36) return exp(x);  // e^-36 is below half a last bit of float64
    if (x > T(1e30)) return x;           // log(x) / x is too, and infinity has no difference to it
    if (x > T(1e10)) return x - log(x);  // log(log(x)) / x is; and squares of x may overflow
    T w = x > 1 ? x - log(x) : x > -2 ? exp((x - 1) * T(2.0 / 3)) : exp(x);
#pragma unroll
    for (int round = 0; round < 3; ++round) {
        const T r = x - w - log(w), a = 1 + w, b = a * (a + r * T(2.0 / 3));
        w *= 1 + r / a * (b - r / 2) / (b - r);
    }
    return w;
}

template <class T>
__device__ __forceinline__ void lambertw_exp_kernel(const T *x, T *w, Index n) {
    elementwise(n, [=](T v) -> T { return lambertw_exp(v); }, w, x);
}
TYPED(lambertw_exp, (const T *x, T *w, Index n), (x, w, n))
