#include "packed.hpp"

#include <cmath>
#include <cstring>

#include "bags.hpp"
#include "module.hpp"

namespace nb = nanobind;

namespace hybridhash {

namespace {

PackedSlab slab_of(const PackedRows& rows) {
    const auto& [codes, scales, bits, num_rows, width] = rows;
    require(RowBits::has(bits), "bits: expected 2, 3, 4, 8 or 32");
    require(width >= 1 && width <= 1 << 20, "width: expected 1 to 2**20 floats in a row");
    require(num_rows >= 0 && num_rows <= (int64_t)1 << 31, "num_rows: expected 0 to 2**31");
    const int64_t num_floats = num_rows * width, num_blocks = (num_floats + kScaleBlock - 1) / kScaleBlock;
    PackedSlab slab{};
    slab.codes = (const uint8_t*)codes.data();
    slab.bits = bits;
    slab.width = (int)width;
    slab.num_rows = (uint32_t)num_rows;
    if (bits == kFloatBits) {
        require(holds<float>(codes) && (int64_t)codes.size() == num_floats,
                "codes: expected a float32 per float where rows have 32 bits");
        require(scales.shape(0) == 0, "scales: expected none where rows have 32 bits");
        return slab;
    }
    require(codes.ndim() == 1 && holds<uint8_t>(codes), "codes: expected uint8, 1-D");
    require((int64_t)codes.size() == (num_floats ? (num_floats * bits + 7) / 8 + 7 : 0),
            "codes: expected a packed integer per float");
    require((int64_t)scales.shape(0) == (num_floats ? 4 + (num_blocks + 1) / 2 : 0),
            "scales: expected a float32 and half a byte per 16 floats");
    if (!num_floats) return slab;
    float top;
    std::memcpy(&top, scales.data(), sizeof top);
    slab.scales = scales.data() + sizeof top;
    // The last stays 0: a block of zeros.
    for (int scale = 0; scale < 15; ++scale) slab.steps[scale] = (float)std::exp2(-scale / 2.0) * top;
    return slab;
}

}  // namespace

PackedTable packed_table_of(const std::vector<PackedRows>& head, const PackedRows& tail, size_t num_hashes,
                            int combine) {
    require(combine >= 0 && combine <= 2, "combine: expected 0, 1 or 2");
    require(head.size() <= (size_t)kMaxDictionaries, "head: expected at most 8 slabs");
    require(num_hashes >= 1 && num_hashes <= (size_t)kMaxHashes, "rows: expected 1 to 16 hash functions");
    PackedTable table;
    table.tail = slab_of(tail);
    require(table.tail.num_rows >= 1, "tail: expected at least one row");
    table.num_hashes = (int)num_hashes;
    table.combine = (Combine)combine;
    table.dim = table.tail.width * (combine == (int)Combine::concat ? (int)num_hashes : 1);
    table.num_head = 0;
    uint64_t num_rows = 0;
    for (const PackedRows& rows : head) {
        const PackedSlab slab = slab_of(rows);
        require(slab.width == table.dim, "head: expected the width to which tail rows combine");
        num_rows += slab.num_rows;
        if (slab.num_rows) table.head[table.num_head++] = slab;
    }
    require(num_rows < (uint64_t)kNoRow, "head: expected fewer than 2**31 - 1 rows");
    return table;
}

uint64_t head_rows(const PackedTable& table) {
    uint64_t total = 0;
    for (int part = 0; part < table.num_head; ++part) total += table.head[part].num_rows;
    return total;
}

Encoder encoder_of(const Dictionaries& dictionaries, const PackedTable& table, const std::vector<uint64_t>& salts,
                   std::optional<int64_t> padding_key) {
    const Encoder encoder = encoder_of(dictionaries, table.tail.num_rows, salts, padding_key);
    require(encoder.num_head <= head_rows(table), "head: expected the rows that the dictionaries name");
    return encoder;
}

void check_output(const PackedTable& table, size_t num_bags, const OutputMatrix<float>& out) {
    require(out.shape(0) == num_bags && out.shape(1) == (size_t)table.dim, "out: expected a line per bag");
}

void check_rows(const PackedTable& table, const Matrix<int32_t>& rows, int num_threads) {
    const auto [least, greatest] = bounds(rows.data(), rows.shape(0), table.num_hashes, num_threads);
    require(greatest < (int64_t)head_rows(table) && -(int64_t)least <= (int64_t)table.tail.num_rows,
            "rows: expected rows that the table has");
}

void bind_packed(nb::module_& m) {
    m.def("packed_forward",
          [](std::vector<PackedRows> head, PackedRows tail, Matrix<int32_t> rows, Array<int64_t> offsets,
             std::optional<Array<float>> weights, int combine, int mode, OutputMatrix<float> out, int num_threads) {
              require(num_threads >= 1, kThreads);
              const PackedTable table = packed_table_of(head, tail, rows.shape(1), combine);
              const Bags bags = bags_of(rows.data(), rows.shape(0), offsets, weights, mode);
              check_output(table, offsets.shape(0) - 1, out);
              check_rows(table, rows, num_threads);
              nb::gil_scoped_release release;
              packed_forward(nullptr, table, bags, nullptr, nullptr, out.shape(0), out.data(), num_threads);
          },
          array("head"), array("tail"), array("rows"), array("offsets"), array("weights").none(), nb::arg("combine"),
          nb::arg("mode"), array("out"), nb::arg("num_threads"));

    m.def("packed_encode_and_pool",
          [](Array<int64_t> keys, Dictionaries dictionaries, std::vector<uint64_t> salts,
             std::optional<int64_t> padding_key, std::vector<PackedRows> head, PackedRows tail, Array<int64_t> offsets,
             std::optional<Array<float>> weights, int combine, int mode,
             std::optional<OutputMatrix<int32_t>> rows, OutputMatrix<float> out, int num_threads) {
              require(num_threads >= 1, kThreads);
              const PackedTable table = packed_table_of(head, tail, salts.size(), combine);
              const Encoder encoder = encoder_of(dictionaries, table, salts, padding_key);
              int32_t* const kept = rows_to_keep(rows, keys.shape(0), salts.size());
              const Bags bags = bags_of(kept, keys.shape(0), offsets, weights, mode);
              check_output(table, offsets.shape(0) - 1, out);
              nb::gil_scoped_release release;
              packed_forward(&encoder, table, bags, keys.data(), kept, out.shape(0), out.data(), num_threads);
          },
          array("keys"), array("dictionaries"), nb::arg("salts"), nb::arg("padding_key").none(), array("head"),
          array("tail"), array("offsets"), array("weights").none(), nb::arg("combine"), nb::arg("mode"),
          array("rows").none(), array("out"), nb::arg("num_threads"), "encode and packed_forward in one pass over the keys.");
}

}  // namespace hybridhash
