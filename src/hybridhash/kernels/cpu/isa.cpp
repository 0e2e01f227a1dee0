// Built once per instruction set with HH_ISA as the namespace. No standard containers here: their code would be
// shared between the builds, and the linker might keep the one that an older machine cannot run.
#include "isa.hpp"

#include <cmath>
#include <cstring>

#if defined(__AVX512F__) || defined(__AVX2__)
#include <immintrin.h>
#endif

#ifndef HH_ISA
#error "HH_ISA names the namespace of this build"
#endif

namespace hybridhash::HH_ISA {

namespace {

#define HH_INLINE inline __attribute__((always_inline))
#define HH_UNROLL _Pragma("GCC unroll 16")

constexpr size_t kBlock = 256;     // keys whose dictionary lines are asked for before the first is read
constexpr size_t kAhead = 24;      // keys between asking for a row and reading it
constexpr int kLanes = 16;
typedef float Lane __attribute__((vector_size(4 * kLanes), aligned(4), may_alias));
typedef float Half __attribute__((vector_size(32), aligned(4), may_alias));

// ---------------------------------------------------------------- hashing

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

void hash_integers(const int64_t* values, int64_t* keys, size_t count, uint64_t salt) {
    for (size_t i = 0; i < count; ++i) keys[i] = (int64_t)mix64((uint64_t)values[i] + salt);
}

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

void encode(const Encoder& e, const int64_t* keys, int32_t* rows, size_t count) {
    switch (e.num_hashes) {
        case 1: return encode_with<1>(e, keys, rows, count);
        case 2: return encode_with<2>(e, keys, rows, count);
        case 4: return encode_with<4>(e, keys, rows, count);
        case 8: return encode_with<8>(e, keys, rows, count);
        default: return encode_with<0>(e, keys, rows, count);
    }
}

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

void bounds(const int32_t* rows, size_t num_keys, int num_hashes, int32_t* least, int32_t* greatest) {
    switch (num_hashes) {
        case 1: return bounds_of<1>(rows, num_keys, 1, least, greatest);
        case 2: return bounds_of<2>(rows, num_keys, 2, least, greatest);
        case 4: return bounds_of<4>(rows, num_keys, 4, least, greatest);
        case 8: return bounds_of<8>(rows, num_keys, 8, least, greatest);
        default: return bounds_of<0>(rows, num_keys, num_hashes, least, greatest);
    }
}

// ---------------------------------------------------------------- elements

struct F32 {
    typedef float Type;
    static HH_INLINE float load(const Type* p) { return *p; }
    static HH_INLINE void store(Type* p, float value) { *p = value; }
    static HH_INLINE Lane load_lane(const Type* p) { return *(const Lane*)p; }
};

struct BF16 {
    typedef uint16_t Type;
    static HH_INLINE float load(const Type* p) {
        const uint32_t bits = (uint32_t)*p << 16;
        float value;
        std::memcpy(&value, &bits, 4);
        return value;
    }
    static HH_INLINE void store(Type* p, float value) {
        uint32_t bits;
        std::memcpy(&bits, &value, 4);
        // To nearest, ties to even; a NaN stays one.
        const uint32_t rounded = (bits + 0x7FFFu + ((bits >> 16) & 1u)) >> 16;
        *p = (uint16_t)((bits & 0x7FFFFFFFu) > 0x7F800000u ? (bits >> 16) | 0x40u : rounded);
    }
    static HH_INLINE Lane load_lane(const Type* p) {
        Lane lane;
        for (int i = 0; i < kLanes; ++i) lane[i] = load(p + i);
        return lane;
    }
};

struct F16 {
    typedef uint16_t Type;
    static HH_INLINE float load(const Type* p) {
        const uint32_t sign = (uint32_t)(*p & 0x8000u) << 16, rest = *p & 0x7FFFu;
        uint32_t bits;
        if (rest >= 0x7C00u) {
            bits = sign | 0x7F800000u | (rest & 0x3FFu) << 13;
        } else if (rest >= 0x400u) {
            bits = sign | ((rest << 13) + 0x38000000u);
        } else {  // zero and subnormal
            float value = (float)rest * 0x1p-24f;
            uint32_t magnitude;
            std::memcpy(&magnitude, &value, 4);
            bits = sign | magnitude;
        }
        float value;
        std::memcpy(&value, &bits, 4);
        return value;
    }
    static HH_INLINE void store(Type* p, float value) {
        uint32_t bits;
        std::memcpy(&bits, &value, 4);
        const uint32_t sign = (bits >> 16) & 0x8000u;
        bits &= 0x7FFFFFFFu;
        uint32_t half;
        if (bits > 0x7F800000u) {
            half = 0x7E00u;
        } else if (bits >= 0x477FF000u) {
            half = 0x7C00u;
        } else if (bits >= 0x38800000u) {
            half = (bits - 0x38000000u + 0xFFFu + ((bits >> 13) & 1u)) >> 13;
        } else {  // the addition rounds to a multiple of 2**-24
            float magnitude;
            std::memcpy(&magnitude, &bits, 4);
            magnitude += 0.5f;
            uint32_t sum;
            std::memcpy(&sum, &magnitude, 4);
            half = sum - 0x3F000000u;
        }
        *p = (uint16_t)(sign | half);
    }
    static HH_INLINE Lane load_lane(const Type* p) {
        Lane lane;
        for (int i = 0; i < kLanes; ++i) lane[i] = load(p + i);
        return lane;
    }
};

template <class E>
HH_INLINE void ask_for(const void* base, size_t row, int width, int write) {
    const char* p = (const char*)base + row * (size_t)width * sizeof(typename E::Type);
    const char* end = p + (size_t)width * sizeof(typename E::Type);
    for (const char* line = p; line < end; line += 64) {
        if (write) __builtin_prefetch(line, 1);
        else __builtin_prefetch(line, 0);
    }
}

template <class E>
HH_INLINE void ask_for_key(const Table& t, const int32_t* rows, int write = 0) {
    if (rows[0] == kNoRow) return;
    if (rows[0] >= 0) {
        ask_for<E>(t.head, (size_t)rows[0], t.dim, write);
        return;
    }
    for (int h = 0; h < t.num_hashes; ++h) ask_for<E>(t.tail, (size_t)(uint32_t)~rows[h], t.bucket_dim, write);
}

// ---------------------------------------------------------------- forward: sums and means

HH_INLINE float bag_scale(const Bags& bags, int num_hashes, size_t first, size_t last) {
    if (bags.mode != Mode::mean || first == last) return 1.0f;
    size_t count = 0;
    for (size_t i = first; i < last; ++i) count += bags.rows[i * num_hashes] != kNoRow;
    return count ? 1.0f / (float)count : 1.0f;
}

// DIM floats of a vector in registers, for the dims that have them.
template <class E, int DIM, bool CONCAT>
void pool_in_registers(const Table& t, const Bags& bags, size_t first_bag, size_t last_bag, float* out) {
    constexpr int kParts = DIM / kLanes;
    typedef typename E::Type Type;
    const Type* head = (const Type*)t.head;
    const Type* tail = (const Type*)t.tail;
    const int num_hashes = t.num_hashes, width = t.bucket_dim;
    const float hash_scale = t.combine == Combine::mean ? 1.0f / (float)num_hashes : 1.0f;
    const size_t last_key = (size_t)bags.offsets[last_bag];
    for (size_t b = first_bag; b < last_bag; ++b) {
        const size_t first = (size_t)bags.offsets[b], last = (size_t)bags.offsets[b + 1];
        Lane sum[kParts];
        HH_UNROLL for (int p = 0; p < kParts; ++p) sum[p] = Lane{};
        float chunks[DIM];
        bool has_chunks = false;
        if (CONCAT) std::memset(chunks, 0, sizeof(chunks));
        for (size_t i = first; i < last; ++i) {
            if (i + kAhead < last_key) ask_for_key<E>(t, bags.rows + (i + kAhead) * num_hashes);
            const int32_t* rows = bags.rows + i * num_hashes;
            if (rows[0] == kNoRow) continue;
            const float weight = bags.weights ? bags.weights[i] : 1.0f;
            if (rows[0] >= 0) {
                const Type* row = head + (size_t)rows[0] * DIM;
                HH_UNROLL for (int p = 0; p < kParts; ++p) sum[p] += weight * E::load_lane(row + p * kLanes);
            } else if (CONCAT) {
                has_chunks = true;
                float* chunk = chunks;
                for (int h = 0; h < num_hashes; ++h, chunk += width) {
                    const Type* row = tail + (size_t)(uint32_t)~rows[h] * width;
                    for (int j = 0; j < width; ++j) chunk[j] += weight * E::load(row + j);
                }
            } else {
                const float scale = weight * hash_scale;
                for (int h = 0; h < num_hashes; ++h) {
                    const Type* row = tail + (size_t)(uint32_t)~rows[h] * DIM;
                    HH_UNROLL for (int p = 0; p < kParts; ++p) sum[p] += scale * E::load_lane(row + p * kLanes);
                }
            }
        }
        const float scale = bag_scale(bags, num_hashes, first, last);
        float* vector = out + b * DIM;
        HH_UNROLL for (int p = 0; p < kParts; ++p) *(Lane*)(vector + p * kLanes) = scale * sum[p];
        if (CONCAT && has_chunks)
            for (int j = 0; j < DIM; ++j) vector[j] += scale * chunks[j];
    }
}

// Any dim.
template <class E>
void pool_in_memory(const Table& t, const Bags& bags, size_t first_bag, size_t last_bag, float* out) {
    typedef typename E::Type Type;
    const Type* head = (const Type*)t.head;
    const Type* tail = (const Type*)t.tail;
    const int num_hashes = t.num_hashes, width = t.bucket_dim, dim = t.dim;
    const float hash_scale = t.combine == Combine::mean ? 1.0f / (float)num_hashes : 1.0f;
    const int step = t.combine == Combine::concat ? width : 0;
    const size_t last_key = (size_t)bags.offsets[last_bag];
    for (size_t b = first_bag; b < last_bag; ++b) {
        const size_t first = (size_t)bags.offsets[b], last = (size_t)bags.offsets[b + 1];
        float* vector = out + b * dim;
        std::memset(vector, 0, (size_t)dim * sizeof(float));
        for (size_t i = first; i < last; ++i) {
            if (i + kAhead < last_key) ask_for_key<E>(t, bags.rows + (i + kAhead) * num_hashes);
            const int32_t* rows = bags.rows + i * num_hashes;
            if (rows[0] == kNoRow) continue;
            const float weight = bags.weights ? bags.weights[i] : 1.0f;
            if (rows[0] >= 0) {
                const Type* row = head + (size_t)rows[0] * dim;
                for (int j = 0; j < dim; ++j) vector[j] += weight * E::load(row + j);
                continue;
            }
            for (int h = 0; h < num_hashes; ++h) {
                const Type* row = tail + (size_t)(uint32_t)~rows[h] * width;
                float* chunk = vector + (size_t)h * step;
                for (int j = 0; j < width; ++j) chunk[j] += weight * hash_scale * E::load(row + j);
            }
        }
        const float scale = bag_scale(bags, num_hashes, first, last);
        if (scale != 1.0f)
            for (int j = 0; j < dim; ++j) vector[j] *= scale;
    }
}

template <class E>
HH_INLINE float component(const Table& t, const int32_t* rows, int j) {
    typedef typename E::Type Type;
    if (rows[0] >= 0) return E::load((const Type*)t.head + (size_t)rows[0] * t.dim + j);
    const Type* tail = (const Type*)t.tail;
    if (t.combine == Combine::concat) {
        const int h = j / t.bucket_dim;
        return E::load(tail + (size_t)(uint32_t)~rows[h] * t.bucket_dim + (j - h * t.bucket_dim));
    }
    float sum = 0;
    for (int h = 0; h < t.num_hashes; ++h) sum += E::load(tail + (size_t)(uint32_t)~rows[h] * t.bucket_dim + j);
    return t.combine == Combine::mean ? sum / (float)t.num_hashes : sum;
}

template <class E>
void pool_maximum(const Table& t, const Bags& bags, size_t first_bag, size_t last_bag, float* out, int32_t* argmax) {
    for (size_t b = first_bag; b < last_bag; ++b) {
        float* vector = out + b * t.dim;
        int32_t* best = argmax + b * t.dim;
        for (int j = 0; j < t.dim; ++j) vector[j] = 0, best[j] = -1;
        for (size_t i = (size_t)bags.offsets[b]; i < (size_t)bags.offsets[b + 1]; ++i) {
            const int32_t* rows = bags.rows + i * t.num_hashes;
            if (rows[0] == kNoRow) continue;
            for (int j = 0; j < t.dim; ++j) {
                const float value = component<E>(t, rows, j);
                if (best[j] < 0 || value > vector[j]) vector[j] = value, best[j] = (int32_t)i;
            }
        }
    }
}

// Two summed tail rows, the paper's method, without a branch on where a key stands: a key in the head reads a row of
// zeros as its second. Which keys are in the head is random, and a mispredicted branch costs more than the row.
template <class E, int DIM>
void pool_pairs(const Table& t, const Bags& bags, size_t first_bag, size_t last_bag, float* out) {
    constexpr int kParts = DIM / kLanes;
    typedef typename E::Type Type;
    alignas(64) static const Type zeros[DIM] = {};
    const Type* head = (const Type*)t.head;
    const Type* tail = (const Type*)t.tail;
    const float tail_scale = t.combine == Combine::mean ? 0.5f : 1.0f;
    const size_t last_key = (size_t)bags.offsets[last_bag];
    const auto first_row = [&](const int32_t* rows) {
        const Type* in_head = rows[0] == kNoRow ? zeros : head + (size_t)(uint32_t)rows[0] * DIM;
        return rows[0] < 0 ? tail + (size_t)(uint32_t)~rows[0] * DIM : in_head;
    };
    const auto second_row = [&](const int32_t* rows) {
        return rows[0] < 0 ? tail + (size_t)(uint32_t)~rows[1] * DIM : zeros;
    };
    for (size_t b = first_bag; b < last_bag; ++b) {
        const size_t first = (size_t)bags.offsets[b], last = (size_t)bags.offsets[b + 1];
        Lane sum[kParts];
        HH_UNROLL for (int p = 0; p < kParts; ++p) sum[p] = Lane{};
        for (size_t i = first; i < last; ++i) {
            const int32_t* ahead = bags.rows + (i + kAhead < last_key ? i + kAhead : i) * 2;
            const Type* one = first_row(ahead);
            const Type* two = second_row(ahead);
            for (int j = 0; j < DIM; j += 64 / (int)sizeof(Type)) {
                __builtin_prefetch(one + j);
                __builtin_prefetch(two + j);
            }
            const int32_t* rows = bags.rows + i * 2;
            const Type* a = first_row(rows);
            const Type* b2 = second_row(rows);
            const float weight = (bags.weights ? bags.weights[i] : 1.0f) * (rows[0] < 0 ? tail_scale : 1.0f);
            HH_UNROLL for (int p = 0; p < kParts; ++p) {
                sum[p] += weight * E::load_lane(a + p * kLanes);
                sum[p] += weight * E::load_lane(b2 + p * kLanes);
            }
        }
        const float scale = bag_scale(bags, 2, first, last);
        HH_UNROLL for (int p = 0; p < kParts; ++p) *(Lane*)(out + b * DIM + p * kLanes) = scale * sum[p];
    }
}

template <class E>
void forward_of(const Table& t, const Bags& bags, size_t first, size_t last, float* out, int32_t* argmax) {
    if (bags.mode == Mode::max) return pool_maximum<E>(t, bags, first, last, out, argmax);
    const size_t last_key = (size_t)bags.offsets[last];
    for (size_t i = (size_t)bags.offsets[first]; i < last_key && i < (size_t)bags.offsets[first] + kAhead; ++i)
        ask_for_key<E>(t, bags.rows + i * t.num_hashes);
    const bool concat = t.combine == Combine::concat && t.num_hashes > 1;
    switch (t.dim) {
#define HH_DIM(DIM)                                                                       \
    case DIM:                                                                             \
        if (t.num_hashes == 2 && !concat) return pool_pairs<E, DIM>(t, bags, first, last, out); \
        return concat ? pool_in_registers<E, DIM, true>(t, bags, first, last, out)        \
                      : pool_in_registers<E, DIM, false>(t, bags, first, last, out);
        HH_DIM(16)
        HH_DIM(32)
        HH_DIM(64)
        HH_DIM(128)
#undef HH_DIM
        default: return pool_in_memory<E>(t, bags, first, last, out);
    }
}

void forward(const Table& t, const Bags& bags, size_t first, size_t last, float* out, int32_t* argmax) {
    if (first == last) return;
    switch (t.element) {
        case Element::f32: return forward_of<F32>(t, bags, first, last, out, argmax);
        case Element::bf16: return forward_of<BF16>(t, bags, first, last, out, argmax);
        case Element::f16: return forward_of<F16>(t, bags, first, last, out, argmax);
    }
}

template <class E>
void weight_gradient_of(const Table& t, const Bags& bags, size_t first_bag, size_t last_bag, const float* grad,
                        float* out) {
    for (size_t b = first_bag; b < last_bag; ++b) {
        const float* g = grad + b * t.dim;
        for (size_t i = (size_t)bags.offsets[b]; i < (size_t)bags.offsets[b + 1]; ++i) {
            const int32_t* rows = bags.rows + i * t.num_hashes;
            float sum = 0;
            if (rows[0] != kNoRow)
                for (int j = 0; j < t.dim; ++j) sum += g[j] * component<E>(t, rows, j);
            out[i] = sum;
        }
    }
}

void weight_gradient(const Table& t, const Bags& bags, size_t first, size_t last, const float* grad, float* out) {
    switch (t.element) {
        case Element::f32: return weight_gradient_of<F32>(t, bags, first, last, grad, out);
        case Element::bf16: return weight_gradient_of<BF16>(t, bags, first, last, grad, out);
        case Element::f16: return weight_gradient_of<F16>(t, bags, first, last, grad, out);
    }
}

// ---------------------------------------------------------------- backward: group, sum, move

// Entries of one row as a chain in their order.
struct Groups {
    uint32_t* slots;  // open addressing: 1 + number of a different row, 0 for empty
    uint32_t mask;
    uint32_t* first;  // per different row, its first entry
    uint32_t* last;   // and its last
    uint32_t* next;   // per entry, 1 + the next of the same row, 0 at the end
    uint32_t count;
};

HH_INLINE uint32_t slots_for(size_t num_entries) {
    uint32_t slots = 16;
    while (slots < 2 * num_entries) slots *= 2;
    return slots;
}

HH_INLINE Groups group(const Entry* entries, size_t count, const Grouping& room) {
    Groups g;
    const uint32_t num_slots = slots_for(count);
    g.slots = room.slots;
    g.mask = num_slots - 1;
    g.first = room.links;
    g.last = g.first + count;
    g.next = g.last + count;
    g.count = 0;
    for (size_t e = 0; e < count; ++e) {
        const uint32_t row = entries[e].row;
        uint32_t slot = (row * 0x9E3779B1u) >> 7 & g.mask;
        for (;; slot = (slot + 1) & g.mask) {
            const uint32_t unique = g.slots[slot];
            if (!unique) {
                g.slots[slot] = ++g.count;
                g.first[g.count - 1] = g.last[g.count - 1] = (uint32_t)e;
                break;
            }
            if (entries[g.first[unique - 1]].row == row) {
                g.next[g.last[unique - 1]] = (uint32_t)e + 1;
                g.last[unique - 1] = (uint32_t)e;
                break;
            }
        }
        g.next[e] = 0;
    }
    std::memset(g.slots, 0, (size_t)num_slots * sizeof(uint32_t));
    return g;
}

// Where the gradient of an entry begins, and what it is multiplied with.
struct Piece {
    const float* values;
    const int32_t* argmax;
    int32_t key;
    float scale;
};

HH_INLINE Piece piece_of(const Gradient& g, const Entry& entry, bool head, int width) {
    const uint32_t key = entry.source & ((1u << kKeyBits) - 1), hash = entry.source >> kKeyBits;
    const size_t at = (size_t)g.bag_of_key[key] * g.dim + (g.concat && !head ? (size_t)hash * width : 0);
    Piece piece;
    piece.values = g.values + at;
    piece.argmax = g.argmax ? g.argmax + at : nullptr;
    piece.key = (int32_t)key;
    piece.scale = (g.key_scale ? g.key_scale[key] : 1.0f) * (head ? 1.0f : g.hash_scale);
    return piece;
}

template <int WIDTH>
HH_INLINE void sum_chain(const Entry* entries, const Groups& groups, uint32_t unique, const Gradient& g, bool head,
                         int width, float* sum) {
    const int w = WIDTH ? WIDTH : width;
    uint32_t e = groups.first[unique];
    if (WIDTH && WIDTH % kLanes == 0 && !g.argmax) {
        constexpr int kParts = WIDTH < kLanes ? 1 : WIDTH / kLanes;
        Lane parts[kParts];
        HH_UNROLL for (int p = 0; p < kParts; ++p) parts[p] = Lane{};
        for (;;) {
            const Piece piece = piece_of(g, entries[e], head, w);
            HH_UNROLL for (int p = 0; p < kParts; ++p)
                parts[p] += piece.scale * *(const Lane*)(piece.values + p * kLanes);
            if (!groups.next[e]) break;
            e = groups.next[e] - 1;
        }
        HH_UNROLL for (int p = 0; p < kParts; ++p) *(Lane*)(sum + p * kLanes) = parts[p];
        return;
    }
    for (int j = 0; j < w; ++j) sum[j] = 0;
    for (;;) {
        const Piece piece = piece_of(g, entries[e], head, w);
        if (piece.argmax) {
            for (int j = 0; j < w; ++j)
                if (piece.argmax[j] == piece.key) sum[j] += piece.scale * piece.values[j];
        } else {
            for (int j = 0; j < w; ++j) sum[j] += piece.scale * piece.values[j];
        }
        if (!groups.next[e]) break;
        e = groups.next[e] - 1;
    }
}

template <class E, Rule RULE, int WIDTH>
HH_INLINE void move_row(const Slab& slab, size_t row, int width, float* grad, const Update& u) {
    typedef typename E::Type Type;
    const int w = WIDTH ? WIDTH : width;
    Type* values = (Type*)slab.rows + row * w;
    if (RULE != Rule::ftrl && u.weight_decay != 0.0f)
        for (int j = 0; j < w; ++j) grad[j] += u.weight_decay * E::load(values + j);
    switch (RULE) {
        case Rule::sgd:
            for (int j = 0; j < w; ++j) E::store(values + j, E::load(values + j) - u.learning_rate * grad[j]);
            break;
        case Rule::adagrad: {
            float* squares = slab.state1 + row * w;
            for (int j = 0; j < w; ++j) {
                const float s = squares[j] + grad[j] * grad[j];
                squares[j] = s;
                E::store(values + j, E::load(values + j) - u.learning_rate * (grad[j] / (std::sqrt(s) + u.eps)));
            }
            break;
        }
        case Rule::rowwise_adagrad: {
            float mean = 0;
            for (int j = 0; j < w; ++j) mean += grad[j] * grad[j];
            const float s = slab.state1[row] + mean / (float)w;
            slab.state1[row] = s;
            const float step = u.learning_rate / (std::sqrt(s) + u.eps);
            for (int j = 0; j < w; ++j) E::store(values + j, E::load(values + j) - step * grad[j]);
            break;
        }
        case Rule::adam: {
            float* m = slab.state1 + row * w;
            float* v = slab.state2 + row * w;
            for (int j = 0; j < w; ++j) {
                m[j] += u.first_share * (grad[j] - m[j]);
                v[j] += u.second_share * (grad[j] * grad[j] - v[j]);
                const float denominator = std::sqrt(v[j]) + u.eps;
                E::store(values + j, E::load(values + j) - u.step_size * (m[j] / denominator));
            }
            break;
        }
        case Rule::ftrl: {
            float* z = slab.state1 + row * w;
            float* n = slab.state2 + row * w;
            for (int j = 0; j < w; ++j) {
                const float squared = n[j] + grad[j] * grad[j];
                const float sigma = (std::sqrt(squared) - std::sqrt(n[j])) / u.learning_rate;
                z[j] += grad[j] - sigma * E::load(values + j);
                n[j] = squared;
                const float shrunk = std::fabs(z[j]) - u.l1;
                const float scale = (u.beta + std::sqrt(squared)) / u.learning_rate + u.l2;
                E::store(values + j, shrunk <= 0.0f ? 0.0f : -std::copysign(shrunk, z[j]) / scale);
            }
            break;
        }
    }
}

constexpr int kWidest = 1024;  // floats of a gradient sum on the stack; dispatch refuses wider rows

template <class E, Rule RULE, int WIDTH>
void apply_width(const Entry* entries, const Groups& groups, const Gradient& g, bool head, const Slab& slab,
                 const Update& u) {
    alignas(64) float sum[WIDTH ? (WIDTH < kLanes ? kLanes : WIDTH) : kWidest];
    constexpr uint32_t kRowsAhead = 8;
    for (uint32_t unique = 0; unique < groups.count; ++unique) {
        if (unique + kRowsAhead < groups.count) {
            const size_t row = entries[groups.first[unique + kRowsAhead]].row;
            ask_for<E>(slab.rows, row, slab.width, 1);
            if (RULE == Rule::rowwise_adagrad) __builtin_prefetch(slab.state1 + row, 1);
            else if (RULE != Rule::sgd) ask_for<F32>(slab.state1, row, slab.width, 1);
            if (RULE == Rule::adam || RULE == Rule::ftrl) ask_for<F32>(slab.state2, row, slab.width, 1);
        }
        sum_chain<WIDTH>(entries, groups, unique, g, head, slab.width, sum);
        move_row<E, RULE, WIDTH>(slab, entries[groups.first[unique]].row, slab.width, sum, u);
    }
}

// Plain SGD is linear, so every entry can move its row at once, in order, without grouping.
template <int WIDTH>
void descend(const Entry* entries, size_t count, const Gradient& g, bool head, const Slab& slab, float learning_rate) {
    constexpr size_t kRowsAhead = 16;
    const int width = WIDTH ? WIDTH : slab.width;
    float* rows = (float*)slab.rows;
    for (size_t e = 0; e < count; ++e) {
        if (e + kRowsAhead < count) ask_for<F32>(rows, entries[e + kRowsAhead].row, width, 1);
        const Piece piece = piece_of(g, entries[e], head, width);
        float* row = rows + (size_t)entries[e].row * width;
        const float step = learning_rate * piece.scale;
        for (int j = 0; j < width; ++j) row[j] -= step * piece.values[j];
    }
}

void descend_any(const Entry* entries, size_t count, const Gradient& g, bool head, const Slab& slab, float rate) {
    switch (slab.width) {
#define HH_WIDTH(WIDTH) \
    case WIDTH: return descend<WIDTH>(entries, count, g, head, slab, rate);
        HH_WIDTH(1)
        HH_WIDTH(2)
        HH_WIDTH(4)
        HH_WIDTH(8)
        HH_WIDTH(16)
        HH_WIDTH(32)
        HH_WIDTH(64)
        HH_WIDTH(128)
#undef HH_WIDTH
        default: return descend<0>(entries, count, g, head, slab, rate);
    }
}

template <class E, Rule RULE>
void apply_rule(const Entry* entries, const Groups& groups, const Gradient& g, bool head, const Slab& slab,
                const Update& u) {
    switch (slab.width) {
#define HH_WIDTH(WIDTH) \
    case WIDTH: return apply_width<E, RULE, WIDTH>(entries, groups, g, head, slab, u);
        HH_WIDTH(1)
        HH_WIDTH(2)
        HH_WIDTH(4)
        HH_WIDTH(8)
        HH_WIDTH(16)
        HH_WIDTH(32)
        HH_WIDTH(64)
        HH_WIDTH(128)
#undef HH_WIDTH
        default: return apply_width<E, RULE, 0>(entries, groups, g, head, slab, u);
    }
}

template <class E>
void apply_element(const Entry* entries, const Groups& groups, const Gradient& g, bool head, const Slab& slab,
                   const Update& u) {
    switch (u.rule) {
        case Rule::sgd: return apply_rule<E, Rule::sgd>(entries, groups, g, head, slab, u);
        case Rule::adagrad: return apply_rule<E, Rule::adagrad>(entries, groups, g, head, slab, u);
        case Rule::rowwise_adagrad: return apply_rule<E, Rule::rowwise_adagrad>(entries, groups, g, head, slab, u);
        case Rule::adam: return apply_rule<E, Rule::adam>(entries, groups, g, head, slab, u);
        case Rule::ftrl: return apply_rule<E, Rule::ftrl>(entries, groups, g, head, slab, u);
    }
}

void apply(const Entry* entries, size_t count, const Gradient& g, bool head, const Slab& slab, Element element,
           const Update& u, const Grouping& room) {
    if (u.rule == Rule::sgd && element == Element::f32 && u.weight_decay == 0.0f && !g.argmax)
        return descend_any(entries, count, g, head, slab, u.learning_rate);
    const Groups groups = group(entries, count, room);
    switch (element) {
        case Element::f32: return apply_element<F32>(entries, groups, g, head, slab, u);
        case Element::bf16: return apply_element<BF16>(entries, groups, g, head, slab, u);
        case Element::f16: return apply_element<F16>(entries, groups, g, head, slab, u);
    }
}

size_t collect(const Entry* entries, size_t count, const Gradient& g, bool head, int width, uint32_t* rows, float* out,
               const Grouping& room) {
    const Groups groups = group(entries, count, room);
    for (uint32_t unique = 0; unique < groups.count; ++unique) {
        rows[unique] = entries[groups.first[unique]].row;
        sum_chain<0>(entries, groups, unique, g, head, width, out + (size_t)unique * width);
    }
    return groups.count;
}

}  // namespace

extern const Kernels table;
const Kernels table = {
    HH_NAME, hash_integers, encode, forward, weight_gradient, bounds, apply, collect,
};

}  // namespace hybridhash::HH_ISA
