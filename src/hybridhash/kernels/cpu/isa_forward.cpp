// Rows to pooled vectors.
#include "isa_common.hpp"

namespace hybridhash::HH_ISA {

namespace {

constexpr size_t kAhead = 16;     // keys between asking for a row and reading it
constexpr size_t kFarAhead = 64;  // and between asking for it from memory and from the second cache
constexpr size_t kEncoded = 256;  // keys that are encoded before those in front of them are read

template <class E, Ask A, int H = 0, int DIM = 0>
HH_INLINE void ask_for_key(const Table& t, const int32_t* rows) {
    const int num_hashes = H ? H : t.num_hashes, dim = DIM ? DIM : t.dim;
    const int width = H && DIM ? (DIM + H - 1) / H : t.bucket_dim;
    if (rows[0] == kNoRow) return;
    if (rows[0] >= 0) return ask_for<E, A>(t.head, (size_t)rows[0], dim);
    for (int h = 0; h < num_hashes; ++h) ask_for<E, A>(t.tail, (size_t)(uint32_t)~rows[h], width);
}

// Asks for the rows of keys in front of key i, as far as they are known: twice, far ahead and near.
template <class E, int H = 0, int DIM = 0>
HH_INLINE void ask_ahead(const Table& t, const Bags& bags, size_t i, size_t known) {
    const size_t num_hashes = (size_t)(H ? H : t.num_hashes);
    if (i + kFarAhead < known) ask_for_key<E, Ask::later, H, DIM>(t, bags.rows + (i + kFarAhead) * num_hashes);
    if (i + kAhead < known) ask_for_key<E, Ask::now, H, DIM>(t, bags.rows + (i + kAhead) * num_hashes);
}

HH_INLINE float bag_scale(const Bags& bags, int num_hashes, size_t first, size_t last) {
    if (bags.mode != Mode::mean || first == last) return 1.0f;
    size_t count = 0;
    for (size_t i = first; i < last; ++i) count += bags.rows[i * num_hashes] != kNoRow;
    return count ? 1.0f / (float)count : 1.0f;
}

// DIM floats of a vector in registers, for the dims that have them.
template <class E, int DIM>
void pool_in_registers(const Table& t, const Bags& bags, size_t first_bag, size_t last_bag, size_t known, float* out) {
    constexpr int kParts = DIM / kLanes;
    typedef typename E::Type Type;
    const Type* head = (const Type*)t.head;
    const Type* tail = (const Type*)t.tail;
    const int num_hashes = t.num_hashes;
    const float hash_scale = t.combine == Combine::mean ? 1.0f / (float)num_hashes : 1.0f;
    for (size_t b = first_bag; b < last_bag; ++b) {
        const size_t first = (size_t)bags.offsets[b], last = (size_t)bags.offsets[b + 1];
        Lane sum[kParts];
        HH_UNROLL for (int p = 0; p < kParts; ++p) sum[p] = Lane{};
        for (size_t i = first; i < last; ++i) {
            ask_ahead<E>(t, bags, i, known);
            const int32_t* rows = bags.rows + i * num_hashes;
            if (rows[0] == kNoRow) continue;
            const float weight = bags.weights ? bags.weights[i] : 1.0f;
            if (rows[0] >= 0) {
                const Type* row = head + (size_t)rows[0] * DIM;
                HH_UNROLL for (int p = 0; p < kParts; ++p) sum[p] += weight * E::load_lane(row + p * kLanes);
            } else {
                const float scale = weight * hash_scale;
                for (int h = 0; h < num_hashes; ++h) {
                    const Type* row = tail + (size_t)(uint32_t)~rows[h] * DIM;
                    HH_UNROLL for (int p = 0; p < kParts; ++p) sum[p] += scale * E::load_lane(row + p * kLanes);
                }
            }
        }
        const float scale = bag_scale(bags, num_hashes, first, last);
        HH_UNROLL for (int p = 0; p < kParts; ++p) *(Lane*)(out + b * DIM + p * kLanes) = scale * sum[p];
    }
}

// One row, which is the head's or the tail's by sign alone: no branch, which a random key would mispredict.
template <class E, int DIM>
void pool_single(const Table& t, const Bags& bags, size_t first_bag, size_t last_bag, size_t known, float* out) {
    constexpr int kParts = DIM / kLanes;
    typedef typename E::Type Type;
    alignas(64) static const Type zeros[DIM] = {};
    const Type* head = (const Type*)t.head;
    const Type* tail = (const Type*)t.tail;
    const auto row_of = [&](int32_t code) {
        const Type* row = (code < 0 ? tail : head) + (size_t)(uint32_t)(code < 0 ? ~code : code) * DIM;
        return code == kNoRow ? zeros : row;
    };
    for (size_t b = first_bag; b < last_bag; ++b) {
        const size_t first = (size_t)bags.offsets[b], last = (size_t)bags.offsets[b + 1];
        Lane sum[kParts];
        HH_UNROLL for (int p = 0; p < kParts; ++p) sum[p] = Lane{};
        for (size_t i = first; i < last; ++i) {
            ask_for<E, Ask::later>(row_of(bags.rows[i + kFarAhead < known ? i + kFarAhead : i]), 0, DIM);
            ask_for<E, Ask::now>(row_of(bags.rows[i + kAhead < known ? i + kAhead : i]), 0, DIM);
            const Type* row = row_of(bags.rows[i]);
            const float weight = bags.rows[i] == kNoRow ? 0.0f : bags.weights ? bags.weights[i] : 1.0f;
            HH_UNROLL for (int p = 0; p < kParts; ++p) sum[p] += weight * E::load_lane(row + p * kLanes);
        }
        const float scale = bag_scale(bags, 1, first, last);
        HH_UNROLL for (int p = 0; p < kParts; ++p) *(Lane*)(out + b * DIM + p * kLanes) = scale * sum[p];
    }
}

// H chunks joined, each in a register of its own, where no key is in the head.
template <class E, int DIM, int H>
void pool_chunks(const Table& t, const Bags& bags, size_t first_bag, size_t last_bag, size_t known, float* out) {
    constexpr int kWidth = DIM / H;
    typedef typename E::Type Type;
    typedef typename Floats<kWidth>::Vector Chunk;
    const Type* tail = (const Type*)t.tail;
    for (size_t b = first_bag; b < last_bag; ++b) {
        const size_t first = (size_t)bags.offsets[b], last = (size_t)bags.offsets[b + 1];
        Chunk chunks[H];
        HH_UNROLL for (int h = 0; h < H; ++h) chunks[h] = Chunk{};
        for (size_t i = first; i < last; ++i) {
            ask_ahead<E, H, DIM>(t, bags, i, known);
            const int32_t* rows = bags.rows + i * H;
            if (rows[0] == kNoRow) continue;
            const float weight = bags.weights ? bags.weights[i] : 1.0f;
            HH_UNROLL for (int h = 0; h < H; ++h) {
                const Type* row = tail + (size_t)(uint32_t)~rows[h] * kWidth;
                Chunk chunk{};
                for (int j = 0; j < kWidth; ++j) chunk[j] = E::load(row + j);
                chunks[h] += weight * chunk;
            }
        }
        const float scale = bag_scale(bags, H, first, last);
        HH_UNROLL for (int h = 0; h < H; ++h) {
            chunks[h] *= scale;
            std::memcpy(out + b * DIM + h * kWidth, &chunks[h], sizeof chunks[h]);
        }
    }
}

// Any dim.
template <class E>
void pool_in_memory(const Table& t, const Bags& bags, size_t first_bag, size_t last_bag, size_t known, float* out) {
    typedef typename E::Type Type;
    const Type* head = (const Type*)t.head;
    const Type* tail = (const Type*)t.tail;
    const int num_hashes = t.num_hashes, width = t.bucket_dim, dim = t.dim;
    const float hash_scale = t.combine == Combine::mean ? 1.0f / (float)num_hashes : 1.0f;
    const int step = t.combine == Combine::concat ? width : 0;
    for (size_t b = first_bag; b < last_bag; ++b) {
        const size_t first = (size_t)bags.offsets[b], last = (size_t)bags.offsets[b + 1];
        float* vector = out + b * dim;
        std::memset(vector, 0, (size_t)dim * sizeof(float));
        for (size_t i = first; i < last; ++i) {
            ask_ahead<E>(t, bags, i, known);
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

template <class E, int DIM>
void forward_dim(const Table& t, const Bags& bags, size_t first, size_t last, size_t known, float* out) {
    if (t.num_hashes == 1) return pool_single<E, DIM>(t, bags, first, last, known, out);
    if (t.combine != Combine::concat) return pool_in_registers<E, DIM>(t, bags, first, last, known, out);
    if (!Joins::has(t.num_hashes)) return pool_in_memory<E>(t, bags, first, last, known, out);
    Joins::choose(t.num_hashes, [&]<int H>() { pool_chunks<E, DIM, H>(t, bags, first, last, known, out); });
}

// Bags [first, last), when the rows of keys before `known` are.
template <class E>
void forward_of(const Table& t, const Bags& bags, size_t first, size_t last, size_t known, float* out,
                int32_t* argmax) {
    if (bags.mode == Mode::max) return pool_maximum<E>(t, bags, first, last, out, argmax);
    if (!Dims::has(t.dim)) return pool_in_memory<E>(t, bags, first, last, known, out);
    Dims::choose(t.dim, [&]<int DIM>() { forward_dim<E, DIM>(t, bags, first, last, known, out); });
}

void forward_any(const Table& t, const Bags& bags, size_t first, size_t last, size_t known, float* out,
                 int32_t* argmax) {
    choose_element(t.element, [&]<class E>() { forward_of<E>(t, bags, first, last, known, out, argmax); });
}

void pool_from_lists(const Encoder* e, const Table& t, const Bags& bags, const int64_t* keys, int32_t* rows,
                     size_t first_bag, size_t last_bag, float* out) {
    const auto pool = t.combine == Combine::concat ? pool_joined : pool_pairs;
    pool(e, t, bags, keys, rows, first_bag, last_bag, out);
}

}  // namespace

void forward(const Table& t, const Bags& bags, size_t first, size_t last, float* out, int32_t* argmax) {
    if (pools_from_lists(t, bags, nullptr)) return pool_from_lists(nullptr, t, bags, nullptr, nullptr, first, last, out);
    forward_any(t, bags, first, last, (size_t)bags.offsets[last], out, argmax);
}

// Keys are encoded a block ahead of the bags that are pooled, so that their rows can be asked for in time.
void encode_and_pool(const Encoder& e, const Table& t, const Bags& bags, const int64_t* keys, int32_t* rows,
                     size_t first_bag, size_t last_bag, float* out, int32_t* argmax) {
    if (pools_from_lists(t, bags, &e)) return pool_from_lists(&e, t, bags, keys, rows, first_bag, last_bag, out);
    const size_t last_key = (size_t)bags.offsets[last_bag];
    size_t known = (size_t)bags.offsets[first_bag];
    for (size_t b = first_bag, end = b; b < last_bag; b = end) {
        const size_t begin = (size_t)bags.offsets[b];
        do ++end;
        while (end < last_bag && (size_t)bags.offsets[end] - begin < kEncoded);
        size_t wanted = (size_t)bags.offsets[end] + kEncoded;
        if (wanted > last_key) wanted = last_key;
        if (wanted > known) {
            encode(e, keys + known, rows + known * t.num_hashes, wanted - known);
            known = wanted;
        }
        forward_any(t, bags, b, end, known, out, argmax);
    }
}

namespace {

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

}  // namespace

void weight_gradient(const Table& t, const Bags& bags, size_t first, size_t last, const float* grad, float* out) {
    choose_element(t.element, [&]<class E>() { weight_gradient_of<E>(t, bags, first, last, grad, out); });
}

}  // namespace hybridhash::HH_ISA
