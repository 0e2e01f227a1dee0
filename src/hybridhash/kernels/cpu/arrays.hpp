// Arrays as the Python doors take them: shapes and dtypes are checked there, so that a wrong call raises and never
// reads past an array.
#pragma once

#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>

namespace hybridhash {

template <class T>
using Array = nanobind::ndarray<const T, nanobind::ndim<1>, nanobind::c_contig, nanobind::device::cpu>;
template <class T>
using Output = nanobind::ndarray<T, nanobind::ndim<1>, nanobind::c_contig, nanobind::device::cpu>;
template <class T>
using Matrix = nanobind::ndarray<const T, nanobind::ndim<2>, nanobind::c_contig, nanobind::device::cpu>;
template <class T>
using OutputMatrix = nanobind::ndarray<T, nanobind::ndim<2>, nanobind::c_contig, nanobind::device::cpu>;
// Of any dtype and shape.
using Memory = nanobind::ndarray<nanobind::ro, nanobind::c_contig, nanobind::device::cpu>;
using OutputMemory = nanobind::ndarray<nanobind::c_contig, nanobind::device::cpu>;

// Taken as it is: a converted copy of what a kernel writes to would be lost.
inline auto array(const char* name) { return nanobind::arg(name).noconvert(); }

inline void require(bool holds, const char* message) {
    if (!holds) throw nanobind::value_error(message);
}

template <class T>
bool holds(const Memory& memory) {
    return memory.dtype() == nanobind::dtype<T>();
}

constexpr const char* kThreads = "num_threads: expected 1 or more";

}  // namespace hybridhash
