// XXH64 (seeded) of many byte strings, in the forms in which strings arrive. The sources are cut into blocks; the
// kernels (isa_strings.cpp) are built once per instruction set, the threads are in strings.cpp.
#pragma once

#include <cstddef>
#include <cstdint>

namespace hybridhash {

// Bytes that may be read; no kernel reads outside.
struct Bytes {
    const uint8_t* data;
    size_t size;
};

struct StringKernels {
    // Each returns false, having read nothing outside, if a string does not lie within the bytes.
    bool (*slices)(Bytes bytes, const int64_t* starts, const int64_t* lengths, size_t count, uint64_t seed,
                   int64_t* keys);
    bool (*offsets32)(Bytes bytes, const int32_t* offsets, size_t count, uint64_t seed, int64_t* keys);
    bool (*offsets64)(Bytes bytes, const int64_t* offsets, size_t count, uint64_t seed, int64_t* keys);
    // Strings of width bytes one behind the other; zeros at the end of a string are not part of it.
    void (*fixed_bytes)(Bytes bytes, size_t width, size_t count, uint64_t seed, int64_t* keys);
    // The same of width code points, hashed as UTF-8. Returns the first surrogate, which UTF-8 cannot encode, or 0.
    uint32_t (*fixed_text)(const uint32_t* points, size_t width, size_t count, uint64_t seed, uint8_t* scratch,
                           int64_t* keys);
};

// Bytes of scratch that fixed_text needs.
size_t text_scratch_bytes(size_t width);

// The same over all strings, on the threads of the pool.
bool hash_slices(Bytes bytes, const int64_t* starts, const int64_t* lengths, size_t count, uint64_t seed,
                 int64_t* keys, int num_threads);
bool hash_offsets(Bytes bytes, const int32_t* offsets, size_t count, uint64_t seed, int64_t* keys, int num_threads);
bool hash_offsets(Bytes bytes, const int64_t* offsets, size_t count, uint64_t seed, int64_t* keys, int num_threads);
void hash_fixed_bytes(Bytes bytes, size_t width, size_t count, uint64_t seed, int64_t* keys, int num_threads);
uint32_t hash_fixed_text(const uint32_t* points, size_t width, size_t count, uint64_t seed, int64_t* keys,
                         int num_threads);

namespace isa_base { extern const StringKernels strings; }
#if defined(__x86_64__)
namespace isa_v3 { extern const StringKernels strings; }
namespace isa_v4 { extern const StringKernels strings; }
#endif

}  // namespace hybridhash
