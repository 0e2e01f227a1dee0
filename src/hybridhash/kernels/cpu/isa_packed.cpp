// Packed rows to pooled vectors. The rows that a chunk of keys reads are listed by slab, and each list is added by a
// loop that knows its format: a branch on where a random key stands would be mispredicted.
#include <type_traits>

#include "isa_common.hpp"
#include "packed.hpp"

namespace hybridhash::HH_ISA {

namespace {

constexpr size_t kChunk = 512;  // keys, and bags, of a chunk
constexpr size_t kAhead = 24;   // rows between asking for one and reading it
constexpr int kMostBits = 8;

typedef uint32_t Ints __attribute__((vector_size(4 * kLanes)));
typedef int32_t SignedInts __attribute__((vector_size(4 * kLanes)));
typedef uint8_t Octets __attribute__((vector_size(kLanes), aligned(1), may_alias));

template <class T>
HH_INLINE T load(const uint8_t* p) {
    T word;
    std::memcpy(&word, p, sizeof word);
    return word;
}

HH_INLINE float step_of(const PackedSlab& s, size_t block) {
    return s.steps[s.scales[block >> 1] >> (4 * (block & 1)) & 15];
}

// Float i of a slab.
template <int BITS>
HH_INLINE float value(const PackedSlab& s, size_t i) {
    if constexpr (BITS == kFloatBits) {
        return load<float>(s.codes + 4 * i);
    } else {
        const size_t bit = i * BITS;
        const uint32_t code = load<uint16_t>(s.codes + (bit >> 3)) >> (bit & 7) & ((1u << BITS) - 1);
        return ((float)(int)code + (0.5f - (float)(1 << (BITS - 1)))) * step_of(s, i / kScaleBlock);
    }
}

// The codes of a block. Eight of them begin with a byte, and fit a word where they have fewer than eight bits. The
// instructions are named where there are any: compilers convert bytes one by one.
template <int BITS>
HH_INLINE SignedInts levels_of(const uint8_t* codes) {
#if defined(__AVX512F__)
    if constexpr (BITS == kMostBits) return (SignedInts)_mm512_cvtepu8_epi32(_mm_loadu_si128((const __m128i*)codes));
#elif defined(__AVX2__)
    if constexpr (BITS == kMostBits) {
        SignedInts levels;
        ((__m256i*)&levels)[0] = _mm256_cvtepu8_epi32(_mm_loadl_epi64((const __m128i*)codes));
        ((__m256i*)&levels)[1] = _mm256_cvtepu8_epi32(_mm_loadl_epi64((const __m128i*)(codes + 8)));
        return levels;
    }
#endif
    if constexpr (BITS == kMostBits) {
        return __builtin_convertvector(*(const Octets*)codes, SignedInts);
    } else {
        const uint32_t a = load<uint32_t>(codes), b = load<uint32_t>(codes + BITS);
        constexpr uint32_t B = BITS;
        const Ints shifts = {0, B, 2 * B, 3 * B, 4 * B, 5 * B, 6 * B, 7 * B,
                             0, B, 2 * B, 3 * B, 4 * B, 5 * B, 6 * B, 7 * B};
#if defined(__AVX512F__)
        const __m512i first = _mm512_set1_epi32((int)a);
        const Ints words = (Ints)_mm512_inserti64x4(first, _mm256_set1_epi32((int)b), 1);
#else
        const Ints words = {a, a, a, a, a, a, a, a, b, b, b, b, b, b, b, b};
#endif
        return (SignedInts)(words >> shifts & ((1u << BITS) - 1));
    }
}

// A whole block of sixteen floats, times a weight.
template <int BITS>
HH_INLINE Lane weighted_block(const PackedSlab& s, size_t block, float weight) {
    if constexpr (BITS == kFloatBits) {
        return weight * F32::load_lane((const float*)s.codes + block * kLanes);
    } else {
        constexpr float kOffset = 0.5f - (float)(1 << (BITS - 1));
        const uint8_t* codes = s.codes + block * (2 * BITS);
        const SignedInts levels = levels_of<BITS>(codes);
        return weight * step_of(s, block) * (__builtin_convertvector(levels, Lane) + kOffset);
    }
}

// Rows of one slab that the bags of a chunk read: those of bag b end at ends[b].
struct Listed {
    const uint32_t* rows;
    const float* weights;  // per row, or null for the same weight
    float weight;
    const uint32_t* ends;
    size_t num_bags;
    int per_key;           // rows that a key reads one after another
};

HH_INLINE void ask_for_row(const PackedSlab& s, size_t row, int width, int bits) {
    const size_t bit = row * (size_t)width * (size_t)bits;
    const uint8_t* p = s.codes + (bit >> 3);
    const uint8_t* end = p + ((size_t)width * (size_t)bits + 7) / 8;
    for (const uint8_t* line = p; line < end; line += 64) ask_for_line<Ask::now>(line);
    if (bits != kFloatBits) ask_for_line<Ask::now>(s.scales + (row * (size_t)width / (2 * kScaleBlock)));
}

// Adds the rows of each bag to its vector.
template <int DIM, int BITS>
void add_rows(const PackedSlab& s, const Listed& list, float* out) {
    constexpr int kParts = DIM / kLanes;
    size_t j = 0;
    const size_t count = list.num_bags ? list.ends[list.num_bags - 1] : 0;
    for (size_t b = 0; b < list.num_bags; ++b) {
        const size_t end = list.ends[b];
        if (j == end) continue;
        float* vector = out + b * DIM;
        Lane sum[kParts];
        HH_UNROLL for (int p = 0; p < kParts; ++p) sum[p] = *(const Lane*)(vector + p * kLanes);
        for (; j < end; ++j) {
            ask_for_row(s, list.rows[j + kAhead < count ? j + kAhead : j], DIM, BITS);
            const float weight = list.weights ? list.weights[j] : list.weight;
            const size_t block = (size_t)list.rows[j] * kParts;
            HH_UNROLL for (int p = 0; p < kParts; ++p) {
                sum[p] += weighted_block<BITS>(s, block + p, weight);
            }
        }
        HH_UNROLL for (int p = 0; p < kParts; ++p) *(Lane*)(vector + p * kLanes) = sum[p];
    }
}

template <int WIDTH>
struct Vectors {
    typedef float Floats __attribute__((vector_size(4 * WIDTH)));
    typedef uint32_t Words __attribute__((vector_size(4 * WIDTH)));
    typedef int32_t Levels __attribute__((vector_size(4 * WIDTH)));
};

// A row of 2, 4 or 8 floats, which lies in one block.
template <int WIDTH, int BITS>
HH_INLINE typename Vectors<WIDTH>::Floats small_row(const PackedSlab& s, size_t row) {
    typedef Vectors<WIDTH> V;
    typename V::Floats found;
    if constexpr (BITS == kFloatBits) {
        std::memcpy(&found, s.codes + row * WIDTH * 4, sizeof found);
    } else {
        const size_t bit = row * WIDTH * BITS;
        const uint64_t word = load<uint64_t>(s.codes + (bit >> 3)) >> (bit & 7);
        typename V::Words words, shifts;
        for (int i = 0; i < WIDTH; ++i) {
            words[i] = (uint32_t)(i * BITS < 32 ? word : word >> 32);
            shifts[i] = (uint32_t)(i * BITS & 31);
        }
        const auto levels = (typename V::Levels)(words >> shifts & ((1u << BITS) - 1));
        found = __builtin_convertvector(levels, typename V::Floats) + (0.5f - (float)(1 << (BITS - 1)));
        found *= step_of(s, row * WIDTH / kScaleBlock);
    }
    return found;
}

// H rows of a key, joined.
template <int DIM, int H, int BITS>
void add_chunks(const PackedSlab& s, const Listed& list, float* out) {
    constexpr int kWidth = DIM / H;
    size_t j = 0;
    const size_t count = list.num_bags ? list.ends[list.num_bags - 1] : 0;
    for (size_t b = 0; b < list.num_bags; ++b) {
        const size_t end = list.ends[b];
        if (j == end) continue;
        float* vector = out + b * DIM;
        if constexpr (kWidth < kLanes) {
            typedef typename Vectors<kWidth>::Floats Chunk;
            Chunk chunks[H];
            HH_UNROLL for (int h = 0; h < H; ++h) std::memcpy(&chunks[h], vector + h * kWidth, sizeof(Chunk));
            for (; j < end; j += H) {
                const float weight = list.weights ? list.weights[j] : list.weight;
                HH_UNROLL for (int h = 0; h < H; ++h) {
                    ask_for_row(s, list.rows[j + h + kAhead < count ? j + h + kAhead : j], kWidth, BITS);
                    chunks[h] += weight * small_row<kWidth, BITS>(s, list.rows[j + h]);
                }
            }
            HH_UNROLL for (int h = 0; h < H; ++h) std::memcpy(vector + h * kWidth, &chunks[h], sizeof(Chunk));
        } else {
            constexpr int kParts = kWidth / kLanes;
            for (; j < end; j += H) {
                const float weight = list.weights ? list.weights[j] : list.weight;
                for (int h = 0; h < H; ++h) {
                    ask_for_row(s, list.rows[j + h + kAhead < count ? j + h + kAhead : j], kWidth, BITS);
                    const size_t block = (size_t)list.rows[j + h] * kParts;
                    HH_UNROLL for (int p = 0; p < kParts; ++p) {
                        Lane* to = (Lane*)(vector + h * kWidth + p * kLanes);
                        *to += weighted_block<BITS>(s, block + p, weight);
                    }
                }
            }
        }
    }
}

// Rows of any width, one float after another; row h of a key goes to chunk h where they are joined.
template <int BITS>
void add_any(const PackedSlab& s, const Listed& list, int dim, float* out) {
    const int width = s.width;
    size_t j = 0;
    for (size_t b = 0; b < list.num_bags; ++b)
        for (size_t first = j; j < list.ends[b]; ++j) {
            const float weight = list.weights ? list.weights[j] : list.weight;
            float* vector = out + b * dim + (j - first) % (size_t)list.per_key * (size_t)(width == dim ? 0 : width);
            const size_t start = (size_t)list.rows[j] * (size_t)width;
            for (int i = 0; i < width; ++i) vector[i] += weight * value<BITS>(s, start + (size_t)i);
        }
}

template <int BITS>
void add_with_bits(const PackedSlab& s, const Listed& list, int dim, float* out) {
    const bool joined = s.width != dim;
    switch (dim > 128 ? 0 : joined ? list.per_key * 1000 + dim : dim) {
        case 16: return add_rows<16, BITS>(s, list, out);
        case 32: return add_rows<32, BITS>(s, list, out);
        case 64: return add_rows<64, BITS>(s, list, out);
        case 128: return add_rows<128, BITS>(s, list, out);
#define HH_JOINED(DIM) \
        case 2000 + DIM: return add_chunks<DIM, 2, BITS>(s, list, out); \
        case 4000 + DIM: return add_chunks<DIM, 4, BITS>(s, list, out); \
        case 8000 + DIM: return add_chunks<DIM, 8, BITS>(s, list, out);
        HH_JOINED(16)
        HH_JOINED(32)
        HH_JOINED(64)
        HH_JOINED(128)
#undef HH_JOINED
        default: return add_any<BITS>(s, list, dim, out);
    }
}

// Calls with the bits of a slab as a constant.
template <class F>
HH_INLINE auto with_bits(int bits, F f) {
    switch (bits) {
        case 1: return f(std::integral_constant<int, 1>());
        case 2: return f(std::integral_constant<int, 2>());
        case 3: return f(std::integral_constant<int, 3>());
        case 4: return f(std::integral_constant<int, 4>());
        case kMostBits: return f(std::integral_constant<int, kMostBits>());
        default: return f(std::integral_constant<int, kFloatBits>());
    }
}

void add(const PackedSlab& s, const Listed& list, int dim, float* out) {
    with_bits(s.bits, [&](auto bits) { add_with_bits<decltype(bits)::value>(s, list, dim, out); });
}

// The rows that a chunk of keys reads, by slab.
struct Lists {
    uint32_t head[kMaxDictionaries][kChunk + 1];
    float head_weights[kMaxDictionaries][kChunk + 1];
    uint32_t head_ends[kMaxDictionaries][kChunk];
    uint32_t tail[(kChunk + 1) * kMaxHashes];
    float tail_weights[(kChunk + 1) * kMaxHashes];
    uint32_t tail_ends[kChunk];
};

// Keys [first, last) of bags [first_bag, last_bag), at most kChunk of each. ONE: a head in one part.
template <bool ONE, bool WEIGHTED>
void list_rows(const PackedTable& t, const Bags& bags, size_t first_bag, size_t last_bag, size_t first, size_t last,
               Lists& lists) {
    const int num_hashes = t.num_hashes;
    const float tail_scale = t.combine == Combine::mean ? 1.0f / (float)num_hashes : 1.0f;
    size_t num_head[kMaxDictionaries] = {}, num_tail = 0, num_first = 0;
    size_t i = first;
    for (size_t b = first_bag; b < last_bag; ++b) {
        const size_t end = (size_t)bags.offsets[b + 1] < last ? (size_t)bags.offsets[b + 1] : last;
        for (; i < end; ++i) {
            const int32_t* rows = bags.rows + i * num_hashes;
            const bool in_head = rows[0] >= 0 && rows[0] != kNoRow;
            if (ONE) {
                lists.head[0][num_first] = (uint32_t)rows[0];
                if (WEIGHTED) lists.head_weights[0][num_first] = bags.weights[i];
                num_first += in_head;
            } else if (in_head) {
                uint32_t row = (uint32_t)rows[0];
                int part = 0;
                while (row >= t.head[part].num_rows) row -= t.head[part++].num_rows;
                lists.head[part][num_head[part]] = row;
                if (WEIGHTED) lists.head_weights[part][num_head[part]] = bags.weights[i];
                ++num_head[part];
            }
            for (int h = 0; h < num_hashes; ++h) {
                lists.tail[num_tail + h] = (uint32_t)~rows[h];
                if (WEIGHTED) lists.tail_weights[num_tail + h] = bags.weights[i] * tail_scale;
            }
            num_tail += rows[0] < 0 ? num_hashes : 0;
        }
        const size_t at = b - first_bag;
        if (ONE) lists.head_ends[0][at] = (uint32_t)num_first;
        else
            for (int part = 0; part < t.num_head; ++part) lists.head_ends[part][at] = (uint32_t)num_head[part];
        lists.tail_ends[at] = (uint32_t)num_tail;
    }
}

void pool_chunk(const PackedTable& t, const Bags& bags, size_t first_bag, size_t last_bag, size_t first, size_t last,
                float* out, Lists& lists) {
    const auto list = t.num_head == 1 ? (bags.weights ? list_rows<true, true> : list_rows<true, false>)
                                      : (bags.weights ? list_rows<false, true> : list_rows<false, false>);
    list(t, bags, first_bag, last_bag, first, last, lists);
    const size_t num_bags = last_bag - first_bag;
    float* vectors = out + first_bag * (size_t)t.dim;
    const float tail_scale = t.combine == Combine::mean ? 1.0f / (float)t.num_hashes : 1.0f;
    for (int part = 0; part < t.num_head; ++part)
        add(t.head[part],
            {lists.head[part], bags.weights ? lists.head_weights[part] : nullptr, 1.0f, lists.head_ends[part], num_bags, 1},
            t.dim, vectors);
    add(t.tail, {lists.tail, bags.weights ? lists.tail_weights : nullptr, tail_scale, lists.tail_ends, num_bags, t.num_hashes},
        t.dim, vectors);
}

float component(const PackedTable& t, const int32_t* rows, int j) {
    const auto of = [&](const PackedSlab& s, uint32_t row, int at) {
        const size_t i = (size_t)row * (size_t)s.width + (size_t)at;
        return with_bits(s.bits, [&](auto bits) { return value<decltype(bits)::value>(s, i); });
    };
    if (rows[0] >= 0) {
        uint32_t row = (uint32_t)rows[0];
        int part = 0;
        while (row >= t.head[part].num_rows) row -= t.head[part++].num_rows;
        return of(t.head[part], row, j);
    }
    if (t.combine == Combine::concat) {
        const int h = j / t.tail.width;
        return of(t.tail, (uint32_t)~rows[h], j - h * t.tail.width);
    }
    float sum = 0;
    for (int h = 0; h < t.num_hashes; ++h) sum += of(t.tail, (uint32_t)~rows[h], j);
    return t.combine == Combine::mean ? sum / (float)t.num_hashes : sum;
}

void take_maximum(const PackedTable& t, const Bags& bags, size_t bag, float* vector) {
    bool any = false;
    for (size_t i = (size_t)bags.offsets[bag]; i < (size_t)bags.offsets[bag + 1]; ++i) {
        const int32_t* rows = bags.rows + i * t.num_hashes;
        if (rows[0] == kNoRow) continue;
        for (int j = 0; j < t.dim; ++j) {
            const float found = component(t, rows, j);
            if (!any || found > vector[j]) vector[j] = found;
        }
        any = true;
    }
}

void divide_by_counts(const PackedTable& t, const Bags& bags, size_t first_bag, size_t last_bag, float* out) {
    for (size_t b = first_bag; b < last_bag; ++b) {
        size_t count = 0;
        for (size_t i = (size_t)bags.offsets[b]; i < (size_t)bags.offsets[b + 1]; ++i)
            count += bags.rows[i * t.num_hashes] != kNoRow;
        if (count < 2) continue;
        const float scale = 1.0f / (float)count;
        for (int j = 0; j < t.dim; ++j) out[b * t.dim + j] *= scale;
    }
}

}  // namespace

// A chunk is whole bags, or part of a long one, so that a bag gives the same bits whatever stands beside it.
void packed_forward(const Encoder* e, const PackedTable& t, const Bags& bags, const int64_t* keys, int32_t* rows,
                    size_t first_bag, size_t last_bag, float* out) {
    Lists lists;
    std::memset(out + first_bag * t.dim, 0, (last_bag - first_bag) * (size_t)t.dim * sizeof(float));
    for (size_t b = first_bag, end = b; b < last_bag; b = end) {
        const size_t begin = (size_t)bags.offsets[b];
        do ++end;
        while (end < last_bag && end - b < kChunk && (size_t)bags.offsets[end + 1] - begin <= kChunk);
        const size_t stop = (size_t)bags.offsets[end];
        for (size_t first = begin; first < stop; first += kChunk) {
            const size_t last = stop - first < kChunk ? stop : first + kChunk;
            if (e) encode(*e, keys + first, rows + first * t.num_hashes, last - first);
            if (bags.mode != Mode::max) pool_chunk(t, bags, b, end, first, last, out, lists);
        }
        if (bags.mode == Mode::max)
            for (size_t bag = b; bag < end; ++bag) take_maximum(t, bags, bag, out + bag * t.dim);
    }
    if (bags.mode == Mode::mean) divide_by_counts(t, bags, first_bag, last_bag, out);
}

}  // namespace hybridhash::HH_ISA
