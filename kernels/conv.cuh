// Convolution as products by tiles (implicit GEMM): rows of patches that are never written down.
//
// x (N, H, W, C), w (KH, KW, C, O), y (N, OH, OW, O), all with channels last. A place is a position of
// the kernel (n, i, j), a tap one of its KH KW entries; see minigan/ops/conv.py for the three sums.
//
//            rows m              columns n   sum over k             A                B
//     y      places              O           taps x C               patches of x     w, rows of O
//     dx     places of a phase   C           taps of it x O         patches of dy    w, taps turned round
//     dw     taps x C            O           places                 patches of x     dy, rows of O
//
// dx by phases: h meets tap a at i = (h + p - d a) / s where that is whole, so all h with one
// remainder of h + p by s, a phase, use the same taps, and along them i moves by whole steps:
//
//     h = first + s h',   a = tap + A a',   i = origin + h' - D a',   A = s / gcd(s, d),  D = d A / s
//
// Each of the s_h s_w phases is a dense convolution of stride 1 over dy and over its own taps: no zeros
// are multiplied, nothing is scattered, and each number of dx is written once. For 4 x 4, stride 2,
// padding 1 (DCGAN) each of four phases has 2 x 2 taps: K = 4 O, a quarter of the taps for each pixel.
// That is the structure that space-to-depth gives; here it is in the order of the indices, and
// nothing is copied. y and dw multiply all 16 C numbers of a patch: they have no zeros either, but
// for the padding's.
//
// Patches of any of the three are read at  source = origin + place_step place + tap_step tap:
//     x:   origin = -p,  place_step = s,  tap_step = d         dy in a phase: origin, 1, -D
#pragma once

#include "operand.cuh"

#define CONV_PARAMETERS                                                                                \
    int batch, int h, int w, int c, int oh, int ow, int o, int kh, int kw, int stride_h, int stride_w, \
        int padding_h, int padding_w, int dilation_h, int dilation_w
#define CONV_ARGUMENTS \
    batch, h, w, c, oh, ow, o, kh, kw, stride_h, stride_w, padding_h, padding_w, dilation_h, dilation_w

struct ConvShape {
    int batch, h, w, c, oh, ow, o, kh, kw, stride_h, stride_w, padding_h, padding_w, dilation_h,
        dilation_w;
};

// Division of 0 <= n < 2^31 by a divisor that is known late, without dividing: n / d is the high word
// of n times a magic number, added to n and shifted (Granlund and Montgomery 1994, with 33 bits).
struct Divider {
    unsigned divisor, magic, shift;

    __device__ int quotient(int n) const {
        return static_cast<int>((__umulhi(magic, n) + static_cast<unsigned>(n)) >> shift);
    }
    __device__ int remainder(int n, int quotient) const {
        return n - quotient * static_cast<int>(divisor);
    }
};

// By d, or by 1 where d is 0 and nothing will be divided.
__device__ inline Divider divider_by(int d) {
    Divider by{static_cast<unsigned>(max(d, 1)), 0, 0};
    while ((1ull << by.shift) < by.divisor) ++by.shift;
    by.magic = static_cast<unsigned>((((1ull << by.shift) - by.divisor) << 32) / by.divisor + 1);
    return by;
}

// One axis of a patch: where place and tap lead in the picture.
struct Axis {
    int size, places, taps, origin, place_step, tap_step;
};

// One axis of a phase: `axis` leads into dy; h = first + stride * place; a = tap + tap_stride * a'.
struct Phase {
    Axis axis;
    int first, tap, tap_stride;
};

