// Adversarial losses, value and gradients in one pass: the CUDA side of minigan/ops/loss.py.
//
//     value = w_a mean f_a(real) + l_a mean(real) + w_b mean f_b(fake) + l_b mean(fake)
//     d_real[i] = (w_a f_a'(real[i]) + l_a) / n,        d_fake[j] = (w_b f_b'(fake[j]) + l_b) / m
//
// with f_a, f_b of the table below: objectives are sums of such terms, and a new one adds a line here and
// one in minigan/ops/loss.py.
//
// Layout       real (n,), fake (m,), their gradients likewise; value: 1 number; a Term for each
// Launch       one block of 256 threads up to some thousand logits; above, more blocks leave their sums in
//              `partial`, which loss_sum, one block, adds up in order
// Bytes        2 (n + m) sizeof(T); about 30 operations a logit. Few logits: a launch's latency is all
// Versions     1: this one
#include "common.cuh"

//  name             f(l)                            f'(l)                     p is the term's parameter
#define TERMS(TERM)                                                             \
    TERM(ZERO,        T(0),                            T(0))                     \
    TERM(SOFTPLUS,    softplus(l),                     sigmoid(l))               \
    TERM(NEGATIVE,    softplus(-l),                    -sigmoid(-l))             \
    TERM(ABOVE,       l > p ? l - p : T(0),            l > p ? T(1) : T(0))      \
    TERM(BELOW,       l < p ? p - l : T(0),            l < p ? T(-1) : T(0))     \
    TERM(SQUARE,      (l - p) * (l - p) / 2,           l - p)

#define NAME(name, value, slope) name,
enum Kind { TERMS(NAME) };

template <class T>
__device__ __forceinline__ T term_value(int kind, T l, T p) {
#define VALUE(name, value, slope) \
    case name: return value;
    switch (kind) { TERMS(VALUE) }
    return T(0);
}

template <class T>
__device__ __forceinline__ T term_slope(int kind, T l, T p) {
#define SLOPE(name, value, slope) \
    case name: return slope;
    switch (kind) { TERMS(SLOPE) }
    return T(0);
}

// What this thread's logits add to the value; writes their gradients.
template <class T>
__device__ __forceinline__ double term(const T *logits, T *gradient, Index n, int kind, double weight,
                                       double linear, T p) {
    double sum = 0;
    const T w = T(weight / n), l = T(linear / n);
    for (Index i = thread_number(); i < n; i += thread_count()) {
        T x = logits[i];
        sum += weight * double(term_value(kind, x, p)) + linear * double(x);
        gradient[i] = w * term_slope(kind, x, p) + l;
    }
    return n ? sum / n : 0;
}

template <class T>
__device__ __forceinline__ void loss_kernel(const T *real, const T *fake, double *partial, T *value,
                                            T *d_real, T *d_fake, Index n, Index m, int kind_real,
                                            int kind_fake, double w_real, double w_fake, double linear_real,
                                            double linear_fake, T p_real, T p_fake) {
    double sum = term(real, d_real, n, kind_real, w_real, linear_real, p_real) +
                 term(fake, d_fake, m, kind_fake, w_fake, linear_fake, p_fake);
    sum = block_sum(sum);
    if (threadIdx.x) return;
    if (gridDim.x == 1)
        *value = T(sum);
    else
        partial[blockIdx.x] = sum;
}
TYPED(loss,
      (const T *real, const T *fake, double *partial, T *value, T *d_real, T *d_fake, Index n, Index m,
       int kind_real, int kind_fake, double w_real, double w_fake, double linear_real, double linear_fake,
       T p_real, T p_fake),
      (real, fake, partial, value, d_real, d_fake, n, m, kind_real, kind_fake, w_real, w_fake, linear_real,
       linear_fake, p_real, p_fake))

template <class T>
__device__ __forceinline__ void loss_sum_kernel(const double *partial, T *value, int blocks) {
    double sum = 0;
    for (int i = threadIdx.x; i < blocks; i += blockDim.x) sum += partial[i];
    sum = block_sum(sum);
    if (threadIdx.x == 0) *value = T(sum);
}
TYPED(loss_sum, (const double *partial, T *value, int blocks), (partial, value, blocks))
