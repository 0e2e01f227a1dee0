#include "bags.hpp"

#include "module.hpp"

namespace nb = nanobind;

namespace hybridhash {

Bags bags_of(const int32_t* rows, size_t num_keys, const Array<int64_t>& offsets,
             const std::optional<Array<float>>& weights, int mode) {
    require(mode >= 0 && mode <= 2, "mode: expected 0, 1 or 2");
    require(offsets.shape(0) >= 1, "offsets: expected at least one");
    const size_t num_bags = offsets.shape(0) - 1;
    require(num_keys < (size_t)1 << kKeyBits && num_bags < (size_t)kNoRow,
            "keys: expected fewer than 2**28 keys and 2**31 bags in a call");
    const int64_t* offset = offsets.data();
    require(offset[0] == 0 && offset[num_bags] == (int64_t)num_keys,
            "offsets: expected to go from 0 to the number of keys");
    bool rising = true;
    for (size_t b = 0; b < num_bags; ++b) rising &= offset[b] <= offset[b + 1];
    require(rising, "offsets: expected to rise");
    if (weights) require(weights->shape(0) == num_keys, "weights: expected one per key");
    require(!weights || mode == (int)Mode::sum, "weights: expected mode sum");
    return {rows, offset, weights ? weights->data() : nullptr, (Mode)mode};
}

int32_t* rows_to_keep(const std::optional<OutputMatrix<int32_t>>& rows, size_t num_keys, size_t num_hashes) {
    if (!rows) return nullptr;
    require(rows->shape(0) == num_keys && rows->shape(1) == num_hashes,
            "rows: expected a line per key and a column per hash function");
    return rows->data();
}

namespace {

Element element_of(const FloatMatrix& rows) {
    const nb::dlpack::dtype type = rows.dtype();
    if (type.lanes == 1 && type.code == (uint8_t)nb::dlpack::dtype_code::Float && type.bits == 32) return Element::f32;
    if (type.lanes == 1 && type.code == (uint8_t)nb::dlpack::dtype_code::Float && type.bits == 16) return Element::f16;
    if (type.lanes == 1 && type.code == (uint8_t)nb::dlpack::dtype_code::Bfloat && type.bits == 16)
        return Element::bf16;
    throw nb::type_error("rows: expected float32, bfloat16 or float16");
}

// A call whose rows of keys have yet to be checked, or written.
Call unchecked_call_of(const FloatMatrix& head, const FloatMatrix& tail, const int32_t* rows, size_t num_keys, size_t num_hashes,
                       const Array<int64_t>& offsets, const std::optional<Array<float>>& weights, int combine,
                       int mode) {
    require(combine >= 0 && combine <= 2, "combine: expected 0, 1 or 2");
    Call call;
    Table& table = call.table;
    table.head = head.data();
    table.tail = tail.data();
    table.element = element_of(tail);
    require(element_of(head) == table.element, "head: expected the dtype of tail");
    table.dim = (int)head.shape(1);
    table.bucket_dim = (int)tail.shape(1);
    table.num_hashes = (int)num_hashes;
    table.combine = (Combine)combine;
    require(head.shape(1) <= 1 << 20, "head: expected at most 2**20 floats in a row");
    require(table.num_hashes >= 1 && table.num_hashes <= kMaxHashes, "rows: expected 1 to 16 hash functions");
    require(tail.shape(1) * (combine == (int)Combine::concat ? num_hashes : 1) == head.shape(1),
            "tail: expected rows that combine to the width of head");
    require(tail.shape(0) >= 1 && tail.shape(1) >= 1, "tail: expected at least one row of one float");
    call.bags = bags_of(rows, num_keys, offsets, weights, mode);
    call.num_bags = offsets.shape(0) - 1;
    call.num_keys = num_keys;
    return call;
}

void check_output(const Call& call, const OutputMatrix<float>& out,
                  const std::optional<OutputMatrix<int32_t>>& argmax) {
    require(out.shape(0) == call.num_bags && out.shape(1) == (size_t)call.table.dim, "out: expected a line per bag");
    require((call.bags.mode == Mode::max) == argmax.has_value(), "argmax: expected with mode max only");
    if (argmax)
        require(argmax->shape(0) == out.shape(0) && argmax->shape(1) == out.shape(1),
                "argmax: expected the shape of out");
}

}  // namespace

Call call_of(const FloatMatrix& head, const FloatMatrix& tail, const Matrix<int32_t>& rows, const Array<int64_t>& offsets,
             const std::optional<Array<float>>& weights, int combine, int mode, int num_threads) {
    require(num_threads >= 1, kThreads);
    const Call call =
        unchecked_call_of(head, tail, rows.data(), rows.shape(0), rows.shape(1), offsets, weights, combine, mode);
    // A head row is >= 0 and below num_head; a tail row r is kept as ~r, so all are at or above ~(num_tail - 1).
    const int64_t num_head = (int64_t)head.shape(0), num_tail = (int64_t)tail.shape(0);
    const auto [least, greatest] = bounds(rows.data(), call.num_keys, call.table.num_hashes, num_threads);
    require(greatest < num_head && -(int64_t)least <= num_tail, "rows: expected rows that the table has");
    return call;
}

void check_gradient(const Call& call, const Matrix<float>& grad, const std::optional<Matrix<int32_t>>& argmax) {
    require(grad.shape(0) == call.num_bags && grad.shape(1) == (size_t)call.table.dim,
            "grad: expected the shape of the output");
    require((call.bags.mode == Mode::max) == argmax.has_value(), "argmax: expected with mode max only");
    if (argmax)
        require(argmax->shape(0) == grad.shape(0) && argmax->shape(1) == grad.shape(1),
                "argmax: expected the shape of the output");
}

void bind_bags(nb::module_& m) {
    m.def("forward",
          [](FloatMatrix head, FloatMatrix tail, Matrix<int32_t> rows, Array<int64_t> offsets, std::optional<Array<float>> weights,
             int combine, int mode, OutputMatrix<float> out, std::optional<OutputMatrix<int32_t>> argmax,
             int num_threads) {
              const Call call = call_of(head, tail, rows, offsets, weights, combine, mode, num_threads);
              check_output(call, out, argmax);
              nb::gil_scoped_release release;
              forward(call.table, call.bags, call.num_bags, out.data(), argmax ? argmax->data() : nullptr,
                      num_threads);
          },
          array("head"), array("tail"), array("rows"), array("offsets"), array("weights").none(),
          nb::arg("combine"), nb::arg("mode"), array("out"), array("argmax").none(), nb::arg("num_threads"));

    m.def("encode_and_pool",
          [](Array<int64_t> keys, Dictionaries dictionaries, std::vector<uint64_t> salts,
             std::optional<int64_t> padding_key, FloatMatrix head, FloatMatrix tail, Array<int64_t> offsets,
             std::optional<Array<float>> weights, int combine, int mode,
             std::optional<OutputMatrix<int32_t>> rows, OutputMatrix<float> out,
             std::optional<OutputMatrix<int32_t>> argmax, int num_threads) {
              require(num_threads >= 1, kThreads);
              const Encoder encoder = encoder_of(dictionaries, tail.shape(0), salts, padding_key);
              require(encoder.num_head <= head.shape(0), "head: expected the rows that the dictionaries name");
              int32_t* const kept = rows_to_keep(rows, keys.shape(0), salts.size());
              const Call call = unchecked_call_of(head, tail, kept, keys.shape(0), salts.size(), offsets, weights,
                                                  combine, mode);
              check_output(call, out, argmax);
              nb::gil_scoped_release release;
              encode_and_pool(encoder, call.table, call.bags, keys.data(), kept, call.num_bags, out.data(),
                              argmax ? argmax->data() : nullptr, num_threads);
          },
          array("keys"), array("dictionaries"), nb::arg("salts"), nb::arg("padding_key").none(), array("head"),
          array("tail"), array("offsets"), array("weights").none(), nb::arg("combine"), nb::arg("mode"),
          array("rows").none(), array("out"), array("argmax").none(), nb::arg("num_threads"),
          "encode and forward in one pass over the keys.");

    m.def("weight_gradient",
          [](FloatMatrix head, FloatMatrix tail, Matrix<int32_t> rows, Array<int64_t> offsets, int combine, Matrix<float> grad,
             Output<float> out, int num_threads) {
              const Call call = call_of(head, tail, rows, offsets, std::nullopt, combine, (int)Mode::sum, num_threads);
              require(grad.shape(0) == call.num_bags && grad.shape(1) == head.shape(1),
                      "grad: expected the shape of the output");
              require(out.shape(0) == call.num_keys, "out: expected one per key");
              nb::gil_scoped_release release;
              weight_gradient(call.table, call.bags, call.num_bags, grad.data(), out.data(), num_threads);
          },
          array("head"), array("tail"), array("rows"), array("offsets"), nb::arg("combine"), array("grad"),
          array("out"), nb::arg("num_threads"));

    m.def("gradients",
          [](FloatMatrix head, FloatMatrix tail, Matrix<int32_t> rows, Array<int64_t> offsets, std::optional<Array<float>> weights,
             int combine, int mode, Matrix<float> grad, std::optional<Matrix<int32_t>> argmax, int num_threads) {
              const Call call = call_of(head, tail, rows, offsets, weights, combine, mode, num_threads);
              check_gradient(call, grad, argmax);
              struct Sums {
                  std::vector<int64_t> rows;
                  std::vector<float> values;
              };
              Sums* sums[2] = {new Sums, new Sums};
              {
                  nb::gil_scoped_release release;
                  const Shards shards(call.table, call.bags, call.num_bags, head.shape(0), tail.shape(0), grad.data(),
                                      argmax ? argmax->data() : nullptr, num_threads);
                  for (int part = 0; part < 2; ++part) shards.collect(part == 0, sums[part]->rows, sums[part]->values);
              }
              const auto handed_over = [](Sums* found, size_t width) {
                  nb::capsule owner(found, [](void* p) noexcept { delete (Sums*)p; });
                  const size_t count = found->rows.size();
                  return nb::make_tuple(
                      nb::ndarray<nb::numpy, int64_t>(found->rows.data(), {count}, owner),
                      nb::ndarray<nb::numpy, float>(found->values.data(), {count, width}, owner));
              };
              return nb::make_tuple(handed_over(sums[0], head.shape(1)), handed_over(sums[1], tail.shape(1)));
          },
          array("head"), array("tail"), array("rows"), array("offsets"), array("weights").none(),
          nb::arg("combine"), nb::arg("mode"), array("grad"), array("argmax").none(), nb::arg("num_threads"),
          "Per slab the rows that have a gradient, rising, and their gradients.");
}

}  // namespace hybridhash
