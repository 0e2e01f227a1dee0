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
from hybridhash.hashing.fingerprints import (
    MAX_FINGERPRINT_BITS,
    MIN_FINGERPRINT_BITS,
    find_fingerprints,
    fingerprint_bytes,
    place_fingerprints,
)
from hybridhash.hashing.keys import HASH_FAMILY, cross_keys, feature_salt, hash_keys, null_key

__all__ = [
    "HASH_FAMILY",
    "MAX_BUCKETS",
    "MAX_FINGERPRINT_BITS",
    "MIN_FINGERPRINT_BITS",
    "MeasuredCollisions",
    "bucket_salts",
    "cross_keys",
    "dictionary_words",
    "feature_salt",
    "find_fingerprints",
    "find_positions",
    "fingerprint_bytes",
    "hash_buckets",
    "hash_keys",
    "keys_that_fit",
    "measure_collisions",
    "null_key",
    "num_positions",
    "place_fingerprints",
    "place_keys",
]
