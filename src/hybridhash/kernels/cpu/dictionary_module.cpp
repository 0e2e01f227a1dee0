#include "dictionary.hpp"
#include "isa.hpp"
#include "module.hpp"
#include "ribbon.hpp"

namespace nb = nanobind;

namespace hybridhash {

void bind_dictionaries(nb::module_& m) {
    m.def("place_keys",
          [](Array<int64_t> keys, Output<int64_t> dictionary) {
              const size_t size = dictionary.shape(0);
              require(size > 2 * kLineKeys && size % kLineKeys == 1,
                      "dictionary: expected two lines of 8 or more, and a salt");
              require(size / kLineKeys < (size_t)1 << 28, "dictionary: expected fewer than 2**31 positions");
              require(keys.shape(0) <= size - 1, "keys: expected no more than the positions");
              int64_t* to = dictionary.data();
              const uint64_t salt = (uint64_t)to[size - 1];
              Placed placed;
              {
                  nb::gil_scoped_release release;
                  placed = place_keys(keys.data(), keys.shape(0), to, size / kLineKeys, salt);
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
}

}  // namespace hybridhash
