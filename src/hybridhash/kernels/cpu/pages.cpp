#include "pages.hpp"

#include <cstdint>

#if defined(__linux__)
#include <sys/mman.h>
#endif

namespace hybridhash {

void spread_over_huge_pages([[maybe_unused]] void* memory, [[maybe_unused]] size_t num_bytes) {
#if defined(__linux__)
    constexpr uintptr_t kPage = 1 << 21;
    const uintptr_t first = ((uintptr_t)memory + kPage - 1) / kPage * kPage;
    const uintptr_t last = ((uintptr_t)memory + num_bytes) / kPage * kPage;
    if (first >= last) return;
    // Memory that nobody has written to gets huge pages as it is written. What the allocator hands out again lies on small
    // pages already; Linux 6.1 and later copy them to huge ones, and others say no.
    constexpr int kCollapse = 25;  // MADV_COLLAPSE, which older headers do not have
    (void)madvise((void*)first, last - first, MADV_HUGEPAGE);
    (void)madvise((void*)first, last - first, kCollapse);
#endif
}

}  // namespace hybridhash
