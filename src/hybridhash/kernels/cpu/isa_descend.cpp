// Plain SGD. It is linear, so every occurrence of a key can move its rows at once, in the order of the keys, and
// nothing is sorted or summed before. Each owner of rows walks all keys of the batch and moves the rows that are its
// own: what happens to a row does not depend on the number of owners.
#include "isa_common.hpp"

namespace hybridhash::HH_ISA {

namespace {

constexpr size_t kFound = 2048;     // rows that are looked at before those of the owner are moved
constexpr size_t kRowsAhead = 24;   // rows between asking for one and moving it
constexpr uint32_t kLineBytes = 64;

// Who owns a row; neighbours on one cache line have one owner.
struct Owner {
    uint32_t number, num_owners;
    uint32_t head_shift, tail_shift;

    HH_INLINE bool has(int32_t code, uint32_t shift) const {
        const uint32_t mixed = ((uint32_t)code >> shift) * 0x9E3779B1u;
        return ((mixed >> 16) * num_owners) >> 16 == number;
    }
};

HH_INLINE uint32_t line_shift(int width) {
    uint32_t shift = 0;
    while ((uint32_t)width << shift < kLineBytes / sizeof(float)) ++shift;
    return shift;
}

// Numbers of elements of rows, counted from the first of a block.
struct Found {
    uint32_t head[kFound + kLanes], tail[kFound + kLanes];
    size_t num_head, num_tail;
};

template <int H>
HH_INLINE void look_at_key(const int32_t* rows, uint32_t element, int num_hashes, const Owner& owner, Found& found) {
    const int32_t first = rows[element];
    found.head[found.num_head] = element;
    found.num_head += (first >= 0) & (first != kNoRow) & owner.has(first, owner.head_shift);
    for (int h = 0; h < (H ? H : num_hashes); ++h) {
        found.tail[found.num_tail] = element + (uint32_t)h;
        found.num_tail += (first < 0) & owner.has(rows[element + (uint32_t)h], owner.tail_shift);
    }
}

// Lists the owner's rows among those of a block of keys.
template <int H>
void look(const int32_t* rows, size_t num_keys, int hashes, const Owner& owner, Found& found) {
    const int num_hashes = H ? H : hashes;
    const uint32_t num_elements = (uint32_t)num_keys * (uint32_t)num_hashes;
    found.num_head = found.num_tail = 0;
    uint32_t element = 0;
#if defined(__AVX512F__)
    if constexpr (H != 0) {
        const __m512i lanes = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
        const __m512i first_lane = _mm512_and_si512(lanes, _mm512_set1_epi32(~(H - 1)));
        const __mmask16 is_first = _mm512_cmpeq_epi32_mask(first_lane, lanes);
        const __m512i owners = _mm512_set1_epi32((int)owner.num_owners), self = _mm512_set1_epi32((int)owner.number);
        const __m512i head_shift = _mm512_set1_epi32((int)owner.head_shift);
        const __m512i tail_shift = _mm512_set1_epi32((int)owner.tail_shift);
        const __m512i mixer = _mm512_set1_epi32((int)0x9E3779B1u);
        for (; element + kLanes <= num_elements; element += kLanes) {
            const __m512i codes = _mm512_loadu_si512(rows + element);
            const __m512i first = _mm512_permutexvar_epi32(first_lane, codes);
            const __mmask16 in_tail = _mm512_movepi32_mask(first);
            const __mmask16 in_head = (__mmask16)(
                _mm512_mask_cmpneq_epi32_mask(is_first, first, _mm512_set1_epi32(kNoRow)) & ~in_tail);
            const __m512i shift = _mm512_mask_blend_epi32(in_tail, head_shift, tail_shift);
            const __m512i mixed = _mm512_mullo_epi32(_mm512_srlv_epi32(codes, shift), mixer);
            const __m512i of = _mm512_srli_epi32(_mm512_mullo_epi32(_mm512_srli_epi32(mixed, 16), owners), 16);
            const __mmask16 own = _mm512_cmpeq_epi32_mask(of, self);
            const __m512i numbers = _mm512_add_epi32(lanes, _mm512_set1_epi32((int)element));
            _mm512_storeu_si512(found.head + found.num_head, _mm512_maskz_compress_epi32(in_head & own, numbers));
            found.num_head += (size_t)__builtin_popcount(in_head & own);
            _mm512_storeu_si512(found.tail + found.num_tail, _mm512_maskz_compress_epi32(in_tail & own, numbers));
            found.num_tail += (size_t)__builtin_popcount(in_tail & own);
        }
    }
#endif
    for (; element < num_elements; element += (uint32_t)num_hashes)
        look_at_key<H>(rows, element, num_hashes, owner, found);
}

// The rows of a block of keys, and where their gradients are.
struct Block {
    const Table& table;
    const Bags& bags;
    const float* grad;
    float learning_rate;
    size_t first_key;
    size_t first_bag;       // of the first key
    float first_bag_step;   // see step_of_bag
};

// The step of a bag before weights: 1 / number of its keys in mode mean.
HH_INLINE float step_of_bag(const Block& block, size_t bag) {
    if (block.bags.mode != Mode::mean) return 1.0f;
    size_t length = 0;
    for (size_t i = (size_t)block.bags.offsets[bag]; i < (size_t)block.bags.offsets[bag + 1]; ++i)
        length += block.bags.rows[i * block.table.num_hashes] != kNoRow;
    return length ? 1.0f / (float)length : 1.0f;
}

template <bool HEAD, int WIDTH>
void move(const Block& block, const uint32_t* found, size_t count) {
    const Table& t = block.table;
    const Bags& bags = block.bags;
    const uint32_t num_hashes = (uint32_t)t.num_hashes;
    const uint64_t inverse = ((uint64_t)1 << 32) / num_hashes + 1;  // exact for the numbers of a block
    const int width = WIDTH ? WIDTH : HEAD ? t.dim : t.bucket_dim;
    const float hash_scale = !HEAD && t.combine == Combine::mean ? 1.0f / (float)num_hashes : 1.0f;
    const bool chunks = !HEAD && t.combine == Combine::concat;
    const int32_t* codes = bags.rows + block.first_key * num_hashes;
    float* const values = (float*)const_cast<void*>(HEAD ? t.head : t.tail);
    const auto row_of = [&](uint32_t element) {
        return (size_t)(uint32_t)(HEAD ? codes[element] : ~codes[element]);
    };
    size_t bag = block.first_bag;
    size_t bag_end = (size_t)bags.offsets[bag + 1] - block.first_key;
    float bag_step = block.first_bag_step;
    for (size_t f = 0; f < count; ++f) {
        if (f + kRowsAhead < count) ask_for<F32, Ask::change>(values, row_of(found[f + kRowsAhead]), width);
        const uint32_t element = found[f], key = (uint32_t)((element * inverse) >> 32);
        if (key >= bag_end) {
            do bag_end = (size_t)bags.offsets[++bag + 1] - block.first_key;
            while (key >= bag_end);
            bag_step = step_of_bag(block, bag);
        }
        const float scale = bags.weights ? bags.weights[block.first_key + key] : bag_step;
        const float step = block.learning_rate * (scale * hash_scale);
        const float* gradient = block.grad + bag * t.dim + (chunks ? (element - key * num_hashes) * width : 0);
        float* row = values + row_of(element) * width;
        HH_APART for (int j = 0; j < width; ++j) row[j] -= step * gradient[j];
    }
}

template <bool HEAD>
void move_any(const Block& block, const uint32_t* found, size_t count) {
    if (!count) return;
    Widths::choose(HEAD ? block.table.dim : block.table.bucket_dim,
                   [&]<int WIDTH>() { move<HEAD, WIDTH>(block, found, count); });
}

}  // namespace

void descend(const Table& table, const Bags& bags, size_t num_bags, const float* grad, float learning_rate,
             unsigned number, unsigned num_owners) {
    const Owner owner{number, num_owners, line_shift(table.dim), line_shift(table.bucket_dim)};
    const size_t num_keys = num_bags ? (size_t)bags.offsets[num_bags] : 0;
    const size_t keys_per_block = kFound / (size_t)table.num_hashes;
    Found found;
    Block block{table, bags, grad, learning_rate, 0, 0, 1.0f};
    for (size_t first = 0; first < num_keys; first += keys_per_block) {
        const size_t size = num_keys - first < keys_per_block ? num_keys - first : keys_per_block;
        block.first_key = first;
        const size_t bag_before = block.first_bag;
        while ((size_t)bags.offsets[block.first_bag + 1] <= first) ++block.first_bag;
        if (first == 0 || block.first_bag != bag_before) block.first_bag_step = step_of_bag(block, block.first_bag);
        Hashes::choose(table.num_hashes, [&]<int H>() {
            look<H>(bags.rows + first * table.num_hashes, size, table.num_hashes, owner, found);
        });
        move_any<true>(block, found.head, found.num_head);
        move_any<false>(block, found.tail, found.num_tail);
    }
}

}  // namespace hybridhash::HH_ISA
