// Keys to rows.
#include "hashes.hpp"
#include "isa_common.hpp"
#include "isa_ribbon.hpp"

namespace hybridhash::HH_ISA {

namespace {

constexpr size_t kBlock = 256;       // keys whose dictionary lines are asked for before the first is read
// Bytes of a dictionary that stays in the caches, where asking costs more than it gains: lookups do not wait for each
// other, and the processor runs ahead.
constexpr uint64_t kNear = 1 << 22;

}  // namespace

void hash_integers(const int64_t* values, int64_t* keys, size_t count, uint64_t salt) {
    for (size_t i = 0; i < count; ++i) keys[i] = (int64_t)mix64((uint64_t)values[i] + salt);
}

namespace {

// How the places of a dictionary are compared.
enum class Places { keys, fingerprints16, fingerprints8, fingerprints };

HH_INLINE uint64_t load64(const uint8_t* p) {
    uint64_t word;
    std::memcpy(&word, p, sizeof word);
    return word;
}

// The places of a line that hold a key: a bit each.
HH_INLINE uint32_t find_key(const uint8_t* line, uint64_t key) {
#if defined(__AVX512F__)
    return _mm512_cmpeq_epi64_mask(_mm512_loadu_si512(line), _mm512_set1_epi64((int64_t)key));
#elif defined(__AVX2__)
    const __m256i wanted = _mm256_set1_epi64x((int64_t)key);
    const __m256i low = _mm256_cmpeq_epi64(_mm256_loadu_si256((const __m256i*)line), wanted);
    const __m256i high = _mm256_cmpeq_epi64(_mm256_loadu_si256((const __m256i*)(line + 32)), wanted);
    return (uint32_t)(_mm256_movemask_pd(_mm256_castsi256_pd(low)) | _mm256_movemask_pd(_mm256_castsi256_pd(high)) << 4);
#else
    uint32_t found = 0;
    for (int i = 0; i < kLineKeys; ++i) found |= (uint32_t)(load64(line + 8 * i) == key) << i;
    return found;
#endif
}

// Those that hold a fingerprint.
HH_INLINE uint32_t find_fingerprint(const uint8_t* line, uint32_t fingerprint, int bits) {
    const uint64_t mask = ((uint64_t)1 << bits) - 1;
    uint32_t found = 0;
    for (int i = 0; i < kLineKeys; ++i) {
        const int bit = i * bits;
        found |= (uint32_t)((load64(line + (bit >> 3)) >> (bit & 7) & mask) == fingerprint) << i;
    }
    return found;
}

template <Places P>
HH_INLINE uint32_t find_in_line(const Dictionary& d, uint32_t line, uint64_t key, uint32_t fingerprint) {
    if (P == Places::keys) return find_key(d.places + (size_t)line * kExactBits, key);
#if defined(__SSE2__)
    if (P == Places::fingerprints16) {
        const __m128i places = _mm_loadu_si128((const __m128i*)(d.places + (size_t)line * 16));
        const __m128i same = _mm_cmpeq_epi16(places, _mm_set1_epi16((short)fingerprint));
        return (uint32_t)_mm_movemask_epi8(_mm_packs_epi16(same, _mm_setzero_si128()));
    }
    if (P == Places::fingerprints8) {
        const __m128i places = _mm_loadl_epi64((const __m128i*)(d.places + (size_t)line * 8));
        return (uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(places, _mm_set1_epi8((char)fingerprint))) & 0xFFu;
    }
#endif
    return find_fingerprint(d.places + (size_t)line * (size_t)d.key_bits, fingerprint, d.key_bits);
}

// Keys that are looked for, and where in the block they stand; with room behind for the rest of a register.
struct Sought {
    int64_t keys[kBlock + 16];
    uint32_t at[kBlock + 16];
};

// The place of the lowest bit of a word that has one: the exponent of that bit as a float, which vectorises.
HH_INLINE uint32_t lowest_bit(uint32_t word) {
    const float power = (float)(int32_t)(word & (0u - word));
    uint32_t bits;
    std::memcpy(&bits, &power, sizeof bits);
    return (bits >> 23) - 127u;
}

// Lists the keys that were not found; the list may be the one that they are in.
template <bool FIRST>
HH_INLINE size_t list_missing(const uint8_t* found, const int64_t* keys, const uint32_t* at, size_t size,
                              Sought& missing) {
    size_t count = 0, i = 0;
#if defined(__AVX512F__)
    const __m512i places = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    for (; i + 16 <= size; i += 16) {
        const __m128i masks = _mm_loadu_si128((const __m128i*)(found + i));
        const __mmask16 here = _mm_testn_epi8_mask(masks, masks);
        const __m512i place = FIRST ? _mm512_add_epi32(places, _mm512_set1_epi32((int)i)) : _mm512_loadu_si512(at + i);
        _mm512_storeu_si512(missing.at + count, _mm512_maskz_compress_epi32(here, place));
        const __mmask8 lower = (__mmask8)here, upper = (__mmask8)(here >> 8);
        _mm512_storeu_si512(missing.keys + count, _mm512_maskz_compress_epi64(lower, _mm512_loadu_si512(keys + i)));
        count += (size_t)__builtin_popcount(lower);
        _mm512_storeu_si512(missing.keys + count, _mm512_maskz_compress_epi64(upper, _mm512_loadu_si512(keys + i + 8)));
        count += (size_t)__builtin_popcount(upper);
    }
#endif
    for (; i < size; ++i) {
        missing.at[count] = FIRST ? (uint32_t)i : at[i];
        missing.keys[count] = keys[i];
        count += found[i] == 0;
    }
    return count;
}

// Looks for keys of one block in one of the two lines of each; those that are not there are listed. H is the number of
// hash functions, or 0 for any: all rows of a key in the head name its row there. FIRST: the keys stand one after
// another. SECOND: the line to look in.
template <int H, Places P, bool FIRST, bool SECOND>
HH_INLINE size_t find_once(const Encoder& e, const Dictionary& d, const int64_t* keys, const uint32_t* at, size_t size,
                           int32_t* out, Sought& missing) {
    const int num_hashes = H ? H : e.num_hashes;
    uint32_t lines[kBlock], fingerprints[kBlock];
    const uint64_t salt = d.salt, num_lines = d.num_lines;
    const int shift = P == Places::keys ? 0 : 64 - d.key_bits;
    for (size_t i = 0; i < size; ++i) {
        const uint64_t h = mix64((uint64_t)keys[i] + salt);
        lines[i] = (uint32_t)reduce(SECOND ? h << 32 | h >> 32 : h, num_lines);
        if (P != Places::keys) {
            const uint32_t fingerprint = (uint32_t)(mix64(h) >> shift);
            fingerprints[i] = fingerprint ? fingerprint : 1;
        }
    }
    for (size_t i = 0; i < size && num_lines * (uint64_t)d.key_bits > kNear; ++i)
        __builtin_prefetch(d.places + (size_t)lines[i] * (size_t)d.key_bits);
    // Comparing is apart from what follows from it, which is the same for all kinds of places and becomes vectors.
    uint8_t found[kBlock];
    for (size_t i = 0; i < size; ++i)
        found[i] = (uint8_t)find_in_line<P>(d, lines[i], (uint64_t)keys[i],
                                              P == Places::keys ? 0 : fingerprints[i]);
    // Keys whose rows are written: all where they stand one after another, which becomes vectors, and the others are
    // written over; of listed keys those that were found.
    uint32_t listed[kBlock];
    size_t num_listed = FIRST ? size : 0;
    if (!FIRST)
        for (size_t i = 0; i < size; ++i) {
            listed[num_listed] = (uint32_t)i;
            num_listed += found[i] != 0;
        }
    const auto write = [&](size_t i, int32_t row) {
        int32_t* const to = out + (FIRST ? i : at[i]) * num_hashes;
        for (int h = 0; h < num_hashes; ++h) to[h] = row;
    };
    HH_APART for (size_t j = 0; j < num_listed; ++j) {
        const size_t i = FIRST ? j : listed[j];
        // The last place of the line where there is none, so that a code can be read for every key.
        write(i, d.first_row + (int32_t)(lines[i] * kLineKeys + lowest_bit(found[i] | 1u << 7)));
    }
    if (d.codes) {
        const uint64_t bits = (uint64_t)d.code_bits, mask = ((uint64_t)1 << bits) - 1;
        const auto bit_of = [&](size_t i) {
            return (uint64_t)(out[(FIRST ? i : at[i]) * num_hashes] - d.first_row) * bits;
        };
        for (size_t j = 0; j < num_listed; ++j) __builtin_prefetch(d.codes + (bit_of(FIRST ? j : listed[j]) >> 3));
        for (size_t j = 0; j < num_listed; ++j) {
            const size_t i = FIRST ? j : listed[j];
            const uint64_t bit = bit_of(i), code = load64(d.codes + (bit >> 3)) >> (bit & 7) & mask;
            write(i, d.first_row + (int32_t)(code < d.num_rows ? code : d.num_rows - 1));
        }
    }
    return list_missing<FIRST>(found, keys, at, size, missing);
}

// Finds keys of one block in a dictionary: most of those that are asked for often stand in their first lines.
template <int H, Places P, bool FIRST>
size_t find_block(const Encoder& e, const Dictionary& d, const int64_t* keys, const uint32_t* at, size_t size,
                  int32_t* out, Sought& missing) {
    const size_t rest = find_once<H, P, FIRST, false>(e, d, keys, at, size, out, missing);
    return find_once<H, P, false, true>(e, d, missing.keys, missing.at, rest, out, missing);
}

// The same in a dictionary of codes.
template <int H, bool FIRST>
size_t find_codes(const Encoder& e, const Dictionary& d, const int64_t* keys, const uint32_t* at, size_t size,
                  int32_t* out, Sought& missing) {
    const int num_hashes = H ? H : e.num_hashes, value_bits = d.code_bits + d.key_bits;
    Equation equations[kBlock];
    for (size_t i = 0; i < size; ++i) {
        const uint64_t h = mix64((uint64_t)keys[i] + d.salt), g = mix64(h);
        // Twice, as a shift by 64 bits is none.
        const uint32_t check = (uint32_t)(mix64(g) >> 1 >> (63 - d.key_bits));
        equations[i] = {(uint32_t)reduce(h, d.num_lines), check, g | 1};
    }
    for (size_t i = 0; i < size; ++i) {
        const char* block = (const char*)(d.ribbon + (size_t)(equations[i].start >> 6) * (size_t)value_bits);
        for (int byte = 0; byte < 16 * value_bits; byte += 64) __builtin_prefetch(block + byte);
    }
    uint8_t found[kBlock];
    for (size_t i = 0; i < size; ++i) {
        const uint32_t value = read_ribbon(d.ribbon, value_bits, equations[i]);
        const uint32_t code = value & (uint32_t)(((uint64_t)1 << d.code_bits) - 1);
        const int32_t row = d.first_row + (int32_t)(code < d.num_rows ? code : d.num_rows - 1);
        found[i] = (uint32_t)((uint64_t)value >> d.code_bits) == equations[i].check;
        for (int h = 0; h < num_hashes; ++h) out[(FIRST ? i : at[i]) * num_hashes + h] = row;
    }
    return list_missing<FIRST>(found, keys, at, size, missing);
}

template <int H, bool FIRST>
HH_INLINE size_t find_any(const Encoder& e, const Dictionary& d, const int64_t* keys, const uint32_t* at, size_t size,
                          int32_t* out, Sought& missing) {
    if (d.ribbon) return find_codes<H, FIRST>(e, d, keys, at, size, out, missing);
    switch (d.key_bits) {
        case kExactBits: return find_block<H, Places::keys, FIRST>(e, d, keys, at, size, out, missing);
        case 16: return find_block<H, Places::fingerprints16, FIRST>(e, d, keys, at, size, out, missing);
        case 8: return find_block<H, Places::fingerprints8, FIRST>(e, d, keys, at, size, out, missing);
        default: return find_block<H, Places::fingerprints, FIRST>(e, d, keys, at, size, out, missing);
    }
}

template <int H>
void encode_with(const Encoder& e, const int64_t* keys, int32_t* rows, size_t count) {
    const int num_hashes = H ? H : e.num_hashes;
    Sought sought[2];
    uint32_t buckets[H ? H : kMaxHashes][kBlock];
    for (size_t start = 0; start < count; start += kBlock) {
        const size_t size = count - start < kBlock ? count - start : kBlock;
        const int64_t* k = keys + start;
        int32_t* out = rows + start * num_hashes;
        for (size_t i = 0; i < size; i += 64 / sizeof(int64_t)) ask_for_line<Ask::later>(k + kBlock + i);
        size_t num_missing = size;
        int now = 0;
        if (e.num_dictionaries) {
            num_missing = find_any<H, true>(e, e.dictionaries[0], k, nullptr, size, out, sought[0]);
        } else {
            for (size_t i = 0; i < size; ++i) sought[0].at[i] = (uint32_t)i;
            std::memcpy(sought[0].keys, k, size * sizeof(int64_t));
        }
        for (int d = 1; d < e.num_dictionaries; ++d, now ^= 1)
            num_missing = find_any<H, false>(e, e.dictionaries[d], sought[now].keys, sought[now].at, num_missing, out,
                                             sought[now ^ 1]);
        const Sought& missing = sought[now];
        for (int h = 0; h < num_hashes; ++h) {
            const uint64_t salt = e.salts[h], num_buckets = e.num_buckets;
            for (size_t i = 0; i < num_missing; ++i)
                buckets[h][i] = (uint32_t)reduce(mix64((uint64_t)missing.keys[i] + salt), num_buckets);
        }
        for (size_t i = 0; i < num_missing; ++i)
            for (int h = 0; h < num_hashes; ++h) out[(size_t)missing.at[i] * num_hashes + h] = ~(int32_t)buckets[h][i];
        if (e.has_padding)
            for (size_t i = 0; i < size; ++i)
                if (k[i] == e.padding_key) out[i * num_hashes] = kNoRow;
    }
}

}  // namespace

void encode(const Encoder& e, const int64_t* keys, int32_t* rows, size_t count) {
    Hashes::choose(e.num_hashes, [&]<int H>() { encode_with<H>(e, keys, rows, count); });
}

namespace {

template <int H>
void bounds_of(const int32_t* rows, size_t num_keys, int hashes, int32_t* least, int32_t* greatest) {
    const int num_hashes = H ? H : hashes;
    int32_t low = -1, high = -1, signs = -1;
    for (size_t i = 0; i < num_keys; ++i) {
        const int32_t* row = rows + i * num_hashes;
        const int32_t in_head = ~(row[0] >> 31);  // all bits or none, in arithmetic that vectorises
        const int32_t first = row[0] == kNoRow ? -1 : row[0];
        high = first > high ? first : high;
        for (int h = 0; h < num_hashes; ++h) {
            const int32_t r = row[h] | in_head;  // the others of a key in the head are not read
            low = r < low ? r : low;
            signs &= r;
        }
    }
    *least = low;
    *greatest = signs >= 0 ? kNoRow : high;
}

}  // namespace

void bounds(const int32_t* rows, size_t num_keys, int num_hashes, int32_t* least, int32_t* greatest) {
    Hashes::choose(num_hashes, [&]<int H>() { bounds_of<H>(rows, num_keys, num_hashes, least, greatest); });
}

}  // namespace hybridhash::HH_ISA
