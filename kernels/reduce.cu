// Sums over the rows of (outer, rows, columns), and of whole arrays.
//
//     sum:       out[o, c] = factor sum_r x[o, r, c]          means, global pooling; with `add` 1 it is added to
//                                                             what out holds: bias gradients
//     squares:   out[o, c] = sum_r x[o, r, c]^2 in float64    the norm of a flat buffer: (1, n, 1)
//
// Layout       columns.cuh; `partial` holds a State for each slice, slab and column
// Launch       columns.cuh; several slabs need the second kernel, *_slabs
// Bytes        rows * columns * sizeof(T) for each slice: one pass, one addition a number, memory-bound
// Versions     1: this one, a tree in shared memory and a fixed order of slabs
#include "columns.cuh"

template <class T>
struct SumOut {
    T *out;
    double factor;
    int add;

    __device__ __forceinline__ void operator()(Sums<T, 1> total, Index s) const {
        T sum = T(total.v[0] * factor);
        out[s] = add ? out[s] + sum : sum;
    }
};

template <class T>
__device__ __forceinline__ void sum_kernel(const T *x, double *partial, T *out, Index slices, Index rows, int columns,
                                           int width, double factor, int add) {
    Columns c{slices, rows, columns, width};
    reduce_columns(
        c, reinterpret_cast<Sums<T, 1> *>(partial),
        [=](Index i, Index, T *number) { number[0] = x[i]; },
        SumOut<T>{out, factor, add});
}
TYPED(sum,
      (const T *x, double *partial, T *out, Index slices, Index rows, int columns, int width, double factor, int add),
      (x, partial, out, slices, rows, columns, width, factor, add))

template <class T>
__device__ __forceinline__ void sum_slabs_kernel(const double *partial, T *out, Index slices,
                                                 int columns, int width, int slabs, double factor, int add) {
    combine_slabs({slices, 0, columns, width}, reinterpret_cast<const Sums<T, 1> *>(partial), slabs,
                  SumOut<T>{out, factor, add});
}
TYPED(sum_slabs,
      (const double *partial, T *out, Index slices, int columns, int width, int slabs, double factor, int add),
      (partial, out, slices, columns, width, slabs, factor, add))

// A float32's square may pass float32's range, so squares are of float64.
template <class T>
__device__ __forceinline__ void squares_kernel(const T *x, double *partial, double *out, Index slices, Index rows,
                                               int columns, int width) {
    Columns c{slices, rows, columns, width};
    reduce_columns(
        c, reinterpret_cast<Sums<double, 1> *>(partial),
        [=](Index i, Index, double *number) { number[0] = double(x[i]) * double(x[i]); },
        [=](Sums<double, 1> total, Index s) { out[s] = total.v[0]; });
}
TYPED(squares, (const T *x, double *partial, double *out, Index slices, Index rows, int columns, int width),
      (x, partial, out, slices, rows, columns, width))
