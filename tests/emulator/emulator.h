// Runs CUDA kernels on the CPU: the same .cu source, compiled by a C++ compiler behind this header.
//
// Each thread of a block is a fiber: it runs until it waits at a barrier or at an operation of its
// warp, and then another one goes on. Threads of a block, and blocks of a grid, run in a random
// order that a seed decides, so that what works for one order by luck is found out. One warp of a block
// lags behind the others as far as the barriers let it.
//
// Stricter than a card:
//   every thread of a block must come to the same __syncthreads(), that of one source line, and none
//     may have left the kernel; otherwise the launch ends in an error that says who waits where;
//   the lanes that a warp operation names must all exist and come to the same one;
//   shared memory is filled with NaNs before each block, and has its exact size on the heap;
//   what cp.async copies arrives at once or when it is waited for, as the seed decides for each;
//   vectors must lie on a boundary of their size.
// Not seen: races between blocks, races between threads without a barrier or warp operation in
// between other than through the random order, and the rounding of hardware instructions.
#pragma once

#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <algorithm>
#include <memory>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif

// --- what CUDA C++ adds to the language --------------------------------------------------------------

#define __global__
#define __device__
#define __host__
#define __forceinline__ inline
#define __noinline__ __attribute__((noinline))
#define __restrict__ __restrict
#define __launch_bounds__(...)
#define __align__(n) alignas(n)
#define __constant__ static
#define __shared__ _Pragma("GCC error \"say SHARED(type, name, [size]) or DYNAMIC_SHARED(type, name)\"")

struct uint3 {
    unsigned x, y, z;
};
struct dim3 {
    unsigned x = 1, y = 1, z = 1;
};
struct alignas(8) float2 {
    float x, y;
};
struct alignas(16) float4 {
    float x, y, z, w;
};
struct alignas(16) double2 {
    double x, y;
};
struct alignas(8) uint2 {
    unsigned x, y;
};
struct alignas(16) uint4 {
    unsigned x, y, z, w;
};
inline float2 make_float2(float x, float y) { return {x, y}; }
inline float4 make_float4(float x, float y, float z, float w) { return {x, y, z, w}; }
inline double2 make_double2(double x, double y) { return {x, y}; }
inline uint2 make_uint2(unsigned x, unsigned y) { return {x, y}; }
inline uint4 make_uint4(unsigned x, unsigned y, unsigned z, unsigned w) { return {x, y, z, w}; }

static uint3 threadIdx, blockIdx;
static dim3 blockDim, gridDim;
static const int warpSize = 32;

