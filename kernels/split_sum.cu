// out = act(alpha sum over splits of parts + bias + out): the second pass of products whose k was split.
//
// Layout       parts (splits, count), out (count) with rows of `columns` numbers, bias (columns) or null
// Launch       blocks of 256 threads, a number each, in strides of the grid
// Bytes        4 count (splits + 1) in float32, one addition each: bound by memory. Neighbouring threads
//              read neighbouring numbers of each part.
// Order        that of the splits, whatever the launch: the same bits each time
// Versions     1: this one
#include "operand.cuh"

template <class T>
__device__ __forceinline__ void split_sum_kernel(const T *parts, const T *bias, T *out, Index count,
                                                 int columns, int splits, T alpha, T slope,
                                                 int activation, int accumulate) {
    const Finish<T> finish{bias, alpha, slope, activation, accumulate};
    for (Index i = thread_number(); i < count; i += thread_count()) {
        T sum = 0;
        for (int split = 0; split < splits; ++split) sum += parts[split * count + i];
        out[i] = finish(sum, i % columns, out + i);
    }
}
TYPED(split_sum,
      (const T *parts, const T *bias, T *out, Index count, int columns, int splits, T alpha, T slope,
       int activation, int accumulate),
      (parts, bias, out, count, columns, splits, alpha, slope, activation, accumulate))
