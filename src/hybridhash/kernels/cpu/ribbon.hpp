// The dictionary of codes without keys (hashing/ribbon.py): solving its equations.
#pragma once

#include <cstddef>
#include <cstdint>

namespace hybridhash {

constexpr size_t kRibbonWidth = 64;

// Finds num_blocks * 64 values such that those from starts[i] on that coefficients[i] selects, the lowest bit the first,
// have the exclusive or values[i]. Writes a word per bit for each 64 of them. False where the equations have no solution.
bool solve_ribbon(const uint32_t* starts, const uint64_t* coefficients, const uint32_t* values, size_t num_keys,
                  int value_bits, uint64_t* words, size_t num_blocks);

}  // namespace hybridhash
