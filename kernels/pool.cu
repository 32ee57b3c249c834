// Average and maximum over windows of images, and their adjoints: the CUDA side of minigan/ops/pool.py.
//
//     avg_pool         y[o] = sum of the window at o / (kh kw)         padding counts as zeros
//     avg_pool_dx      dx[i] = sum of dy over the windows that hold i / (kh kw)
//     max_pool         y[o] = the largest of the window at o, and which of its kh kw entries it was
//     max_pool_dx      dx[i] = sum of dy over the windows that i won
//     max_pool_gather  y[o] = v at the entry that won at o
//
// Every result is gathered by one thread, in a fixed order: nothing is scattered, no atomics.
//
// Layout       images (N, H, W, C), outputs (N, OH, OW, C); the winner's number in int32
// Launch       places.cuh, over the result
// Bytes        N C (H W + OH OW) sizeof(T), and 4 N C OH OW for winners, where windows do not overlap; kh kw
//              reads a result, the others found in the cache. Memory-bound
// Versions     1: this one
#include "places.cuh"

struct Windows {
    int h, w, oh, ow, c, kh, kw, sh, sw, ph, pw;

    // f(place in the image or -1 for padding, entry) of the window at (row, column).
    template <class F>
    __device__ __forceinline__ void entries(int row, int column, F f) const {
        const int n = row / oh, top = row % oh * sh - ph, left = column * sw - pw;
        for (int k = 0; k < kh * kw; ++k) {
            int y = top + k / kw, x = left + k % kw;
            bool inside = y >= 0 && y < h && x >= 0 && x < w;
            f(inside ? Index(n * h + y) * w + x : Index(-1), k);
        }
    }
    // f(place in the output, entry of it) for the windows that hold (row, column) of the image.
    template <class F>
    __device__ __forceinline__ void holders(int row, int column, F f) const {
        const int n = row / h, y = row % h + ph, x = column + pw;
        for (int a = 0; a < kh; ++a) {
            int oy = (y - a) / sh;
            if (y < a || (y - a) % sh || oy >= oh) continue;
            for (int b = 0; b < kw; ++b) {
                int ox = (x - b) / sw;
                if (x < b || (x - b) % sw || ox >= ow) continue;
                f(Index(n * oh + oy) * ow + ox, a * kw + b);
            }
        }
    }
};

#define GEOMETRY int n, int h, int w, int oh, int ow, int c, int kh, int kw, int sh, int sw, int ph, int pw
#define VALUES n, h, w, oh, ow, c, kh, kw, sh, sw, ph, pw
#define WINDOWS \
    const Windows windows { h, w, oh, ow, c, kh, kw, sh, sw, ph, pw }

template <class T>
__device__ __forceinline__ void avg_pool_kernel(const T *x, T *y, GEOMETRY) {
    WINDOWS;
    for_places(n * oh, ow * c, [=](int row, int j) {
        const int channel = j % c;
        T sum = 0;
        windows.entries(row, j / c, [&](Index place, int) {
            if (place >= 0) sum += x[place * c + channel];
        });
        y[Index(row) * ow * c + j] = sum / (kh * kw);
    });
}
TYPED(avg_pool, (const T *x, T *y, GEOMETRY), (x, y, VALUES))

template <class T>
__device__ __forceinline__ void avg_pool_dx_kernel(const T *dy, T *dx, GEOMETRY) {
    WINDOWS;
    for_places(n * h, w * c, [=](int row, int j) {
        const int channel = j % c;
        T sum = 0;
        windows.holders(row, j / c, [&](Index place, int) { sum += dy[place * c + channel]; });
        dx[Index(row) * w * c + j] = sum / (kh * kw);
    });
}
TYPED(avg_pool_dx, (const T *dy, T *dx, GEOMETRY), (dy, dx, VALUES))

template <class T>
__device__ __forceinline__ void max_pool_kernel(const T *x, T *y, int *winner, GEOMETRY) {
    WINDOWS;
    for_places(n * oh, ow * c, [=](int row, int j) {
        const int channel = j % c;
        const T lowest = T(__int_as_float(0xff800000));  // -infinity
        T best = lowest;
        int first = 0;
        windows.entries(row, j / c, [&](Index place, int entry) {
            T value = place >= 0 ? x[place * c + channel] : lowest;
            if (value > best || (value != value && best == best)) best = value, first = entry;
        });
        y[Index(row) * ow * c + j] = best;
        winner[Index(row) * ow * c + j] = first;
    });
}
TYPED(max_pool, (const T *x, T *y, int *winner, GEOMETRY), (x, y, winner, VALUES))

template <class T>
__device__ __forceinline__ void max_pool_dx_kernel(const T *dy, const int *winner, T *dx, GEOMETRY) {
    WINDOWS;
    for_places(n * h, w * c, [=](int row, int j) {
        const int channel = j % c;
        T sum = 0;
        windows.holders(row, j / c, [&](Index place, int entry) {
            if (winner[place * c + channel] == entry) sum += dy[place * c + channel];
        });
        dx[Index(row) * w * c + j] = sum;
    });
}
TYPED(max_pool_dx, (const T *dy, const int *winner, T *dx, GEOMETRY), (dy, winner, dx, VALUES))

template <class T>
__device__ __forceinline__ void max_pool_gather_kernel(const T *v, const int *winner, T *y, GEOMETRY) {
    WINDOWS;
    for_places(n * oh, ow * c, [=](int row, int j) {
        const int channel = j % c, won = winner[Index(row) * ow * c + j];
        T value = 0;
        windows.entries(row, j / c, [&](Index place, int entry) {
            if (entry == won && place >= 0) value = v[place * c + channel];
        });
        y[Index(row) * ow * c + j] = value;
    });
}
TYPED(max_pool_gather, (const T *v, const int *winner, T *y, GEOMETRY), (v, winner, y, VALUES))
