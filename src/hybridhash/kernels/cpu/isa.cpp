// The kernels of one instruction set.
#include "isa_common.hpp"

namespace hybridhash::HH_ISA {

extern const Kernels table;
const Kernels table = {
    HH_NAME, hash_integers, encode, bounds, forward, encode_and_pool, packed_forward, weight_gradient, apply, collect,
    descend,
};

}  // namespace hybridhash::HH_ISA
