#include "dictionary.hpp"

#include <utility>
#include <vector>

#include "hashes.hpp"
#include "isa.hpp"

namespace hybridhash {

namespace {

constexpr int kMostMoves = 2000;
constexpr size_t kAhead = 32;    // keys between asking for the lines of one and placing it
constexpr size_t kWaiting = 16;  // keys that wait, each for the line that it moves to
// Keys of a line that are there for good: those that came first, which are the most important. Nearly all have it as
// their first line, and that is looked into first.
constexpr uint32_t kFixed = 4;

struct Places {
    uint32_t first, second;
};

inline Places places_of_key(int64_t key, uint64_t num_lines, uint64_t salt) {
    const uint64_t h = mix64((uint64_t)key + salt);
    return {(uint32_t)reduce(h, num_lines), (uint32_t)reduce((h << 32) | (h >> 32), num_lines)};
}

// A dictionary while keys are placed. A key that has to move waits until the line that it moves to has come from memory.
struct Builder {
    int64_t* positions;
    uint64_t num_lines, salt;
    std::vector<uint8_t> used;
    struct Moving {
        int64_t key;
        uint32_t line;
        int moves;
    } waiting[kWaiting];
    size_t num_taken = 0, num_waiting = 0;
    uint32_t random = 0x9E3779B9u;

    int64_t* places_of(uint32_t line) { return positions + (size_t)line * kLineKeys; }

    void ask_for(uint32_t line) {
        __builtin_prefetch(&used[line], 1);
        __builtin_prefetch(places_of(line), 1);
    }

    // All places are compared, whether used or not, as that needs no branches.
    bool holds(uint32_t line, int64_t key) {
        const int64_t* places = places_of(line);
        uint32_t same = 0;
        for (int slot = 0; slot < kLineKeys; ++slot) same |= (uint32_t)(places[slot] == key) << slot;
        return same & ((1u << used[line]) - 1);
    }

    // Puts a key into a line; where that is full, in place of a later key, which has to move to its other line.
    void put(int64_t key, uint32_t line, int moves) {
        if (used[line] < kLineKeys) {
            places_of(line)[used[line]++] = key;
            return;
        }
        random ^= random << 13, random ^= random >> 17, random ^= random << 5;
        std::swap(key, places_of(line)[kFixed + random % (kLineKeys - kFixed)]);
        const Places where = places_of_key(key, num_lines, salt);
        const uint32_t other = where.first == line ? where.second : where.first;
        ask_for(other);
        waiting[(num_taken + num_waiting++) % kWaiting] = {key, other, moves + 1};
    }

    Placed put_next_waiting() {
        const Moving next = waiting[num_taken++ % kWaiting];
        --num_waiting;
        const Places where = places_of_key(next.key, num_lines, salt);
        // The same key may have come while this one waited.
        if (holds(where.first, next.key) || holds(where.second, next.key)) return Placed::repeated_key;
        if (next.moves > kMostMoves) return Placed::no_room;
        put(next.key, next.line, next.moves);
        return Placed::all;
    }
};

}  // namespace

Placed place_keys(const int64_t* keys, size_t num_keys, int64_t* positions, uint64_t num_lines, uint64_t salt) {
    Builder builder{positions, num_lines, salt, std::vector<uint8_t>(num_lines, 0), {}};
    Places ahead[kAhead];
    const auto ask_for_key = [&](size_t i) {
        const Places where = places_of_key(keys[i], num_lines, salt);
        ahead[i % kAhead] = where;
        builder.ask_for(where.first);
        builder.ask_for(where.second);
    };
    for (size_t i = 0; i < kAhead && i < num_keys; ++i) ask_for_key(i);
    for (size_t i = 0; i < num_keys; ++i) {
        const Places where = ahead[i % kAhead];
        if (i + kAhead < num_keys) ask_for_key(i + kAhead);
        // A key stands in one of its two lines, so that is where the same key would be.
        if (builder.holds(where.first, keys[i]) || builder.holds(where.second, keys[i])) return Placed::repeated_key;
        const uint8_t in_first = builder.used[where.first];
        const bool first = in_first < kFixed || in_first <= builder.used[where.second];
        builder.put(keys[i], first ? where.first : where.second, 0);
        const bool is_last = i + 1 == num_keys;
        while (builder.num_waiting == kWaiting || (is_last && builder.num_waiting))
            if (const Placed placed = builder.put_next_waiting(); placed != Placed::all) return placed;
    }
    for (uint64_t line = 0; line < num_lines; ++line) {
        int64_t filler = 0;
        for (;; ++filler) {
            const Places where = places_of_key(filler, num_lines, salt);
            if (where.first != line && where.second != line) break;
        }
        for (int slot = builder.used[line]; slot < kLineKeys; ++slot)
            positions[(size_t)line * kLineKeys + slot] = filler;
    }
    return Placed::all;
}

}  // namespace hybridhash
