// A thread for each number of images (N, H, W, C): row = n H + y along the grid's y, j = x C + c along its x.
#pragma once

#include "common.cuh"

// f(row, j) for row < rows, j < line. 32-bit numbers, so that taking them apart is cheap.
template <class F>
__device__ __forceinline__ void for_places(int rows, int line, F f) {
    for (int row = blockIdx.y * blockDim.y + threadIdx.y; row < rows; row += gridDim.y * blockDim.y)
        for (int j = blockIdx.x * blockDim.x + threadIdx.x; j < line; j += gridDim.x * blockDim.x) f(row, j);
}
