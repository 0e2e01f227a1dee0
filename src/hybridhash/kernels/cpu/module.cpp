// The Python door of the CPU kernels. Shapes and dtypes are checked here, so that a wrong call raises and never
// reads past an array; values of rows and offsets are checked by the callers in Python or here where cheap.
#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <optional>
#include <stdexcept>
#include <string>

#include "arrays.hpp"
#include "bags.hpp"
#include "bags_module.hpp"
#include "dictionary.hpp"
#include "encoder_module.hpp"
#include "hashing_module.hpp"
#include "packed_module.hpp"
#include "pages.hpp"
#include "pool.hpp"
#include "ribbon.hpp"
#include "table_module.hpp"
#include "values_module.hpp"

namespace nb = nanobind;
using namespace hybridhash;

namespace {

using Rows = nb::ndarray<nb::ndim<2>, nb::c_contig, nb::device::cpu>;  // float32, bfloat16 or float16

Element element_of(const Rows& rows) {
    const nb::dlpack::dtype type = rows.dtype();
    if (type.lanes == 1 && type.code == (uint8_t)nb::dlpack::dtype_code::Float && type.bits == 32) return Element::f32;
    if (type.lanes == 1 && type.code == (uint8_t)nb::dlpack::dtype_code::Float && type.bits == 16) return Element::f16;
    if (type.lanes == 1 && type.code == (uint8_t)nb::dlpack::dtype_code::Bfloat && type.bits == 16)
        return Element::bf16;
    throw nb::type_error("rows: expected float32, bfloat16 or float16");
}

struct Call {
    Table table;
    Bags bags;
    size_t num_bags, num_keys;
};

// What all calls on bags share, checked: the tables fit each other, offsets rise from 0 to the keys. The rows of keys
// have yet to be checked, or written.
Call unchecked_call_of(const Rows& head, const Rows& tail, const int32_t* rows, size_t num_keys, size_t num_hashes,
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

Call call_of(const Rows& head, const Rows& tail, const Matrix<int32_t>& rows, const Array<int64_t>& offsets,
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

void check_output(const Call& call, const OutputMatrix<float>& out,
                  const std::optional<OutputMatrix<int32_t>>& argmax) {
    require(out.shape(0) == call.num_bags && out.shape(1) == (size_t)call.table.dim, "out: expected a line per bag");
    require((call.bags.mode == Mode::max) == argmax.has_value(), "argmax: expected with mode max only");
    if (argmax)
        require(argmax->shape(0) == out.shape(0) && argmax->shape(1) == out.shape(1),
                "argmax: expected the shape of out");
}

}  // namespace

NB_MODULE(_native, m) {
    m.doc() = "CPU kernels of hybridhash on raw arrays.";
    nb::set_leak_warnings(false);  // modules that Python does not take down at its end would be called leaks
    kernels();  // a wrong HYBRIDHASH_ISA fails the import
    m.def("isa", [] { return std::string(kernels().name); }, "The instruction set in use.");

    m.def("use_openmp_of",
          [](const std::string& library) { return Pool::instance().use_openmp_of(library.c_str()); },
          nb::arg("library"),
          "Run on the threads of the OpenMP library that a loaded library depends on; False if there is none.");

    m.def("spread_over_huge_pages",
          [](OutputMemory memory) { spread_over_huge_pages(memory.data(), memory.nbytes()); }, array("memory"),
          "Ask for pages of 2 MiB under an array.");

    m.def("place_keys",
          [](Array<int64_t> keys, Output<int64_t> dictionary) {
              const size_t size = dictionary.shape(0);
              require(size > 2 * kBucketKeys && size % kBucketKeys == 1,
                      "dictionary: expected two buckets of 8 or more, and a salt");
              require(size / kBucketKeys < (size_t)1 << 28, "dictionary: expected fewer than 2**31 positions");
              require(keys.shape(0) <= size - 1, "keys: expected no more than the positions");
              int64_t* to = dictionary.data();
              const uint64_t salt = (uint64_t)to[size - 1];
              Placed placed;
              {
                  nb::gil_scoped_release release;
                  placed = place_keys(keys.data(), keys.shape(0), to, size / kBucketKeys, salt);
              }
              require(placed != Placed::repeated_key, "keys: expected distinct keys, got one more than once");
              return placed == Placed::all;
          },
          array("keys"), array("dictionary"),
          "Place distinct keys under the salt in the last element; False if they do not fit.");

    m.def("solve_ribbon",
          [](Array<uint32_t> starts, Array<uint64_t> coefficients, Array<uint32_t> values, int value_bits,
             Output<int64_t> words) {
              require(value_bits >= 1 && value_bits <= 32, "value_bits: expected 1 to 32");
              const size_t num_keys = starts.shape(0), num_blocks = words.shape(0) / (size_t)value_bits;
              require(num_blocks >= 1 && words.shape(0) == num_blocks * (size_t)value_bits,
                      "words: expected value_bits for each 64 slots");
              require(coefficients.shape(0) == num_keys && values.shape(0) == num_keys,
                      "coefficients, values: expected one for each key");
              bool good = true;
              for (size_t i = 0; i < num_keys; ++i)
                  good &= starts.data()[i] <= (num_blocks - 1) * kRibbonWidth && (coefficients.data()[i] & 1);
              require(good, "starts, coefficients: expected 64 slots from each start on, and the first of them selected");
              nb::gil_scoped_release release;
              return solve_ribbon(starts.data(), coefficients.data(), values.data(), num_keys, value_bits,
                                  (uint64_t*)words.data(), num_blocks);
          },
          array("starts"), array("coefficients"), array("values"), nb::arg("value_bits"), array("words"),
          "Solve one equation for each key; False if there is no solution.");

    bind_hashing(m);

    bind_encoder(m);
    bind_packed(m);
    bind_table(m);
    bind_values(m);

    m.def("forward",
          [](Rows head, Rows tail, Matrix<int32_t> rows, Array<int64_t> offsets, std::optional<Array<float>> weights,
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
             std::optional<int64_t> padding_key, Rows head, Rows tail, Array<int64_t> offsets,
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
          [](Rows head, Rows tail, Matrix<int32_t> rows, Array<int64_t> offsets, int combine, Matrix<float> grad,
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

    m.def("update",
          [](Rows head, Rows tail, Matrix<int32_t> rows, Array<int64_t> offsets, std::optional<Array<float>> weights,
             int combine, int mode, Matrix<float> grad, std::optional<Matrix<int32_t>> argmax,
             std::vector<Output<float>> head_state, std::vector<Output<float>> tail_state, int rule,
             std::vector<double> numbers, int num_threads) {
              const Call call = call_of(head, tail, rows, offsets, weights, combine, mode, num_threads);
              check_gradient(call, grad, argmax);
              require(rule >= 0 && rule <= (int)Rule::ftrl, "rule: expected 0 to 4");
              require(numbers.size() == 9, "numbers: expected 9");
              require(head.shape(1) <= 1024, "head: expected at most 1024 floats in a row");
              const size_t wanted[] = {0, 1, 1, 2, 2};
              require(head_state.size() == wanted[rule] && tail_state.size() == wanted[rule],
                      "state: expected as many arrays as the rule keeps");
              const auto slab = [&](const Rows& values, std::vector<Output<float>>& state) {
                  const size_t per_row = rule == (int)Rule::rowwise_adagrad ? 1 : values.shape(1);
                  for (const Output<float>& array : state)
                      require(array.shape(0) == values.shape(0) * per_row, "state: expected a number per float or row");
                  return Slab{const_cast<void*>(values.data()), state.size() > 0 ? state[0].data() : nullptr,
                              state.size() > 1 ? state[1].data() : nullptr, (int)values.shape(1)};
              };
              const Slab head_slab = slab(head, head_state), tail_slab = slab(tail, tail_state);
              const auto number = [&](int place) { return (float)numbers[place]; };
              const Update update{(Rule)rule, number(0), number(1), number(2), (float)(1.0 - numbers[3]),
                                  (float)(1.0 - numbers[4]), number(5), number(6), number(7), number(8)};
              nb::gil_scoped_release release;
              if (update.rule == Rule::sgd && update.weight_decay == 0.0f && call.table.element == Element::f32 && !argmax)
                  return descend(call.table, call.bags, call.num_bags, grad.data(), update.learning_rate, num_threads);
              const Shards shards(call.table, call.bags, call.num_bags, head.shape(0), tail.shape(0), grad.data(),
                                  argmax ? argmax->data() : nullptr, num_threads);
              shards.apply(head_slab, tail_slab, call.table.element, update);
          },
          array("head"), array("tail"), array("rows"), array("offsets"), array("weights").none(),
          nb::arg("combine"), nb::arg("mode"), array("grad"), array("argmax").none(), array("head_state"),
          array("tail_state"), nb::arg("rule"), nb::arg("numbers"), nb::arg("num_threads"));

    m.def("gradients",
          [](Rows head, Rows tail, Matrix<int32_t> rows, Array<int64_t> offsets, std::optional<Array<float>> weights,
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
