// Loops that add the rows of a list (isa_lists.hpp) to the vectors of bags, with a vector in registers.
#pragma once

#include "isa_common.hpp"

namespace hybridhash::HH_ISA {

namespace {

// Rows of the head that bags read: those of bag b end at ends[b].
struct Runs {
    const uint32_t* rows;
    const float* weights;  // per row, or null for 1
    const uint32_t* ends;
    size_t num_bags;
    bool fresh;            // the vectors are yet to be written
};

// Rows of the tail that keys read, and the bags of the keys.
struct Points {
    const uint32_t* rows;
    const float* weights;  // per key, or null for that of the slab
    const uint32_t* bags;
    size_t num_keys;
    int per_key;           // rows that a key reads one after another
};

// Adds the rows of each bag to its vector. A slab knows its rows: ask<WIDTH>(row), and add<PARTS, WEIGHTED>(sum, row,
// weight). ask_next(j) is called at row j.
template <int DIM, bool WEIGHTED, class Slab, class AskNext>
HH_INLINE void add_runs_of(const Slab& slab, const Runs& list, float* out, AskNext ask_next) {
    constexpr int kParts = DIM / kLanes;
    size_t j = 0;
    for (size_t b = 0; b < list.num_bags; ++b) {
        float* vector = out + b * DIM;
        Lane sum[kParts];
        HH_UNROLL for (int p = 0; p < kParts; ++p) sum[p] = list.fresh ? Lane{} : *(const Lane*)(vector + p * kLanes);
        for (const size_t end = list.ends[b]; j < end; ++j) {
            ask_next(j);
            slab.template add<kParts, WEIGHTED>(sum, list.rows[j], WEIGHTED ? list.weights[j] : 0.0f);
        }
        HH_UNROLL for (int p = 0; p < kParts; ++p) *(Lane*)(vector + p * kLanes) = sum[p];
    }
}

template <int DIM, class Slab, class AskNext>
HH_INLINE void add_runs(const Slab& slab, const Runs& list, float* out, AskNext ask_next) {
    return list.weights ? add_runs_of<DIM, true>(slab, list, out, ask_next)
                        : add_runs_of<DIM, false>(slab, list, out, ask_next);
}

// Adds the rows of each key to the vector of its bag. They are few, and one loop over all is better than one per bag,
// whose end would be mispredicted. ask_next(j) is called at row j.
template <int DIM, bool WEIGHTED, class Slab, class AskNext>
HH_INLINE void add_points_of(const Slab& slab, const Points& list, float* out, AskNext ask_next) {
    constexpr int kParts = DIM / kLanes;
    const size_t per_key = (size_t)list.per_key;
    for (size_t j = 0; j < list.num_keys; ++j) {
        float* vector = out + list.bags[j] * (size_t)DIM;
        Lane sum[kParts];
        HH_UNROLL for (int p = 0; p < kParts; ++p) sum[p] = *(const Lane*)(vector + p * kLanes);
        for (size_t i = j * per_key; i < (j + 1) * per_key; ++i) {
            ask_next(i);
            slab.template add<kParts, WEIGHTED>(sum, list.rows[i], WEIGHTED ? list.weights[j] : 0.0f);
        }
        HH_UNROLL for (int p = 0; p < kParts; ++p) *(Lane*)(vector + p * kLanes) = sum[p];
    }
}

template <int DIM, class Slab, class AskNext>
HH_INLINE void add_points(const Slab& slab, const Points& list, float* out, AskNext ask_next) {
    return list.weights ? add_points_of<DIM, true>(slab, list, out, ask_next)
                        : add_points_of<DIM, false>(slab, list, out, ask_next);
}

// Rows of floats that a table holds one after another; those without weights of their own are scaled alike.
template <class E>
struct FloatRows {
    const typename E::Type* rows;
    float scale;

    template <int DIM>
    HH_INLINE void ask(size_t row) const {
        ask_for<E, Ask::later>(rows, row, DIM);
    }
    template <int PARTS, bool WEIGHTED>
    HH_INLINE void add(Lane* sum, size_t row, float weight) const {
        const typename E::Type* from = rows + row * (PARTS * kLanes);
        const float factor = WEIGHTED ? weight : scale;
        HH_UNROLL for (int p = 0; p < PARTS; ++p) sum[p] += factor * E::load_lane(from + p * kLanes);
    }
};

}  // namespace

}  // namespace hybridhash::HH_ISA