namespace emulator {

const size_t STACK = 256 * 1024;
const int WARP = 32;

struct Launch {
    unsigned grid[3], block[3];
    unsigned long long shared, seed;
};

struct Place {
    const char *file;
    int line;
    bool operator==(const Place &other) const { return line == other.line && !strcmp(file, other.file); }
};

// Works on what each of the 32 lanes brought; lanes that take no part are null.
typedef void (*WarpOperation)(void **lanes);

enum State { FRESH, READY, AT_BARRIER, IN_WARP, DONE };

struct Copy {
    void *to;
    unsigned char data[16];
    int size;
    int group;
};

struct Fiber {
    State state = FRESH;
    uint3 index{};
    Place place{};
    unsigned mask = 0;               // IN_WARP: the lanes that take part
    WarpOperation operation = nullptr;
    void *brought = nullptr;
    char *stack = nullptr;
    void *context = nullptr;         // where it goes on
    std::vector<Copy> copies;        // asynchronous ones that have not arrived
    int groups = 0;                  // of copies, committed
};

struct SharedArray {
    Place place;
    const char *function;  // each instance of a template has its own arrays
    std::unique_ptr<unsigned char, void (*)(void *)> memory;
};

// Everything that lasts; a pointer, so that it is made on first use and never destroyed.
struct World {
    std::vector<Fiber> fibers;
    std::vector<char *> stacks;  // free ones
    std::vector<SharedArray> shared;
    std::unique_ptr<unsigned char, void (*)(void *)> dynamic{nullptr, free};
    size_t dynamic_size = 0;
    Fiber *running = nullptr;
    void *scheduler = nullptr;   // its context
    void (*body)(void *) = nullptr;
    void *arguments = nullptr;
    unsigned long long random = 0;
    std::string error;
#if defined(__SANITIZE_ADDRESS__)
    const void *home = nullptr;  // the scheduler's stack, as the sanitizer knows it
    size_t home_size = 0;
#endif
};
inline World &world() {
    static World *one = new World;
    return *one;
}

inline unsigned draw(unsigned below) {  // xorshift64*, Vigna 2016
    unsigned long long &s = world().random;
    s ^= s >> 12, s ^= s << 25, s ^= s >> 27;
    return static_cast<unsigned>(((s * 2685821657736338717ull) >> 32) * below >> 32);
}

template <class T>
void shuffle(std::vector<T> &items) {
    for (size_t i = items.size(); i > 1; --i) std::swap(items[i - 1], items[draw(i)]);
}

// --- fibers ----------------------------------------------------------------------------------------------
// switch_context(&from, to) keeps the running context in `from` and goes on where `to` was kept.
// By hand where the processor is known: swapcontext asks the kernel for the signal mask, each time.

inline void emulator_begin();

#if defined(__x86_64__) && !defined(EMULATOR_UCONTEXT)

extern "C" void emulator_switch(void **from, void *to) __attribute__((visibility("hidden")));
asm(R"(
    .text
    .hidden emulator_switch
    .globl emulator_switch
    .type emulator_switch, @function
emulator_switch:
    pushq %rbp
    pushq %rbx
    pushq %r12
    pushq %r13
    pushq %r14
    pushq %r15
    movq %rsp, (%rdi)
    movq %rsi, %rsp
    popq %r15
    popq %r14
    popq %r13
    popq %r12
    popq %rbx
    popq %rbp
    ret
    .size emulator_switch, . - emulator_switch
)");

inline void switch_context(void **from, void *to) { emulator_switch(from, to); }

inline void *new_context(char *stack) {
    void **top = reinterpret_cast<void **>(stack + STACK) - 8;  // six registers, `ret`, its caller
    memset(top, 0, 8 * sizeof(void *));
    top[6] = reinterpret_cast<void *>(emulator_begin);
    return top;
}
inline void free_context(void *) {}

#else

}  // namespace emulator
#include <ucontext.h>
namespace emulator {

inline void switch_context(void **from, void *to) {
    if (!*from) *from = new ucontext_t;
    swapcontext(static_cast<ucontext_t *>(*from), static_cast<ucontext_t *>(to));
}

inline void *new_context(char *stack) {
    ucontext_t *context = new ucontext_t;
    getcontext(context);
    context->uc_stack.ss_sp = stack;
    context->uc_stack.ss_size = STACK;
    context->uc_link = nullptr;
    makecontext(context, emulator_begin, 0);
    return context;
}
inline void free_context(void *context) { delete static_cast<ucontext_t *>(context); }

#endif

inline char *take_stack() {
    World &w = world();
    if (w.stacks.empty()) {
        const size_t guard = 4096;
        char *memory = static_cast<char *>(mmap(nullptr, STACK + guard, PROT_READ | PROT_WRITE,
                                                MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0));
        if (memory == MAP_FAILED) abort();
        mprotect(memory, guard, PROT_NONE);  // an overflow stops here
        return memory + guard;
    }
    char *stack = w.stacks.back();
    w.stacks.pop_back();
    return stack;
}

inline void give_back(Fiber &f) {
#if defined(__SANITIZE_ADDRESS__)
    __asan_unpoison_memory_region(f.stack, STACK);  // a fiber that was given up leaves its frames
#endif
    world().stacks.push_back(f.stack);
    free_context(f.context);
    f.stack = nullptr;
    f.context = nullptr;
}

// From the scheduler into a fiber, until it waits or ends.
inline void resume(Fiber &f) {
    World &w = world();
    if (f.state == FRESH) {
        f.stack = take_stack();
        f.context = new_context(f.stack);
    }
    f.state = READY;
    w.running = &f;
    threadIdx = f.index;
#if defined(__SANITIZE_ADDRESS__)
    void *fake = nullptr;
    __sanitizer_start_switch_fiber(&fake, f.stack, STACK);
#endif
    switch_context(&w.scheduler, f.context);
#if defined(__SANITIZE_ADDRESS__)
    __sanitizer_finish_switch_fiber(fake, nullptr, nullptr);
#endif
    if (f.state == DONE) give_back(f);
}

// From the running fiber back into the scheduler.
inline void leave(bool for_good = false) {
    World &w = world();
    Fiber &f = *w.running;
#if defined(__SANITIZE_ADDRESS__)
    void *fake = nullptr;
    __sanitizer_start_switch_fiber(for_good ? nullptr : &fake, w.home, w.home_size);
#else
    (void)for_good;
#endif
    switch_context(&f.context, w.scheduler);
#if defined(__SANITIZE_ADDRESS__)
    __sanitizer_finish_switch_fiber(fake, nullptr, nullptr);
#endif
}

inline void emulator_begin() {
    World &w = world();
#if defined(__SANITIZE_ADDRESS__)
    __sanitizer_finish_switch_fiber(nullptr, &w.home, &w.home_size);
#endif
    w.body(w.arguments);
    w.running->state = DONE;
    leave(true);
    abort();
}

// --- waiting ---------------------------------------------------------------------------------------------

inline void barrier(Place place) {
    Fiber &f = *world().running;
    f.state = AT_BARRIER;
    f.place = place;
    leave();
}

inline void in_warp(Place place, unsigned mask, WarpOperation operation, void *brought) {
    Fiber &f = *world().running;
    f.state = IN_WARP;
    f.place = place;
    f.mask = mask;
    f.operation = operation;
    f.brought = brought;
    leave();
}

// Ends the launch with an error.
inline void fail(const std::string &why) {
    world().error = why;
    leave();
}

inline std::string triple(uint3 i) {
    return "(" + std::to_string(i.x) + ", " + std::to_string(i.y) + ", " + std::to_string(i.z) + ")";
}

inline std::string where(const Fiber &f) {
    const char *slash = f.place.file ? strrchr(f.place.file, '/') : nullptr;
    std::string at = std::string(slash ? slash + 1 : f.place.file ? f.place.file : "") + ":" +
                     std::to_string(f.place.line);
    std::string who = "thread " + triple(f.index);
    if (f.state == DONE) return who + " has left the kernel";
    return who + (f.state == AT_BARRIER ? " waits at the barrier of " : " waits for its warp at ") + at;
}

// Lets every warp operation happen whose lanes are all there; returns whether there was one.
// `last`: the warp that goes on only where no other one can.
inline bool release_warps(size_t last, bool also_last) {
    std::vector<Fiber> &fibers = world().fibers;
    bool any = false;
    for (size_t first = 0; first < fibers.size(); first += WARP) {
        if (first / WARP == last && !also_last) continue;
        size_t lanes = std::min<size_t>(WARP, fibers.size() - first);
        for (size_t i = 0; i < lanes; ++i) {
            Fiber &f = fibers[first + i];
            if (f.state != IN_WARP || !(f.mask >> i & 1)) continue;
            void *brought[WARP] = {};
            bool all = true;
            for (int j = 0; j < WARP && all; ++j) {
                if (!(f.mask >> j & 1)) continue;
                all = size_t(j) < lanes;
                if (!all) break;
                Fiber &g = fibers[first + j];
                all = g.state == IN_WARP && g.mask == f.mask && g.place == f.place &&
                      g.operation == f.operation;
                brought[j] = g.brought;
            }
            if (!all) continue;
            unsigned mask = f.mask;
            f.operation(brought);
            for (int j = 0; j < WARP; ++j)
                if (mask >> j & 1) fibers[first + j].state = READY;
            any = true;
        }
    }
    return any;
}

// Lets all threads pass the barrier where they all are; otherwise says why not.
inline void release_block() {
    World &w = world();
    Fiber *waiting = nullptr, *other = nullptr;
    for (Fiber &f : w.fibers)
        if (f.state != DONE && !waiting) waiting = &f;
    for (Fiber &f : w.fibers)
        if (f.state != waiting->state || !(f.place == waiting->place)) other = &f;
    if (waiting->state == AT_BARRIER && !other) {
        for (Fiber &f : w.fibers) f.state = READY;
        return;
    }
    w.error = "divergent barrier or warp operation in block " + triple(blockIdx) + ": " +
              where(*waiting) + (other ? ", while " + where(*other) : ", whose lanes are not all there");
}

inline void run_block(const Launch &launch) {
    World &w = world();
    w.shared.clear();
    w.dynamic.reset();
    w.dynamic_size = launch.shared;
    size_t threads = size_t(blockDim.x) * blockDim.y * blockDim.z;
    w.fibers.clear();
    w.fibers.resize(threads);
    for (size_t i = 0; i < threads; ++i) {
        unsigned rest = unsigned(i) / blockDim.x;
        w.fibers[i].index = {unsigned(i) % blockDim.x, rest % blockDim.y, rest / blockDim.y};
    }
    std::vector<Fiber *> order;
    for (Fiber &f : w.fibers) order.push_back(&f);
    const size_t last = draw(unsigned(threads + WARP - 1) / WARP);
    for (size_t left = threads; left && w.error.empty();) {
        shuffle(order);
        for (Fiber *f : order) {
            if (f->state != FRESH && f->state != READY) continue;
            resume(*f);
            left -= f->state == DONE;
            if (!w.error.empty()) break;
        }
        if (left && w.error.empty() && !release_warps(last, false) && !release_warps(last, true))
            release_block();
    }
    for (Fiber &f : w.fibers)
        if (f.stack) give_back(f);
}

// --- shared memory -----------------------------------------------------------------------------------------

inline std::unique_ptr<unsigned char, void (*)(void *)> poisoned(size_t size) {
    // aligned_alloc wants whole multiples; the sanitizer's posix_memalign keeps the exact size.
    void *memory = nullptr;
    if (posix_memalign(&memory, 128, size ? size : 1)) abort();
    memset(memory, 0xff, size);  // NaN in every floating-point type
    return {static_cast<unsigned char *>(memory), free};
}

inline void *shared_array(Place place, const char *function, size_t size) {
    for (SharedArray &a : world().shared)
        if (a.place == place && a.function == function) return a.memory.get();
    world().shared.push_back({place, function, poisoned(size)});
    return world().shared.back().memory.get();
}

inline void *dynamic_shared() {
    World &w = world();
    if (!w.dynamic) w.dynamic = poisoned(w.dynamic_size);
    return w.dynamic.get();
}

// --- warp operations ---------------------------------------------------------------------------------------

template <class T>
struct Exchange {
    T value, result;
    int lane, source;
};

template <class T>
T exchange(Place place, unsigned mask, T value, int lane, int source) {
    Exchange<T> mine{value, value, lane, source};
    in_warp(place, mask, [](void **lanes) {
        for (int i = 0; i < WARP; ++i) {
            if (!lanes[i]) continue;
            Exchange<T> &e = *static_cast<Exchange<T> *>(lanes[i]);
            if (e.source >= 0 && e.source < WARP && lanes[e.source])
                e.result = static_cast<Exchange<T> *>(lanes[e.source])->value;
        }
    }, &mine);
    return mine.result;
}

inline int lane() {
    return (threadIdx.x + blockDim.x * (threadIdx.y + blockDim.y * threadIdx.z)) % WARP;
}

// Lanes outside a segment of `width` keep their own value, as on a card.
template <class T>
T shuffle_down(Place p, unsigned mask, T v, unsigned delta, int width = WARP) {
    int me = lane(), source = me + int(delta);
    return exchange(p, mask, v, me, source / width == me / width ? source : me);
}
template <class T>
T shuffle_up(Place p, unsigned mask, T v, unsigned delta, int width = WARP) {
    int me = lane(), source = me - int(delta);
    return exchange(p, mask, v, me, source >= me / width * width ? source : me);
}
template <class T>
T shuffle_xor(Place p, unsigned mask, T v, int bits, int width = WARP) {
    int me = lane(), source = me ^ bits;
    return exchange(p, mask, v, me, source / width <= me / width ? source : me);
}
template <class T>
T shuffle_from(Place p, unsigned mask, T v, int source, int width = WARP) {
    int me = lane();
    return exchange(p, mask, v, me, me / width * width + (source % width + width) % width);
}

inline unsigned ballot(Place place, unsigned mask, int predicate) {
    struct Vote {
        int predicate;
        unsigned result;
    } mine{predicate, 0};
    in_warp(place, mask, [](void **lanes) {
        unsigned all = 0;
        for (int i = 0; i < WARP; ++i)
            if (lanes[i] && static_cast<Vote *>(lanes[i])->predicate) all |= 1u << i;
        for (int i = 0; i < WARP; ++i)
            if (lanes[i]) static_cast<Vote *>(lanes[i])->result = all;
    }, &mine);
    return mine.result;
}

// --- asynchronous copies into shared memory -----------------------------------------------------------------

inline void copy_async(void *to, const void *from, int size, int valid) {
    if (reinterpret_cast<size_t>(to) % size || reinterpret_cast<size_t>(from) % size)
        fail("cp.async of " + std::to_string(size) + " bytes off its boundary");
    Fiber &f = *world().running;
    Copy copy{to, {}, size, f.groups};
    memcpy(copy.data, from, valid);  // the rest is zeros
    if (draw(2)) memcpy(to, copy.data, size);
    else f.copies.push_back(copy);
}
inline void commit_copies() { world().running->groups++; }
inline void wait_for_copies(int pending) {  // all but the last `pending` groups have arrived
    Fiber &f = *world().running;
    std::vector<Copy> later;
    for (Copy &c : f.copies)
        if (c.group < f.groups - pending) memcpy(c.to, c.data, c.size);
        else later.push_back(c);
    f.copies.swap(later);
}

inline void check_alignment(const void *p, size_t boundary) {
    if (reinterpret_cast<size_t>(p) % boundary)
        fail("a vector of " + std::to_string(boundary) + " bytes off its boundary");
}

// --- launching ---------------------------------------------------------------------------------------------

template <class... A, size_t... I>
void unpack(void (*kernel)(A...), void **arguments, std::index_sequence<I...>) {
    kernel(*static_cast<A *>(arguments[I])...);
}

template <class... A>
const char *run(void (*kernel)(A...), const Launch *launch, void **arguments) {
    World &w = world();
    std::pair<void (*)(A...), void **> call{kernel, arguments};
    w.arguments = &call;
    w.body = [](void *p) {
        auto &c = *static_cast<std::pair<void (*)(A...), void **> *>(p);
        unpack(c.first, c.second, std::index_sequence_for<A...>{});
    };
    w.error.clear();
    w.random = launch->seed * 0x9e3779b97f4a7c15ull + 1;
    for (int i = 0; i < 8; ++i) draw(2);
    gridDim = {launch->grid[0], launch->grid[1], launch->grid[2]};
    blockDim = {launch->block[0], launch->block[1], launch->block[2]};
    size_t threads = size_t(blockDim.x) * blockDim.y * blockDim.z;
    if (threads > 1024) return "more than 1024 threads in a block";
    std::vector<unsigned> blocks(size_t(gridDim.x) * gridDim.y * gridDim.z);
    for (size_t i = 0; i < blocks.size(); ++i) blocks[i] = i;
    shuffle(blocks);
    for (unsigned i : blocks) {
        blockIdx = {i % gridDim.x, i / gridDim.x % gridDim.y, i / gridDim.x / gridDim.y};
        run_block(*launch);
        if (!w.error.empty()) return w.error.c_str();
    }
    return nullptr;
}

// The parameters' types as NumPy names them, a * before those of arrays: "*float32 *float32 int64".
template <class T> struct Name;
template <> struct Name<float> { static const char *get() { return "float32"; } };
template <> struct Name<double> { static const char *get() { return "float64"; } };
template <> struct Name<int> { static const char *get() { return "int32"; } };
template <> struct Name<unsigned> { static const char *get() { return "uint32"; } };
template <> struct Name<long long> { static const char *get() { return "int64"; } };
template <> struct Name<unsigned long long> { static const char *get() { return "uint64"; } };
template <> struct Name<unsigned short> { static const char *get() { return "uint16"; } };
template <> struct Name<unsigned char> { static const char *get() { return "uint8"; } };

template <class T>
std::string spell() {
    if constexpr (std::is_pointer_v<T>)
        return std::string("*") + Name<std::remove_cv_t<std::remove_pointer_t<T>>>::get();
    else
        return Name<T>::get();
}
template <class... A>
const char *signature(void (*)(A...)) {
    static std::string all = ((spell<A>() + " ") + ... + std::string());
    return all.c_str();
}

}  // namespace emulator

