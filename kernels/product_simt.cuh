// A tile of a product on the ordinary cores, float or double: shared memory, registers, two buffers.
//
// A block of (BM / TM) x (BN / TN) threads computes BM x BN outputs, each thread TM x TN of them,
// walking k in steps of BK. While it multiplies one pair of tiles, the next pair is on its way from
// global memory to registers; it is then stored into the other buffer, so each step has one barrier.
//
// Shared layout [k][mn] for both operands, lines padded by 4. A thread owns groups of 4 neighbouring
// rows and columns: in a quarter of a warp the 8 reads of 16 bytes are side by side or the same,
// which needs no second pass over the banks. A K-major operand is turned while it is stored; its
// stores meet 2 by 2 in a bank, once for every TM (TN) reads.
//
// Per step a thread does TM TN BK multiply-adds for (TM + TN) BK numbers of shared memory, read by fours:
// 8 x 4 multiplies 32 times for 3 reads, 4 x 4 16 times for 2. (8 x 8 would do 64 for 4, but with the next
// tile and its addresses it wants more than the 128 registers that let two blocks share a multiprocessor.)
#pragma once

#include "operand.cuh"

template <typename T, int BM_, int BN_, int BK_, int TM, int TN, int W>
struct SimtProduct {
    using Sum = T;
    static constexpr int BM = BM_, BN = BN_, BK = BK_;
    static constexpr int THREADS = BM / TM * (BN / TN);
    static constexpr int BLOCKS = sizeof(T) == 8 ? 1 : 2;  // of a multiprocessor, at least
    static_assert(TM % 4 == 0 && TN % 4 == 0, "threads own groups of four rows and columns");

    using Quad = Vec<T, 4>;

    template <class F, int QUADS>
    __device__ static void keep(const F &feed, const T (&from)[F::LINES][W], Quad (&to)[BK][QUADS]) {
#pragma unroll
        for (int i = 0; i < F::LINES; ++i) {
#pragma unroll
            for (int e = 0; e < W; ++e) {
                if constexpr (F::K_MAJOR) {
                    to[feed.along + e][feed.line(i) / 4].value[feed.line(i) % 4] = from[i][e];
                } else {
                    to[feed.line(i)][(feed.along + e) / 4].value[(feed.along + e) % 4] = from[i][e];
                }
            }
        }
    }

    template <class A, class B, class Out>
    __device__ static void run(const A &a, const B &b, const Out &out, int m0, int n0, Run k) {
        SHARED(Quad, left, [2][BK][BM / 4 + 1]);
        SHARED(Quad, right, [2][BK][BN / 4 + 1]);
        const int thread = threadIdx.x, ty = thread / (BN / TN), tx = thread % (BN / TN);
        Feed<A, BM, BK, W, THREADS, 1> feed_a(a, m0, thread);
        Feed<B, BN, BK, W, THREADS, 1> feed_b(b, n0, thread);
        T next_a[feed_a.LINES][W], next_b[feed_b.LINES][W];
        T sum[TM][TN] = {};

        const auto read = [&](int at) {
            feed_a.seek(at, k.end);
            feed_b.seek(at, k.end);
            feed_a.read(next_a);
            feed_b.read(next_b);
        };
        const auto keep_both = [&](int buffer) {
            keep(feed_a, next_a, left[buffer]);
            keep(feed_b, next_b, right[buffer]);
            __syncthreads();
        };

        read(k.begin);
        keep_both(0);
        int buffer = 0;
        for (int at = k.begin; at < k.end; at += BK) {
            const bool more = at + BK < k.end;
            if (more) read(at + BK);
#pragma unroll
            for (int p = 0; p < BK; ++p) {
                Quad row[TM / 4], column[TN / 4];
#pragma unroll
                for (int i = 0; i < TM / 4; ++i) row[i] = left[buffer][p][i * (BM / TM) + ty];
#pragma unroll
                for (int j = 0; j < TN / 4; ++j) column[j] = right[buffer][p][j * (BN / TN) + tx];
#pragma unroll
                for (int i = 0; i < TM; ++i) {
#pragma unroll
                    for (int j = 0; j < TN; ++j)
                        sum[i][j] += row[i / 4].value[i % 4] * column[j / 4].value[j % 4];
                }
            }
            buffer ^= 1;
            if (more) keep_both(buffer);
        }
#pragma unroll
        for (int i = 0; i < TM; ++i) {
#pragma unroll
            for (int j = 0; j < TN; j += 4) {
                const T four[4] = {sum[i][j], sum[i][j + 1], sum[i][j + 2], sum[i][j + 3]};
                const int row = 4 * (i / 4 * (BM / TM) + ty) + i % 4,
                          column = 4 * (j / 4 * (BN / TN) + tx);
                out.store(m0 + row, n0 + column, four);
            }
        }
    }
};

// 128 x 64 for large products; 64 x 64 where that would leave most of the card idle; 64 x 64
// reading one number at a time, where rows do not start at multiples of 16 bytes.
using SimtWide = SimtProduct<float, 128, 64, 16, 8, 4, 4>;
using SimtSmall = SimtProduct<float, 64, 64, 16, 4, 4, 4>;
template <typename T>
using SimtScalar = SimtProduct<T, 64, 64, 16, 4, 4, 1>;
