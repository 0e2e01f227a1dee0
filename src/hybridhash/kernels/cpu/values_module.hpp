// The Python class that gives the values of rows their keys.
#pragma once

#include <nanobind/nanobind.h>

namespace hybridhash {

void bind_values(nanobind::module_& m);

}  // namespace hybridhash
