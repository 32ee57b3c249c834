// What the kernels share: types, vectors, sums over warps and blocks, activations, and hardware
// instructions behind functions. Include nothing else: NVRTC has no standard library, and the tests
// run these sources on the CPU (MINIGAN_EMULATOR), where a C++ twin stands for each instruction.
//
// Every sum has a fixed order, so results are the same to the bit from run to run.
#pragma once

typedef long long Index;  // counts of numbers pass 2^31

const unsigned ALL_LANES = 0xffffffffu;

// Shared memory: SHARED(float, tile, [32][33]);  or of the launch's size: DYNAMIC_SHARED(float, tile);
#ifndef MINIGAN_EMULATOR
#define SHARED(type, name, size) __shared__ type name size
#define DYNAMIC_SHARED(type, name)                                       \
    extern __shared__ __align__(16) unsigned char minigan_dynamic_shared[]; \
    type *name = reinterpret_cast<type *>(minigan_dynamic_shared)
#endif

// TYPED(name, (const T *x, T *y, Index n), (x, y, n)) defines the kernels name_f32 and name_f64, which
// call the template name_kernel<T>(x, y, n) with T = float and double, in blocks of at
// most 256 threads. TYPED_AS names the suffix, the type and the threads; the bound's 1 lets the compiler
// take registers rather than spill for more blocks at a time.
#define TYPED(name, parameters, arguments)                                                          \
    TYPED_AS(name, _f32, float, 256, parameters, arguments)                                         \
    TYPED_AS(name, _f64, double, 256, parameters, arguments)
#define TYPED_AS(name, suffix, type, threads, parameters, arguments)                                \
    namespace name##suffix##_types {                                                                \
    typedef type T;                                                                                 \
    extern "C" __global__ void __launch_bounds__(threads, 1) name##suffix parameters {                 \
        name##_kernel<T> arguments;                                                                 \
    }                                                                                               \
    }                                                                                               \
    using name##suffix##_types::name##suffix;

// --- where a thread stands -------------------------------------------------------------------------------

__device__ __forceinline__ Index thread_number() { return Index(blockIdx.x) * blockDim.x + threadIdx.x; }
__device__ __forceinline__ Index thread_count() { return Index(gridDim.x) * blockDim.x; }

// --- vectors of 16 bytes ---------------------------------------------------------------------------------

template <class T>
struct __align__(16) Pack {
    static const int size = 16 / sizeof(T);
    T v[size];
};

template <class T>
__device__ __forceinline__ Pack<T> load_pack(const T *x, Index i) {
    const Pack<T> *p = reinterpret_cast<const Pack<T> *>(x) + i;
#ifdef MINIGAN_EMULATOR
    emulator::check_alignment(p, sizeof(Pack<T>));
#endif
    return *p;
}

template <class T>
__device__ __forceinline__ void store_pack(T *y, Index i, Pack<T> value) {
    Pack<T> *p = reinterpret_cast<Pack<T> *>(y) + i;
#ifdef MINIGAN_EMULATOR
    emulator::check_alignment(p, sizeof(Pack<T>));
#endif
    *p = value;
}

template <class... P>
__device__ __forceinline__ bool aligned(const P *...pointers) {
    return ((reinterpret_cast<unsigned long long>(pointers) | ...) & 15) == 0;
}

template <class T, class F, class... P>
__device__ __forceinline__ Pack<T> map_pack(F f, P... packs) {
    Pack<T> out;
#pragma unroll
    for (int k = 0; k < Pack<T>::size; ++k) out.v[k] = f(packs.v[k]...);
    return out;
}

// out[i] = f(in[i]...) for i < n: vectors where every array starts on 16 bytes, then single numbers.
// out may be one of in.
template <class T, class F, class... In>
__device__ __forceinline__ void elementwise(Index n, F f, T *out, const In *...in) {
    Index vectors = aligned(out, in...) ? n / Pack<T>::size : 0;
    for (Index i = thread_number(); i < vectors; i += thread_count())
        store_pack(out, i, map_pack<T>(f, load_pack(in, i)...));
    for (Index i = vectors * Pack<T>::size + thread_number(); i < n; i += thread_count())
        out[i] = f(in[i]...);
}

