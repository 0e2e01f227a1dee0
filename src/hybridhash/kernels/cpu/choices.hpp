// Lists of what has code of its own, and the choice among them at run time. Everything is inline and in a namespace
// without a name, so that each build of the kernels (isa_*.cpp) has its own.
#pragma once

#include "macros.hpp"

namespace hybridhash {

namespace {

template <int FIRST, int... REST>
struct Constants {
    template <int... MORE>
    using With = Constants<FIRST, REST..., MORE...>;

    static HH_INLINE constexpr bool has(int number) { return number == FIRST || ((number == REST) || ...); }

    // Returns f<number>(). The last of the list stands for all numbers that are not in it.
    template <class F>
    static HH_INLINE auto choose(int number, F f) {
        if constexpr (sizeof...(REST) == 0) {
            return f.template operator()<FIRST>();
        } else {
            if (number == FIRST) return f.template operator()<FIRST>();
            return Constants<REST...>::choose(number, f);
        }
    }
};

template <class... TYPES>
struct Types {
    // Calls f<Type>() of the type at a place of the list.
    template <class F>
    static HH_INLINE void choose(int place, F f) {
        int at = 0;
        (void)((place == at++ ? (f.template operator()<TYPES>(), true) : false) || ...);
    }

    // Calls f<Type>(place) for each type in turn.
    template <class F>
    static HH_INLINE void for_each(F f) {
        int at = 0;
        (f.template operator()<TYPES>(at++), ...);
    }
};

}  // namespace

}  // namespace hybridhash
