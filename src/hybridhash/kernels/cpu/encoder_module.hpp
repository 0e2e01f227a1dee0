// The Python door of keys to rows.
#pragma once

#include <nanobind/stl/optional.h>
#include <nanobind/stl/tuple.h>
#include <nanobind/stl/vector.h>

#include <optional>
#include <tuple>
#include <vector>

#include "arrays.hpp"
#include "isa.hpp"

namespace hybridhash {

// places, key_bits, codes, code_bits, num_rows; as kernels.reference.Dictionary.
using Dictionaries = std::vector<std::tuple<Memory, int, Array<uint8_t>, int, int64_t>>;

Encoder encoder_of(const Dictionaries& dictionaries, uint64_t num_buckets, const std::vector<uint64_t>& salts,
                   std::optional<int64_t> padding_key);

void bind_encoder(nanobind::module_& m);

}  // namespace hybridhash
