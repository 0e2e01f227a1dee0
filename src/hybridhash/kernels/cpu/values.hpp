// The key of one value by the rules of its feature; the definition is data/encode.py.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace hybridhash {

// The rules of one feature.
struct FeatureRules {
    enum class Values { integers, texts, numbers, keys };  // keys: of a cross

    Values values;
    bool is_list;
    uint64_t salt;
    int64_t null_key;
    std::vector<double> edges;   // of the bins of numbers
    std::vector<size_t> parts;   // of a cross: the places of its features

    int64_t key_of_word(uint64_t word) const;  // of an integer with these 64 bits
    int64_t key_of_number(double number) const;
    int64_t key_of_bytes(std::string_view bytes) const;  // of a text in UTF-8
};

// Reads the decimal form of an integer in [-2**63, 2**64) as its 64 bits; false for any other text.
bool parse_integer(std::string_view text, uint64_t& word);

// The key of a cross of two values, or of a cross so far and one more value.
uint64_t cross_word(uint64_t word, int64_t key);

}  // namespace hybridhash
