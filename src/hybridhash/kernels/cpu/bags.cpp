#include "bags.hpp"

#include <algorithm>
#include <array>
#include <memory>
#include <mutex>
#include <numeric>

#include "packed.hpp"
#include "pool.hpp"

namespace hybridhash {

namespace {

constexpr size_t kKeysPerTask = 8192;
constexpr size_t kEntriesPerShard = 1024;  // whose grouping stays in the first cache
constexpr size_t kMostShards = 1024;

// What a calling thread keeps between its calls.
struct Workspace {
    Buffer<int32_t> bag_of_key;
    Buffer<float> key_scale;
    Buffer<Entry> entries;
    Buffer<size_t> starts, counts;
    Buffer<int32_t> rows;
};

Workspace& workspace() {
    static thread_local Workspace kept;
    return kept;
}

// Room for the rows of keys where nobody keeps them, for those who read them again after they have pooled.
int32_t* room_for_rows(const Bags& bags, size_t num_bags, int num_hashes) {
    return workspace().rows.room((num_bags ? (size_t)bags.offsets[num_bags] : 0) * (size_t)num_hashes);
}

// What a working thread keeps: the room to group the entries of a shard.
Grouping grouping_room(size_t num_entries) {
    static thread_local Buffer<uint32_t> slots, links;
    return {slots.room(grouping_slots(num_entries)), links.room(3 * num_entries)};
}

size_t tasks_for(size_t work, size_t per_task) { return std::max<size_t>(1, (work + per_task - 1) / per_task); }

void split(size_t count, size_t per_task, int num_threads, const std::function<void(size_t, size_t)>& part) {
    if (!count) return;
    const size_t num_tasks = tasks_for(count, per_task);
    Pool::instance().run(num_threads, (int)num_tasks, [&](int task) {
        part(count * (size_t)task / num_tasks, count * ((size_t)task + 1) / num_tasks);
    });
}

// Tasks of whole bags with about equal numbers of keys.
size_t bags_per_task(const Bags& bags, size_t num_bags) {
    const size_t num_keys = num_bags ? (size_t)bags.offsets[num_bags] : 0;
    return std::max<size_t>(1, num_bags / tasks_for(num_keys + num_bags, kKeysPerTask));
}

}  // namespace

void hash_integers(const int64_t* values, int64_t* keys, size_t count, uint64_t salt, int num_threads) {
    split(count, 1 << 16, num_threads, [&](size_t first, size_t last) {
        kernels().hash_integers(values + first, keys + first, last - first, salt);
    });
}

void encode(const Encoder& encoder, const int64_t* keys, int32_t* rows, size_t count, int num_threads) {
    split(count, kKeysPerTask, num_threads, [&](size_t first, size_t last) {
        kernels().encode(encoder, keys + first, rows + first * encoder.num_hashes, last - first);
    });
}

void forward(const Table& table, const Bags& bags, size_t num_bags, float* out, int32_t* argmax, int num_threads) {
    split(num_bags, bags_per_task(bags, num_bags), num_threads,
          [&](size_t first, size_t last) { kernels().forward(table, bags, first, last, out, argmax); });
}

void encode_and_pool(const Encoder& encoder, const Table& table, const Bags& bags_of_keys, const int64_t* keys,
                     int32_t* rows, size_t num_bags, float* out, int32_t* argmax, int num_threads) {
    Bags bags = bags_of_keys;
    if (!rows && !(pools_from_lists(table, bags, &encoder) && bags.mode == Mode::sum))
        bags.rows = rows = room_for_rows(bags, num_bags, encoder.num_hashes);
    split(num_bags, bags_per_task(bags, num_bags), num_threads, [&](size_t first, size_t last) {
        kernels().encode_and_pool(encoder, table, bags, keys, rows, first, last, out, argmax);
    });
}

void packed_forward(const Encoder* encoder, const PackedTable& table, const Bags& bags_of_keys, const int64_t* keys,
                    int32_t* rows, size_t num_bags, float* out, int num_threads) {
    Bags bags = bags_of_keys;
    if (encoder && !rows && bags.mode != Mode::sum)
        bags.rows = rows = room_for_rows(bags, num_bags, encoder->num_hashes);
    split(num_bags, bags_per_task(bags, num_bags), num_threads, [&](size_t first, size_t last) {
        kernels().packed_forward(encoder, table, bags, keys, rows, first, last, out);
    });
}

void packed_vectors(const Encoder& encoder, const PackedTable& table, const int64_t* keys, size_t count, float* out,
                    int num_threads) {
    constexpr size_t kKeysAtOnce = 2048;
    static const auto offsets = [] {  // of bags of one key
        std::array<int64_t, kKeysAtOnce + 1> numbers;
        std::iota(numbers.begin(), numbers.end(), 0);
        return numbers;
    }();
    const Bags bags{nullptr, offsets.data(), nullptr, Mode::sum};
    split(count, kKeysPerTask, num_threads, [&](size_t first, size_t last) {
        for (size_t key = first; key < last; key += kKeysAtOnce)
            kernels().packed_forward(&encoder, table, bags, keys + key, nullptr, 0, std::min(kKeysAtOnce, last - key),
                                     out + key * (size_t)table.dim);
    });
}

std::pair<int32_t, int32_t> bounds(const int32_t* rows, size_t num_keys, int num_hashes, int num_threads) {
    std::mutex lock;
    std::pair<int32_t, int32_t> found{-1, -1};
    split(num_keys, 4 * kKeysPerTask, num_threads, [&](size_t first, size_t last) {
        int32_t least, greatest;
        kernels().bounds(rows + first * num_hashes, last - first, num_hashes, &least, &greatest);
        std::lock_guard<std::mutex> guard(lock);
        found.first = std::min(found.first, least);
        found.second = std::max(found.second, greatest);
    });
    return found;
}

void descend(const Table& table, const Bags& bags, size_t num_bags, const float* grad, float learning_rate,
             int num_threads) {
    const size_t num_rows = num_bags ? (size_t)bags.offsets[num_bags] * (size_t)table.num_hashes : 0;
    const int num_owners = (int)std::min<size_t>((size_t)std::min(num_threads, 1 << 15), tasks_for(num_rows, 4096));
    Pool::instance().run(num_threads, num_owners, [&](int owner) {
        kernels().descend(table, bags, num_bags, grad, learning_rate, (unsigned)owner, (unsigned)num_owners);
    });
}

void weight_gradient(const Table& table, const Bags& bags, size_t num_bags, const float* grad, float* out,
                     int num_threads) {
    split(num_bags, bags_per_task(bags, num_bags), num_threads,
          [&](size_t first, size_t last) { kernels().weight_gradient(table, bags, first, last, grad, out); });
}

Shards::Shards(const Table& table, const Bags& bags, size_t num_bags, size_t num_head, size_t num_tail,
               const float* grad, const int32_t* argmax, int num_threads)
    : width_of_tail_(table.bucket_dim), num_threads_(num_threads) {
    const size_t num_keys = num_bags ? (size_t)bags.offsets[num_bags] : 0;
    const size_t num_hashes = (size_t)table.num_hashes;
    Workspace& kept = workspace();
    int32_t* const bag_of_key = kept.bag_of_key.room(num_keys);
    const bool scaled = bags.weights || bags.mode == Mode::mean;
    float* const key_scale = scaled ? kept.key_scale.room(num_keys) : nullptr;

    const size_t num_shards = std::min(kMostShards, tasks_for(num_keys * num_hashes, kEntriesPerShard));
    num_head_shards_ = num_head ? num_shards : 0;
    num_tail_shards_ = num_shards;
    const uint64_t head_factor = num_head ? (num_head_shards_ << 32) / num_head : 0;
    const uint64_t tail_factor = (num_tail_shards_ << 32) / num_tail;
    const size_t all_shards = num_head_shards_ + num_tail_shards_;

    // Counting sort by shard: count in parallel ranges of bags, then write each range behind the one before.
    const size_t num_tasks = std::min<size_t>(tasks_for(num_keys * num_hashes, 4 * kKeysPerTask), 64);
    size_t* const counts = kept.counts.room(num_tasks * all_shards);
    std::fill_n(counts, num_tasks * all_shards, 0);
    const int32_t* rows = bags.rows;
    const auto shard_of_head = [&](int32_t row) { return (size_t)(((uint64_t)(uint32_t)row * head_factor) >> 32); };
    const auto shard_of_tail = [&](int32_t row) {
        return num_head_shards_ + (size_t)(((uint64_t)(uint32_t)~row * tail_factor) >> 32);
    };
    Pool::instance().run(num_threads, (int)num_tasks, [&](int task) {
        size_t* count = counts + (size_t)task * all_shards;
        const size_t first = num_bags * (size_t)task / num_tasks, last = num_bags * ((size_t)task + 1) / num_tasks;
        for (size_t b = first; b < last; ++b) {
            const size_t begin = (size_t)bags.offsets[b], end = (size_t)bags.offsets[b + 1];
            size_t length = 0;
            for (size_t i = begin; i < end; ++i) {
                bag_of_key[i] = (int32_t)b;
                const int32_t* row = rows + i * num_hashes;
                if (row[0] == kNoRow) continue;
                ++length;
                if (row[0] >= 0) ++count[shard_of_head(row[0])];
                else
                    for (size_t h = 0; h < num_hashes; ++h) ++count[shard_of_tail(row[h])];
            }
            if (scaled) {
                const float scale = bags.mode == Mode::mean && length ? 1.0f / (float)length : 1.0f;
                for (size_t i = begin; i < end; ++i) key_scale[i] = bags.weights ? bags.weights[i] : scale;
            }
        }
    });
    size_t* const starts = kept.starts.room(all_shards + 1);
    size_t total = 0;
    for (size_t shard = 0; shard < all_shards; ++shard) {
        starts[shard] = total;
        for (size_t task = 0; task < num_tasks; ++task) {
            const size_t count = counts[task * all_shards + shard];
            counts[task * all_shards + shard] = total;
            total += count;
        }
    }
    starts[all_shards] = total;
    Entry* const entries = kept.entries.room(total);
    Pool::instance().run(num_threads, (int)num_tasks, [&](int task) {
        size_t* at = counts + (size_t)task * all_shards;
        const size_t first = (size_t)bags.offsets[num_bags * (size_t)task / num_tasks];
        const size_t last = (size_t)bags.offsets[num_bags * ((size_t)task + 1) / num_tasks];
        for (size_t i = first; i < last; ++i) {
            const int32_t* row = rows + i * num_hashes;
            if (row[0] == kNoRow) continue;
            if (row[0] >= 0) {
                entries[at[shard_of_head(row[0])]++] = {(uint32_t)row[0], (uint32_t)i};
            } else {
                for (size_t h = 0; h < num_hashes; ++h)
                    entries[at[shard_of_tail(row[h])]++] = {(uint32_t)~row[h], (uint32_t)i | (uint32_t)h << kKeyBits};
            }
        }
    });
    entries_ = entries;
    starts_ = starts;
    gradient_.values = grad;
    gradient_.bag_of_key = bag_of_key;
    gradient_.key_scale = key_scale;
    gradient_.argmax = argmax;
    gradient_.hash_scale = table.combine == Combine::mean ? 1.0f / (float)num_hashes : 1.0f;
    gradient_.dim = table.dim;
    gradient_.concat = table.combine == Combine::concat;
}

size_t Shards::largest() const {
    size_t most = 0;
    for (size_t shard = 0; shard < num_head_shards_ + num_tail_shards_; ++shard)
        most = std::max(most, starts_[shard + 1] - starts_[shard]);
    return most;
}

void Shards::apply(const Slab& head, const Slab& tail, Element element, const Update& update) const {
    const size_t num_shards = num_head_shards_ + num_tail_shards_, most = largest();
    // A task is a run of shards, so that its scratch is made once.
    const size_t num_tasks = std::min<size_t>(num_shards, (size_t)num_threads_ * 8);
    Pool::instance().run(num_threads_, (int)num_tasks, [&](int task) {
        const Grouping room = grouping_room(most);
        for (size_t shard = num_shards * (size_t)task / num_tasks; shard < num_shards * ((size_t)task + 1) / num_tasks;
             ++shard) {
            const bool in_head = shard < num_head_shards_;
            const size_t count = starts_[shard + 1] - starts_[shard];
            if (count)
                kernels().apply(entries_ + starts_[shard], count, gradient_, in_head, in_head ? head : tail,
                                element, update, room);
        }
    });
}

void Shards::collect(bool head, std::vector<int64_t>& rows, std::vector<float>& sums) const {
    const size_t first = first_shard(head), last = last_shard(head);
    const size_t width = (size_t)(head ? gradient_.dim : width_of_tail_), most = largest();
    const size_t begin = starts_[first], num_entries = starts_[last] - begin;
    std::vector<uint32_t> found(num_entries);
    std::vector<float> values(num_entries * width);
    std::vector<size_t> num_rows(last - first + 1, 0);
    Pool::instance().run(num_threads_, (int)(last - first), [&](int task) {
        const Grouping room = grouping_room(most);
        const size_t shard = first + (size_t)task, start = starts_[shard] - begin;
        const size_t count = starts_[shard + 1] - starts_[shard];
        if (count)
            num_rows[(size_t)task + 1] =
                kernels().collect(entries_ + starts_[shard], count, gradient_, head, (int)width,
                                  found.data() + start, values.data() + start * width, room);
    });
    std::partial_sum(num_rows.begin(), num_rows.end(), num_rows.begin());
    rows.resize(num_rows.back());
    sums.resize(num_rows.back() * width);
    Pool::instance().run(num_threads_, (int)(last - first), [&](int task) {
        const size_t start = starts_[first + (size_t)task] - begin, to = num_rows[(size_t)task];
        const size_t count = num_rows[(size_t)task + 1] - to;
        std::vector<uint32_t> order(count);
        std::iota(order.begin(), order.end(), 0u);
        std::sort(order.begin(), order.end(),
                  [&](uint32_t a, uint32_t b) { return found[start + a] < found[start + b]; });
        for (size_t i = 0; i < count; ++i) {
            rows[to + i] = found[start + order[i]];
            std::copy_n(values.data() + (start + order[i]) * width, width, sums.data() + (to + i) * width);
        }
    });
}

}  // namespace hybridhash
