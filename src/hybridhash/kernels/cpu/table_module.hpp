// The Python class of a packed table on numpy arrays.
#pragma once

#include <nanobind/nanobind.h>

namespace hybridhash {

void bind_table(nanobind::module_& m);

}  // namespace hybridhash
