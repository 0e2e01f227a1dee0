"""What a kind of dictionary has without saying so."""

import numpy as np

from hybridhash.hashing import Dictionary, ExactKeys


class Pairs(ExactKeys):
    """Two words for each key."""

    name = "pairs"
    label = Dictionary.label
    known_by = Dictionary.known_by

    def length(self, num_keys: int, code_bits: int) -> int:
        return 2 * num_keys


def test_names_and_bytes_follow_from_name_bits_and_length() -> None:
    pairs = Pairs()
    assert (pairs.label, pairs.known_by) == ("pairs64", "behind pairs keys")
    assert pairs.num_bytes(10, 0) == 2 * 10 * np.dtype(np.int64).itemsize
    assert pairs.in_training is pairs
    assert pairs.as_dict() == {"name": "pairs", "key_bits": 64}
