// Packed rows decoded in registers.
#pragma once

#include "isa_adders.hpp"
#include "packed.hpp"

namespace hybridhash::HH_ISA {

namespace {

constexpr int kMostBits = 8;

typedef uint32_t Ints __attribute__((vector_size(4 * kLanes)));
typedef int32_t SignedInts __attribute__((vector_size(4 * kLanes)));
typedef uint8_t Octets __attribute__((vector_size(kLanes), aligned(1), may_alias));

template <class T>
HH_INLINE T load(const uint8_t* p) {
    T word;
    std::memcpy(&word, p, sizeof word);
    return word;
}

HH_INLINE float step_of(const PackedSlab& s, size_t block) {
    return s.steps[s.scales[block >> 1] >> (4 * (block & 1)) & 15];
}

// Float i of a slab.
template <int BITS>
HH_INLINE float value(const PackedSlab& s, size_t i) {
    if constexpr (BITS == kFloatBits) {
        return load<float>(s.codes + 4 * i);
    } else {
        const size_t bit = i * BITS;
        const uint32_t code = load<uint16_t>(s.codes + (bit >> 3)) >> (bit & 7) & ((1u << BITS) - 1);
        return ((float)(int)code + (0.5f - (float)(1 << (BITS - 1)))) * step_of(s, i / kScaleBlock);
    }
}

// The codes of a block. Eight of them begin with a byte, and fit a word where they have fewer than eight bits. The
// instructions are named where there are any: compilers convert bytes one by one.
template <int BITS>
HH_INLINE SignedInts levels_of(const uint8_t* codes) {
#if defined(__AVX512F__)
    if constexpr (BITS == kMostBits) return (SignedInts)_mm512_cvtepu8_epi32(_mm_loadu_si128((const __m128i*)codes));
#elif defined(__AVX2__)
    if constexpr (BITS == kMostBits) {
        SignedInts levels;
        ((__m256i*)&levels)[0] = _mm256_cvtepu8_epi32(_mm_loadl_epi64((const __m128i*)codes));
        ((__m256i*)&levels)[1] = _mm256_cvtepu8_epi32(_mm_loadl_epi64((const __m128i*)(codes + 8)));
        return levels;
    }
#endif
    if constexpr (BITS == kMostBits) {
        return __builtin_convertvector(*(const Octets*)codes, SignedInts);
    } else {
        const uint32_t a = load<uint32_t>(codes), b = load<uint32_t>(codes + BITS);
        constexpr uint32_t B = BITS;
        const Ints shifts = {0, B, 2 * B, 3 * B, 4 * B, 5 * B, 6 * B, 7 * B,
                             0, B, 2 * B, 3 * B, 4 * B, 5 * B, 6 * B, 7 * B};
#if defined(__AVX512F__)
        const __m512i first = _mm512_set1_epi32((int)a);
        const Ints words = (Ints)_mm512_inserti64x4(first, _mm256_set1_epi32((int)b), 1);
#else
        const Ints words = {a, a, a, a, a, a, a, a, b, b, b, b, b, b, b, b};
#endif
        return (SignedInts)(words >> shifts & ((1u << BITS) - 1));
    }
}

// The floats of a block before they meet its step.
template <int BITS>
HH_INLINE Lane block_of(const uint8_t* codes) {
    constexpr float kOffset = 0.5f - (float)(1 << (BITS - 1));
#if defined(__AVX512F__)
    if constexpr (BITS <= 4) {  // a table in a register, of which a code chooses by the lowest four bits of its lane
        constexpr int kPerWord = BITS == 2 ? kLanes : kLanes / 2;
        Lane floats{};
        Ints shifts{};
        HH_UNROLL for (int i = 0; i < kLanes; ++i) {
            floats[i] = (float)(i & ((1 << BITS) - 1)) + kOffset;
            shifts[i] = (uint32_t)(i % kPerWord * BITS);
        }
        __m512i words = _mm512_set1_epi32((int)load<uint32_t>(codes));
        if (kPerWord < kLanes) words = _mm512_mask_set1_epi32(words, 0xFF00, (int)load<uint32_t>(codes + BITS));
        return (Lane)_mm512_permutexvar_ps(_mm512_srlv_epi32(words, (__m512i)shifts), (__m512)floats);
    }
#endif
    return __builtin_convertvector(levels_of<BITS>(codes), Lane) + kOffset;
}

// Packed rows of whole blocks. The steps include the scale of rows without weights of their own.
template <int BITS>
struct PackedRows {
    const uint8_t* codes;
    const uint8_t* scales;
    float steps[16];

