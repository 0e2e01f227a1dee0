#include "dictionary.hpp"

#include <utility>
#include <vector>

#include "isa.hpp"

namespace hybridhash {

namespace {

constexpr int kMostMoves = 2000;
// Keys of a bucket that are there for good: those that came first, which are the most important. Nearly all have it as
// their first bucket, and that is looked into first.
constexpr uint32_t kFixed = 4;
constexpr size_t kAhead = 16;

inline uint64_t mix64(uint64_t z) {
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ull;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBull;
    return z ^ (z >> 31);
}

inline uint64_t reduce(uint64_t hash, uint64_t range) {
    return ((hash >> 32) * range + (((hash & 0xFFFFFFFFull) * range) >> 32)) >> 32;
}

struct Places {
    uint32_t first, second;
};

inline Places places_of(int64_t key, uint64_t num_buckets, uint64_t salt) {
    const uint64_t h = mix64((uint64_t)key + salt);
    return {(uint32_t)reduce(h, num_buckets), (uint32_t)reduce((h << 32) | (h >> 32), num_buckets)};
}

}  // namespace

Placed place_keys(const int64_t* keys, size_t num_keys, int64_t* positions, uint64_t num_buckets, uint64_t salt) {
    std::vector<uint8_t> used(num_buckets, 0);
    std::vector<Places> places(num_keys);
    for (size_t i = 0; i < num_keys; ++i) places[i] = places_of(keys[i], num_buckets, salt);
    uint32_t random = 0x9E3779B9u;
    for (size_t i = 0; i < num_keys; ++i) {
        if (i + kAhead < num_keys) {
            __builtin_prefetch(&used[places[i + kAhead].first], 1);
            __builtin_prefetch(&used[places[i + kAhead].second], 1);
            __builtin_prefetch(&positions[(size_t)places[i + kAhead].first * kBucketKeys], 1);
            __builtin_prefetch(&positions[(size_t)places[i + kAhead].second * kBucketKeys], 1);
        }
        int64_t key = keys[i];
        Places where = places[i];
        // A key stands in one of its two buckets, so that is where the same key would be.
        bool repeated = false;
        for (int slot = 0; slot < used[where.first]; ++slot)
            repeated |= positions[(size_t)where.first * kBucketKeys + slot] == key;
        for (int slot = 0; slot < used[where.second]; ++slot)
            repeated |= positions[(size_t)where.second * kBucketKeys + slot] == key;
        if (repeated) return Placed::repeated_key;
        const bool first = used[where.first] < kFixed || used[where.first] <= used[where.second];
        uint32_t bucket = first ? where.first : where.second;
        int moves = 0;
        while (used[bucket] == kBucketKeys) {  // make room: a later key of this bucket moves to its other one
            if (++moves > kMostMoves) return Placed::no_room;
            random ^= random << 13, random ^= random >> 17, random ^= random << 5;
            const uint32_t slot = kFixed + random % (kBucketKeys - kFixed);
            std::swap(key, positions[(size_t)bucket * kBucketKeys + slot]);
            where = places_of(key, num_buckets, salt);
            bucket = where.first == bucket ? where.second : where.first;
        }
        positions[(size_t)bucket * kBucketKeys + used[bucket]++] = key;
    }
    for (uint64_t bucket = 0; bucket < num_buckets; ++bucket) {
        int64_t filler = 0;
        for (;; ++filler) {
            const Places where = places_of(filler, num_buckets, salt);
            if (where.first != bucket && where.second != bucket) break;
        }
        for (int slot = used[bucket]; slot < kBucketKeys; ++slot)
            positions[(size_t)bucket * kBucketKeys + slot] = filler;
    }
    return Placed::all;
}

}  // namespace hybridhash
