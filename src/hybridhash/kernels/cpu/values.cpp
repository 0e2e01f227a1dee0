#include "values.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "hashes.hpp"

namespace hybridhash {

namespace {

constexpr uint64_t kGoldenGamma = 0x9E3779B97F4A7C15ull;

}  // namespace

int64_t FeatureRules::key_of_word(uint64_t word) const { return (int64_t)mix64(word + salt); }

int64_t FeatureRules::key_of_number(double number) const {
    if (std::isnan(number)) return null_key;
    const size_t bin = std::lower_bound(edges.begin(), edges.end(), number) - edges.begin();
    return key_of_word(bin);
}

int64_t FeatureRules::key_of_bytes(std::string_view bytes) const {
    return (int64_t)xxh64((const uint8_t*)bytes.data(), bytes.size(), salt);
}

bool parse_integer(std::string_view text, uint64_t& word) {
    const bool is_negative = !text.empty() && text[0] == '-';
    const std::string_view digits = text.substr(is_negative);
    if (digits.empty() || digits[0] < '0' || digits[0] > '9') return false;
    if (digits[0] == '0' && (digits.size() > 1 || is_negative)) return false;
    uint64_t magnitude;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), magnitude);
    if (error != std::errc() || end != digits.data() + digits.size()) return false;
    if (is_negative && magnitude > (uint64_t)1 << 63) return false;
    word = is_negative ? 0 - magnitude : magnitude;
    return true;
}

uint64_t cross_word(uint64_t word, int64_t key) { return mix64((word ^ (uint64_t)key) + kGoldenGamma); }

}  // namespace hybridhash
