// Sums, moments and element-wise passes with one statistic per column.
//
// An array (outer, rows, columns) is reduced over its rows: a batch norm's (1, N H W, C), an instance
// norm's (N, H W, C), a layer norm's (N, C, 1). Statistic number o * columns + c belongs to column c of
// slice o.
//
// A block has 256 threads, `width` of them beside one another along the columns (a power of 2, at most
// 32) and 256 / width along the rows, so a warp reads up to 32 neighbours at once, also where there are
// few columns. Grid: (tiles of columns, slabs of rows, slices or fewer). Threads add up numbers in runs of RUN
// in their own type, the runs in float64; the threads of a column meet in a tree in shared memory, its
// slabs, where there are several, in a second kernel. All in a fixed order.
#pragma once

#include "common.cuh"

const int RUN = 8;
const int REDUCERS = 256;

struct Columns {
    Index slices, rows;
    int columns, width;

    __device__ __forceinline__ int column() const { return blockIdx.x * width + threadIdx.x % width; }
};

// K sums at once.
template <class T, int K>
struct Sums {
    double v[K];

    __device__ __forceinline__ void clear() {
#pragma unroll
        for (int k = 0; k < K; ++k) v[k] = 0;
    }
    __device__ __forceinline__ void merge(const Sums &other) {
#pragma unroll
        for (int k = 0; k < K; ++k) v[k] += other.v[k];
    }
    // What f(i, statistic, number) leaves in number[K] for i = first, first + step, ..., count of them.
    template <class F>
    __device__ __forceinline__ void add_run(F f, Index statistic, Index first, Index step, int count) {
        T run[K] = {}, number[K];
#pragma unroll
        for (int j = 0; j < RUN; ++j)
            if (j < count) {
                f(first + j * step, statistic, number);
#pragma unroll
                for (int k = 0; k < K; ++k) run[k] += number[k];
            }
#pragma unroll
        for (int k = 0; k < K; ++k) v[k] += run[k];
    }
};

// Count, mean and sum of squares about the mean; merged by the pairwise rule of Chan, Golub and LeVeque
// (1979), which loses nothing where the mean is large.
template <class T>
struct Moments {
    double n, mean, m2;

    __device__ __forceinline__ void clear() { n = mean = m2 = 0; }
    __device__ __forceinline__ void merge(const Moments &other) {
        if (other.n == 0) return;
        double all = n + other.n, delta = other.mean - mean, share = other.n / all;
        mean += delta * share;
        m2 += other.m2 + delta * delta * n * share;
        n = all;
    }
    template <class F>
    __device__ __forceinline__ void add_run(F f, Index statistic, Index first, Index step, int count) {
        T number[RUN], sum = 0, squares = 0;
#pragma unroll
        for (int j = 0; j < RUN; ++j) {
            number[j] = 0;
            if (j < count) f(first + j * step, statistic, number + j);
            sum += number[j];
        }
        T about = sum / count;
#pragma unroll
        for (int j = 0; j < RUN; ++j)
            if (j < count) squares += (number[j] - about) * (number[j] - about);
        merge({double(count), double(about), double(squares)});
    }
};

// The threads of a column add up what each has, in a tree; the sum is that of the first row's threads.
template <class State>
__device__ __forceinline__ void meet(Columns c, State &total) {
    SHARED(State, partial, [REDUCERS]);
    const int lane = threadIdx.x / c.width;
    __syncthreads();  // the last tree's readers are done
    partial[threadIdx.x] = total;
    for (int half = REDUCERS / c.width / 2; half; half /= 2) {
        __syncthreads();
        if (lane < half) {
            total.merge(partial[threadIdx.x + half * c.width]);
            partial[threadIdx.x] = total;
        }
    }
}

// The first kernel: each column's total of f(i, statistic, number) over a slab, to `partial` (slices,
// slabs, columns), or, where there is one slab only, straight to finish(total, statistic).
template <class State, class F, class Finish>
__device__ __forceinline__ void reduce_columns(Columns c, State *partial, F f, Finish finish) {
    const int lanes = REDUCERS / c.width, lane = threadIdx.x / c.width, column = c.column();
    const Index last = c.rows * (blockIdx.y + 1) / gridDim.y, step = Index(lanes) * c.columns;
    for (Index slice = blockIdx.z; slice < c.slices; slice += gridDim.z) {
        const Index statistic = slice * c.columns + column;
        State total;
        total.clear();
        Index row = c.rows * blockIdx.y / gridDim.y + lane;
        if (column < c.columns)
            for (; row < last; row += Index(lanes) * RUN) {
                Index left = (last - row + lanes - 1) / lanes;
                total.add_run(f, statistic, (slice * c.rows + row) * c.columns + column, step,
                              left < RUN ? int(left) : RUN);
            }
        meet(c, total);
        if (lane || column >= c.columns) continue;
        if (gridDim.y == 1)
            finish(total, statistic);
        else
            partial[(slice * gridDim.y + blockIdx.y) * c.columns + column] = total;
    }
}

// The second kernel, in the same blocks but without slabs of its own: the `slabs` of each statistic.
template <class State, class Finish>
__device__ __forceinline__ void combine_slabs(Columns c, const State *partial, int slabs, Finish finish) {
    const int lanes = REDUCERS / c.width, lane = threadIdx.x / c.width, column = c.column();
    for (Index slice = blockIdx.z; slice < c.slices; slice += gridDim.z) {
        State total;
        total.clear();
        if (column < c.columns)
            for (int slab = lane; slab < slabs; slab += lanes)
                total.merge(partial[(slice * slabs + slab) * c.columns + column]);
        meet(c, total);
        if (lane == 0 && column < c.columns) finish(total, slice * c.columns + column);
    }
}

// out[i] = f(statistic of i, in[i]...) over `slices` of `size` numbers, `columns` to a row. Vectors where
// every slice starts on 16 bytes. Grid: (x, slices or fewer), of at most 2^28 threads along x, so that
// the column of a thread's first number needs no division of 64 bits, and that of its next ones none.
template <class T, class F, class... In>
__device__ __forceinline__ void with_statistics(Index slices, Index size, int columns, F f, T *out,
                                                const In *...in) {
    const int V = Pack<T>::size;
    const bool vectors = aligned(out, in...) && size % V == 0;
    const unsigned each = vectors ? V : 1;
    const Index count = vectors ? size / V : size;
    const int first = unsigned(thread_number()) * each % columns;
    const int stride = unsigned(thread_count()) * each % columns;
    for (Index slice = blockIdx.y; slice < slices; slice += gridDim.y) {
        const Index start = slice * size, base = slice * columns;
        int next = first;
        for (Index i = thread_number(); i < count; i += thread_count()) {
            int column = next;
            next += stride;
            if (next >= columns) next -= columns;
            if (vectors) {
                Pack<T> value = map_pack<T>(
                    [&](In... number) {
                        T y = f(base + column, number...);
                        if (++column == columns) column = 0;
                        return y;
                    },
                    load_pack(in + start, i)...);
                store_pack(out + start, i, value);
            } else {
                out[start + i] = f(base + column, in[start + i]...);
            }
        }
    }
}
