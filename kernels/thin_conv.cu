// Convolutions between a picture of at most 4 channels and a wide one: the CUDA side of
// minigan/ops/conv.py for the first layer of a discriminator (3 -> 64), the last one of a generator
// (64 -> 3, whose underlying convolution is 3 -> 64) and a last layer that decides (512 -> 1).
//
// The sums are those of conv.cuh. A tiled product would spend its tile's 64 columns on 1 to 4 numbers,
// or read runs of 3 numbers as tiles; these kernels follow the wide side instead, along which memory
// is read and written in order, and keep the thin side in registers.
//
//                  x thin: C <= 4 ("few_in")                     y thin: O <= 4 ("few_out")
//     y            a thread: 4 places x 4 outputs                a warp or a block: one place
//     dx           16 lanes: 4 pixels of a phase, all C          a thread: one number of dx
//     dw           a thread: 4 entries x 4 outputs, some places  a thread: one entry, some places
//
// dx goes by phases, as conv.cuh says. dw splits the places among blocks (y of the grid), which
// leave their sums to split_sum.cu: no atomics, a fixed order. All compute in the arrays' type, whatever
// the precision of wide products: a thin layer is bound by bytes.
//
// Bytes and operations, DCGAN's 3 -> 64, 4 x 4, stride 2, on 128 pictures of 64 x 64, float32:
//     y, dx, dw each touch x (6.3 MB) and y (33.6 MB) once and do 0.81 GFLOP: 20 operations a byte, the
//     ratio at which an H200's ordinary cores and its memory are both busy.
//     512 -> 1, 4 x 4 on 4 x 4 pictures: x 4.2 MB, 2 MFLOP, half an operation a byte: memory alone.
// Each wide number is loaded once per use of a register tile: y few_in reads 4 weights and 4 numbers of
// x for 16 multiply-adds, dx few_in 4 of dy and C weights for 4 C, dw few_in 4 and 4 for 16; the
// repeats come from the L1 cache.
//
// Launch: blocks of 256 threads. From nvcc's counts on sm_90, in float32, 42 to 96 registers: 2 to 5 blocks of 8
// warps on a multiprocessor. No shared memory, but for 256 bytes in y few_out.
//
// Versions: 1 is conv.cu's naive kernel; 2: these.

#include "conv.cuh"

constexpr int FEW = 4;
constexpr int LANES = 16;  // that share a pixel of dx

// Four neighbours of a row, of which `left` exist; zeros for the others.
template <class T>
__device__ __forceinline__ Vec<T, 4> load_four(const T *from, int left) {
    if (left >= 4 && reinterpret_cast<size_t>(from) % sizeof(Vec<T, 4>) == 0) return load_vec<4>(from);
    Vec<T, 4> four = {};
#pragma unroll
    for (int e = 0; e < 4; ++e) {
        if (e < left) four.value[e] = from[e];
    }
    return four;
}

// A place (n, i, j), or a pixel: its picture and position.
struct Point {
    int picture, row, column;
};

__device__ __forceinline__ Point point_of(int index, int rows, int columns) {
    return {index / columns / rows, index / columns % rows, index % columns};
}

// The next one, without a division.
__device__ __forceinline__ void advance(Point &at, int rows, int columns) {
    if (++at.column < columns) return;
    at.column = 0;
    if (++at.row < rows) return;
    at.row = 0;
    ++at.picture;
}

// --- y ---------------------------------------------------------------------------------------------------

