// Two hash functions whose rows are summed, the paper's method, to pooled vectors.
#include "isa_lists.hpp"

namespace hybridhash::HH_ISA {

namespace {

template <class E, int DIM>
void pool(const Encoder* e, const Table& t, const Bags& bags, const int64_t* keys, int32_t* rows, size_t first_bag,
          size_t last_bag, float* out) {
    typedef typename E::Type Type;
    const FloatRows<E> head{(const Type*)t.head, 1.0f};
    const FloatRows<E> tail{(const Type*)t.tail, t.combine == Combine::mean ? 0.5f : 1.0f};
    const bool weighted = bags.weights != nullptr;
    const auto list = [&](const Chunk& chunk, Lists& lists) {
        if (e) encode(*e, keys + chunk.first, rows + 2 * chunk.first, chunk.last - chunk.first);
        list_rows(chunk, lists);
    };
    const auto add = [&](const Chunk& chunk, const Lists& now, const Lists& next) {
        const size_t num_head = next.num_head[0], num_tail = 2 * next.num_tail_keys;
        const auto ask_next = [&](size_t j) HH_NO_CALL {
            if (j < num_head) head.template ask<DIM>(next.head[0][j]);
            if (j < num_tail) tail.template ask<DIM>(next.tail[j]);
        };
        float* vectors = out + chunk.first_bag * DIM;
        add_runs<DIM>(head,
                      {now.head[0], weighted ? now.head_weights[0] : nullptr, now.head_ends[0],
                       chunk.last_bag - chunk.first_bag, chunk.fresh()},
                      vectors, ask_next);
        // The rows of both lists count on, so that all of the next chunk are asked for as evenly as can be.
        const size_t asked = now.num_head[0];
        add_points<DIM>(tail,
                        {now.tail, weighted ? now.tail_weights : nullptr, now.tail_bags, now.num_tail_keys, 2}, vectors,
                        [&](size_t j) HH_NO_CALL { ask_next(asked + j); });
        for (size_t j = asked + 2 * now.num_tail_keys; j < num_head || j < num_tail; ++j) ask_next(j);
    };
    for_each_chunk(bags, 2, tail.scale, first_bag, last_bag, list, add);
    if (bags.mode == Mode::mean) divide_by_counts(bags, 2, first_bag, last_bag, DIM, out);
}

template <class E>
void pool_of(const Encoder* e, const Table& t, const Bags& bags, const int64_t* keys, int32_t* rows, size_t first_bag,
             size_t last_bag, float* out) {
    switch (t.dim) {
        case 16: return pool<E, 16>(e, t, bags, keys, rows, first_bag, last_bag, out);
        case 32: return pool<E, 32>(e, t, bags, keys, rows, first_bag, last_bag, out);
        case 64: return pool<E, 64>(e, t, bags, keys, rows, first_bag, last_bag, out);
        case 128: return pool<E, 128>(e, t, bags, keys, rows, first_bag, last_bag, out);
    }
}

}  // namespace

bool reads_pairs(const Table& t, const Bags& bags) {
    const bool in_registers = t.dim == 16 || t.dim == 32 || t.dim == 64 || t.dim == 128;
    return in_registers && t.num_hashes == 2 && t.combine != Combine::concat && bags.mode != Mode::max;
}

void pool_pairs(const Encoder* e, const Table& t, const Bags& bags, const int64_t* keys, int32_t* rows,
                size_t first_bag, size_t last_bag, float* out) {
    switch (t.element) {
        case Element::f32: return pool_of<F32>(e, t, bags, keys, rows, first_bag, last_bag, out);
        case Element::bf16: return pool_of<BF16>(e, t, bags, keys, rows, first_bag, last_bag, out);
        case Element::f16: return pool_of<F16>(e, t, bags, keys, rows, first_bag, last_bag, out);
    }
}

}  // namespace hybridhash::HH_ISA
