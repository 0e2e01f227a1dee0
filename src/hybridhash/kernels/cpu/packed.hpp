// Rows of a few bits, as hybridhash.packing lays them out, and bags of them.
#pragma once

#include "isa.hpp"

namespace hybridhash {

constexpr int kScaleBlock = 16;  // floats that share a scale
constexpr int kFloatBits = 32;

using RowBits = Constants<2, 3, 4, 8, kFloatBits>;  // of a float

// Rows of one format: float i, counted row after row, is (code + 0.5 - 2**(bits - 1)) * steps[scale of i / 16].
struct PackedSlab {
    const uint8_t* codes;   // with seven bytes behind the last code; the floats themselves for 32 bits
    const uint8_t* scales;  // half a byte per block
    float steps[16];
    int bits;
    int width;
    uint32_t num_rows;
};

// As Table, with a head in parts: head rows count over them.
struct PackedTable {
    PackedSlab head[kMaxDictionaries];
    int num_head;
    PackedSlab tail;
    int dim;
    int num_hashes;
    Combine combine;
};

}  // namespace hybridhash
