// Normalisation: statistics, normalise + activate, and the derivatives, of (outer, rows, columns).
//
// Over the R rows of a column, mean mu, biased variance v, s = (v + eps)^(-1/2), xhat = (x - mu) s:
//
//     moments         mu, v, s
//     batch_statistics
//                     mu, s, scale = gamma s; the running mean and variance move towards mu and v R / (R - 1)
//     apply           y = f((x - mu) scale + shift)                      scale = gamma s, shift = beta
//     apply_sums      g = dy f'(y):  sum g,  sum g (x - mu)              dbeta, and dgamma / s
//     add_affine_grads
//                     dgamma += s sum g (x - mu),  dbeta += sum g
//     apply_dx        dx = scale (g - sum g / R - (x - mu) s^2 sum g (x - mu) / R)      share = 1 / R
//     normalize       xhat
//     normalize_sums  mean g,  mean g xhat
//     normalize_dx    P(g) = s (g - mean g - xhat mean g xhat)
//     normalize_ddx   the derivatives of <u, P(g)>; the formulas are derived in minigan/ops/norm.py
//
// f is none, relu, leaky_relu or tanh (a kernel each); the pre-activation is computed from x again, for
// reading y would cost more than the few operations.
//
// Layout       columns.cuh; statistics (outer, columns), one after another where a kernel has several
// Launch       columns.cuh: sums and moments in two kernels where rows are many; blocks of 256 threads and
//              a vector each, a grid row for each slice, elsewhere
// Bytes        of n numbers: moments n, apply 2 n, apply_sums 2 n, apply_dx 3 n, times sizeof(T): the
//              three passes of batch norm's step read or write 8 n. About 10 operations a number: memory-bound
// Versions     1: this one
#include "columns.cuh"

template <class T>
struct MomentsOut {
    T *mean, *var, *s;
    double eps;

    __device__ __forceinline__ void operator()(Moments<T> total, Index i) const {
        double v = total.m2 / total.n;
        mean[i] = T(total.mean);
        var[i] = T(v);
        s[i] = T(1 / sqrt(v + eps));
    }
};

template <class T>
__device__ __forceinline__ void moments_kernel(const T *x, double *partial, T *mean, T *var, T *s,
                                               Index slices, Index rows, int columns, int width, double eps) {
    Columns c{slices, rows, columns, width};
    reduce_columns(
        c, reinterpret_cast<Moments<T> *>(partial), [=](Index i, Index, T *number) { *number = x[i]; },
        MomentsOut<T>{mean, var, s, eps});
}
TYPED(moments,
      (const T *x, double *partial, T *mean, T *var, T *s, Index slices, Index rows, int columns, int width, double eps),
      (x, partial, mean, var, s, slices, rows, columns, width, eps))

template <class T>
__device__ __forceinline__ void moments_slabs_kernel(const double *partial, T *mean, T *var, T *s,
                                                     Index slices, int columns, int width, int slabs, double eps) {
    combine_slabs({slices, 0, columns, width}, reinterpret_cast<const Moments<T> *>(partial), slabs,
                  MomentsOut<T>{mean, var, s, eps});
}
TYPED(moments_slabs,
      (const double *partial, T *mean, T *var, T *s, Index slices, int columns, int width, int slabs, double eps),
      (partial, mean, var, s, slices, columns, width, slabs, eps))

// Of batch norm; gamma and the running statistics may be null.
template <class T>
struct BatchOut {
    T *mean, *s, *scale;
    const T *gamma;
    T *running_mean, *running_var;
    double eps, momentum;

    __device__ __forceinline__ void operator()(Moments<T> total, Index i) const {
        T mu = T(total.mean), inverse = T(1 / sqrt(total.m2 / total.n + eps));
        mean[i] = mu;
        s[i] = inverse;
        scale[i] = gamma ? inverse * gamma[i] : inverse;
        if (!running_mean) return;
        running_mean[i] += T(momentum) * (mu - running_mean[i]);
        running_var[i] += T(momentum) * (T(total.m2 / (total.n - 1)) - running_var[i]);
    }
};

