#include "strings.hpp"

#include <algorithm>
#include <atomic>
#include <functional>
#include <vector>

#include "buffer.hpp"
#include "isa.hpp"
#include "pool.hpp"

namespace hybridhash {

namespace {

constexpr size_t kStringsPerTask = 1 << 14;
constexpr size_t kPointsPerTask = 1 << 18;
constexpr size_t kTextScratch = 1 << 15;

// The kernels of the instruction set that dispatch.cpp chose.
const StringKernels& string_kernels() {
#if defined(__x86_64__)
    if (&kernels() == &isa_v4::table) return isa_v4::strings;
    if (&kernels() == &isa_v3::table) return isa_v3::strings;
#endif
    return isa_base::strings;
}

size_t tasks_for(size_t count, size_t per_task) { return (count + per_task - 1) / per_task; }

// Runs part(task, first, last) over ranges that together are [0, count).
void split(size_t count, size_t num_tasks, int num_threads, const std::function<void(size_t, size_t, size_t)>& part) {
    Pool::instance().run(num_threads, (int)num_tasks, [&](int task) {
        const size_t index = (size_t)task;
        part(index, count * index / num_tasks, count * (index + 1) / num_tasks);
    });
}

// Runs part(first, last) over all strings and says whether each returned true.
bool all_of(size_t count, int num_threads, const std::function<bool(size_t, size_t)>& part) {
    std::atomic<bool> good{true};
    split(count, tasks_for(count, kStringsPerTask), num_threads, [&](size_t, size_t first, size_t last) {
        if (!part(first, last)) good.store(false, std::memory_order_relaxed);
    });
    return good.load();
}

}  // namespace

size_t text_scratch_bytes(size_t width) { return std::max(kTextScratch, 4 * width + 32); }

bool hash_slices(Bytes bytes, const int64_t* starts, const int64_t* lengths, size_t count, uint64_t seed,
                 int64_t* keys, int num_threads) {
    return all_of(count, num_threads, [&](size_t first, size_t last) {
        return string_kernels().slices(bytes, starts + first, lengths + first, last - first, seed, keys + first);
    });
}

bool hash_offsets(Bytes bytes, const int32_t* offsets, size_t count, uint64_t seed, int64_t* keys, int num_threads) {
    return all_of(count, num_threads, [&](size_t first, size_t last) {
        return string_kernels().offsets32(bytes, offsets + first, last - first, seed, keys + first);
    });
}

bool hash_offsets(Bytes bytes, const int64_t* offsets, size_t count, uint64_t seed, int64_t* keys, int num_threads) {
    return all_of(count, num_threads, [&](size_t first, size_t last) {
        return string_kernels().offsets64(bytes, offsets + first, last - first, seed, keys + first);
    });
}

void hash_fixed_bytes(Bytes bytes, size_t width, size_t count, uint64_t seed, int64_t* keys, int num_threads) {
    split(count, tasks_for(count, kStringsPerTask), num_threads, [&](size_t, size_t first, size_t last) {
        const Bytes part = {bytes.data + first * width, bytes.size - first * width};
        string_kernels().fixed_bytes(part, width, last - first, seed, keys + first);
    });
}

uint32_t hash_fixed_text(const uint32_t* points, size_t width, size_t count, uint64_t seed, int64_t* keys,
                         int num_threads) {
    const size_t per_task = std::max<size_t>(1, std::min(kStringsPerTask, kPointsPerTask / width));
    std::vector<uint32_t> surrogates(tasks_for(count, per_task));
    split(count, surrogates.size(), num_threads, [&](size_t task, size_t first, size_t last) {
        static thread_local Buffer<uint8_t> scratch;
        surrogates[task] = string_kernels().fixed_text(points + first * width, width, last - first, seed,
                                                       scratch.room(text_scratch_bytes(width)), keys + first);
    });
    for (const uint32_t found : surrogates)
        if (found) return found;
    return 0;
}

}  // namespace hybridhash
