// Element-wise functions and their derivatives: the CUDA side of minigan/ops/activation.py.
//
//     y = f(x)      dx = dy f'(x)      f''(x)
//
// The derivatives are computed from x or from y, whichever the function's backward pass keeps.
//
// Layout       flat arrays of n numbers, in any shape that the host gives them
// Launch       blocks of 256 threads, one vector of 16 bytes each, in strides of the grid
// Bytes        f and f'': 2 n sizeof(T); dx: 3 n sizeof(T). A handful of operations per number, about 20 in
//              exp, tanh and log1p: memory-bound on every card.
// Versions     1: this one. With all arrays on 16-byte boundaries it reads vectors, else single numbers.
#include "common.cuh"

#define UNARY(name, ...)                                                                          \
    template <class T>                                                                            \
    __device__ __forceinline__ void name##_kernel(const T *in, T *out, T p, Index n) {            \
        elementwise(n, [=](T x) -> T { return __VA_ARGS__; }, out, in);                           \
    }                                                                                             \
    TYPED(name, (const T *in, T *out, T p, Index n), (in, out, p, n))

#define BINARY(name, ...)                                                                         \
    template <class T>                                                                            \
    __device__ __forceinline__ void name##_kernel(const T *in, const T *dy, T *out, T p, Index n) { \
        elementwise(n, [=](T x, T d) -> T { return __VA_ARGS__; }, out, in, dy);                  \
    }                                                                                             \
    TYPED(name, (const T *in, const T *dy, T *out, T p, Index n), (in, dy, out, p, n))

template <class T>
__device__ __forceinline__ T sigmoid_slope(T y) {
    return y * (1 - y);
}

// In each formula x is the array that was kept (x itself, or y), d is dy, p the parameter.
UNARY(relu, activate<RELU>(x, p))
BINARY(relu_dx, activate_dx<RELU>(d, x, p))

UNARY(leaky_relu, activate<LEAKY_RELU>(x, p))
BINARY(leaky_relu_dx, activate_dx<LEAKY_RELU>(d, x, p))

UNARY(elu, x > 0 ? x : p * expm1(x))
BINARY(elu_dx, x > 0 ? d : d * (x + p))
UNARY(elu_d2, x > 0 ? T(0) : x + p)

UNARY(tanh, tanh(x))
BINARY(tanh_dx, activate_dx<TANH>(d, x, p))
UNARY(tanh_d2, -2 * x * (1 - x * x))

UNARY(sigmoid, sigmoid(x))
BINARY(sigmoid_dx, d * sigmoid_slope(x))
UNARY(sigmoid_d2, sigmoid_slope(x) * (1 - 2 * x))

UNARY(softplus, softplus(p * x) / p)
BINARY(softplus_dx, d * sigmoid(p * x))
UNARY(softplus_d2, p * sigmoid_slope(sigmoid(p * x)))
