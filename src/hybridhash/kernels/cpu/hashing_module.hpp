// The Python door of key hashing.
#pragma once

#include <nanobind/nanobind.h>

namespace hybridhash {

void bind_hashing(nanobind::module_& m);

}  // namespace hybridhash
