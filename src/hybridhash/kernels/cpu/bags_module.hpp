// What all Python doors of bags check.
#pragma once

#include <optional>

#include "arrays.hpp"
#include "isa.hpp"

namespace hybridhash {

// Offsets rise from 0 to the keys, and there is a weight per key. The rows of keys have yet to be checked, or written.
inline Bags bags_of(const int32_t* rows, size_t num_keys, const Array<int64_t>& offsets,
                    const std::optional<Array<float>>& weights, int mode) {
    require(mode >= 0 && mode <= 2, "mode: expected 0, 1 or 2");
    require(offsets.shape(0) >= 1, "offsets: expected at least one");
    const size_t num_bags = offsets.shape(0) - 1;
    require(num_keys < (size_t)1 << kKeyBits && num_bags < (size_t)kNoRow,
            "keys: expected fewer than 2**28 keys and 2**31 bags in a call");
    const int64_t* offset = offsets.data();
    require(offset[0] == 0 && offset[num_bags] == (int64_t)num_keys,
            "offsets: expected to go from 0 to the number of keys");
    bool rising = true;
    for (size_t b = 0; b < num_bags; ++b) rising &= offset[b] <= offset[b + 1];
    require(rising, "offsets: expected to rise");
    if (weights) require(weights->shape(0) == num_keys, "weights: expected one per key");
    require(!weights || mode == (int)Mode::sum, "weights: expected mode sum");
    return {rows, offset, weights ? weights->data() : nullptr, (Mode)mode};
}

// Where the rows of keys are to be written, a line per key; null if nobody wants them.
inline int32_t* rows_to_keep(const std::optional<OutputMatrix<int32_t>>& rows, size_t num_keys, size_t num_hashes) {
    if (!rows) return nullptr;
    require(rows->shape(0) == num_keys && rows->shape(1) == num_hashes,
            "rows: expected a line per key and a column per hash function");
    return rows->data();
}

}  // namespace hybridhash
