// Keys to rows.
#include "isa_common.hpp"

namespace hybridhash::HH_ISA {

namespace {

constexpr size_t kBlock = 256;  // keys whose dictionary lines are asked for before the first is read

HH_INLINE uint64_t mix64(uint64_t z) {
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ull;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBull;
    return z ^ (z >> 31);
}

// The high word of hash * range, for a range of at most 2**31, in 64-bit arithmetic that vectorises.
HH_INLINE uint64_t reduce(uint64_t hash, uint64_t range) {
    return ((hash >> 32) * range + (((hash & 0xFFFFFFFFull) * range) >> 32)) >> 32;
}

HH_INLINE uint64_t swap_halves(uint64_t hash) { return (hash << 32) | (hash >> 32); }

}  // namespace

void hash_integers(const int64_t* values, int64_t* keys, size_t count, uint64_t salt) {
    for (size_t i = 0; i < count; ++i) keys[i] = (int64_t)mix64((uint64_t)values[i] + salt);
}

namespace {

HH_INLINE int find_in_bucket(const int64_t* bucket, int64_t key) {
#if defined(__AVX512F__)
    return (int)_mm512_cmpeq_epi64_mask(_mm512_loadu_si512(bucket), _mm512_set1_epi64(key));
#elif defined(__AVX2__)
    const __m256i wanted = _mm256_set1_epi64x(key);
    const __m256i low = _mm256_cmpeq_epi64(_mm256_loadu_si256((const __m256i*)bucket), wanted);
    const __m256i high = _mm256_cmpeq_epi64(_mm256_loadu_si256((const __m256i*)(bucket + 4)), wanted);
    return _mm256_movemask_pd(_mm256_castsi256_pd(low)) | (_mm256_movemask_pd(_mm256_castsi256_pd(high)) << 4);
#else
    int found = 0;
    for (int i = 0; i < kBucketKeys; ++i) found |= (bucket[i] == key) << i;
    return found;
#endif
}

// Finds the positions of keys of one block; the keys without one are listed. H is the number of hash functions, or 0
// for any: all rows of a key in the head name its position.
template <int H>
HH_INLINE size_t find_block(const Encoder& e, const int64_t* keys, size_t size, int32_t* out, uint32_t* missing,
                            int64_t* missing_keys) {
    const int num_hashes = H ? H : e.num_hashes;
    uint32_t first[kBlock], second[kBlock];
    for (size_t i = 0; i < size; ++i) {
        const uint64_t h = mix64((uint64_t)keys[i] + e.dictionary_salt);
        first[i] = (uint32_t)reduce(h, e.num_dictionary_buckets);
        second[i] = (uint32_t)reduce(swap_halves(h), e.num_dictionary_buckets);
    }
    for (size_t i = 0; i < size; ++i) {
        __builtin_prefetch(e.dictionary + (size_t)first[i] * kBucketKeys);
        __builtin_prefetch(e.dictionary + (size_t)second[i] * kBucketKeys);
    }
    size_t num_missing = 0;
    for (size_t i = 0; i < size; ++i) {
        const int64_t key = keys[i];
        const int in_first = find_in_bucket(e.dictionary + (size_t)first[i] * kBucketKeys, key);
        const int in_second = find_in_bucket(e.dictionary + (size_t)second[i] * kBucketKeys, key);
        const uint32_t bucket = in_first ? first[i] : second[i];
        const int where = in_first | in_second;  // a key stands once
        const int32_t position = (int32_t)(bucket * kBucketKeys + (uint32_t)__builtin_ctz(where | 256));
        for (int h = 0; h < num_hashes; ++h) out[i * num_hashes + h] = position;
        missing[num_missing] = (uint32_t)i;
        missing_keys[num_missing] = key;
        num_missing += where == 0;
    }
    return num_missing;
}

template <int H>
void encode_with(const Encoder& e, const int64_t* keys, int32_t* rows, size_t count) {
    const int num_hashes = H ? H : e.num_hashes;
    uint32_t missing[kBlock], buckets[kBlock];
    int64_t missing_keys[kBlock];
    for (size_t start = 0; start < count; start += kBlock) {
        const size_t size = count - start < kBlock ? count - start : kBlock;
        const int64_t* k = keys + start;
        int32_t* out = rows + start * num_hashes;
        size_t num_missing = size;
        if (e.num_dictionary_buckets) {
            num_missing = find_block<H>(e, k, size, out, missing, missing_keys);
        } else {
            for (size_t i = 0; i < size; ++i) missing[i] = (uint32_t)i;
            std::memcpy(missing_keys, k, size * sizeof(int64_t));
        }
        for (int h = 0; h < num_hashes; ++h) {
            const uint64_t salt = e.salts[h], num_buckets = e.num_buckets;
            for (size_t i = 0; i < num_missing; ++i)
                buckets[i] = (uint32_t)reduce(mix64((uint64_t)missing_keys[i] + salt), num_buckets);
            for (size_t i = 0; i < num_missing; ++i)
                out[(size_t)missing[i] * num_hashes + h] = ~(int32_t)buckets[i];
        }
        if (e.has_padding)
            for (size_t i = 0; i < size; ++i)
                if (k[i] == e.padding_key) out[i * num_hashes] = kNoRow;
    }
}

}  // namespace

void encode(const Encoder& e, const int64_t* keys, int32_t* rows, size_t count) {
    switch (e.num_hashes) {
        case 1: return encode_with<1>(e, keys, rows, count);
        case 2: return encode_with<2>(e, keys, rows, count);
        case 4: return encode_with<4>(e, keys, rows, count);
        case 8: return encode_with<8>(e, keys, rows, count);
        default: return encode_with<0>(e, keys, rows, count);
    }
}

namespace {

template <int H>
void bounds_of(const int32_t* rows, size_t num_keys, int hashes, int32_t* least, int32_t* greatest) {
    const int num_hashes = H ? H : hashes;
    int32_t low = -1, high = -1, signs = -1;
    for (size_t i = 0; i < num_keys; ++i) {
        const int32_t* row = rows + i * num_hashes;
        const int32_t first = row[0] == kNoRow ? -1 : row[0];
        high = first > high ? first : high;
        for (int h = 0; h < num_hashes; ++h) {
            const int32_t r = row[0] < 0 ? row[h] : -1;  // the others of a key in the head are not read
            low = r < low ? r : low;
            signs &= r;
        }
    }
    *least = low;
    *greatest = signs >= 0 ? kNoRow : high;
}

}  // namespace

void bounds(const int32_t* rows, size_t num_keys, int num_hashes, int32_t* least, int32_t* greatest) {
    switch (num_hashes) {
        case 1: return bounds_of<1>(rows, num_keys, 1, least, greatest);
        case 2: return bounds_of<2>(rows, num_keys, 2, least, greatest);
        case 4: return bounds_of<4>(rows, num_keys, 4, least, greatest);
        case 8: return bounds_of<8>(rows, num_keys, 8, least, greatest);
        default: return bounds_of<0>(rows, num_keys, num_hashes, least, greatest);
    }
}

}  // namespace hybridhash::HH_ISA