    PackedRows(const PackedSlab& s, float scale) : codes(s.codes), scales(s.scales) {
        for (int i = 0; i < 16; ++i) steps[i] = scale * s.steps[i];
    }
    template <int DIM>
    HH_INLINE void ask(size_t row) const {
        constexpr size_t kRowBytes = DIM * BITS / 8;
        const uint8_t* first = codes + row * kRowBytes;
        for (size_t byte = 0; byte < kRowBytes; byte += 64) ask_for_line<Ask::later>(first + byte);
        ask_for_line<Ask::later>(scales + row * DIM / (2 * kScaleBlock));
    }
    template <int PARTS, bool WEIGHTED>
    HH_INLINE void add(Lane* sum, size_t row, float weight) const {
        const uint8_t* from = codes + row * (PARTS * 2 * BITS);
        // Two scales a byte, and where a row is one block, its half of one.
        const uint8_t* pairs = scales + (row * PARTS >> 1);
        HH_UNROLL for (int p = 0; p < PARTS; ++p) {
            const uint32_t scale = PARTS == 1 ? pairs[0] >> (4 * (row & 1)) & 15 : pairs[p >> 1] >> (4 * (p & 1)) & 15;
            const float step = WEIGHTED ? weight * steps[scale] : steps[scale];
            sum[p] += step * block_of<BITS>(from + p * (2 * BITS));
        }
    }
};

template <int BITS>
HH_INLINE auto rows_of(const PackedSlab& s, float scale) {
    if constexpr (BITS == kFloatBits) return FloatRows<F32>{(const float*)s.codes, scale};
    else return PackedRows<BITS>(s, scale);
}

// Asks for a row of any width.
HH_INLINE void ask_for_row(const PackedSlab& s, size_t row, int width, int bits) {
    const size_t bit = row * (size_t)width * (size_t)bits;
    const uint8_t* p = s.codes + (bit >> 3);
    const uint8_t* end = p + ((size_t)width * (size_t)bits + 7) / 8;
    for (const uint8_t* line = p; line < end; line += 64) ask_for_line<Ask::later>(line);
    if (bits != kFloatBits) ask_for_line<Ask::later>(s.scales + (row * (size_t)width / (2 * kScaleBlock)));
}

template <int WIDTH>
struct Vectors {
    typedef float Floats __attribute__((vector_size(4 * WIDTH)));
    typedef uint32_t Words __attribute__((vector_size(4 * WIDTH)));
    typedef int32_t Levels __attribute__((vector_size(4 * WIDTH)));
};

// A row of 2, 4 or 8 floats, which lies in one block.
template <int WIDTH, int BITS>
HH_INLINE typename Vectors<WIDTH>::Floats small_row(const PackedSlab& s, size_t row) {
    typedef Vectors<WIDTH> V;
    typename V::Floats found;
    if constexpr (BITS == kFloatBits) {
        std::memcpy(&found, s.codes + row * WIDTH * 4, sizeof found);
    } else {
        const size_t bit = row * WIDTH * BITS;
        const uint64_t word = load<uint64_t>(s.codes + (bit >> 3)) >> (bit & 7);
        typename V::Words words, shifts;
        for (int i = 0; i < WIDTH; ++i) {
            words[i] = (uint32_t)(i * BITS < 32 ? word : word >> 32);
            shifts[i] = (uint32_t)(i * BITS & 31);
        }
        const auto levels = (typename V::Levels)(words >> shifts & ((1u << BITS) - 1));
        found = __builtin_convertvector(levels, typename V::Floats) + (0.5f - (float)(1 << (BITS - 1)));
        found *= step_of(s, row * WIDTH / kScaleBlock);
    }
    return found;
}

}  // namespace

}  // namespace hybridhash::HH_ISA