template <class T>
__device__ __forceinline__ void conv2d_few_in_kernel(const T *x, const T *weights, T *y,
                                                     const ConvShape &s, const Finish<T> &finish, int) {
    const int quads = (s.o + 3) / 4, places = s.batch * s.oh * s.ow;
    const Index thread = thread_number();
    const int o = static_cast<int>(thread % quads) * 4;
    const Index first = thread / quads * FEW;
    if (first >= places) return;
    int row[FEW], column[FEW];
    const T *picture[FEW];
#pragma unroll
    for (int p = 0; p < FEW; ++p) {
        const Point at = point_of(min(static_cast<int>(first) + p, places - 1), s.oh, s.ow);
        row[p] = at.row * s.stride_h - s.padding_h;
        column[p] = at.column * s.stride_w - s.padding_w;
        picture[p] = x + Index(at.picture) * s.h * s.w * s.c;
    }
    T sum[FEW][4] = {};
    for (int a = 0; a < s.kh; ++a) {
        for (int b = 0; b < s.kw; ++b) {
            const T *from[FEW];
#pragma unroll
            for (int p = 0; p < FEW; ++p) {
                const int down = row[p] + a * s.dilation_h, right = column[p] + b * s.dilation_w;
                const bool inside = down >= 0 && down < s.h && right >= 0 && right < s.w;
                from[p] = inside ? picture[p] + (down * s.w + right) * s.c : nullptr;
            }
            const T *factors = weights + (a * s.kw + b) * s.c * s.o + o;
            for (int c = 0; c < s.c; ++c) {
                const Vec<T, 4> factor = load_four(factors + c * s.o, s.o - o);
#pragma unroll
                for (int p = 0; p < FEW; ++p) {
                    const T value = from[p] ? from[p][c] : T(0);
#pragma unroll
                    for (int e = 0; e < 4; ++e) sum[p][e] += value * factor.value[e];
                }
            }
        }
    }
    const Output<T, DenseRows> out{y, s.o, {places, s.o}, finish, false};
#pragma unroll
    for (int p = 0; p < FEW; ++p) out.store(static_cast<int>(first) + p, o, sum[p]);
}

// blockDim.x threads share a place, blockDim.y places a block.
template <class T>
__device__ __forceinline__ void conv2d_few_out_kernel(const T *x, const T *weights, T *y,
                                                      const ConvShape &s, const Finish<T> &finish, int) {
    SHARED(T, sums, [8][FEW]);  // of each warp
    const int place = blockIdx.x * blockDim.y + threadIdx.y, places = s.batch * s.oh * s.ow;
    const Point at = point_of(min(place, places - 1), s.oh, s.ow);
    T sum[FEW] = {};
    for (int a = 0; a < s.kh; ++a) {
        for (int b = 0; b < s.kw; ++b) {
            const int row = at.row * s.stride_h - s.padding_h + a * s.dilation_h;
            const int column = at.column * s.stride_w - s.padding_w + b * s.dilation_w;
            if (row < 0 || row >= s.h || column < 0 || column >= s.w) continue;
            const T *from = x + ((Index(at.picture) * s.h + row) * s.w + column) * s.c;
            const T *factors = weights + (a * s.kw + b) * s.c * s.o;
            for (int c = threadIdx.x; c < s.c; c += blockDim.x) {
#pragma unroll
                for (int q = 0; q < FEW; ++q) {
                    if (q < s.o) sum[q] += from[c] * factors[c * s.o + q];
                }
            }
        }
    }
    const int warps = blockDim.x / 32, warp = threadIdx.y * warps + threadIdx.x / 32;
#pragma unroll
    for (int q = 0; q < FEW; ++q) {
        sum[q] = warp_sum(sum[q]);
        if (threadIdx.x % 32 == 0) sums[warp][q] = sum[q];
    }
    __syncthreads();
    if (place >= places || static_cast<int>(threadIdx.x) >= s.o) return;
    T total = 0;
    for (int w = 0; w < warps; ++w) total += sums[threadIdx.y * warps + w][threadIdx.x];
    T *to = y + Index(place) * s.o + threadIdx.x;
    *to = finish(total, threadIdx.x, to);
}

// --- dx: blockIdx.y is the phase -------------------------------------------------------------------------

struct Phases {
    Phase down, across;
};

__device__ inline Phases phases_of_block(const ConvShape &s) {
    const int phase = blockIdx.y;
    return {phase_of(phase / s.stride_w, s.h, s.oh, s.kh, s.stride_h, s.padding_h, s.dilation_h),
            phase_of(phase % s.stride_w, s.w, s.ow, s.kw, s.stride_w, s.padding_w, s.dilation_w)};
}

// The pixel of dx that a place of the phase is.
__device__ __forceinline__ Index pixel_of(const Point &at, const Phases &phases, const ConvShape &s) {
    const int row = phases.down.first + at.row * s.stride_h;
    const int column = phases.across.first + at.column * s.stride_w;
    return (Index(at.picture) * s.h + row) * s.w + column;
}

