#include "bags.hpp"
#include "module.hpp"

namespace nb = nanobind;

namespace hybridhash {

namespace {

// A packed table whose parts are read and checked once, so that a call costs what its keys cost.
class TableObject {
 public:
    TableObject(Dictionaries dictionaries, const std::vector<uint64_t>& salts, std::vector<PackedRows> head,
                PackedRows tail, int combine)
        : dictionaries_(std::move(dictionaries)),
          head_(std::move(head)),
          tail_(std::move(tail)),
          table_(packed_table_of(head_, tail_, salts.size(), combine)),
          encoder_(encoder_of(dictionaries_, table_, salts, std::nullopt)) {}

    int dim() const { return table_.dim; }

    void rows(Array<int64_t> keys, std::optional<int64_t> padding_key, OutputMatrix<int32_t> out,
              int num_threads) const {
        require(num_threads >= 1, kThreads);
        require(out.shape(0) == keys.shape(0) && out.shape(1) == (size_t)encoder_.num_hashes,
                "out: expected a line per key and a column per hash function");
        const Encoder encoder = with_padding(padding_key);
        nb::gil_scoped_release release;
        encode(encoder, keys.data(), out.data(), keys.shape(0), num_threads);
    }

    void pool(Array<int64_t> keys, std::optional<int64_t> padding_key, Array<int64_t> offsets,
              std::optional<Array<float>> weights, int mode, OutputMatrix<float> out, int num_threads) const {
        require(num_threads >= 1, kThreads);
        const Bags bags = bags_of(nullptr, keys.shape(0), offsets, weights, mode);
        check_output(table_, offsets.shape(0) - 1, out);
        const Encoder encoder = with_padding(padding_key);
        nb::gil_scoped_release release;
        packed_forward(&encoder, table_, bags, keys.data(), nullptr, out.shape(0), out.data(), num_threads);
    }

    void pool_rows(Matrix<int32_t> rows, Array<int64_t> offsets, std::optional<Array<float>> weights, int mode,
                   OutputMatrix<float> out, int num_threads) const {
        require(num_threads >= 1, kThreads);
        require(rows.shape(1) == (size_t)table_.num_hashes, "rows: expected a column per hash function");
        const Bags bags = bags_of(rows.data(), rows.shape(0), offsets, weights, mode);
        check_output(table_, offsets.shape(0) - 1, out);
        check_rows(table_, rows, num_threads);
        nb::gil_scoped_release release;
        packed_forward(nullptr, table_, bags, nullptr, nullptr, out.shape(0), out.data(), num_threads);
    }

    void vectors(Array<int64_t> keys, std::optional<int64_t> padding_key, OutputMatrix<float> out,
                 int num_threads) const {
        require(num_threads >= 1, kThreads);
        require(out.shape(0) == keys.shape(0) && out.shape(1) == (size_t)table_.dim, "out: expected a line per key");
        const Encoder encoder = with_padding(padding_key);
        nb::gil_scoped_release release;
        packed_vectors(encoder, table_, keys.data(), keys.shape(0), out.data(), num_threads);
    }

 private:
    Encoder with_padding(std::optional<int64_t> key) const {
        Encoder encoder = encoder_;
        encoder.has_padding = key.has_value();
        encoder.padding_key = key.value_or(0);
        return encoder;
    }

    // The arrays, which live as long as the table.
    Dictionaries dictionaries_;
    std::vector<PackedRows> head_;
    PackedRows tail_;
    PackedTable table_;
    Encoder encoder_;
};

}  // namespace

void bind_table(nb::module_& m) {
    nb::class_<TableObject>(m, "Table",
                            "A packed table on arrays that it keeps: read and checked once, and not to be changed after.")
        .def(nb::init<Dictionaries, std::vector<uint64_t>, std::vector<PackedRows>, PackedRows, int>(),
             array("dictionaries"), nb::arg("salts"), array("head"), array("tail"), nb::arg("combine"))
        .def_prop_ro("dim", &TableObject::dim, "Floats in a vector.")
        .def("rows", &TableObject::rows, array("keys"), nb::arg("padding_key").none(), array("out"),
             nb::arg("num_threads"), "The rows of each key, as encode writes them.")
        .def("pool", &TableObject::pool, array("keys"), nb::arg("padding_key").none(), array("offsets"),
             array("weights").none(), nb::arg("mode"), array("out"), nb::arg("num_threads"),
             "The pooled vector of each bag of keys.")
        .def("pool_rows", &TableObject::pool_rows, array("rows"), array("offsets"), array("weights").none(),
             nb::arg("mode"), array("out"), nb::arg("num_threads"), "The same of rows that are known.")
        .def("vectors", &TableObject::vectors, array("keys"), nb::arg("padding_key").none(), array("out"),
             nb::arg("num_threads"), "The vector of each key; zeros for a padding key.");
}

}  // namespace hybridhash
