// The Python doors of the kernels. Shapes and dtypes are checked there, and the values of rows and offsets, so that a wrong
// call raises and never reads past an array.
#pragma once

#include <nanobind/nanobind.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/tuple.h>
#include <nanobind/stl/vector.h>

#include <cstdint>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "arrays.hpp"
#include "isa.hpp"
#include "packed.hpp"

namespace hybridhash {

void bind_bags(nanobind::module_& m);          // bags_module.cpp: rows to vectors, and gradients
void bind_dictionaries(nanobind::module_& m);  // dictionary_module.cpp: building what finds keys
void bind_encoder(nanobind::module_& m);       // encoder_module.cpp: keys to rows
void bind_hashing(nanobind::module_& m);       // hashing_module.cpp: values to keys
void bind_packed(nanobind::module_& m);        // packed_module.cpp: packed rows to vectors
void bind_rules(nanobind::module_& m);         // rules_module.cpp: steps of optimizers
void bind_table(nanobind::module_& m);         // table_module.cpp: a packed table that keeps its arrays
void bind_values(nanobind::module_& m);        // values_module.cpp: rows of data to keys

// Keys to rows.

// places, key_bits, codes, code_bits, num_rows; as kernels.reference.Dictionary.
using Dictionaries = std::vector<std::tuple<Memory, int, Array<uint8_t>, int, int64_t>>;

Encoder encoder_of(const Dictionaries& dictionaries, uint64_t num_buckets, const std::vector<uint64_t>& salts,
                   std::optional<int64_t> padding_key);

// Bags.

using FloatMatrix = nanobind::ndarray<nanobind::ndim<2>, nanobind::c_contig, nanobind::device::cpu>;  // of an Element

// Offsets rise from 0 to the keys, and there is a weight per key. The rows of keys have yet to be checked, or written.
Bags bags_of(const int32_t* rows, size_t num_keys, const Array<int64_t>& offsets,
             const std::optional<Array<float>>& weights, int mode);

// Where the rows of keys are to be written, a line per key; null if nobody wants them.
int32_t* rows_to_keep(const std::optional<OutputMatrix<int32_t>>& rows, size_t num_keys, size_t num_hashes);

struct Call {
    Table table;
    Bags bags;
    size_t num_bags, num_keys;
};

// What all calls on bags of rows share, checked: the tables fit each other and have the rows, offsets rise.
Call call_of(const FloatMatrix& head, const FloatMatrix& tail, const Matrix<int32_t>& rows,
             const Array<int64_t>& offsets, const std::optional<Array<float>>& weights, int combine, int mode,
             int num_threads);

void check_gradient(const Call& call, const Matrix<float>& grad, const std::optional<Matrix<int32_t>>& argmax);

// Packed rows.

// codes, scales, bits, num_rows, width; as kernels.reference.Slab.
using PackedRows = std::tuple<Memory, Array<uint8_t>, int, int64_t, int64_t>;

PackedTable packed_table_of(const std::vector<PackedRows>& head, const PackedRows& tail, size_t num_hashes,
                            int combine);

// The encoder of the table's keys.
Encoder encoder_of(const Dictionaries& dictionaries, const PackedTable& table, const std::vector<uint64_t>& salts,
                   std::optional<int64_t> padding_key);

void check_output(const PackedTable& table, size_t num_bags, const OutputMatrix<float>& out);

// That the table has the rows.
void check_rows(const PackedTable& table, const Matrix<int32_t>& rows, int num_threads);

}  // namespace hybridhash
