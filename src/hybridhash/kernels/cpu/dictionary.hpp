// The dictionary of head keys: lines of eight keys, two of them for each key. A position is a row.
#pragma once

#include <cstddef>
#include <cstdint>

namespace hybridhash {

// Places keys in num_dictionary_lines * 8 positions. Positions without a key hold a number that is looked for
// elsewhere.
enum class Placed { all, no_room, repeated_key };
Placed place_keys(const int64_t* keys, size_t num_keys, int64_t* positions, uint64_t num_dictionary_lines,
                  uint64_t salt);

}  // namespace hybridhash
