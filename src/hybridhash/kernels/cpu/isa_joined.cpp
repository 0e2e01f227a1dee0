// Two, four or eight hash functions whose rows are joined, to pooled vectors.
#include "isa_adders.hpp"
#include "isa_lists.hpp"

namespace hybridhash::HH_ISA {

namespace {

// As many keys as leave room in the first cache for the rows of the tail that those of the next chunk read.
struct FewLists : Lists {
    static constexpr size_t kKeys = 128;
};

// Adds H rows of the tail for each key, each to its part of the vector of the key's bag.
template <class E, int DIM, int H>
HH_INLINE void add_joined(const typename E::Type* tail, const Points& list, float* out) {
    constexpr int kWidth = DIM / H;
    typedef typename Floats<kWidth>::Vector Part;
    for (size_t j = 0; j < list.num_keys; ++j) {
        float* vector = out + list.bags[j] * (size_t)DIM;
        const float weight = list.weights ? list.weights[j] : 1.0f;
        HH_UNROLL for (int h = 0; h < H; ++h) {
            const typename E::Type* row = tail + (size_t)list.rows[j * H + h] * kWidth;
            Part part, sum;
            for (int i = 0; i < kWidth; ++i) part[i] = E::load(row + i);
            std::memcpy(&sum, vector + h * kWidth, sizeof sum);
            sum += weight * part;
            std::memcpy(vector + h * kWidth, &sum, sizeof sum);
        }
    }
}

template <class E, int DIM, int H>
void pool(const Encoder* e, const Table& t, const Bags& bags, const int64_t* keys, int32_t* rows, size_t first_bag,
          size_t last_bag, float* out) {
    typedef typename E::Type Type;
    const FloatRows<E> head{(const Type*)t.head, 1.0f};
    const Type* tail = (const Type*)t.tail;
    const auto list = [&](Chunk& chunk, Lists& lists) {
        if (e) find_rows(*e, keys, rows, lists.found, chunk);
        list_rows(chunk, lists);
    };
    // Rows of the next chunk are asked for while those of this one are added: those of the tail, too, with the rows of
    // the head, as so many at once would wait for each other.
    const auto add = [&](const Chunk& chunk, const Lists& now, const Lists& next) {
        const size_t num_bags = chunk.last_bag - chunk.first_bag, num_head = now.num_head[0];
        const size_t next_head = next.num_head[0], next_tail = next.num_tail_keys * H;
        const size_t at_once = num_head ? (next_tail + num_head - 1) / num_head : next_tail;
        size_t asked = 0;
        const auto ask = [&](size_t j) HH_NO_CALL {
            if (j < next_head) head.template ask<DIM>(next.head[0][j]);
            const size_t stop = asked + at_once < next_tail ? asked + at_once : next_tail;
            for (; asked < stop; ++asked) ask_for<E, Ask::now>(tail, next.tail[asked], DIM / H);
        };
        const bool weighted = bags.weights != nullptr;
        float* vectors = out + chunk.first_bag * (size_t)DIM;
        add_runs<DIM>(head, Runs{now.head[0], weighted ? now.head_weights[0] : nullptr, now.head_ends[0], num_bags,
                                 chunk.fresh()}, vectors, ask);
        for (size_t j = num_head; j < next_head || asked < next_tail; ++j) ask(j);
        add_joined<E, DIM, H>(tail, Points{now.tail, weighted ? now.tail_weights : nullptr, now.tail_bags,
                                           now.num_tail_keys, H}, vectors);
    };
    for_each_chunk<FewLists>(bags, H, 1.0f, first_bag, last_bag, list, add);
    if (bags.mode == Mode::mean) divide_by_counts(bags, H, first_bag, last_bag, DIM, out);
}

}  // namespace

void pool_joined(const Encoder* e, const Table& t, const Bags& bags, const int64_t* keys, int32_t* rows,
                 size_t first_bag, size_t last_bag, float* out) {
    choose_element(t.element, [&]<class E>() {
        Dims::choose(t.dim, [&]<int DIM>() {
            Joins::choose(t.num_hashes,
                          [&]<int H>() { pool<E, DIM, H>(e, t, bags, keys, rows, first_bag, last_bag, out); });
        });
    });
}

}  // namespace hybridhash::HH_ISA