// --- CUDA's functions ----------------------------------------------------------------------------------------

#define HERE (emulator::Place{__FILE__, __LINE__})
#define SHARED(type, name, size)                                                                    \
    typedef type name##_array size;                                                                 \
    name##_array &name = *static_cast<name##_array *>(                                              \
        emulator::shared_array(HERE, __PRETTY_FUNCTION__, sizeof(name##_array)))
#define DYNAMIC_SHARED(type, name) type *name = static_cast<type *>(emulator::dynamic_shared())
#define __syncthreads() emulator::barrier(HERE)
#define __syncwarp(...) emulator::ballot(HERE, emulator::mask_or_full(__VA_ARGS__), 0)
#define __ballot_sync(mask, predicate) emulator::ballot(HERE, mask, predicate)
#define __any_sync(mask, predicate) (emulator::ballot(HERE, mask, predicate) != 0)
#define __all_sync(mask, predicate) (emulator::ballot(HERE, mask, predicate) == (mask))
#define __shfl_sync(mask, ...) emulator::shuffle_from(HERE, mask, __VA_ARGS__)
#define __shfl_down_sync(mask, ...) emulator::shuffle_down(HERE, mask, __VA_ARGS__)
#define __shfl_up_sync(mask, ...) emulator::shuffle_up(HERE, mask, __VA_ARGS__)
#define __shfl_xor_sync(mask, ...) emulator::shuffle_xor(HERE, mask, __VA_ARGS__)
#define __trap() emulator::fail("trap")

namespace emulator {
inline unsigned mask_or_full(unsigned mask = 0xffffffffu) { return mask; }
}  // namespace emulator

inline void __threadfence() {}
inline void __threadfence_block() {}
template <class T>
T __ldg(const T *p) {
    return *p;
}
template <class T>
T atomicAdd(T *p, T v) {
    T before = *p;
    *p = before + v;
    return before;
}
template <class A, class B>
std::common_type_t<A, B> max(A a, B b) {
    return a > b ? a : b;
}
template <class A, class B>
std::common_type_t<A, B> min(A a, B b) {
    return a < b ? a : b;
}
inline float rsqrtf(float x) { return 1 / sqrtf(x); }
inline double rsqrt(double x) { return 1 / sqrt(x); }
inline float __expf(float x) { return expf(x); }
inline float __fdividef(float a, float b) { return a / b; }
inline int __float_as_int(float x) { int i; memcpy(&i, &x, 4); return i; }
inline unsigned __float_as_uint(float x) { unsigned i; memcpy(&i, &x, 4); return i; }
inline float __int_as_float(int i) { float x; memcpy(&x, &i, 4); return x; }
inline float __uint_as_float(unsigned i) { float x; memcpy(&x, &i, 4); return x; }
inline unsigned long long __umul64hi(unsigned long long a, unsigned long long b) {
    return static_cast<unsigned long long>((static_cast<unsigned __int128>(a) * b) >> 64);
}
inline unsigned __umulhi(unsigned a, unsigned b) {
    return static_cast<unsigned>((static_cast<unsigned long long>(a) * b) >> 32);
}
