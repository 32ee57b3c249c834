// A tile of a product on tensor cores, by mma.sync, in TF32 or bf16 with sums in float32.
//
// Operands come from float32 arrays. In shared memory a word is one float (TF32: rounded when it is
// read into a fragment) or two bf16 neighbours along k (rounded on the way in); a tile is 16 words
// deep, so k = 16 in TF32 and 32 in bf16. A block's warps form a WARPS_M x WARPS_N grid of warp
// tiles of WM x WN = (BM / WARPS_M) x (BN / WARPS_N), cut into mma's of 16 x 8.
//
// Shared layouts, such that the 32 lanes of a fragment's read (g = lane / 4, t = lane % 4; common.cuh)
// touch 32 different banks:
//     K-major   [mn][word], lines of 16 + 4 words:  bank 20 g + t = {0, 20, 8, 28, 16, 4, 24, 12} + t
//     MN-major  [word][mn], lines of MN + 8 words:  bank 8 t + g
//
// TF32: four stages filled by cp.async, three tiles ahead; one barrier a tile, because the stage that
// is filled next was read before the barrier.
// bf16: cp.async cannot convert, so the next tile passes through registers into the other of two
// buffers, again with one barrier a tile.
//
// A warp reads WM + WN words of shared memory for every WM WN multiply-adds of one k: a 64 x 64 warp
// tile reads one word for each mma and lane, 32 x 32 two.
#pragma once

#include "mma.cuh"
#include "operand.cuh"

constexpr int WORDS = 16;  // of a tile along k

// Words of one operand's tile in shared memory.
template <bool K_MAJOR, int MN>
struct Layout {
    static constexpr int LINE = K_MAJOR ? WORDS + 4 : MN + 8;
    static constexpr int SIZE = K_MAJOR ? MN * LINE : WORDS * LINE;
    __device__ static int at(int mn, int word) { return K_MAJOR ? mn * LINE + word : word * LINE + mn; }
};

template <int W>
struct Tf32 {
    static constexpr int PER_WORD = 1, STAGES = 4;

    __device__ static unsigned fragment(unsigned word) { return to_tf32(__uint_as_float(word)); }
    __device__ static void mma(float (&d)[4], const unsigned (&a)[4], const unsigned (&b)[2]) {
        mma_tf32(d, a, b);
    }

    // Tiles of both operands, each on its way to its stage.
    template <class FeedA, class FeedB, class LayoutA, class LayoutB>
    struct Pipe {
        FeedA &a;
        FeedB &b;
        unsigned *shared;
        Run k;

        template <class F, class L>
        __device__ void fill(F &feed, unsigned *to, int at) {
            feed.seek(at, k.end);
#pragma unroll
            for (int i = 0; i < F::LINES; ++i) {
                const int index =
                    F::K_MAJOR ? L::at(feed.line(i), feed.along) : L::at(feed.along, feed.line(i));
                copy_or_zeros<4 * W>(to + index, feed.at(i), feed.anywhere());
            }
        }
        __device__ void request(int tile) {
            const int at = k.begin + tile * WORDS;
            if (at < k.end) {
                unsigned *to = shared + tile % STAGES * (LayoutA::SIZE + LayoutB::SIZE);
                fill<FeedA, LayoutA>(a, to, at);
                fill<FeedB, LayoutB>(b, to + LayoutA::SIZE, at);
            }
            commit_copies();
        }
        __device__ void start() {
#pragma unroll
            for (int tile = 0; tile < STAGES - 1; ++tile) request(tile);
        }
        // From here on the tile can be read, and the one STAGES - 1 after it is on its way.
        __device__ const unsigned *take(int tile) {
            wait_for_copies<STAGES - 2>();
            __syncthreads();
            request(tile + STAGES - 1);
            return shared + tile % STAGES * (LayoutA::SIZE + LayoutB::SIZE);
        }
        __device__ void done(int) {}
        __device__ void finish() { wait_for_copies<0>(); }
    };
};

template <int W>
struct Bf16 {
    static constexpr int PER_WORD = 2, STAGES = 2;

