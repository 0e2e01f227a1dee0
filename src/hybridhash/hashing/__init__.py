"""Value to key, key to bucket: the numpy form is the definition, bound by golden vectors."""

from hybridhash.hashing.buckets import MAX_BUCKETS, bucket_salts, hash_buckets
from hybridhash.hashing.collisions import MeasuredCollisions, measure_collisions
from hybridhash.hashing.keys import HASH_FAMILY, cross_keys, feature_salt, hash_keys, null_key

__all__ = [
    "HASH_FAMILY",
    "MAX_BUCKETS",
    "MeasuredCollisions",
    "bucket_salts",
    "cross_keys",
    "feature_salt",
    "hash_buckets",
    "hash_keys",
    "measure_collisions",
    "null_key",
]
