import dataclasses

import pytest

from hybridhash.errors import FileFormatError
from hybridhash.export.layout import (
    SCALES,
    codes_name,
    dictionary_name,
    head_name,
    ledger_part,
    tail_name,
)
from hybridhash.spec import Ledger


@pytest.mark.parametrize(
    ("name", "part"),
    [
        (head_name("deep", 0, 0), "head_rows"),
        (head_name("deep", 10, 7), "head_rows"),
        (head_name("deep", 0, 1) + SCALES, "scales"),
        (tail_name("deep", 12), "tail_rows"),
        (tail_name("deep", 0) + SCALES, "scales"),
        (head_name("wide", 0, 2), "wide_weights"),
        (head_name("wide", 0, 2) + SCALES, "wide_weights"),
        (tail_name("wide", 3), "wide_weights"),
        (tail_name("wide", 3) + SCALES, "wide_weights"),
        (dictionary_name("deep:joint", 0), "dictionary"),
        (dictionary_name("deep:a\nb.scales", 3), "dictionary"),
        (codes_name("deep:joint", 1), "codes"),
        ("dense.0.weight", "dense_layers"),
        ("dense.1.bias", "dense_layers"),
        ("discretiser.price", "discretiser"),
    ],
)
def test_every_tensor_has_a_part_of_the_ledger(name: str, part: str) -> None:
    assert ledger_part(name) == part
    assert part in {field.name for field in dataclasses.fields(Ledger)}


@pytest.mark.parametrize(
    "name", ["other", "deeper.0.head.0", "deep.0.other", "head", "deep.0.head", "codes.0", "dense.0.scales"]
)
def test_a_foreign_tensor_has_none(name: str) -> None:
    with pytest.raises(FileFormatError, match="name of a part of a bundle"):
        ledger_part(name)
