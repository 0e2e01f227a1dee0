#include "module.hpp"

#include "pages.hpp"
#include "pool.hpp"

namespace nb = nanobind;
using namespace hybridhash;

NB_MODULE(_native, m) {
    m.doc() = "CPU kernels of hybridhash on raw arrays.";
    nb::set_leak_warnings(false);  // modules that Python does not take down at its end would be called leaks
    kernels();  // a wrong HYBRIDHASH_ISA fails the import
    m.attr("MAX_HASHES") = kMaxHashes;
    m.attr("MAX_DICTIONARIES") = kMaxDictionaries;
    m.attr("MAX_FUSED_DIM") = kMaxFusedDim;
    m.def("isa", [] { return std::string(kernels().name); }, "The instruction set in use.");

    m.def("use_openmp_of",
          [](const std::string& library) { return Pool::instance().use_openmp_of(library.c_str()); },
          nb::arg("library"),
          "Run on the threads of the OpenMP library that a loaded library depends on; False if there is none.");

    m.def("spread_over_huge_pages",
          [](OutputMemory memory) { spread_over_huge_pages(memory.data(), memory.nbytes()); }, array("memory"),
          "Ask for pages of 2 MiB under an array.");

    bind_hashing(m);
    bind_dictionaries(m);
    bind_encoder(m);
    bind_bags(m);
    bind_rules(m);
    bind_packed(m);
    bind_table(m);
    bind_values(m);
}
