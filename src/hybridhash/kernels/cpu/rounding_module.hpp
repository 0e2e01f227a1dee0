// The Python door of rows that are rounded while they are trained.
#pragma once

#include <nanobind/nanobind.h>

namespace hybridhash {

void bind_rounding(nanobind::module_& m);

}  // namespace hybridhash