template <class T>
__device__ __forceinline__ void conv2d_dx_few_in_kernel(const T *dy, const T *weights, T *dx,
                                                        const ConvShape &s, const Finish<T> &finish,
                                                        int) {
    const Phases phases = phases_of_block(s);
    const Axis &down = phases.down.axis, &across = phases.across.axis;
    const int places = s.batch * down.places * across.places;
    const int lane = threadIdx.x % LANES;
    const int first = (blockIdx.x * (blockDim.x / LANES) + threadIdx.x / LANES) * FEW;
    Point at[FEW];
#pragma unroll
    for (int p = 0; p < FEW; ++p) {
        const int place = max(min(first + p, places - 1), 0);
        at[p] = point_of(place, max(down.places, 1), max(across.places, 1));
    }
    T sum[FEW][FEW] = {};  // of a pixel, a channel
    for (int a = 0; a < down.taps; ++a) {
        for (int b = 0; b < across.taps; ++b) {
            const T *from[FEW];
#pragma unroll
            for (int p = 0; p < FEW; ++p) {
                const int i = down.origin + at[p].row + a * down.tap_step;
                const int j = across.origin + at[p].column + b * across.tap_step;
                const bool inside = first + p < places && i >= 0 && i < s.oh && j >= 0 && j < s.ow;
                from[p] = inside ? dy + ((Index(at[p].picture) * s.oh + i) * s.ow + j) * s.o : nullptr;
            }
            const int tap = (phases.down.tap + a * phases.down.tap_stride) * s.kw + phases.across.tap +
                            b * phases.across.tap_stride;
            const T *factors = weights + tap * s.c * s.o;
            for (int o = lane; o < s.o; o += LANES) {
                T factor[FEW];
#pragma unroll
                for (int c = 0; c < FEW; ++c) factor[c] = c < s.c ? factors[c * s.o + o] : T(0);
#pragma unroll
                for (int p = 0; p < FEW; ++p) {
                    const T value = from[p] ? from[p][o] : T(0);
#pragma unroll
                    for (int c = 0; c < FEW; ++c) sum[p][c] += value * factor[c];
                }
            }
        }
    }
#pragma unroll
    for (int p = 0; p < FEW; ++p) {
#pragma unroll
        for (int c = 0; c < FEW; ++c) {
#pragma unroll
            for (int bits = LANES / 2; bits; bits >>= 1) {
                sum[p][c] += __shfl_xor_sync(ALL_LANES, sum[p][c], bits);
            }
            if (lane == p * FEW + c && first + p < places && c < s.c) {
                T *to = dx + pixel_of(at[p], phases, s) * s.c + c;
                *to = finish(sum[p][c], c, to);
            }
        }
    }
}

template <class T>
__device__ __forceinline__ void conv2d_dx_few_out_kernel(const T *dy, const T *weights, T *dx,
                                                         const ConvShape &s, const Finish<T> &finish,
                                                         int) {
    const Phases phases = phases_of_block(s);
    const Axis &down = phases.down.axis, &across = phases.across.axis;
    const Index number = thread_number();
    if (number >= Index(s.batch) * down.places * across.places * s.c) return;
    const int c = number % s.c;
    const Point at = point_of(static_cast<int>(number / s.c), down.places, across.places);
    T sum = 0;
    for (int a = 0; a < down.taps; ++a) {
        for (int b = 0; b < across.taps; ++b) {
            const int i = down.origin + at.row + a * down.tap_step;
            const int j = across.origin + at.column + b * across.tap_step;
            if (i < 0 || i >= s.oh || j < 0 || j >= s.ow) continue;
            const int tap = (phases.down.tap + a * phases.down.tap_stride) * s.kw + phases.across.tap +
                            b * phases.across.tap_stride;
            const T *from = dy + ((Index(at.picture) * s.oh + i) * s.ow + j) * s.o;
            const T *factors = weights + (tap * s.c + c) * s.o;
#pragma unroll
            for (int q = 0; q < FEW; ++q) {
                if (q < s.o) sum += from[q] * factors[q];
            }
        }
    }
    T *to = dx + pixel_of(at, phases, s) * s.c + c;
    *to = finish(sum, c, to);
}

// --- dw: blockIdx.y is the split -------------------------------------------------------------------------

