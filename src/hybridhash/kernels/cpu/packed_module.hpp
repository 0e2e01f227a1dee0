// Packed rows as Python hands them over, and the Python door of bags of them.
#pragma once

#include "encoder_module.hpp"
#include "packed.hpp"

namespace hybridhash {

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

void bind_packed(nanobind::module_& m);

}  // namespace hybridhash