__device__ inline Phase phase_of(int phase, int size, int source, int kernel, int stride, int padding,
                                 int dilation) {
    Phase p{};
    p.first = ((phase - padding) % stride + stride) % stride;
    while (p.tap < kernel && p.tap * dilation % stride != phase) ++p.tap;
    p.tap_stride = 1;
    while (p.tap_stride * dilation % stride != 0) ++p.tap_stride;
    p.axis.size = source;
    p.axis.places = p.first < size ? (size - p.first + stride - 1) / stride : 0;
    p.axis.taps = p.tap < kernel ? (kernel - p.tap + p.tap_stride - 1) / p.tap_stride : 0;
    p.axis.origin = (p.first + padding - dilation * p.tap) / stride;
    p.axis.place_step = 1;
    p.axis.tap_step = -(dilation * p.tap_stride / stride);
    return p;
}

// What places, taps and channels of patches mean, for both of the operands below. One thread computes
// it; it stays in shared memory, for no product has registers to spare.
template <class T>
struct Patches {
    using Element = T;
    const T *data;
    Axis vertical, horizontal;
    int places, channels;  // places of all pictures
    Divider by_picture, by_row, by_taps, by_channels;

    __device__ void set(const T *picture, const Axis &down, const Axis &across, int batch, int depth) {
        data = picture;
        vertical = down;
        horizontal = across;
        places = batch * down.places * across.places;
        channels = depth;
        by_picture = divider_by(down.places * across.places);
        by_row = divider_by(across.places);
        by_taps = divider_by(across.taps);
        by_channels = divider_by(depth);
    }
    __device__ int taps() const { return vertical.taps * horizontal.taps; }
    __device__ bool holds(int row, int column) const {
        return static_cast<unsigned>(row) < static_cast<unsigned>(vertical.size) &&
               static_cast<unsigned>(column) < static_cast<unsigned>(horizontal.size);
    }

    // Row and column in the picture of a place's first tap, and the offset of its number there.
    __device__ void find_place(int place, int &row, int &column, int &offset) const {
        const int picture = by_picture.quotient(place), rest = by_picture.remainder(place, picture);
        const int i = by_row.quotient(rest), j = by_row.remainder(rest, i);
        row = vertical.origin + i * vertical.place_step;
        column = horizontal.origin + j * horizontal.place_step;
        offset = ((picture * vertical.size + row) * horizontal.size + column) * channels;
    }
    // What entry (tap, channel) of a patch adds to row, column and offset.
    __device__ void find_entry(int entry, int &row, int &column, int &offset) const {
        const int tap = by_channels.quotient(entry), channel = by_channels.remainder(entry, tap);
        const int a = by_taps.quotient(tap), b = by_taps.remainder(tap, a);
        row = a * vertical.tap_step;
        column = b * horizontal.tap_step;
        offset = (row * horizontal.size + column) * channels + channel;
    }
};

// mn = place, k = (tap, channel): the patches of y and dx.
template <class T>
struct PatchRows : Patches<T> {
    static constexpr bool K_MAJOR = true;

    template <int LINES>
    struct Cursor {
        const PatchRows &source;
        int row[LINES], column[LINES], offset[LINES];
        int down = 0, right = 0, ahead = 0;

        __device__ explicit Cursor(const PatchRows &source) : source(source) {}
        __device__ void line(int i, int place) {
            row[i] = FAR_OUTSIDE, column[i] = 0, offset[i] = 0;
            if (place < source.places) source.find_place(place, row[i], column[i], offset[i]);
        }
        __device__ void seek(int entry, int end) {
            source.find_entry(entry, down, right, ahead);
            if (entry >= end) down = FAR_OUTSIDE;
        }
        __device__ const T *at(int i) const {
            const bool inside = source.holds(row[i] + down, column[i] + right);
            return inside ? source.data + (offset[i] + ahead) : nullptr;
        }
    };
};

// mn = (tap, channel), k = place: the patches of dw.
template <class T>
struct PatchColumns : Patches<T> {
    static constexpr bool K_MAJOR = false;

    template <int LINES>
    struct Cursor {
        const PatchColumns &source;
        int down = 0, right = 0, ahead = 0;