template <class T>
__device__ __forceinline__ void batch_statistics_kernel(const T *x, double *partial, T *mean, T *s, T *scale,
                                                        const T *gamma, T *running_mean, T *running_var,
                                                        Index slices, Index rows, int columns, int width,
                                                        double eps, double momentum) {
    Columns c{slices, rows, columns, width};
    reduce_columns(
        c, reinterpret_cast<Moments<T> *>(partial), [=](Index i, Index, T *number) { *number = x[i]; },
        BatchOut<T>{mean, s, scale, gamma, running_mean, running_var, eps, momentum});
}
TYPED(batch_statistics,
      (const T *x, double *partial, T *mean, T *s, T *scale, const T *gamma, T *running_mean, T *running_var,
       Index slices, Index rows, int columns, int width, double eps, double momentum),
      (x, partial, mean, s, scale, gamma, running_mean, running_var, slices, rows, columns, width, eps, momentum))

template <class T>
__device__ __forceinline__ void batch_statistics_slabs_kernel(const double *partial, T *mean, T *s, T *scale,
                                                              const T *gamma, T *running_mean, T *running_var,
                                                              Index slices, int columns, int width, int slabs,
                                                              double eps, double momentum) {
    combine_slabs({slices, 0, columns, width}, reinterpret_cast<const Moments<T> *>(partial), slabs,
                  BatchOut<T>{mean, s, scale, gamma, running_mean, running_var, eps, momentum});
}
TYPED(batch_statistics_slabs,
      (const double *partial, T *mean, T *s, T *scale, const T *gamma, T *running_mean, T *running_var,
       Index slices, int columns, int width, int slabs, double eps, double momentum),
      (partial, mean, s, scale, gamma, running_mean, running_var, slices, columns, width, slabs, eps, momentum))

template <class T>
__device__ __forceinline__ void add_affine_grads_kernel(T *dgamma, T *dbeta, const T *s, const T *sum_g,
                                                        const T *sum_g_centred, Index n) {
    for (Index i = thread_number(); i < n; i += thread_count()) {
        dgamma[i] += s[i] * sum_g_centred[i];
        dbeta[i] += sum_g[i];
    }
}
TYPED(add_affine_grads, (T *dgamma, T *dbeta, const T *s, const T *sum_g, const T *sum_g_centred, Index n),
      (dgamma, dbeta, s, sum_g, sum_g_centred, n))

// K sums of a column, times factor, go to out (K, statistics).
template <class T, int K>
struct SumsOut {
    T *out;
    Index statistics;
    double factor;

    __device__ __forceinline__ void operator()(Sums<T, K> total, Index i) const {
#pragma unroll
        for (int k = 0; k < K; ++k) out[k * statistics + i] = T(total.v[k] * factor);
    }
};

#define SUMS_SLABS(K)                                                                               \
    template <class T>                                                                              \
    __device__ __forceinline__ void sums##K##_slabs_kernel(                                         \
        const double *partial, T *out, Index slices, int columns, int width, int slabs, double factor) {   \
        combine_slabs({slices, 0, columns, width}, reinterpret_cast<const Sums<T, K> *>(partial), slabs,    \
                      SumsOut<T, K>{out, slices * columns, factor});                                      \
    }                                                                                               \
    TYPED(sums##K##_slabs,                                                                          \
          (const double *partial, T *out, Index slices, int columns, int width, int slabs, double factor), \
          (partial, out, slices, columns, width, slabs, factor))
SUMS_SLABS(2)
SUMS_SLABS(5)

// --- with the activation ---------------------------------------------------------------------------------

// One column's map from x to y; shift may be null.
template <int A, class T>
struct Affine {
    const T *mean, *scale, *shift;
    T slope;

