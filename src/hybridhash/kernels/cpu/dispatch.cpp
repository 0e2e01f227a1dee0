#include <cstdlib>
#include <stdexcept>
#include <string>
#include <string_view>

#include "isa.hpp"

namespace hybridhash {

namespace {

// The best first; the plain one runs everywhere.
bool runs(const Kernels& built) {
#if defined(__x86_64__)
    __builtin_cpu_init();
    if (&built == &isa_v4::table)
        return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
               __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
    if (&built == &isa_v3::table)
        return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("bmi2") &&
               __builtin_cpu_supports("f16c");
#endif
    return &built == &isa_base::table;
}

const Kernels& choose() {
    const Kernels* const all[] = {
#if defined(__x86_64__)
        &isa_v4::table,
        &isa_v3::table,
#endif
        &isa_base::table,
    };
    const char* wanted = std::getenv("HYBRIDHASH_ISA");
    std::string known;
    for (const Kernels* built : all) {
        if (!runs(*built)) continue;
        if (!wanted || !*wanted || std::string_view(wanted) == built->name) return *built;
        known += (known.empty() ? "" : ", ") + std::string(built->name);
    }
    throw std::runtime_error("HYBRIDHASH_ISA: expected one of " + known + " on this machine, got '" + wanted + "'");
}

}  // namespace

const Kernels& kernels() {
    static const Kernels& chosen = choose();
    return chosen;
}

}  // namespace hybridhash
