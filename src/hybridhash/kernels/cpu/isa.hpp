// The kernels that are compiled once per instruction set. Their sources (isa*.cpp) are built with other flags
// under another namespace each time; dispatch.cpp takes the best that the machine runs.
#pragma once

#include <cstddef>
#include <cstdint>

#include "choices.hpp"

namespace hybridhash {

constexpr int kLineKeys = 8;  // keys in a line of a dictionary
constexpr int kMaxHashes = 16;
constexpr int kMaxDictionaries = 8;
constexpr int kExactBits = 64;         // of a place that holds a key, and not a fingerprint
constexpr int kMaxFusedDim = 1024;     // floats of a row that a step moves, whose gradient is summed on the stack
constexpr int kMostStates = 2;         // arrays that the rule of an optimizer keeps beside the rows
constexpr int32_t kNoRow = INT32_MAX;  // the row of a padding key

// What has code of its own. The floats of a vector that registers hold; those of a row that moves, or 0 for any; hash
// functions, or 0 for any number; hash functions whose rows are joined from lists.
using Dims = Constants<16, 32, 64, 128>;
using Widths = Dims::With<1, 2, 4, 8, 0>;
using Hashes = Constants<1, 2, 4, 8, 0>;
using Joins = Constants<2, 4, 8>;

enum class Combine : int { sum, mean, concat };
enum class Mode : int { sum, mean, max };
enum class Element : int { f32, bf16, f16 };

// Some keys of the head. A place takes key_bits bits, so a line of eight takes key_bits bytes; eight bytes of salt follow the
// last, so that any place can be read as part of eight bytes. A ribbon has codes and no places.
struct Dictionary {
    const uint8_t* places;
    const uint64_t* ribbon;  // a word for each bit of 64 slots; null where there are places
    uint64_t num_lines;    // 1 or more; of a ribbon, the slots that a key may start from
    uint64_t salt;
    int key_bits;          // kExactBits, or those of a fingerprint; of a ribbon, its check bits
    const uint8_t* codes;  // the row of each position; null where the position is the row, and with a ribbon
    int code_bits;
    uint32_t num_rows;
    int32_t first_row;     // rows of the dictionaries before
};

// Which rows a key reads: that of the first dictionary that has it, or else rows of the tail.
struct Encoder {
    Dictionary dictionaries[kMaxDictionaries];
    int num_dictionaries;
    uint32_t num_head;  // rows of all dictionaries
    uint64_t num_buckets;
    int num_hashes;
    uint64_t salts[kMaxHashes];
    bool has_padding;
    int64_t padding_key;
};

// The rows of the head and of the tail.
struct Table {
    const void* head;
    const void* tail;
    Element element;
    int dim;         // floats in a vector
    int bucket_dim;  // floats in a tail row
    int num_hashes;
    Combine combine;
};

// Bags of keys: those of bag b are [offsets[b], offsets[b + 1]).
struct Bags {
    // Of key i from rows[i * num_hashes] on: a head row where the first is 0 or more, otherwise each is ~(tail row). Null
    // where rows are found on the way and not kept.
    const int32_t* rows;
    const int64_t* offsets;
    const float* weights;  // per key, or null
    Mode mode;
};

// Whether vectors are pooled from lists of the rows that a chunk of keys reads: those that registers hold, where a key
// reads a row of the head or else two that are summed, or two, four or eight that are joined. Joined rows not where the
// encoder, if there is one, knows that no key is in the head: a loop over the keys then mispredicts nothing.
HH_INLINE bool pools_from_lists(const Table& t, const Bags& bags, const Encoder* e) {
    if (!Dims::has(t.dim) || bags.mode == Mode::max) return false;
    if (t.combine != Combine::concat) return t.num_hashes == 2;
    return Joins::has(t.num_hashes) && (!e || e->num_dictionaries);
}

// One gradient that goes to one row of the head or of the tail, and where it comes from.
struct Entry {
    uint32_t row;
    uint32_t source;  // the key's number, and above kKeyBits the number of the hash function
};

constexpr int kKeyBits = 28;  // leaves four for the sixteen hash functions

// How a row moves.
struct Update {
    int rule;             // its place in Rules (rules.hpp)
    const void* numbers;  // the rule's struct
};

// One of the two parameter tensors and its optimizer state.
struct Slab {
    void* rows;
    float* state[kMostStates];  // as many as the rule keeps
    int width;
};

struct Gradient {
    const float* values;       // float[B, dim]
    const int32_t* bag_of_key;
    const float* key_scale;    // per key: weight, 1 / bag length, or null for 1
    const int32_t* argmax;     // int32[B, dim], the key of each maximum; null unless mode is max
    float hash_scale;          // 1 / num_hashes for combine mean
    int dim;
    bool concat;
};

// The slots that grouping this many entries wants: a power of two, at most half of which are taken.
HH_INLINE size_t grouping_slots(size_t num_entries) {
    size_t slots = 16;
    while (slots < 2 * num_entries) slots *= 2;
    return slots;
}

// Room to group entries by row: grouping_slots(count) words that are zero before and after, and 3 * count words.
struct Grouping {
    uint32_t* slots;
    uint32_t* links;
};

struct PackedTable;  // packed.hpp

struct Kernels {
    const char* name;
    void (*hash_integers)(const int64_t* values, int64_t* keys, size_t count, uint64_t salt);
    void (*encode)(const Encoder& encoder, const int64_t* keys, int32_t* rows, size_t count);
    // The least and the greatest of the rows, padding left out; -1 is always among them. The greatest is kNoRow
    // if a key has a tail row first and then something else.
    void (*bounds)(const int32_t* rows, size_t num_keys, int num_hashes, int32_t* least, int32_t* greatest);
    void (*forward)(const Table& table, const Bags& bags, size_t first_bag, size_t last_bag, float* out,
                    int32_t* argmax);
    // encode and forward in one pass over the keys of the bags. Rows may be null where vectors are pooled from lists and
    // summed; otherwise those of all keys are written.
    void (*encode_and_pool)(const Encoder& encoder, const Table& table, const Bags& bags, const int64_t* keys,
                            int32_t* rows, size_t first_bag, size_t last_bag, float* out, int32_t* argmax);
    // The same on packed rows, whose rows may be null where they are summed; without an encoder, the rows are there.
    void (*packed_forward)(const Encoder* encoder, const PackedTable& table, const Bags& bags, const int64_t* keys,
                           int32_t* rows, size_t first_bag, size_t last_bag, float* out);
    void (*weight_gradient)(const Table& table, const Bags& bags, size_t first_bag, size_t last_bag,
                            const float* grad, float* out);
    // Adds the gradients of the entries, grouped by row in their order, and moves each row once. All entries
    // are of one slab.
    void (*apply)(const Entry* entries, size_t count, const Gradient& gradient, bool head, const Slab& slab,
                  Element element, const Update& update, const Grouping& room);
    // The same sums written out, one line of width floats per different row, in the order of first use.
    size_t (*collect)(const Entry* entries, size_t count, const Gradient& gradient, bool head, int width,
                      uint32_t* rows, float* out, const Grouping& room);
    // A step of plain SGD on the float rows of one of the owners, in the order of the keys.
    void (*descend)(const Table& table, const Bags& bags, size_t num_bags, const float* grad, float learning_rate,
                    unsigned owner, unsigned num_owners);
};

const Kernels& kernels();

namespace isa_base { extern const Kernels table; }
#if defined(__x86_64__)
namespace isa_v3 { extern const Kernels table; }
namespace isa_v4 { extern const Kernels table; }
#endif

}  // namespace hybridhash
