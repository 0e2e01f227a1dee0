// The rows that a chunk of keys reads, listed by slab. A loop over the keys themselves would branch on where a key
// stands, or do the work of a tail key for every key: which keys are in the head is random, and a mispredicted branch
// costs more than a row. isa_adders.hpp has the loops that add each list to the vectors of the bags.
#pragma once

#include "isa_common.hpp"

namespace hybridhash::HH_ISA {

namespace {

constexpr size_t kChunk = 256;    // keys, and bags, of a chunk of most kinds
constexpr size_t kRest = kLanes;  // room behind a list for the rest of a register

// The rows of the head by part, and those of the tail. Weights are there where keys have them; those of the tail
// include the scale of its rows.
struct Lists {
    static constexpr size_t kKeys = kChunk;  // of a chunk, at most
    uint32_t head[kMaxDictionaries][kChunk + kRest];
    float head_weights[kMaxDictionaries][kChunk + kRest];
    uint32_t head_ends[kMaxDictionaries][kChunk];  // where the rows of each bag end
    uint32_t tail[(kChunk + kRest) * kMaxHashes];  // those of a key one after another
    float tail_weights[kChunk + kRest];            // per key
    uint32_t tail_bags[kChunk + kRest];            // the bag of each key
    int32_t found[kChunk * kMaxHashes];            // the rows of keys, where they are not kept
    size_t num_head[kMaxDictionaries];
    size_t num_tail_keys;

    void clear() {
        std::memset(num_head, 0, sizeof num_head);
        num_tail_keys = 0;
    }
};

// What is listed: keys [first, last) of bags [first_bag, last_bag), at most Lists::kKeys of each.
struct Chunk {
    const Bags* bags;
    const int32_t* rows;  // from those of the first key on
    size_t first_bag, last_bag, first, last;
    int num_hashes;
    float tail_scale;

    bool fresh() const { return first == (size_t)bags->offsets[first_bag]; }  // and not in the midst of a long bag
    size_t end_of(size_t bag) const {
        const size_t end = (size_t)bags->offsets[bag + 1];
        return end < last ? end : last;
    }
};

// part_of(row) makes a head row one of its part, and says which part that is.
template <bool WEIGHTED, class PartOf>
void list_in_parts(const Chunk& c, PartOf part_of, int num_parts, Lists& lists) {
    const int num_hashes = c.num_hashes;
    size_t num_tail = 0, i = c.first;
    auto& num_head = lists.num_head;
    std::memset(num_head, 0, sizeof num_head);
    for (size_t b = c.first_bag; b < c.last_bag; ++b) {
        for (const size_t end = c.end_of(b); i < end; ++i) {
            const int32_t* rows = c.rows + (i - c.first) * num_hashes;
            if (rows[0] >= 0 && rows[0] != kNoRow) {
                uint32_t row = (uint32_t)rows[0];
                const int part = part_of(row);
                lists.head[part][num_head[part]] = row;
                if (WEIGHTED) lists.head_weights[part][num_head[part]] = c.bags->weights[i];
                ++num_head[part];
            }
            for (int h = 0; h < num_hashes; ++h) lists.tail[num_tail * num_hashes + h] = (uint32_t)~rows[h];
            if (WEIGHTED) lists.tail_weights[num_tail] = c.bags->weights[i] * c.tail_scale;
            lists.tail_bags[num_tail] = (uint32_t)(b - c.first_bag);
            num_tail += rows[0] < 0;
        }
        for (int part = 0; part < num_parts; ++part)
            lists.head_ends[part][b - c.first_bag] = (uint32_t)num_head[part];
    }
    lists.num_tail_keys = num_tail;
}

// A head in one part. H is the number of hash functions, or 0 for any.
template <int H, bool WEIGHTED>
void list_one_by_one(const Chunk& c, Lists& lists) {
    const int num_hashes = H ? H : c.num_hashes;
    size_t num_head = 0, num_tail = 0, i = c.first;
    for (size_t b = c.first_bag; b < c.last_bag; ++b) {
        for (const size_t end = c.end_of(b); i < end; ++i) {
            const int32_t* rows = c.rows + (i - c.first) * num_hashes;
            lists.head[0][num_head] = (uint32_t)rows[0];
            if (WEIGHTED) lists.head_weights[0][num_head] = c.bags->weights[i];
            num_head += rows[0] >= 0 && rows[0] != kNoRow;
            for (int h = 0; h < num_hashes; ++h) lists.tail[num_tail * num_hashes + h] = (uint32_t)~rows[h];
            if (WEIGHTED) lists.tail_weights[num_tail] = c.bags->weights[i] * c.tail_scale;
            lists.tail_bags[num_tail] = (uint32_t)(b - c.first_bag);
            num_tail += rows[0] < 0;
        }
        lists.head_ends[0][b - c.first_bag] = (uint32_t)num_head;
    }
    lists.num_head[0] = num_head;
    lists.num_tail_keys = num_tail;
}

#if defined(__AVX512F__)

// How many of the places of a chunk count in front of one, from a bit per place.
template <size_t PLACES>
struct Counted {
    uint64_t bits[PLACES / 64 + 1];
    uint32_t before[PLACES / 64 + 1];

