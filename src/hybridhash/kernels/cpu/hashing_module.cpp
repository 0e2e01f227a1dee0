// Outputs are taken without conversion: into a converted copy the keys would be lost.
#include "bags.hpp"
#include "module.hpp"
#include "strings.hpp"

namespace nb = nanobind;

namespace hybridhash {

namespace {

Bytes bytes_of(const Array<uint8_t>& data) { return {data.data(), data.shape(0)}; }

template <class Offset>
void bind_offsets(nb::module_& m) {
    m.def(
        "hash_offsets",
        [](Array<uint8_t> data, Array<Offset> offsets, Output<int64_t> keys, uint64_t seed, int num_threads) {
            require(offsets.shape(0) == keys.shape(0) + 1, "offsets: expected one more than the keys");
            bool good;
            {
                nb::gil_scoped_release release;
                good = hash_offsets(bytes_of(data), offsets.data(), keys.shape(0), seed, keys.data(), num_threads);
            }
            require(good, "offsets: expected numbers that do not fall, from 0 to the bytes of data");
        },
        nb::arg("data").noconvert(), nb::arg("offsets").noconvert(), nb::arg("keys").noconvert(), nb::arg("seed"),
        nb::arg("num_threads"), "XXH64 of the strings that lie between offsets, int32 or int64.");
}

// Checks that the elements are width for each key.
void require_width(size_t num_elements, size_t width, size_t num_keys) {
    require(width > 0, "width: expected 1 or more");
    require(num_elements % width == 0 && num_elements / width == num_keys, "data: expected width elements a key");
}

}  // namespace

void bind_hashing(nb::module_& m) {
    m.def(
        "hash_integers",
        [](Array<int64_t> values, Output<int64_t> keys, uint64_t salt, int num_threads) {
            require(values.shape(0) == keys.shape(0), "keys: expected the length of values");
            nb::gil_scoped_release release;
            hash_integers(values.data(), keys.data(), values.shape(0), salt, num_threads);
        },
        nb::arg("values").noconvert(), nb::arg("keys").noconvert(), nb::arg("salt"), nb::arg("num_threads"),
        "mix64(value + salt) of each value.");

    m.def(
        "hash_slices",
        [](Array<uint8_t> data, Array<int64_t> starts, Array<int64_t> lengths, Output<int64_t> keys, uint64_t seed,
           int num_threads) {
            require(starts.shape(0) == keys.shape(0) && lengths.shape(0) == keys.shape(0),
                    "starts and lengths: expected one of each per key");
            bool good;
            {
                nb::gil_scoped_release release;
                good = hash_slices(bytes_of(data), starts.data(), lengths.data(), keys.shape(0), seed, keys.data(),
                                   num_threads);
            }
            require(good, "starts and lengths: expected strings that lie within data");
        },
        nb::arg("data").noconvert(), nb::arg("starts").noconvert(), nb::arg("lengths").noconvert(),
        nb::arg("keys").noconvert(), nb::arg("seed"), nb::arg("num_threads"),
        "XXH64 of strings anywhere in a buffer; they may overlap.");

    bind_offsets<int32_t>(m);
    bind_offsets<int64_t>(m);

    m.def(
        "hash_fixed_bytes",
        [](Array<uint8_t> data, size_t width, Output<int64_t> keys, uint64_t seed, int num_threads) {
            require_width(data.shape(0), width, keys.shape(0));
            nb::gil_scoped_release release;
            hash_fixed_bytes(bytes_of(data), width, keys.shape(0), seed, keys.data(), num_threads);
        },
        nb::arg("data").noconvert(), nb::arg("width"), nb::arg("keys").noconvert(), nb::arg("seed"),
        nb::arg("num_threads"), "XXH64 of strings of width bytes, each without the zeros at its end.");

    m.def(
        "hash_fixed_text",
        [](Array<uint32_t> points, size_t width, Output<int64_t> keys, uint64_t seed, int num_threads) {
            require_width(points.shape(0), width, keys.shape(0));
            nb::gil_scoped_release release;
            return hash_fixed_text(points.data(), width, keys.shape(0), seed, keys.data(), num_threads);
        },
        nb::arg("points").noconvert(), nb::arg("width"), nb::arg("keys").noconvert(), nb::arg("seed"),
        nb::arg("num_threads"),
        "XXH64 of the UTF-8 of strings of width code points; returns the first surrogate, in which case the keys "
        "are not complete, or 0.");
}

}  // namespace hybridhash