    __device__ __forceinline__ T operator()(Index s, T x) const {
        return activate<A>((x - mean[s]) * scale[s] + (shift ? shift[s] : T(0)), slope);
    }
    // dy f'(y)
    __device__ __forceinline__ T upstream(Index s, T x, T dy) const {
        return A == NONE ? dy : activate_dx<A>(dy, (*this)(s, x), slope);
    }
};

template <int A, class T>
__device__ __forceinline__ void apply(const T *x, const T *mean, const T *scale, const T *shift, T *y,
                                      Index slices, Index size, int columns, T slope) {
    with_statistics(slices, size, columns, Affine<A, T>{mean, scale, shift, slope}, y, x);
}

template <int A, class T>
__device__ __forceinline__ void apply_sums(const T *dy, const T *x, const T *mean, const T *scale,
                                           const T *shift, double *partial, T *out, Index slices, Index rows, int columns,
                                           int width, T slope) {
    Affine<A, T> affine{mean, scale, shift, slope};
    Columns c{slices, rows, columns, width};
    reduce_columns(
        c, reinterpret_cast<Sums<T, 2> *>(partial),
        [=](Index i, Index s, T *number) {
            number[0] = affine.upstream(s, x[i], dy[i]);
            number[1] = number[0] * (x[i] - mean[s]);
        },
        SumsOut<T, 2>{out, slices * columns, 1.0});
}

template <int A, class T>
__device__ __forceinline__ void apply_dx(const T *dy, const T *x, const T *mean, const T *s, const T *scale,
                                         const T *shift, const T *sum_g, const T *sum_g_centred, T *dx,
                                         Index slices, Index size, int columns, T share, T slope) {
    Affine<A, T> affine{mean, scale, shift, slope};
    with_statistics(
        slices, size, columns,
        [=](Index i, T d, T v) -> T {
            T along = s[i] * s[i] * sum_g_centred[i] * share;
            return scale[i] * (affine.upstream(i, v, d) - sum_g[i] * share - (v - mean[i]) * along);
        },
        dx, dy, x);
}

#define WITH(NAME, A)                                                                               \
    template <class T, class... P>                                                                  \
    __device__ __forceinline__ void apply_##NAME##_kernel(P... p) {                                 \
        apply<A, T>(p...);                                                                          \
    }                                                                                               \
    TYPED(apply_##NAME,                                                                             \
          (const T *x, const T *mean, const T *scale, const T *shift, T *y, Index slices, Index size, \
           int columns, T slope),                                                                   \
          (x, mean, scale, shift, y, slices, size, columns, slope))                                 \
    template <class T, class... P>                                                                  \
    __device__ __forceinline__ void apply_sums_##NAME##_kernel(P... p) {                            \
        apply_sums<A, T>(p...);                                                                     \
    }                                                                                               \
    TYPED(apply_sums_##NAME,                                                                        \
          (const T *dy, const T *x, const T *mean, const T *scale, const T *shift, double *partial, \
           T *out, Index slices, Index rows, int columns, int width, T slope),                                    \
          (dy, x, mean, scale, shift, partial, out, slices, rows, columns, width, slope))                   \
    template <class T, class... P>                                                                  \
    __device__ __forceinline__ void apply_dx_##NAME##_kernel(P... p) {                              \
        apply_dx<A, T>(p...);                                                                       \
    }                                                                                               \
    TYPED(apply_dx_##NAME,                                                                          \
          (const T *dy, const T *x, const T *mean, const T *s, const T *scale, const T *shift,      \
           const T *sum_g, const T *sum_g_centred, T *dx, Index slices, Index size, int columns,    \
           T share, T slope),                                                                       \
          (dy, x, mean, s, scale, shift, sum_g, sum_g_centred, dx, slices, size, columns, share, slope))

WITH(none, NONE)
WITH(relu, RELU)
WITH(leaky_relu, LEAKY_RELU)
WITH(tanh, TANH)

// --- without parameters, for any axes ----------------------------------------------------------------------

