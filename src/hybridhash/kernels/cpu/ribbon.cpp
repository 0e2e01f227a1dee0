#include "ribbon.hpp"

#include <algorithm>
#include <vector>

namespace hybridhash {

namespace {

constexpr int kMostBits = 32;

// An equation whose first slot is the one that it stands at; without coefficients, none.
struct Row {
    uint64_t coefficients;
    uint32_t value;
};

// Gaussian elimination: every equation goes to its first slot, with what stands there taken out of it until a slot is free.
bool eliminate(const uint32_t* starts, const uint64_t* coefficients, const uint32_t* values, size_t num_keys,
               std::vector<Row>& rows) {
    for (size_t i = 0; i < num_keys; ++i) {
        size_t slot = starts[i];
        uint64_t c = coefficients[i];
        uint32_t value = values[i];
        while (rows[slot].coefficients) {
            c ^= rows[slot].coefficients, value ^= rows[slot].value;
            if (!c) break;
            const int zeros = __builtin_ctzll(c);
            c >>= zeros, slot += (size_t)zeros;
        }
        if (c) rows[slot] = {c, value};
        else if (value) return false;
    }
    return true;
}

}  // namespace

bool solve_ribbon(const uint32_t* starts, const uint64_t* coefficients, const uint32_t* values, size_t num_keys,
                  int value_bits, uint64_t* words, size_t num_blocks) {
    std::vector<Row> rows(num_blocks * kRibbonWidth, Row{0, 0});
    if (!eliminate(starts, coefficients, values, num_keys, rows)) return false;
    // From the last slot to the first: bit s of ahead[j] is bit j of the value s slots on. A free slot has the value 0.
    uint64_t ahead[kMostBits] = {};
    for (size_t slot = rows.size(); slot-- > 0;) {
        const Row row = rows[slot];
        for (int j = 0; j < value_bits; ++j) {
            const uint64_t later = ahead[j] << 1;
            const uint64_t bit = (uint64_t)__builtin_parityll(later & row.coefficients) ^ (row.value >> j & 1u);
            ahead[j] = later | bit;
        }
        if (slot % kRibbonWidth == 0) std::copy_n(ahead, value_bits, words + slot / kRibbonWidth * (size_t)value_bits);
    }
    return true;
}

}  // namespace hybridhash
