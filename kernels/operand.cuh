// What a tiled product reads and writes: operands, the way threads share copying them, the output.
//
// A product is D[m][n] = sum_k A[m][k] B[k][n]. An operand is seen as (mn, k), with mn = m for A and
// n for B. Along one of the two its numbers lie side by side in memory: it is K-major (a row of A)
// or MN-major (a row of A transposed; a row of B). A line is one run of such numbers.
//
// An operand is a small struct with a Cursor, which finds lines of a tile and keeps per thread what
// can be computed once. Outside the operand it answers with a null pointer, and the product reads
// zeros; so no size has to be a multiple of a tile.
//
//     K-major:   line(i, mn) once for each of the thread's lines; seek(k, end) for each tile; at(i)
//     MN-major:  along(mn) once; at(k, end) for each line of each tile
//
// Element offsets are ints: the host refuses arrays of 2^31 numbers and more.
#pragma once

#include "common.cuh"

// Beyond any index, and still far from overflow when two are added.
constexpr int FAR_OUTSIDE = -(1 << 30);

// N numbers that are read or written at once, if their address is a multiple of their size.
template <typename T, int N>
struct __align__(sizeof(T) * N) Vec {
    T value[N];
};

template <int N, typename T>
__device__ __forceinline__ Vec<T, N> load_vec(const T *from) {
#ifdef MINIGAN_EMULATOR
    emulator::check_alignment(from, sizeof(Vec<T, N>));
#endif
    return *reinterpret_cast<const Vec<T, N> *>(from);
}

// Element (mn, k) lies at data[mn * ld + k].
template <typename T>
struct KMajor {
    using Element = T;
    static constexpr bool K_MAJOR = true;
    const T *data;
    int extent, ld;

    template <int LINES>
    struct Cursor {
        const KMajor &source;
        int offset[LINES], k = 0;
        bool inside = false;

        __device__ explicit Cursor(const KMajor &source) : source(source) {}
        __device__ void line(int i, int mn) { offset[i] = mn < source.extent ? mn * source.ld : -1; }
        __device__ void seek(int at, int end) {
            k = at;
            inside = at < end;
        }
        __device__ const T *at(int i) const {
            return inside && offset[i] >= 0 ? source.data + (offset[i] + k) : nullptr;
        }
    };
};

// Element (mn, k) lies at data[k * ld + mn].
template <typename T>
struct MnMajor {
    using Element = T;
    static constexpr bool K_MAJOR = false;
    const T *data;
    int extent, ld;

    template <int LINES>
    struct Cursor {
        const MnMajor &source;
        int mn = 0;

        __device__ explicit Cursor(const MnMajor &source) : source(source) {}
        __device__ void along(int at) { mn = at; }
        __device__ const T *at(int k, int end) const {
            return k < end && mn < source.extent ? source.data + (k * source.ld + mn) : nullptr;
        }
    };
};

// How THREADS threads share an MN x BK tile of an operand: each takes W neighbours of some lines.
// Across k, its lines are neighbours by GROUP, so that it holds all parts of a packed word.
template <class Source, int MN, int BK, int W, int THREADS, int GROUP>
struct Feed {
    using T = typename Source::Element;
    static constexpr bool K_MAJOR = Source::K_MAJOR;
    static constexpr int LENGTH = K_MAJOR ? BK : MN;
    static constexpr int ACROSS = LENGTH / W;  // threads that share a line
    static constexpr int TOGETHER = K_MAJOR ? 1 : GROUP;
    static constexpr int LINES = MN * BK / (W * THREADS);
    static_assert(THREADS % ACROSS == 0 && LINES * W * THREADS == MN * BK && LINES % TOGETHER == 0,
                  "the tile does not divide among the threads");

    typename Source::template Cursor<LINES> cursor;
    int along, first, tile = 0, end = 0;

    __device__ Feed(const Source &source, int origin, int thread)
        : cursor(source), along(thread % ACROSS * W), first(thread / ACROSS * TOGETHER) {
        if constexpr (K_MAJOR) {
#pragma unroll
            for (int i = 0; i < LINES; ++i) cursor.line(i, origin + line(i));
        } else {
            cursor.along(origin + along);
        }
    }

    // Which line of the tile the thread's i-th is.
    __device__ int line(int i) const {
        return first + i % TOGETHER + i / TOGETHER * (THREADS / ACROSS * TOGETHER);
    }

    __device__ void seek(int k, int stop) {
        if constexpr (K_MAJOR) {
            cursor.seek(k + along, stop);
        } else {
            tile = k;
            end = stop;
        }
    }

    __device__ const T *at(int i) {
        if constexpr (K_MAJOR) {
            return cursor.at(i);
        } else {
            return cursor.at(tile + line(i), end);
        }
    }

    // An address that may be named where nothing is read.
    __device__ const T *anywhere() const { return cursor.source.data; }

    __device__ void read(T (&to)[LINES][W]) {
#pragma unroll
        for (int i = 0; i < LINES; ++i) {
            Vec<T, W> vec = {};
            if (const T *from = at(i)) vec = load_vec<W>(from);
#pragma unroll
            for (int e = 0; e < W; ++e) to[i][e] = vec.value[e];
        }
    }
};

// A run of k that one of `splits` blocks sums: whole tiles of it, the last ones perhaps none.
struct Run {
    int begin, end;
};

__device__ inline Run run_of_split(int k, int tile, int split, int splits) {
    const int tiles = (k + tile - 1) / tile, each = (tiles + splits - 1) / splits;
    const int begin = min(split * each * tile, k);
    return {begin, min(begin + each * tile, k)};
}

// Called, not pasted in: a thread finishes up to 128 numbers, and seldom by this.
template <typename T>
__device__ __noinline__ T tanh_of(T x) {
    return tanh(x);
}

// What becomes of a sum: act(alpha sum + bias[column] + what was there).
template <typename T>
struct Finish {
    const T *bias;  // null: none
    T alpha, slope;
    int activation;  // an Activation
    int accumulate;

    __device__ T operator()(T sum, int column, const T *before) const {
        T value = alpha * sum;
        if (bias) value += bias[column];
        if (accumulate) value += *before;
        switch (activation) {
            case RELU: return activate<RELU>(value, slope);
            case LEAKY_RELU: return activate<LEAKY_RELU>(value, slope);
            case TANH: return tanh_of(value);
            default: return value;
        }
    }
};

// Rows of a matrix of `columns`, in their order.
struct DenseRows {
    int count, columns;
    __device__ int offset(int row) const { return row < count ? row * columns : -1; }
};

// Where a tile of sums goes. One of several splits leaves its sums as they are, in its own part of
// a workspace; split_sum.cu adds the parts in a fixed order and finishes.
template <typename T, class Rows>
struct Output {
    T *data;
    int columns;
    Rows rows;
    Finish<T> finish;
    bool partial;

    // N neighbours of a row, from `column` on; what lies outside is dropped.
    template <int N>
    __device__ void store(int row, int column, const T (&sums)[N]) const {
        const int offset = rows.offset(row);
        if (offset < 0 || column >= columns) return;
        T *to = data + offset + column;
        Vec<T, N> vec;
        const bool whole = columns % N == 0 && reinterpret_cast<size_t>(to) % sizeof vec == 0;
#pragma unroll
        for (int e = 0; e < N; ++e) {
            if (column + e >= columns) continue;
            vec.value[e] = partial ? sums[e] : finish(sums[e], column + e, to + e);
            if (!whole) to[e] = vec.value[e];
        }
        if (whole) *reinterpret_cast<Vec<T, N> *>(to) = vec;
    }
};