// A thread's entries are neighbours in a row of the kernel: numbers b * c + channel of its kw * c. In a
// row of x they lie at  (j s - p) c + step, and one comparison tells whether that is inside the row.
template <class T>
__device__ __forceinline__ void conv2d_dw_few_in_kernel(const T *x, const T *dy, T *dw,
                                                        const ConvShape &s, const Finish<T> &finish,
                                                        int splits) {
    const int quads = (s.o + 3) / 4, runs = (s.kw * s.c + FEW - 1) / FEW;
    const int thread = static_cast<int>(thread_number());
    if (thread >= s.kh * runs * quads) return;
    const int o = thread % quads * 4, a = thread / quads / runs, entry = thread / quads % runs * FEW;
    int step[FEW];
#pragma unroll
    for (int e = 0; e < FEW; ++e) {
        const int b = (entry + e) / s.c, c = (entry + e) % s.c;
        step[e] = b < s.kw ? b * s.dilation_w * s.c + c : FAR_OUTSIDE;
    }
    const Run run = run_of_split(s.batch * s.oh * s.ow, 1, blockIdx.y, splits);
    T sum[FEW][4] = {};
    Point at = point_of(run.begin, s.oh, s.ow);
    for (int place = run.begin; place < run.end; ++place, advance(at, s.oh, s.ow)) {
        const int row = at.row * s.stride_h - s.padding_h + a * s.dilation_h;
        if (row < 0 || row >= s.h) continue;
        const T *line = x + (Index(at.picture) * s.h + row) * s.w * s.c;
        const int start = (at.column * s.stride_w - s.padding_w) * s.c;
        const Vec<T, 4> slope = load_four(dy + Index(place) * s.o + o, s.o - o);
#pragma unroll
        for (int e = 0; e < FEW; ++e) {
            const unsigned index = start + step[e];
            const T value = index < static_cast<unsigned>(s.w * s.c) ? line[index] : T(0);
#pragma unroll
            for (int q = 0; q < 4; ++q) sum[e][q] += value * slope.value[q];
        }
    }
    const int entries = s.kh * s.kw * s.c;
    const Output<T, DenseRows> out{
        dw + Index(blockIdx.y) * entries * s.o, s.o, {entries, s.o}, finish, splits > 1};
#pragma unroll
    for (int e = 0; e < FEW; ++e) {
        if (entry + e < s.kw * s.c) out.store(a * s.kw * s.c + entry + e, o, sum[e]);
    }
}

template <class T>
__device__ __forceinline__ void conv2d_dw_few_out_kernel(const T *x, const T *dy, T *dw,
                                                         const ConvShape &s, const Finish<T> &finish,
                                                         int splits) {
    const int entry = static_cast<int>(thread_number()), entries = s.kh * s.kw * s.c;
    if (entry >= entries) return;
    const int c = entry % s.c, b = entry / s.c % s.kw, a = entry / s.c / s.kw;
    const Run run = run_of_split(s.batch * s.oh * s.ow, 1, blockIdx.y, splits);
    T sum[FEW] = {};
    Point at = point_of(run.begin, s.oh, s.ow);
    for (int place = run.begin; place < run.end; ++place, advance(at, s.oh, s.ow)) {
        const int row = at.row * s.stride_h - s.padding_h + a * s.dilation_h;
        const int column = at.column * s.stride_w - s.padding_w + b * s.dilation_w;
        if (row < 0 || row >= s.h || column < 0 || column >= s.w) continue;
        const T value = x[((Index(at.picture) * s.h + row) * s.w + column) * s.c + c];
#pragma unroll
        for (int q = 0; q < FEW; ++q) {
            if (q < s.o) sum[q] += value * dy[Index(place) * s.o + q];
        }
    }
    T *to = dw + (Index(blockIdx.y) * entries + entry) * s.o;
#pragma unroll
    for (int q = 0; q < FEW; ++q) {
        if (q < s.o) to[q] = splits > 1 ? sum[q] : finish(sum[q], q, to + q);
    }
}

#define THIN(name)                                                                                       \
    TYPED(name,                                                                                          \
          (const T *left, const T *right, const T *bias, T *out, CONV_PARAMETERS, FINISH_PARAMETERS(T)), \
          (left, right, out, ConvShape{CONV_ARGUMENTS},                                                  \
           Finish<T>{bias, alpha, slope, activation, accumulate}, splits))

THIN(conv2d_few_in)
THIN(conv2d_few_out)
THIN(conv2d_dx_few_in)
THIN(conv2d_dx_few_out)
THIN(conv2d_dw_few_in)
THIN(conv2d_dw_few_out)
