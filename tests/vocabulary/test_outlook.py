"""The outlook of a table, by hand."""

import numpy as np

from hybridhash.vocabulary import Counts


def test_a_key_of_two_features_is_one_and_stands_where_its_effect_puts_it() -> None:
    """Two pairs came once, so that two new ones are expected (Good 1953)."""
    keys, times, features = np.array([5, 6, 7, 5]), np.array([1, 4, 1, 2]), np.array([0, 0, 0, 1])
    outlook = Counts(keys, times, features, ("user", "friend"), num_rows=6).outlook
    assert outlook.expected.tolist() == [4, 1 + 2, 1]
    assert (np.diff(outlook.effect) < 0).all()
    assert outlook.unseen == 2
