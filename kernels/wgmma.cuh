// Products by a warpgroup, 128 threads, whose operands the tensor cores read from shared memory (sm_90a).
//
// wgmma.mma_async m64n128k16 in bf16: 64 rows of A, 128 columns of B, sums in float32. Both operands are
// K-major without swizzling: 8 rows of 8 numbers are 128 bytes on end, a core matrix. Here core matrices
// that are neighbours along mn follow each other, and a column of them starts every `column` bytes:
//
//     number (mn, k) lies at  k / 8 * column + mn * 16 + k % 8 * 2  bytes
//
// The descriptor holds the address, `column` (leading dimension offset: the next core matrix along k) and
// 128 (stride offset: the next one along mn), each in units of 16 bytes (PTX ISA, "Asynchronous
// Warpgroup Level Matrix Shared Memory Layout"). Warp w of the group gets rows 16 w and on: with g and t
// as in common.cuh, d[4 j + i] = D[16 w + g + 8 (i / 2)][8 j + 2 t + i % 2].
//
// The CPU twin reads the same bytes by the same rule; it cannot tell whether the encoding of a
// descriptor, the fences or the waiting are right on a card.
#pragma once

#include "mma.cuh"

#if defined(MINIGAN_EMULATOR)
struct Descriptor {
    const unsigned char *start;
    int column;
};
#else
typedef unsigned long long Descriptor;
#endif

__device__ __forceinline__ Descriptor descriptor_of(const void *start, int column) {
#if defined(MINIGAN_EMULATOR)
    return {static_cast<const unsigned char *>(start), column};
#else
    const unsigned long long address = __cvta_generic_to_shared(start);
    return (address & 0x3ffff) >> 4 | static_cast<unsigned long long>(column >> 4) << 16 |
           static_cast<unsigned long long>(128 >> 4) << 32;
#endif
}

// Registers and shared memory that were written are seen by the products that follow.
__device__ __forceinline__ void wgmma_fence() {
#ifdef __CUDA_ARCH_FEAT_SM90_ALL
    asm volatile("wgmma.fence.sync.aligned;" ::: "memory");
#endif
}

// What this thread wrote to shared memory is seen by wgmma, which reads past the ordinary path.
__device__ __forceinline__ void publish_to_wgmma() {
#ifdef __CUDA_ARCH_FEAT_SM90_ALL
    asm volatile("fence.proxy.async.shared::cta;" ::: "memory");
#endif
}

__device__ __forceinline__ void wgmma_commit() {
#ifdef __CUDA_ARCH_FEAT_SM90_ALL
    asm volatile("wgmma.commit_group.sync.aligned;" ::: "memory");
#endif
}

// Until all products are done and d can be read.
// The sums pass through, so that the compiler reads none of their registers before.
__device__ __forceinline__ void wgmma_wait(float (&d)[64]) {
#ifdef __CUDA_ARCH_FEAT_SM90_ALL
    asm volatile("wgmma.wait_group.sync.aligned 0;" ::: "memory");
#pragma unroll
    for (int i = 0; i < 64; ++i) asm volatile("" : "+f"(d[i])::"memory");
#endif
}

// d += a b with k = 16, begun by all threads of a warpgroup.
__device__ __forceinline__ void wgmma_bf16(float (&d)[64], Descriptor a, Descriptor b) {
#if defined(MINIGAN_EMULATOR)
    const int warp = threadIdx.x % 128 / 32, g = threadIdx.x % 32 / 4, t = threadIdx.x % 4;
    const auto number = [](const Descriptor &of, int mn, int k) {
        return from_bf16(*reinterpret_cast<const unsigned short *>(of.start + k / 8 * of.column +
                                                                   mn * 16 + k % 8 * 2));
    };
    for (int i = 0; i < 64; ++i) {
        const int row = 16 * warp + g + 8 * (i % 4 / 2), column = i / 4 * 8 + 2 * t + i % 2;
        for (int k = 0; k < 16; ++k) d[i] += number(a, row, k) * number(b, column, k);
    }
#elif defined(__CUDA_ARCH_FEAT_SM90_ALL)
#define FOUR(i) "+f"(d[i]), "+f"(d[i + 1]), "+f"(d[i + 2]), "+f"(d[i + 3])
#define SIXTEEN(i) FOUR(i), FOUR(i + 4), FOUR(i + 8), FOUR(i + 12)
    asm volatile(
        "wgmma.mma_async.sync.aligned.m64n128k16.f32.bf16.bf16 "
        "{%0, %1, %2, %3, %4, %5, %6, %7, %8, %9, %10, %11, %12, %13, %14, %15, "
        "%16, %17, %18, %19, %20, %21, %22, %23, %24, %25, %26, %27, %28, %29, %30, %31, "
        "%32, %33, %34, %35, %36, %37, %38, %39, %40, %41, %42, %43, %44, %45, %46, %47, "
        "%48, %49, %50, %51, %52, %53, %54, %55, %56, %57, %58, %59, %60, %61, %62, %63}, "
        "%64, %65, 1, 1, 1, 0, 0;"
        : SIXTEEN(0), SIXTEEN(16), SIXTEEN(32), SIXTEEN(48)
        : "l"(a), "l"(b));
#undef SIXTEEN
#undef FOUR
#else
    __trap();  // the host does not choose it for other cards
#endif
}
