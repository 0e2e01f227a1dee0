#include <cstring>

#include "bags.hpp"
#include "module.hpp"

namespace nb = nanobind;

namespace hybridhash {

namespace {

Dictionary ribbon_of(const Memory& places, int check_bits, int code_bits, int64_t num_rows) {
    require(check_bits >= 0 && check_bits <= 24 && code_bits >= 1 && code_bits + check_bits <= 32,
            "key_bits, code_bits: expected a code of 1 bit or more, at most 24 check bits and 32 together");
    require(places.ndim() == 1 && holds<int64_t>(places), "places: expected int64 for a ribbon, 1-D");
    const size_t num_words = places.size(), value_bits = (size_t)(code_bits + check_bits);
    require(num_words == 0 || (num_words > value_bits && (num_words - 1) % value_bits == 0),
            "places: expected a word for each bit of 64 slots and a salt");
    Dictionary found;
    found.places = nullptr;
    found.ribbon = (const uint64_t*)places.data();
    found.num_lines = num_words ? (num_words - 1) / value_bits * 64 - 63 : 0;
    require(found.num_lines < (size_t)1 << 31, "places: expected fewer than 2**31 slots");
    found.salt = num_words ? found.ribbon[num_words - 1] : 0;
    found.key_bits = check_bits;
    found.codes = nullptr;
    found.code_bits = code_bits;
    require(num_words ? num_rows >= 1 && num_rows <= (int64_t)1 << code_bits : num_rows == 0,
            "num_rows: expected 1 to the number of different codes");
    found.num_rows = (uint32_t)num_rows;
    return found;
}

Dictionary dictionary_of(const Memory& places, int key_bits, const Array<uint8_t>& codes, int code_bits,
                         int64_t num_rows) {
    if (code_bits && !codes.shape(0)) return ribbon_of(places, key_bits, code_bits, num_rows);
    const bool exact = key_bits == kExactBits;
    require(exact || (key_bits >= 4 && key_bits <= 32), "key_bits: expected 64, or 4 to 32 for fingerprints");
    require(places.ndim() == 1 && (exact ? holds<int64_t>(places) : holds<uint8_t>(places)),
            "places: expected int64 for keys or uint8 for fingerprints, 1-D");
    const size_t num_bytes = places.nbytes(), line_bytes = (size_t)key_bits;
    require(num_bytes == 0 || (num_bytes >= line_bytes + 8 && (num_bytes - 8) % line_bytes == 0),
            "places: expected lines of 8 places and a salt");
    Dictionary found;
    found.places = (const uint8_t*)places.data();
    found.ribbon = nullptr;
    found.num_lines = num_bytes ? (num_bytes - 8) / line_bytes : 0;
    require(found.num_lines < (size_t)1 << 28, "places: expected fewer than 2**31 positions");
    const int64_t num_positions = (int64_t)found.num_lines * kLineKeys;
    if (num_bytes) std::memcpy(&found.salt, found.places + num_bytes - 8, 8);
    found.key_bits = key_bits;
    found.code_bits = code_bits;
    found.codes = codes.shape(0) ? codes.data() : nullptr;
    if (found.codes) {
        require(code_bits >= 1 && code_bits <= 31, "code_bits: expected 1 to 31");
        require((int64_t)codes.shape(0) == (num_positions * code_bits + 7) / 8 + 7,
                "codes: expected a packed integer per position");
        require(num_rows >= 1 && num_rows <= num_positions, "num_rows: expected 1 to the number of positions");
    } else {
        require(num_rows == num_positions, "num_rows: expected the number of positions where there are no codes");
    }
    found.num_rows = (uint32_t)num_rows;
    return found;
}

}  // namespace

Encoder encoder_of(const Dictionaries& dictionaries, uint64_t num_buckets, const std::vector<uint64_t>& salts,
                   std::optional<int64_t> padding_key) {
    require(salts.size() >= 1 && salts.size() <= (size_t)kMaxHashes, "salts: expected 1 to 16 hash functions");
    require(num_buckets >= 1 && num_buckets <= (uint64_t)1 << 31, "num_buckets: expected 1 to 2**31");
    require(dictionaries.size() <= (size_t)kMaxDictionaries, "dictionaries: expected at most 8");
    Encoder encoder;
    encoder.num_dictionaries = 0;
    uint64_t num_head = 0;
    for (const auto& [places, key_bits, codes, code_bits, num_rows] : dictionaries) {
        Dictionary found = dictionary_of(places, key_bits, codes, code_bits, num_rows);
        found.first_row = (int32_t)num_head;
        num_head += found.num_rows;
        require(num_head < (uint64_t)kNoRow, "dictionaries: expected fewer than 2**31 - 1 rows");
        if (found.num_lines) encoder.dictionaries[encoder.num_dictionaries++] = found;
    }
    encoder.num_head = (uint32_t)num_head;
    encoder.num_buckets = num_buckets;
    encoder.num_hashes = (int)salts.size();
    for (size_t h = 0; h < salts.size(); ++h) encoder.salts[h] = salts[h];
    encoder.has_padding = padding_key.has_value();
    encoder.padding_key = padding_key.value_or(0);
    return encoder;
}

void bind_encoder(nb::module_& m) {
    m.attr("DICTIONARIES") = nb::make_tuple("exact", "fingerprints", "ribbon");  // the kinds that dictionary_of reads

    m.def("encode",
          [](Array<int64_t> keys, Dictionaries dictionaries, uint64_t num_buckets, std::vector<uint64_t> salts,
             std::optional<int64_t> padding_key, OutputMatrix<int32_t> rows, int num_threads) {
              require(num_threads >= 1, kThreads);
              const Encoder encoder = encoder_of(dictionaries, num_buckets, salts, padding_key);
              require(rows.shape(0) == keys.shape(0) && rows.shape(1) == salts.size(),
                      "rows: expected a line per key and a column per hash function");
              nb::gil_scoped_release release;
              encode(encoder, keys.data(), rows.data(), keys.shape(0), num_threads);
          },
          array("keys"), array("dictionaries"), nb::arg("num_buckets"), nb::arg("salts"),
          nb::arg("padding_key").none(), array("rows"), nb::arg("num_threads"));
}

}  // namespace hybridhash
