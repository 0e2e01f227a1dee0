// The Python door of bags of packed rows.
#pragma once

#include <nanobind/nanobind.h>

namespace hybridhash {

void bind_packed(nanobind::module_& m);

}  // namespace hybridhash
