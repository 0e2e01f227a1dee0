// Attributes and pragmas of the kernels' loops.
#pragma once

#define HH_INLINE inline __attribute__((always_inline))
// Of a lambda that asks for memory: GCC takes what only does that for a function without effect, and drops calls of it.
// And of one that holds a loop, whose variables stay in registers then.
#define HH_NO_CALL __attribute__((always_inline))
#define HH_UNROLL _Pragma("GCC unroll 16")
#define HH_APART _Pragma("GCC ivdep")  // the arrays of the loop do not overlap