// --- sums --------------------------------------------------------------------------------------------------

// Over the 32 lanes of a warp, in each of them.
template <class T>
__device__ __forceinline__ T warp_sum(T v) {
#pragma unroll
    for (int bits = 16; bits; bits >>= 1) v += __shfl_xor_sync(ALL_LANES, v, bits);
    return v;
}

// Over a block of whole warps (x only), in each thread. Every thread of the block must call it.
template <class T>
__device__ __forceinline__ T block_sum(T v) {
    SHARED(T, warps, [32]);
    v = warp_sum(v);
    __syncthreads();  // the last sum's readers are done
    if (threadIdx.x % 32 == 0) warps[threadIdx.x / 32] = v;
    __syncthreads();
    T total = 0;
    for (unsigned w = 0; w < blockDim.x / 32; ++w) total += warps[w];
    return total;
}

// --- activations -------------------------------------------------------------------------------------------
// Fused into other kernels by a template parameter. `slope` is leaky_relu's.

enum Activation { NONE = 0, RELU = 1, LEAKY_RELU = 2, TANH = 3 };

// f(x)
template <int A, class T>
__device__ __forceinline__ T activate(T x, T slope) {
    if (A == RELU) return x <= 0 ? T(0) : x;  // a NaN stays one, as on the CPU
    if (A == LEAKY_RELU) return x > 0 ? x : slope * x;
    if (A == TANH) return tanh(x);
    return x;
}

// dy f'(x), from y = f(x); leaky_relu's y has the sign of x, for slope >= 0.
template <int A, class T>
__device__ __forceinline__ T activate_dx(T dy, T y, T slope) {
    if (A == RELU) return y > 0 ? dy : T(0);
    if (A == LEAKY_RELU) return y > 0 ? dy : slope * dy;
    if (A == TANH) return dy * (1 - y * y);
    return dy;
}

// 1 / (1 + exp(-x)) without overflow, as exact where x is far below 0.
template <class T>
__device__ __forceinline__ T sigmoid(T x) {
    T e = exp(-fabs(x));
    return (x >= 0 ? T(1) : e) / (1 + e);
}

// log(1 + exp(x)) without overflow.
template <class T>
__device__ __forceinline__ T softplus(T x) {
    return (x > 0 ? x : T(0)) + log1p(exp(-fabs(x)));
}

// --- asynchronous copies into shared memory (sm_80; below it a plain copy) ---------------------------------------
// copy_async<16>(to, from, valid): the first `valid` of 16 (8, 4) bytes from global memory, then zeros.
// Both addresses on a boundary of that size. Copies committed together are a group.

template <int BYTES>
__device__ __forceinline__ void copy_async(void *to, const void *from, int valid = BYTES) {
#if defined(MINIGAN_EMULATOR)
    emulator::copy_async(to, from, BYTES, valid);
#elif __CUDA_ARCH__ >= 800
    unsigned address = static_cast<unsigned>(__cvta_generic_to_shared(to));
    if (BYTES == 16)
        asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"(address), "l"(from), "r"(valid));
    else
        asm volatile("cp.async.ca.shared.global [%0], [%1], %2, %3;" ::"r"(address), "l"(from), "n"(BYTES),
                     "r"(valid));
#else
    for (int i = 0; i < BYTES / 4; ++i)
        static_cast<unsigned *>(to)[i] = i < valid / 4 ? static_cast<const unsigned *>(from)[i] : 0u;
#endif
}

__device__ __forceinline__ void commit_copies() {
#if defined(MINIGAN_EMULATOR)
    emulator::commit_copies();
#elif __CUDA_ARCH__ >= 800
    asm volatile("cp.async.commit_group;" ::: "memory");
#endif
}

// Waits until at most PENDING of this thread's latest groups are on their way.
template <int PENDING>
__device__ __forceinline__ void wait_for_copies() {
#if defined(MINIGAN_EMULATOR)
    emulator::wait_for_copies(PENDING);
#elif __CUDA_ARCH__ >= 800
    asm volatile("cp.async.wait_group %0;" ::"n"(PENDING) : "memory");
#endif
}

