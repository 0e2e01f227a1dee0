// The operators over all rows of a call, cut into tasks for the threads.
#pragma once

#include <utility>
#include <vector>

#include "buffer.hpp"
#include "isa.hpp"

namespace hybridhash {

void hash_integers(const int64_t* values, int64_t* keys, size_t count, uint64_t salt, int num_threads);
void encode(const Encoder& encoder, const int64_t* keys, int32_t* rows, size_t count, int num_threads);
void forward(const Table& table, const Bags& bags, size_t num_bags, float* out, int32_t* argmax, int num_threads);
// encode and forward at once; rows are written where they are not null.
void encode_and_pool(const Encoder& encoder, const Table& table, const Bags& bags, const int64_t* keys, int32_t* rows,
                     size_t num_bags, float* out, int32_t* argmax, int num_threads);
// The same on packed rows; without an encoder, the rows are there.
void packed_forward(const Encoder* encoder, const PackedTable& table, const Bags& bags, const int64_t* keys,
                    int32_t* rows, size_t num_bags, float* out, int num_threads);
// The vector of each key.
void packed_vectors(const Encoder& encoder, const PackedTable& table, const int64_t* keys, size_t count, float* out,
                    int num_threads);
// The least and greatest row, as Kernels::bounds.
std::pair<int32_t, int32_t> bounds(const int32_t* rows, size_t num_keys, int num_hashes, int num_threads);
void weight_gradient(const Table& table, const Bags& bags, size_t num_bags, const float* grad, float* out,
                     int num_threads);

// A step of plain SGD on float rows.
void descend(const Table& table, const Bags& bags, size_t num_bags, const float* grad, float learning_rate,
             int num_threads);

// The gradients of one batch, sorted into shards: each shard is a range of rows of the head or of the tail, and its
// entries stand in the order of the keys. Shards do not depend on the number of threads.
class Shards {
 public:
    Shards(const Table& table, const Bags& bags, size_t num_bags, size_t num_head, size_t num_tail,
           const float* grad, const int32_t* argmax, int num_threads);

    void apply(const Slab& head, const Slab& tail, Element element, const Update& update) const;

    // The rows that have a gradient, rising, and the sums of their gradients.
    void collect(bool head, std::vector<int64_t>& rows, std::vector<float>& sums) const;

 private:
    size_t first_shard(bool head) const { return head ? 0 : num_head_shards_; }
    size_t last_shard(bool head) const { return head ? num_head_shards_ : num_head_shards_ + num_tail_shards_; }
    size_t largest() const;

    Gradient gradient_;
    int width_of_tail_;
    int num_threads_;
    size_t num_head_shards_ = 0, num_tail_shards_ = 0;
    const Entry* entries_ = nullptr;  // in buffers of the calling thread, until its next call
    const size_t* starts_ = nullptr;
};

}  // namespace hybridhash
