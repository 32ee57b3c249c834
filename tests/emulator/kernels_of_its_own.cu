// Kernels that try out the emulator; tests/emulator/test_emulator.py says what each must do.
#include "common.cuh"

extern "C" __global__ void shuffles(float *down, float *up, float *swapped, float *first, unsigned *votes) {
    const int i = threadIdx.x;
    const float v = i;
    down[i] = __shfl_down_sync(ALL_LANES, v, 3);
    up[i] = __shfl_up_sync(ALL_LANES, v, 3);
    swapped[i] = __shfl_xor_sync(ALL_LANES, v, 5);
    first[i] = __shfl_sync(ALL_LANES, v, 0, 8);
    votes[i] = __ballot_sync(ALL_LANES, i % 3 == 0);
}

// y[i] = x[n - 1 - i] through shared memory; `wait` and `sync` leave those out where they are 0.
extern "C" __global__ void reversed(const float *x, float *y, int wait, int sync) {
    DYNAMIC_SHARED(float, tile);
    const int i = threadIdx.x, n = blockDim.x;
    copy_async<4>(tile + i, x + i);
    commit_copies();
    if (wait) wait_for_copies<0>();
    if (sync) __syncthreads();
    y[i] = tile[n - 1 - i];
}

// c (16, 8) = a (16, K) b (K, 8), K = 8 in tf32, 16 in bf16.
extern "C" __global__ void product(const float *a, const float *b, float *c, int bf16) {
    const int g = threadIdx.x / 4, t = threadIdx.x % 4;
    float d[4] = {0, 0, 0, 0};
    if (bf16) {
        unsigned u[4], v[2];
        for (int w = 0; w < 4; ++w) {
            const float *p = a + (g + 8 * (w % 2)) * 16 + 2 * t + 8 * (w / 2);
            u[w] = to_bf16(p[0]) | static_cast<unsigned>(to_bf16(p[1])) << 16;
        }
        for (int w = 0; w < 2; ++w) {
            const float *p = b + (2 * t + 8 * w) * 8 + g;
            v[w] = to_bf16(p[0]) | static_cast<unsigned>(to_bf16(p[8])) << 16;
        }
        mma_bf16(d, u, v);
    } else {
        unsigned u[4], v[2];
        for (int w = 0; w < 4; ++w) u[w] = to_tf32(a[(g + 8 * (w % 2)) * 8 + t + 4 * (w / 2)]);
        for (int w = 0; w < 2; ++w) v[w] = to_tf32(b[(t + 4 * w) * 8 + g]);
        mma_tf32(d, u, v);
    }
    for (int i = 0; i < 4; ++i) c[(g + 8 * (i / 2)) * 8 + 2 * t + i % 2] = d[i];
}

extern "C" __global__ void some_lanes(float *y) {
    if (threadIdx.x < 16) y[threadIdx.x] = __shfl_xor_sync(ALL_LANES, y[threadIdx.x], 1);
}

extern "C" __global__ void vectors(const float *x, float *y) { store_pack(y, 0, load_pack(x + 1, 0)); }

extern "C" __global__ void order(int *turn, int *when) { when[blockIdx.x * blockDim.x + threadIdx.x] = atomicAdd(turn, 1); }
