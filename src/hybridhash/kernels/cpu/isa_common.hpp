// What the files of the kernels share. They are built once per instruction set with HH_ISA as the namespace. No
// standard containers here: their code would be shared between the builds, and the linker might keep the one that
// an older machine cannot run.
#pragma once

#include <cmath>
#include <cstring>

#include "isa.hpp"
#include "macros.hpp"

#if defined(__SSE2__)
#include <immintrin.h>
#endif

#ifndef HH_ISA
#error "HH_ISA names the namespace of this build"
#endif

namespace hybridhash::HH_ISA {

// isa_encode.cpp
void hash_integers(const int64_t* values, int64_t* keys, size_t count, uint64_t salt);
void encode(const Encoder& encoder, const int64_t* keys, int32_t* rows, size_t count);
void bounds(const int32_t* rows, size_t num_keys, int num_hashes, int32_t* least, int32_t* greatest);

// isa_forward.cpp
void forward(const Table& table, const Bags& bags, size_t first_bag, size_t last_bag, float* out, int32_t* argmax);
void encode_and_pool(const Encoder& encoder, const Table& table, const Bags& bags, const int64_t* keys,
                     int32_t* rows, size_t first_bag, size_t last_bag, float* out, int32_t* argmax);
void weight_gradient(const Table& table, const Bags& bags, size_t first_bag, size_t last_bag, const float* grad,
                     float* out);

// isa_pairs.cpp
// Pools sums of two rows for which pools_from_lists holds; without an encoder, the rows are there.
void pool_pairs(const Encoder* encoder, const Table& table, const Bags& bags, const int64_t* keys, int32_t* rows,
                size_t first_bag, size_t last_bag, float* out);

// isa_joined.cpp
// The same for joined rows.
void pool_joined(const Encoder* encoder, const Table& table, const Bags& bags, const int64_t* keys, int32_t* rows,
                 size_t first_bag, size_t last_bag, float* out);

// isa_packed.cpp
void packed_forward(const Encoder* encoder, const PackedTable& table, const Bags& bags, const int64_t* keys,
                    int32_t* rows, size_t first_bag, size_t last_bag, float* out);

// isa_backward.cpp
void apply(const Entry* entries, size_t count, const Gradient& gradient, bool head, const Slab& slab,
           Element element, const Update& update, const Grouping& room);
size_t collect(const Entry* entries, size_t count, const Gradient& gradient, bool head, int width, uint32_t* rows,
               float* out, const Grouping& room);

// isa_descend.cpp
void descend(const Table& table, const Bags& bags, size_t num_bags, const float* grad, float learning_rate,
             unsigned owner, unsigned num_owners);

namespace {

constexpr int kLanes = 16;
typedef float Lane __attribute__((vector_size(4 * kLanes), aligned(4), may_alias));

template <int WIDTH>
struct Floats {
    typedef float Vector __attribute__((vector_size(4 * WIDTH)));
};

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
        Lane lane{};
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
        Lane lane{};
        for (int i = 0; i < kLanes; ++i) lane[i] = load(p + i);
        return lane;
    }
};

// Calls f<F32>(), f<BF16>() or f<F16>().
template <class F>
HH_INLINE void choose_element(Element element, F f) {
    switch (element) {
        case Element::f32: return f.template operator()<F32>();
        case Element::bf16: return f.template operator()<BF16>();
        case Element::f16: return f.template operator()<F16>();
    }
}

// What a cache line is asked for: to be read at once, to be read later (and to wait in the second cache), to be changed.
enum class Ask { now, later, change };

template <Ask A>
HH_INLINE void ask_for_line(const void* line) {
    if (A == Ask::now) __builtin_prefetch(line, 0, 3);
    else if (A == Ask::later) __builtin_prefetch(line, 0, 2);
    else __builtin_prefetch(line, 1, 3);
}

// Asks for the cache lines of a row.
template <class E, Ask A>
HH_INLINE void ask_for(const void* base, size_t row, int width) {
    const char* p = (const char*)base + row * (size_t)width * sizeof(typename E::Type);
    const char* end = p + (size_t)width * sizeof(typename E::Type);
    for (const char* line = p; line < end; line += 64) ask_for_line<A>(line);
}

}  // namespace

}  // namespace hybridhash::HH_ISA
