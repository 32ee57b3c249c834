// Changing the resolution of images, and the adjoints: the CUDA side of minigan/ops/resample.py.
//
//     nearest         each pixel sh x sw times; its adjoint sums over a pixel's copies
//     bilinear        y = (R x) C with the matrices of linear interpolation; its adjoint has them transposed.
//                     Output i lies at (i + 1/2) / s - 1/2, clamped to the border, between low and low + 1
//     pixel_shuffle   channel c r r + a r + b of a pixel goes to pixel (a, b) of its r x r block; and back
//
// Layout       images (N, H, W, C)
// Launch       places.cuh, over the result: every result is gathered by one thread, in a fixed order
// Bytes        one read of the input and one write of the output, sizeof(T) each; bilinear reads 4 numbers a
//              result, its adjoint up to 4 sh sw, most of them found in the cache. Memory-bound
// Versions     1: this one
#include "places.cuh"

template <class T>
__device__ __forceinline__ void nearest_kernel(const T *x, T *y, int n, int h, int w, int c, int sh, int sw) {
    for_places(n * h * sh, w * sw * c, [=](int row, int j) {
        y[Index(row) * w * sw * c + j] = x[(Index(row / sh) * w + j / c / sw) * c + j % c];
    });
}
TYPED(nearest, (const T *x, T *y, int n, int h, int w, int c, int sh, int sw), (x, y, n, h, w, c, sh, sw))

template <class T>
__device__ __forceinline__ void nearest_dx_kernel(const T *dy, T *dx, int n, int h, int w, int c, int sh,
                                                  int sw) {
    for_places(n * h, w * c, [=](int row, int j) {
        const int column = j / c, channel = j % c;
        T sum = 0;
        for (int a = 0; a < sh; ++a)
            for (int b = 0; b < sw; ++b)
                sum += dy[((Index(row) * sh + a) * w * sw + column * sw + b) * c + channel];
        dx[Index(row) * w * c + j] = sum;
    });
}
TYPED(nearest_dx, (const T *dy, T *dx, int n, int h, int w, int c, int sh, int sw),
      (dy, dx, n, h, w, c, sh, sw))

// Where output i lies among `size` inputs; in whole numbers, so that nothing is rounded but the share.
struct Between {
    int low, high, part, whole;

    __device__ __forceinline__ Between(int i, int size, int scale) {
        const int position = 2 * i + 1 - scale, last = (size - 1) * 2 * scale;
        const int clamped = position < 0 ? 0 : position > last ? last : position;
        whole = 2 * scale;
        low = clamped / whole;
        part = clamped % whole;
        high = low + 1 < size ? low + 1 : low;
    }
    template <class T>
    __device__ __forceinline__ T share() const {  // of high
        return T(part) / T(whole);
    }
    template <class T>
    __device__ __forceinline__ T weight(int of) const {
        return (low == of ? 1 - share<T>() : T(0)) + (high == of ? share<T>() : T(0));
    }
};

template <class T>
__device__ __forceinline__ void bilinear_kernel(const T *x, T *y, int n, int h, int w, int c, int sh, int sw) {
    for_places(n * h * sh, w * sw * c, [=](int row, int j) {
        const int image = row / (h * sh), channel = j % c;
        const Between down(row % (h * sh), h, sh), across(j / c, w, sw);
        const T *top = x + (Index(image) * h + down.low) * w * c, *bottom = top;
        bottom += Index(down.high - down.low) * w * c;
        const int left = across.low * c + channel, right = across.high * c + channel;
        const T v = down.share<T>(), u = across.share<T>();
        T at_left = (1 - v) * top[left] + v * bottom[left];
        T at_right = (1 - v) * top[right] + v * bottom[right];
        y[Index(row) * w * sw * c + j] = (1 - u) * at_left + u * at_right;
    });
}
TYPED(bilinear, (const T *x, T *y, int n, int h, int w, int c, int sh, int sw), (x, y, n, h, w, c, sh, sw))

template <class T>
__device__ __forceinline__ void bilinear_dx_kernel(const T *dy, T *dx, int n, int h, int w, int c, int sh,
                                                   int sw) {
    for_places(n * h, w * c, [=](int row, int j) {
        const int image = row / h, y = row % h, x = j / c, channel = j % c;
        T sum = 0;
        for (int i = max(0, (y - 1) * sh); i < min(h * sh, (y + 2) * sh); ++i) {
            const T down = Between(i, h, sh).template weight<T>(y);
            if (down == 0) continue;
            const T *line = dy + (Index(image) * h * sh + i) * w * sw * c + channel;
            T along = 0;
            for (int k = max(0, (x - 1) * sw); k < min(w * sw, (x + 2) * sw); ++k) {
                const T across = Between(k, w, sw).template weight<T>(x);
                if (across != 0) along += across * line[k * c];
            }
            sum += down * along;
        }
        dx[Index(row) * w * c + j] = sum;
    });
}
TYPED(bilinear_dx, (const T *dy, T *dx, int n, int h, int w, int c, int sh, int sw),
      (dy, dx, n, h, w, c, sh, sw))

// x (N, H, W, C r r), y (N, H r, W r, C)
template <class T>
__device__ __forceinline__ void pixel_shuffle_kernel(const T *x, T *y, int n, int h, int w, int c, int r) {
    for_places(n * h * r, w * r * c, [=](int row, int j) {
        const int column = j / c, channel = j % c;
        const Index pixel = Index(row / r) * w + column / r;
        y[Index(row) * w * r * c + j] = x[(pixel * c + channel) * r * r + row % r * r + column % r];
    });
}
TYPED(pixel_shuffle, (const T *x, T *y, int n, int h, int w, int c, int r), (x, y, n, h, w, c, r))

template <class T>
__device__ __forceinline__ void pixel_unshuffle_kernel(const T *y, T *x, int n, int h, int w, int c, int r) {
    for_places(n * h, w * c * r * r, [=](int row, int j) {
        const int column = j / (c * r * r), within = j % (c * r * r);
        const int channel = within / (r * r), a = within / r % r, b = within % r;
        x[Index(row) * w * c * r * r + j] =
            y[((Index(row) * r + a) * w * r + column * r + b) * c + channel];
    });
}
TYPED(pixel_unshuffle, (const T *y, T *x, int n, int h, int w, int c, int r), (y, x, n, h, w, c, r))
