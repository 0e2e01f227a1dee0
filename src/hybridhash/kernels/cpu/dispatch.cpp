#include "isa.hpp"

namespace hybridhash {

size_t grouping_slots(size_t num_entries) {
    size_t slots = 16;
    while (slots < 2 * num_entries) slots *= 2;
    return slots;
}

const Kernels& kernels() {
    static const Kernels& best = []() -> const Kernels& {
#if defined(__x86_64__)
        __builtin_cpu_init();
        if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
            __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl"))
            return isa_v4::table;
        if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("bmi2"))
            return isa_v3::table;
#endif
        return isa_base::table;
    }();
    return best;
}

}  // namespace hybridhash
