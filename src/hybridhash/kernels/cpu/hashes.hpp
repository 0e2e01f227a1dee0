// The two hash functions of keys, for one value: SplitMix64's finaliser and XXH64. Everything is inline and in a namespace
// without a name, so that each build of the kernels (isa_*.cpp) has code of its own.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "macros.hpp"

namespace hybridhash {

namespace {

HH_INLINE uint64_t mix64(uint64_t z) {
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ull;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBull;
    return z ^ (z >> 31);
}

// The high word of hash * range, for a range of at most 2**31, in 64-bit arithmetic that vectorises.
HH_INLINE uint64_t reduce(uint64_t hash, uint64_t range) {
    return ((hash >> 32) * range + (((hash & 0xFFFFFFFFull) * range) >> 32)) >> 32;
}

constexpr uint64_t kPrime1 = 0x9E3779B185EBCA87ull;
constexpr uint64_t kPrime2 = 0xC2B2AE3D27D4EB4Full;
constexpr uint64_t kPrime3 = 0x165667B19E3779F9ull;
constexpr uint64_t kPrime4 = 0x85EBCA77C2B2AE63ull;
constexpr uint64_t kPrime5 = 0x27D4EB2F165667C5ull;
constexpr size_t kStripe = 32;  // bytes; a string with fewer is short

HH_INLINE uint64_t little_endian(uint64_t word) {
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    return __builtin_bswap64(word);
#else
    return word;
#endif
}

HH_INLINE uint64_t load64(const uint8_t* p) {
    uint64_t word;
    std::memcpy(&word, p, 8);
    return little_endian(word);
}

// The first size < 8 bytes, reading no other.
HH_INLINE uint64_t load_few(const uint8_t* p, size_t size) {
    uint64_t word = 0;
    for (size_t i = 0; i < size; ++i) word |= (uint64_t)p[i] << (8 * i);
    return word;
}

HH_INLINE uint64_t rotl(uint64_t x, int bits) { return (x << bits) | (x >> (64 - bits)); }
HH_INLINE uint64_t add_to_lane(uint64_t lane, uint64_t word) { return rotl(lane + word * kPrime2, 31) * kPrime1; }
HH_INLINE uint64_t add_word(uint64_t h, uint64_t word) { return rotl(h ^ add_to_lane(0, word), 27) * kPrime1 + kPrime4; }
HH_INLINE uint64_t add_half(uint64_t h, uint64_t word) {
    return rotl(h ^ ((word & 0xFFFFFFFFull) * kPrime1), 23) * kPrime2 + kPrime3;
}
HH_INLINE uint64_t add_byte(uint64_t h, uint64_t byte) { return rotl(h ^ ((byte & 0xFF) * kPrime5), 11) * kPrime1; }

HH_INLINE uint64_t avalanche(uint64_t h) {
    h = (h ^ (h >> 33)) * kPrime2;
    h = (h ^ (h >> 29)) * kPrime3;
    return h ^ (h >> 32);
}

// XXH64 of any one string.
inline uint64_t xxh64(const uint8_t* p, size_t length, uint64_t seed) {
    uint64_t h = seed + kPrime5;
    const uint8_t* const end = p + length;
    if (length >= kStripe) {
        uint64_t a = seed + kPrime1 + kPrime2, b = seed + kPrime2, c = seed, d = seed - kPrime1;
        for (; end - p >= (ptrdiff_t)kStripe; p += kStripe) {
            a = add_to_lane(a, load64(p));
            b = add_to_lane(b, load64(p + 8));
            c = add_to_lane(c, load64(p + 16));
            d = add_to_lane(d, load64(p + 24));
        }
        h = rotl(a, 1) + rotl(b, 7) + rotl(c, 12) + rotl(d, 18);
        h = (h ^ add_to_lane(0, a)) * kPrime1 + kPrime4;
        h = (h ^ add_to_lane(0, b)) * kPrime1 + kPrime4;
        h = (h ^ add_to_lane(0, c)) * kPrime1 + kPrime4;
        h = (h ^ add_to_lane(0, d)) * kPrime1 + kPrime4;
    }
    h += length;
    for (; end - p >= 8; p += 8) h = add_word(h, load64(p));
    if (end - p >= 4) {
        h = add_half(h, load_few(p, 4));
        p += 4;
    }
    for (; p < end; ++p) h = add_byte(h, *p);
    return avalanche(h);
}

}  // namespace

}  // namespace hybridhash
