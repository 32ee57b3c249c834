// A tile of a product by wgmma, in bf16 with sums in float32 (sm_90a). Its plain twin is Bf16Wide of
// product_mma.cuh, which computes the same sums of the same rounded factors in another order.
//
// Two warpgroups compute 128 x 128, each 64 rows of it. Operands are float32 arrays, so no copy engine
// can bring them: as in product_mma.cuh the next tile, 32 deep, passes through registers, is rounded and
// stored into the other of two buffers, here while the tensor cores work on this one.
//
// Shared layout as in wgmma.cuh, with columns of core matrices MN * 16 + 32 bytes apart: a thread stores 8
// bytes of a K-major row, and the 16 threads that store at once cover all 32 banks; of an MN-major operand
// a thread takes 8 numbers along k, which is a core matrix's row of 16 bytes, its neighbours the next.
//
// Shared memory is read by the tensor cores alone: no fragment passes through registers, which is what
// bounds mma.sync.
#pragma once

#include "operand.cuh"
#include "wgmma.cuh"

struct WgmmaProduct {
    using Sum = float;
    static constexpr int BM = 128, BN = 128, BK = 32, THREADS = 256;
    static constexpr int BLOCKS = 1;              // of a multiprocessor, at least
    static constexpr int COLUMN = 128 * 16 + 32;  // bytes
    static constexpr int OPERAND = BK / 8 * COLUMN, BUFFER = 2 * OPERAND;
    static constexpr int SUM_LINE = BN + 8;  // of the sums, on their way out

    // Numbers of a row that a thread reads at once.
    template <class Source>
    static constexpr int WIDTH = Source::K_MAJOR ? 4 : 1;

    template <class F, int W>
    __device__ static void keep(const F &feed, const float (&from)[F::LINES][W], unsigned char *to) {
        constexpr int STEP = F::K_MAJOR ? 1 : 8;
#pragma unroll
        for (int i = 0; i < F::LINES; i += STEP) {
            if constexpr (F::K_MAJOR) {
                const int mn = feed.line(i), k = feed.along;
                const Vec<unsigned, 2> words = {to_bf16x2(from[i][0], from[i][1]),
                                                to_bf16x2(from[i][2], from[i][3])};
                *reinterpret_cast<Vec<unsigned, 2> *>(to + k / 8 * COLUMN + mn * 16 + k % 8 * 2) = words;
            } else {
                const int mn = feed.along, k = feed.line(i);
                Vec<unsigned, 4> words;
#pragma unroll
                for (int e = 0; e < 4; ++e) {
                    words.value[e] = to_bf16x2(from[i + 2 * e][0], from[i + 2 * e + 1][0]);
                }
                *reinterpret_cast<Vec<unsigned, 4> *>(to + k / 8 * COLUMN + mn * 16) = words;
            }
        }
    }

    template <class A, class B, class Out>
    __device__ static void run(const A &a, const B &b, const Out &out, int m0, int n0, Run k) {
        using FeedA = Feed<A, BM, BK, WIDTH<A>, THREADS, 8>;
        using FeedB = Feed<B, BN, BK, WIDTH<B>, THREADS, 8>;
        DYNAMIC_SHARED(unsigned char, shared);
        const int thread = threadIdx.x, group = thread / 128;
        FeedA feed_a(a, m0, thread);
        FeedB feed_b(b, n0, thread);
        float next_a[FeedA::LINES][WIDTH<A>], next_b[FeedB::LINES][WIDTH<B>];
        float sum[64] = {};

        const auto read = [&](int at) {
            feed_a.seek(at, k.end);
            feed_b.seek(at, k.end);
            feed_a.read(next_a);
            feed_b.read(next_b);
        };
        const auto keep_both = [&](int buffer) {
            keep(feed_a, next_a, shared + buffer * BUFFER);
            keep(feed_b, next_b, shared + buffer * BUFFER + OPERAND);
            publish_to_wgmma();
        };

        read(k.begin);
        keep_both(0);
        __syncthreads();
        int buffer = 0;
        for (int at = k.begin; at < k.end; at += BK, buffer ^= 1) {
            const bool more = at + BK < k.end;
            if (more) read(at + BK);
            wgmma_fence();
            const unsigned char *left = shared + buffer * BUFFER + group * 64 * 16;
            const unsigned char *right = shared + buffer * BUFFER + OPERAND;
#pragma unroll
            for (int step = 0; step < BK / 16; ++step) {
                wgmma_bf16(sum, descriptor_of(left + step * 2 * COLUMN, COLUMN),
                           descriptor_of(right + step * 2 * COLUMN, COLUMN));
            }
            wgmma_commit();
            if (more) keep_both(buffer ^ 1);
            wgmma_wait(sum);
            __syncthreads();
        }

        // Through shared memory, so that rows are written 16 bytes at a time by neighbouring threads.
        float *sums = reinterpret_cast<float *>(shared);
        const int row = thread / 32 * 16 + thread % 32 / 4, column = 2 * (thread % 4);
#pragma unroll
        for (int j = 0; j < BN / 8; ++j) {
            float *upper = sums + row * SUM_LINE + column + 8 * j;
            *reinterpret_cast<Vec<float, 2> *>(upper) = {sum[4 * j], sum[4 * j + 1]};
            *reinterpret_cast<Vec<float, 2> *>(upper + 8 * SUM_LINE) = {sum[4 * j + 2], sum[4 * j + 3]};
        }
        __syncthreads();
#pragma unroll 1
        for (int i = thread; i < BM * BN / 4; i += THREADS) {
            const int down = i / (BN / 4), right = i % (BN / 4) * 4;
            out.store(m0 + down, n0 + right, load_vec<4>(sums + down * SUM_LINE + right).value);
        }
    }
};