template <class T>
__device__ __forceinline__ void normalize_kernel(const T *x, const T *mean, const T *s, T *xhat,
                                                 Index slices, Index size, int columns) {
    with_statistics(
        slices, size, columns, [=](Index i, T v) -> T { return (v - mean[i]) * s[i]; }, xhat, x);
}
TYPED(normalize,
      (const T *x, const T *mean, const T *s, T *xhat, Index slices, Index size, int columns),
      (x, mean, s, xhat, slices, size, columns))

template <class T>
__device__ __forceinline__ void normalize_sums_kernel(const T *g, const T *xhat, double *partial, T *out,
                                                      Index slices, Index rows, int columns, int width) {
    Columns c{slices, rows, columns, width};
    reduce_columns(
        c, reinterpret_cast<Sums<T, 2> *>(partial),
        [=](Index i, Index, T *number) {
            number[0] = g[i];
            number[1] = g[i] * xhat[i];
        },
        SumsOut<T, 2>{out, slices * columns, 1.0 / rows});
}
TYPED(normalize_sums,
      (const T *g, const T *xhat, double *partial, T *out, Index slices, Index rows, int columns, int width),
      (g, xhat, partial, out, slices, rows, columns, width))

// P(g) from the means of g and g xhat.
template <class T>
__device__ __forceinline__ void normalize_dx_kernel(const T *g, const T *xhat, const T *s, const T *mean_g,
                                                    const T *mean_gx, T *dx, Index slices, Index size,
                                                    int columns) {
    with_statistics(
        slices, size, columns,
        [=](Index i, T d, T h) -> T { return s[i] * (d - mean_g[i] - h * mean_gx[i]); }, dx, g, xhat);
}
TYPED(normalize_dx,
      (const T *g, const T *xhat, const T *s, const T *mean_g, const T *mean_gx, T *dx, Index slices,
       Index size, int columns),
      (g, xhat, s, mean_g, mean_gx, dx, slices, size, columns))

// The means of u, u xhat, g, g xhat and u g.
template <class T>
__device__ __forceinline__ void normalize_ddx_sums_kernel(const T *u, const T *g, const T *xhat,
                                                          double *partial, T *out, Index slices, Index rows, int columns,
                                                          int width) {
    Columns c{slices, rows, columns, width};
    reduce_columns(
        c, reinterpret_cast<Sums<T, 5> *>(partial),
        [=](Index i, Index, T *number) {
            number[0] = u[i];
            number[1] = u[i] * xhat[i];
            number[2] = g[i];
            number[3] = g[i] * xhat[i];
            number[4] = u[i] * g[i];
        },
        SumsOut<T, 5>{out, slices * columns, 1.0 / rows});
}
TYPED(normalize_ddx_sums,
      (const T *u, const T *g, const T *xhat, double *partial, T *out, Index slices, Index rows, int columns, int width),
      (u, g, xhat, partial, out, slices, rows, columns, width))

// P(c) - s^2 xhat A with c = -s (u gx + g ux): c's means follow from those of u and g.
template <class T>
__device__ __forceinline__ void normalize_ddx_kernel(const T *u, const T *g, const T *xhat, const T *s,
                                                     const T *means, T *dx, Index slices, Index size,
                                                     int columns) {
    const Index n = slices * columns;
    with_statistics(
        slices, size, columns,
        [=](Index i, T a, T b, T h) -> T {
            T mu = means[i], ux = means[n + i], mg = means[2 * n + i], gx = means[3 * n + i];
            T area = means[4 * n + i] - mu * mg - ux * gx;
            T c = a * gx + b * ux - (mu * gx + mg * ux) - h * (2 * ux * gx);
            return -s[i] * s[i] * (c + h * area);
        },
        dx, u, g, xhat);
}
TYPED(normalize_ddx,
      (const T *u, const T *g, const T *xhat, const T *s, const T *means, T *dx, Index slices, Index size,
       int columns),
      (u, g, xhat, s, means, dx, slices, size, columns))
