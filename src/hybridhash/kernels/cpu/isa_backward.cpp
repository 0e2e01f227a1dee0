// Gradients to rows: entries are grouped by row, summed, and move it once.
#include "isa_common.hpp"
#include "rules.hpp"

namespace hybridhash::HH_ISA {

namespace {

// Entries of one row as a chain in their order.
struct Groups {
    uint32_t* slots;  // open addressing: 1 + number of a different row, 0 for empty
    uint32_t mask;
    uint32_t* first;  // per different row, its first entry
    uint32_t* last;   // and its last
    uint32_t* next;   // per entry, 1 + the next of the same row, 0 at the end
    uint32_t count;
};

HH_INLINE Groups group(const Entry* entries, size_t count, const Grouping& room) {
    Groups g;
    const uint32_t num_slots = (uint32_t)grouping_slots(count);
    g.slots = room.slots;
    g.mask = num_slots - 1;
    g.first = room.links;
    g.last = g.first + count;
    g.next = g.last + count;
    g.count = 0;
    for (size_t e = 0; e < count; ++e) {
        const uint32_t row = entries[e].row;
        uint32_t slot = (row * 0x9E3779B1u) >> 7 & g.mask;
        for (;; slot = (slot + 1) & g.mask) {
            const uint32_t unique = g.slots[slot];
            if (!unique) {
                g.slots[slot] = ++g.count;
                g.first[g.count - 1] = g.last[g.count - 1] = (uint32_t)e;
                break;
            }
            if (entries[g.first[unique - 1]].row == row) {
                g.next[g.last[unique - 1]] = (uint32_t)e + 1;
                g.last[unique - 1] = (uint32_t)e;
                break;
            }
        }
        g.next[e] = 0;
    }
    std::memset(g.slots, 0, (size_t)num_slots * sizeof(uint32_t));
    return g;
}

// Where the gradient of an entry begins, and what it is multiplied with.
struct Piece {
    const float* values;
    const int32_t* argmax;
    int32_t key;
    float scale;
};

HH_INLINE Piece piece_of(const Gradient& g, const Entry& entry, bool head, int width) {
    const uint32_t key = entry.source & ((1u << kKeyBits) - 1), hash = entry.source >> kKeyBits;
    const size_t at = (size_t)g.bag_of_key[key] * g.dim + (g.concat && !head ? (size_t)hash * width : 0);
    Piece piece;
    piece.values = g.values + at;
    piece.argmax = g.argmax ? g.argmax + at : nullptr;
    piece.key = (int32_t)key;
    piece.scale = (g.key_scale ? g.key_scale[key] : 1.0f) * (head ? 1.0f : g.hash_scale);
    return piece;
}

template <int WIDTH>
HH_INLINE void sum_chain(const Entry* entries, const Groups& groups, uint32_t unique, const Gradient& g, bool head,
                         int width, float* sum) {
    const int w = WIDTH ? WIDTH : width;
    uint32_t e = groups.first[unique];
    if (WIDTH && WIDTH % kLanes == 0 && !g.argmax) {
        constexpr int kParts = WIDTH < kLanes ? 1 : WIDTH / kLanes;
        Lane parts[kParts];
        HH_UNROLL for (int p = 0; p < kParts; ++p) parts[p] = Lane{};
        for (;;) {
            const Piece piece = piece_of(g, entries[e], head, w);
            HH_UNROLL for (int p = 0; p < kParts; ++p)
                parts[p] += piece.scale * *(const Lane*)(piece.values + p * kLanes);
            if (!groups.next[e]) break;
            e = groups.next[e] - 1;
        }
        HH_UNROLL for (int p = 0; p < kParts; ++p) *(Lane*)(sum + p * kLanes) = parts[p];
        return;
    }
    for (int j = 0; j < w; ++j) sum[j] = 0;
    for (;;) {
        const Piece piece = piece_of(g, entries[e], head, w);
        if (piece.argmax) {
            for (int j = 0; j < w; ++j)
                if (piece.argmax[j] == piece.key) sum[j] += piece.scale * piece.values[j];
        } else {
            for (int j = 0; j < w; ++j) sum[j] += piece.scale * piece.values[j];
        }
        if (!groups.next[e]) break;
        e = groups.next[e] - 1;
    }
}

template <class E, class R, int WIDTH>
void apply_width(const Entry* entries, const Groups& groups, const Gradient& g, bool head, const Slab& slab,
                 const R& rule) {
    constexpr uint32_t kRowsAhead = 8;
    alignas(64) float sum[WIDTH == 0 ? kMaxFusedDim : WIDTH < kLanes ? kLanes : WIDTH];
    const int width = WIDTH ? WIDTH : slab.width;
    const auto per_row = [](int s) { return R::states.shapes[s] == State::per_row; };
    for (uint32_t unique = 0; unique < groups.count; ++unique) {
        if (unique + kRowsAhead < groups.count) {
            const size_t row = entries[groups.first[unique + kRowsAhead]].row;
            ask_for<E, Ask::change>(slab.rows, row, slab.width);
            for (int s = 0; s < R::states.count; ++s)
                if (per_row(s)) ask_for_line<Ask::change>(slab.state[s] + row);
                else ask_for<F32, Ask::change>(slab.state[s], row, slab.width);
        }
        sum_chain<WIDTH>(entries, groups, unique, g, head, slab.width, sum);
        const size_t row = entries[groups.first[unique]].row;
        MovedRow<E> moved{(typename E::Type*)slab.rows + row * (size_t)width, {}, sum, width};
        for (int s = 0; s < R::states.count; ++s)
            moved.state[s] = slab.state[s] + row * (size_t)(per_row(s) ? 1 : width);
        rule.move(moved);
    }
}

}  // namespace

void apply(const Entry* entries, size_t count, const Gradient& g, bool head, const Slab& slab, Element element,
           const Update& update, const Grouping& room) {
    const Groups groups = group(entries, count, room);
    choose_element(element, [&]<class E>() {
        Rules::choose(update.rule, [&]<class R>() {
            Widths::choose(slab.width, [&]<int WIDTH>() {
                apply_width<E, R, WIDTH>(entries, groups, g, head, slab, *(const R*)update.numbers);
            });
        });
    });
}

size_t collect(const Entry* entries, size_t count, const Gradient& g, bool head, int width, uint32_t* rows, float* out,
               const Grouping& room) {
    const Groups groups = group(entries, count, room);
    for (uint32_t unique = 0; unique < groups.count; ++unique) {
        rows[unique] = entries[groups.first[unique]].row;
        sum_chain<0>(entries, groups, unique, g, head, width, out + (size_t)unique * width);
    }
    return groups.count;
}

}  // namespace hybridhash::HH_ISA
