// Built once per instruction set, as isa.cpp is and under the same rule: no standard containers.
//
// Short strings, which most are, go through two passes over a block: the first copies the words of each string
// into columns, the second runs XXH64 down the columns with selects in place of branches, so that the compiler
// makes vectors of it. Strings of a stripe or more, and those so near the end of the buffer that a whole word
// would reach past it, are hashed one by one.
#include "strings.hpp"

#include <cstring>

#include "hashes.hpp"

#ifndef HH_ISA
#error "HH_ISA names the namespace of this build"
#endif

namespace hybridhash::HH_ISA {

namespace {

constexpr size_t kBlock = 256;        // strings in a block
constexpr size_t kScratchBytes = 1 << 15;

// A block of short strings as columns: the whole words of a string, and the word with its last bytes.
struct alignas(64) Columns {
    uint64_t length[kBlock];
    uint64_t words[3][kBlock];
    uint64_t last[kBlock];
};

// XXH64 down the columns of strings that have no more than num_words whole words.
template <int num_words>
void hash_columns(const Columns& columns, size_t count, uint64_t seed, int64_t* keys) {
    for (size_t i = 0; i < count; ++i) {
        const uint64_t length = columns.length[i];
        uint64_t h = seed + kPrime5 + length;
        for (int w = 0; w < num_words; ++w) {
            const uint64_t longer = add_word(h, columns.words[w][i]);
            h = length >= 8 * (uint64_t)(w + 1) ? longer : h;
        }
        uint64_t last = columns.last[i];
        const uint64_t longer = add_half(h, last);
        h = length & 4 ? longer : h;
        last = length & 4 ? last >> 32 : last;
        const uint64_t left = length & 3;
        const uint64_t one = add_byte(h, last), two = add_byte(one, last >> 8), three = add_byte(two, last >> 16);
        h = left > 0 ? one : h;
        h = left > 1 ? two : h;
        h = left > 2 ? three : h;
        keys[i] = (int64_t)avalanche(h);
    }
}

template <int num_words>
HH_INLINE void fill_columns(const uint8_t* data, const int64_t* starts, const uint64_t* lengths, size_t count,
                            Columns& columns) {
    for (size_t i = 0; i < count; ++i) {
        const uint8_t* p = data + starts[i];
        for (int w = 0; w < num_words; ++w) columns.words[w][i] = load64(p + 8 * w);
        columns.last[i] = load64(p + (lengths[i] & 24));
    }
}

// A string with fewer whole words than the longest of its block reads as many as that one, and then the last: it
// must have this many bytes of the buffer from its start on.
constexpr size_t kReach = kStripe;

// At most kBlock strings that lie within the bytes.
void hash_block(Bytes bytes, const int64_t* starts, const int64_t* lengths, size_t count, uint64_t seed,
                int64_t* keys) {
    if (bytes.size < kReach) {
        for (size_t i = 0; i < count; ++i)
            keys[i] = (int64_t)xxh64(bytes.data + starts[i], (size_t)lengths[i], seed);
        return;
    }
    Columns columns;
    int64_t from[kBlock];
    const int64_t furthest = (int64_t)(bytes.size - kReach);
    uint64_t longest = 0, num_single = 0;
    for (size_t i = 0; i < count; ++i) {
        const bool single = lengths[i] >= (int64_t)kStripe || starts[i] > furthest;
        from[i] = single ? 0 : starts[i];
        columns.length[i] = single ? 0 : (uint64_t)lengths[i];
        longest |= columns.length[i];  // no less than the longest in whole words
        num_single += single;
    }
    if (num_single < count) {
        const size_t num_words = longest >> 3;
        if (num_words == 0) {
            fill_columns<0>(bytes.data, from, columns.length, count, columns);
            hash_columns<0>(columns, count, seed, keys);
        } else if (num_words == 1) {
            fill_columns<1>(bytes.data, from, columns.length, count, columns);
            hash_columns<1>(columns, count, seed, keys);
        } else if (num_words == 2) {
            fill_columns<2>(bytes.data, from, columns.length, count, columns);
            hash_columns<2>(columns, count, seed, keys);
        } else {
            fill_columns<3>(bytes.data, from, columns.length, count, columns);
            hash_columns<3>(columns, count, seed, keys);
        }
    }
    if (num_single == 0) return;
    for (size_t i = 0; i < count; ++i)
        if (lengths[i] >= (int64_t)kStripe || starts[i] > furthest)
            keys[i] = (int64_t)xxh64(bytes.data + starts[i], (size_t)lengths[i], seed);
}

HH_INLINE size_t smaller(size_t a, size_t b) { return a < b ? a : b; }

// Says whether all strings lie within the bytes. Compared without sums, which could wrap.
bool within(Bytes bytes, const int64_t* starts, const int64_t* lengths, size_t count) {
    const int64_t size = (int64_t)bytes.size;
    int outside = 0;
    for (size_t i = 0; i < count; ++i) {
        const int64_t start = starts[i], length = lengths[i];
        outside |= (start < 0) | (length < 0) | (start > size) | (length > size - (start & INT64_MAX));
    }
    return !outside;
}

bool hash_slices(Bytes bytes, const int64_t* starts, const int64_t* lengths, size_t count, uint64_t seed,
                 int64_t* keys) {
    for (size_t first = 0; first < count; first += kBlock) {
        const size_t num = smaller(kBlock, count - first);
        if (!within(bytes, starts + first, lengths + first, num)) return false;
        hash_block(bytes, starts + first, lengths + first, num, seed, keys + first);
    }
    return true;
}

template <class Offset>
bool hash_offsets(Bytes bytes, const Offset* offsets, size_t count, uint64_t seed, int64_t* keys) {
    int64_t starts[kBlock], lengths[kBlock];
    for (size_t first = 0; first < count; first += kBlock) {
        const size_t num = smaller(kBlock, count - first);
        for (size_t i = 0; i < num; ++i) {
            starts[i] = offsets[first + i];
            // As words: the difference of wild offsets wraps and is found by within.
            lengths[i] = (int64_t)((uint64_t)(int64_t)offsets[first + i + 1] - (uint64_t)starts[i]);
        }
        if (!within(bytes, starts, lengths, num)) return false;
        hash_block(bytes, starts, lengths, num, seed, keys + first);
    }
    return true;
}

// Bytes of a word up to its last that is not zero.
HH_INLINE size_t used_bytes(uint64_t word) { return word ? 8 - (size_t)__builtin_clzll(word) / 8 : 0; }

constexpr size_t kNarrow = 64;

// The length of a string of width bytes without the zeros at its end.
HH_INLINE size_t trimmed(const uint8_t* p, size_t width) {
    if (width < 8) return used_bytes(load_few(p, width));
    if (width > kNarrow) {
        while (width >= 8 && load64(p + width - 8) == 0) width -= 8;
        return width >= 8 ? width - 8 + used_bytes(load64(p + width - 8)) : used_bytes(load_few(p, width));
    }
    size_t length = 0;
    for (size_t at = 0; at + 8 <= width; at += 8) {
        const uint64_t word = load64(p + at);
        length = word ? at + used_bytes(word) : length;
    }
    const uint64_t word = load64(p + width - 8);
    return word ? width - 8 + used_bytes(word) : length;
}

void hash_fixed_block(Bytes bytes, size_t width, size_t count, uint64_t seed, int64_t* keys) {
    int64_t starts[kBlock], lengths[kBlock];
    for (size_t i = 0; i < count; ++i) starts[i] = (int64_t)(i * width);
    size_t i = 0;
    if (width < 8 && bytes.size >= 8) {  // a whole word is read where one is left
        const uint64_t mask = ((uint64_t)1 << (8 * width)) - 1;
        const size_t num = smaller(count, (bytes.size - 8) / width + 1);
        for (; i < num; ++i) lengths[i] = (int64_t)used_bytes(load64(bytes.data + starts[i]) & mask);
    }
    for (; i < count; ++i) lengths[i] = (int64_t)trimmed(bytes.data + starts[i], width);
    hash_block(bytes, starts, lengths, count, seed, keys);
}

void hash_fixed_bytes(Bytes bytes, size_t width, size_t count, uint64_t seed, int64_t* keys) {
    for (size_t first = 0; first < count; first += kBlock) {
        const size_t at = first * width;
        hash_fixed_block({bytes.data + at, bytes.size - at}, width, smaller(kBlock, count - first), seed,
                         keys + first);
    }
}

HH_INLINE bool is_surrogate(uint32_t point) { return point >= 0xD800 && point <= 0xDFFF; }

uint8_t* append_utf8(uint8_t* to, uint32_t point) {
    if (point < 0x80) {
        *to++ = (uint8_t)point;
        return to;
    }
    if (point < 0x800) {
        *to++ = (uint8_t)(0xC0 | point >> 6);
    } else {
        if (point < 0x10000) {
            *to++ = (uint8_t)(0xE0 | point >> 12);
        } else {
            *to++ = (uint8_t)(0xF0 | point >> 18);
            *to++ = (uint8_t)(0x80 | (point >> 12 & 0x3F));
        }
        *to++ = (uint8_t)(0x80 | (point >> 6 & 0x3F));
    }
    *to++ = (uint8_t)(0x80 | (point & 0x3F));
    return to;
}

uint32_t hash_text_block(const uint32_t* points, size_t width, size_t count, uint64_t seed, uint8_t* scratch,
                         size_t scratch_bytes, int64_t* keys) {
    int64_t starts[kBlock], lengths[kBlock];
    uint8_t* to = scratch;
    for (size_t i = 0; i < count; ++i) {
        const uint32_t* string = points + i * width;
        size_t length = width;
        while (length && string[length - 1] == 0) --length;
        starts[i] = to - scratch;
        for (size_t j = 0; j < length; ++j) {
            if (is_surrogate(string[j])) return string[j];
            to = append_utf8(to, string[j]);
        }
        lengths[i] = to - scratch - starts[i];
    }
    hash_block({scratch, scratch_bytes}, starts, lengths, count, seed, keys);
    return 0;
}

uint32_t hash_fixed_text(const uint32_t* points, size_t width, size_t count, uint64_t seed, uint8_t* scratch,
                         int64_t* keys) {
    // Four bytes a code point, and room for the last string to be read in whole words.
    const size_t most = (kScratchBytes - kReach) / (4 * width);
    const size_t per_block = most == 0 ? 1 : smaller(most, kBlock);
    const size_t scratch_bytes = text_scratch_bytes(width);
    for (size_t first = 0; first < count; first += per_block) {
        const size_t num = smaller(per_block, count - first);
        const uint32_t* block = points + first * width;
        uint32_t all = 0;
        for (size_t i = 0; i < num * width; ++i) {
            all |= block[i];
            scratch[i] = (uint8_t)block[i];
        }
        if (all < 0x80) {
            hash_fixed_block({scratch, scratch_bytes}, width, num, seed, keys + first);
        } else if (const uint32_t lone =
                       hash_text_block(block, width, num, seed, scratch, scratch_bytes, keys + first)) {
            return lone;
        }
    }
    return 0;
}

}  // namespace

extern const StringKernels strings;
const StringKernels strings = {
    hash_slices, hash_offsets<int32_t>, hash_offsets<int64_t>, hash_fixed_bytes, hash_fixed_text,
};

}  // namespace hybridhash::HH_ISA
