"""The kinds of dictionary that the library has, by their labels and names."""

import pytest

from hybridhash.errors import InvalidValueError
from hybridhash.hashing import (
    EXACT,
    Fingerprints,
    Ribbon,
    dictionary_labelled,
    dictionary_of,
)


def test_labels_and_names_lead_back_to_the_kinds() -> None:
    for kind, label, known_by in (
        (EXACT, "64", "behind exact keys"),
        (Fingerprints(16), "16", "behind fingerprints of 16 bits"),
        (Ribbon(5), "ribbon5", "in a ribbon with 5 check bits"),
    ):
        assert (kind.label, kind.known_by) == (label, known_by)
        assert dictionary_labelled(label) == kind == dictionary_of(**kind.as_dict())
    for label in ("ribbon", "", "tree5"):
        with pytest.raises(InvalidValueError, match="dictionary: expected"):
            dictionary_labelled(label)