    void count() {
        uint32_t total = 0;
        for (size_t word = 0; word <= PLACES / 64; ++word) {
            before[word] = total;
            total += (uint32_t)__builtin_popcountll(bits[word]);
        }
    }
    uint32_t in_front_of(size_t place) const {
        const uint64_t below = ((uint64_t)1 << (place & 63)) - 1;
        return before[place >> 6] + (uint32_t)__builtin_popcountll(bits[place >> 6] & below);
    }
};

// Two hash functions, sixteen keys at a time.
template <bool WEIGHTED>
void list_pairs(const Chunk& c, Lists& lists) {
    const __m512i firsts = _mm512_setr_epi32(0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30);
    const __m512i seconds = _mm512_add_epi32(firsts, _mm512_set1_epi32(1));
    const __m512i lower = _mm512_setr_epi32(0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
    const __m512i upper = _mm512_add_epi32(lower, _mm512_set1_epi32(8));
    const __m512i no_row = _mm512_set1_epi32(kNoRow), ones = _mm512_set1_epi32(-1);
    Counted<kChunk> in_head{}, in_tail{};
    const size_t count = c.last - c.first;
    size_t num_head = 0, num_tail = 0;
    for (size_t i = 0; i < count; i += 16) {
        const uint32_t there = count - i < 16 ? (1u << 2 * (count - i)) - 1 : ~0u;
        const int32_t* rows = c.rows + 2 * i;
        const __m512i a = _mm512_mask_loadu_epi32(no_row, (__mmask16)there, rows);
        const __m512i b = _mm512_mask_loadu_epi32(no_row, (__mmask16)(there >> 16), rows + (there >> 16 ? 16 : 0));
        const __m512i first = _mm512_permutex2var_epi32(a, firsts, b);
        const __m512i second = _mm512_permutex2var_epi32(a, seconds, b);
        const __mmask16 tail = _mm512_movepi32_mask(first);
        const __mmask16 head = (__mmask16)(~tail & _mm512_cmpneq_epi32_mask(first, no_row));
        _mm512_storeu_si512(lists.head[0] + num_head, _mm512_maskz_compress_epi32(head, first));
        const __m512i one = _mm512_maskz_compress_epi32(tail, _mm512_xor_si512(first, ones));
        const __m512i two = _mm512_maskz_compress_epi32(tail, _mm512_xor_si512(second, ones));
        _mm512_storeu_si512(lists.tail + 2 * num_tail, _mm512_permutex2var_epi32(one, lower, two));
        _mm512_storeu_si512(lists.tail + 2 * num_tail + 16, _mm512_permutex2var_epi32(one, upper, two));
        if (WEIGHTED) {
            const __mmask16 keys = count - i < 16 ? (__mmask16)((1u << (count - i)) - 1) : (__mmask16)~0u;
            const __m512 weights = _mm512_maskz_loadu_ps(keys, c.bags->weights + c.first + i);
            _mm512_storeu_ps(lists.head_weights[0] + num_head, _mm512_maskz_compress_ps(head, weights));
            const __m512 of_tail = _mm512_mul_ps(weights, _mm512_set1_ps(c.tail_scale));
            _mm512_storeu_ps(lists.tail_weights + num_tail, _mm512_maskz_compress_ps(tail, of_tail));
        }
        in_head.bits[i / 64] |= (uint64_t)head << (i & 63);
        in_tail.bits[i / 64] |= (uint64_t)tail << (i & 63);
        num_head += (size_t)__builtin_popcount(head);
        num_tail += (size_t)__builtin_popcount(tail);
    }
    in_head.count();
    in_tail.count();
    size_t start = 0;
    for (size_t b = c.first_bag; b < c.last_bag; ++b) {
        const size_t bag = b - c.first_bag, end = c.end_of(b) - c.first, tail_end = in_tail.in_front_of(end);
        lists.head_ends[0][bag] = in_head.in_front_of(end);
        // What is written beyond the end belongs to the next bags, which overwrite it.
        _mm512_storeu_si512(lists.tail_bags + start, _mm512_set1_epi32((int)bag));
        for (size_t i = start + 16; i < tail_end; i += 16)
            _mm512_storeu_si512(lists.tail_bags + i, _mm512_set1_epi32((int)bag));
        start = tail_end;
    }
    lists.num_head[0] = num_head;
    lists.num_tail_keys = num_tail;
}

#endif

// A head in one part.
HH_INLINE void list_rows(const Chunk& c, Lists& lists) {
    const bool weighted = c.bags->weights != nullptr;
#if defined(__AVX512F__)
    if (c.num_hashes == 2) return weighted ? list_pairs<true>(c, lists) : list_pairs<false>(c, lists);
#endif
    Joins::With<0>::choose(c.num_hashes, [&]<int H>() {
        if (weighted) list_one_by_one<H, true>(c, lists);
        else list_one_by_one<H, false>(c, lists);
    });
}

// Chunks of bags: whole ones, or part of a long one, so that a bag gives the same bits whatever stands beside it. Each is
// listed, by list(chunk, lists), before the one in front of it is added, by add(chunk, lists, those of the next), which
// asks for the rows of the next. Lists are of any kind that can be cleared and says how many keys it takes.
template <class Lists, class List, class Add>
HH_INLINE void for_each_chunk(const Bags& bags, int num_hashes, float tail_scale, size_t first_bag, size_t last_bag,
                              List list, Add add) {
    constexpr size_t kKeys = Lists::kKeys;
    Lists lists[2];
    size_t b = first_bag, first = (size_t)bags.offsets[first_bag], stop = first, end = first_bag;
    const auto next = [&](Chunk& chunk) {
        if (first == stop) {  // other bags
            if (end == last_bag) return false;
            b = end++;
            while (end < last_bag && end - b < kKeys && (size_t)bags.offsets[end + 1] - first <= kKeys) ++end;
            stop = (size_t)bags.offsets[end];
        }
        const size_t last = stop - first < kKeys ? stop : first + kKeys;
        const int32_t* rows = bags.rows ? bags.rows + first * num_hashes : nullptr;
        chunk = Chunk{&bags, rows, b, end, first, last, num_hashes, tail_scale};
        first = last;
        return true;
    };
    Chunk chunks[2];
    if (!next(chunks[0])) return;
    list(chunks[0], lists[0]);
    for (int now = 0;; now ^= 1) {
        const bool more = next(chunks[now ^ 1]);
        if (more) {
            list(chunks[now ^ 1], lists[now ^ 1]);
        } else {
            lists[now ^ 1].clear();
        }
        add(chunks[now], lists[now], lists[now ^ 1]);
        if (!more) return;
    }
}

// Finds the rows of the keys of a chunk: in their place among those of all keys, or in room for those of a chunk.
inline void find_rows(const Encoder& e, const int64_t* keys, int32_t* rows, int32_t* room, Chunk& chunk) {
    int32_t* const found = rows ? rows + chunk.first * chunk.num_hashes : room;
    encode(e, keys + chunk.first, found, chunk.last - chunk.first);
    chunk.rows = found;
}

// Means are sums over the number of keys that count.
inline void divide_by_counts(const Bags& bags, int num_hashes, size_t first_bag, size_t last_bag, int dim, float* out) {
    for (size_t b = first_bag; b < last_bag; ++b) {
        size_t count = 0;
        for (size_t i = (size_t)bags.offsets[b]; i < (size_t)bags.offsets[b + 1]; ++i)
            count += bags.rows[i * num_hashes] != kNoRow;
        if (count < 2) continue;
        const float scale = 1.0f / (float)count;
        for (int j = 0; j < dim; ++j) out[b * dim + j] *= scale;
    }
}

}  // namespace

}  // namespace hybridhash::HH_ISA
