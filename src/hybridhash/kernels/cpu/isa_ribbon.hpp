// Reading a dictionary of codes without keys.
#pragma once

#include "isa_common.hpp"

namespace hybridhash::HH_ISA {

namespace {

// Which slots a key reads.
struct Equation {
    uint32_t start;
    uint32_t check;
    uint64_t coefficients;
};

// The value that a key reads: its code, and the check bits above.
HH_INLINE uint32_t read_ribbon(const uint64_t* ribbon, int value_bits, const Equation& equation) {
    const int slot = (int)(equation.start & 63);
    const uint64_t* here = ribbon + (size_t)(equation.start >> 6) * (size_t)value_bits;
    const uint64_t* next = here + (slot ? value_bits : 0);  // behind the last block there is none
    uint32_t value = 0;
    for (int j = 0; j < value_bits; ++j) {
        const uint64_t read = (here[j] >> slot | next[j] << 1 << (63 - slot)) & equation.coefficients;
        value |= (uint32_t)__builtin_parityll(read) << j;
    }
    return value;
}

}  // namespace

}  // namespace hybridhash::HH_ISA
