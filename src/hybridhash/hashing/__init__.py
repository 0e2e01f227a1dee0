"""Value to key, key to bucket: the numpy form is the definition, bound by golden vectors."""

from hybridhash.hashing.buckets import MAX_BUCKETS, bucket_salts, hash_buckets
from hybridhash.hashing.collisions import MeasuredCollisions, measure_collisions
from hybridhash.hashing.dictionaries import (
    DICTIONARIES,
    dictionary_labelled,
    dictionary_of,
    register_dictionary,
    remove_dictionary,
)
from hybridhash.hashing.dictionary import Dictionary
from hybridhash.hashing.exact import (
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
from hybridhash.hashing.kinds import EXACT, LOAD, ExactKeys, Fingerprints, Ribbon
from hybridhash.hashing.native import num_threads
from hybridhash.hashing.ribbon import (
    MAX_CHECK_BITS,
    MAX_RIBBON_BITS,
    build_ribbon,
    find_in_ribbon,
    ribbon_words,
)

__all__ = [
    "DICTIONARIES",
    "EXACT",
    "HASH_FAMILY",
    "LOAD",
    "MAX_BUCKETS",
    "MAX_CHECK_BITS",
    "MAX_FINGERPRINT_BITS",
    "MAX_RIBBON_BITS",
    "MIN_FINGERPRINT_BITS",
    "Dictionary",
    "ExactKeys",
    "Fingerprints",
    "MeasuredCollisions",
    "Ribbon",
    "bucket_salts",
    "build_ribbon",
    "cross_keys",
    "dictionary_labelled",
    "dictionary_of",
    "dictionary_words",
    "feature_salt",
    "find_fingerprints",
    "find_in_ribbon",
    "find_positions",
    "fingerprint_bytes",
    "hash_buckets",
    "hash_keys",
    "keys_that_fit",
    "measure_collisions",
    "null_key",
    "num_positions",
    "num_threads",
    "place_fingerprints",
    "place_keys",
    "register_dictionary",
    "remove_dictionary",
    "ribbon_words",
]
