// Gradients to rows: entries are grouped by row, summed, and move it once.
#include "isa_common.hpp"

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

HH_INLINE uint32_t slots_for(size_t num_entries) {
    uint32_t slots = 16;
    while (slots < 2 * num_entries) slots *= 2;
    return slots;
}

HH_INLINE Groups group(const Entry* entries, size_t count, const Grouping& room) {
    Groups g;
    const uint32_t num_slots = slots_for(count);
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

// In lanes, which add up to the same for every build.
HH_INLINE float sum_of_squares(const float* values, int count) {
    float lanes[kLanes] = {};
    int j = 0;
    for (; j + kLanes <= count; j += kLanes)
        for (int lane = 0; lane < kLanes; ++lane) lanes[lane] += values[j + lane] * values[j + lane];
    for (; j < count; ++j) lanes[j % kLanes] += values[j] * values[j];
    float sum = 0;
    for (int lane = 0; lane < kLanes; ++lane) sum += lanes[lane];
    return sum;
}

template <class E, Rule RULE, int WIDTH>
HH_INLINE void move_row(const Slab& slab, size_t row, int width, float* grad, const Update& u) {
    typedef typename E::Type Type;
    const int w = WIDTH ? WIDTH : width;
    Type* values = (Type*)slab.rows + row * w;
    if (RULE != Rule::ftrl && u.weight_decay != 0.0f)
        HH_APART for (int j = 0; j < w; ++j) grad[j] += u.weight_decay * E::load(values + j);
    switch (RULE) {
        case Rule::sgd:
            HH_APART for (int j = 0; j < w; ++j) E::store(values + j, E::load(values + j) - u.learning_rate * grad[j]);
            break;
        case Rule::adagrad: {
            float* squares = slab.state1 + row * w;
            HH_APART for (int j = 0; j < w; ++j) {
                const float s = squares[j] + grad[j] * grad[j];
                squares[j] = s;
                E::store(values + j, E::load(values + j) - u.learning_rate * (grad[j] / (std::sqrt(s) + u.eps)));
            }
            break;
        }
        case Rule::rowwise_adagrad: {
            const float s = slab.state1[row] + sum_of_squares(grad, w) / (float)w;
            slab.state1[row] = s;
            const float step = u.learning_rate / (std::sqrt(s) + u.eps);
            HH_APART for (int j = 0; j < w; ++j) E::store(values + j, E::load(values + j) - step * grad[j]);
            break;
        }
        case Rule::adam: {
            float* m = slab.state1 + row * w;
            float* v = slab.state2 + row * w;
            HH_APART for (int j = 0; j < w; ++j) {
                m[j] += u.first_share * (grad[j] - m[j]);
                v[j] += u.second_share * (grad[j] * grad[j] - v[j]);
                const float denominator = std::sqrt(v[j]) + u.eps;
                E::store(values + j, E::load(values + j) - u.step_size * (m[j] / denominator));
            }
            break;
        }
        case Rule::ftrl: {
            float* z = slab.state1 + row * w;
            float* n = slab.state2 + row * w;
            HH_APART for (int j = 0; j < w; ++j) {
                const float squared = n[j] + grad[j] * grad[j];
                const float sigma = (std::sqrt(squared) - std::sqrt(n[j])) / u.learning_rate;
                z[j] += grad[j] - sigma * E::load(values + j);
                n[j] = squared;
                const float shrunk = std::fabs(z[j]) - u.l1;
                const float scale = (u.beta + std::sqrt(squared)) / u.learning_rate + u.l2;
                E::store(values + j, shrunk <= 0.0f ? 0.0f : -std::copysign(shrunk, z[j]) / scale);
            }
            break;
        }
    }
}

constexpr int kWidest = 1024;  // floats of a gradient sum on the stack; dispatch refuses wider rows

template <class E, Rule RULE, int WIDTH>
void apply_width(const Entry* entries, const Groups& groups, const Gradient& g, bool head, const Slab& slab,
                 const Update& u) {
    alignas(64) float sum[WIDTH ? (WIDTH < kLanes ? kLanes : WIDTH) : kWidest];
    constexpr uint32_t kRowsAhead = 8;
    for (uint32_t unique = 0; unique < groups.count; ++unique) {
        if (unique + kRowsAhead < groups.count) {
            const size_t row = entries[groups.first[unique + kRowsAhead]].row;
            ask_for<E, Ask::change>(slab.rows, row, slab.width);
            if (RULE == Rule::rowwise_adagrad) ask_for_line<Ask::change>(slab.state1 + row);
            else if (RULE != Rule::sgd) ask_for<F32, Ask::change>(slab.state1, row, slab.width);
            if (RULE == Rule::adam || RULE == Rule::ftrl) ask_for<F32, Ask::change>(slab.state2, row, slab.width);
        }
        sum_chain<WIDTH>(entries, groups, unique, g, head, slab.width, sum);
        move_row<E, RULE, WIDTH>(slab, entries[groups.first[unique]].row, slab.width, sum, u);
    }
}

template <class E, Rule RULE>
void apply_rule(const Entry* entries, const Groups& groups, const Gradient& g, bool head, const Slab& slab,
                const Update& u) {
    switch (slab.width) {
#define HH_WIDTH(WIDTH) \
    case WIDTH: return apply_width<E, RULE, WIDTH>(entries, groups, g, head, slab, u);
        HH_WIDTH(1)
        HH_WIDTH(2)
        HH_WIDTH(4)
        HH_WIDTH(8)
        HH_WIDTH(16)
        HH_WIDTH(32)
        HH_WIDTH(64)
        HH_WIDTH(128)
#undef HH_WIDTH
        default: return apply_width<E, RULE, 0>(entries, groups, g, head, slab, u);
    }
}

template <class E>
void apply_element(const Entry* entries, const Groups& groups, const Gradient& g, bool head, const Slab& slab,
                   const Update& u) {
    switch (u.rule) {
        case Rule::sgd: return apply_rule<E, Rule::sgd>(entries, groups, g, head, slab, u);
        case Rule::adagrad: return apply_rule<E, Rule::adagrad>(entries, groups, g, head, slab, u);
        case Rule::rowwise_adagrad: return apply_rule<E, Rule::rowwise_adagrad>(entries, groups, g, head, slab, u);
        case Rule::adam: return apply_rule<E, Rule::adam>(entries, groups, g, head, slab, u);
        case Rule::ftrl: return apply_rule<E, Rule::ftrl>(entries, groups, g, head, slab, u);
    }
}

}  // namespace

void apply(const Entry* entries, size_t count, const Gradient& g, bool head, const Slab& slab, Element element,
           const Update& u, const Grouping& room) {
    const Groups groups = group(entries, count, room);
    switch (element) {
        case Element::f32: return apply_element<F32>(entries, groups, g, head, slab, u);
        case Element::bf16: return apply_element<BF16>(entries, groups, g, head, slab, u);
        case Element::f16: return apply_element<F16>(entries, groups, g, head, slab, u);
    }
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