// --- products of small matrices by a whole warp (sm_80) ----------------------------------------------------------
// d (16 x 8) += a (16 x K) b (K x 8), sums in float32. With g = lane / 4, t = lane % 4, a lane holds
//   d: (g, 2t), (g, 2t + 1), (g + 8, 2t), (g + 8, 2t + 1)
//   tf32, K = 8:   a: (g, t), (g + 8, t), (g, t + 4), (g + 8, t + 4);  b: (t, g), (t + 4, g)
//   bf16, K = 16:  a: (g, 2t..), (g + 8, 2t..), (g, 2t + 8..), (g + 8, 2t + 8..), two columns in each
//                  word, the first one in its low half;  b: (2t.., g), (2t + 8.., g), likewise two rows

// x rounded to TF32, 10 bits of mantissa, ties away from zero.
__device__ __forceinline__ unsigned to_tf32(float x) {
#if defined(MINIGAN_EMULATOR) || __CUDA_ARCH__ < 800
    unsigned bits = __float_as_uint(x);
    return (bits & 0x7f800000u) == 0x7f800000u ? bits : (bits + 0x1000u) & 0xffffe000u;
#else
    unsigned rounded;
    asm("cvt.rna.tf32.f32 %0, %1;" : "=r"(rounded) : "f"(x));
    return rounded;
#endif
}

// x rounded to bfloat16, 7 bits of mantissa, ties to even.
__device__ __forceinline__ unsigned short to_bf16(float x) {
    unsigned bits = __float_as_uint(x);
    if ((bits & 0x7fffffffu) > 0x7f800000u) return 0x7fff;
    return static_cast<unsigned short>((bits + 0x7fffu + (bits >> 16 & 1u)) >> 16);
}

__device__ __forceinline__ float from_bf16(unsigned short x) {
    return __uint_as_float(static_cast<unsigned>(x) << 16);
}

#ifdef MINIGAN_EMULATOR
struct Fragments {
    float *d;
    const unsigned *a, *b;
};

// The same product from all lanes' fragments at once: once K, and how a lane's words hold a and b.
template <int K>
inline void warp_product(void **lanes) {
    float a[16][K], b[K][8];
    const int words = K / 8;  // columns in a word of a
    for (int lane = 0; lane < 32; ++lane) {
        const Fragments &f = *static_cast<Fragments *>(lanes[lane]);
        int g = lane / 4, t = lane % 4;
        for (int w = 0; w < 4; ++w)
            for (int h = 0; h < words; ++h) {
                int column = words * (t + 4 * (w / 2)) + h, row = g + 8 * (w % 2);
                auto value = [&](unsigned word) {
                    return K == 8 ? __uint_as_float(word & 0xffffe000u) : from_bf16(word >> 16 * h);
                };
                a[row][column] = value(f.a[w]);
                if (w % 2 == 0) b[column][g] = value(f.b[w / 2]);
            }
    }
    for (int lane = 0; lane < 32; ++lane) {
        const Fragments &f = *static_cast<Fragments *>(lanes[lane]);
        for (int i = 0; i < 4; ++i) {
            int row = lane / 4 + 8 * (i / 2), column = 2 * (lane % 4) + i % 2;
            for (int k = 0; k < K; ++k) f.d[i] += a[row][k] * b[k][column];
        }
    }
}
#endif

__device__ __forceinline__ void mma_tf32(float (&d)[4], const unsigned (&a)[4], const unsigned (&b)[2]) {
#if defined(MINIGAN_EMULATOR)
    Fragments mine{d, a, b};
    emulator::in_warp(HERE, ALL_LANES, warp_product<8>, &mine);
#elif __CUDA_ARCH__ >= 800
    asm volatile(
        "mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 "
        "{%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"
        : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
        : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
#else
    __trap();  // the host does not choose it below sm_80
#endif
}

__device__ __forceinline__ void mma_bf16(float (&d)[4], const unsigned (&a)[4], const unsigned (&b)[2]) {
#if defined(MINIGAN_EMULATOR)
    Fragments mine{d, a, b};
    emulator::in_warp(HERE, ALL_LANES, warp_product<16>, &mine);
#elif __CUDA_ARCH__ >= 800
    asm volatile(
        "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 "
        "{%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"
        : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
        : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
#else
    __trap();
#endif
}
