#pragma once

#include <cstddef>

namespace hybridhash {

// Asks the system for huge pages under memory: random rows of a large table otherwise miss the cache of page addresses
// at every step. Systems that know no such pages leave it as it is.
void spread_over_huge_pages(void* memory, size_t num_bytes);

}  // namespace hybridhash
