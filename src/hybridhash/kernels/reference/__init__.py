"""The definition of every operator, in plain torch: short, every option, on any device.

Faster engines are compared with these functions in outputs and gradients.
"""

from hybridhash.kernels.reference.bags import Combine, Mode, combine_rows, embedding_bag, key_vectors
from hybridhash.kernels.reference.encode import (
    FINDERS,
    Dictionary,
    Rows,
    encode,
    find_fingerprints,
    find_positions,
    hash_buckets,
    mix64,
    read_integers,
)
from hybridhash.kernels.reference.packed import Slab, packed_embedding_bag, unpack_rows
from hybridhash.kernels.reference.rules import RULES
from hybridhash.kernels.reference.update import Step, update, update_rows, weight_gradient

__all__ = [
    "FINDERS",
    "RULES",
    "Combine",
    "Dictionary",
    "Mode",
    "Rows",
    "Slab",
    "Step",
    "combine_rows",
    "embedding_bag",
    "encode",
    "find_fingerprints",
    "find_positions",
    "hash_buckets",
    "key_vectors",
    "mix64",
    "packed_embedding_bag",
    "read_integers",
    "unpack_rows",
    "update",
    "update_rows",
    "weight_gradient",
]
