// Packed rows to pooled vectors. Each list of rows is added by a loop that knows their format.
#include "isa_adders.hpp"
#include "isa_lists.hpp"
#include "isa_unpack.hpp"
#include "packed.hpp"

namespace hybridhash::HH_ISA {

namespace {

// H rows of a key, joined.
template <int DIM, int H, int BITS>
void add_chunks(const PackedSlab& s, const Points& list, float scale, float* out) {
    constexpr int kWidth = DIM / H;
    if constexpr (kWidth < kLanes) {
        typedef typename Vectors<kWidth>::Floats Chunk;
        for (size_t j = 0; j < list.num_keys; ++j) {
            float* vector = out + list.bags[j] * (size_t)DIM;
            const float weight = list.weights ? list.weights[j] : scale;
            HH_UNROLL for (int h = 0; h < H; ++h) {
                const size_t at = j * H + h;
                Chunk chunk;
                std::memcpy(&chunk, vector + h * kWidth, sizeof chunk);
                chunk += weight * small_row<kWidth, BITS>(s, list.rows[at]);
                std::memcpy(vector + h * kWidth, &chunk, sizeof chunk);
            }
        }
    } else {
        const auto rows = rows_of<BITS>(s, scale);
        for (size_t j = 0; j < list.num_keys; ++j) {
            float* vector = out + list.bags[j] * (size_t)DIM;
            for (int h = 0; h < H; ++h) {
                const size_t at = j * H + h;
                Lane sum[kWidth / kLanes];
                std::memcpy(sum, vector + h * kWidth, sizeof sum);
                if (list.weights) rows.template add<kWidth / kLanes, true>(sum, list.rows[at], list.weights[j]);
                else rows.template add<kWidth / kLanes, false>(sum, list.rows[at], 0.0f);
                std::memcpy(vector + h * kWidth, sum, sizeof sum);
            }
        }
    }
}

// A row of any width, one float after another.
template <int BITS>
HH_INLINE void add_row(const PackedSlab& s, size_t row, float weight, float* vector) {
    const size_t start = row * (size_t)s.width;
    for (int i = 0; i < s.width; ++i) vector[i] += weight * value<BITS>(s, start + (size_t)i);
}

// next: rows of the same slab that will be read next; their number.
template <int BITS>
void add_runs_with_bits(const PackedSlab& s, const Runs& list, float* out, const uint32_t* next, size_t num_next) {
    const auto ask_next = [&](size_t j) HH_NO_CALL {
        if (j < num_next) ask_for_row(s, next[j], s.width, BITS);
    };
    const size_t count = list.num_bags ? list.ends[list.num_bags - 1] : 0;
    for (size_t j = count; j < num_next; ++j) ask_next(j);
    if (Dims::has(s.width)) {
        const auto rows = rows_of<BITS>(s, 1.0f);
        return Dims::choose(s.width, [&]<int DIM>() HH_NO_CALL {
            add_runs<DIM>(rows, list, out, [&](size_t j) HH_NO_CALL {
                if (j < num_next) rows.template ask<DIM>(next[j]);
            });
        });
    }
    if (list.fresh) std::memset(out, 0, list.num_bags * (size_t)s.width * sizeof(float));
    size_t j = 0;
    for (size_t b = 0; b < list.num_bags; ++b)
        for (; j < list.ends[b]; ++j) {
            ask_next(j);
            add_row<BITS>(s, list.rows[j], list.weights ? list.weights[j] : 1.0f, out + b * (size_t)s.width);
        }
}

template <int BITS>
void add_points_with_bits(const PackedSlab& s, const Points& list, float scale, int dim, float* out) {
    const bool joined = s.width != dim;
    const auto no_more = [](size_t) HH_NO_CALL {};  // what comes next has been asked for
    if (Dims::has(dim) && !joined)
        return Dims::choose(dim, [&]<int DIM>() HH_NO_CALL {
            add_points<DIM>(rows_of<BITS>(s, scale), list, out, no_more);
        });
    if (Dims::has(dim) && Joins::has(list.per_key))
        return Dims::choose(dim, [&]<int DIM>() {
            Joins::choose(list.per_key, [&]<int H>() { add_chunks<DIM, H, BITS>(s, list, scale, out); });
        });
    for (size_t j = 0; j < list.num_keys; ++j)
        for (int h = 0; h < list.per_key; ++h)
            add_row<BITS>(s, list.rows[j * (size_t)list.per_key + (size_t)h], list.weights ? list.weights[j] : scale,
                          out + list.bags[j] * (size_t)dim + (joined ? h * s.width : 0));
}

// Which part of the head a row belongs to; the row becomes one of that part.
HH_INLINE int part_of(const PackedTable& t, uint32_t& row) {
    int part = 0;
    while (row >= t.head[part].num_rows) row -= t.head[part++].num_rows;
    return part;
}

void list_all(const PackedTable& t, const Chunk& chunk, Lists& lists) {
    if (t.num_head == 1) return list_rows(chunk, lists);
    const auto part = [&](uint32_t& row) { return part_of(t, row); };
    if (chunk.bags->weights) list_in_parts<true>(chunk, part, t.num_head, lists);
    else list_in_parts<false>(chunk, part, t.num_head, lists);
}

// next: the lists of the chunk behind this one, whose rows are asked for.
void pool_chunk(const PackedTable& t, const Chunk& chunk, float* out, const Lists& now, const Lists& next) {
    const size_t num_bags = chunk.last_bag - chunk.first_bag;
    const bool weighted = chunk.bags->weights != nullptr, fresh = chunk.fresh();
    float* vectors = out + chunk.first_bag * (size_t)t.dim;
    for (size_t j = 0; j < next.num_tail_keys * (size_t)t.num_hashes; ++j)
        ask_for_row(t.tail, next.tail[j], t.tail.width, t.tail.bits);
    if (fresh && !t.num_head) std::memset(vectors, 0, num_bags * (size_t)t.dim * sizeof(float));
    for (int part = 0; part < t.num_head; ++part) {
        const Runs list{now.head[part], weighted ? now.head_weights[part] : nullptr, now.head_ends[part], num_bags,
                        fresh && part == 0};
        RowBits::choose(t.head[part].bits, [&]<int BITS>() {
            add_runs_with_bits<BITS>(t.head[part], list, vectors, next.head[part], next.num_head[part]);
        });
    }
    const float tail_scale = weighted ? 1.0f : chunk.tail_scale;  // weights include it
    const Points list{now.tail, weighted ? now.tail_weights : nullptr, now.tail_bags, now.num_tail_keys, t.num_hashes};
    RowBits::choose(t.tail.bits, [&]<int BITS>() {
        add_points_with_bits<BITS>(t.tail, list, tail_scale, t.dim, vectors);
    });
}

float component(const PackedTable& t, const int32_t* rows, int j) {
    const auto of = [&](const PackedSlab& s, uint32_t row, int at) {
        const size_t i = (size_t)row * (size_t)s.width + (size_t)at;
        return RowBits::choose(s.bits, [&]<int BITS>() { return value<BITS>(s, i); });
    };
    if (rows[0] >= 0) {
        uint32_t row = (uint32_t)rows[0];
        const int part = part_of(t, row);
        return of(t.head[part], row, j);
    }
    if (t.combine == Combine::concat) {
        const int h = j / t.tail.width;
        return of(t.tail, (uint32_t)~rows[h], j - h * t.tail.width);
    }
    float sum = 0;
    for (int h = 0; h < t.num_hashes; ++h) sum += of(t.tail, (uint32_t)~rows[h], j);
    return t.combine == Combine::mean ? sum / (float)t.num_hashes : sum;
}

void take_maximum(const PackedTable& t, const Bags& bags, size_t bag, float* vector) {
    bool any = false;
    for (size_t i = (size_t)bags.offsets[bag]; i < (size_t)bags.offsets[bag + 1]; ++i) {
        const int32_t* rows = bags.rows + i * t.num_hashes;
        if (rows[0] == kNoRow) continue;
        for (int j = 0; j < t.dim; ++j) {
            const float found = component(t, rows, j);
            if (!any || found > vector[j]) vector[j] = found;
        }
        any = true;
    }
}

}  // namespace

void packed_forward(const Encoder* e, const PackedTable& t, const Bags& bags, const int64_t* keys, int32_t* rows,
                    size_t first_bag, size_t last_bag, float* out) {
    const float tail_scale = t.combine == Combine::mean ? 1.0f / (float)t.num_hashes : 1.0f;
    if (bags.mode != Mode::max) {
        const auto list = [&](Chunk& chunk, Lists& lists) {
            if (e) find_rows(*e, keys, rows, lists.found, chunk);
            list_all(t, chunk, lists);
        };
        for_each_chunk<Lists>(bags, t.num_hashes, tail_scale, first_bag, last_bag, list,
                       [&](const Chunk& chunk, const Lists& now, const Lists& next) { pool_chunk(t, chunk, out, now, next); });
    } else {
        const size_t first = (size_t)bags.offsets[first_bag], last = (size_t)bags.offsets[last_bag];
        if (e) encode(*e, keys + first, rows + first * t.num_hashes, last - first);
        std::memset(out + first_bag * t.dim, 0, (last_bag - first_bag) * (size_t)t.dim * sizeof(float));
        for (size_t bag = first_bag; bag < last_bag; ++bag) take_maximum(t, bags, bag, out + bag * t.dim);
    }
    if (bags.mode == Mode::mean) divide_by_counts(bags, t.num_hashes, first_bag, last_bag, t.dim, out);
}

}  // namespace hybridhash::HH_ISA