        __device__ explicit Cursor(const PatchColumns &source) : source(source) {}
        __device__ void along(int entry) {
            source.find_entry(entry, down, right, ahead);
            if (entry >= source.taps() * source.channels) down = FAR_OUTSIDE;
        }
        __device__ const T *at(int place, int end) const {
            if (place >= end) return nullptr;
            int row, column, offset;
            source.find_place(place, row, column, offset);
            return source.holds(row + down, column + right) ? source.data + (offset + ahead) : nullptr;
        }
    };
};

// mn = c, k = (tap of a phase, o): w for dx.
template <class T>
struct PhaseWeights {
    using Element = T;
    static constexpr bool K_MAJOR = true;
    const T *data;
    int channels, outputs, kernel_w;  // of w
    Phase vertical, horizontal;
    Divider by_taps, by_outputs;

    __device__ void set(const T *w, int depth, int outs, int kernel, const Phase &down,
                        const Phase &across) {
        data = w;
        channels = depth;
        outputs = outs;
        kernel_w = kernel;
        vertical = down;
        horizontal = across;
        by_taps = divider_by(across.axis.taps);
        by_outputs = divider_by(outs);
    }

    template <int LINES>
    struct Cursor {
        const PhaseWeights &source;
        int offset[LINES], ahead = 0;
        bool inside = false;

        __device__ explicit Cursor(const PhaseWeights &source) : source(source) {}
        __device__ void line(int i, int c) { offset[i] = c < source.channels ? c * source.outputs : -1; }
        __device__ void seek(int entry, int end) {
            const PhaseWeights &s = source;
            const int tap = s.by_outputs.quotient(entry), o = s.by_outputs.remainder(entry, tap);
            const int down = s.by_taps.quotient(tap), right = s.by_taps.remainder(tap, down);
            const int a = s.vertical.tap + down * s.vertical.tap_stride;
            const int b = s.horizontal.tap + right * s.horizontal.tap_stride;
            ahead = (a * s.kernel_w + b) * s.channels * s.outputs + o;
            inside = entry < end;
        }
        __device__ const T *at(int i) const {
            return inside && offset[i] >= 0 ? source.data + (offset[i] + ahead) : nullptr;
        }
    };
};

// Rows of dx that a phase computes.
template <class T>
struct PhaseRows {
    const PatchRows<T> &patches;
    const PhaseWeights<T> &weights;
    int h, w, stride_h, stride_w;

    __device__ int offset(int place) const {
        if (place >= patches.places) return -1;
        const int picture = patches.by_picture.quotient(place);
        const int rest = patches.by_picture.remainder(place, picture);
        const int i = patches.by_row.quotient(rest), j = patches.by_row.remainder(rest, i);
        const int row = weights.vertical.first + i * stride_h;
        const int column = weights.horizontal.first + j * stride_w;
        return ((picture * h + row) * w + column) * weights.channels;
    }
};

// --- the tile of one block -------------------------------------------------------------------------------
// Launch: x counts tiles as in gemm.cuh, of the largest phase for dx; y counts splits of k and, for dx,
// phases. With splits > 1 the output is a workspace of (splits, its shape), which split_sum.cu adds up.

#define FINISH_PARAMETERS(T) int splits, T alpha, T slope, int activation, int accumulate

struct TileAt {
    int m0, n0;
};

template <class Product>
__device__ __forceinline__ TileAt tile_of_block(int columns) {
    const int across = (columns + Product::BN - 1) / Product::BN;
    return {static_cast<int>(blockIdx.x) / across * Product::BM,
            static_cast<int>(blockIdx.x) % across * Product::BN};
}

template <class T>
__device__ __forceinline__ void set_forward(Patches<T> &patches, const T *x, const ConvShape &s) {
    patches.set(x, {s.h, s.oh, s.kh, -s.padding_h, s.stride_h, s.dilation_h},
                {s.w, s.ow, s.kw, -s.padding_w, s.stride_w, s.dilation_w}, s.batch, s.c);
}

