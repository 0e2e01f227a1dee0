// Two hash functions whose rows are summed, the paper's method, to pooled vectors.
#include "isa_lists.hpp"

namespace hybridhash::HH_ISA {

namespace {

// The rows that the keys of a chunk read, bag after bag, whichever slab they are of. There are as few as fit into the first
// cache, where those of the next chunk wait.
struct Reads {
    static constexpr size_t kKeys = 128;  // of a chunk, at most
    const char* rows[2 * kKeys + kRest];
    float weights[2 * kKeys + kRest];  // where some row is not taken once
    uint32_t ends[kKeys];              // where the rows of each bag end
    int32_t found[2 * kKeys];          // the rows of keys, where they are not kept
    size_t count;

    void clear() { count = 0; }
};

struct Bases {
    const char* head;
    const char* tail;
};

#if defined(__AVX512F__)

// The rows of eight keys at a time. A key in the head takes its first row, one in the tail both.
template <size_t BYTES, bool WEIGHTED>
void list_reads(const Bases& bases, const Chunk& c, Reads& reads) {
    constexpr uint32_t kFirsts = 0x5555;
    const __m512i no_row = _mm512_set1_epi32(kNoRow);
    const __m512i head = _mm512_set1_epi64((int64_t)bases.head), tail = _mm512_set1_epi64((int64_t)bases.tail);
    const __m512i twice = _mm512_setr_epi32(0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7);
    const auto addresses = [&](__m256i rows) {
        const __m512i numbers = _mm512_cvtepu32_epi64(_mm256_xor_si256(rows, _mm256_srai_epi32(rows, 31)));
        const __m512i base = _mm512_mask_blend_epi64(_mm256_movepi32_mask(rows), head, tail);
        return _mm512_add_epi64(base, _mm512_slli_epi64(numbers, __builtin_ctzll(BYTES)));
    };
    const int32_t* rows = c.rows;
    const size_t num_places = 2 * (c.last - c.first);
    Counted<2 * Reads::kKeys> read{};
    size_t count = 0;
    for (size_t i = 0; i < num_places; i += 16) {
        const uint32_t there = num_places - i < 16 ? (1u << (num_places - i)) - 1 : 0xFFFF;
        const __m512i found = _mm512_mask_loadu_epi32(no_row, (__mmask16)there, rows + i);
        const __mmask16 in_tail = _mm512_movepi32_mask(found);
        const uint32_t firsts = _mm512_cmpneq_epi32_mask(found, no_row) & kFirsts, seconds = (in_tail & kFirsts) << 1;
        const __mmask16 wanted = (__mmask16)(firsts | seconds);
        const __m512i together = _mm512_maskz_compress_epi32(wanted, found);
        _mm512_storeu_si512(reads.rows + count, addresses(_mm512_castsi512_si256(together)));
        _mm512_storeu_si512(reads.rows + count + 8, addresses(_mm512_extracti64x4_epi64(together, 1)));
        if (WEIGHTED) {
            __m512 weights = _mm512_set1_ps(1.0f);
            if (const float* of_keys = c.bags->weights) {
                const __mmask16 keys = (__mmask16)_pext_u32(there, kFirsts);
                weights = _mm512_permutexvar_ps(twice, _mm512_maskz_loadu_ps(keys, of_keys + c.first + i / 2));
            }
            weights = _mm512_mask_mul_ps(weights, in_tail, weights, _mm512_set1_ps(c.tail_scale));
            _mm512_storeu_ps(reads.weights + count, _mm512_maskz_compress_ps(wanted, weights));
        }
        read.bits[i / 64] |= (uint64_t)wanted << (i & 63);
        count += (size_t)__builtin_popcount(wanted);
    }
    read.count();
    for (size_t b = c.first_bag; b < c.last_bag; ++b)
        reads.ends[b - c.first_bag] = read.in_front_of(2 * (c.end_of(b) - c.first));
    reads.count = count;
}

#else

// Every key writes both of its rows, and the next key writes over those that are not read.
template <size_t BYTES, bool WEIGHTED>
void list_reads(const Bases& bases, const Chunk& c, Reads& reads) {
    size_t count = 0, i = c.first;
    for (size_t b = c.first_bag; b < c.last_bag; ++b) {
        for (const size_t end = c.end_of(b); i < end; ++i) {
            const int32_t first = c.rows[2 * (i - c.first)], second = c.rows[2 * (i - c.first) + 1];
            const bool in_tail = first < 0;
            reads.rows[count] = (in_tail ? bases.tail : bases.head) + (size_t)(uint32_t)(in_tail ? ~first : first) * BYTES;
            reads.rows[count + 1] = bases.tail + (size_t)(uint32_t)~second * BYTES;
            if (WEIGHTED) {
                const float weight = c.bags->weights ? c.bags->weights[i] : 1.0f;
                reads.weights[count] = reads.weights[count + 1] = in_tail ? weight * c.tail_scale : weight;
            }
            count += (size_t)(first != kNoRow) + in_tail;
        }
        reads.ends[b - c.first_bag] = (uint32_t)count;
    }
    reads.count = count;
}

#endif

// Adds the rows of each bag, and asks for those of the next chunk meanwhile.
template <class E, int DIM, bool WEIGHTED>
HH_INLINE void add_reads(const Reads& now, const Reads& next, size_t num_bags, bool fresh, float* out) {
    constexpr int kParts = DIM / kLanes;
    typedef typename E::Type Type;
    const size_t num_next = next.count;
    const auto ask_next = [&](size_t j) HH_NO_CALL {
        if (j < num_next) ask_for<E, Ask::now>(next.rows[j], 0, DIM);
    };
    size_t j = 0;
    for (size_t b = 0; b < num_bags; ++b) {
        float* vector = out + b * DIM;
        Lane sum[kParts];
        HH_UNROLL for (int p = 0; p < kParts; ++p) sum[p] = fresh ? Lane{} : *(const Lane*)(vector + p * kLanes);
        for (const size_t end = now.ends[b]; j < end; ++j) {
            ask_next(j);
            const Type* row = (const Type*)now.rows[j];
            HH_UNROLL for (int p = 0; p < kParts; ++p) {
                const Lane part = E::load_lane(row + p * kLanes);
                sum[p] += WEIGHTED ? now.weights[j] * part : part;
            }
        }
        HH_UNROLL for (int p = 0; p < kParts; ++p) *(Lane*)(vector + p * kLanes) = sum[p];
    }
    for (; j < num_next; ++j) ask_next(j);
}

template <class E, int DIM, bool WEIGHTED>
void pool(const Encoder* e, const Table& t, const Bags& bags, const int64_t* keys, int32_t* rows, size_t first_bag,
          size_t last_bag, float* out) {
    const Bases bases{(const char*)t.head, (const char*)t.tail};
    const auto list = [&](Chunk& chunk, Reads& reads) {
        if (e) find_rows(*e, keys, rows, reads.found, chunk);
        list_reads<DIM * sizeof(typename E::Type), WEIGHTED>(bases, chunk, reads);
    };
    const auto add = [&](const Chunk& chunk, const Reads& now, const Reads& next) {
        const size_t num_bags = chunk.last_bag - chunk.first_bag;
        add_reads<E, DIM, WEIGHTED>(now, next, num_bags, chunk.fresh(), out + chunk.first_bag * DIM);
    };
    const float tail_scale = t.combine == Combine::mean ? 0.5f : 1.0f;
    for_each_chunk<Reads>(bags, 2, tail_scale, first_bag, last_bag, list, add);
    if (bags.mode == Mode::mean) divide_by_counts(bags, 2, first_bag, last_bag, DIM, out);
}

}  // namespace

void pool_pairs(const Encoder* e, const Table& t, const Bags& bags, const int64_t* keys, int32_t* rows,
                size_t first_bag, size_t last_bag, float* out) {
    const bool weighted = bags.weights || t.combine == Combine::mean;
    choose_element(t.element, [&]<class E>() {
        Dims::choose(t.dim, [&]<int DIM>() {
            if (weighted) pool<E, DIM, true>(e, t, bags, keys, rows, first_bag, last_bag, out);
            else pool<E, DIM, false>(e, t, bags, keys, rows, first_bag, last_bag, out);
        });
    });
}

}  // namespace hybridhash::HH_ISA
