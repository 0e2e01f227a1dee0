"""Value to key, key to bucket: the numpy form is the definition, bound by golden vectors."""

from hybridhash.hashing.buckets import MAX_BUCKETS, bucket_salts, hash_buckets
from hybridhash.hashing.collisions import MeasuredCollisions, measure_collisions
from hybridhash.hashing.dictionary import (
    dictionary_words,
    find_positions,
    keys_that_fit,
    num_positions,
    place_keys,
)
from hybridhash.hashing.keys import HASH_FAMILY, cross_keys, feature_salt, hash_keys, null_key

__all__ = [
    "HASH_FAMILY",
    "MAX_BUCKETS",
    "MeasuredCollisions",
    "bucket_salts",
    "cross_keys",
    "dictionary_words",
    "feature_salt",
    "find_positions",
    "hash_buckets",
    "hash_keys",
    "keys_that_fit",
    "measure_collisions",
    "null_key",
    "num_positions",
    "place_keys",
]