    __device__ static unsigned fragment(unsigned word) { return word; }
    __device__ static void mma(float (&d)[4], const unsigned (&a)[4], const unsigned (&b)[2]) {
        mma_bf16(d, a, b);
    }

    template <class FeedA, class FeedB, class LayoutA, class LayoutB>
    struct Pipe {
        FeedA &a;
        FeedB &b;
        unsigned *shared;
        Run k;
        float next_a[FeedA::LINES][W] = {}, next_b[FeedB::LINES][W] = {};

        __device__ Pipe(FeedA &a, FeedB &b, unsigned *shared, Run k) : a(a), b(b), shared(shared), k(k) {}

        template <class F, class L>
        __device__ static void keep(const F &feed, const float (&from)[F::LINES][W], unsigned *to) {
            if constexpr (!F::K_MAJOR) {
#pragma unroll
                for (int i = 0; i < F::LINES; i += 2) {
                    Vec<unsigned, W> words;
#pragma unroll
                    for (int e = 0; e < W; ++e) words.value[e] = to_bf16x2(from[i][e], from[i + 1][e]);
                    const int index = L::at(feed.along, feed.line(i) / 2);
                    *reinterpret_cast<Vec<unsigned, W> *>(to + index) = words;
                }
            } else if constexpr (W > 1) {
#pragma unroll
                for (int i = 0; i < F::LINES; ++i) {
                    Vec<unsigned, W / 2> words;
#pragma unroll
                    for (int e = 0; e < W; e += 2)
                        words.value[e / 2] = to_bf16x2(from[i][e], from[i][e + 1]);
                    const int index = L::at(feed.line(i), feed.along / 2);
                    *reinterpret_cast<Vec<unsigned, W / 2> *>(to + index) = words;
                }
            } else {  // a thread holds one half of each word
#pragma unroll
                for (int i = 0; i < F::LINES; ++i) {
                    const int index = 2 * L::at(feed.line(i), 0) + feed.along;
                    reinterpret_cast<unsigned short *>(to)[index] =
                        static_cast<unsigned short>(to_bf16x2(from[i][0], 0.0f));
                }
            }
        }
        __device__ unsigned *buffer(int tile) const {
            return shared + tile % STAGES * (LayoutA::SIZE + LayoutB::SIZE);
        }
        __device__ bool read(int tile) {
            const int at = k.begin + tile * WORDS * PER_WORD;
            if (at >= k.end) return false;
            a.seek(at, k.end);
            b.seek(at, k.end);
            a.read(next_a);
            b.read(next_b);
            return true;
        }
        __device__ void keep_both(int tile) {
            keep<FeedA, LayoutA>(a, next_a, buffer(tile));
            keep<FeedB, LayoutB>(b, next_b, buffer(tile) + LayoutA::SIZE);
            __syncthreads();
        }
        __device__ void start() {
            if (read(0)) keep_both(0);
        }
        __device__ const unsigned *take(int tile) {
            more = read(tile + 1);
            return buffer(tile);
        }
        __device__ void done(int tile) {
            if (more) keep_both(tile + 1);
        }
        __device__ void finish() {}

        bool more = false;
    };
};

template <template <int> class Math_, int BM_, int BN_, int WARPS_M, int WARPS_N, int W>
struct MmaProduct {
    using Math = Math_<W>;
    using Sum = float;
    static constexpr int BM = BM_, BN = BN_, BK = WORDS * Math::PER_WORD;
    static constexpr int THREADS = 32 * WARPS_M * WARPS_N;
    static constexpr int SUM_LINE = BN + 8;                       // of the sums, on their way out
    static constexpr int BLOCKS = BM == 128 ? 256 / THREADS : 2;  // of a multiprocessor, at least
    static constexpr int WM = BM / WARPS_M, WN = BN / WARPS_N, TILES_M = WM / 16, TILES_N = WN / 8;

