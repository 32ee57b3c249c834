// Words of bf16, and copies that fill with zeros, for the tiled products on tensor cores.
#pragma once

#include "common.cuh"

// Two numbers rounded to bf16, ties to even, the first in the low half: one instruction from sm_80 on.
__device__ __forceinline__ unsigned to_bf16x2(float low, float high) {
#if defined(MINIGAN_EMULATOR) || __CUDA_ARCH__ < 800
    return to_bf16(low) | static_cast<unsigned>(to_bf16(high)) << 16;
#else
    unsigned word;
    asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(word) : "f"(high), "f"(low));
    return word;
#endif
}

// An asynchronous copy of BYTES from `from`; zeros, and no read of `anywhere`, where it is null.
template <int BYTES>
__device__ __forceinline__ void copy_or_zeros(void *to, const void *from, const void *anywhere) {
    copy_async<BYTES>(to, from ? from : anywhere, from ? BYTES : 0);
}
