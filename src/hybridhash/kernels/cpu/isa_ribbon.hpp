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
#if defined(__AVX512F__)
    const __m512i chosen = _mm512_set1_epi64((int64_t)equation.coefficients), one = _mm512_set1_epi64(1);
    const __m128i down = _mm_cvtsi32_si128(slot), up = _mm_cvtsi32_si128(64 - slot);  // by 64 nothing is left, here
    for (int j = 0; j < value_bits; j += 8) {
        const __mmask8 there = (__mmask8)(value_bits - j < 8 ? (1 << (value_bits - j)) - 1 : 0xFF);
        const __m512i lower = _mm512_srl_epi64(_mm512_maskz_loadu_epi64(there, here + j), down);
        const __m512i upper = _mm512_sll_epi64(_mm512_maskz_loadu_epi64(there, next + j), up);
        __m512i read = _mm512_and_si512(_mm512_or_si512(lower, upper), chosen);
        for (int distance = 32; distance; distance >>= 1)
            read = _mm512_xor_si512(read, _mm512_srli_epi64(read, (unsigned)distance));
        value |= (uint32_t)_mm512_test_epi64_mask(read, one) << j;
    }
#else
    for (int j = 0; j < value_bits; ++j) {
        const uint64_t read = (here[j] >> slot | next[j] << 1 << (63 - slot)) & equation.coefficients;
        value |= (uint32_t)__builtin_parityll(read) << j;
    }
#endif
    return value;
}

}  // namespace

}  // namespace hybridhash::HH_ISA