template <class Product, class T>
__device__ __forceinline__ void conv_y_tile(const T *x, const T *weights, T *y, const ConvShape &s,
                                            const Finish<T> &finish, int splits) {
    SHARED(PatchRows<T>, patches, [1]);
    if (threadIdx.x == 0) set_forward(*patches, x, s);
    __syncthreads();
    const TileAt tile = tile_of_block<Product>(s.o);
    const int split = blockIdx.y, m = patches->places, k = s.kh * s.kw * s.c;
    const Output<T, DenseRows> out{y + Index(split) * m * s.o, s.o, {m, s.o}, finish, splits > 1};
    Product::run(*patches, MnMajor<T>{weights, s.o, s.o}, out, tile.m0, tile.n0,
                 run_of_split(k, Product::BK, split, splits));
}

template <class Product, class T>
__device__ __forceinline__ void conv_dx_tile(const T *dy, const T *weights, T *dx, const ConvShape &s,
                                             const Finish<T> &finish, int splits) {
    SHARED(PatchRows<T>, patches, [1]);
    SHARED(PhaseWeights<T>, factors, [1]);
    const int split = blockIdx.y % splits;
    if (threadIdx.x == 0) {
        const int phase = blockIdx.y / splits;
        const Phase down =
            phase_of(phase / s.stride_w, s.h, s.oh, s.kh, s.stride_h, s.padding_h, s.dilation_h);
        const Phase across =
            phase_of(phase % s.stride_w, s.w, s.ow, s.kw, s.stride_w, s.padding_w, s.dilation_w);
        patches->set(dy, down.axis, across.axis, s.batch, s.o);
        factors->set(weights, s.c, s.o, s.kw, down, across);
    }
    __syncthreads();
    const TileAt tile = tile_of_block<Product>(s.c);
    if (tile.m0 >= patches->places) return;
    const Output<T, PhaseRows<T>> out{dx + Index(split) * s.batch * s.h * s.w * s.c,
                                      s.c,
                                      {*patches, *factors, s.h, s.w, s.stride_h, s.stride_w},
                                      finish,
                                      splits > 1};
    Product::run(*patches, *factors, out, tile.m0, tile.n0,
                 run_of_split(patches->taps() * s.o, Product::BK, split, splits));
}

template <class Product, class T>
__device__ __forceinline__ void conv_dw_tile(const T *x, const T *dy, T *dw, const ConvShape &s,
                                             const Finish<T> &finish, int splits) {
    SHARED(PatchColumns<T>, patches, [1]);
    if (threadIdx.x == 0) set_forward(*patches, x, s);
    __syncthreads();
    const TileAt tile = tile_of_block<Product>(s.o);
    const int split = blockIdx.y, m = s.kh * s.kw * s.c;
    const Output<T, DenseRows> out{dw + Index(split) * m * s.o, s.o, {m, s.o}, finish, splits > 1};
    Product::run(*patches, MnMajor<T>{dy, s.o, s.o}, out, tile.m0, tile.n0,
                 run_of_split(patches->places, Product::BK, split, splits));
}

#define CONV_KERNEL(name, tile, Product, T)                                                            \
    extern "C" __global__ void __launch_bounds__(Product::THREADS, Product::BLOCKS) name(              \
        const T *left, const T *right, const T *bias, T *out, CONV_PARAMETERS, FINISH_PARAMETERS(T)) { \
        tile<Product, T>(left, right, out, ConvShape{CONV_ARGUMENTS},                                  \
                         Finish<T>{bias, alpha, slope, activation, accumulate}, splits);               \
    }

// The kernels conv2d_SUFFIX (x, w -> y), conv2d_dx_SUFFIX (dy, w -> dx), conv2d_dw_SUFFIX (x, dy -> dw).
#define CONV_KERNELS(suffix, Product, T)                      \
    CONV_KERNEL(conv2d_##suffix, conv_y_tile, Product, T)     \
    CONV_KERNEL(conv2d_dx_##suffix, conv_dx_tile, Product, T) \
    CONV_KERNEL(conv2d_dw_##suffix, conv_dw_tile, Product, T)
