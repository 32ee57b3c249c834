// Choosing among numbers by small integers: maxout and rows of a table.
//
//     maxout         y[i] = max_j x[i, j], and the j that won, the first if tied
//     maxout_dx      dx[i, j] = dy[i] where j won at i, else 0
//     maxout_gather  y[i] = v[i, j] where j won at i
//     take_rows      y[i] = table[index[i]]; NaNs for an index outside the table, which nobody checks here
//     add_rows       total[v] += sum of rows[i] over index[i] = v, in the order of i
//
// add_rows is gathered by a thread for each number of the table, which reads every index: no atomics, so
// always the same sum. Indices are few (the labels of a batch), and read from the cache.
//
// Layout       maxout: x (n, pieces), winner (n,) bytes; rows: table (V, C), index (n,) int64, rows (n, C)
// Launch       blocks of 256 threads, a result to a thread, in strides of the grid
// Bytes        maxout n (pieces + 1) sizeof(T) + n; rows 2 n C sizeof(T); add_rows (n + 2 V) C sizeof(T)
// Versions     1: this one
#include "common.cuh"

typedef unsigned char Byte;

template <class T>
__device__ __forceinline__ void maxout_kernel(const T *x, T *y, Byte *winner, Index n, int pieces) {
    for (Index i = thread_number(); i < n; i += thread_count()) {
        T best = x[i * pieces];
        int first = 0;
        for (int j = 1; j < pieces; ++j) {
            const T value = x[i * pieces + j];
            if (value > best) first = j;
            if (value > best || value != value) best = value;
        }
        y[i] = best;
        winner[i] = Byte(first);
    }
}
TYPED(maxout, (const T *x, T *y, Byte *winner, Index n, int pieces), (x, y, winner, n, pieces))

template <class T>
__device__ __forceinline__ void maxout_dx_kernel(const T *dy, const Byte *winner, T *dx, Index n, int pieces) {
    for (Index i = thread_number(); i < n * pieces; i += thread_count()) {
        const Index unit = i / pieces;
        dx[i] = winner[unit] == i - unit * pieces ? dy[unit] : T(0);
    }
}
TYPED(maxout_dx, (const T *dy, const Byte *winner, T *dx, Index n, int pieces), (dy, winner, dx, n, pieces))

template <class T>
__device__ __forceinline__ void maxout_gather_kernel(const T *v, const Byte *winner, T *y, Index n,
                                                     int pieces) {
    for (Index i = thread_number(); i < n; i += thread_count()) y[i] = v[i * pieces + winner[i]];
}
TYPED(maxout_gather, (const T *v, const Byte *winner, T *y, Index n, int pieces), (v, winner, y, n, pieces))

template <class T>
__device__ __forceinline__ void take_rows_kernel(const T *table, const Index *index, T *y, Index v,
                                                 Index n, int c) {
    for (Index i = thread_number(); i < n * c; i += thread_count()) {
        const Index row = i / c, from = index[row];
        const bool known = from >= 0 && from < v;
        y[i] = known ? table[from * c + i - row * c] : T(__int_as_float(0x7fffffff));
    }
}
TYPED(take_rows, (const T *table, const Index *index, T *y, Index v, Index n, int c),
      (table, index, y, v, n, c))

template <class T>
__device__ __forceinline__ void add_rows_kernel(T *total, const Index *index, const T *rows, Index size,
                                                Index n, int c) {
    for (Index i = thread_number(); i < size; i += thread_count()) {
        const Index row = i / c, column = i - row * c;
        T sum = 0;
        for (Index k = 0; k < n; ++k)
            if (index[k] == row) sum += rows[k * c + column];
        total[i] += sum;
    }
}
TYPED(add_rows, (T *total, const Index *index, const T *rows, Index size, Index n, int c),
      (total, index, rows, size, n, c))
