// Random arrays: the CUDA side of minigan/ops/random.py.
//
// Philox 4x64-10 (Salmon et al. 2011): ten rounds turn key (k0, k1) and counter (c0, c1, c2, c3) into four
// words of 64 bits,
//     (hi0, lo0) = M0 c0,  (hi1, lo1) = M1 c2,   c = (hi1 ^ c1 ^ k0, lo1, hi0 ^ c3 ^ k1, lo0)
// and the key is raised by the Weyl constants between rounds. Words 4 j .. 4 j + 3 of an array are block
// c + 1 + j, the counter being one number of 256 bits: NumPy's np.random.Philox gives the same words.
//
//     uniform         low + (high - low) u,  u = 2^-53 floor(b / 2^11)
//     normal          sqrt(-2 log(1 - u)) cos(2 pi u'), and the same times sin(2 pi u')
//     dropout_scale   of each word two numbers, its low half first: 0 where half < p 2^32, else 1 / (1 - p)
//
// Layout       state: k0 k1 c0 c1 c2 c3 in device memory, so that a captured graph draws anew; out: n numbers
// Launch       blocks of 256 threads, a block of four words to a thread, in strides of the grid
// Bytes        n sizeof(T) written. About 100 integer operations per four words; normals take a float64 log,
//              sqrt, sin and cos a pair, which is compute-bound, more so on cards with few float64 units
// Versions     1: this one
#include "common.cuh"

typedef unsigned long long Word;

struct Block {
    Word v[4];
};

__device__ __forceinline__ Block philox(const Word *state, Word number) {
    Word k0 = state[0], k1 = state[1];
    Block c;
    Word carry = number + 1;
#pragma unroll
    for (int i = 0; i < 4; ++i) {
        c.v[i] = state[2 + i] + carry;
        carry = c.v[i] < carry;
    }
#pragma unroll
    for (int round = 0; round < 10; ++round) {
        const Word m0 = 0xD2E7470EE14C6C93ull, m1 = 0xCA5A826395121157ull;
        Word hi0 = __umul64hi(m0, c.v[0]), lo0 = m0 * c.v[0];
        Word hi1 = __umul64hi(m1, c.v[2]), lo1 = m1 * c.v[2];
        c = {{hi1 ^ c.v[1] ^ k0, lo1, hi0 ^ c.v[3] ^ k1, lo0}};
        k0 += 0x9E3779B97F4A7C15ull;
        k1 += 0xBB67AE8584CAA73Bull;
    }
    return c;
}

// The upper 53 bits as a number of [0, 1).
__device__ __forceinline__ double unit(Word bits) { return double(bits >> 11) * 1.1102230246251565e-16; }

// out[PER * j + i] = f(block j)[i]
template <int PER, class T, class F>
__device__ __forceinline__ void by_blocks(const Word *state, T *out, Index n, F f) {
    for (Index j = thread_number(); j < (n + PER - 1) / PER; j += thread_count()) {
        T number[PER];
        f(philox(state, j), number);
#pragma unroll
        for (int i = 0; i < PER; ++i)
            if (j * PER + i < n) out[j * PER + i] = number[i];
    }
}

// The sum and the product are rounded one after the other, as NumPy does: no fused multiply-add.
__device__ __forceinline__ double scaled(double u, double range, double low) {
#ifdef MINIGAN_EMULATOR
    return u * range + low;
#else
    return __dadd_rn(__dmul_rn(u, range), low);
#endif
}

template <class T>
__device__ __forceinline__ void uniform_kernel(const Word *state, T *out, double low, double range, Index n) {
    by_blocks<4>(state, out, n, [=](Block b, T *number) {
#pragma unroll
        for (int i = 0; i < 4; ++i) number[i] = T(scaled(unit(b.v[i]), range, low));
    });
}
TYPED(uniform, (const Word *state, T *out, double low, double range, Index n), (state, out, low, range, n))

template <class T>
__device__ __forceinline__ void normal_kernel(const Word *state, T *out, Index n) {
    by_blocks<4>(state, out, n, [=](Block b, T *number) {
#pragma unroll
        for (int i = 0; i < 4; i += 2) {
            double radius = sqrt(log(1 - unit(b.v[i])) * -2), angle = unit(b.v[i + 1]) * 6.283185307179586;
            number[i] = T(radius * cos(angle));
            number[i + 1] = T(radius * sin(angle));
        }
    });
}
TYPED(normal, (const Word *state, T *out, Index n), (state, out, n))

template <class T>
__device__ __forceinline__ void dropout_scale_kernel(const Word *state, T *out, Word threshold, T scale,
                                                     Index n) {
    by_blocks<8>(state, out, n, [=](Block b, T *number) {
#pragma unroll
        for (int i = 0; i < 8; ++i) {
            Word half = i % 2 ? b.v[i / 2] >> 32 : b.v[i / 2] & 0xffffffffull;
            number[i] = half >= threshold ? scale : T(0);
        }
    });
}
TYPED(dropout_scale, (const Word *state, T *out, Word threshold, T scale, Index n),
      (state, out, threshold, scale, n))
