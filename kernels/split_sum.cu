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
