// Update rules of optimisers over a network's whole flat buffer, one launch a step.
//
//     sgd        theta -= eta g
//     momentum   v = mu v + g;  theta -= eta v, or eta (g + mu v) in Nesterov's form
//     rmsprop    v = alpha v + (1 - alpha) g^2;  theta -= eta g / (sqrt(v) + eps)
//     adam       m = b1 m + (1 - b1) g;  v = b2 v + (1 - b2) g^2
//                theta = decay theta - step m / (root sqrt(v) + eps)
//     average    a += share (theta - a)                                          moving average
//
// The numbers that change from step to step lie in device memory, in float64, for a captured graph freezes
// what is passed by value: `rates` is eta; for adam step = eta / (1 - b1^t), root = 1 / sqrt(1 - b2^t) and
// decay = 1 - eta weight_decay.
//
// Layout       flat arrays of n numbers
// Launch       blocks of 256 threads, a vector of 16 bytes of each array to a thread, in strides of the grid
// Bytes        of n sizeof(T): sgd 3, momentum 5, rmsprop 5, adam 7; a few operations a number: memory-bound
// Versions     1: this one
#include "common.cuh"

// A vector of theta, g and of each state; state[0] is theta itself.
template <class T, class F, int N>
__device__ __forceinline__ void update_vector(Index i, F update, T *theta, const T *g, T *const (&state)[N]) {
    Pack<T> p = load_pack(theta, i), d = load_pack(g, i), s[N];
#pragma unroll
    for (int j = 1; j < N; ++j) s[j] = load_pack(state[j], i);
#pragma unroll
    for (int k = 0; k < Pack<T>::size; ++k) {
        if constexpr (N == 1) update(p.v[k], d.v[k]);
        if constexpr (N == 2) update(p.v[k], d.v[k], s[1].v[k]);
        if constexpr (N == 3) update(p.v[k], d.v[k], s[1].v[k], s[2].v[k]);
    }
    store_pack(theta, i, p);
#pragma unroll
    for (int j = 1; j < N; ++j) store_pack(state[j], i, s[j]);
}

// update(theta, g, state...) changes a number of theta and of each state in place.
template <class T, class F, class... State>
__device__ __forceinline__ void update_all(Index n, F update, T *theta, const T *g, State *...state) {
    Index vectors = aligned(theta, g, state...) ? n / Pack<T>::size : 0;
    T *const states[] = {theta, state...};  // theta, because an array has one element at least
    for (Index i = thread_number(); i < vectors; i += thread_count())
        update_vector(i, update, theta, g, states);
    for (Index i = vectors * Pack<T>::size + thread_number(); i < n; i += thread_count())
        update(theta[i], g[i], state[i]...);
}

template <class T>
__device__ __forceinline__ void sgd_kernel(T *theta, const T *g, const double *rates, Index n) {
    const T eta = T(rates[0]);
    update_all(n, [=](T &p, T d) { p -= eta * d; }, theta, g);
}
TYPED(sgd, (T *theta, const T *g, const double *rates, Index n), (theta, g, rates, n))

template <class T>
__device__ __forceinline__ void momentum_kernel(T *theta, const T *g, T *v, const double *rates, T mu,
                                                int nesterov, Index n) {
    const T eta = T(rates[0]);
    update_all(
        n,
        [=](T &p, T d, T &u) {
            u = mu * u + d;
            p -= eta * (nesterov ? d + mu * u : u);
        },
        theta, g, v);
}
TYPED(momentum, (T *theta, const T *g, T *v, const double *rates, T mu, int nesterov, Index n),
      (theta, g, v, rates, mu, nesterov, n))

template <class T>
__device__ __forceinline__ void rmsprop_kernel(T *theta, const T *g, T *v, const double *rates, T alpha,
                                               T rest, T eps, Index n) {
    const T eta = T(rates[0]);
    update_all(
        n,
        [=](T &p, T d, T &u) {
            u = alpha * u + rest * d * d;
            p -= eta * d / (sqrt(u) + eps);
        },
        theta, g, v);
}
TYPED(rmsprop, (T *theta, const T *g, T *v, const double *rates, T alpha, T rest, T eps, Index n),
      (theta, g, v, rates, alpha, rest, eps, n))

template <class T>
__device__ __forceinline__ void adam_kernel(T *theta, const T *g, T *m, T *v, const double *rates, T beta1,
                                            T rest1, T beta2, T rest2, T eps, Index n) {
    const T step = T(rates[0]), root = T(rates[1]), decay = T(rates[2]);
    update_all(
        n,
        [=](T &p, T d, T &a, T &b) {
            a = beta1 * a + rest1 * d;
            b = beta2 * b + rest2 * d * d;
            p = decay * p - step * (a / (root * sqrt(b) + eps));
        },
        theta, g, m, v);
}
TYPED(adam,
      (T *theta, const T *g, T *m, T *v, const double *rates, T beta1, T rest1, T beta2, T rest2, T eps,
       Index n),
      (theta, g, m, v, rates, beta1, rest1, beta2, rest2, eps, n))

template <class T>
__device__ __forceinline__ void average_kernel(T *average, const T *value, T share, Index n) {
    elementwise(n, [=](T a, T v) -> T { return a + share * (v - a); }, average, average, value);
}
TYPED(average, (T *average, const T *value, T share, Index n), (average, value, share, n))
