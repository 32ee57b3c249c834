// The convolution triad in float32 and float64: the CUDA side of minigan/ops/conv.py in precision "fp32" and
// for float64 arrays. Layouts, phases and launch: conv.cuh. A block's work: product_simt.cuh.
//
// Bytes and operations of each of the triad: 2 N OH OW KH KW C O operations, none of them on zeros but for the
// padding's; x, w and y are read or written once from memory where patches, which overlap KH KW / s^2 times,
// come from the L2 cache. For DCGAN's 64 -> 128, 4 x 4, stride 2, batch 128, from 32 x 32: 8.6 GFLOP for 33.6 +
// 16.8 MB, 170 operations a byte: bound by operations in any precision.
// From the L2 cache, blocks read as many bytes as those of gemm.cu: 21 and 16 operations a byte.
//
// Occupancy on sm_90, from nvcc's counts: wide 109 to 113 registers: 2 blocks of 8 warps on a multiprocessor;
// small and scalar 79 to 96: 2 to 3. The geometry of patches lies in shared memory, 100 to 240 bytes.
//
// Versions  1  conv2d_naive, conv2d_dx_naive, conv2d_dw_naive: one thread an output, from the definition
//           2  _wide, _small, _scalar: products by tiles
//           3  conv_tf32.cu     4  conv_bf16.cu     5  conv_wgmma.cu     thin pictures: thin_conv.cu
#include "conv.cuh"
#include "product_simt.cuh"

// Version 1: one thread an output, straight from the definition.

template <class T>
__device__ __forceinline__ void conv2d_naive_kernel(const T *x, const T *weights, T *y,
                                                    const ConvShape &s, const Finish<T> &finish) {
    const Index index = thread_number();
    if (index >= Index(s.batch) * s.oh * s.ow * s.o) return;
    const int q = index % s.o, place = index / s.o;
    const int j = place % s.ow, i = place / s.ow % s.oh, n = place / s.ow / s.oh;
    T sum = 0;
    for (int a = 0; a < s.kh; ++a) {
        for (int b = 0; b < s.kw; ++b) {
            const int row = i * s.stride_h + a * s.dilation_h - s.padding_h;
            const int column = j * s.stride_w + b * s.dilation_w - s.padding_w;
            if (row < 0 || row >= s.h || column < 0 || column >= s.w) continue;
            const T *from = x + ((Index(n) * s.h + row) * s.w + column) * s.c;
            const T *factor = weights + Index(a * s.kw + b) * s.c * s.o + q;
            for (int p = 0; p < s.c; ++p) sum += from[p] * factor[Index(p) * s.o];
        }
    }
    y[index] = finish(sum, q, y + index);
}

template <class T>
__device__ __forceinline__ void conv2d_dx_naive_kernel(const T *dy, const T *weights, T *dx,
                                                       const ConvShape &s, const Finish<T> &finish) {
    const Index index = thread_number();
    if (index >= Index(s.batch) * s.h * s.w * s.c) return;
    const int p = index % s.c, pixel = index / s.c;
    const int column = pixel % s.w, row = pixel / s.w % s.h, n = pixel / s.w / s.h;
    T sum = 0;
    for (int a = 0; a < s.kh; ++a) {
        for (int b = 0; b < s.kw; ++b) {
            const int down = row + s.padding_h - a * s.dilation_h;
            const int right = column + s.padding_w - b * s.dilation_w;
            if (down < 0 || right < 0 || down % s.stride_h || right % s.stride_w) continue;
            const int i = down / s.stride_h, j = right / s.stride_w;
            if (i >= s.oh || j >= s.ow) continue;
            const T *from = dy + ((Index(n) * s.oh + i) * s.ow + j) * s.o;
            const T *factor = weights + (Index(a * s.kw + b) * s.c + p) * s.o;
            for (int q = 0; q < s.o; ++q) sum += from[q] * factor[q];
        }
    }
    dx[index] = finish(sum, p, dx + index);
}

template <class T>
__device__ __forceinline__ void conv2d_dw_naive_kernel(const T *x, const T *dy, T *dw, const ConvShape &s,
                                                       const Finish<T> &finish) {
    const Index index = thread_number();
    if (index >= Index(s.kh) * s.kw * s.c * s.o) return;
    const int q = index % s.o, entry = index / s.o;
    const int p = entry % s.c, b = entry / s.c % s.kw, a = entry / s.c / s.kw;
    T sum = 0;
    for (int n = 0; n < s.batch; ++n) {
        for (int i = 0; i < s.oh; ++i) {
            const int row = i * s.stride_h + a * s.dilation_h - s.padding_h;
            if (row < 0 || row >= s.h) continue;
            for (int j = 0; j < s.ow; ++j) {
                const int column = j * s.stride_w + b * s.dilation_w - s.padding_w;
                if (column < 0 || column >= s.w) continue;
                sum += x[((Index(n) * s.h + row) * s.w + column) * s.c + p] *
                       dy[((Index(n) * s.oh + i) * s.ow + j) * s.o + q];
            }
        }
    }
    dw[index] = finish(sum, q, dw + index);
}

#define NAIVE(name)                                                                                      \
    TYPED(name,                                                                                          \
          (const T *left, const T *right, const T *bias, T *out, CONV_PARAMETERS, FINISH_PARAMETERS(T)), \
          (left, right, out, ConvShape{CONV_ARGUMENTS},                                                  \
           Finish<T>{bias, alpha, slope, activation, accumulate}))
NAIVE(conv2d_naive)
NAIVE(conv2d_dx_naive)
NAIVE(conv2d_dw_naive)

// Version 2: tiles.
CONV_KERNELS(wide_f32, SimtWide, float)
CONV_KERNELS(small_f32, SimtSmall, float)
CONV_KERNELS(scalar_f32, SimtScalar<float>, float)
CONV_KERNELS(scalar_f64, SimtScalar<double>, double)