    template <class A, class B, class Out>
    __device__ static void run(const A &a, const B &b, const Out &out, int m0, int n0, Run k) {
        using FeedA = Feed<A, BM, BK, W, THREADS, Math::PER_WORD>;
        using FeedB = Feed<B, BN, BK, W, THREADS, Math::PER_WORD>;
        using LayoutA = Layout<A::K_MAJOR, BM>;
        using LayoutB = Layout<B::K_MAJOR, BN>;
        DYNAMIC_SHARED(unsigned, shared);
        const int thread = threadIdx.x, warp = thread / 32, g = thread % 32 / 4, t = thread % 4;
        const int row = warp / WARPS_N * WM + g, column = warp % WARPS_N * WN + g;
        FeedA feed_a(a, m0, thread);
        FeedB feed_b(b, n0, thread);
        typename Math::template Pipe<FeedA, FeedB, LayoutA, LayoutB> pipe{feed_a, feed_b, shared, k};
        float sum[TILES_M][TILES_N][4] = {};

        pipe.start();
        for (int tile = 0; k.begin + tile * BK < k.end; ++tile) {
            const unsigned *left = pipe.take(tile);
            const unsigned *right = left + LayoutA::SIZE;
#pragma unroll
            for (int step = 0; step < WORDS; step += 8) {
                const int word = step + t;
                unsigned fa[TILES_M][4], fb[TILES_N][2];
#pragma unroll
                for (int i = 0; i < TILES_M; ++i) {
#pragma unroll
                    for (int e = 0; e < 4; ++e) {
                        const int mn = row + 16 * i + 8 * (e % 2);
                        fa[i][e] = Math::fragment(left[LayoutA::at(mn, word + 4 * (e / 2))]);
                    }
                }
#pragma unroll
                for (int j = 0; j < TILES_N; ++j) {
#pragma unroll
                    for (int e = 0; e < 2; ++e) {
                        fb[j][e] = Math::fragment(right[LayoutB::at(column + 8 * j, word + 4 * e)]);
                    }
                }
#pragma unroll
                for (int i = 0; i < TILES_M; ++i) {
#pragma unroll
                    for (int j = 0; j < TILES_N; ++j) Math::mma(sum[i][j], fa[i], fb[j]);
                }
            }
            pipe.done(tile);
        }
        pipe.finish();

        // Through shared memory, so that rows are written 16 bytes at a time by neighbouring threads.
        __syncthreads();
        float *sums = reinterpret_cast<float *>(shared);
#pragma unroll
        for (int i = 0; i < TILES_M; ++i) {
#pragma unroll
            for (int j = 0; j < TILES_N; ++j) {
                float *upper = sums + (row + 16 * i) * SUM_LINE + column - g + 2 * t + 8 * j;
                *reinterpret_cast<Vec<float, 2> *>(upper) = {sum[i][j][0], sum[i][j][1]};
                *reinterpret_cast<Vec<float, 2> *>(upper + 8 * SUM_LINE) = {sum[i][j][2], sum[i][j][3]};
            }
        }
        __syncthreads();
#pragma unroll 1
        for (int i = thread; i < BM * BN / 4; i += THREADS) {
            const int down = i / (BN / 4), right = i % (BN / 4) * 4;
            out.store(m0 + down, n0 + right, load_vec<4>(sums + down * SUM_LINE + right).value);
        }
    }
};

// 128 x 128 for large products: four warps of 64 x 64 in TF32; eight of 64 x 32 in bf16, whose next
// tile needs registers. 64 x 64 where that would leave most of the card idle, and 64 x 64 reading
// one number at a time where rows do not start at multiples of 16 bytes.
using Tf32Wide = MmaProduct<Tf32, 128, 128, 2, 2, 4>;
using Tf32Small = MmaProduct<Tf32, 64, 64, 2, 2, 4>;
using Tf32Scalar = MmaProduct<Tf32, 64, 64, 2, 4, 1>;
using Bf16Wide = MmaProduct<Bf16, 128, 128, 2, 4, 4>;
using Bf16Small = MmaProduct<Bf16, 64, 64, 2, 2, 4>;
using Bf16Scalar = MmaProduct<Bf16, 64, 64, 2, 4, 1>;
